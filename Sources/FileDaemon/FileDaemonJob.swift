// One conversation of a director, and the job it may carry.

import Platform
import Synchronization
import Wire

/// What the director has said about a job, gathered command by command.
///
/// `request` belongs to the conversation's own thread; the rest is for any thread.
final class FileDaemonJob: Sendable {
    /// What a finished or running job is, for status texts.
    struct Identity: Sendable, Hashable {
        var jobID = 0
        var uniqueName = ""
        /// Letters of bacula-wire 9.2.
        var type: Character = "B"
        var level: Character = " "
    }

    let identity = Mutex(Identity())
    let directorName: String
    let started = WallTime.now
    let progress = JobProgress()
    let bandwidth = BandwidthLimit()
    private struct Cancellation {
        var actions: [Int: @Sendable () -> Void] = [:]
        var next = 0
        var isDone = false
    }
    private let cancellation = Mutex(Cancellation())

    init(directorName: String) { self.directorName = directorName }

    /// Ends the job early, from any thread; it reports its end to its director itself.
    func cancel(_ reason: JobProgress.Stop) {
        progress.requestStop(reason)
        let actions = cancellation.withLock { state in
            state.isDone = true
            return Array(state.actions.values)
        }
        for action in actions { action() }
    }

    /// Runs `body`; cancelling the job while it runs calls `action`, at once if that has happened already.
    func withCancellation<R>(_ action: @escaping @Sendable () -> Void, _ body: () async throws -> R) async rethrows -> R {
        let (key, isDone) = cancellation.withLock { state in
            state.next += 1
            state.actions[state.next] = action
            return (state.next, state.isDone)
        }
        if isDone { action() }
        defer { cancellation.withLock { _ = $0.actions.removeValue(forKey: key) } }
        return try await body()
    }

    /// The job-status letter of an ended job.
    var endStatus: Character {
        switch progress.stopReason {
        case .cancelled: "A"
        case .stopped: "I"
        case .failed: "f"
        case .no: "T"
        }
    }
}

/// A job that has ended, for `status`.
struct EndedJob: Sendable {
    var identity: FileDaemonJob.Identity
    var files: Int64
    var bytes: Int64
    var errors: Int64
    var status: Character
    var ended: WallTime
}
