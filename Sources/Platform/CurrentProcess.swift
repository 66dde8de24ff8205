// This process: who it runs as, where its program is, and its launch into the background.

import CSystem
import Glibc

package enum CurrentProcess {
    package static var identifier: Int32 { getpid() }
    package static var userIdentifier: UInt32 { getuid() }

    /// Absolute path of the running program, from /proc/self/exe.
    package static var executable: String {
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            let length = unsafe buffer.withMemoryRebound(to: CChar.self) {
                unsafe readlink("/proc/self/exe", $0.baseAddress!, 4096)
            }
            count = max(0, length)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    package static var hostName: String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard unsafe gethostname(buffer.baseAddress!, buffer.count) == 0 else { return "localhost" }
            return unsafe String(cString: buffer.baseAddress!)
        }
    }

    /// Sends standard output and standard error to the end of a file, made (0640) where it is missing.
    package static func redirectOutput(to path: String) throws(SystemError) {
        let file = try OpenFile(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o640)
        for descriptor in [Int32(1), 2] where dup2(file.descriptor, descriptor) < 0 {
            throw SystemError("dup2", path, errno: errno)
        }
    }

    /// Starts this program again with `arguments`, in a session of its own, without a terminal, and waits until it has
    /// said that it is ready or has ended.
    ///
    /// Standard error stays, so that a child that fails at once can say why; the child lets go of it when it is ready
    /// only if it logs elsewhere.
    /// - Returns: nil when the child is ready, else its exit status.
    package static func launchInBackground(arguments: [String]) throws(SystemError) -> Int32? {
        var pipe: [Int32] = [0, 0]
        guard unsafe Glibc.pipe(&pipe) == 0 else { throw SystemError("pipe", "readiness", errno: errno) }
        defer { close(pipe[0]) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addclose(&actions, pipe[0])
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var empty = sigset_t()
        unsafe sigemptyset(&empty)
        unsafe posix_spawnattr_setsigmask(&attributes, &empty)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | 0x80 /* POSIX_SPAWN_SETSID */)

        unsafe setenv("APPLIANCE_READY_FD", String(pipe[1]), 1)
        defer { unsafe unsetenv("APPLIANCE_READY_FD") }
        let executable = self.executable
        var vector: [UnsafeMutablePointer<CChar>?] = unsafe ([executable] + arguments).map { unsafe strdup($0) }
        unsafe vector.append(nil)
        defer { unsafe vector.forEach { unsafe free($0) } }
        var child: pid_t = 0
        let failed = unsafe posix_spawn(&child, executable, &actions, &attributes, vector, environ)
        close(pipe[1])
        guard failed == 0 else { throw SystemError("posix_spawn", executable, errno: failed) }

        var byte: UInt8 = 0
        var count = 0
        repeat { count = unsafe read(pipe[0], &byte, 1) } while count < 0 && errno == EINTR
        if count == 1 { return nil }
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }
}
