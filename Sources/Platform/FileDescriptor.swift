// An open file without a name: what the hot paths of backup and restore use. Where errors should say which file, see OpenFile.

import CSystem
import Glibc

/// A file descriptor with one owner, closed when released. Calls retry EINTR and throw the kernel's reason alone.
package struct FileDescriptor: ~Copyable, Sendable {
    package let raw: Int32
    package init(adopting raw: Int32) { self.raw = raw }
    deinit { close(raw) }

    package borrowing func metadata() throws(Errno) -> FileMetadata {
        var status = stat()
        guard unsafe fstat(raw, &status) == 0 else { throw .last }
        return FileMetadata(status)
    }

    /// read(2) into `span`. - Returns: bytes read, 0 at the end.
    package borrowing func read(into span: inout MutableSpan<UInt8>) throws(Errno) -> Int {
        while true {
            let got = unsafe span.withUnsafeMutableBufferPointer { unsafe Glibc.read(raw, $0.baseAddress, $0.count) }
            if got >= 0 { return got }
            if errno != EINTR { throw .last }
        }
    }

    /// pread(2) into `span`.
    package borrowing func read(into span: inout MutableSpan<UInt8>, at offset: Int64) throws(Errno) -> Int {
        while true {
            let got = unsafe span.withUnsafeMutableBufferPointer { unsafe pread(raw, $0.baseAddress, $0.count, off_t(offset)) }
            if got >= 0 { return got }
            if errno != EINTR { throw .last }
        }
    }

    /// pread(2) until `span` is full or the file ends. - Returns: bytes read.
    package borrowing func readFully(into span: inout MutableSpan<UInt8>, at offset: Int64) throws(Errno) -> Int {
        var done = 0
        while done < span.count {
            let got = unsafe span.withUnsafeMutableBufferPointer {
                unsafe pread(raw, $0.baseAddress! + done, $0.count - done, off_t(offset + Int64(done)))
            }
            if got > 0 { done += got } else if got == 0 { break } else if errno != EINTR { throw .last }
        }
        return done
    }

    /// pwrite(2) of all of `bytes`.
    package borrowing func write(_ bytes: Span<UInt8>, at offset: Int64) throws(Errno) {
        var done = 0
        while done < bytes.count {
            let rest = bytes.extracting(droppingFirst: done)
            let count = unsafe rest.withUnsafeBufferPointer {
                unsafe pwrite(raw, $0.baseAddress, $0.count, off_t(offset + Int64(done)))
            }
            if count > 0 { done += count } else if count == 0 || errno != EINTR { throw count == 0 ? Errno(code: EIO) : .last }
        }
    }

    /// write(2) of all of `bytes` where the file stands.
    package borrowing func write(_ bytes: Span<UInt8>) throws(Errno) {
        var done = 0
        while done < bytes.count {
            let rest = bytes.extracting(droppingFirst: done)
            let count = unsafe rest.withUnsafeBufferPointer { unsafe Glibc.write(raw, $0.baseAddress, $0.count) }
            if count > 0 { done += count } else if count == 0 || errno != EINTR { throw count == 0 ? Errno(code: EIO) : .last }
        }
    }

    package borrowing func truncate(to size: Int64) throws(Errno) { try check(ftruncate(raw, off_t(size))) }

    /// The next byte at or after `offset` that isn't in a hole; nil when only a hole follows. Where the file system keeps
    /// no holes, everything is data.
    package borrowing func nextData(from offset: Int64) throws(Errno) -> Int64? {
        let found = lseek(raw, off_t(offset), csystem_SEEK_DATA)
        if found >= 0 { return Int64(found) }
        if errno == ENXIO { return nil }
        throw .last
    }

    /// Where the data at `offset` ends: the next hole, or the end of the file.
    package borrowing func nextHole(from offset: Int64) throws(Errno) -> Int64 {
        let found = lseek(raw, off_t(offset), csystem_SEEK_HOLE)
        guard found >= 0 else { throw .last }
        return Int64(found)
    }

    package borrowing func seek(to offset: Int64) throws(Errno) { if lseek(raw, off_t(offset), SEEK_SET) < 0 { throw .last } }
    /// Gives the blocks of a range back; it reads as zeros from then on.
    package borrowing func punchHole(at offset: Int64, length: Int64) throws(Errno) {
        try check(csystem_punch_hole(raw, offset, length))
    }
    /// Waits until there is something to read or nobody is left to write; false after `limit`.
    package borrowing func waitUntilReadable(atMost limit: Duration) -> Bool {
        var watched = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        let milliseconds = limit.components.seconds * 1000 + limit.components.attoseconds / 1_000_000_000_000_000
        return unsafe poll(&watched, 1, Int32(clamping: milliseconds)) > 0
    }
    package borrowing func adviseSequential() { _ = csystem_advise_sequential(raw) }

    package borrowing func setOwner(user: UInt32, group: UInt32) throws(Errno) { try check(fchown(raw, user, group)) }
    package borrowing func setMode(_ mode: UInt32) throws(Errno) { try check(fchmod(raw, mode)) }
    package borrowing func setTimes(access: WallTime, modify: WallTime) throws(Errno) {
        try check(unsafe futimens(raw, [access.kernelTime, modify.kernelTime]))
    }
    /// Owner of a handle that `OpenDirectory.handle(of:)` gave.
    package borrowing func setHandleOwner(user: UInt32, group: UInt32) throws(Errno) {
        try check(unsafe fchownat(raw, "", user, group, csystem_AT_EMPTY_PATH))
    }
    /// Permission bits of a handle; not for links, which have none.
    package borrowing func setHandleMode(_ mode: UInt32) throws(Errno) {
        // fchmod(2) refuses O_PATH descriptors, the kernel's own path to one doesn't.
        try check(unsafe chmod("/proc/self/fd/\(raw)", mode))
    }
    package borrowing func sync() throws(Errno) { try check(fsync(raw)) }

    private borrowing func check(_ result: Int32) throws(Errno) { if result != 0 { throw .last } }
}

/// Whether every byte is zero. Runs at the speed of memory.
package func holdsOnlyZeros(_ bytes: Span<UInt8>) -> Bool {
    guard bytes.count > 0, bytes[0] == 0 else { return bytes.count == 0 }
    // All equal to their successor, and the first is zero.
    return unsafe bytes.withUnsafeBufferPointer { unsafe memcmp($0.baseAddress!, $0.baseAddress! + 1, $0.count - 1) == 0 }
}

/// Processors this process may run on.
package var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

/// Blocks the calling thread for `duration`.
package func pause(for duration: Duration) {
    let (seconds, attoseconds) = duration.components
    var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    var rest = timespec()
    while unsafe nanosleep(&time, &rest) != 0, errno == EINTR { time = rest }
}
