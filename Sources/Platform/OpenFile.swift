// An open file descriptor with one owner.

import CSystem
import Glibc

/// A file descriptor that is closed exactly once.
///
/// Calls block, retry EINTR, and say in their error which file they were made on.
package struct OpenFile: ~Copyable, Sendable {
    package private(set) var descriptor: Int32  // -1 once closed
    /// What errors call it: usually the path it was opened by.
    package let name: String

    package init(adopting descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    /// open(2) with O_CLOEXEC. `mode` counts for created files and is subject to the umask.
    package init(_ path: String, _ flags: Int32, mode: UInt32 = 0o640) throws(SystemError) {
        let descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw SystemError("open", path, errno: errno) }
        self.init(adopting: descriptor, name: path)
    }

    /// Closes and reports what the kernel says; a network file system may only now say that a write failed.
    package consuming func close() throws(SystemError) {
        let result = Glibc.close(descriptor)
        descriptor = -1  // for deinit, which runs on the way out
        guard result == 0 || errno == EINTR else { throw SystemError("close", name, errno: errno) }
    }

    deinit { if descriptor >= 0 { _ = Glibc.close(descriptor) } }  // an error path dropped it; there is nobody left to tell

    /// Gives the descriptor back without closing it: for the standard streams, which nobody owns.
    package consuming func relinquish() -> Int32 {
        let descriptor = self.descriptor
        self.descriptor = -1
        return descriptor
    }

    /// read(2): up to `buffer.count` bytes; 0 at the end of the file.
    package borrowing func read(into buffer: inout MutableSpan<UInt8>) throws(SystemError) -> Int {
        try unsafe call("read", buffer: &buffer) { base, count in unsafe Glibc.read(descriptor, base, count) }
    }

    /// pread(2) at `offset`; 0 at the end of the file.
    package borrowing func read(into buffer: inout MutableSpan<UInt8>, at offset: Int64) throws(SystemError) -> Int {
        try unsafe call("pread", buffer: &buffer) { base, count in unsafe Glibc.pread(descriptor, base, count, off_t(offset)) }
    }

    /// The rest of the file, at most `limit` bytes.
    package borrowing func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 0)
        var piece = [UInt8](repeating: 0, count: min(limit, 1 << 16))
        while bytes.count < limit {
            var span = piece.mutableSpan
            let count = try read(into: &span)
            if count == 0 { break }
            bytes += piece.prefix(min(count, limit - bytes.count))
        }
        return bytes
    }

    private borrowing func call(
        _ name: String, buffer: inout MutableSpan<UInt8>, _ body: (UnsafeMutableRawPointer?, Int) -> Int
    ) throws(SystemError) -> Int {
        while true {
            // The pointer is used for this one call, inside the span's own scope and count.
            let count = unsafe buffer.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress, $0.count) }
            if count >= 0 { return count }
            if errno != EINTR { throw SystemError(name, self.name, errno: errno) }
        }
    }

    /// Writes all of `bytes` at the file position. On ENOSPC part of them may have been written.
    package borrowing func write(_ bytes: Span<UInt8>) throws(SystemError) {
        try unsafe writeAll(bytes, "write") { base, count, _ in unsafe Glibc.write(descriptor, base, count) }
    }

    /// Writes all of `bytes` at `offset`, leaving the file position alone.
    package borrowing func write(_ bytes: Span<UInt8>, at offset: Int64) throws(SystemError) {
        try unsafe writeAll(bytes, "pwrite") { base, count, done in
            unsafe Glibc.pwrite(descriptor, base, count, off_t(offset) + done)
        }
    }

    private borrowing func writeAll(
        _ bytes: Span<UInt8>, _ name: String, _ body: (UnsafeRawPointer?, Int, Int) -> Int
    ) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let rest = bytes.extracting(droppingFirst: done)
            let count = unsafe rest.withUnsafeBufferPointer { unsafe body($0.baseAddress, $0.count, done) }
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                throw SystemError(name, self.name, errno: count == 0 ? EIO : errno)
            }
        }
    }

    /// fsync(2): returns when the medium has the bytes and the metadata needed to read them.
    package borrowing func sync() throws(SystemError) {
        while Glibc.fsync(descriptor) != 0 {
            if errno != EINTR { throw SystemError("fsync", name, errno: errno) }
        }
    }

    /// fdatasync(2): as `sync`, without times.
    package borrowing func syncData() throws(SystemError) {
        while Glibc.fdatasync(descriptor) != 0 {
            if errno != EINTR { throw SystemError("fdatasync", name, errno: errno) }
        }
    }

    /// ftruncate(2) to `size` bytes.
    package borrowing func truncate(to size: Int64) throws(SystemError) {
        while Glibc.ftruncate(descriptor, off_t(size)) != 0 {
            if errno != EINTR { throw SystemError("ftruncate", name, errno: errno) }
        }
    }

    /// Moves the file position to `offset` bytes from the start.
    package borrowing func seek(to offset: Int64) throws(SystemError) {
        guard Glibc.lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else { throw SystemError("lseek", name, errno: errno) }
    }

    /// The file's size in bytes, from fstat(2).
    package borrowing func size() throws(SystemError) -> Int64 {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw SystemError("fstat", name, errno: errno) }
        return Int64(status.st_size)
    }

    /// fsync(2) of the directory that holds `path`: what makes a creation, rename or removal last.
    package static func syncDirectory(holding path: String) throws(SystemError) {
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        try OpenFile(parent, O_RDONLY | O_DIRECTORY).sync()
    }
}
