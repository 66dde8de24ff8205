// Commands for programs: modes, and the lists that fill selection boxes (bacula-wire 7.7).

import Catalog
import Configuration
import Platform

extension DirectorCommand {
    static let dotCommands: [DirectorCommand] = [
        DirectorCommand(".api", "Choose the form of the answers", "0 1 framed json") {
            (dialogue, command) async throws(ConsoleStop) in
            let word = command.arguments.first?.keyword.lowercased() ?? "1"
            switch word {
            case "0", "off": dialogue.renderer.mode = .plain
            case "framed": dialogue.renderer.mode = .framed
            case "json": dialogue.renderer.mode = .json
            // 2 asks for key=value listings, which only change what some dot commands say.
            case "1", "2", "on": dialogue.renderer.mode = .api
            default:
                throw .failure(.badRequest, ".api \(word): there is no such mode.", remedy: "Use 0, 1, framed or json.")
            }
        },
        names(".jobs", "Names of the jobs") { dialogue, command in
            let type = command.value("type")
            return dialogue.resources(.job).filter { job in
                guard let type else { return true }
                let letter = JobType(word: type)?.rawValue ?? type.first
                return job.text("Type").flatMap { JobType(word: $0) }?.rawValue == letter
            }.map(\.name)
        },
        names(".clients", "Names of the clients") { dialogue, _ in dialogue.resources(.client).map(\.name) },
        names(".pools", "Names of the pools") { dialogue, _ in dialogue.resources(.pool).map(\.name) },
        names(".storage", "Names of the storages") { dialogue, _ in dialogue.resources(.storage).map(\.name) },
        names(".filesets", "Names of the file sets") { dialogue, _ in dialogue.resources(.fileSet).map(\.name) },
        names(".schedule", "Names of the schedules") { dialogue, _ in dialogue.resources(.schedule).map(\.name) },
        names(".catalogs", "Names of the catalogs") { dialogue, _ in dialogue.resources(.catalog).map(\.name) },
        names(".msgs", "Names of the Messages resources") { dialogue, _ in
            dialogue.configuration.all(.messages).map(\.name)
        },
        names(".levels", "Levels of backups") { _, _ in ["Incremental", "Full", "Differential", "VirtualFull"] },
        names(".types", "Types of jobs") { _, _ in ["Backup", "Restore", "Admin", "Verify", "Migrate", "Copy"] },
        names(".volstatus", "Statuses of volumes") { _, _ in
            ["Append", "Full", "Used", "Recycle", "Purged", "Cleaning", "Error"]
        },
        DirectorCommand(".media", "Names of the volumes", "pool=<name>") {
            (dialogue, command) async throws(ConsoleStop) in
            for volume in try volumes(dialogue, command) { try emitName(volume.volume, in: dialogue) }
        },
        DirectorCommand(".mediatypes", "Types of media") { (dialogue, _) async throws(ConsoleStop) in
            for type in Set(dialogue.resources(.storage).compactMap { $0.text("MediaType") }).sorted() {
                try emitName(type, in: dialogue)
            }
        },
        DirectorCommand(
            ".defaults", "What a job, client, pool or storage starts from",
            "job=<name> client=<name> storage=<name> pool=<name>"
        ) {
            (dialogue, command) async throws(ConsoleStop) in try defaults(dialogue, command)
        },
        DirectorCommand(
            ".status", "Status for programs", "director current|last|running|terminated client=<name> storage=<name>"
        ) {
            (dialogue, command) async throws(ConsoleStop) in try await status(dialogue, command)
        },
        DirectorCommand(".progress", "How far queued and running jobs are", "jobid=<id,…>") {
            (dialogue, command) async throws(ConsoleStop) in
            try progress(dialogue, command)
        },
        DirectorCommand(".messages", "The waiting messages, or nothing") { (dialogue, _) async throws(ConsoleStop) in
            for line in dialogue.services.messages.take() { try dialogue.emit(.message(line)) }
        },
        DirectorCommand(".sql", "Read the catalog", "query=<SELECT statement>") {
            (dialogue, command) async throws(ConsoleStop) in
            try SQLQueries(dialogue).refuseNamedConsoles()
            guard let statement = command.value("query") ?? command.rest.nonEmpty else {
                throw .failure(.badRequest, "Which query?", remedy: "Give query=.")
            }
            let result = try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.query(statement) }
            if dialogue.renderer.mode == .json { return try dialogue.table(ConsoleTable(kind: "row", result)) }
            for row in result.rows { try dialogue.text(row.map { ($0 ?? "") + "\t" }.joined()) }
        },
        DirectorCommand(".help", "All commands with their arguments", "all") {
            (dialogue, _) async throws(ConsoleStop) in
            for command in all + dotCommands where !command.summary.hasPrefix("(") {
                let line =
                    "\(command.name) \(command.summary)" + (command.arguments.isEmpty ? "" : " -- \(command.arguments)")
                try dialogue.emit(
                    .record(
                        ConsoleRecord(
                            kind: "command",
                            fields: [
                                ("name", .init(command.name)), ("summary", .init(command.summary)),
                                ("arguments", .init(command.arguments)),
                            ]),
                        text: line + "\n"))
            }
        },
        DirectorCommand(".quit", "Leave the console") { (_, _) async throws(ConsoleStop) in throw .quit },
        DirectorCommand(".exit", "Leave the console") { (_, _) async throws(ConsoleStop) in throw .quit },
    ]

    /// A command that lists names, one per line.
    private static func names(
        _ name: String, _ summary: String, _ list: @escaping @Sendable (ConsoleDialogue, CommandText) -> [String]
    ) -> DirectorCommand {
        DirectorCommand(name, summary) { (dialogue, command) async throws(ConsoleStop) in
            for item in list(dialogue, command) { try emitName(item, in: dialogue) }
        }
    }

    private static func emitName(_ name: String, in dialogue: ConsoleDialogue) throws(ConsoleStop) {
        try dialogue.emit(.record(ConsoleRecord(kind: "name", fields: [("name", .init(name))]), text: name + "\n"))
    }

    private static func volumes(_ dialogue: ConsoleDialogue, _ command: CommandText) throws(ConsoleStop)
        -> [MediaRecord]
    {
        try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.volumes(inPool: command.value("pool")) }
            .filter { dialogue.rights.allows(.pool, $0.pool) }
    }

    // MARK: - .progress

    /// Always JSON, in every mode: one line per job. Our console's bar is drawn from it.
    private static func progress(_ dialogue: ConsoleDialogue, _ command: CommandText) throws(ConsoleStop) {
        let jobs: [RunningJob]
        if let text = command.value("jobid") {
            guard let list = JobIDList(text) else {
                throw .failure(.badRequest, "\"\(text)\" is no list of JobIds.", remedy: "Write 1,2,5-7.")
            }
            jobs = list.values.compactMap { dialogue.services.jobs.snapshot(of: $0) }.filter {
                dialogue.rights.allows(.job, $0.name)
            }
        } else {
            jobs = dialogue.activeJobs(command)
        }
        let json = ConsoleRenderer(mode: .json)
        for job in jobs {
            try dialogue.send(
                json.packets(.record(JobProgressRecord(job, now: .now).record(kind: "progress"), text: "")))
        }
    }

    // MARK: - .defaults

    private static func defaults(_ dialogue: ConsoleDialogue, _ command: CommandText) throws(ConsoleStop) {
        var fields: [(name: String, value: String)] = []
        if command.value("job") != nil {
            let job = try dialogue.resource(.job, named: command.value("job"), ask: false)
            let configuration = dialogue.configuration
            func target(_ directive: String) -> String { configuration.target(of: directive, in: job)?.name ?? "" }
            fields = [
                ("job", job.name), ("pool", target("Pool")), ("messages", target("Messages")),
                ("client", target("Client")), ("storage", target("Storage")),
                ("where", job.text("Where") ?? ""), ("level", job.text("Level") ?? ""),
                ("type", job.text("Type") ?? ""), ("fileset", target("FileSet")),
                ("enabled", job.bool("Enabled") ? "1" : "0"), ("catalog", configuration.first(.catalog)?.name ?? ""),
                ("priority", "\(job.number("Priority"))"),
            ]
        } else if command.value("client") != nil {
            let client = try dialogue.resource(.client, named: command.value("client"), ask: false)
            fields = [
                ("client", client.name), ("address", client.text("Address") ?? ""),
                ("fdport", "\(client.number("FdPort"))"),
                ("file_retention", "\(client.time("FileRetention").components.seconds)"),
                ("job_retention", "\(client.time("JobRetention").components.seconds)"),
                ("autoprune", client.bool("AutoPrune") ? "1" : "0"), ("enabled", client.bool("Enabled") ? "1" : "0"),
                ("catalog", client.text("Catalog") ?? dialogue.configuration.first(.catalog)?.name ?? ""),
            ]
        } else if command.value("storage") != nil {
            let storage = try dialogue.resource(.storage, named: command.value("storage"), ask: false)
            fields = [
                ("storage", storage.name), ("address", storage.text("Address") ?? ""),
                ("enabled", storage.bool("Enabled") ? "1" : "0"),
                ("media_type", storage.text("MediaType") ?? ""), ("sdport", "\(storage.number("SdPort"))"),
                ("device", storage.text("Device") ?? ""),
            ]
        } else if command.value("pool") != nil {
            let pool = try dialogue.resource(.pool, named: command.value("pool"), ask: false)
            fields = [
                ("pool", pool.name), ("pool_type", pool.text("PoolType") ?? ""),
                ("label_format", pool.text("LabelFormat") ?? ""),
                ("max_volumes", "\(pool.number("MaximumVolumes"))"),
                ("vol_retention", "\(pool.time("VolumeRetention").components.seconds)"),
                ("max_vol_jobs", "\(pool.number("MaximumVolumeJobs"))"),
                ("max_vol_bytes", "\(pool.size("MaximumVolumeBytes"))"),
                ("auto_prune", pool.bool("AutoPrune") ? "1" : "0"), ("recycle", pool.bool("Recycle") ? "1" : "0"),
            ]
        } else {
            throw .failure(.badRequest, "Defaults of what?", remedy: "Give job=, client=, storage= or pool=.")
        }
        if dialogue.renderer.mode == .json {
            return try dialogue.emit(
                .record(ConsoleRecord(kind: "defaults", fields: fields.map { ($0.name, .init($0.value)) }), text: ""))
        }
        // Packet boundaries are the separators: no newlines (bacula-wire 7.7).
        for (name, value) in fields { try dialogue.text("\(name)=\(value)") }
    }

    // MARK: - .status

    private static func status(_ dialogue: ConsoleDialogue, _ command: CommandText) async throws(ConsoleStop) {
        let known = ["current", "last", "header", "running", "terminated", "devices", "scheduled"]
        let keyword = command.arguments.map { $0.keyword.lowercased() }.first { known.contains($0) } ?? "current"
        let lines: [String]
        do throws(DirectorError) {
            if command.has("client") {
                let client = command.value("client")
                lines = try await dialogue.services.clientStatus(
                    boxed { () throws(ConsoleStop) in try dialogue.resource(.client, named: client, ask: false).name },
                    keyword: keyword)
            } else if command.has("storage") {
                let storage = command.value("storage")
                lines = try await dialogue.services.storageStatus(
                    boxed { () throws(ConsoleStop) in try dialogue.resource(.storage, named: storage, ask: false).name
                    }, keyword: keyword)
            } else {
                lines = try directorStatus(keyword, dialogue)
            }
        } catch { throw .failed(error) }
        for line in lines { try dialogue.text(line + "\n") }
    }

    private static func boxed(_ body: () throws(ConsoleStop) -> String) throws(DirectorError) -> String {
        do { return try body() } catch {
            guard case .failed(_, let what, let remedy) = error else {
                throw DirectorError(.badRequest, "The order was given up.")
            }
            throw DirectorError(.notFound, what, remedy: remedy)
        }
    }

    private static func directorStatus(_ keyword: String, _ dialogue: ConsoleDialogue) throws(DirectorError) -> [String] {
        let jobs = dialogue.services.jobs
        func allowed(_ list: [RunningJob]) -> [RunningJob] { list.filter { dialogue.rights.allows(.job, $0.name) } }
        func brief(_ job: RunningJob) -> String {
            "JobId=\(job.jobID) JobStatus=\(job.status.rawValue) JobErrors=\(job.errors)"
        }
        switch keyword {
        case "current": return ["1000 OK .status"] + allowed(jobs.snapshot()).map(brief)
        case "last": return ["1000 OK .status"] + allowed(jobs.ended()).suffix(1).map(brief)
        case "running":
            return allowed(jobs.snapshot()).map { job in
                "\(job.jobID)\t\(job.level.word)\t\(job.files)\t\(job.bytes)\t\(job.name)\t\(job.status.text)"
            }
        case "terminated":
            return allowed(jobs.ended()).map { job in
                "\(job.jobID.padded(to: 7))\t\(String(job.level.word.prefix(4)).padded(to: 6))\t\(JobReport.grouped(job.files).padded(left: 8))\t"
                    + "\(JobReport.scaled(job.bytes).padded(left: 10))\t\(job.status.text.padded(to: 7))\t"
                    + "\(job.ended?.formatted("%d-%b-%y %H:%M", local: true) ?? "")\t\(job.name)"
            }
        case "header":
            return [
                "name=\(dialogue.services.name)", "version=\(Appliance.version)",
                "started_epoch=\(dialogue.services.startedAt.seconds)",
                "jobs_run=\(jobs.ended().count)", "jobs_running=\(jobs.snapshot().count)",
            ]
        default: return []
        }
    }
}
