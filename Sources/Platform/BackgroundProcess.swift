// A program that runs beside this one until it is told to end: the demonstration's daemons, and the tests'.

import CSystem
import Glibc

/// A child process with its output in a file. Released while it runs, it is killed: nothing is left behind.
package final class BackgroundProcess: Sendable {
    package let identifier: Int32
    package let program: String
    /// How it ended, once it has: wait(2)'s status. One waiter at a time reaps it.
    private let status = Monitor<Int32?>(nil)
    private let isLetGo = Monitor(false)

    /// Starts `arguments` (an absolute path first) in a session of its own, standard output and error to `logPath`.
    package init(_ arguments: [String], logPath: String, environment: [String: String] = [:]) throws(SystemError) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var empty = sigset_t()
        unsafe sigemptyset(&empty)
        unsafe posix_spawnattr_setsigmask(&attributes, &empty)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | 0x80 /* POSIX_SPAWN_SETSID */)

        var variables: [String] = []
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            let variable = unsafe String(cString: text)
            if !environment.keys.contains(where: { variable.hasPrefix($0 + "=") }) { variables.append(variable) }
            unsafe entry += 1
        }
        variables += environment.map { "\($0.key)=\($0.value)" }
        var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        var settings: [UnsafeMutablePointer<CChar>?] = unsafe variables.map { unsafe strdup($0) }
        unsafe words.append(nil)
        unsafe settings.append(nil)
        defer {
            unsafe words.forEach { unsafe free($0) }
            unsafe settings.forEach { unsafe free($0) }
        }
        var child: pid_t = 0
        let failed = unsafe posix_spawn(&child, arguments[0], &actions, &attributes, words, settings)
        guard failed == 0 else { throw SystemError("posix_spawn", arguments[0], errno: failed) }
        identifier = child
        program = arguments[0]
    }

    deinit {
        guard hasEnded == false, !isLetGo.read({ $0 }) else { return }
        kill(identifier, SIGKILL)
        var status: Int32 = 0
        while unsafe waitpid(identifier, &status, 0) < 0, errno == EINTR {}
    }

    /// Lets it run on after this value is gone.
    package func letGo() { isLetGo.withLock { $0 = true } }

    /// Whether it has ended, reaping it if it just did.
    package var hasEnded: Bool {
        status.withLock { known in
            if known != nil { return true }
            var status: Int32 = 0
            guard unsafe waitpid(identifier, &status, WNOHANG) == identifier else { return false }
            known = status
            return true
        }
    }

    /// Sends a signal, unless it has ended.
    package func send(_ signal: Int32) {
        if !hasEnded { kill(identifier, signal) }
    }

    /// Blocks until it has ended.
    /// - Returns: The exit status, 128 + n where signal n ended it; nil when `limit` passed first.
    package func waitForEnd(atMost limit: Duration) -> Int32? {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        while !hasEnded {
            guard clock.now < deadline else { return nil }
            usleep(10_000)
        }
        let status = status.read { $0 } ?? 0
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    /// SIGTERM, then SIGKILL when `grace` has passed.
    @discardableResult
    package func end(grace: Duration = .seconds(20)) -> Int32 {
        send(SIGTERM)
        if let status = waitForEnd(atMost: grace) { return status }
        send(SIGKILL)
        return waitForEnd(atMost: .seconds(10)) ?? 137
    }

    /// Peak resident memory in bytes so far, from /proc; nil once it has ended.
    package var peakMemory: Int64? { memory("VmHWM") }
    /// Resident memory in bytes now; nil once it has ended.
    package var residentMemory: Int64? { memory("VmRSS") }

    private func memory(_ field: String) -> Int64? {
        guard let text = try? OpenFile("/proc/\(identifier)/status", O_RDONLY).readAll(limit: 1 << 16) else { return nil }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.hasPrefix(field + ":") {
            return line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int64($0) }.map { $0 << 10 }
        }
        return nil
    }
}
