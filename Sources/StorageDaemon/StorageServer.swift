// What the connections of one storage daemon share: its drives, its jobs, its identity.

import Configuration
import Logging
import Modules
import Platform
import Wire

/// One storage daemon at work. Made from a configuration; lives until the role ends.
final class StorageServer: Sendable {
    let settings: StorageSettings
    let table: DriveTable
    let numbers: SessionNumbers
    let logger: Logger
    let started = WallTime.now

    /// A job that has ended, for the status text.
    struct EndedJob: Sendable {
        var jobID: UInt32
        var levelText: String
        var files: UInt32
        var bytes: UInt64
        var status: UInt8
        var ended: WallTime
        var jobName: String
    }
    struct State: Sendable {
        /// By unique name.
        var jobs: [String: StorageJob] = [:]
        var ended: [EndedJob] = []
        var jobsRun = 0
        var isClosing = false
        /// Directors may change with a reload; everything else needs a restart.
        var directors: [StorageSettings.Director]
    }
    let state: Monitor<State>
    private static let endedJobsMax = 10

    init(_ configuration: Configuration, modules: ModuleRegistry, logger: Logger) throws {
        settings = try StorageSettings(configuration)
        self.logger = logger
        var drives: [Drive] = []
        for resource in configuration.all(.device) { drives.append(try Drive(resource, modules: modules)) }
        table = DriveTable(drives: drives, groups: Self.autochangers(configuration, drives))
        state = Monitor(State(directors: settings.directors))
        numbers = try SessionNumbers(workingDirectory: settings.workingDirectory, name: settings.name)
    }

    init(settings: StorageSettings, drives: [Drive], logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        table = DriveTable(drives: drives, groups: [:])
        state = Monitor(State(directors: settings.directors))
        numbers = try SessionNumbers(workingDirectory: settings.workingDirectory, name: settings.name)
    }

    private static func autochangers(_ configuration: Configuration, _ drives: [Drive]) -> [String: [Int]] {
        var groups: [String: [Int]] = [:]
        for changer in configuration.all(.autochanger) {
            let names = configuration.targets(of: "Device", in: changer).map(\.name)
            groups[changer.name] = drives.indices.filter { names.contains(drives[$0].name) }
        }
        return groups
    }

    func director(named name: String) -> StorageSettings.Director? {
        state.read { $0.directors.first { $0.name.lowercased() == name.lowercased() } }
    }

    // MARK: - Jobs

    /// Makes a job known, so that its client may call.
    func add(_ job: StorageJob) throws(StorageError) {
        try state.withLock { state throws(StorageError) in
            if state.isClosing { throw StorageError(.badCommand, "The storage daemon is shutting down.") }
            guard state.jobs.count < settings.jobsMax else {
                throw StorageError(
                    .badCommand, "\(state.jobs.count) jobs are running, as many as Maximum Concurrent Jobs allows.",
                    remedy: "Raise it in the Storage resource, or run fewer jobs at once.")
            }
            guard state.jobs[job.request.name] == nil else {
                throw StorageError(.badCommand, "A job \(job.request.name) is running already.")
            }
            state.jobs[job.request.name] = job
        }
    }

    func job(named name: String) -> StorageJob? { state.read { $0.jobs[name] } }
    func runningJobs() -> [StorageJob] { state.read { $0.jobs.values.sorted { $0.id < $1.id } } }

    /// Forgets a job; one that ran is remembered as ended.
    func remove(_ job: StorageJob, status: UInt8, didRun: Bool) {
        let last = job.state.read { $0 }
        job.finish()
        state.withLock { state in
            state.jobs[job.request.name] = nil
            guard didRun else { return }
            state.jobsRun += 1
            state.ended.append(
                EndedJob(
                    jobID: job.id, levelText: job.request.levelText, files: last.files, bytes: last.bytes, status: status,
                    ended: .now, jobName: job.request.jobName))
            if state.ended.count > Self.endedJobsMax { state.ended.removeFirst() }
        }
    }
}
