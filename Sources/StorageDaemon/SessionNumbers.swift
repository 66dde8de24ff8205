// The pair (VolSessionId, VolSessionTime) that names a job's records on volumes for ever (bacula-wire 4.1).
//
// VolSessionTime is the daemon's start in seconds. The pair must never repeat, so the last one used is kept in
// `<working directory>/<name>.session`; a clock that was set back, or two starts within a second, get the next number.

import Platform
import Synchronization

/// Hands out session identities for one run of the daemon.
final class SessionNumbers: Sendable {
    /// VolSessionTime of this run.
    let time: UInt32
    private let next = Mutex<UInt32>(1)

    /// Takes a time that no earlier run has used and records it durably before it returns.
    init(workingDirectory: String, name: String, now: WallTime = .now) throws(SystemError) {
        let safeName = String(name.map { $0 == "/" || $0 == " " ? "_" : $0 })
        let path = "\(workingDirectory)/\(safeName).session"
        let last = try DurableText.read(path).flatMap { Self.parse($0) } ?? 0
        time = max(UInt32(truncatingIfNeeded: now.seconds), last &+ 1)
        try DurableText.replace(path, with: "appliance session-time \(time)\n")
    }

    /// The number in a state file; nil for anything damaged, which the clock then stands in for.
    static func parse(_ text: String) -> UInt32? {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard words.count == 3, words[0] == "appliance", words[1] == "session-time" else { return nil }
        return UInt32(words[2])
    }

    /// The next VolSessionId.
    func nextID() -> UInt32 {
        next.withLock { next in
            defer { next += 1 }
            return next
        }
    }
}
