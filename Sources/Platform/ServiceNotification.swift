// Telling whoever started us that we are ready: systemd's notification socket, or our own parent's pipe.

import Glibc

/// Sends state to the service manager (sd_notify(3): a datagram of `KEY=value` lines to $NOTIFY_SOCKET), and to the
/// process that launched this one into the background (a byte on the descriptor in $APPLIANCE_READY_FD).
package enum ServiceNotification {
    package static func ready(status: String) {
        send("READY=1\nSTATUS=\(status)")
        if let text = CurrentProcess.environment("APPLIANCE_READY_FD"), let descriptor = Int32(text) {
            _ = unsafe write(descriptor, "+", 1)
            close(descriptor)
            unsafe unsetenv("APPLIANCE_READY_FD")
        }
    }

    package static func stopping() { send("STOPPING=1\nSTATUS=Finishing the running jobs.") }

    package static func status(_ text: String) { send("STATUS=\(text)") }

    /// Without a manager this does nothing; a manager that doesn't listen is not our trouble either.
    private static func send(_ message: String) {
        guard let path = CurrentProcess.environment("NOTIFY_SOCKET"), !path.isEmpty else { return }
        var address = sockaddr_un()
        var name = Array(path.utf8)
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }  // the abstract name space is written with an @
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + name.count)
        let bytes = Array(message.utf8)
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = unsafe sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), generic, length)
            }
        }
    }
}
