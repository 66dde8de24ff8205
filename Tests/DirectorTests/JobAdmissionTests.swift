import Platform
import Testing

@testable import Director

@Suite struct JobAdmissionTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var waiting: [WaitingJob]
        var running: [ActiveJob] = []
        var limits: ConcurrencyLimits
        /// `2:start@A` or `2:p`
        var expected: [String]
        var testDescription: String { name }
    }

    static func limits(
        director: Int = 20, jobs: [String: Int] = [:], clients: [String: Int] = ["c": 10], storages: [String: Int] = ["A": 10],
        reads: [String: Int] = [:]
    ) -> ConcurrencyLimits {
        var limits = ConcurrencyLimits()
        limits.director = director
        limits.jobs = jobs
        limits.clients = clients
        limits.storages = storages
        limits.storageReads = reads
        return limits
    }

    static func job(
        _ id: JobID, _ name: String = "", storages: [String] = ["A"], priority: Int = 10, mixed: Bool = false, reads: Bool = false,
        at: Int64 = 0
    )
        -> WaitingJob
    {
        WaitingJob(
            jobID: id, name: name.isEmpty ? "job\(id)" : name, client: "c", storages: storages, reads: reads, priority: priority,
            allowMixedPriority: mixed, notBefore: WallTime(seconds: at))
    }

    static func active(
        _ id: JobID, _ name: String = "", storage: String? = "A", priority: Int = 10, mixed: Bool = false, reads: Bool = false
    ) -> ActiveJob {
        ActiveJob(
            jobID: id, name: name.isEmpty ? "job\(id)" : name, client: "c", storage: storage, reads: reads, priority: priority,
            allowMixedPriority: mixed)
    }

    static let rows: [Row] = [
        Row(name: "a lone job starts", waiting: [job(1)], limits: limits(), expected: ["1:start@A"]),
        Row(
            name: "equal priorities run side by side", waiting: [job(2), job(3)], running: [active(1)], limits: limits(),
            expected: ["2:start@A", "3:start@A"]),
        Row(
            name: "a job waits for more urgent ones that run", waiting: [job(2, priority: 11)], running: [active(1)],
            limits: limits(), expected: ["2:p"]),
        Row(
            name: "an urgent job waits for less urgent ones that run", waiting: [job(2, priority: 5)], running: [active(1)],
            limits: limits(), expected: ["2:p"]),
        Row(
            name: "priorities mix where both jobs allow it", waiting: [job(2, priority: 5, mixed: true)],
            running: [active(1, mixed: true)],
            limits: limits(), expected: ["2:start@A"]),
        Row(
            name: "one job's consent to mix is not enough", waiting: [job(2, priority: 5, mixed: true)], running: [active(1)],
            limits: limits(), expected: ["2:p"]),
        Row(
            name: "a waiting urgent job holds back the less urgent", waiting: [job(2, priority: 5), job(3, priority: 10)],
            running: [active(1)], limits: limits(), expected: ["2:p", "3:p"]),
        Row(name: "the director's limit", waiting: [job(2)], running: [active(1)], limits: limits(director: 1), expected: ["2:d"]),
        Row(name: "a job's own limit is 1", waiting: [job(2, "x")], running: [active(1, "x")], limits: limits(), expected: ["2:j"]),
        Row(
            name: "a job's own limit of 2", waiting: [job(2, "x"), job(3, "x")], running: [active(1, "x")],
            limits: limits(jobs: ["x": 2]), expected: ["2:start@A", "3:j"]),
        Row(
            name: "the client's limit", waiting: [job(2)], running: [active(1)], limits: limits(clients: ["c": 1]),
            expected: ["2:c"]),
        Row(
            name: "the storage's limit", waiting: [job(2)], running: [active(1)], limits: limits(storages: ["A": 1]),
            expected: ["2:s"]),
        Row(
            name: "the next storage is taken when the first is full", waiting: [job(2, storages: ["A", "B"])], running: [active(1)],
            limits: limits(storages: ["A": 1, "B": 1]), expected: ["2:start@B"]),
        Row(
            name: "reading jobs have a limit of their own", waiting: [job(2, reads: true), job(3)],
            running: [active(1, reads: true)],
            limits: limits(reads: ["A": 1]), expected: ["2:s", "3:start@A"]),
        Row(name: "a start time is waited for", waiting: [job(1, at: 2000)], limits: limits(), expected: ["1:t"]),
        Row(
            name: "a job that waits for its time holds nobody back", waiting: [job(1, priority: 1, at: 2000), job(2)],
            limits: limits(),
            expected: ["1:t", "2:start@A"]),
        Row(
            name: "jobs without storage need no slot", waiting: [WaitingJob(jobID: 1, name: "admin")],
            limits: limits(storages: [:]),
            expected: ["1:start@-"]),
        Row(
            name: "a limit of 0 is none", waiting: [job(2)], running: [active(1)],
            limits: limits(clients: ["c": 0], storages: ["A": 0]), expected: ["2:start@A"]),
        Row(
            name: "jobs that start together count against each other", waiting: [job(1), job(2), job(3)],
            limits: limits(director: 2),
            expected: ["1:start@A", "2:start@A", "3:d"]),
    ]

    @Test("Waiting jobs start or wait by priority, limits and time", arguments: rows)
    func decisions(row: Row) {
        let decisions = admit(waiting: row.waiting, running: row.running, limits: row.limits, now: WallTime(seconds: 1000))
        let shown = row.waiting.map { job in
            switch decisions[job.jobID] {
            case .start(let storage)?: "\(job.jobID):start@\(storage ?? "-")"
            case .wait(let status, _)?: "\(job.jobID):\(status.rawValue)"
            case nil: "\(job.jobID):?"
            }
        }
        #expect(shown == row.expected)
    }
}

@Suite struct JobRulesTests {
    @Test("Duplicates are allowed unless the job says no")
    func allowed() {
        #expect(judgeDuplicates(of: .full, rules: DuplicateRules(), others: [(1, .full, true)]) == .allow)
    }

    @Test("A duplicate is refused where nothing may be cancelled")
    func refused() {
        var rules = DuplicateRules()
        rules.allowsDuplicates = false
        #expect(judgeDuplicates(of: .full, rules: rules, others: [(7, .full, true)]) == .refuse(7))
        #expect(judgeDuplicates(of: .full, rules: rules, others: []) == .allow)
    }

    @Test("A waiting duplicate is cancelled where the job says so, a running one is not")
    func cancelsQueued() {
        var rules = DuplicateRules()
        rules.allowsDuplicates = false
        rules.cancelsQueued = true
        guard case .cancel(let jobs, _) = judgeDuplicates(of: .full, rules: rules, others: [(7, .full, false)]) else {
            Issue.record("not cancelled")
            return
        }
        #expect(jobs == [7])
        #expect(judgeDuplicates(of: .full, rules: rules, others: [(7, .full, false), (8, .full, true)]) == .refuse(8))
    }

    @Test("A Full replaces duplicates of lower level where the job says so")
    func cancelsLower() {
        var rules = DuplicateRules()
        rules.allowsDuplicates = false
        rules.cancelsLower = true
        guard case .cancel(let jobs, _) = judgeDuplicates(of: .full, rules: rules, others: [(7, .incremental, true)]) else {
            Issue.record("not cancelled")
            return
        }
        #expect(jobs == [7])
        #expect(judgeDuplicates(of: .incremental, rules: rules, others: [(7, .full, true)]) == .refuse(7))
    }

    @Test("Time limits count from the schedule, the start and the wait they are about")
    func timeLimits() {
        var limits = JobTimeLimits()
        let scheduled = WallTime(seconds: 1000)
        func exceeded(_ now: Int64, started: Int64? = nil, blocked: Int64? = nil) -> Bool {
            limits.exceeded(
                scheduled: scheduled, started: started.map { WallTime(seconds: $0) },
                blockedSince: blocked.map { WallTime(seconds: $0) }, now: WallTime(seconds: now)) != nil
        }
        #expect(!exceeded(1_000_000))
        limits.maxStartDelay = .seconds(60)
        #expect(!exceeded(1060) && exceeded(1061) && !exceeded(5000, started: 1050))
        limits = JobTimeLimits()
        limits.maxRun = .seconds(100)
        #expect(!exceeded(5000) && !exceeded(2100, started: 2000) && exceeded(2101, started: 2000))
        limits = JobTimeLimits()
        limits.maxWait = .seconds(10)
        #expect(
            !exceeded(2101, started: 2000) && exceeded(2101, started: 2000, blocked: 2090)
                && !exceeded(2100, started: 2000, blocked: 2090))
        limits = JobTimeLimits()
        limits.maxRunFromSchedule = .seconds(50)
        #expect(exceeded(1051) && exceeded(1051, started: 1050) && !exceeded(1050))
    }
}
