// Ports on the loopback interface for sites that are made on the spot.

import Glibc

package enum LoopbackPort {
    /// A TCP port on 127.0.0.1 that nobody listened on a moment ago.
    ///
    /// Somebody may take it before the caller does; a daemon that is then refused says so at its start.
    package static func free() throws(SystemError) -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket", "127.0.0.1", errno: errno) }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            // Every socket address begins with the fields of sockaddr; the length says how much more there is.
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(descriptor, generic, length) != 0 || getsockname(descriptor, generic, &length) != 0
            }
        }
        guard !failed else { throw SystemError("bind", "127.0.0.1", errno: errno) }
        return UInt16(bigEndian: address.sin_port)
    }
}
