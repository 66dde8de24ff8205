// What the code of one running job works with.

import Catalog
import Configuration
import Logging
import Platform
import Wire

/// Handed to BackupJob, RestoreJob and their sisters.
struct JobContext: Sendable {
    let live: LiveJob
    let catalog: CatalogDatabase
    let desk: MessageDesk
    let logger: Logger
    /// Where Write Bootstrap and the catalog's own files are relative to.
    let workingDirectory: String

    var plan: JobPlan { live.plan }
    var configuration: Configuration { plan.configuration }
    var dialler: DaemonDialler { DaemonDialler(configuration: configuration) }
    var directorName: String { configuration.first(.director)!.name }

    /// Throws when the job was cancelled.
    func checkCancelled() throws(DirectorError) {
        if let reason = live.cancelReason { throw DirectorError(.cancelled, "The job was canceled: \(reason).") }
    }

    /// Takes what a daemon says unasked. `fromStorage`: its status letters say what the job waits for.
    func take(_ notice: DaemonNotice, fromStorage: Bool) {
        switch notice {
        case .message(var message):
            // A daemon may speak for its own job only; what it says about others is shown as ours.
            message.jobID = live.jobID
            if message.type != .saved, message.type != .debug { live.state.withLock { $0.errors = desk.errors } }
            desk.post(message)
        case .progress(let files, let bytes): live.progress(files: files, bytes: bytes)
        case .status(let status):
            guard fromStorage, !status.isFinal, !live.isCancelled else { return }
            live.set(status)
        }
    }

    /// Runs `body`, which a cancellation ends at once: for connecting.
    func interruptible<R: Sendable>(
        _ body: @escaping @Sendable () async throws(DirectorError) -> R
    ) async throws(DirectorError) -> R {
        try checkCancelled()
        let task = Task(executorPreference: ElasticExecutor.shared) { () -> Result<R, DirectorError> in
            do throws(DirectorError) { return .success(try await body()) } catch { return .failure(error) }
        }
        let key = live.attach(atOnce: true) { task.cancel() }
        defer { live.detach(key) }
        let result = await task.value
        try checkCancelled()
        return try result.get()
    }

    /// Catalog errors as the job's.
    func inCatalog<R>(_ body: (CatalogDatabase) throws(CatalogError) -> R) throws(DirectorError) -> R {
        do { return try body(catalog) } catch { throw DirectorError(error) }
    }

    /// %-codes of commands and bootstrap names (bacula-wire 8.8).
    func codes(status: JobStatus? = nil) -> PercentCodes {
        let state = live.state.read { $0 }
        var codes = PercentCodes()
        codes.values = [
            "c": plan.client?.name ?? "", "d": directorName, "D": directorName, "i": "\(live.jobID)", "j": live.uniqueName,
            "l": state.level.word, "n": plan.job.name, "t": plan.type.word, "o": "\(plan.priority)", "F": "\(state.files)",
            "b": "\(state.bytes)", "R": "\(state.readBytes)", "E": "\(desk.errors)", "f": plan.fileSet?.name ?? "",
            "h": plan.client?.text("Address") ?? "", "p": state.pool, "w": state.storage, "v": state.volume, "x": "no", "C": "no",
            "P": "\(CurrentProcess.identifier)", "e": (status ?? state.status).text,
        ]
        return codes
    }
}

/// How a job's work ended; the engine closes the row with it.
struct JobOutcome: Sendable {
    var status: JobStatus
    var files: Int64 = 0
    var bytes: Int64 = 0
    var readBytes: Int64 = 0
    /// Files that were to be restored and weren't.
    var missingFiles: Int64 = 0
    /// Labelled lines of the report, without its head and its Termination line.
    var report: [(label: String, value: String)] = []
    /// The Termination line: `Backup OK`.
    var termination = ""

    init(_ status: JobStatus) { self.status = status }
}
