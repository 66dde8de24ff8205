// Runs jobs of every type, and sees to it that each row is closed with the truth, whatever happened.

import Catalog
import Configuration
import Logging
import Platform

/// Creates, runs and closes jobs for the queue.
final class JobEngine: Sendable {
    let catalog: CatalogDatabase
    let center: MessageCenter
    let logger: Logger
    private let counter = Monitor(0)

    init(catalog: CatalogDatabase, center: MessageCenter, logger: Logger) {
        self.catalog = catalog
        self.center = center
        self.logger = logger
    }

    func sinks() -> MessageSinks {
        let catalog = catalog
        return MessageSinks(
            center: center,
            log: { messages in
                for message in messages { try catalog.appendLog(jobID: message.jobID, message.text + "\n", at: message.time) }
            }, logger: logger)
    }

    func desk(for job: LiveJob) -> MessageDesk {
        MessageDesk(
            daemon: job.plan.configuration.first(.director)!.name, jobID: job.jobID,
            routes: job.plan.messages.map { MessagesDefinition($0) } ?? .standard, sinks: sinks())
    }

    // MARK: - For the queue

    func create(_ plan: JobPlan, scheduled: WallTime) throws(DirectorError) -> (JobID, String) {
        let number = counter.withLock { counter in
            counter = (counter + 1) % 60
            return counter
        }
        let name = JobName.unique(for: plan.job.name, at: .now, counter: number)
        var creation = JobCreation(
            uniqueName: name, name: plan.job.name, type: plan.type.rawValue, level: plan.level.rawValue, scheduled: scheduled)
        creation.comment = plan.request.comment
        do throws(CatalogError) {
            if let client = plan.client { creation.clientID = try catalog.syncClient(ClientRecord(client)) }
            if let pool = plan.pool(for: plan.level) { creation.poolID = try catalog.pool(named: pool.name)?.poolID ?? 0 }
            return (try catalog.createJob(creation), name)
        } catch { throw DirectorError(error) }
    }

    func noteWaiting(_ job: LiveJob, _ status: JobStatus) {
        do throws(CatalogError) { try catalog.setStatus(status.rawValue, ofJob: job.jobID) } catch {
            logger.warning("waiting state not stored", metadata: ["job": "\(job.jobID)", "reason": "\(error.what)"])
        }
    }

    /// Closes a job that never started.
    func abandon(_ job: LiveJob, reason: String) {
        let desk = desk(for: job)
        desk.warning("The job was canceled before it started: \(reason).")
        close(job, JobOutcome(.cancelled), desk)
        desk.finish(
            succeeded: false, codes: PercentCodes(["i": "\(job.jobID)", "n": job.plan.job.name, "e": JobStatus.cancelled.text]))
    }

    func run(_ job: LiveJob) async {
        let desk = desk(for: job)
        let context = JobContext(
            live: job, catalog: catalog, desk: desk, logger: logger,
            workingDirectory: job.plan.configuration.first(.director)?.text("WorkingDirectory") ?? ".")
        logger.info("job started", metadata: ["job": "\(job.jobID)", "name": "\(job.plan.job.name)"])
        var outcome: JobOutcome
        do throws(DirectorError) {
            outcome = try await work(context)
        } catch {
            desk.fatal(error.sentence)
            outcome = JobOutcome(job.isCancelled ? .cancelled : .fatal)
            outcome.termination = JobReport.termination(job.plan.type, outcome.status)
        }
        do throws(DirectorError) {
            try context.runScripts(RunScriptDefinition.all(of: job.plan.job), .after, status: outcome.status)
        } catch { desk.error(error.sentence) }
        if !outcome.report.isEmpty {
            desk.send(
                outcome.status.isSuccess ? .terminate : .errorTerm,
                JobReport.text(outcome.report, termination: outcome.termination, build: Appliance.build))
        } else if !outcome.termination.isEmpty {
            desk.send(outcome.status.isSuccess ? .terminate : .errorTerm, outcome.termination)
        }
        let final = outcome
        job.state.withLock { state in
            state.files = final.files
            state.bytes = final.bytes
            state.errors = desk.errors
        }
        close(job, outcome, desk)
        let codes = context.codes(status: outcome.status)
        desk.finish(succeeded: outcome.status.isSuccess, codes: codes)
        logger.info(
            "job ended",
            metadata: [
                "job": "\(job.jobID)", "name": "\(job.plan.job.name)", "status": "\(outcome.status.rawValue)",
                "files": "\(outcome.files)", "bytes": "\(outcome.bytes)",
            ])
    }

    private func work(_ context: JobContext) async throws(DirectorError) -> JobOutcome {
        switch context.plan.type {
        case .backup:
            var job = try BackupJob(context)
            return await job.run()
        case .restore:
            var job = try RestoreJob(context)
            return await job.run()
        case .admin:
            return try runAdmin(context)
        case .verify, .copy, .migrate:
            let jobID = context.live.jobID
            let start = JobStart(started: context.live.state.read { $0.started } ?? .now, level: context.plan.level.rawValue)
            try context.inCatalog { catalog throws(CatalogError) in try catalog.startJob(jobID, start) }
            throw DirectorError(
                .notBuiltYet, "\(context.plan.type.word) jobs are not built yet.", remedy: "Disable the job until they are.")
        }
    }

    /// Scripts and nothing else.
    private func runAdmin(_ context: JobContext) throws(DirectorError) -> JobOutcome {
        let live = context.live
        let start = JobStart(started: live.state.read { $0.started } ?? .now, level: " ")
        try context.inCatalog { catalog throws(CatalogError) in try catalog.startJob(live.jobID, start) }
        context.desk.info("Start Admin JobId \(live.jobID), Job=\(live.uniqueName)")
        try context.runScripts(RunScriptDefinition.all(of: context.plan.job), .before, status: .running)
        var outcome = JobOutcome(live.isCancelled ? .cancelled : context.desk.errors > 0 ? .warnings : .ok)
        outcome.report = [
            ("JobId", "\(live.jobID)"), ("Job", live.uniqueName), ("Start time", JobReport.moment(start.started)),
            ("End time", JobReport.moment(.now)),
        ]
        outcome.termination = JobReport.termination(.admin, outcome.status)
        return outcome
    }

    /// Closes the row. A locked catalog is asked again for two minutes: the row is what restores stand on.
    private func close(_ job: LiveJob, _ outcome: JobOutcome, _ desk: MessageDesk) {
        var end = JobEnd(status: outcome.status.rawValue, ended: .now)
        end.files = outcome.files
        end.bytes = outcome.bytes
        end.readBytes = outcome.readBytes
        end.errors = desk.errors
        end.missingFiles = outcome.missingFiles
        let started = ContinuousClock.now
        while true {
            do throws(CatalogError) {
                try catalog.endJob(job.jobID, end)
                break
            } catch {
                if !error.isPermanent, started.duration(to: .now) < .seconds(120) { continue }
                desk.fatal("The catalog could not note the end of this job: \(error.what) \(error.remedy)")
                logger.error("job row not closed", metadata: ["job": "\(job.jobID)", "reason": "\(error.what)"])
                break
            }
        }
        job.state.withLock { state in
            state.status = outcome.status
            state.reason = ""
            state.ended = .now
        }
    }
}

extension MessagesDefinition {
    /// Where messages go when no resource says so: to the consoles and the catalog's log.
    static let standard: MessagesDefinition = {
        var routes = MessagesDefinition(
            Resource(kind: .messages, name: "default", location: SourceLocation(file: "built in", line: 1, column: 1)))
        routes.destinations = [
            MessageDestination(kind: .console, targets: [], types: MessageType.all),
            MessageDestination(kind: .catalog, targets: [], types: MessageType.all),
        ]
        return routes
    }()
}
