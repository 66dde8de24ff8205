// A restore: the bootstrap goes to the storage daemon, the client reads from there and writes its files.
//
// A bootstrap may need several storages; each part is a conversation of its own with its storage daemon, while the one
// with the client goes on (bacula-wire 3.11).

import Catalog
import Configuration
import Platform
import Wire

struct RestoreJob {
    let context: JobContext
    private let client: Resource
    private let order: RestoreOrder
    private var uname = ""
    private var clientEnd: ClientEnd?
    private var storageErrors: Int64 = 0
    private var storageStatus: JobStatus?
    private var problem: DirectorError?

    init(_ context: JobContext) throws(DirectorError) {
        self.context = context
        guard let client = context.plan.client, let order = context.plan.request.restore else {
            throw DirectorError(.badRequest, "A restore needs a client and a selection.")
        }
        self.client = client
        self.order = order
    }

    private var live: LiveJob { context.live }
    private var plan: JobPlan { context.plan }
    private var desk: MessageDesk { context.desk }

    mutating func run() async -> JobOutcome {
        do throws(DirectorError) {
            try prepare()
            let scripts = RunScriptDefinition.all(of: plan.job)
            try context.runScripts(scripts, .before, status: .running)
            try await transfer(scripts)
        } catch { problem = error }
        return conclude()
    }

    private mutating func prepare() throws(DirectorError) {
        let record = ClientRecord(client)
        var start = JobStart(started: live.state.read { $0.started } ?? .now, level: " ")
        start.clientID = try context.inCatalog { catalog throws(CatalogError) in try catalog.syncClient(record) }
        let row = start, jobID = live.jobID
        try context.inCatalog { catalog throws(CatalogError) in try catalog.startJob(jobID, row) }
        let order = order
        live.state.withLock { state in
            state.filesExpected = order.filesExpected
            state.bytesExpected = order.bytesExpected > 0 ? order.bytesExpected : nil
        }
        desk.info("Start Restore Job \(live.uniqueName)")
    }

    private mutating func transfer(_ scripts: [RunScriptDefinition]) async throws(DirectorError) {
        let parts = BootstrapParts.byStorage(order.bootstrap)
        guard !parts.isEmpty else {
            throw DirectorError(.badRequest, "The bootstrap names no volume.", remedy: "Select files again.")
        }
        let current = Monitor<Resource?>(nil)
        context.armCancellation(client: client) { current.read { $0 } }

        var link: ClientLink?
        defer { link?.close() }
        var key: Int?
        defer { if let key { live.detach(key) } }
        for part in parts {
            let storage = try resource(of: part)
            current.withLock { $0 = storage }
            let storageName = storage.name
            live.state.withLock { $0.storage = storageName }
            try await restore(part, from: storage, &link, &key, scripts)
        }
        current.withLock { $0 = nil }
        guard let link else { return }
        try link.send("endrestore")
        let end = try link.awaitEnd()
        clientEnd = end
        live.progress(files: end.files, bytes: end.bytes)
    }

    private func resource(of part: BootstrapParts.Part) throws(DirectorError) -> Resource {
        if plan.request.storage != nil || part.storage.isEmpty { return plan.storages[0] }
        guard let storage = context.configuration.named(.storage, part.storage) else {
            throw DirectorError(
                .notFound, "The bootstrap needs storage \"\(part.storage)\", which the configuration doesn't have.",
                remedy: "Add it, or name another storage for the restore.")
        }
        return storage
    }

    /// One storage's part, from its session's start to its end.
    private mutating func restore(
        _ part: BootstrapParts.Part, from storage: Resource, _ clientLink: inout ClientLink?, _ key: inout Int?,
        _ scripts: [RunScriptDefinition]
    ) async throws(DirectorError) {
        let (context, live) = (context, live)
        let dialler = context.dialler
        let connection = try await context.interruptible { () throws(DirectorError) in try await dialler.dialStorage(storage) }
        let link = StorageLink(connection, name: "Storage \"\(storage.name)\"") { context.take($0, fromStorage: true) }
        let storageKey = live.attach(link.channel)
        defer { live.detach(storageKey) }
        let clientSide = Monitor<MessageChannel?>(nil)
        let serverJob = CatalogServerJob(jobID: live.jobID, pool: nil, labels: LabelVariables())
        let client = client
        let reader = Task(executorPreference: ElasticExecutor.shared) {
            let server = CatalogServer(job: serverJob, catalog: context.catalog, desk: context.desk, live: live)
            link.serve(server) { failure in
                ElasticExecutor.shared.detach { await StoppedPeer.stopClient(client, clientSide, context, because: failure) }
            }
        }
        var failure: DirectorError?
        do throws(DirectorError) {
            let session = try openStorage(link, storage, part)
            try await talkToClient(session, storage, &clientLink, &key, clientSide, scripts)
        } catch { failure = error }
        clientSide.withLock { $0 = nil }
        await StoppedPeer.closeStorage(link, storage, context, patiently: failure == nil)
        await reader.value
        if let end = link.end {
            storageErrors += end.errors
            if storageStatus?.isSuccess != false { storageStatus = end.status }
        }
        if let storageFailure = link.failure, failure == nil { failure = storageFailure }
        if let failure { throw failure }
    }

    private func openStorage(
        _ link: StorageLink, _ storage: Resource, _ part: BootstrapParts.Part
    ) throws(DirectorError) -> StorageSession {
        let session = try link.start(
            StorageJob(
                jobID: live.jobID, uniqueName: live.uniqueName, jobName: plan.job.name, client: client.name, type: .restore,
                level: .none, fileSet: plan.fileSet?.name ?? "", fileSetDigest: "dummy"))
        live.set(.waitingForDevice, reason: "storage \"\(storage.name)\" looks for a device")
        let device = try link.reserve(
            storage, pool: plan.pool?.name ?? "Default", poolType: plan.pool?.text("PoolType") ?? "Backup", forAppend: false)
        desk.info("Using Device \"\(device)\" to read.")
        try link.sendBootstrap(part.text)
        try context.checkCancelled()
        try link.run()
        live.set(.waitingForClient)
        return session
    }

    private mutating func talkToClient(
        _ session: StorageSession, _ storage: Resource, _ known: inout ClientLink?, _ key: inout Int?,
        _ clientSide: Monitor<MessageChannel?>, _ scripts: [RunScriptDefinition]
    ) async throws(DirectorError) {
        let isFirst = known == nil
        let link: ClientLink
        if let open = known {
            link = open
        } else {
            let (context, client) = (context, client)
            let dialler = context.dialler
            let connection = try await context.interruptible { () throws(DirectorError) in try await dialler.dialClient(client) }
            link = ClientLink(connection, name: "Client \"\(client.name)\"") { context.take($0, fromStorage: false) }
            known = link
            key = live.attach(link.channel)
        }
        clientSide.withLock { $0 = link.channel }
        if isFirst {
            uname = try link.identify(
                jobID: live.jobID, uniqueName: live.uniqueName, sessionID: session.sessionID, sessionTime: session.sessionTime,
                authorization: session.authorization)
        }
        let address = DaemonDialler.storageAddress(of: storage, for: client)
        try link.sendStorage(
            host: address.host, port: address.port, usesTLS: TLSNeed.of(storage), authorization: session.authorization)
        if isFirst { try link.sendScripts(scripts) }
        try link.command(command(for: link), expecting: "2000 OK restore")
        live.set(.running)
        // As long as it takes; the storage side's end and cancellation interrupt the line.
        try link.answer(to: "restore", expecting: "2000 OK storage end", limit: nil)
    }

    private func command(for link: ClientLink) -> String {
        let job = plan.job
        let files = link.version >= 7 ? "files=\(order.filesExpected) " : ""
        let replace: String =
            switch (order.replace ?? job.text("Replace") ?? "Always").lowercased() {
            case "ifnewer": "w"
            case "ifolder": "o"
            case "never": "n"
            default: "a"
            }
        let links = order.prefixLinks || job.bool("PrefixLinks") ? 1 : 0
        let target: String
        if let regex = order.regexWhere ?? relocation(job) {
            target = "regexwhere=\(Bashed.encode(regex))"
        } else {
            target = "where=\(Bashed.encode(order.whereDirectory ?? job.text("Where") ?? ""))"
        }
        return "restore \(files)replace=\(replace) prelinks=\(links) \(target)\n"
    }

    /// StripPrefix, AddPrefix and AddSuffix as the expressions that clients understand.
    private func relocation(_ job: Resource) -> String? {
        guard order.whereDirectory == nil else { return nil }
        if let regex = job.text("RegexWhere"), !regex.isEmpty { return regex }
        func escaped(_ text: String) -> String { text.reduce(into: "") { $0 += $1 == "!" || $1 == "\\" ? "\\\($1)" : "\($1)" } }
        var parts: [String] = []
        if let strip = job.text("StripPrefix"), !strip.isEmpty { parts.append("!\(escaped(strip))!!i") }
        if let suffix = job.text("AddSuffix"), !suffix.isEmpty { parts.append("!([^/])$!$1\(escaped(suffix))!") }
        if let prefix = job.text("AddPrefix"), !prefix.isEmpty { parts.append("!^!\(escaped(prefix))!") }
        return parts.isEmpty ? nil : parts.joined(separator: ",")
    }

    private mutating func conclude() -> JobOutcome {
        var outcome = JobOutcome(finalStatus())
        let state = live.state.read { $0 }
        outcome.files = clientEnd?.files ?? state.files
        outcome.bytes = clientEnd?.bytes ?? state.bytes
        outcome.readBytes = clientEnd?.readBytes ?? 0
        outcome.missingFiles = max(0, order.filesExpected - outcome.files)
        var termination = JobReport.termination(.restore, outcome.status)
        if outcome.status == .ok, outcome.missingFiles > 0 {
            outcome.status = .warnings
            termination = "Restore OK -- warning file count mismatch"
        }
        if let problem {
            if outcome.status == .cancelled { desk.warning(problem.sentence) } else { desk.fatal(problem.sentence) }
        }
        outcome.termination = termination
        let now = WallTime.now, started = state.started ?? now
        let seconds = max(0, now.seconds - started.seconds)
        let job = plan.job
        outcome.report = [
            ("JobId", "\(live.jobID)"), ("Job", live.uniqueName), ("Restore Client", "\"\(client.name)\" \(uname)"),
            ("Where", order.whereDirectory ?? job.text("Where") ?? ""),
            ("Replace", order.replace ?? job.text("Replace") ?? "Always"),
            ("Start time", JobReport.moment(started)), ("End time", JobReport.moment(now)),
            ("Elapsed time", JobReport.elapsed(seconds)),
            ("Files Expected", JobReport.grouped(order.filesExpected)), ("Files Restored", JobReport.grouped(outcome.files)),
            ("Bytes Restored", JobReport.bytes(outcome.bytes)),
            ("Rate", "\(JobReport.fixed(Double(outcome.bytes) / 1000 / Double(max(1, seconds)), 1)) KB/s"),
            ("FD Errors", "\(clientEnd?.errors ?? 0)"), ("SD Errors", "\(storageErrors)"),
            ("FD termination status", clientEnd?.status.text ?? "no answer"),
            ("SD termination status", storageStatus?.text ?? "no answer"),
        ]
        return outcome
    }

    private func finalStatus() -> JobStatus {
        if live.isCancelled { return .cancelled }
        if problem != nil { return .fatal }
        guard let clientEnd, let storageStatus else { return .fatal }
        if !clientEnd.status.isSuccess { return clientEnd.status }
        if !storageStatus.isSuccess { return storageStatus == .cancelled ? .fatal : storageStatus }
        return clientEnd.errors > 0 || storageErrors > 0 || desk.errors > 0 ? .warnings : .ok
    }
}

/// A bootstrap cut into the parts of its storages. Pure.
enum BootstrapParts {
    struct Part: Sendable, Equatable {
        /// Empty where the bootstrap doesn't say.
        var storage: String
        var text: String
    }

    /// Consecutive units of one storage stay together, so that volumes are read in the order given.
    static func byStorage(_ bootstrap: String) -> [Part] {
        var parts: [Part] = []
        var storage = ""
        var hasVolume = false
        for line in bootstrap.split(separator: "\n", omittingEmptySubsequences: true) {
            guard line.first != "#" else { continue }
            if let name = value(of: "storage", in: line) {
                storage = name
                if parts.last?.storage != name { parts.append(Part(storage: name, text: "")) }
            } else if parts.isEmpty {
                parts.append(Part(storage: storage, text: ""))
            }
            if value(of: "volume", in: line) != nil { hasVolume = true }
            parts[parts.count - 1].text += line + "\n"
        }
        return hasVolume ? parts : []
    }

    /// The value of `keyword = "value"`; nil where the line has another keyword.
    private static func value(of keyword: String, in line: Substring) -> String? {
        guard let equals = line.firstIndex(of: "=") else { return nil }
        let key = line[..<equals].filter { $0 != " " && $0 != "\t" }.lowercased()
        guard key == keyword else { return nil }
        return String(line[line.index(after: equals)...].filter { $0 != "\"" }).trimmingBlanks()
    }
}

extension String {
    fileprivate func trimmingBlanks() -> String {
        var text = self[...]
        while text.first == " " || text.first == "\t" { text = text.dropFirst() }
        while text.last == " " || text.last == "\t" { text = text.dropLast() }
        return String(text)
    }
}
