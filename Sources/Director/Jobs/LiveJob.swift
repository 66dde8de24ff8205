// A job from the moment it is queued until its row is closed: the state that consoles look at and others poke.

package import Platform
import Wire

/// One queued or running job.
///
/// | who                       | may                                                        |
/// |---------------------------|------------------------------------------------------------|
/// | the queue                 | set waiting states, start it, end it                       |
/// | the job's own tasks       | set everything about progress, attach and detach channels  |
/// | consoles                  | look, and ask for cancellation                             |
///
/// Cancelling sets a flag, tells the daemons (the job's engine registers how), and after a grace interrupts the channels.
package final class LiveJob: Sendable {
    package let jobID: JobID
    package let uniqueName: String
    package let plan: JobPlan
    package let scheduled: WallTime

    struct State {
        var status: JobStatus
        var level: JobLevel
        var storage: String
        var pool: String
        var started: WallTime?
        var ended: WallTime?
        var files: Int64 = 0
        var bytes: Int64 = 0
        var readBytes: Int64 = 0
        var errors: Int64 = 0
        var filesExpected: Int64?
        var bytesExpected: Int64?
        var volume = ""
        var reason = ""
        /// Since when it waits for a volume, a mount or a device.
        var blockedSince: WallTime?
        var rate = RateMeter()
        /// Why the job is being ended early; nil while it isn't.
        var cancelReason: String?
        /// What ends the job's blocked calls. `atOnce`: nothing is lost by ending it (a connection in the making); the
        /// others end when the daemons had their time to stop by themselves.
        var interrupters: [Int: (atOnce: Bool, call: @Sendable () -> Void)] = [:]
        var nextInterrupter = 0
        /// Called once when the job is cancelled, to tell the daemons.
        var onCancel: (@Sendable () -> Void)?
        var task: Task<Void, Never>?
    }
    let state: Monitor<State>

    init(jobID: JobID, uniqueName: String, plan: JobPlan, scheduled: WallTime) {
        self.jobID = jobID
        self.uniqueName = uniqueName
        self.plan = plan
        self.scheduled = scheduled
        state = Monitor(
            State(
                status: .created, level: plan.level, storage: plan.storages.first?.name ?? "",
                pool: plan.pool(for: plan.level)?.name ?? ""))
    }

    package var isCancelled: Bool { state.read { $0.cancelReason != nil } }
    var cancelReason: String? { state.read { $0.cancelReason } }
    var status: JobStatus { state.read { $0.status } }
    func set(_ status: JobStatus, reason: String = "") {
        state.withLock { state in
            guard !state.status.isFinal else { return }
            state.status = status
            state.reason = reason
            switch status {
            case .waitingForMedia, .waitingForMount, .waitingForDevice: state.blockedSince = state.blockedSince ?? .now
            default: state.blockedSince = nil
            }
        }
    }

    /// Takes the client's Progress or the storage daemon's counters over. Numbers never go back.
    func progress(files: Int64, bytes: Int64, at now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            state.files = max(state.files, files)
            state.bytes = max(state.bytes, bytes)
            state.rate.note(bytes: state.bytes, at: now)
        }
    }

    /// Keeps `call` where a cancellation finds it, until `detach`.
    func attach(atOnce: Bool = false, _ call: @escaping @Sendable () -> Void) -> Int {
        let (key, isLate) = state.withLock { state in
            state.nextInterrupter += 1
            state.interrupters[state.nextInterrupter] = (atOnce, call)
            return (state.nextInterrupter, atOnce && state.cancelReason != nil)
        }
        if isLate { call() }
        return key
    }
    func attach(_ channel: MessageChannel) -> Int { attach { channel.interrupt() } }
    func detach(_ key: Int) { state.withLock { $0.interrupters[key] = nil } }

    /// Asks the job to end early. The first reason stays.
    /// - Returns: whether this was the first request.
    @discardableResult
    func cancel(_ reason: String) -> Bool {
        let order: (@Sendable () -> Void)?? = state.withLock { state in
            guard state.cancelReason == nil, !state.status.isFinal else { return nil }
            state.cancelReason = reason
            return .some(state.onCancel)
        }
        guard let order else { return false }
        interrupt(all: false)
        order?()
        return true
    }

    /// Makes blocked calls of the job throw: those that may be ended at once, or all.
    func interrupt(all: Bool) {
        for interrupter in state.read({ Array($0.interrupters.values) }) where all || interrupter.atOnce { interrupter.call() }
    }

    package var snapshot: RunningJob {
        let plan = plan
        return state.read { state in
            RunningJob(
                jobID: jobID, uniqueName: uniqueName, name: plan.job.name, type: plan.type, level: state.level,
                status: state.status, priority: plan.priority, client: plan.client?.name ?? "", storage: state.storage,
                pool: state.pool, fileSet: plan.fileSet?.name ?? "", scheduled: scheduled, started: state.started,
                ended: state.ended, files: state.files, bytes: state.bytes, errors: state.errors,
                rate: state.ended == nil ? state.rate.bytesPerSecond : 0, filesExpected: state.filesExpected,
                bytesExpected: state.bytesExpected, volume: state.volume, reason: state.reason,
                cancelRequested: state.cancelReason != nil)
        }
    }
}

/// Bytes per second over the last few reports.
struct RateMeter: Sendable {
    private var samples: [(at: ContinuousClock.Instant, bytes: Int64)] = []

    mutating func note(bytes: Int64, at now: ContinuousClock.Instant) {
        samples.append((now, bytes))
        // Ten seconds of history smooths the daemons' rhythm; 32 samples bound a client that reports all the time.
        while samples.count > 2, samples.count > 32 || samples[0].at.advanced(by: .seconds(10)) < now { samples.removeFirst() }
    }

    var bytesPerSecond: Int64 {
        guard let first = samples.first, let last = samples.last, samples.count > 1 else { return 0 }
        let (seconds, attoseconds) = first.at.duration(to: last.at).components
        let elapsed = Double(seconds) + Double(attoseconds) / 1e18
        return elapsed > 0.001 ? Int64(Double(last.bytes - first.bytes) / elapsed) : 0
    }
}
