// Reading whole small inputs with a bound: a configuration file, a variable of the environment.

import CSystem
import Glibc

/// The kernel's identity of an open file: the same for every path that leads to it.
package struct FileIdentity: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64
}

/// Inputs that are read whole, because they are known to be small, and never further than a bound.
package enum BoundedReading {
    /// Reads the file at `path`, at most `bytesMax` bytes.
    /// - Returns: The bytes and which file they came from; nil bytes when the file is longer than `bytesMax`.
    package static func file(_ path: String, bytesMax: Int) throws(SystemError) -> (
        bytes: [UInt8]?, identity: FileIdentity
    ) {
        let file = try OpenFile(path, O_RDONLY)
        var status = stat()
        guard unsafe fstat(file.descriptor, &status) == 0 else { throw SystemError("fstat", path, errno: errno) }
        let identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        if Int64(status.st_size) > Int64(bytesMax) { return (nil, identity) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            var span = buffer.mutableSpan
            let count = try file.read(into: &span)
            if count == 0 { return (bytes, identity) }
            bytes += buffer[..<count]
            if bytes.count > bytesMax { return (nil, identity) }
        }
    }
}
