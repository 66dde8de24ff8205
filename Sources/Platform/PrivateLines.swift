// A small file of lines that only its owner may read: a console's history.

import Glibc

package enum PrivateLines {
    /// The last `linesMax` lines; none where there is no file or it can't be read. Reads at most the last 256 KiB.
    package static func read(_ path: String, linesMax: Int) -> [String] {
        guard let file = try? OpenFile(path, O_RDONLY), let size = try? file.size() else { return [] }
        let window = min(size, 256 << 10)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while Int64(bytes.count) < window {
            var span = buffer.mutableSpan
            guard let got = try? file.read(into: &span, at: size - window + Int64(bytes.count)), got > 0 else { break }
            bytes += buffer[..<got]
        }
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        if window < size, !lines.isEmpty { lines.removeFirst() }  // most likely the end of a longer one
        return lines.suffix(linesMax)
    }

    /// Adds a line at the end. The file is created with mode 0600, and is made so where it was wider.
    package static func append(_ line: String, to path: String) throws(SystemError) {
        let file = try OpenFile(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
        guard fchmod(file.descriptor, 0o600) == 0 else { throw SystemError("fchmod", path, errno: errno) }
        try file.write(Array((line + "\n").utf8).span)
        try file.close()
    }
}

extension OpenFile {
    /// Whether something of that name can be reached; it may be gone a moment later.
    package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
}
