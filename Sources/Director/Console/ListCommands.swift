// list, llist and sqlquery: what the catalog knows, as tables.

import Catalog
import Platform

extension ConsoleDialogue {
    /// Asks the catalog; its errors end the command.
    func catalog<R>(_ body: (CatalogDatabase) throws(CatalogError) -> R) throws(ConsoleStop) -> R {
        do { return try body(services.catalog) } catch { throw .failed(error) }
    }

    /// A job of the catalog that this console may see.
    func job(_ jobID: Int64) throws(ConsoleStop) -> JobRecord {
        guard let job = try catalog({ (catalog) throws(CatalogError) in try catalog.job(jobID) }),
            rights.allows(.job, job.name)
        else {
            throw .failure(.notFound, "No job \(jobID) is in the catalog.", remedy: "\"list jobs\" shows them.")
        }
        return job
    }
}

extension DirectorCommand {
    static let listCommands: [DirectorCommand] = [
        DirectorCommand(
            "list", "List what the catalog knows",
            "jobs jobid=<id> job=<name> ujobid=<unique-name> client=<name> volume=<name> pool=<name> level=<level> jobtype=<letter> "
                + "jobstatus=<letter> joberrors limit=<n> order=<asc|desc> days=<n> hours=<n> files jobmedia joblog jobtotals pools volumes media "
                + "clients filesets storages nextvol copies counters",
            details: """
                list jobs [client= job= level= jobstatus= days= limit=]   jobs, the newest last
                list jobid=12            one job; with files, jobmedia or joblog: what belongs to it
                list volumes [pool=]     volumes; list volume=NAME is one of them
                list nextvol job=NAME    the volume that the job would write next
                llist shows every column, one per line.
                """
        ) { (dialogue, command) async throws(ConsoleStop) in try CatalogLists(dialogue, command, long: false).run() },
        DirectorCommand("llist", "List what the catalog knows, in full", "(as list)") {
            (dialogue, command) async throws(ConsoleStop) in
            try CatalogLists(dialogue, command, long: true).run()
        },
        DirectorCommand(
            "sqlquery", "Read the catalog by SQL", "<SELECT statement>",
            details:
                "Reads only. Without a statement it asks for one after the other; a blank line or a period ends it."
        ) { (dialogue, command) async throws(ConsoleStop) in try SQLQueries(dialogue).run(command) },
        DirectorCommand("query", "Run a query of the QueryFile", "<number>") {
            (dialogue, command) async throws(ConsoleStop) in
            try SQLQueries(dialogue).runCanned(command)
        },
    ]
}

/// One `list` or `llist`.
struct CatalogLists {
    let dialogue: ConsoleDialogue
    let command: CommandText
    let long: Bool

    init(_ dialogue: ConsoleDialogue, _ command: CommandText, long: Bool) {
        self.dialogue = dialogue
        self.command = command
        self.long = long
    }

    private static let keywords: Set<String> = [
        "jobs", "jobid", "ujobid", "job", "jobname", "joberrors", "jobstatus", "level", "jobtype", "type", "limit",
        "order", "jobtotals", "pools",
        "pool", "volumes", "volume", "media", "files", "jobmedia", "joblog", "nextvol", "nextvolume", "copies",
        "fileset", "filesets",
        "clients", "client", "storages", "storage", "counters", "days", "hours", "catalog",
    ]

    func run() throws(ConsoleStop) {
        for argument in command.arguments where !Self.keywords.contains(argument.keyword.lowercased()) {
            throw .failure(
                .badRequest, "Unknown list keyword: \(argument.keyword)", remedy: "\"help list\" shows them.")
        }
        try dialogue.announceCatalog()
        if command.has("nextvol") || command.has("nextvolume") { return try nextVolume() }
        if command.has("files") { return try show(.files(jobID: try oneJob()), kind: "file") }
        if command.has("joblog") { return try jobLog() }
        if command.has("jobmedia") {
            let jobID = command.value("jobid") == nil && command.value("ujobid") == nil ? nil : try oneJob()
            return try show(.jobMedia(jobID: jobID), kind: "jobmedia", hiding: jobID == nil)
        }
        if command.has("jobtotals") { return try jobTotals() }
        if command.has("counters") { return try show(.counters, kind: "counter") }
        if command.has("filesets") || command.has("fileset"), !command.has("jobs") {
            return try show(.fileSets, kind: "fileset", .fileSet, column: "FileSet", only: command.value("fileset"))
        }
        if command.has("clients") { return try show(.clients, kind: "client", .client, column: "Name") }
        if command.has("storages") || command.has("storage") {
            return try show(.storages, kind: "storage", .storage, column: "Name", only: command.value("storage"))
        }
        if command.has("pools") || (command.has("pool") && command.arguments.count == 1) {
            return try show(.pools, kind: "pool", .pool, column: "Name", only: command.value("pool"))
        }
        if command.has("volumes") || command.has("media") || command.has("volume") && !command.has("jobs") {
            return try volumes()
        }
        let about = [
            "jobs", "jobid", "ujobid", "job", "jobname", "joberrors", "jobstatus", "client", "level", "jobtype", "type",
            "copies", "days", "hours", "limit",
        ]
        if about.contains(where: { command.has($0) }) {
            return try show(.jobs(try JobFilter(command, dialogue)), kind: "job", .job, column: "Name")
        }
        throw .failure(.badRequest, "List what?", remedy: "\"help list\" shows what there is.")
    }

    private func show(
        _ listing: Listing, kind: String, _ right: ConsoleRights.Kind? = nil, column: String = "",
        only name: String? = nil, hiding: Bool = false
    ) throws(ConsoleStop) {
        var result = try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.list(listing, long: long) }
        if let right, dialogue.rights.limits(right), let index = result.columns.firstIndex(of: column) {
            result.rows.removeAll { !dialogue.rights.allows(right, $0[index] ?? "") }
        } else if hiding, dialogue.rights.limits(.job) {
            throw .failure(.badRequest, "This console may only look at one job at a time here.", remedy: "Give jobid=.")
        }
        // A pool without a format for names shows a star, as Bacula's does.
        if case .pools = listing, dialogue.renderer.mode != .json,
            let index = result.columns.firstIndex(of: "LabelFormat")
        {
            for row in result.rows.indices where (result.rows[row][index] ?? "").isEmpty {
                result.rows[row][index] = "*"
            }
        }
        if let name, let index = result.columns.firstIndex(of: column) {
            result.rows.removeAll { $0[index]?.isSameWord(as: name) != true }
        }
        try dialogue.table(ConsoleTable(kind: kind, result), long: long)
    }

    private func oneJob() throws(ConsoleStop) -> Int64 {
        if let name = command.value("ujobid") {
            guard let job = try dialogue.catalog({ (catalog) throws(CatalogError) in try catalog.job(named: name) })
            else {
                throw .failure(.notFound, "No job \(name) is in the catalog.")
            }
            return try dialogue.job(job.jobID).jobID
        }
        guard let text = command.value("jobid") else {
            throw .failure(.badRequest, "Which job?", remedy: "Give jobid=.")
        }
        guard let jobID = Int64(text) else { throw .failure(.badRequest, "\"\(text)\" is no JobId.") }
        return try dialogue.job(jobID).jobID
    }

    /// The lines as they were logged: a table would only put frames around whole reports.
    private func jobLog() throws(ConsoleStop) {
        let jobID = try oneJob()
        if long || dialogue.renderer.mode == .json { return try show(.jobLog(jobID: jobID), kind: "log") }
        let lines = try dialogue.catalog { (catalog) throws(CatalogError) in
            try catalog.list(.jobLog(jobID: jobID), long: false)
        }
        guard let column = lines.columns.firstIndex(of: "LogText"), !lines.rows.isEmpty else {
            return try dialogue.remark("No results to list.\n")
        }
        for row in lines.rows {
            let text = row[column] ?? ""
            try dialogue.text(text.hasSuffix("\n") ? text : text + "\n")
        }
    }

    private func jobTotals() throws(ConsoleStop) {
        var result = try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.list(.jobTotals, long: false)
        }
        if dialogue.rights.limits(.job), let index = result.columns.firstIndex(where: { $0 == "Job" || $0 == "Name" }) {
            result.rows.removeAll { !dialogue.rights.allows(.job, $0[index] ?? "") }
        }
        try dialogue.table(ConsoleTable(kind: "jobtotals", result), long: long)
        let columns = ["Jobs", "Files", "Bytes"]
        let sums = columns.map { name in
            ConsoleValue(
                result.columns.firstIndex(of: name).map { index in
                    result.rows.reduce(into: Int64(0)) { sum, row in sum &+= Int64(row[index] ?? "") ?? 0 }
                } ?? 0)
        }
        try dialogue.table(ConsoleTable(kind: "jobtotal", columns: columns, rows: [sums]), long: long)
    }

    private func volumes() throws(ConsoleStop) {
        if let name = command.value("volume") {
            guard
                let volume = try dialogue.catalog({ (catalog) throws(CatalogError) in try catalog.volume(named: name) }
                ),
                dialogue.rights.allows(.pool, volume.pool)
            else { return try dialogue.table(ConsoleTable(kind: "volume", columns: [], rows: [])) }
            return try show(.volumes(pool: volume.pool), kind: "volume", column: "VolumeName", only: name)
        }
        if let jobText = command.value("jobid"), let jobID = Int64(jobText) {
            _ = try dialogue.job(jobID)
            return try show(.jobMedia(jobID: jobID), kind: "jobmedia")
        }
        if let pool = command.value("pool") {
            try dialogue.requireAllowed(.pool, pool)
            return try show(.volumes(pool: pool), kind: "volume")
        }
        let pools = try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.pools() }.map(\.name).sorted()
        for pool in pools where dialogue.rights.allows(.pool, pool) {
            try dialogue.remark("Pool: \(pool)\n")
            try show(.volumes(pool: pool), kind: "volume")
        }
    }

    private func nextVolume() throws(ConsoleStop) {
        let job = try dialogue.resource(.job, named: command.value("job", "jobname"))
        guard let pool = dialogue.configuration.target(of: "Pool", in: job) else {
            throw .failure(.badRequest, "Job \"\(job.name)\" has no Pool.")
        }
        let storage =
            dialogue.configuration.targets(of: "Storage", in: job).first
            ?? dialogue.configuration.targets(of: "Storage", in: pool).first
        let offer: VolumeOffer? = try dialogue.catalog { (catalog) throws(CatalogError) in
            guard let record = try catalog.pool(named: pool.name) else { return nil }
            var request = VolumeRequest(pool: record, mediaType: storage?.text("MediaType") ?? "")
            request.mayCreate = false
            return try catalog.nextVolume(request)
        }
        guard case .volume(let volume, _)? = offer else {
            return try dialogue.text("Could not find next Volume for Job \(job.name).\n")
        }
        let record = ConsoleRecord(
            kind: "nextvolume",
            fields: [("job", .init(job.name)), ("pool", .init(pool.name)), ("volume", .init(volume.volume))])
        try dialogue.emit(
            .record(record, text: "The next Volume to be used by Job \"\(job.name)\" will be \(volume.volume)\n"))
    }
}

extension ConsoleTable {
    /// Columns that hold names and texts, even where they look like numbers.
    private static let textColumns: Set<String> = [
        "Name", "Job", "VolumeName", "ClientName", "PoolName", "FileSet", "Comment", "LogText", "Filename",
        "LabelFormat", "MediaType",
        "Type", "Level", "JobStatus", "Uname", "MD5", "VolStatus", "PoolType", "Counter", "WrapCounter",
    ]

    /// The catalog's answer; texts that are whole numbers become numbers, where the column isn't one of names.
    init(kind: String, _ table: ResultTable) {
        let numeric = table.columns.map { !Self.textColumns.contains($0) }
        self.init(
            kind: kind, columns: table.columns,
            rows: table.rows.map { row in
                zip(row, numeric).map { field, isNumeric in
                    guard let field else { return .null }
                    if isNumeric, let number = Int64(field), String(number) == field { return .integer(number) }
                    return .text(field)
                }
            })
    }
}

extension JobFilter {
    /// The arguments of `list jobs` and its kin.
    init(_ command: CommandText, _ dialogue: ConsoleDialogue) throws(ConsoleStop) {
        self.init()
        if let text = command.value("jobid") {
            guard let list = JobIDList(text) else {
                throw .failure(.badRequest, "\"\(text)\" is no list of JobIds.", remedy: "Write 1,2,5-7.")
            }
            jobIDs = list.values
        }
        uniqueName = command.value("ujobid")
        name = command.value("job", "jobname")
        client = command.value("client")
        pool = command.value("pool")
        fileSet = command.value("fileset")
        volume = command.value("volume")
        if let text = command.value("level") {
            guard let level = text.count == 1 ? text.first : JobLevel(word: text)?.rawValue else {
                throw .failure(
                    .badRequest, "\"\(text)\" is no level.", remedy: "Write Full, Incremental, Differential, …")
            }
            levels = [level]
        }
        if let text = command.value("jobtype", "type") {
            guard let type = text.count == 1 ? text.first : JobType(word: text)?.rawValue else {
                throw .failure(.badRequest, "\"\(text)\" is no type of job.", remedy: "Write Backup, Restore, …")
            }
            types = [type]
        }
        if let text = command.value("jobstatus") { statuses = Set(text.filter { $0 != "," }) }
        if command.has("joberrors") { statuses = ["E", "e", "f", "A"] }
        if command.has("copies") { types = ["C"] }
        if let text = command.value("limit") {
            guard let number = Int(text), number > 0 else {
                throw .failure(.badRequest, "limit=\(text) is no number of jobs.")
            }
            limit = number
        }
        if let text = command.value("days") ?? command.value("hours") {
            guard let number = Int64(text), number >= 0, number < 100_000 else {
                throw .failure(.badRequest, "\"\(text)\" is no number of days or hours.")
            }
            since = WallTime(seconds: WallTime.now.seconds - number * (command.value("days") != nil ? 86400 : 3600))
        }
        newestFirst = command.value("order").map { $0.lowercased().hasPrefix("d") } ?? false
    }
}

/// `1,2,5-7`
struct JobIDList {
    var values: [Int64] = []
    /// Nil where the text is no such list, or names more than a hundred thousand jobs.
    init?(_ text: String) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.trimmed.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
            switch ends.count {
            case 1:
                guard let value = ends[0], value > 0 else { return nil }
                values.append(value)
            case 2:
                guard let first = ends[0], let last = ends[1], first > 0, first <= last, last - first < 100_000 else {
                    return nil
                }
                values += first...last
            default: return nil
            }
            guard values.count <= 100_000 else { return nil }
        }
    }
}
