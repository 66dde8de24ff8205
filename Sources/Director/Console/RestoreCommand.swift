// restore: which jobs, which files of them, and the order that brings them back (bacula-wire 7.6).

import Catalog
import Configuration
import Platform

extension DirectorCommand {
    static let restoreCommands: [DirectorCommand] = [
        DirectorCommand(
            "restore", "Restore files",
            "client=<name> restoreclient=<name> where=<directory> replace=<always|ifnewer|ifolder|never> fileset=<name> jobid=<id,…> current "
                + "before=<YYYY-MM-DD HH:MM:SS> file=<path> directory=<path> select all done storage=<name> pool=<name> restorejob=<name> comment=<text> "
                + "stripprefix=<text> addprefix=<text> addsuffix=<text> regexwhere=<!from!to!> yes",
            details: """
                restore client=NAME select current all done yes            everything of the newest backup, without a question
                restore client=NAME before="2026-11-20 12:00:00" select    as it was then; choose files in a tree
                restore client=NAME file=/etc/passwd file=/etc/ssh done    these, from the newest backup
                restore jobid=12,15 all done                               everything of these jobs
                Without where= files go where the Restore job's Where says; where=/ is their own place.
                """
        ) { (dialogue, command) async throws(ConsoleStop) in try RestoreOrdering(dialogue, command).run() }
    ]
}

/// One `restore`, from the menu to the queue.
struct RestoreOrdering {
    let dialogue: ConsoleDialogue
    let command: CommandText

    init(_ dialogue: ConsoleDialogue, _ command: CommandText) {
        self.dialogue = dialogue
        self.command = command
    }

    /// Jobs to restore from, oldest first, and whose they are.
    private struct Source {
        var jobs: [JobRecord]
        var client: String
    }

    /// What is to be read back.
    private struct Choice {
        enum Part {
            case everything
            case files(Set<Int32>)

            var fileIndexes: Set<Int32>? { if case .files(let indexes) = self { indexes } else { nil } }
        }
        /// By JobId.
        var selected: [Int64: Part]
        var files: Int64
        var bytes: Int64
    }

    func run() throws(ConsoleStop) {
        try dialogue.announceCatalog()
        var names = command.values("file") + command.values("directory")
        guard let source = try source(&names) else { return }
        guard !source.jobs.isEmpty else {
            throw .failure(
                .notFound, "No backup to restore was found.", remedy: "\"list jobs client=NAME\" shows what there is.")
        }
        let jobs = source.jobs
        try showJobs(jobs)
        let list = jobs.map { "\($0.jobID)" }.joined(separator: ",")
        try dialogue.emit(
            .information("You have selected the following JobId\(jobs.count == 1 ? "" : "s"): \(list)\n\n"))
        let choice = names.isEmpty ? try chooseInTree(jobs) : try choose(named: names, jobs)
        guard var choice else { return try dialogue.text("No files selected to be restored.\n") }
        try closeOverHardLinks(&choice)
        try order(source, choice)
    }

    // MARK: - Which jobs

    private static let menu = [
        "List last 20 Jobs run", "List Jobs where a given File is saved",
        "Enter list of comma separated JobIds to select", "Enter SQL list command",
        "Select the most recent backup for a client", "Select backup for a client before a specified time",
        "Enter a list of files to restore",
        "Enter a list of files to restore before a specified time",
        "Find the JobIds of the most recent backup for a client",
        "Find the JobIds for a backup for a client before a specified time",
        "Enter a list of directories to restore for found JobIds",
        "Select full restore to a specified Job date", "Cancel",
    ]

    /// Nil where the operator has only looked.
    private func source(_ names: inout [String]) throws(ConsoleStop) -> Source? {
        if let text = command.value("jobid") { return try source(ofJobs: text) }
        let before = try command.value("before").map { text throws(ConsoleStop) in try JobOrder.moment(text) }
        if before != nil || command.has("current") || !names.isEmpty { return try newest(before: before) }
        try dialogue.remark(
            """

            First you select one or more JobIds that contain files
            to be restored. You will be presented several methods
            of specifying the JobIds. Then you will be allowed to
            select which files from those JobIds are to be restored.


            """)
        while true {
            switch try dialogue.choose(
                title: "To select the JobIds, you have the following choices:\n", Self.menu, prompt: "Select item: ")
            {
            case 0:
                var filter = JobFilter()
                filter.types = ["B"]
                filter.limit = 20
                let table = try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.list(.jobs(filter)) }
                try dialogue.table(ConsoleTable(kind: "job", table))
            case 1: try listVersions()
            case 2: return try source(ofJobs: try dialogue.ask(.text("Enter JobId(s), comma separated, to restore: ")))
            case 3:
                let query = try dialogue.ask(.text("Enter SQL list command: "))
                try SQLQueries(dialogue).refuseNamedConsoles()
                let table = try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.query(query) }
                try dialogue.table(ConsoleTable(kind: "row", table))
            case 4: return try newest(before: nil)
            case 5: return try newest(before: try askMoment())
            case 6:
                let source = try newest(before: nil)
                names = try askNames("Enter full filename: ")
                return names.isEmpty ? nil : source
            case 7:
                let source = try newest(before: try askMoment())
                names = try askNames("Enter full filename: ")
                return names.isEmpty ? nil : source
            case 8: try showIdentifiers(try newest(before: nil))
            case 9: try showIdentifiers(try newest(before: try askMoment()))
            case 10:
                let source = try newest(before: nil)
                names = try askNames("Enter directory name: ").map { $0.hasSuffix("/") ? $0 : $0 + "/" }
                return names.isEmpty ? nil : source
            case 11:
                let text = try dialogue.ask(.text("Enter JobId to get the state to restore: "))
                guard let jobID = Int64(text) else { throw .failure(.badRequest, "\"\(text)\" is no JobId.") }
                let job = try dialogue.job(jobID)
                // Everything that had started by then, the job itself included.
                let moment = WallTime(seconds: (job.started ?? .now).seconds + 1)
                return try newest(before: moment, client: job.client, fileSet: job.fileSet)
            default: throw .cancelled("")
            }
        }
    }

    private func askMoment() throws(ConsoleStop) -> WallTime {
        try dialogue.remark("The restored files will be the most current backup\nBEFORE the date you specify below.\n")
        return try JobOrder.moment(try dialogue.ask(.text("Enter date as YYYY-MM-DD HH:MM:SS :")))
    }

    private func askNames(_ question: String) throws(ConsoleStop) -> [String] {
        try dialogue.remark("Enter one name per line; an empty line ends the list.\n")
        var names: [String] = []
        while names.count < 100_000 {
            let name = try dialogue.ask(.text(question))
            if name.isEmpty { break }
            names.append(name)
        }
        return names
    }

    private func showIdentifiers(_ source: Source) throws(ConsoleStop) {
        let list = source.jobs.map { "\($0.jobID)" }.joined(separator: ",")
        try dialogue.text("You have selected the following JobId\(source.jobs.count == 1 ? "" : "s"): \(list)\n")
    }

    private func listVersions() throws(ConsoleStop) {
        let client = try dialogue.resource(.client, named: command.value("client")).name
        let name = try dialogue.ask(.text("Enter Filename (no path) or full path: "))
        let files = try dialogue.catalog { (catalog) throws(CatalogError) in
            try catalog.versions(of: Array(name.utf8), client: client)
        }
        try dialogue.table(
            ConsoleTable(
                kind: "version", columns: ["JobId", "Filename", "Size", "Modified"],
                rows: files.map { file in
                    [
                        .init(file.jobID), .init(String(decoding: file.fullName, as: UTF8.self)),
                        .init(file.status.size),
                        .init(WallTime(seconds: file.status.modifyTime).localText),
                    ]
                }))
    }

    private func source(ofJobs text: String) throws(ConsoleStop) -> Source {
        guard let list = JobIDList(text) else {
            throw .failure(.badRequest, "\"\(text)\" is no list of JobIds.", remedy: "Write 1,2,5-7.")
        }
        var jobs: [JobRecord] = []
        for jobID in Set(list.values).sorted() {
            let job = try dialogue.job(jobID)
            guard job.type == "B" || job.type == "C" else {
                throw .failure(.badRequest, "Job \(jobID) is no backup, so there is nothing to restore from it.")
            }
            if !job.isUsable {
                try dialogue.emit(
                    .warning("Job \(jobID) did not end well (\(job.status)): some of its files may be missing.\n"))
            }
            jobs.append(job)
        }
        guard jobs.count <= Int(UInt16.max) else { throw .failure(.badRequest, "That is more than 65535 jobs.") }
        let clients = Set(jobs.map(\.client))
        let client = try command.value("client").map { name throws(ConsoleStop) in
            try dialogue.resource(.client, named: name).name
        }
        return Source(jobs: jobs, client: client ?? (clients.count == 1 ? clients.first! : jobs.last?.client ?? ""))
    }

    private func newest(before: WallTime?, client: String? = nil, fileSet: String? = nil) throws(ConsoleStop) -> Source {
        let client =
            if let client { client } else { try dialogue.resource(.client, named: command.value("client", "fd")).name }
        let fileSets = try dialogue.catalog { (catalog) throws(CatalogError) in
            try catalog.restorableFileSets(client: client)
        }
        .filter { dialogue.rights.allows(.fileSet, $0) }
        let chosen: String
        if let wanted = fileSet ?? command.value("fileset") {
            guard
                let found = fileSets.first(where: { $0 == wanted })
                    ?? fileSets.first(where: { $0.isSameWord(as: wanted) })
            else {
                throw .failure(
                    .notFound, "Client \"\(client)\" has no full backup of FileSet \"\(wanted)\".",
                    remedy: fileSets.isEmpty
                        ? "Run one first." : "It has one of \(fileSets.map { "\"\($0)\"" }.joined(separator: ", ")).")
            }
            chosen = found
        } else {
            guard !fileSets.isEmpty else {
                throw .failure(
                    .notFound, "No full backup of client \"\(client)\" is in the catalog.", remedy: "Run one first.")
            }
            chosen =
                fileSets[
                    try dialogue.choose(
                        title: "The defined FileSet resources are:\n", fileSets, noun: "FileSet",
                        prompt: "Select FileSet resource")]
        }
        let pool = command.value("pool")
        let jobs = try dialogue.catalog { (catalog) throws(CatalogError) in
            try catalog.restoreChain(client: client, fileSet: chosen, before: before, pool: pool)
        }.filter { dialogue.rights.allows(.job, $0.name) }
        guard !jobs.isEmpty else {
            throw .failure(
                .notFound,
                "No full backup of client \"\(client)\" and FileSet \"\(chosen)\" \(before.map { "before \($0.localText) " } ?? "")is in the catalog.",
                remedy: "\"list jobs client=\(CommandText.quoted(client))\" shows what there is.")
        }
        return Source(jobs: jobs, client: client)
    }

    private func showJobs(_ jobs: [JobRecord]) throws(ConsoleStop) {
        var rows: [[ConsoleValue]] = []
        for job in jobs {
            let volumes = try dialogue.catalog { (catalog) throws(CatalogError) in
                try catalog.jobMedia(ofJob: job.jobID)
            }.map(\.volume)
            var seen: Set<String> = []
            let distinct = volumes.filter { seen.insert($0).inserted }
            for volume in distinct.isEmpty ? [""] : distinct {
                rows.append([
                    .init(job.jobID), .init(String(job.level)), .init(job.files), .init(job.bytes),
                    .init(job.started?.localText ?? ""), .init(volume),
                ])
            }
        }
        try dialogue.table(
            ConsoleTable(
                kind: "restore_job", columns: ["JobId", "Level", "JobFiles", "JobBytes", "StartTime", "VolumeName"],
                rows: rows))
    }

    // MARK: - Which files

    private func chooseInTree(_ jobs: [JobRecord]) throws(ConsoleStop) -> Choice? {
        let identifiers = jobs.map(\.jobID)
        let list = identifiers.map { "\($0)" }.joined(separator: ",")
        try dialogue.emit(.information("Building directory tree for JobId(s) \(list) ...  \n"))
        var tree = RestoreTree(jobIDs: identifiers)
        try dialogue.catalog { (catalog) throws(CatalogError) in
            try catalog.newestFiles(ofJobs: identifiers) { tree.insert($0) }
        }
        tree.finish()
        guard tree.entryCount > 0 else { return try wholeJobs(jobs) }
        let all = command.has("all")
        if all { tree.setMarked(true, RestoreTree.root) }
        try dialogue.emit(
            .information(
                "\(JobReport.grouped(Int64(tree.fileCount))) files inserted into the tree\(all ? " and marked for extraction" : "").\n"
            ))
        // `done` alone restores nothing: without `all` somebody has to mark.
        if !(command.has("done") && all) {
            var inner = RestoreTreeDialogue(dialogue, tree)
            guard try inner.run() else { throw .cancelled("Selection aborted, nothing done.\n") }
            tree = inner.tree
        }
        let (entries, bytes) = tree.selection
        guard entries > 0 else { return nil }
        // A single job that is wanted whole needs no list of a million numbers.
        if identifiers.count == 1, Int(entries) == tree.entryCount {
            return Choice(selected: [identifiers[0]: .everything], files: entries, bytes: bytes)
        }
        return Choice(selected: tree.selected.mapValues { .files($0) }, files: entries, bytes: bytes)
    }

    /// The file rows are gone (purged, or the pool keeps none): all or nothing.
    private func wholeJobs(_ jobs: [JobRecord]) throws(ConsoleStop) -> Choice? {
        try dialogue.emit(
            .warning(
                "There were no files inserted into the tree, so file selection is not possible. Most likely the files were pruned.\n"
            ))
        if !command.has("all") {
            guard try dialogue.askYesNo("Do you want to restore all the files? (yes/no): ") else { return nil }
        }
        return Choice(
            selected: Dictionary(uniqueKeysWithValues: jobs.map { ($0.jobID, .everything) }),
            files: jobs.reduce(0) { $0 + $1.files },
            bytes: jobs.reduce(0) { $0 + $1.bytes })
    }

    /// Files and directories by name; a directory brings everything below it. `<FILE` reads names from a file of the director.
    private func choose(named names: [String], _ jobs: [JobRecord]) throws(ConsoleStop) -> Choice? {
        var wanted: [[UInt8]] = []
        for name in names {
            if name.hasPrefix("<") {
                do throws(SystemError) {
                    let bytes = try BoundedReading.file(String(name.dropFirst()), bytesMax: 64 << 20).bytes ?? []
                    wanted += bytes.split(separator: 0x0A).map(Array.init)
                } catch { throw .failed(error) }
            } else {
                wanted.append(Array(name.utf8))
            }
        }
        // A name without a slash at its end may be a file or a directory.
        let both = wanted.flatMap { $0.last == UInt8(ascii: "/") ? [$0] : [$0, $0 + [UInt8(ascii: "/")]] }
        let identifiers = jobs.map(\.jobID)
        let files = try dialogue.catalog { (catalog) throws(CatalogError) in
            try catalog.files(named: both, inJobs: identifiers, recursive: true)
        }
        let found = Set(files.map(\.fullName))
        for name in wanted {
            let isThere =
                found.contains(name) || found.contains(name + [UInt8(ascii: "/")])
                || files.contains {
                    $0.path.starts(with: name.last == UInt8(ascii: "/") ? name : name + [UInt8(ascii: "/")])
                }
            if !isThere {
                try dialogue.emit(
                    .warning("No backup of \"\(String(decoding: name, as: UTF8.self))\" was found in these jobs.\n"))
            }
        }
        guard !files.isEmpty else { return nil }
        var selected: [Int64: Set<Int32>] = [:]
        var bytes: Int64 = 0
        for file in files where selected[file.jobID, default: []].insert(file.fileIndex).inserted {
            if file.linkFileIndex == nil, file.status.mode & 0o170000 == 0o100000 { bytes &+= file.status.size }
        }
        return Choice(
            selected: selected.mapValues { .files($0) }, files: Int64(selected.values.reduce(0) { $0 + $1.count }),
            bytes: bytes)
    }

    private func closeOverHardLinks(_ choice: inout Choice) throws(ConsoleStop) {
        var some = choice.selected.compactMapValues { $0.fileIndexes }
        guard !some.isEmpty else { return }
        try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.closeOverHardLinks(&some) }
        for (jobID, indexes) in some { choice.selected[jobID] = .files(indexes) }
        if some.count == choice.selected.count { choice.files = Int64(some.values.reduce(0) { $0 + $1.count }) }
    }

    // MARK: - The order

    private func order(_ source: Source, _ choice: Choice) throws(ConsoleStop) {
        let configuration = dialogue.configuration
        let job = try restoreJob()
        let storage = try command.value("storage").map { name throws(ConsoleStop) in
            try dialogue.resource(.storage, named: name)
        }
        let candidates =
            (storage.map { [$0] } ?? []) + configuration.targets(of: "Storage", in: job) + configuration.all(.storage)
            + configuration.all(.autochanger)
        func reader(of volume: JobMediaRecord) -> Resource? {
            candidates.first { $0.text("MediaType") == volume.mediaType }
        }
        let selection = RestoreSelection(
            jobs: source.jobs.compactMap { record in
                choice.selected[record.jobID].map { (jobID: record.jobID, fileIndexes: $0.fileIndexes) }
            })
        let bootstrap = try dialogue.catalog { (catalog) throws(CatalogError) in
            try catalog.bootstrap(for: selection) { volume in
                reader(of: volume).map { (storage: $0.name, device: $0.text("Device") ?? "") }
            }
        }
        let path = try write(bootstrap.text)
        try dialogue.remark("Bootstrap records written to \(path)\n")
        try showVolumes(bootstrap.volumes, reader)
        let files =
            choice.selected.contains { $0.value.fileIndexes == nil }
            ? max(choice.files, bootstrap.files) : bootstrap.files
        try dialogue.emit(
            .information("\n\(JobReport.grouped(files)) file\(files == 1 ? "" : "s") selected to be restored.\n\n"))

        var request = JobRequest(job: job.name, origin: dialogue.origin)
        request.client = source.client.isEmpty ? nil : source.client
        request.fileSet = configuration.named(.fileSet, source.jobs.last?.fileSet ?? "")?.name
        request.storage = storage?.name ?? bootstrap.volumes.first.flatMap(reader)?.name
        var restore = RestoreOrder(bootstrap: bootstrap.text, filesExpected: files, bytesExpected: choice.bytes)
        restore.jobIDs = source.jobs.map(\.jobID)
        restore.prefixLinks = job.bool("PrefixLinks")
        request.restore = restore
        var order = JobOrder(job: job, request: request, configuration: configuration)
        order.bootstrapPath = path
        try order.takeRestoreArguments(command, dialogue)
        try dialogue.requireAllowed(.job, job.name)
        try RunDialogue(dialogue).confirm(&order, yes: command.has("yes"))
    }

    private func restoreJob() throws(ConsoleStop) -> Resource {
        let jobs = dialogue.resources(.job).filter { $0.text("Type").flatMap { JobType(word: $0) } == .restore }
        if let name = command.value("restorejob") ?? command.value("job") {
            guard let job = jobs.first(where: { $0.name.isSameWord(as: name) }) else {
                throw .failure(
                    .notFound, "There is no Restore Job \"\(name)\".", remedy: "\"show jobs\" lists the jobs.")
            }
            return job
        }
        guard !jobs.isEmpty else {
            throw .failure(
                .configuration, "No Job of Type Restore is defined.",
                remedy: "Add Job { Name = Restore; Type = Restore; … } and reload.")
        }
        // Bacula asks even in a script; with `yes` there is nobody to ask, so the first one is it.
        if jobs.count == 1 || command.has("yes") { return jobs[0] }
        return jobs[
            try dialogue.choose(
                title: "The defined Restore Job resources are:\n", jobs.map(\.name), prompt: "Select Restore Job")]
    }

    /// Keeps the bootstrap beside the director's state, under a name of its own.
    private func write(_ text: String) throws(ConsoleStop) -> String {
        let directory = dialogue.services.director.text("WorkingDirectory") ?? "/tmp"
        do throws(SystemError) {
            return try RestoreBootstrapFile.write(text, in: directory, director: dialogue.services.name)
        } catch { throw .failed(error) }
    }

    private func showVolumes(_ volumes: [JobMediaRecord], _ reader: (JobMediaRecord) -> Resource?) throws(ConsoleStop) {
        try dialogue.remark(
            """

            The Job will require the following (*=>InChanger):
               Volume(s)                 Storage(s)                SD Device(s)
            ===========================================================================
               

            """)
        for volume in volumes {
            let storage = reader(volume)
            let device = storage?.text("Device") ?? ""
            let mark = volume.inChanger ? "*" : " "
            let record = ConsoleRecord(
                kind: "restore_volume",
                fields: [
                    ("volume", .init(volume.volume)), ("storage", .init(storage?.name ?? "")),
                    ("device", .init(device)),
                ])
            try dialogue.emit(
                .record(
                    record,
                    text:
                        "   \(mark)\(volume.volume.padded(to: 25)) \((storage?.name ?? "").padded(to: 25)) \(device.padded(to: 25))\n"
                ))
        }
        try dialogue.remark("\nVolumes marked with \"*\" are in the Autochanger.\n\n")
    }
}

/// The bootstrap file of a restore: `lab-dir.restore.7.bsr` in the working directory.
enum RestoreBootstrapFile {
    private static let counter = Monitor(0)

    /// - Returns: Its path.
    static func write(_ text: String, in directory: String, director: String) throws(SystemError) -> String {
        let number = counter.withLock {
            $0 += 1; return $0
        }
        let path = "\(directory)/\(director).restore.\(number).bsr"
        try DurableText.replace(path, with: text)
        return path
    }
}
