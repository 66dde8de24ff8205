// The queue of jobs: who waits, who runs, and for how long.

package import Configuration
import Logging
import Platform

/// All queued and running jobs of the director.
///
/// A task looks at the queue whenever something changes (and every second, for start times and limits), asks `admit` who
/// may start, and gives every started job a task of its own on the elastic executor.
package final class JobQueue: Sendable {
    /// What the queue asks of the rest of the director.
    struct Hooks: Sendable {
        /// Creates the Job row (status C) and returns its key and unique name.
        var create: @Sendable (JobPlan, WallTime) throws(DirectorError) -> (JobID, String)
        /// Runs the job to its very end, row closed and messages sent. Never throws: whatever happens is the job's result.
        var run: @Sendable (LiveJob) async -> Void
        /// Closes the row of a job that never started.
        var abandon: @Sendable (LiveJob, _ reason: String) -> Void
        /// The waiting state of a queued job changed: its row should say so.
        var waiting: @Sendable (LiveJob, JobStatus) -> Void
        var limits: @Sendable () -> ConcurrencyLimits
    }

    struct State {
        var waiting: [JobID: LiveJob] = [:]
        var running: [JobID: LiveJob] = [:]
        var claims: [JobID: ActiveJob] = [:]
        /// The last jobs that ended, newest last, for waits and listings.
        var ended: [RunningJob] = []
        var isClosed = false
        /// Grows with every change, so that the scheduling task knows whether to look.
        var changes = 0
    }

    let state = Monitor(State())
    private let hooks: Hooks
    private let logger: Logger
    /// Ended jobs that are remembered, so that `wait` finds what it waits for and status shows the latest.
    private let endedMax = 200

    init(hooks: Hooks, logger: Logger) {
        self.hooks = hooks
        self.logger = logger
    }

    // MARK: - For consoles

    /// Queues a job. Its row is in the catalog when this returns.
    /// - Throws: When a resource is missing, the rules for duplicates refuse it, or the catalog can't be written.
    package func submit(_ request: JobRequest, under configuration: Configuration) throws(DirectorError) -> JobID {
        let plan = try JobPlan(request, under: configuration)
        guard !state.read({ $0.isClosed }) else { throw DirectorError(.shuttingDown, "The director is shutting down.") }
        try applyDuplicateRules(plan)
        let scheduled = request.when ?? WallTime.now
        let (jobID, uniqueName) = try hooks.create(plan, scheduled)
        let job = LiveJob(jobID: jobID, uniqueName: uniqueName, plan: plan, scheduled: scheduled)
        state.withLock { state in
            state.waiting[jobID] = job
            state.changes += 1
        }
        logger.info("job queued", metadata: ["job": "\(jobID)", "name": "\(plan.job.name)", "origin": "\(request.origin)"])
        return jobID
    }

    /// Ends a queued job at once; asks a running one to end.
    package func cancel(_ jobID: JobID, reason: String) -> CancelOutcome {
        let (queued, running) = state.withLock { state -> (LiveJob?, LiveJob?) in
            state.changes += 1
            if let job = state.waiting.removeValue(forKey: jobID) { return (job, nil) }
            return (nil, state.running[jobID])
        }
        if let queued {
            queued.cancel(reason)
            hooks.abandon(queued, reason)
            remember(queued)
            return .dequeued
        }
        guard let running else { return .notActive }
        running.cancel(reason)
        return .requested
    }

    /// Queued and running jobs by JobId.
    package func snapshot() -> [RunningJob] {
        let jobs = state.read { Array($0.waiting.values) + Array($0.running.values) }
        return jobs.map(\.snapshot).sorted { $0.jobID < $1.jobID }
    }

    package func snapshot(of jobID: JobID) -> RunningJob? {
        let (job, ended) = state.read { state in
            (state.waiting[jobID] ?? state.running[jobID], state.ended.last { $0.jobID == jobID })
        }
        return job?.snapshot ?? ended
    }

    /// The jobs that ended since the director started, at most 200, newest last.
    package func ended() -> [RunningJob] { state.read { $0.ended } }

    /// Blocks until the job has ended and its row is closed.
    /// - Returns: How it ended; nil when the limit passed first, or at once when no such job is or was active since the start.
    package func wait(for jobID: JobID, atMost limit: Duration? = nil) -> RunningJob? {
        state.wait(atMost: limit) { state -> RunningJob?? in
            if let ended = state.ended.last(where: { $0.jobID == jobID }) { return .some(ended) }
            if state.waiting[jobID] == nil, state.running[jobID] == nil { return .some(nil) }
            return nil
        } ?? nil
    }

    /// Blocks until nothing is queued or running. - Returns: false when the limit passed first.
    package func waitUntilIdle(atMost limit: Duration? = nil) -> Bool {
        state.wait(atMost: limit) { state in state.waiting.isEmpty && state.running.isEmpty ? true : nil } ?? false
    }

    // MARK: - Scheduling

    /// Starts jobs until the task is cancelled.
    func schedule() async {
        var seen = -1
        while !Task.isCancelled {
            // Every second at least: start times come, limits pass.
            _ = state.wait(atMost: .seconds(1)) { state in state.changes != seen ? true : nil }
            seen = state.read { $0.changes }
            enforceLimits()
            startWhatMay()
        }
    }

    private func startWhatMay() {
        let limits = hooks.limits()
        let (waiting, running) = state.read { state in (Array(state.waiting.values), Array(state.claims.values)) }
        guard !waiting.isEmpty else { return }
        let decisions = admit(
            waiting: waiting.map { $0.plan.waiting(jobID: $0.jobID) }, running: running, limits: limits, now: .now)
        for job in waiting.sorted(by: { ($0.plan.priority, $0.jobID) < ($1.plan.priority, $1.jobID) }) {
            switch decisions[job.jobID] {
            case .start(let storage): start(job, storage: storage)
            case .wait(let status, let reason):
                let changed = job.status != status
                job.set(status, reason: reason)
                if changed { hooks.waiting(job, status) }
            case nil: break
            }
        }
    }

    private func start(_ job: LiveJob, storage: String?) {
        let plan = job.plan
        let started = state.withLock { state in
            guard !state.isClosed, state.waiting.removeValue(forKey: job.jobID) != nil else { return false }
            state.running[job.jobID] = job
            state.claims[job.jobID] = ActiveJob(
                jobID: job.jobID, name: plan.job.name, client: plan.client?.name, storage: storage,
                reads: plan.type == .restore || plan.type == .verify, priority: plan.priority,
                allowMixedPriority: plan.job.bool("AllowMixedPriority"))
            return true
        }
        guard started else { return }
        job.state.withLock { state in
            state.status = .running
            state.reason = ""
            state.started = .now
            if let storage { state.storage = storage }
        }
        let task = ElasticExecutor.shared.detach { [self] in
            await hooks.run(job)
            remember(job)
        }
        job.state.withLock { $0.task = task }
    }

    /// Moves a job to the ended ones; waiters wake.
    private func remember(_ job: LiveJob) {
        job.state.withLock { if $0.ended == nil { $0.ended = .now } }
        let snapshot = job.snapshot
        state.withLock { state in
            state.waiting[job.jobID] = nil
            state.running[job.jobID] = nil
            state.claims[job.jobID] = nil
            state.ended.append(snapshot)
            if state.ended.count > endedMax { state.ended.removeFirst(state.ended.count - endedMax) }
            state.changes += 1
        }
    }

    /// MaxStartDelay, MaxWaitTime, MaxRunSchedTime and MaxRunTime.
    private func enforceLimits() {
        let (waiting, running) = state.read { (Array($0.waiting.values), Array($0.running.values)) }
        let now = WallTime.now
        for job in waiting {
            let limits = JobTimeLimits(job.plan.job, level: job.plan.level)
            if let reason = limits.exceeded(scheduled: job.scheduled, started: nil, now: now) {
                _ = cancel(job.jobID, reason: reason)
            }
        }
        for job in running where !job.isCancelled {
            let (level, started, blocked) = job.state.read { ($0.level, $0.started, $0.blockedSince) }
            let limits = JobTimeLimits(job.plan.job, level: level)
            if let reason = limits.exceeded(scheduled: job.scheduled, started: started, blockedSince: blocked, now: now) {
                job.cancel(reason)
            }
        }
    }

    // MARK: - Ending

    /// Accepts nothing new and drops what is queued.
    func close(reason: String) {
        let queued = state.withLock { state in
            state.isClosed = true
            let queued = Array(state.waiting.values)
            state.waiting = [:]
            state.changes += 1
            return queued
        }
        for job in queued {
            job.cancel(reason)
            hooks.abandon(job, reason)
            remember(job)
        }
    }

    /// Asks every running job to end.
    func cancelRunning(reason: String) {
        for job in state.read({ Array($0.running.values) }) { job.cancel(reason) }
    }

    func interruptRunning() {
        for job in state.read({ Array($0.running.values) }) {
            job.interrupt(all: true)
        }
    }

    // MARK: - Duplicates

    private func applyDuplicateRules(_ plan: JobPlan) throws(DirectorError) {
        let others = state.read { state in
            (Array(state.waiting.values).map { ($0, false) } + Array(state.running.values).map { ($0, true) })
                .filter { $0.0.plan.job.name == plan.job.name }
        }
        let verdict = judgeDuplicates(
            of: plan.level, rules: DuplicateRules(plan.job),
            others: others.map { (job, running) in (jobID: job.jobID, level: job.snapshot.level, isRunning: running) })
        switch verdict {
        case .allow: return
        case .cancel(let others, let reason):
            for other in others { _ = cancel(other, reason: reason) }
        case .refuse(let other):
            throw DirectorError(
                .badRequest, "Job \"\(plan.job.name)\" is already active as JobId \(other) and may not run twice.",
                remedy: "Wait for it or cancel it; Allow Duplicate Jobs decides.")
        }
    }
}
