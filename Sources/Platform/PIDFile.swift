// The file that says which process is the daemon, held locked while it runs.

import Glibc

/// A pid file: created, locked and written by `init`, removed when released.
///
/// The lock, not the number in it, says whether the daemon runs: after a crash the file stays and the lock is gone.
package final class PIDFile: Sendable {
    private let path: String
    private let file: OpenFile

    /// - Throws: `EWOULDBLOCK` when another process holds the lock.
    package init(_ path: String) throws(SystemError) {
        let file = try OpenFile(path, O_RDWR | O_CREAT, mode: 0o644)
        guard flock(file.descriptor, LOCK_EX | LOCK_NB) == 0 else { throw SystemError("flock", path, errno: errno) }
        try file.truncate(to: 0)
        try file.write(Array("\(getpid())\n".utf8).span)
        self.path = path
        self.file = file
    }

    deinit { unsafe unlink(path) }
}
