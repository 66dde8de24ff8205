// Paths as a command line gives them, and directories and private files that a set-up makes.

import Glibc

package enum FilePath {
    /// `path` with the working directory before it where it is relative; links, `.` and `..` are resolved where it exists.
    package static func absolute(_ path: String) -> String {
        if let resolved = unsafe realpath(path, nil) {
            defer { unsafe free(resolved) }
            return unsafe String(cString: resolved)
        }
        guard !path.hasPrefix("/"), let directory = unsafe getcwd(nil, 0) else { return path }
        defer { unsafe free(directory) }
        return unsafe String(cString: directory) + "/" + path
    }

    package static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Makes a directory, with missing parents, unless it is there.
    package static func makeDirectory(_ path: String, mode: UInt32) throws(SystemError) {
        if isDirectory(path) { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeDirectory(String(path[..<slash]), mode: mode) }
        guard unsafe mkdir(path, mode) == 0 || errno == EEXIST else { throw SystemError("mkdir", path, errno: errno) }
    }

    /// Writes a new file of mode 0600, durably.
    /// - Throws: EEXIST where something of that name exists.
    package static func createPrivate(_ path: String, _ text: String) throws(SystemError) {
        let file = try OpenFile(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        let bytes = Array(text.utf8)
        try file.write(bytes.span)
        try file.sync()
        try file.close()
        try OpenFile.syncDirectory(holding: path)
    }

    /// The last `bytesMax` bytes of a text file, for showing the end of a log; empty where it can't be read.
    package static func tail(_ path: String, bytesMax: Int) -> String {
        guard let bytes = try? OpenFile(path, O_RDONLY).readAll(limit: 16 << 20) else { return "" }
        return String(decoding: bytes.suffix(bytesMax), as: UTF8.self)
    }
}
