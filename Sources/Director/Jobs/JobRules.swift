// The rules of a Job resource about time and duplicates. Pure.

package import Configuration
package import Platform

/// What a Job resource says about a second job of its name.
package struct DuplicateRules: Sendable {
    package var allowsDuplicates = true
    package var allowsHigher = true
    package var cancelsLower = false
    package var cancelsQueued = false
    package var cancelsRunning = false
    package init() {}
    package init(_ job: Resource) {
        allowsDuplicates = job.bool("AllowDuplicateJobs")
        allowsHigher = job.bool("AllowHigherDuplicates")
        cancelsLower = job.bool("CancelLowerLevelDuplicates")
        cancelsQueued = job.bool("CancelQueuedDuplicates")
        cancelsRunning = job.bool("CancelRunningDuplicates")
    }
}

package enum DuplicateVerdict: Sendable, Equatable {
    case allow
    /// Queue the new job after cancelling these.
    case cancel([JobID], reason: String)
    /// The new job is refused because of this one.
    case refuse(JobID)
}

/// Judges a new job beside the active ones of the same name.
package func judgeDuplicates(
    of level: JobLevel, rules: DuplicateRules, others: [(jobID: JobID, level: JobLevel, isRunning: Bool)]
) -> DuplicateVerdict {
    guard !rules.allowsDuplicates, !others.isEmpty else { return .allow }
    func rank(_ level: JobLevel) -> Int {
        switch level {
        case .full, .virtualFull: 3
        case .differential: 2
        default: 1
        }
    }
    var doomed: [JobID] = []
    for other in others.sorted(by: { $0.jobID < $1.jobID }) {
        if rules.cancelsLower, rank(other.level) < rank(level) {
            doomed.append(other.jobID)
        } else if other.isRunning ? rules.cancelsRunning : rules.cancelsQueued {
            doomed.append(other.jobID)
        } else {
            return .refuse(other.jobID)
        }
    }
    return .cancel(doomed, reason: "a newer job of the same name replaces it")
}

extension JobTimeLimits {
    /// The limits of a Job resource at a level.
    package init(_ job: Resource, level: JobLevel) {
        self.init()
        maxStartDelay = job.time("MaxStartDelay")
        maxWait = job.time("MaxWaitTime")
        maxRunFromSchedule = job.time("MaxRunSchedTime")
        maxRun = job.time("MaxRunTime")
        let prefix: String? =
            switch level {
            case .full: "Full"
            case .incremental: "Incremental"
            case .differential: "Differential"
            default: nil
            }
        if let prefix, job.isGiven("\(prefix)MaxRunTime") { maxRun = job.time("\(prefix)MaxRunTime") }
    }
}

/// Time limits; zero is none.
package struct JobTimeLimits: Sendable {
    package var maxStartDelay: Duration = .zero
    package var maxWait: Duration = .zero
    package var maxRunFromSchedule: Duration = .zero
    package var maxRun: Duration = .zero
    package init() {}

    /// The limit that a job has passed, in words; nil while it keeps within all of them.
    /// - Parameter blockedSince: Since when a running job waits for a volume, a mount or a device.
    package func exceeded(
        scheduled: WallTime, started: WallTime?, blockedSince: WallTime? = nil, now: WallTime
    ) -> String? {
        func passed(_ limit: Duration, since: WallTime) -> Bool {
            limit > .zero && Duration.nanoseconds(now.nanoseconds - since.nanoseconds) > limit
        }
        if let started {
            if passed(maxRun, since: started) { return "it ran longer than Max Run Time" }
            if let blockedSince, passed(maxWait, since: blockedSince) { return "it waited for storage longer than Max Wait Time" }
        } else if passed(maxStartDelay, since: scheduled) {
            return "it could not start within Max Start Delay"
        }
        if passed(maxRunFromSchedule, since: scheduled) { return "it ran past Max Run Sched Time" }
        return nil
    }
}
