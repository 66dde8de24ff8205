// A director's commands, one connection at a time (bacula-wire 4.1 to 4.3, 4.7).

import Logging
import Platform
import Volumes
import Wire

/// One director connection: a job from `JobId=` to 3099, or commands of an operator.
final class DirectorConversation: Sendable {
    let server: StorageServer
    let link: DirectorLink
    let directorName: String
    /// Bootstraps of large restores have some 100 bytes per volume and range.
    private static let bootstrapBytesMax = 64 << 20

    init(server: StorageServer, link: DirectorLink, directorName: String) {
        self.server = server
        self.link = link
        self.directorName = directorName
    }

    /// What the conversation has gathered for the job it is about.
    struct Preparation {
        var job: StorageJob?
        var append: (request: ReservationRequest, drive: Int)?
        var read: (request: ReservationRequest, drive: Int)?
        var bootstrap: String?
        var didRun = false
    }

    func run() async {
        let link = self.link
        await withTaskGroup(of: Void.self) { group in
            group.addTask { link.pump() }
            await self.converse()
            // The pump may be waiting for a packet that never comes.
            link.channel.close(terminate: true)
            link.channel.interrupt()
            await group.waitForAll()
        }
    }

    private func converse() async {
        var preparation = Preparation()
        let isMonitor = server.director(named: directorName)?.isMonitor ?? true
        do {
            commands: while true {
                switch try link.next() {
                case .signal(.endOfData): continue
                case .signal: break commands
                case .payload(let bytes):
                    let command = DirectorLink.line(bytes)
                    if isMonitor, !command.hasPrefix("status"), !command.hasPrefix(".status"), !command.hasPrefix("JobId=0 ") {
                        try link.send("3997 Invalid command for a Director with Monitor directive enabled.\n")
                        try link.send(.endOfData)
                        continue
                    }
                    if try await !obey(command, &preparation) { break commands }
                }
            }
        } catch let error as WireError where error.kind == .closed || error.kind == .interrupted {
            // The ordinary end, or that of the daemon.
        } catch {
            server.logger.warning(
                "director's conversation failed", metadata: ["peer": "\(link.channel.peer)", "reason": "\(error)"])
        }
        giveUp(preparation)
    }

    /// Releases what a job that never ran holds.
    private func giveUp(_ preparation: Preparation) {
        guard let job = preparation.job, !preparation.didRun else { return }
        release(preparation, job)
        server.remove(job, status: JobStatus.cancelled, didRun: false)
    }

    private func release(_ preparation: Preparation, _ job: StorageJob) {
        if let append = preparation.append { _ = server.table.release(append.drive, job: job.id, isAppend: true) }
        if let read = preparation.read { _ = server.table.release(read.drive, job: job.id, isAppend: false) }
    }

    /// Obeys one command; false ends the conversation.
    private func obey(_ command: String, _ preparation: inout Preparation) async throws -> Bool {
        if command.hasPrefix("JobId=") {
            try openJob(command, &preparation)
        } else if command.hasPrefix("use storage=") {
            try useStorage(command, &preparation)
        } else if command.hasPrefix("bootstrap") {
            try takeBootstrap(&preparation)
        } else if command == "run", let job = preparation.job {
            preparation.didRun = true
            await runJob(job, preparation)
            return false
        } else if command.hasPrefix("client ") || command.hasPrefix("storage ") {
            try link.send("3915 Bad Job command: this storage daemon does not dial clients or other storage daemons yet.\n")
        } else {
            try OperatorCommands(server: server, link: link).obey(command)
        }
        return true
    }

    // MARK: - A job's preparation

    private func openJob(_ command: String, _ preparation: inout Preparation) throws {
        // Operators' connections begin with JobId=0 or without this command at all.
        guard let request = JobRequest(command: command), preparation.job == nil else {
            try link.send("3915 Bad Job command. stat=-1 CMD: \(command)\n")
            return
        }
        if request.dialsStorageDaemon {
            try link.send("3915 Bad Job command: copying between storage daemons is not built yet.\n")
            return
        }
        let job = StorageJob(request, sessionID: server.numbers.nextID(), sessionTime: server.numbers.time)
        do throws(StorageError) { try server.add(job) } catch {
            try link.send("3915 Bad Job command. \(error)\n")
            return
        }
        preparation.job = job
        link.whenEnded { error in job.cancel(.directorLost(error.detail)) }
        server.logger.debug("job opened", metadata: ["job": "\(job.id)", "name": "\(request.name)"])
        try link.send("3000 OK Job SDid=\(job.sessionID) SDtime=\(job.sessionTime) Authorization=\(job.authorization)\n")
    }

    /// Reads the storages and devices up to the second EOD, then reserves one of them.
    private func useStorage(_ first: String, _ preparation: inout Preparation) throws {
        guard let job = preparation.job else {
            try link.send("3913 Bad use command: \(first)\n")
            return
        }
        let format = "use storage=%s media_type=%s pool_name=%s pool_type=%s append=%d copy=%d stripe=%d"
        var command: String? = first
        var request: ReservationRequest?
        var named: [String] = []
        storages: while true {
            if let line = command {
                guard let fields = scan(line, format), fields.count >= 5 else {
                    try link.send("3913 Bad use command: \(line)\n")
                    return
                }
                if request == nil {
                    request = ReservationRequest(
                        job: job.id, isAppend: fields[4] != "0", pool: Bashed.decode(fields[2]),
                        mediaType: Bashed.decode(fields[1]),
                        candidates: [], prefersMountedVolumes: job.request.prefersMountedVolumes)
                }
            }
            devices: while true {
                switch try link.next() {
                case .signal: break devices
                case .payload(let bytes):
                    guard let fields = scan(DirectorLink.line(bytes), "use device=%s") else {
                        try link.send("3913 Bad use command: \(DirectorLink.line(bytes))\n")
                        return
                    }
                    named.append(Bashed.decode(fields[0]))
                }
            }
            switch try link.next() {
            case .signal: break storages
            case .payload(let bytes): command = DirectorLink.line(bytes)
            }
        }
        guard var request else { return }
        for name in named { request.candidates += server.table.indexes(named: name).filter { !request.candidates.contains($0) } }
        let catalog = CatalogConversation(link: link, job: job, daemonName: server.settings.name)
        do throws(StorageError) {
            let drive = try reserve(&request, catalog, named)
            if request.isAppend { preparation.append = (request, drive) } else { preparation.read = (request, drive) }
            let name = server.table.drives[drive].name
            job.state.withLock { state in
                state.driveName = name
                state.poolName = request.pool
                state.isWriting = request.isAppend
            }
            try sending { () throws(WireError) in try link.send("3000 OK use device device=\(Bashed.encode(name))\n") }
        } catch {
            switch error.kind {
            case .directorLost: throw error
            case .noDevice:
                try link.send(
                    "3924 Device \"\(named.joined(separator: ", "))\" not in SD Device resources or no matching Media Type or is disabled.\n"
                )
            default: try link.send("3926 \(error.what)\n")
            }
        }
    }

    /// Waits its turn for a drive. While it does, the director hears of it.
    private func reserve(
        _ request: inout ReservationRequest, _ catalog: CatalogConversation, _ named: [String]
    ) throws(StorageError) -> Int {
        let table = server.table
        if request.isAppend, let device = request.candidates.first.map({ table.drives[$0].driver.kind.rawValue }) {
            request.wantedVolume = try catalog.findMedia(1, pool: request.pool, mediaType: request.mediaType, deviceType: device)?
                .name
        }
        let interval: Duration = .seconds(60)
        var isFirst = true
        let job = catalog.job
        defer { table.withdraw(request) }
        while true {
            try job.checkCancellation()
            switch table.reserve(request) {
            case .drive(let index): return index
            case .never(let reason): throw StorageError(.noDevice, "No device can be used: \(reason).")
            case .wait:
                try catalog.send(status: JobStatus.waitingForDevice)
                if isFirst {
                    catalog.log(
                        .info, "All devices that could be used (\(named.joined(separator: ", "))) are busy: the job waits for one.")
                }
                isFirst = false
                let waiting = request
                job.waking(by: { table.state.withLock { _ in } }) {
                    table.waitForChange(waiting, atMost: interval, unless: { job.isCancelled })
                }
                try catalog.heartbeat()
            }
        }
    }

    private func takeBootstrap(_ preparation: inout Preparation) throws {
        var text = ""
        while case .payload(let bytes) = try link.next() {
            text += DirectorLink.line(bytes) + "\n"
            guard text.utf8.count <= Self.bootstrapBytesMax else {
                try link.send("3904 Error bootstrap\n")
                throw StorageError(.badCommand, "The bootstrap is longer than \(Self.bootstrapBytesMax) bytes.")
            }
        }
        do {
            _ = try Bootstrap(parsing: text)
        } catch {
            server.logger.warning("bad bootstrap", metadata: ["reason": "\(error)"])
            try link.send("3904 Error bootstrap: \(error)\n")
            return
        }
        preparation.bootstrap = text
        try link.send("3000 OK bootstrap\n")
    }

    // MARK: - A job's run

    private func runJob(_ job: StorageJob, _ preparation: Preparation) async {
        let catalog = CatalogConversation(link: link, job: job, daemonName: server.settings.name)
        server.logger.info("job started", metadata: ["job": "\(job.id)", "client": "\(job.request.clientName)"])
        var status = JobStatus.done
        do throws(StorageError) {
            job.expectClient()
            try catalog.send(status: JobStatus.waitingForClient)
            let client = try job.waitForClient(atMost: server.settings.clientConnectWait)
            try sending { () throws(WireError) in try link.send("3010 Job \(job.request.name) start\n") }
            try catalog.send(status: JobStatus.running)
            if let append = preparation.append {
                await AppendSession(
                    server: server, job: job, catalog: catalog, reservation: append.request, driveIndex: append.drive,
                    client: client
                ).run()
            } else if let read = preparation.read {
                await ReadSession(
                    server: server, job: job, catalog: catalog, driveIndex: read.drive, bootstrap: preparation.bootstrap ?? "",
                    client: client
                ).run()
            } else {
                throw StorageError(.badCommand, "The director reserved no device for the job.")
            }
        } catch {
            job.recordFailure(error.what)
            if error.kind != .cancelled { catalog.log(.fatal, error.description) }
        }
        let last = job.state.read { $0 }
        if let failure = last.failure {
            status = last.cancellation == nil ? JobStatus.failed : JobStatus.cancelled
            if case .directorLost? = last.cancellation { status = JobStatus.failed }
            server.logger.error("job failed", metadata: ["job": "\(job.id)", "reason": "\(failure)"])
        } else {
            server.logger.info(
                "job done",
                metadata: ["job": "\(job.id)", "files": "\(last.files)", "bytes": "\(last.bytes)", "errors": "\(last.errors)"])
        }
        release(preparation, job)
        let end =
            "3099 Job \(Bashed.encode(job.request.name)) end JobStatus=\(status) JobFiles=\(last.files) JobBytes=\(last.bytes)"
            + " JobErrors=\(last.errors) ErrMsg=\(Bashed.encode((last.failure ?? "").map { $0 == "\n" ? " " : String($0) }.joined()))\n"
        try? link.send(end)
        try? link.send(.endOfData)
        server.remove(job, status: status, didRun: true)
    }

    private func sending(_ body: () throws(WireError) -> Void) throws(StorageError) {
        do throws(WireError) { try body() } catch { throw StorageError(director: error) }
    }
}
