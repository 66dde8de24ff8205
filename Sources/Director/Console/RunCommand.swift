// run: a job's parameters from the arguments, shown, changed by menus, and queued (bacula-wire 7.5).

import Catalog
import Configuration
import Platform

extension DirectorCommand {
    static let runCommand = DirectorCommand(
        "run", "Run a job",
        "job=<name> level=<level> client=<name> fileset=<name> storage=<name> pool=<name> nextpool=<name> priority=<n> when=<YYYY-MM-DD HH:MM:SS> "
            + "accurate=<yes|no> spooldata=<yes|no> comment=<text> where=<directory> bootstrap=<file> replace=<always|ifnewer|ifolder|never> "
            + "restoreclient=<name> jobid=<id> yes",
        details:
            "Shows what would run and asks: yes queues it, mod changes a parameter, no leaves it. With \"yes\" as an argument it asks nothing."
    ) { (dialogue, command) async throws(ConsoleStop) in
        var order = try JobOrder(command, dialogue)
        try dialogue.announceCatalog()
        try RunDialogue(dialogue).confirm(&order, yes: command.has("yes"), change: command.has("mod"))
    }
}

/// A job that is about to be queued, in the operator's terms.
struct JobOrder {
    var request: JobRequest
    var job: Resource
    let configuration: Configuration
    /// For a restore from the restore command: where its bootstrap was written.
    var bootstrapPath = ""

    init(job: Resource, request: JobRequest, configuration: Configuration) {
        self.job = job
        self.request = request
        self.configuration = configuration
    }

    /// The arguments of `run`. Names are checked now, so that the menus only show what exists.
    init(_ command: CommandText, _ dialogue: ConsoleDialogue) throws(ConsoleStop) {
        configuration = dialogue.configuration
        // `run Nightly` is as good as `run job=Nightly`.
        let bare = command.arguments.first { argument in
            argument.value == nil
                && dialogue.configuration.all(.job).contains { $0.name.isSameWord(as: argument.keyword) }
        }
        job = try dialogue.resource(.job, named: command.value("job", "jobname") ?? bare?.keyword)
        request = JobRequest(job: job.name, origin: dialogue.origin)
        request.comment = command.value("comment") ?? ""
        request.level = try command.value("level").map { text throws(ConsoleStop) in try JobLevel(argument: text) }
        if let name = command.value("client", "fd") {
            request.client = try dialogue.resource(.client, named: name).name
        }
        if let name = command.value("fileset") { request.fileSet = try dialogue.resource(.fileSet, named: name).name }
        if let name = command.value("storage", "sd") {
            request.storage = try dialogue.resource(.storage, named: name).name
        }
        if let name = command.value("pool") { request.pool = try dialogue.resource(.pool, named: name).name }
        if let name = command.value("nextpool") { request.nextPool = try dialogue.resource(.pool, named: name).name }
        if let text = command.value("priority") { request.priority = try Self.priority(text) }
        if let text = command.value("when") { request.when = try Self.moment(text) }
        request.accurate = try command.value("accurate").map { text throws(ConsoleStop) in
            try Bool(argument: text, of: "accurate")
        }
        request.spoolData = try command.value("spooldata").map { text throws(ConsoleStop) in
            try Bool(argument: text, of: "spooldata")
        }
        if let text = command.value("jobid") {
            guard let jobID = Int64(text) else { throw .failure(.badRequest, "\"\(text)\" is no JobId.") }
            request.verifyJobID = try dialogue.job(jobID).jobID
        }
        if type == .restore {
            guard let path = command.value("bootstrap") ?? job.text("Bootstrap") else {
                throw .failure(
                    .badRequest, "A restore needs to know what to restore.",
                    remedy: "Use the restore command, or give bootstrap=FILE.")
            }
            try takeBootstrap(from: path)
            try takeRestoreArguments(command, dialogue)
        }
    }

    var type: JobType { job.text("Type").flatMap { JobType(word: $0) } ?? .backup }

    /// where=, replace=, restoreclient= and the like, for run and restore alike.
    mutating func takeRestoreArguments(_ command: CommandText, _ dialogue: ConsoleDialogue) throws(ConsoleStop) {
        if let path = command.value("where") { try setWhere(path, dialogue) }
        if let text = command.value("replace") { request.restore?.replace = try Self.replace(text) }
        if let text = command.value("regexwhere") { request.restore?.regexWhere = text }
        if let name = command.value("restoreclient") {
            request.restore?.restoreClient = try dialogue.resource(.client, named: name).name
        }
        if let text = command.value("comment") { request.comment = text }
        if let text = command.value("priority") { request.priority = try Self.priority(text) }
        if let text = command.value("when") { request.when = try Self.moment(text) }
        let strip = command.value("stripprefix")
        let prefix = command.value("addprefix")
        let suffix = command.value("addsuffix")
        if strip != nil || prefix != nil || suffix != nil {
            request.restore?.regexWhere = Self.relocation(
                strip: strip ?? "", prefix: prefix ?? "", suffix: suffix ?? "")
        }
    }

    mutating func setWhere(_ path: String, _ dialogue: ConsoleDialogue) throws(ConsoleStop) {
        let path = path == "/" ? "" : path
        guard dialogue.rights.allows(.whereDirectory, path.isEmpty ? "/" : path) else {
            throw .failure(
                .notFound, "This console may not restore to \"\(path)\".",
                remedy: "Its WhereACL would have to allow it.")
        }
        guard path.isEmpty || path.hasPrefix("/") else {
            throw .failure(
                .badRequest, "\"\(path)\" is no absolute path.",
                remedy: "Where is a directory of the client, beginning with /.")
        }
        request.restore?.whereDirectory = path
        request.restore?.regexWhere = nil
    }

    /// Relocation expressions for the simple changes: `!strip!prefix!i`, `!$!suffix!`.
    static func relocation(strip: String, prefix: String, suffix: String) -> String {
        func escaped(_ text: String) -> String {
            text.flatMap { "!\\".contains($0) ? ["\\", $0] : [$0] }.reduce(into: "") { $0.append($1) }
        }
        func literal(_ text: String) -> String {
            text.flatMap { "!\\.[]{}()*+?^$|".contains($0) ? ["\\", $0] : [$0] }.reduce(into: "") { $0.append($1) }
        }
        var parts: [String] = []
        if !strip.isEmpty { parts.append("!\(literal(strip))!!") }
        if !suffix.isEmpty { parts.append("!([^/])$!$1\(escaped(suffix))!") }
        if !prefix.isEmpty { parts.append("!^!\(escaped(prefix))!") }
        return parts.joined(separator: ",")
    }

    mutating func takeBootstrap(from path: String) throws(ConsoleStop) {
        do throws(SystemError) {
            // A selection of a million scattered files makes some 20 MB.
            guard let bytes = try BoundedReading.file(path, bytesMax: 256 << 20).bytes else {
                throw SystemError("read", path, errno: 27)  // EFBIG
            }
            let text = String(decoding: bytes, as: UTF8.self)
            var files: Int64 = 0
            for line in text.split(whereSeparator: \.isNewline) {
                let parts = line.split(separator: "=", maxSplits: 1)
                if parts.count == 2, parts[0].trimmed.isSameWord(as: "count") { files += Int64(parts[1].trimmed) ?? 0 }
            }
            request.restore = RestoreOrder(bootstrap: text, filesExpected: files)
            bootstrapPath = path
        } catch { throw .failed(error) }
    }

    static func priority(_ text: String) throws(ConsoleStop) -> Int {
        guard let number = Int(text), number > 0 else {
            throw .failure(
                .badRequest, "\"\(text)\" is no priority.", remedy: "Give a number from 1; smaller is more urgent.")
        }
        return number
    }

    static func moment(_ text: String) throws(ConsoleStop) -> WallTime {
        if text.isSameWord(as: "now") { return .now }
        guard let time = WallTime(localText: text) else {
            throw .failure(.badRequest, "\"\(text)\" is no time.", remedy: "Write \"YYYY-MM-DD HH:MM:SS\".")
        }
        return time
    }

    static func replace(_ text: String) throws(ConsoleStop) -> String {
        guard case .one(let word) = Abbreviation.resolve(text, among: ["always", "ifnewer", "ifolder", "never"]) else {
            throw .failure(
                .badRequest, "\"\(text)\" is no way to replace.", remedy: "Write always, ifnewer, ifolder or never.")
        }
        return word
    }

    // MARK: - Showing

    var title: String { "Run \(type == .restore ? "Restore" : type.word) job" }

    /// What would run, in the order that operators of Bacula know.
    func fields(origins: Bool) -> [(name: String, value: String)] {
        func origin(_ given: Bool) -> String {
            origins ? (given ? " (From Command input)" : " (From Job resource)") : ""
        }
        let client = request.client ?? configuration.target(of: "Client", in: job)?.name ?? "*None*"
        let fileSet = request.fileSet ?? configuration.target(of: "FileSet", in: job)?.name ?? "*None*"
        let pool = request.pool.flatMap { configuration.named(.pool, $0) } ?? configuration.target(of: "Pool", in: job)
        let ownStorage = configuration.targets(of: "Storage", in: job).first
        let poolStorage = pool.flatMap { configuration.targets(of: "Storage", in: $0).first }
        let storage = request.storage ?? ownStorage?.name ?? poolStorage?.name ?? "*None*"
        let storageOrigin =
            !origins
            ? ""
            : request.storage != nil || ownStorage != nil ? origin(request.storage != nil) : " (From Pool resource)"
        let when = (request.when ?? .now).localText
        let priority = "\(request.priority ?? job.number("Priority"))"
        if type == .restore, let restore = request.restore {
            var fields: [(name: String, value: String)] = [("JobName", job.name), ("Bootstrap", bootstrapPath)]
            if let expression = restore.regexWhere {
                fields.append(("RegexWhere", expression))
            } else {
                fields.append(("Where", restore.whereDirectory ?? job.text("Where") ?? ""))
            }
            let replace = restore.replace ?? job.text("Replace") ?? "Always"
            fields += [
                ("Replace", replace.prefix(1).uppercased() + replace.dropFirst()), ("FileSet", fileSet),
                ("Backup Client", client),
                ("Restore Client", restore.restoreClient ?? job.text("RestoreClient") ?? client), ("Storage", storage),
                ("When", when),
                ("Catalog", configuration.first(.catalog)?.name ?? "*None*"), ("Priority", priority),
                ("Plugin Options", "*None*"),
            ]
            return fields
        }
        let level = request.level?.word ?? job.text("Level").flatMap { JobLevel(word: $0)?.word } ?? "Full"
        var fields: [(name: String, value: String)] = [
            ("JobName", job.name), ("Level", level), ("Client", client), ("FileSet", fileSet),
        ]
        fields.append(("Pool", (pool?.name ?? "*None*") + origin(request.pool != nil)))
        if let next = request.nextPool { fields.append(("NextPool", next)) }
        fields += [("Storage", storage + storageOrigin), ("When", when), ("Priority", priority)]
        return fields
    }
}

/// Shows an order, lets the operator change it, and queues it.
struct RunDialogue {
    let dialogue: ConsoleDialogue
    init(_ dialogue: ConsoleDialogue) { self.dialogue = dialogue }

    /// - Returns: nil where the operator decided against it.
    @discardableResult
    func confirm(_ order: inout JobOrder, yes: Bool, change: Bool = false) throws(ConsoleStop) -> JobID? {
        if yes { return try queue(order) }
        if change { try modify(&order) }
        while true {
            let answer = try dialogue.ask(
                .run(
                    title: order.title, fields: order.fields(origins: dialogue.renderer.mode != .api),
                    prompt: "OK to run? (yes/mod/no): "),
                onCancel: "Job not run.\n"
            ).lowercased()
            switch answer {
            case "yes", "y": return try queue(order)
            case "mod", "m": try modify(&order)
            case "no", "n":
                dialogue.succeeded = dialogue.renderer.mode != .api
                try dialogue.text("Job not run.\n")
                return nil
            default: try dialogue.remark("Bad response: \(answer). You must answer yes, mod, or no.\n\n")
            }
        }
    }

    private func queue(_ order: JobOrder) throws(ConsoleStop) -> JobID {
        do throws(DirectorError) {
            let jobID = try dialogue.services.submit(order.request)
            let record = ConsoleRecord(
                kind: "job_queued", fields: [("jobid", .init(jobID)), ("name", .init(order.job.name))])
            do throws(ConsoleStop) {
                try dialogue.emit(.record(record, text: "Job queued. JobId=\(jobID)\n"))
            } catch {}  // the job is queued, whether or not somebody still reads that
            return jobID
        } catch { throw .failed(error) }
    }

    private enum Parameter: String {
        case level = "Level", storage = "Storage", job = "Job", fileSet = "FileSet", client = "Client", restoreClient =
            "Restore Client"
        case when = "When", priority = "Priority", pool = "Pool", plugin = "Plugin Options", bootstrap = "Bootstrap",
            whereDirectory = "Where"
        case relocation = "File Relocation", replace = "Replace", jobID = "JobId"

        static let forBackup: [Parameter] = [
            .level, .storage, .job, .fileSet, .client, .when, .priority, .pool, .plugin,
        ]
        static let forRestore: [Parameter] = [
            .level, .storage, .job, .fileSet, .restoreClient, .when, .priority, .bootstrap, .whereDirectory,
            .relocation, .replace, .jobID, .plugin,
        ]
    }

    /// One parameter by the menu. A period inside goes back to the question.
    private func modify(_ order: inout JobOrder) throws(ConsoleStop) {
        let parameters = order.type == .restore ? Parameter.forRestore : Parameter.forBackup
        let index = try dialogue.choose(
            title: "Parameters to modify:\n", parameters.map(\.rawValue), prompt: "Select parameter to modify")
        do throws(ConsoleStop) { try change(parameters[index], of: &order) } catch {
            switch error {
            // A value that can't be is no reason to lose what was chosen so far.
            case .failed(_, let what, let remedy): try dialogue.emit(.warning("\(what) \(remedy)\n"))
            case .cancelled(let text): try dialogue.remark(text)
            case .hungUp, .quit: throw error
            }
        }
    }

    private func change(_ parameter: Parameter, of order: inout JobOrder) throws(ConsoleStop) {
        switch parameter {
        case .level:
            guard order.type != .restore else {
                throw .failure(.badRequest, "Level not appropriate for this Job.", remedy: "Cannot be changed.")
            }
            let levels: [JobLevel] =
                order.type == .verify
                ? [.verifyInit, .verifyCatalog, .verifyVolume, .verifyDisk, .verifyData]
                : [.full, .incremental, .differential, .since, .virtualFull]
            order.request.level =
                levels[try dialogue.choose(title: "Levels:\n", levels.map(\.word), prompt: "Select level")]
        case .storage: order.request.storage = try dialogue.resource(.storage, named: nil).name
        case .job:
            let job = try dialogue.resource(.job, named: nil)
            guard job.text("Type").flatMap({ JobType(word: $0) }) == order.type else {
                throw .failure(
                    .badRequest, "Job \"\(job.name)\" is of another type.",
                    remedy: "Use run job=\(CommandText.quoted(job.name)).")
            }
            order.job = job
            order.request.job = job.name
        case .fileSet: order.request.fileSet = try dialogue.resource(.fileSet, named: nil).name
        case .client: order.request.client = try dialogue.resource(.client, named: nil).name
        case .restoreClient: order.request.restore?.restoreClient = try dialogue.resource(.client, named: nil).name
        case .when:
            order.request.when = try JobOrder.moment(
                try dialogue.ask(.text("Please enter desired start time as YYYY-MM-DD HH:MM:SS (return for now): "))
                    .nonEmpty ?? "now")
        case .priority: order.request.priority = try JobOrder.priority(try dialogue.ask(.text("Enter new Priority: ")))
        case .pool: order.request.pool = try dialogue.resource(.pool, named: nil).name
        case .bootstrap:
            try order.takeBootstrap(from: try dialogue.ask(.text("Please enter the Bootstrap file name: ")))
        case .whereDirectory:
            try order.setWhere(
                try dialogue.ask(.text("Please enter the full path prefix for restore (/ for none): ")), dialogue)
        case .relocation:
            let strip = try dialogue.ask(.text("Strip prefix (return for none): "))
            let prefix = try dialogue.ask(.text("Add prefix (return for none): "))
            let suffix = try dialogue.ask(.text("Add file suffix (return for none): "))
            let expression = try dialogue.ask(.text("Or a regular expression such as !from!to! (return for none): "))
            let made =
                expression.isEmpty ? JobOrder.relocation(strip: strip, prefix: prefix, suffix: suffix) : expression
            order.request.restore?.regexWhere = made.isEmpty ? nil : made
        case .replace:
            let ways = ["always", "ifnewer", "ifolder", "never"]
            order.request.restore?.replace =
                ways[try dialogue.choose(title: "Replace:\n", ways, prompt: "Select replace option")]
        case .jobID:
            throw .failure(.badRequest, "The jobs to restore are in the bootstrap.", remedy: "Use restore jobid=.")
        case .plugin: throw .failure(.notBuiltYet, "Plugin options are not available in this release.")
        }
    }
}

extension String {
    var nonEmpty: String? { isEmpty ? nil : self }
}
