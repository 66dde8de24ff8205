// A backup: which level, which volumes, and the conversation with both daemons until the files are in the catalog.
//
// The order (bacula-wire 10.1, 10.2): the storage daemon is told to expect the job and reserves a device; the client is
// told what to read and where to send it; then both work, and we serve the catalog and listen. Each side may fail at any
// moment: the other one is told to stop, and neither is waited for without end.

import Catalog
import Configuration
import Platform
import Wire

struct BackupJob {
    let context: JobContext
    private let client: Resource
    private let fileSet: Resource
    private let definition: FileSetDefinition

    // What is found out on the way; the report tells it.
    private var level: JobLevel
    private var pool: Resource
    private var poolRecord: PoolRecord?
    private var storage: Resource?
    private var device = ""
    private var since: JobRecord?
    private var uname = ""
    private var session: StorageSession?
    private var clientEnd: ClientEnd?
    private var storageEnd: StorageEnd?
    private var problem: DirectorError?
    private var basis: BackupBasis?
    private var isAppliance = false

    init(_ context: JobContext) throws(DirectorError) {
        self.context = context
        let plan = context.plan
        client = plan.client!
        fileSet = plan.fileSet!
        pool = plan.pool!
        level = plan.level
        definition = FileSetDefinition(fileSet)
    }

    private var live: LiveJob { context.live }
    private var plan: JobPlan { context.plan }
    private var desk: MessageDesk { context.desk }

    /// Never throws: whatever happens is in the outcome.
    mutating func run() async -> JobOutcome {
        do throws(DirectorError) {
            try prepare()
            let scripts = RunScriptDefinition.all(of: plan.job)
            try context.runScripts(scripts, .before, status: .running)
            try context.checkCancelled()
            try await transfer(scripts)
        } catch {
            problem = error
        }
        return conclude()
    }

    // MARK: - Before the daemons

    /// Rows for client and FileSet, the level, the pool.
    private mutating func prepare() throws(DirectorError) {
        let basis = try BackupBasis(plan, definition: definition, catalog: context.catalog)
        self.basis = basis
        for message in basis.choice.messages { desk.info(message) }
        level = basis.choice.level
        since = basis.choice.since
        guard let chosen = plan.pool(for: level) else { throw DirectorError(.configuration, "No pool for level \(level.word).") }
        pool = chosen
        let poolName = pool.name
        guard let known = try context.inCatalog({ catalog throws(CatalogError) in try catalog.pool(named: poolName) }) else {
            throw DirectorError(.catalog, "Pool \"\(poolName)\" is not in the catalog.", remedy: "Reload the director.")
        }
        var complete = PoolRecord(pool)
        complete.poolID = known.poolID
        complete.volumes = known.volumes
        poolRecord = complete

        var start = JobStart(started: live.state.read { $0.started } ?? .now, level: level.rawValue)
        start.clientID = basis.clientID
        start.poolID = known.poolID
        start.fileSetID = basis.fileSet.fileSetID
        let jobID = live.jobID, record2 = start
        try context.inCatalog { catalog throws(CatalogError) in try catalog.startJob(jobID, record2) }
        let previous = try previousOfSameLevel()
        let level = level
        live.state.withLock { state in
            state.level = level
            state.pool = poolName
            state.filesExpected = previous?.files
            state.bytesExpected = previous?.bytes
        }
        desk.info("Start Backup JobId \(live.jobID), Job=\(live.uniqueName)")
    }

    /// For the time that remains: the newest good job of this name and level.
    private func previousOfSameLevel() throws(DirectorError) -> JobRecord? {
        var filter = JobFilter()
        filter.name = plan.job.name
        filter.levels = [level.rawValue]
        filter.statuses = ["T", "W"]
        filter.newestFirst = true
        filter.limit = 1
        let wanted = filter
        return try context.inCatalog { catalog throws(CatalogError) in try catalog.jobs(wanted) }.first
    }

    // MARK: - With the daemons

    private mutating func transfer(_ scripts: [RunScriptDefinition]) async throws(DirectorError) {
        let (context, live) = (context, live)
        let granted = live.state.read { $0.storage }
        let storage = plan.storages.first { $0.name == granted } ?? plan.storages[0]
        self.storage = storage
        context.armCancellation(client: client) { storage }
        let dialler = context.dialler
        let connection = try await context.interruptible { () throws(DirectorError) in try await dialler.dialStorage(storage) }
        let link = StorageLink(connection, name: "Storage \"\(storage.name)\"") { context.take($0, fromStorage: true) }
        let storageKey = live.attach(link.channel)
        defer { live.detach(storageKey) }

        // The reader tells the client when the storage side is gone: it would wait for it in vain.
        let clientSide = Monitor<MessageChannel?>(nil)
        let client = client
        let serverJob = CatalogServerJob(
            jobID: live.jobID, pool: poolRecord, labels: labelVariables(storage),
            storesFiles: pool.bool("CatalogFiles"))
        let reader = Task(executorPreference: ElasticExecutor.shared) {
            let server = CatalogServer(job: serverJob, catalog: context.catalog, desk: context.desk, live: live)
            link.serve(server) { failure in
                ElasticExecutor.shared.detach { await StoppedPeer.stopClient(client, clientSide, context, because: failure) }
            }
        }

        var failure: DirectorError?
        do throws(DirectorError) {
            try openStorage(link, storage)
            try await talkToClient(link, storage, scripts, clientSide)
        } catch { failure = error }
        clientSide.withLock { $0 = nil }

        let clientWasFine = failure == nil && clientEnd?.status.isSuccess == true
        await StoppedPeer.closeStorage(link, storage, context, patiently: clientWasFine, clientEnded: clientEnd != nil)
        await reader.value
        storageEnd = link.end
        if let storageFailure = link.failure, failure == nil || failure?.kind == .cancelled { failure = storageFailure }
        if let failure { throw failure }
    }

    private mutating func openStorage(_ link: StorageLink, _ storage: Resource) throws(DirectorError) {
        var job = StorageJob(
            jobID: live.jobID, uniqueName: live.uniqueName, jobName: plan.job.name, client: client.name, type: .backup,
            level: level,
            fileSet: fileSet.name, fileSetDigest: definition.md5)
        job.spoolsAttributes = plan.job.bool("SpoolAttributes")
        job.spoolsData = plan.request.spoolData ?? plan.job.bool("SpoolData")
        job.spoolBytesMax = plan.job.size("SpoolSize")
        job.prefersMountedVolumes = plan.job.bool("PreferMountedVolumes")
        let session = try link.start(job)
        self.session = session
        let jobID = live.jobID
        try context.inCatalog { catalog throws(CatalogError) in
            try catalog.setSession(session.sessionID, session.sessionTime, ofJob: jobID)
        }
        live.set(.waitingForDevice, reason: "storage \"\(storage.name)\" looks for a device")
        device = try link.reserve(storage, pool: pool.name, poolType: pool.text("PoolType") ?? "Backup", forAppend: true)
        desk.info("Using Device \"\(device)\" to write.")
        try context.checkCancelled()
        try link.run()
        live.set(.waitingForClient)
    }

    private mutating func talkToClient(
        _ storageLink: StorageLink, _ storage: Resource, _ scripts: [RunScriptDefinition], _ clientSide: Monitor<MessageChannel?>
    ) async throws(DirectorError) {
        let (context, live, client) = (context, live, client)
        let dialler = context.dialler
        let connection = try await context.interruptible { () throws(DirectorError) in try await dialler.dialClient(client) }
        isAppliance = connection.isAppliance
        let link = ClientLink(connection, name: "Client \"\(client.name)\"") { context.take($0, fromStorage: false) }
        let key = live.attach(link.channel)
        defer { live.detach(key) }
        clientSide.withLock { $0 = link.channel }
        defer { link.close() }
        if let failure = storageLink.failure { throw failure }

        let session = session!
        uname = try link.identify(
            jobID: live.jobID, uniqueName: live.uniqueName, sessionID: session.sessionID, sessionTime: session.sessionTime,
            authorization: session.authorization)
        var record = ClientRecord(client)
        record.uname = uname
        let known = record
        _ = try context.inCatalog { catalog throws(CatalogError) in try catalog.syncClient(known) }

        let isAccurate = plan.accurate && level != .full
        try link.sendLevel(
            level, accurate: isAccurate, mtimeOnly: false, since: since?.started, previousJob: since?.uniqueName ?? "")
        try definition.send(to: link, storage: storage)
        let address = DaemonDialler.storageAddress(of: storage, for: client)
        try link.sendStorage(host: address.host, port: address.port, usesTLS: TLSNeed.of(storage), authorization: nil)
        try link.sendScripts(scripts)
        if isAccurate, let basis {
            try link.sendAccurateList(of: basis.accurateJobs, from: context.catalog, withDigests: definition.comparesDigests)
        }
        try context.checkCancelled()
        try link.command("backup FileIndex=0\n", expecting: "2000 OK backup")
        live.set(.running)
        let end = try link.awaitEnd()
        clientEnd = end
        live.progress(files: end.files, bytes: end.bytes)
        live.state.withLock { $0.readBytes = end.readBytes }
    }

    private func labelVariables(_ storage: Resource) -> LabelVariables {
        var labels = LabelVariables()
        labels.job = plan.job.name
        labels.jobName = live.uniqueName
        labels.director = context.directorName
        labels.level = level.word
        labels.type = plan.type.word
        labels.jobID = live.jobID
        labels.client = client.name
        labels.storage = storage.name
        labels.catalog = client.text("Catalog") ?? ""
        return labels
    }

    // MARK: - The end

    private mutating func conclude() -> JobOutcome {
        var outcome = JobOutcome(finalStatus())
        outcome.files = clientEnd?.files ?? 0
        outcome.bytes = clientEnd?.bytes ?? 0
        outcome.readBytes = clientEnd?.readBytes ?? 0
        let volumes = jobMedia()
        let names = volumes.reduce(into: [String]()) { if $0.last != $1.volume { $0.append($1.volume) } }
        live.state.withLock { $0.volume = names.joined(separator: "|") }
        if outcome.status.isSuccess { writeBootstrap() }
        if let problem {
            outcome.status == .cancelled ? desk.warning(problem.sentence) : desk.fatal(problem.sentence)
        }
        outcome.report = report(outcome, volumes: names)
        outcome.termination = JobReport.termination(.backup, outcome.status)
        return outcome
    }

    private func finalStatus() -> JobStatus {
        if live.isCancelled { return .cancelled }
        if problem != nil { return .fatal }
        guard let clientEnd, let storageEnd else { return .fatal }
        if !clientEnd.status.isSuccess { return clientEnd.status }
        if !storageEnd.status.isSuccess { return storageEnd.status == .cancelled ? .fatal : storageEnd.status }
        return clientEnd.errors > 0 || storageEnd.errors > 0 || desk.errors > 0
            || desk.warnings > 0 && clientEnd.status == .warnings
            ? .warnings : .ok
    }

    private func jobMedia() -> [JobMediaRecord] {
        (try? context.catalog.jobMedia(ofJob: live.jobID)) ?? []
    }

    private func writeBootstrap() {
        guard let target = plan.job.text("WriteBootstrap"), !target.isEmpty else { return }
        let storageName = storage?.name ?? "", device = device
        do throws(DirectorError) {
            let jobID = live.jobID
            let bootstrap: CatalogBootstrap
            do throws(CatalogError) {
                bootstrap = try context.catalog.bootstrap(for: RestoreSelection(jobs: [(jobID, nil)])) { _ in (storageName, device)
                }
            } catch {
                if error.kind == .notFound { return }  // nothing was written, there is nothing to point to
                throw DirectorError(error)
            }
            let head = "# \(JobReport.moment(.now)) - \(live.uniqueName) - \(level.word)\n"
            try WrittenBootstrap.store(
                head + bootstrap.text, target: context.codes(status: .ok).expand(target), replacing: level == .full)
        } catch { desk.error("Write Bootstrap: \(error.sentence)") }
    }

    private func report(_ outcome: JobOutcome, volumes: [String]) -> [(label: String, value: String)] {
        let state = live.state.read { $0 }
        let now = WallTime.now
        let started = state.started ?? now
        let seconds = max(0, now.seconds - started.seconds)
        var lines: [(label: String, value: String)] = []
        func add(_ label: String, _ value: String) { lines.append((label, value)) }
        add("JobId", "\(live.jobID)")
        add("Job", live.uniqueName)
        var levelText = level.word
        if let since, let time = since.started { levelText += ", since=\(time.localText)" }
        add("Backup Level", levelText)
        add("Client", "\"\(client.name)\" \(uname)")
        add("FileSet", "\"\(fileSet.name)\" \(basis?.fileSet.created?.localText ?? "")")
        add("Pool", "\"\(pool.name)\"")
        add("Catalog", "\"\(client.text("Catalog") ?? "")\"")
        add("Storage", "\"\(storage?.name ?? "")\"")
        add("Scheduled time", JobReport.moment(live.scheduled))
        add("Start time", JobReport.moment(started))
        add("End time", JobReport.moment(now))
        add("Elapsed time", JobReport.elapsed(seconds))
        add("Priority", "\(plan.priority)")
        add("FD Files Written", JobReport.grouped(outcome.files))
        add("SD Files Written", JobReport.grouped(storageEnd?.files ?? 0))
        add("FD Bytes Written", JobReport.bytes(outcome.bytes))
        add("SD Bytes Written", JobReport.bytes(storageEnd?.bytes ?? 0))
        add("Rate", "\(JobReport.fixed(Double(outcome.bytes) / 1000 / Double(max(1, seconds)), 1)) KB/s")
        if outcome.readBytes > 0, outcome.bytes < outcome.readBytes {
            let saved = 100 * (1 - Double(outcome.bytes) / Double(outcome.readBytes))
            add(
                "Software Compression",
                "\(JobReport.fixed(saved, 1))% \(JobReport.fixed(Double(outcome.readBytes) / Double(max(1, outcome.bytes)), 1)):1")
        } else {
            add("Software Compression", "None")
        }
        add("Encryption", clientEnd?.isEncrypted == true ? "yes" : "no")
        add("Accurate", plan.accurate ? "yes" : "no")
        add("Volume name(s)", volumes.joined(separator: "|"))
        add("Volume Session Id", "\(session?.sessionID ?? 0)")
        add("Volume Session Time", "\(session?.sessionTime ?? 0)")
        let lastBytes = volumes.last.flatMap { name in (try? context.catalog.volume(named: name))?.bytes } ?? 0
        add("Last Volume Bytes", JobReport.bytes(lastBytes))
        add("Non-fatal FD errors", "\(clientEnd?.errors ?? 0)")
        add("SD Errors", "\(storageEnd?.errors ?? 0)")
        add("FD termination status", clientEnd?.status.text ?? "no answer")
        add("SD termination status", storageEnd?.status.text ?? "no answer")
        return lines
    }
}
