// Files that must be regular files of our own: opening, locking, listing and the room around them.

import CSystem
import Glibc

extension OpenFile {
    package enum Access: Sendable { case read, readWrite }

    /// Opens a regular file without following a symbolic link at its end.
    /// - Throws: ELOOP for a symbolic link, EINVAL for anything else that is no regular file; opening a FIFO doesn't block.
    package static func regular(_ path: String, _ access: Access) throws(SystemError) -> OpenFile {
        // O_NONBLOCK has no effect on regular files; it is there for what turns out to be a FIFO.
        let file = try OpenFile(path, (access == .read ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        var status = stat()
        guard unsafe fstat(file.descriptor, &status) == 0 else { throw SystemError("fstat", path, errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError("open", path, errno: EINVAL) }
        return file
    }

    /// Creates an empty file that wasn't there, and makes the creation last: file and directory are synced.
    /// - Throws: EEXIST where something of the name exists.
    package static func created(_ path: String, mode: UInt32 = 0o640) throws(SystemError) -> OpenFile {
        let file = try OpenFile(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
        try file.sync()
        try syncDirectory(holding: path)
        return file
    }

    /// Takes the advisory lock of flock(2) on this open file until it is closed.
    /// - Returns: false where somebody else, in this process or another, has it.
    package borrowing func lockExclusively() throws(SystemError) -> Bool {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            if errno != EINTR { throw SystemError("flock", name, errno: errno) }
        }
        return true
    }

    /// Fills `bytes[range]` from `offset` of the file on, as far as the file goes.
    /// - Returns: How many bytes came: fewer than asked for only at the end of the file.
    package borrowing func fill(_ bytes: inout [UInt8], _ range: Range<Int>, at offset: Int64) throws(SystemError) -> Int {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        var done = 0
        while done < range.count {
            // Inside the array, as checked above, and while it is borrowed.
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress! + range.lowerBound + done, range.count - done, off_t(offset) + done)
            }
            if count == 0 { break }
            if count > 0 { done += count } else if errno != EINTR { throw SystemError("pread", name, errno: errno) }
        }
        return done
    }

    /// Tells the kernel that reading goes forward: it then reads further ahead. Only advice, so failure means nothing.
    package borrowing func adviseSequential() { _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL) }
}

extension SystemError {
    package var isNotFound: Bool { errno == ENOENT }
    package var isSymbolicLink: Bool { errno == ELOOP }
    package var isNotRegularFile: Bool { call == "open" && errno == EINVAL }
    package var isAlreadyThere: Bool { errno == EEXIST }
    /// No room: the disk, the user's quota or the largest file that the process may write.
    package var isNoSpace: Bool { errno == ENOSPC || errno == EDQUOT || errno == EFBIG }
    package var isReadOnly: Bool { errno == EROFS || errno == EACCES || errno == EPERM }
}

/// The directory that a disk device keeps its volumes in.
package enum Directory {
    /// The names of the regular files in `path`, unsorted; links and everything else are left out.
    package static func regularFiles(in path: String) throws(SystemError) -> [String] {
        guard let directory = unsafe opendir(path) else { throw SystemError("opendir", path, errno: errno) }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            var status = stat()
            if unsafe lstat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG { names.append(name) }
        }
        return names
    }

    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Bytes that a user who is not root can still write where `path` is, or nil when the kernel doesn't say.
    package static func freeBytes(at path: String) -> UInt64? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) &* UInt64(status.f_frsize)
    }
}
