// Small state files that must survive a power cut, and scratch files that must not survive their owner.

import Glibc

package enum DurableText {
    /// The whole text of a small file, or nil where there is none. Reads at most 1 MiB.
    package static func read(_ path: String) throws(SystemError) -> String? {
        let file: OpenFile
        do { file = try OpenFile(path, O_RDONLY) } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while text.count < 1 << 20 {
            var window = piece.mutableSpan
            let got = try file.read(into: &window)
            if got == 0 { break }
            text += piece[..<got]
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Replaces the file at `path` by one with this text: after a crash at any instant one of the two is there, whole.
    package static func replace(_ path: String, with text: String) throws(SystemError) {
        let temporary = path + ".new"
        let file = try OpenFile(temporary, O_WRONLY | O_CREAT | O_TRUNC)
        let bytes = Array(text.utf8)
        try file.write(bytes.span)
        try file.sync()
        try file.close()
        guard unsafe rename(temporary, path) == 0 else { throw SystemError("rename", path, errno: errno) }
        // rename(2) shows the new file; only syncing the directory makes it last.
        try OpenFile.syncDirectory(holding: path)
    }
}

extension OpenFile {
    /// A file in `directory` that has no name: gone when it is closed or its process dies.
    package static func scratch(in directory: String, purpose: String) throws(SystemError) -> OpenFile {
        let path = "\(directory)/\(purpose).\(Digest.hexadecimal(Randomness.bytes(8)))"
        let file = try OpenFile(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
        _ = unsafe unlink(path)
        return file
    }
}
