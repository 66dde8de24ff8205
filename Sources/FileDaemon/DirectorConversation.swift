// One director's connection: commands in, answers out, and the job they describe (bacula-wire 3).

import Logging
import Platform
import Synchronization
import Wire

/// Serves a director from its first command to the end of the connection. Runs on one thread, which a job's own work
/// keeps busy; `cancel` comes over another connection.
final class DirectorConversation {
    let server: FileDaemonServer
    let director: FileDaemonSettings.Director
    let channel: MessageChannel
    let job: FileDaemonJob
    let isAppliance: Bool

    // What the commands have said so far.
    var link: DirectorLink
    var sessionID: UInt32 = 0
    var sessionTime: UInt32 = 0
    var authorization = ""
    var level = DirectorCommand.Level.full
    var isAccurate = false
    var since: WallTime?
    var codes = JobCodes()
    var fileSet: FileSet?
    var accurate: AccurateList?
    var scripts: [JobScript] = []
    var storage: StorageLink?
    private var calledByStorage: String?
    private var isJob = false
    private var isOver = false

    init(server: FileDaemonServer, director: FileDaemonSettings.Director, connection: AcceptedConnection) {
        self.server = server
        self.director = director
        channel = connection.channel
        isAppliance = connection.isAppliance
        job = FileDaemonJob(directorName: director.name)
        job.bandwidth.set(director.bandwidth)
        link = DirectorLink(channel, isAppliance: isAppliance, daemonName: server.settings.name, jobID: 0, job: job)
        codes.daemonName = server.settings.name
        codes.clientName = server.settings.name
        codes.directorName = director.name
    }

    func run() async {
        channel.setHeartbeat(every: server.settings.heartbeat)
        do throws(WireError) {
            while !isOver {
                switch try channel.receive() {
                case .payload(let line): try await obey(line)
                case .signal(.terminate): isOver = true
                case .signal(.clock): try answer("btime \(WallTime.now.microseconds)\n")
                case .signal: break
                }
            }
        } catch {
            if error.kind != .closed, !job.progress.isStopping {
                server.logger.warning("lost a director", metadata: ["peer": "\(channel.peer)", "reason": "\(error.detail)"])
            }
        }
        storage?.channel.close(terminate: true)
        if let calledByStorage { server.endCall(calledByStorage) }
        if isJob { server.leave(job, status: job.endStatus == "T" ? "f" : job.endStatus) }
    }

    func answer(_ text: String) throws(WireError) {
        try channel.send(text)
        try channel.flush()
    }

    private func obey(_ line: [UInt8]) async throws(WireError) {
        let keyword = DirectorCommand.keyword(of: line) ?? ""
        if director.disabledCommands.contains(keyword) || server.settings.disabledCommands.contains(keyword) {
            link.report(JobMessage(.fatal, "Command: \"\(keyword)\" is disabled."))
            isOver = true
            return
        }
        let command = DirectorCommand(line)
        if director.isMonitor, !command.isForMonitors {
            return try answer("2997 Invalid command for a Director with Monitor directive enabled.\n")
        }
        switch command {
        case .job(let id, let name, let sessionID, let sessionTime, let authorization):
            try begin(id, name, sessionID, sessionTime, authorization)
        case .level(let level): try take(level)
        case .fileSet: try receiveFileSet()
        case .storage(let address, let port, let authorization): try await connect(address, port, authorization)
        case .runBeforeJob(let command): try runNow(command)
        case .runAfterJob(let command):
            scripts.append(JobScript(command: command, when: .after, onSuccess: true, onFailure: false, abortsOnError: false))
            try answer("2000 OK RunAfter\n")
        case .runScript(let script):
            // 1,000 scripts are a mistake, not a job.
            if scripts.count < 1000 { scripts.append(script) }
            try answer("2000 OK RunScript\n")
        case .runBeforeNow:
            guard runScripts(.before, label: "ClientBeforeJob", succeeded: true) else {
                job.progress.requestStop(.failed)
                return try answer("2905 Bad RunBeforeNow command.\n")
            }
            try answer("2000 OK RunBeforeNow\n")
        case .accurate(let files): try receiveAccurate(files)
        case .backup(let index): try await backup(index)
        case .estimate(let listing): try estimate(listing)
        case .verify(let level): try await verify(level)
        case .restore(let order): try await restore(order)
        case .endRestore: try endJob(job.progress.isStopping ? job.endStatus : "T")
        case .session: try answer("2000 OK session\n")
        case .restoreObject(let isEnd):
            if isEnd { return try answer("2000 OK ObjectRestored\n") }
            // Two packets, the object's name and its bytes. Nobody here can use them.
            for _ in 0..<2 { _ = try channel.receive() }
            link.report(
                JobMessage(.warning, "Restore objects are for plugins, which this client has none of; the object is ignored."))
        case .componentInfo:
            while case .payload = try channel.receive() {}
            try answer("2000 OK ComponentInfo\n")
        case .setBandwidth(let limit, let name):
            // For one job, for all of this director's, or for the one that this conversation will carry.
            if name.isEmpty {
                server.runningJobs.forEach { if $0.directorName == director.name { $0.bandwidth.set(limit) } }
            } else {
                server.job(named: name)?.bandwidth.set(limit)
            }
            if isJob { job.bandwidth.set(limit) }
            try answer("2000 OK Bandwidth\n")
        case .setDebug(let text): try setDebug(text)
        case .status:
            try FileDaemonStatus(server).sendFull { (text) throws(WireError) in try channel.send(text) }
            try channel.send(.endOfData)
            try channel.flush()
        case .dotStatus(let part):
            let status = FileDaemonStatus(server)
            try status.sendPart(part) { (text) throws(WireError) in try channel.send(text) }
            try channel.send(.endOfData)
            try channel.flush()
        case .cancel(let name): try end(name, .cancelled, "canceled")
        case .stop(let name): try end(name, .stopped, "stopped")
        case .memoryDump: try answer("2000 sm_dump OK\n")
        case .unsupported(let what): try answer("2999 \(what) not supported by this file daemon.\n")
        case .malformed(let text):
            try answer(text)
        case .unknown: try answer("2999 Invalid command\n")
        }
    }

    // MARK: - The job's description

    private func begin(_ id: Int, _ name: String, _ sessionID: UInt32, _ sessionTime: UInt32, _ authorization: String)
        throws(WireError)
    {
        job.identity.withLock { identity in
            identity.jobID = id
            identity.uniqueName = name
        }
        self.sessionID = sessionID
        self.sessionTime = sessionTime
        self.authorization = authorization
        codes.jobID = id
        codes.uniqueName = name
        link = DirectorLink(channel, isAppliance: isAppliance, daemonName: server.settings.name, jobID: id, job: job)
        if id > 0, !isJob {
            guard server.enter(job) else {
                isOver = true
                return try answer("2901 Bad Job: this file daemon takes no more jobs now.\n")
            }
            isJob = true
            server.logger.info("job begins", metadata: ["job": "\(name)", "director": "\(director.name)"])
        }
        try answer("2000 OK Job \(ProgramVersion.text) (\(ProgramVersion.shortDate)) \(ProgramVersion.host)")
    }

    private func take(_ level: DirectorCommand.Level) throws(WireError) {
        switch level {
        case .full:
            self.level = level
            setLevel("F", "Full")
            since = nil
            try answer("2000 OK level\n")
        case .changed(let word, let isAccurate):
            // The first of two messages: no answer.
            self.level = level
            self.isAccurate = self.isAccurate || isAccurate
            if word.contains("differential") { setLevel("D", "Differential") } else { setLevel("I", "Incremental") }
        case .since(let time, let ignoresChangeTime, let previous):
            let offset = try measureClock()
            since = WallTime(seconds: time + offset)
            sinceIgnoresChangeTime = ignoresChangeTime
            codes.previousJob = previous
            codes.since = since!.localText
            if offset != 0 {
                link.report(JobMessage(.info, "DIR and FD clocks differ by \(offset) seconds, FD automatically compensating."))
            }
            try channel.send(.endOfData)
            try answer("2000 OK level\n")
        case .other(let word): try answer("2902 Bad level: \(word)\n")
        }
    }

    /// The director wants only modification times looked at.
    private(set) var sinceIgnoresChangeTime = false

    private func setLevel(_ letter: Character, _ word: String) {
        job.identity.withLock { $0.level = letter }
        codes.level = word
    }

    /// Asks the director for its time ten times. - Returns: seconds that our clock is ahead of its.
    private func measureClock() throws(WireError) -> Int64 {
        var sum: Int64 = 0
        var samples: Int64 = 0
        for round in 0..<10 {
            let sent = WallTime.now.microseconds
            try channel.send(.clock)
            try channel.flush()
            let line = try channel.receiveLine()
            let received = WallTime.now.microseconds
            guard let field = scan(line, "btime %s")?.first, let theirs = Int64(field) else { return 0 }
            // The first two warm the connection up.
            guard round >= 2 else { continue }
            let (difference, overflow) = (sent + (received - sent) / 2).subtractingReportingOverflow(theirs)
            if overflow { return 0 }
            sum += difference / 10
            samples += 1
        }
        let microseconds = sum / samples * 10
        // A fraction of a second is the network's, not the clocks'.
        return (microseconds + (microseconds < 0 ? -500_000 : 500_000)) / 1_000_000
    }

    private func receiveFileSet() throws(WireError) {
        var parser = FileSetParser()
        var bytes = 0
        lines: while true {
            switch try channel.receive() {
            case .payload(let line):
                bytes += line.count
                // 64 MiB of names are no FileSet.
                guard bytes < 64 << 20 else {
                    isOver = true
                    return try answer("2902 Bad fileset: it is too long.\n")
                }
                parser.take(line)
            case .signal(.endOfData): break lines
            case .signal(.terminate):
                isOver = true
                return
            case .signal: continue
            }
        }
        for complaint in parser.complaints { link.report(JobMessage(.warning, complaint)) }
        fileSet = parser.finish()
        try answer("2000 OK include\n")
    }

    private func receiveAccurate(_ files: Int) throws(WireError) {
        let list = AccurateList(expecting: files)
        var buffer: [UInt8] = []
        var refused = 0
        while true {
            if let signal = try channel.receive(into: &buffer) {
                if signal == .endOfData { break }
                if signal == .terminate {
                    isOver = true
                    return
                }
                continue
            }
            if !list.add(buffer.span) { refused += 1 }
        }
        if refused > 0 {
            link.report(
                JobMessage(.warning, "\(refused) entries of the accurate list could not be read; those files are saved again."))
        }
        accurate = list
    }

    private func connect(_ address: String, _ port: Int, _ authorization: String?) async throws(WireError) {
        let key = authorization.flatMap { $0.isEmpty ? nil : $0 } ?? self.authorization
        let settings = server.settings
        let name = job.identity.withLock { $0.uniqueName }
        storage?.channel.close(terminate: true)
        storage = nil
        if port == 0 {
            calledByStorage = name
            guard let channel = server.waitForCall(name, SharedSecret(authorization: key), job: job) else {
                link.report(JobMessage(.fatal, "The storage daemon did not call for job \(name)."))
                return try answer("2902 Bad storage\n")
            }
            storage = StorageLink(channel: channel)
            return try answer("2000 OK storage\n")
        }
        guard let port = UInt16(exactly: port) else { return try answer("2902 Bad storage\n") }
        let destination = Destination(
            host: address, port: port, secret: SharedSecret(authorization: key), tls: settings.tls, ownName: settings.name,
            sourceAddress: settings.sourceAddress, connectLimit: settings.storageConnectLimit, heartbeat: settings.heartbeat)
        let dialling = Task(executorPreference: ElasticExecutor.shared) { () -> Result<DialledConnection, WireError> in
            do throws(WireError) {
                return .success(
                    try await dial(
                        destination, .jobToStorageDaemon(job: name, version: ProtocolVersion.fileDaemon, storageVersion: nil)))
            } catch {
                return .failure(error)
            }
        }
        let result = await job.withCancellation {
            dialling.cancel()
        } _: {
            await dialling.value
        }
        switch result {
        case .success(let connection):
            storage = StorageLink(channel: connection.channel)
            try answer("2000 OK storage\n")
        case .failure(let error):
            link.report(
                JobMessage(.fatal, "Unable to connect to the storage daemon at \(address):\(port): \(error.detail) \(error.remedy)")
            )
            try answer("2902 Bad storage\n")
        }
    }

    // MARK: - Scripts

    private func runNow(_ command: String) throws(WireError) {
        let succeeded = JobScript.run(
            command, label: "ClientRunBeforeJob", timeLimit: nil, codes: codes, shouldStop: { [job] in job.progress.isStopping },
            report: link.report)
        if !succeeded {
            try answer("2905 Bad RunBeforeJob command.\n")
            return
        }
        try answer("2000 OK RunBefore\n")
    }

    /// Runs the remembered scripts of a moment. - Returns: false when one failed that must not.
    func runScripts(_ when: JobScript.When, label: String, succeeded: Bool) -> Bool {
        codes.status = succeeded ? "OK" : "Error"
        codes.files = job.progress.files.load(ordering: .relaxed)
        codes.bytes = job.progress.jobBytes.load(ordering: .relaxed)
        codes.readBytes = job.progress.readBytes.load(ordering: .relaxed)
        codes.errors = job.progress.errors.load(ordering: .relaxed)
        for script in scripts
        where script.when.contains(when) && (when == .before || (succeeded ? script.onSuccess : script.onFailure)) {
            let done = JobScript.run(
                script.command, label: label, timeLimit: script.timeLimit, codes: codes,
                // A cancelled job still runs what was to run after a failure.
                shouldStop: { [job] in when == .before && job.progress.isStopping }, report: link.report)
            if !done, script.abortsOnError {
                link.report(JobMessage(.fatal, "A script failed that the job depends on: \(script.command)"))
                return false
            }
        }
        return true
    }

    // MARK: - Other conversations' jobs

    private func end(_ name: String, _ reason: JobProgress.Stop, _ word: String) throws(WireError) {
        if let job = server.job(named: name) {
            job.cancel(reason)
            server.logger.info("job \(word) by its director", metadata: ["job": "\(name)", "director": "\(director.name)"])
            try channel.send("2001 Job \"\(name)\" marked to be \(word).\n")
        } else {
            try channel.send("2901 Job \(name) not found.\n")
        }
        try channel.send(.endOfData)
        try channel.flush()
    }

    private func setDebug(_ text: String) throws(WireError) {
        // hangup and blowup make a daemon misbehave on purpose; ours takes note and doesn't.
        let fields =
            scan(text, "setdebug=%d trace=%d hangup=%d blowup=%d options=%s tags=%s")
            ?? scan(text, "setdebug=%d trace=%d").map { $0 + ["0", "0", "", ""] }
        guard let fields else { return try answer("2991 Bad setdebug command: \(text)\n") }
        let hangup = fields[2] == "-1" ? "0" : fields[2], blowup = fields[3] == "-1" ? "0" : fields[3]
        try answer(
            "2000 OK setdebug=\(fields[0]) trace=\(fields[1]) hangup=\(hangup) blowup=\(blowup) options=\(fields[4]) tags=\(fields[5])\n"
        )
    }

    // MARK: - The end

    /// A job that can't even begin.
    func failJob() throws(WireError) {
        job.progress.requestStop(.failed)
        try endJob("f")
    }

    /// Scripts after the job, the line that ends it, and the goodbye.
    func endJob(_ status: Character) throws(WireError) {
        var status = status
        if !runScripts(.after, label: "ClientAfterJob", succeeded: status == "T"), status == "T" { status = "E" }
        let progress = job.progress
        let files = progress.files.load(ordering: .relaxed), read = progress.readBytes.load(ordering: .relaxed)
        let bytes = progress.jobBytes.load(ordering: .relaxed), errors = progress.errors.load(ordering: .relaxed)
        let wire = storage.map { $0.channel.bytesSent + $0.channel.bytesReceived } ?? 0
        storage?.channel.close(terminate: true)
        storage = nil
        if isJob {
            server.leave(job, status: status)
            isJob = false
        }
        isOver = true
        server.logger.info(
            "job ended",
            metadata: [
                "job": "\(codes.uniqueName)", "status": "\(status)", "files": "\(files)", "bytes": "\(read)", "errors": "\(errors)",
            ])
        try channel.send(
            "2800 End Job TermCode=\(status.asciiValue ?? 102) JobFiles=\(files) ReadBytes=\(read) JobBytes=\(bytes) Errors=\(errors) VSS=0 Encrypt=0 CommBytes=\(wire) CompressCommBytes=\(wire)\n"
        )
        try channel.send(.terminate)
        try channel.flush()
    }
}

extension DirectorCommand {
    /// What a director with `Monitor = yes` may say: questions, and the line that opens every conversation.
    var isForMonitors: Bool {
        switch self {
        case .status, .dotStatus: true
        case .job(let id, _, _, _, _): id == 0
        default: false
        }
    }
}
