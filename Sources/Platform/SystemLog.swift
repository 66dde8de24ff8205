// Where messages go outside our own files: syslog, standard output, and files that grow line by line.

import Glibc

/// The system's log, by syslog(3).
package enum SystemLog {
    /// One line to the daemon facility. Control characters are the log's business.
    package static func write(_ text: String, isError: Bool, isWarning: Bool) {
        let priority = LOG_DAEMON | (isError ? LOG_ERR : isWarning ? LOG_WARNING : LOG_INFO)
        unsafe text.withCString { text in
            // A fixed format, so that no % in the text is taken for a conversion.
            unsafe withVaList([text]) { unsafe vsyslog(priority, "%s", $0) }
        }
    }
}

/// Standard output and standard error of the process.
package enum StandardOutput {
    /// Writes all of `text` in as few write(2) as the kernel needs; failures have nobody to be told to.
    package static func write(_ text: String, toErrors: Bool) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let rest = bytes.span.extracting(droppingFirst: done)
            let count = unsafe rest.withUnsafeBufferPointer { unsafe Glibc.write(toErrors ? 2 : 1, $0.baseAddress, $0.count) }
            if count > 0 { done += count } else if errno != EINTR { return }
        }
    }
}

extension OpenFile {
    /// A file that messages are added to, created where it is missing. Every write goes to the end, whoever else writes.
    package static func forMessages(_ path: String, truncating: Bool) throws(SystemError) -> OpenFile {
        try OpenFile(path, O_WRONLY | O_CREAT | O_APPEND | (truncating ? O_TRUNC : 0))
    }

    /// Puts `bytes` in the place of the file at `path`, durably: a reader, or a power cut, finds the old file or the new one.
    package static func replace(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o640) throws(SystemError) {
        let temporary = path + ".new"
        let file = try OpenFile(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode)
        do {
            try file.write(bytes.span)
            try file.sync()
            try file.close()
        } catch {
            _ = unsafe unlink(temporary)
            throw error
        }
        guard unsafe Glibc.rename(temporary, path) == 0 else {
            let reason = errno
            _ = unsafe unlink(temporary)
            throw SystemError("rename", path, errno: reason)
        }
        try syncDirectory(holding: path)
    }

    /// All of a file, at most `bytesMax` bytes of it.
    package static func contents(of path: String, bytesMax: Int = 64 << 20) throws(SystemError) -> [UInt8] {
        let file = try OpenFile(path, O_RDONLY)
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while contents.count < bytesMax {
            var span = chunk.mutableSpan
            let count = try file.read(into: &span)
            if count == 0 { break }
            contents += chunk[..<count]
        }
        return contents
    }
}

extension SystemError {
    /// There is no such file (ENOENT).
    package var isMissingFile: Bool { errno == ENOENT }
}
