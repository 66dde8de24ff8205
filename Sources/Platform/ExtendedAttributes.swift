// Extended attributes of files, links and nodes; see xattr(7).

import CSystem
import Glibc

/// Reads and writes the extended attributes of one file, named by an open directory and an entry in it, or by a descriptor.
///
/// The kernel has no *at calls for these before 6.13, so an entry is reached through /proc/self/fd, which resolves to the
/// directory itself whatever its path is now. Links are not followed.
package struct ExtendedAttributes: Sendable {
    private let path: [CChar]

    /// Of the entry `name` in `directory`.
    package init(of name: [UInt8], in directory: OpenDirectory) {
        var path: [CChar] = []
        path.reserveCapacity(32 + name.count)
        for byte in "/proc/self/fd/".utf8 { path.append(CChar(bitPattern: byte)) }
        for byte in String(directory.descriptor).utf8 { path.append(CChar(bitPattern: byte)) }
        path.append(CChar(bitPattern: UInt8(ascii: "/")))
        for byte in name { path.append(CChar(bitPattern: byte)) }
        path.append(0)
        self.path = path
    }

    /// Of an open directory itself.
    package init(of directory: OpenDirectory) { self.init(of: [UInt8(ascii: ".")], in: directory) }

    /// The names. Empty where there are none or the file system keeps none.
    package func names() throws(Errno) -> [[UInt8]] {
        var capacity = 0
        var list: [UInt8] = []
        // Nearly every file has none: ask with a small buffer first, which answers in one call.
        let first = unsafe withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { buffer in
            let count = unsafe csystem_llistxattr(path, buffer.baseAddress, buffer.count)
            if count > 0 { unsafe list.append(contentsOf: buffer[..<count]) }
            return count
        }
        if first < 0 {
            if errno == ENOTSUP || errno == ENODATA { return [] }
            guard errno == ERANGE else { throw .last }
            repeat {
                capacity = unsafe csystem_llistxattr(path, nil, 0)
                guard capacity >= 0 else { throw .last }
                var failed = false
                list = unsafe [UInt8](unsafeUninitializedCapacity: capacity + 1024) { buffer, count in
                    let got = unsafe csystem_llistxattr(path, buffer.baseAddress, buffer.count)
                    count = max(got, 0)
                    failed = got < 0
                }
                if !failed { break }
                guard errno == ERANGE else { throw .last }
            } while true
        }
        return list.split(separator: 0).map(Array.init)
    }

    /// The value of `name`; nil where there is none.
    package func value(_ name: [UInt8]) throws(Errno) -> [UInt8]? {
        var capacity = 256
        while true {
            var got = 0
            let value = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                got = unsafe withCPath(name) { unsafe csystem_lgetxattr(path, $0, buffer.baseAddress, buffer.count) }
                count = max(got, 0)
            }
            if got >= 0 { return value }
            if errno == ENODATA || errno == ENOTSUP { return nil }
            // 64 KiB is the kernel's limit of a value (XATTR_SIZE_MAX).
            guard errno == ERANGE, capacity < 65536 else { throw .last }
            capacity = 65536
        }
    }

    package func set(_ name: [UInt8], to value: [UInt8]) throws(Errno) {
        let failed = unsafe withCPath(name) { unsafe csystem_lsetxattr(path, $0, value, value.count) }
        if failed != 0 { throw .last }
    }

    package func remove(_ name: [UInt8]) throws(Errno) {
        if unsafe withCPath(name, { unsafe csystem_lremovexattr(path, $0) }) != 0, errno != ENODATA { throw .last }
    }
}

extension FileDescriptor {
    /// As `ExtendedAttributes.set`, on an open file.
    package borrowing func setExtendedAttribute(_ name: [UInt8], to value: [UInt8]) throws(Errno) {
        let failed = unsafe withCPath(name) { unsafe csystem_fsetxattr(raw, $0, value, value.count) }
        if failed != 0 { throw .last }
    }
}
