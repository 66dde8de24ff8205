// status: the director's own, and what clients and storages say of themselves.

import Catalog
import Configuration
import Platform

extension DirectorCommand {
    static let statusCommands: [DirectorCommand] = [
        DirectorCommand(
            "status", "Show what is running, and what has ended",
            "director client=<name> storage=<name> all",
            details:
                "Without an argument it asks. \"status all\" goes through the director, every storage and every client."
        ) { (dialogue, command) async throws(ConsoleStop) in try await StatusReport(dialogue).run(command) },
        DirectorCommand("version", "Show the director's version") { (dialogue, _) async throws(ConsoleStop) in
            let record = ConsoleRecord(
                kind: "version",
                fields: [
                    ("name", .init(dialogue.services.name)), ("program", .init(Appliance.name)),
                    ("version", .init(Appliance.version)),
                ])
            try dialogue.emit(
                .record(record, text: "\(dialogue.services.name) Version: \(Appliance.name) \(Appliance.version)\n"))
        },
        DirectorCommand("time", "Show the director's clock") { (dialogue, _) async throws(ConsoleStop) in
            let now = WallTime.now
            try dialogue.emit(
                .record(
                    ConsoleRecord(kind: "time", fields: [("time", .init(now.utcText))]),
                    text: now.formatted("%a %d-%b-%Y %H:%M:%S\n", local: true)))
        },
    ]
}

struct StatusReport {
    let dialogue: ConsoleDialogue
    init(_ dialogue: ConsoleDialogue) { self.dialogue = dialogue }

    func run(_ command: CommandText) async throws(ConsoleStop) {
        if command.has("schedule") || command.has("network") || command.has("scheduled") {
            throw .failure(
                .notBuiltYet, "That status is not available in this release.",
                remedy: "Use status director, client=, storage= or all.")
        }
        if command.has("all") { return try await all() }
        if ["dir", "director"].contains(where: { command.has($0) }) { return try director() }
        if command.has("client") || command.has("fd") {
            return try await client(try dialogue.resource(.client, named: command.value("client", "fd")))
        }
        if command.has("storage") || command.has("sd") || command.has("store") {
            return try await storage(
                try dialogue.resource(.storage, named: command.value("storage", "sd", "store")), keyword: nil)
        }
        if let unknown = command.arguments.first {
            throw .failure(
                .badRequest, "Status of what? \"\(unknown.keyword)\" is unknown.",
                remedy: "Use status director, client=, storage= or all.")
        }
        switch try dialogue.choose(
            title: "Status available for:\n", ["Director", "Storage", "Client", "All"],
            prompt: "Select daemon type for status")
        {
        case 0: try director()
        case 1: try await storage(try dialogue.resource(.storage, named: nil), keyword: nil)
        case 2: try await client(try dialogue.resource(.client, named: nil))
        default: try await all()
        }
    }

    /// One daemon that doesn't answer must not hide the others.
    private func all() async throws(ConsoleStop) {
        try director()
        // Several Storage resources may be one daemon; asking it once is enough.
        var asked: Set<String> = []
        for resource in dialogue.resources(.storage)
        where asked.insert("\(resource.text("Address") ?? ""):\(resource.number("SdPort"))").inserted {
            do throws(ConsoleStop) { try await storage(resource, keyword: nil) } catch { try note(error) }
        }
        for resource in dialogue.resources(.client) {
            do throws(ConsoleStop) { try await client(resource) } catch { try note(error) }
        }
    }

    private func note(_ stop: ConsoleStop) throws(ConsoleStop) {
        guard case .failed(let code, let what, let remedy) = stop else { throw stop }
        try dialogue.emit(.failure(code: code, what: what, remedy: remedy))
    }

    // MARK: - Daemons

    private func client(_ client: Resource) async throws(ConsoleStop) {
        try dialogue.remark(
            "Connecting to Client \(client.name) at \(client.text("Address") ?? ""):\(client.number("FdPort"))\n")
        do throws(DirectorError) {
            try show(try await dialogue.services.clientStatus(client.name), kind: "client_status", name: client.name)
        } catch { throw .failed(error) }
    }

    func storage(_ storage: Resource, keyword: String?) async throws(ConsoleStop) {
        try dialogue.remark(
            "Connecting to Storage daemon \(storage.name) at \(storage.text("Address") ?? ""):\(storage.number("SdPort"))\n"
        )
        do throws(DirectorError) {
            try show(
                try await dialogue.services.storageStatus(storage.name, keyword: keyword), kind: "storage_status",
                name: storage.name)
        } catch { throw .failed(error) }
    }

    private func show(_ lines: [String], kind: String, name: String) throws(DirectorError) {
        let text = lines.joined(separator: "\n")
        let result = ConsoleResult.record(
            ConsoleRecord(kind: kind, fields: [("name", .init(name)), ("text", .init(text))]), text: text + "\n")
        do throws(ConsoleStop) { try dialogue.emit(result) } catch {
            throw DirectorError(.system, "The console is gone.")
        }
    }

    // MARK: - The director

    private func director() throws(ConsoleStop) {
        let services = dialogue.services
        let configuration = dialogue.configuration
        let running = services.jobs.snapshot().filter { dialogue.rights.allows(.job, $0.name) }
        let run = services.jobs.ended().count
        func count(_ kind: ResourceKind) -> Int { configuration.all(kind).count }
        let text = """
            \(services.name) Version: \(Appliance.name) \(Appliance.version)
            Daemon started \(short(services.startedAt))
             Jobs: run=\(run), running=\(running.count { $0.started != nil }) queued=\(running.count { $0.started == nil })
             Res: njobs=\(count(.job)) nclients=\(count(.client)) nstores=\(count(.storage) + count(.autochanger)) npools=\(count(.pool)) \
            ncats=\(count(.catalog)) nfsets=\(count(.fileSet)) nscheds=\(count(.schedule))


            """
        let record = ConsoleRecord(
            kind: "director_status",
            fields: [
                ("name", .init(services.name)), ("version", .init("\(Appliance.name) \(Appliance.version)")),
                ("started", .init(services.startedAt.utcText)), ("jobs_run", .init(run)),
                ("jobs_active", .init(running.count)),
                ("messages", .init(services.messages.count)),
            ])
        try dialogue.emit(.record(record, text: text))
        try dialogue.remark(
            """
            Scheduled Jobs:
            Level          Type     Pri  Scheduled          Job Name           Volume
            ===================================================================================
            No Scheduled Jobs.
            ====


            """)
        try showRunning(running)
        try showTerminated()
    }

    private func showRunning(_ jobs: [RunningJob]) throws(ConsoleStop) {
        try dialogue.remark("Running Jobs:\n")
        if jobs.isEmpty {
            try dialogue.remark("No Jobs running.\n")
        } else {
            try dialogue.remark(
                " JobId  Type Level     Files     Bytes  Name              Status\n======================================================================\n"
            )
            for job in jobs {
                try dialogue.emit(
                    .record(JobProgressRecord(job, now: .now).record(kind: "running_job"), text: Self.runningLine(job)))
            }
        }
        try dialogue.remark("====\n\n")
    }

    /// `     3  Back Full          0         0  BackupPlain       is waiting for its start time`
    static func runningLine(_ job: RunningJob) -> String {
        let level = String(job.level.word.prefix(4))
        let status = job.reason.isEmpty ? job.status.text : "\(job.status.text) (\(job.reason))"
        return "\(job.jobID.padded(to: 6))  \(String(job.type.word.prefix(4)).padded(to: 4)) \(level.padded(to: 4)) "
            + "\(JobReport.grouped(job.files).padded(left: 10)) \(JobReport.scaled(job.bytes).trimmed.padded(left: 9))  "
            + "\(String(job.name.prefix(17)).padded(to: 17)) \(status)\n"
    }

    private func showTerminated() throws(ConsoleStop) {
        try dialogue.remark(
            "Terminated Jobs:\n JobId  Level      Files    Bytes   Status   Finished        Name \n"
                + "====================================================================\n")
        var filter = JobFilter()
        filter.newestFirst = true
        filter.limit = 10
        filter.statuses = Set(JobStatus.allCases.filter(\.isFinal).map(\.rawValue))
        let jobs = try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.jobs(filter) }
        for job in jobs.reversed() where dialogue.rights.allows(.job, job.name) {
            let record = ConsoleRecord(
                kind: "terminated_job",
                fields: [
                    ("jobid", .init(job.jobID)), ("name", .init(job.name)), ("jobtype", .init(String(job.type))),
                    ("level", .init(String(job.level))),
                    ("status", .init(String(job.status))), ("files", .init(job.files)), ("bytes", .init(job.bytes)),
                    ("errors", .init(job.errors)),
                    ("ended", job.ended.map { .init($0.utcText) } ?? .null),
                ])
            try dialogue.emit(.record(record, text: Self.terminatedLine(job)))
        }
        try dialogue.remark("\n====\n")
    }

    /// `     1  Full          15    1.357 M  OK       21-Nov-26 03:25 BackupPlain`
    static func terminatedLine(_ job: JobRecord) -> String {
        let type = JobType(rawValue: job.type)
        let level =
            type == .backup
            ? String((JobLevel(rawValue: job.level)?.word ?? "").prefix(4)) : String((type?.word ?? "").prefix(7))
        let status: String
        switch JobStatus(rawValue: job.status) {
        case .ok: status = "OK"
        case .warnings: status = "OK -- w"  // the column has seven places; the full words are in the report
        case .differences: status = "Diffs"
        case .cancelled: status = "Cancel"
        case .incomplete: status = "Incompl"
        case .error, .fatal, .nonFatalError: status = "Error"
        default: status = "Other"
        }
        return "\(job.jobID.padded(to: 6))  \(level.padded(to: 7)) \(JobReport.grouped(job.files).padded(left: 8)) "
            + "\(JobReport.scaled(job.bytes).padded(left: 10))  \(status.padded(to: 7))  \(job.ended.map(short) ?? "".padded(to: 15)) \(job.name)\n"
    }
}

/// `21-Nov-26 03:25`
private func short(_ time: WallTime) -> String { time.formatted("%d-%b-%y %H:%M", local: true) }

/// A queued, running or just ended job as `.progress` and `status` tell programs about it.
struct JobProgressRecord {
    let job: RunningJob
    let now: WallTime
    init(_ job: RunningJob, now: WallTime) {
        self.job = job
        self.now = now
    }

    var elapsed: Int64? {
        job.started.map { max(0, ((job.ended ?? now).nanoseconds - $0.nanoseconds) / 1_000_000_000) }
    }

    /// Seconds left at the pace so far: of the last seconds where there is one, else of the whole.
    var remaining: Int64? {
        guard job.ended == nil, job.status == .running, let elapsed else { return nil }
        if let all = job.bytesExpected, all > job.bytes {
            if job.rate > 0 { return (all - job.bytes) / job.rate }
            if job.bytes > 0 { return Int64(Double(all - job.bytes) * Double(elapsed) / Double(job.bytes)) }
        } else if let all = job.filesExpected, all > job.files, job.files > 0 {
            return Int64(Double(all - job.files) * Double(elapsed) / Double(job.files))
        }
        return nil
    }

    func record(kind: String) -> ConsoleRecord {
        func optional(_ number: Int64?) -> ConsoleValue { number.map { .init($0) } ?? .null }
        let fields: [(name: String, value: ConsoleValue)] = [
            ("jobid", .init(job.jobID)), ("job", .init(job.uniqueName)), ("name", .init(job.name)),
            ("jobtype", .init(String(job.type.rawValue))),
            ("level", .init(String(job.level.rawValue))), ("status", .init(String(job.status.rawValue))),
            ("statustext", .init(job.status.text)),
            ("reason", .init(job.reason)), ("client", .init(job.client)), ("storage", .init(job.storage)),
            ("volume", .init(job.volume)),
            ("files", .init(job.files)), ("bytes", .init(job.bytes)), ("errors", .init(job.errors)),
            ("rate", .init(job.rate)),
            ("filesexpected", optional(job.filesExpected)), ("bytesexpected", optional(job.bytesExpected)),
            ("elapsed", optional(elapsed)),
            ("eta", optional(remaining)), ("ended", .flag(job.ended != nil || job.status.isFinal)),
        ]
        return ConsoleRecord(kind: kind, fields: fields)
    }
}
