// A directory as an open descriptor: the only way our walkers and restorers name files.
//
// Names are relative to the descriptor, so a path's length is no limit and nobody can swap a directory for a link between
// two steps. Names are bytes; only NUL and `/` can't be in one.

import CSystem
import Glibc

/// An open directory. Shared by reference, because a walker and several readers use one at the same time; closed when the
/// last of them lets go.
package final class OpenDirectory: Sendable {
    package let descriptor: Int32
    private init(adopting descriptor: Int32) { self.descriptor = descriptor }
    deinit { close(descriptor) }

    /// Opens the directory at `path`, following links. A path longer than the kernel takes at once is opened in pieces.
    package static func open(_ path: [UInt8], followingLinks: Bool = true) throws(Errno) -> OpenDirectory {
        let pieceMax = 4000  // below PATH_MAX, 4096
        guard path.count > pieceMax else { return try descend(AT_FDCWD, path, followingLinks: followingLinks) }
        var current: OpenDirectory?
        var rest = path[...]
        while rest.count > pieceMax {
            guard let slash = rest.prefix(pieceMax).lastIndex(of: UInt8(ascii: "/")) else { throw Errno(code: ENAMETOOLONG) }
            let piece = Array(rest[..<slash])
            current = try descend(
                current?.descriptor ?? AT_FDCWD, piece.isEmpty ? [UInt8(ascii: "/")] : piece, followingLinks: true)
            rest = rest[slash...].drop { $0 == UInt8(ascii: "/") }
        }
        if rest.isEmpty, let current { return current }
        return try descend(current?.descriptor ?? AT_FDCWD, Array(rest), followingLinks: followingLinks)
    }

    private static func descend(_ base: Int32, _ path: [UInt8], followingLinks: Bool) throws(Errno) -> OpenDirectory {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | (followingLinks ? 0 : O_NOFOLLOW)
        let opened = unsafe withCPath(path) { unsafe openat(base, $0, flags) }
        guard opened >= 0 else { throw .last }
        return OpenDirectory(adopting: opened)
    }

    /// Opens the directory `name` in this one; a link there is ENOTDIR (or ELOOP), not followed.
    package func directory(_ name: [UInt8], keepingAccessTime: Bool = false) throws(Errno) -> OpenDirectory {
        if keepingAccessTime {
            let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | csystem_O_NOATIME
            let opened = unsafe withCPath(name) { unsafe openat(descriptor, $0, flags) }
            if opened >= 0 { return OpenDirectory(adopting: opened) }
            // Only the owner and root may ask for it.
            guard errno == EPERM else { throw .last }
        }
        return try Self.descend(descriptor, name, followingLinks: false)
    }

    /// Opens the directory that `name` is or leads to. Only where links are the operator's own.
    package func directoryFollowingLink(_ name: [UInt8]) throws(Errno) -> OpenDirectory {
        try Self.descend(descriptor, name, followingLinks: true)
    }

    /// Opens `path`, several components, beneath this directory: no link in it is followed and `..` can't lead out.
    /// - Throws: `.noSystemCall` on kernels without openat2(2); walk the components with `directory` then.
    package func directoryBeneath(_ path: [UInt8]) throws(Errno) -> OpenDirectory {
        let opened = unsafe withCPath(path) { unsafe csystem_openat_beneath(descriptor, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
        guard opened >= 0 else { throw .last }
        return OpenDirectory(adopting: opened)
    }

    /// The directory that holds this one now.
    package func parent() throws(Errno) -> OpenDirectory { try Self.descend(descriptor, Array("..".utf8), followingLinks: false) }

    /// Another handle of the same directory, with a reading position of its own.
    package func reopened() throws(Errno) -> OpenDirectory {
        try Self.descend(descriptor, [UInt8(ascii: ".")], followingLinks: false)
    }

    // MARK: - Looking

    package func metadata() throws(Errno) -> FileMetadata {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .last }
        return FileMetadata(status)
    }

    /// Of the entry `name` itself, not of what a link there points to.
    package func metadata(of name: [UInt8]) throws(Errno) -> FileMetadata {
        var status = stat()
        let failed = unsafe withCPath(name) { unsafe fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }
        guard failed == 0 else { throw .last }
        return FileMetadata(status)
    }

    /// All names but `.` and `..`, in the directory's own order, from its beginning.
    package func entries() throws(Errno) -> DirectoryEntries {
        lseek(descriptor, 0, SEEK_SET)
        var entries = DirectoryEntries()
        while true {
            // 64 KiB per call: some two thousand names, and the thread's stack has 512 KiB.
            let count = unsafe withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { buffer in
                let count = unsafe csystem_getdents(descriptor, buffer.baseAddress, buffer.count)
                if count > 0 { unsafe entries.append(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
                return count
            }
            if count == 0 { return entries }
            if count < 0, errno != EINTR { throw .last }
        }
    }

    /// The target of the symbolic link `name`, as bytes.
    package func linkTarget(_ name: [UInt8]) throws(Errno) -> [UInt8] {
        var capacity = 256
        while true {
            let target = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                let got = unsafe withCPath(name) {
                    unsafe readlinkat(
                        descriptor, $0, UnsafeMutableRawPointer(buffer.baseAddress!).assumingMemoryBound(to: CChar.self),
                        buffer.count)
                }
                count = max(got, 0)
                if got < 0 { capacity = 0 }
            }
            if capacity == 0 { throw .last }
            if target.count < capacity { return target }
            capacity *= 4
        }
    }

    /// Opens the file `name` for reading. Never blocks, whatever the entry has become; a link there is ELOOP.
    /// - Parameter keepingAccessTime: Leave the access time alone, where this process is allowed to ask for that.
    package func fileForReading(_ name: [UInt8], keepingAccessTime: Bool = false) throws(Errno) -> FileDescriptor {
        let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY
        if keepingAccessTime {
            let opened = unsafe withCPath(name) {
                unsafe openat(descriptor, $0, flags | csystem_O_NOATIME | O_CLOEXEC | O_NOFOLLOW)
            }
            if opened >= 0 { return FileDescriptor(adopting: opened) }
            guard errno == EPERM else { throw .last }
        }
        return try open(name, flags)
    }

    /// Makes the file `name`, which must not exist, and opens it for writing.
    package func newFile(_ name: [UInt8], mode: UInt32 = 0o600) throws(Errno) -> FileDescriptor {
        try open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY, mode: mode)
    }

    private func open(_ name: [UInt8], _ flags: Int32, mode: UInt32 = 0) throws(Errno) -> FileDescriptor {
        let opened = unsafe withCPath(name) { unsafe openat(descriptor, $0, flags | O_CLOEXEC | O_NOFOLLOW, mode) }
        guard opened >= 0 else { throw .last }
        return FileDescriptor(adopting: opened)
    }

    /// A handle of the entry `name` whatever its type, without opening what is behind it (O_PATH).
    package func handle(of name: [UInt8]) throws(Errno) -> FileDescriptor {
        try open(name, csystem_O_PATH)
    }

    // MARK: - Making

    package func makeDirectory(_ name: [UInt8], mode: UInt32) throws(Errno) {
        try check(unsafe withCPath(name) { unsafe mkdirat(descriptor, $0, mode) })
    }

    package func makeLink(_ name: [UInt8], target: [UInt8]) throws(Errno) {
        try check(unsafe withCPath(name) { name in unsafe withCPath(target) { unsafe symlinkat($0, descriptor, name) } })
    }

    /// A hard link `name` here to the entry `oldName` of `directory`; a symbolic link there is linked itself.
    package func makeHardLink(_ name: [UInt8], to oldName: [UInt8], in directory: OpenDirectory) throws(Errno) {
        try check(
            unsafe withCPath(name) { name in
                unsafe withCPath(oldName) { unsafe linkat(directory.descriptor, $0, descriptor, name, 0) }
            })
    }

    /// mknodat(2): FIFOs, sockets and devices; `mode` holds the type.
    package func makeNode(_ name: [UInt8], mode: UInt32, device: UInt64) throws(Errno) {
        try check(unsafe withCPath(name) { unsafe mknodat(descriptor, $0, mode, dev_t(device)) })
    }

    package func rename(_ name: [UInt8], to newName: [UInt8]) throws(Errno) {
        try check(unsafe withCPath(name) { old in unsafe withCPath(newName) { unsafe renameat(descriptor, old, descriptor, $0) } })
    }

    package func remove(_ name: [UInt8]) throws(Errno) { try check(unsafe withCPath(name) { unsafe unlinkat(descriptor, $0, 0) }) }
    package func removeDirectory(_ name: [UInt8]) throws(Errno) {
        try check(unsafe withCPath(name) { unsafe unlinkat(descriptor, $0, AT_REMOVEDIR) })
    }

    /// Removes the entry `name` with everything below it; links are removed, not followed.
    package func removeTree(_ name: [UInt8]) throws(Errno) {
        do { return try remove(name) } catch {
            guard error == .isDirectory || error == .notPermitted else { throw error }
        }
        var stack: [(directory: OpenDirectory, name: [UInt8], entries: DirectoryEntries, next: Int)] = []
        let top = try directory(name)
        stack.append((top, name, try top.entries(), 0))
        while var frame = stack.popLast() {
            guard frame.next < frame.entries.count else {
                try (stack.last?.directory ?? self).removeDirectory(frame.name)
                continue
            }
            let child = frame.entries.name(frame.next)
            frame.next += 1
            let isDirectory = frame.entries.kind(frame.next - 1) == .directory
            if !isDirectory {
                do throws(Errno) { try frame.directory.remove(child); stack.append(frame); continue } catch {
                    guard error == .isDirectory || error == .notPermitted else { throw error }
                }
            }
            let below = try frame.directory.directory(child)
            let entries = try below.entries()
            stack.append(frame)
            stack.append((below, child, entries, 0))
        }
    }

    // MARK: - Changing an entry without opening it

    package func setOwner(_ name: [UInt8], user: UInt32, group: UInt32) throws(Errno) {
        try check(unsafe withCPath(name) { unsafe fchownat(descriptor, $0, user, group, AT_SYMLINK_NOFOLLOW) })
    }

    package func setTimes(_ name: [UInt8], access: WallTime, modify: WallTime) throws(Errno) {
        let times = [access.kernelTime, modify.kernelTime]
        try check(unsafe withCPath(name) { unsafe utimensat(descriptor, $0, times, AT_SYMLINK_NOFOLLOW) })
    }

    package func setMode(_ mode: UInt32) throws(Errno) { try check(fchmod(descriptor, mode)) }
    package func setOwner(user: UInt32, group: UInt32) throws(Errno) { try check(fchown(descriptor, user, group)) }
    package func setTimes(access: WallTime, modify: WallTime) throws(Errno) {
        try check(unsafe futimens(descriptor, [access.kernelTime, modify.kernelTime]))
    }
    /// Makes creations, renames and removals in it last.
    package func sync() throws(Errno) { try check(fsync(descriptor)) }

    private func check(_ result: Int32) throws(Errno) { if result != 0 { throw .last } }
}

/// Calls `body` with `path` as a NUL-terminated string. `path` must hold no NUL.
func withCPath<R>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> R) -> R {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: path.count + 1) { buffer in
        unsafe path.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
        unsafe buffer[path.count] = 0
        return unsafe body(buffer.baseAddress!)
    }
}

/// The names of a directory, packed: a name costs its bytes and eight more, so a directory of a million files some 30 MB.
package struct DirectoryEntries: Sendable {
    private var names: [UInt8] = []
    private var records: [UInt64] = []  // offset << 24 | length << 8 | d_type

    package var count: Int { records.count }

    package func name(_ index: Int) -> [UInt8] {
        let record = records[index]
        let offset = Int(record >> 24)
        return Array(names[offset..<offset + Int(record >> 8 & 0xFFFF)])
    }

    /// What the directory itself says; `.unknown` on file systems that don't.
    package func kind(_ index: Int) -> FileMetadata.Kind { FileMetadata.kind(ofMode: UInt32(records[index] & 0xFF) << 12) }

    /// Puts the names in the order of their bytes.
    package mutating func sort() {
        let names = names
        records.sort { a, b in
            let x = Int(a >> 24), y = Int(b >> 24)
            return names[x..<x + Int(a >> 8 & 0xFFFF)].lexicographicallyPrecedes(names[y..<y + Int(b >> 8 & 0xFFFF)])
        }
    }

    /// Takes linux_dirent64 records over: inode 8, offset 8, record length 2, type 1, name and NUL.
    mutating func append(_ buffer: UnsafeRawBufferPointer) {
        var position = 0
        while position + 19 < buffer.count {
            let length = unsafe Int(buffer.loadUnaligned(fromByteOffset: position + 16, as: UInt16.self))
            let type = unsafe buffer[position + 18]
            let start = position + 19
            var end = start
            while end < buffer.count, unsafe buffer[end] != 0 { end += 1 }
            let size = end - start
            let dots =
                unsafe buffer[start] == UInt8(ascii: ".") && (size == 1 || size == 2 && buffer[start + 1] == UInt8(ascii: "."))
            if !dots {
                records.append(UInt64(names.count) << 24 | UInt64(size) << 8 | UInt64(type))
                unsafe names.append(contentsOf: buffer[start..<end])
            }
            position += length
        }
    }
}
