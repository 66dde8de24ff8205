// Which of the waiting jobs may start now. Pure: the queue asks, the tests are tables.

package import Platform

/// A waiting job, as far as the decision needs to know it.
package struct WaitingJob: Sendable {
    package var jobID: JobID
    package var name: String
    /// nil for jobs that use no client or no storage: Admin.
    package var client: String?
    /// Candidates in the order they are tried.
    package var storages: [String]
    /// Restores and verifies from volumes read; they also count against MaximumConcurrentReadJobs.
    package var reads: Bool
    package var priority: Int
    package var allowMixedPriority: Bool
    package var notBefore: WallTime
    package init(
        jobID: JobID, name: String, client: String? = nil, storages: [String] = [], reads: Bool = false, priority: Int = 10,
        allowMixedPriority: Bool = false, notBefore: WallTime = WallTime(seconds: 0)
    ) {
        self.jobID = jobID
        self.name = name
        self.client = client
        self.storages = storages
        self.reads = reads
        self.priority = priority
        self.allowMixedPriority = allowMixedPriority
        self.notBefore = notBefore
    }
}

/// The limits of a configuration. A name without an entry has the limit 1; a limit of 0 means none.
package struct ConcurrencyLimits: Sendable {
    package var director = 20
    package var jobs: [String: Int] = [:]
    package var clients: [String: Int] = [:]
    package var storages: [String: Int] = [:]
    /// Of a storage's jobs, at most so many reading; no entry or 0: no limit of their own.
    package var storageReads: [String: Int] = [:]
    package init() {}
}

/// A running job's claims.
package struct ActiveJob: Sendable {
    package var jobID: JobID
    package var name: String
    package var client: String?
    package var storage: String?
    package var reads: Bool
    package var priority: Int
    package var allowMixedPriority: Bool
    package init(
        jobID: JobID, name: String, client: String? = nil, storage: String? = nil, reads: Bool = false, priority: Int = 10,
        allowMixedPriority: Bool = false
    ) {
        self.jobID = jobID
        self.name = name
        self.client = client
        self.storage = storage
        self.reads = reads
        self.priority = priority
        self.allowMixedPriority = allowMixedPriority
    }
}

/// The answer for one waiting job.
package enum AdmissionDecision: Sendable, Equatable {
    /// It may start, with this storage (nil where it needs none).
    case start(storage: String?)
    /// It waits: the status letter to show, and why in words.
    case wait(JobStatus, reason: String)
}

/// Decides for every waiting job, most urgent first.
///
/// A job waits while a more urgent one (a smaller number) runs, and while a less urgent one runs, unless both allow mixed
/// priorities; as at Bacula, a waiting job that is more urgent also holds the less urgent ones back, so that it can't starve.
/// A storage is free when it has a job slot left; the first free candidate is taken.
///
/// - Returns: One decision per waiting job. Jobs that may start count at once against the limits for those after them.
package func admit(
    waiting: [WaitingJob], running: [ActiveJob], limits: ConcurrencyLimits, now: WallTime
) -> [JobID: AdmissionDecision] {
    var running = running
    var decisions: [JobID: AdmissionDecision] = [:]
    /// The most urgent job that is due and had to wait for a slot; it blocks everything less urgent.
    var heldPriority: Int?
    func limit(_ table: [String: Int], _ name: String) -> Int {
        let limit = table[name] ?? 1
        return limit <= 0 ? Int.max : limit
    }
    func decide(_ job: WaitingJob) -> AdmissionDecision {
        guard job.notBefore <= now else {
            return .wait(.waitingForStartTime, reason: "it is to start at \(job.notBefore.localText)")
        }
        if let held = heldPriority, held < job.priority, !job.allowMixedPriority {
            return .wait(.waitingForPriority, reason: "a job with priority \(held) waits before it")
        }
        if let other = running.first(where: { $0.priority != job.priority && !($0.allowMixedPriority && job.allowMixedPriority) }) {
            return .wait(
                .waitingForPriority, reason: "job \(other.jobID) (\(other.name)) with priority \(other.priority) is running")
        }
        let directorLimit = limits.director <= 0 ? Int.max : limits.director
        if running.count >= directorLimit {
            return .wait(.waitingForMaximumJobs, reason: "the director has \(running.count) of \(directorLimit) jobs")
        }
        let same = running.count { $0.name == job.name }
        if same >= limit(limits.jobs, job.name) {
            return .wait(.waitingForJob, reason: "job \"\(job.name)\" runs \(same) of \(limit(limits.jobs, job.name)) times")
        }
        if let client = job.client {
            let used = running.count { $0.client == client }
            if used >= limit(limits.clients, client) {
                return .wait(
                    .waitingForClientSlot, reason: "client \"\(client)\" has \(used) of \(limit(limits.clients, client)) jobs")
            }
        }
        guard !job.storages.isEmpty else { return .start(storage: nil) }
        var reasons: [String] = []
        for storage in job.storages {
            let used = running.count { $0.storage == storage }
            if used >= limit(limits.storages, storage) {
                reasons.append("storage \"\(storage)\" has \(used) of \(limit(limits.storages, storage)) jobs")
                continue
            }
            if job.reads, let readLimit = limits.storageReads[storage], readLimit > 0 {
                let reading = running.count { $0.storage == storage && $0.reads }
                if reading >= readLimit {
                    reasons.append("storage \"\(storage)\" has \(reading) of \(readLimit) reading jobs")
                    continue
                }
            }
            return .start(storage: storage)
        }
        return .wait(.waitingForStorage, reason: reasons.joined(separator: ", "))
    }
    for job in waiting.sorted(by: { ($0.priority, $0.notBefore, $0.jobID) < ($1.priority, $1.notBefore, $1.jobID) }) {
        let decision = decide(job)
        decisions[job.jobID] = decision
        switch decision {
        case .start(let storage):
            running.append(
                ActiveJob(
                    jobID: job.jobID, name: job.name, client: job.client, storage: storage, reads: job.reads,
                    priority: job.priority, allowMixedPriority: job.allowMixedPriority))
        case .wait(let status, _):
            if status != .waitingForStartTime { heldPriority = min(heldPriority ?? .max, job.priority) }
        }
    }
    return decisions
}
