// Whole jobs against scripted daemons: what is said to them, and what becomes of the job when they misbehave.

import Catalog
import Configuration
import Platform
import TestSupport
import Testing
import Wire

@testable import Director

@Suite struct BackupFlowTests {
    static func storage(_ script: FakeStorage) throws -> FakeDaemon {
        try FakeDaemon(role: .storageDaemon, password: "sd-secret", greeting: "3000 OK Hello 306\n") { try script.serve($0) }
    }
    static func client(_ script: FakeClient) throws -> FakeDaemon {
        try FakeDaemon(role: .fileDaemon, password: "fd-secret", greeting: "2000 OK Hello 214\n") { try script.serve($0) }
    }
    static var writing: FakeStorage {
        var storage = FakeStorage()
        storage.body = { channel, job in
            try FakeStorage.writeOneFile(channel, job)
            try FakeStorage.end(channel, job)
        }
        return storage
    }

    @Test("A first backup is promoted to Full, and its files, volumes and bootstrap are kept")
    func full() throws {
        let client = FakeClient()
        let (fd, sd) = (try Self.client(client), try Self.storage(Self.writing))
        let director = try DirectorFixture(clientPort: fd.port, storagePort: sd.port)
        let (job, log) = try director.run(JobRequest(job: "Backup"))
        #expect(job.status == .ok && job.level == .full && job.files == 1, "\(log)")
        let row = try director.row(job.jobID)
        #expect(row.status == "T" && row.level == "F" && row.files == 1 && row.sessionID == 1)
        #expect(log.contains { $0.contains("No prior or suitable Full backup found in catalog. Doing FULL backup.") })
        #expect(log.contains { $0.contains("Termination:") && $0.contains("Backup OK") })
        #expect(try director.services.catalog.volumes().map(\.volume) == ["Vol-0001"])
        #expect(try director.services.catalog.files(ofJob: job.jobID, indexes: [1]).map(\.fullName) == [Array("/tmp/a".utf8)])
        let bootstrap = String(decoding: try OpenFile.contents(of: director.directory.file("Backup.bsr")), as: UTF8.self)
        #expect(bootstrap.hasPrefix("# ") && bootstrap.contains("Volume=\"Vol-0001\"") && bootstrap.contains("VolAddr=200-999"))
        #expect(director.services.messages.take().contains { $0.contains("Backup OK") })
        let heard = client.heard.read { $0 }
        #expect(heard[1] == "level = full  mtime_only=0 \n")
        #expect(heard.contains("O M\n") && heard.contains("backup FileIndex=0\n"))
    }

    @Test("An incremental tells the client since when, and answers its questions about the clock")
    func incremental() throws {
        let client = FakeClient()
        let (fd, sd) = (try Self.client(client), try Self.storage(Self.writing))
        let director = try DirectorFixture(clientPort: fd.port, storagePort: sd.port, jobDefaults: "Accurate = yes")
        _ = try director.run(JobRequest(job: "Backup"))
        client.heard.withLock { $0 = [] }
        let (job, log) = try director.run(JobRequest(job: "Backup"))
        #expect(job.status == .ok && job.level == .incremental, "\(log)")
        let heard = client.heard.read { $0 }
        #expect(heard[1] == "level = accurate_incremental  mtime_only=0 \n")
        #expect(heard[2].hasPrefix("level = since_utime ") && heard[2].contains("prev_job=Backup."))
        #expect(heard.filter { $0 == "btime" }.count == 10)
        let list = try #require(heard.firstIndex { $0.hasPrefix("accurate files=1\n") })
        #expect(heard[list + 1] == "/tmp/a\0P4A FmQX IGk C A A A V BAA I BrAN8r BrAN8q BrAN8q A A C\0\u{0}0")
        let bootstrap = String(decoding: try OpenFile.contents(of: director.directory.file("Backup.bsr")), as: UTF8.self)
        #expect(bootstrap.split(separator: "\n").count { $0.hasPrefix("# ") } == 2)
    }

    struct Misbehaviour: Sendable, CustomTestStringConvertible {
        var name: String
        var storage = FakeStorage()
        var client = FakeClient()
        var status: JobStatus = .fatal
        /// Must stand in the job's log.
        var says: String
        var testDescription: String { name }
    }

    static var misbehaviours: [Misbehaviour] {
        var rows: [Misbehaviour] = []
        func storage(_ name: String, _ status: JobStatus = .fatal, says: String, _ change: (inout FakeStorage) -> Void) {
            var row = Misbehaviour(name: name, status: status, says: says)
            row.storage = writing
            change(&row.storage)
            rows.append(row)
        }
        func client(_ name: String, _ status: JobStatus = .fatal, says: String, _ change: (inout FakeClient) -> Void) {
            var row = Misbehaviour(name: name, status: status, says: says)
            row.storage = writing
            change(&row.client)
            rows.append(row)
        }
        storage("the storage daemon refuses the job", says: "3915 Bad Job") {
            $0.sessionLine = "3915 Bad Job command. stat=1 CMD: x\n"
        }
        storage("the storage daemon opens an unreadable session", says: "unreadable line") {
            $0.sessionLine = "3000 OK Job SDid=x SDtime=\n"
        }
        storage("the storage daemon has no such device", says: "3924 Device") {
            $0.deviceLine = "3924 Device \"FileStor\" not in SD Device resources.\n"
        }
        storage("the storage daemon hangs up in the middle", says: "Storage \"LabFile\"") {
            $0.body = { channel, _ in channel.close() }
        }
        storage("the storage daemon ends in error", .fatal, says: "SD termination status") {
            $0.body = { channel, job in try FakeStorage.end(channel, job, status: 102) }
        }
        storage("the storage daemon sends a bad end line", says: "unreadable line") {
            $0.body = { channel, job in try channel.send("3099 Job x end JobStatus=zz\n") }
        }
        storage("attributes of another session", says: "attributes of another session") {
            $0.body = { channel, job in
                try channel.send(
                    FakeStorage.attributes(
                        job, session: 99, fileIndex: 1, stream: 1, Array("1 3 /a\0A A A A A A A A A A A A A\0\0\0".utf8)))
                try FakeStorage.end(channel, job)
            }
        }
        storage("attributes that are cut short", says: "can't be read") {
            $0.body = { channel, job in
                try channel.send(Array("UpdCat JobId=\(job.jobID) FileAttributes \u{0}\u{0}".utf8))
                try FakeStorage.end(channel, job)
            }
        }
        storage("an attribute record of rubbish", says: "") {
            $0.body = { channel, job in
                try channel.send(FakeStorage.attributes(job, fileIndex: 1, stream: 1, [1, 2, 3]))
                try FakeStorage.end(channel, job)
            }
        }
        client("the client refuses the job", says: "2901 Bad Job") { $0.answers["JobId"] = "2901 Bad Job\n" }
        client("the client refuses the FileSet's level", says: "2902 Bad level") { $0.answers["level"] = "2902 Bad level\n" }
        client("the client can't reach the storage", says: "2902 Bad storage") { $0.answers["storage"] = "2902 Bad storage\n" }
        client("the client refuses the backup", says: "2999 Invalid command") { $0.answers["backup"] = "2999 Invalid command\n" }
        client("the client hangs up in the middle", says: "Client \"lab-fd\"") { $0.beforeEnd = { channel in channel.close() } }
        client("the client ends in error", .fatal, says: "FD termination status") {
            $0.endLine = "2800 End Job TermCode=102 JobFiles=0 ReadBytes=0 JobBytes=0 Errors=1 VSS=0 Encrypt=0\n"
        }
        client("the client sends absurd numbers", says: "unreadable line") {
            $0.endLine = "2800 End Job TermCode=84 JobFiles=-5 ReadBytes=99999999999999999999 JobBytes=-1 Errors=0\n"
        }
        return rows
    }

    @Test("A job whose daemon misbehaves ends with its reason, its row is closed, and the next job runs", arguments: misbehaviours)
    func misbehaving(row: Misbehaviour) throws {
        let isBad = Monitor(true)
        let bad = row
        let good = (Self.writing, FakeClient())
        let sd = try FakeDaemon(role: .storageDaemon, password: "sd-secret", greeting: "3000 OK Hello 306\n") { channel in
            try (isBad.read { $0 } ? bad.storage : good.0).serve(channel)
        }
        let fd = try FakeDaemon(role: .fileDaemon, password: "fd-secret", greeting: "2000 OK Hello 214\n") { channel in
            try (isBad.read { $0 } ? bad.client : good.1).serve(channel)
        }
        let director = try DirectorFixture(clientPort: fd.port, storagePort: sd.port)
        let (job, log) = try director.run(JobRequest(job: "Backup"))
        #expect(job.status == row.status, "\(log)")
        #expect(try director.row(job.jobID).status == row.status.rawValue)
        #expect(row.says.isEmpty || log.contains { $0.contains(row.says) }, "\(log)")
        isBad.withLock { $0 = false }
        let (next, nextLog) = try director.run(JobRequest(job: "Backup"))
        #expect(next.status == .ok && next.level == .full, "\(nextLog)")
    }

    @Test("Catalog requests that make no sense get an error line, and the job goes on")
    func badRequests() throws {
        let answers = Monitor<[String]>([])
        var storage = FakeStorage()
        storage.body = { channel, job in
            for request in [
                "CatReq JobId=999 FindMedia=1 pool_name=File media_type=File vol_type=1\n",
                "CatReq JobId=\(job.jobID) Nonsense=1\n",
                "CatReq JobId=\(job.jobID) FindMedia=-1 pool_name=File media_type=File vol_type=1\n",
                "CatReq JobId=\(job.jobID) FindMedia=1 pool_name=Elsewhere media_type=File vol_type=1\n",
                "CatReq JobId=\(job.jobID) GetVolInfo VolName=Nope write=0\n", "CatReq\n", "CatReq JobId=\n",
                FakeStorage.updateMedia(job, volume: "Nope", bytes: 5), FakeStorage.updateMedia(job, volume: "Nope", bytes: -5),
                FakeStorage.updateMedia(job, volume: "Nope", bytes: 5, status: "Strange"),
                "BlastAttr JobId=\(job.jobID) File=/etc/passwd\n",
            ] {
                let answer = try FakeStorage.ask(channel, request)
                answers.withLock { $0.append(String(answer.prefix(4))) }
            }
            let media = try FakeStorage.ask(
                channel, "CatReq JobId=\(job.jobID) CreateJobMedia\n", then: ["1 2 3\n", "1 1 0 0 9 1 1\n", "x\n"])
            answers.withLock { $0.append(String(media.prefix(4))) }
            try FakeStorage.writeOneFile(channel, job)
            try FakeStorage.end(channel, job)
        }
        let (fd, sd) = (try Self.client(FakeClient()), try Self.storage(storage))
        let director = try DirectorFixture(clientPort: fd.port, storagePort: sd.port)
        let (job, log) = try director.run(JobRequest(job: "Backup"))
        #expect(
            answers.read { $0 } == ["1990", "1990", "1990", "1901", "1997", "1990", "1990", "1997", "1993", "1993", "1990", "1992"])
        #expect(job.status == .warnings, "\(log)")
    }

    @Test("Requests that come before the device is reserved are answered")
    func earlyRequest() throws {
        var storage = Self.writing
        storage.beforeDevice = { channel, job in
            let answer = try FakeStorage.ask(
                channel, "CatReq JobId=\(job.jobID) FindMedia=1 pool_name=File media_type=File vol_type=1\n")
            guard answer.hasPrefix("1000 OK VolName=Vol-0001") else { throw WireError(.unexpected, peer: "director", answer) }
        }
        let (fd, sd) = (try Self.client(FakeClient()), try Self.storage(storage))
        let director = try DirectorFixture(clientPort: fd.port, storagePort: sd.port)
        let (job, log) = try director.run(JobRequest(job: "Backup"))
        #expect(job.status == .ok, "\(log)")
    }

    @Test("A storage daemon that isn't there fails the job in words")
    func unreachable() throws {
        let director = try DirectorFixture(clientPort: 1, storagePort: try LoopbackPort.free())
        let (job, log) = try director.run(JobRequest(job: "Backup"))
        #expect(job.status == .fatal && log.contains { $0.contains("Storage \"LabFile\"") && $0.contains("Fatal error") }, "\(log)")
    }

    @Test("A wrong password fails the job in words")
    func wrongPassword() throws {
        let sd = try FakeDaemon(role: .storageDaemon, password: "another", greeting: "3000 OK Hello 306\n") { _ in }
        let director = try DirectorFixture(clientPort: 1, storagePort: sd.port)
        let (job, log) = try director.run(JobRequest(job: "Backup"))
        #expect(job.status == .fatal && log.contains { $0.contains("password") }, "\(log)")
    }

    @Test("A running job that is cancelled tells both daemons and ends as Canceled")
    func cancel() throws {
        let client = FakeClient()
        let cancelled = Monitor(false)
        var slow = client
        slow.beforeEnd = { channel in
            _ = cancelled.wait(atMost: .seconds(60)) { $0 ? true : nil }
            throw WireError(.closed, peer: "fake", "gone")
        }
        slow.answers = [:]
        let slowClient = slow
        let fd = try FakeDaemon(role: .fileDaemon, password: "fd-secret", greeting: "2000 OK Hello 214\n") { channel in
            defer {
                if client.heard.read({ $0.contains { $0.hasPrefix("cancel Job=Backup.") } }) { cancelled.withLock { $0 = true } }
            }
            try slowClient.serve(channel)
        }
        var storage = FakeStorage()
        storage.body = { channel, job in
            _ = cancelled.wait(atMost: .seconds(60)) { $0 ? true : nil }
            try FakeStorage.end(channel, job, status: 65)
        }
        let sd = try Self.storage(storage)
        let director = try DirectorFixture(clientPort: fd.port, storagePort: sd.port)
        let jobID = try director.services.submit(JobRequest(job: "Backup"))
        for _ in 0..<3000
        where director.services.jobs.snapshot(of: jobID)?.status != .running
            || !client.heard.read({ $0.contains("backup FileIndex=0\n") })
        {
            _ = Monitor(0).wait(atMost: .milliseconds(10)) { _ in nil as Int? }
        }
        #expect(director.services.jobs.cancel(jobID, reason: "the operator said so") == .requested)
        let ended = try #require(director.services.jobs.wait(for: jobID, atMost: .seconds(90)))
        #expect(ended.status == .cancelled)
        #expect(try director.row(jobID).status == "A")
        #expect(try director.log(jobID).contains { $0.contains("the operator said so") })
    }

    @Test("A queued job that is cancelled never starts")
    func cancelQueued() throws {
        let director = try DirectorFixture(clientPort: 1, storagePort: 1)
        var request = JobRequest(job: "Backup")
        request.when = WallTime(seconds: WallTime.now.seconds + 3600)
        let jobID = try director.services.submit(request)
        #expect(try director.row(jobID).status == "C" || director.row(jobID).status == "t")
        #expect(director.services.jobs.cancel(jobID, reason: "test") == .dequeued)
        #expect(director.services.jobs.wait(for: jobID, atMost: .seconds(10))?.status == .cancelled)
        #expect(try director.row(jobID).status == "A")
        #expect(director.services.jobs.cancel(jobID, reason: "test") == .notActive)
    }

    @Test("A restore sends the bootstrap to the storage daemon and the target to the client")
    func restore() throws {
        let bootstrap = Monitor<[String]>([])
        var storage = FakeStorage()
        storage.body = { channel, job in
            bootstrap.withLock { $0 = job.bootstrap }
            try FakeStorage.end(channel, job)
        }
        let client = FakeClient()
        let (fd, sd) = (try Self.client(client), try Self.storage(storage))
        let director = try DirectorFixture(clientPort: fd.port, storagePort: sd.port)
        var request = JobRequest(job: "Restore")
        request.restore = RestoreOrder(
            bootstrap: "Storage=\"LabFile\"\nVolume=\"V\"\nFileIndex=1-1\nCount=1\n", filesExpected: 1, whereDirectory: "/a b")
        let (job, log) = try director.run(request)
        #expect(job.status == .ok, "\(log)")
        #expect(bootstrap.read { $0 } == ["Storage=\"LabFile\"\n", "Volume=\"V\"\n", "FileIndex=1-1\n", "Count=1\n"])
        let heard = client.heard.read { $0 }
        #expect(heard.contains("restore files=1 replace=a prelinks=0 where=/a\u{1}b\n") && heard.last == "endrestore")
        #expect(heard.contains { $0.hasPrefix("storage address=127.0.0.1") && $0.hasSuffix("Authorization=AAAA-BBBB\n") })
    }

    @Test("Scripts run before and after, on the director and on the client; a failing one before stops the job")
    func scripts() throws {
        let client = FakeClient()
        let (fd, sd) = (try Self.client(client), try Self.storage(Self.writing))
        let director = try DirectorFixture(
            clientPort: fd.port, storagePort: sd.port,
            more: """
                Job {
                  Name = Scripted; JobDefs = Defaults
                  RunBeforeJob = "/bin/echo before %n %l"; ClientRunBeforeJob = "/bin/echo client"
                  RunScript { RunsWhen = After; RunsOnClient = no; RunsOnFailure = yes; Command = "/bin/echo after %e" }
                }
                Job { Name = Failing; JobDefs = Defaults; RunBeforeJob = "/bin/false" }
                """)
        let (job, log) = try director.run(JobRequest(job: "Scripted"))
        #expect(job.status == .ok, "\(log)")
        #expect(
            log.contains { $0.contains("BeforeJob: before Scripted Full") } && log.contains { $0.contains("AfterJob: after OK") },
            "\(log)")
        #expect(client.heard.read { $0.contains("RunBeforeJob /bin/echo\u{1}client\n") && $0.contains("RunBeforeNow\n") })
        let (failing, failingLog) = try director.run(JobRequest(job: "Failing"))
        #expect(
            failing.status == .fatal && failingLog.contains { $0.contains("/bin/false") && $0.contains("exit status 1") },
            "\(failingLog)")
    }

    @Test("Jobs that are not built yet say so, and admin jobs run their scripts")
    func otherTypes() throws {
        let director = try DirectorFixture(
            clientPort: 1, storagePort: 1,
            more: """
                Job { Name = Copying; JobDefs = Defaults; Type = Copy }
                Job { Name = Housework; JobDefs = Defaults; Type = Admin; RunBeforeJob = "/bin/echo swept" }
                """)
        let (copy, copyLog) = try director.run(JobRequest(job: "Copying"))
        #expect(copy.status == .fatal && copyLog.contains { $0.contains("not built yet") })
        let (admin, adminLog) = try director.run(JobRequest(job: "Housework"))
        #expect(admin.status == .ok && adminLog.contains { $0.contains("swept") }, "\(adminLog)")
    }

    @Test("Status and estimate ask the daemons")
    func orders() async throws {
        let fd = try Self.client(FakeClient())
        let director = try DirectorFixture(clientPort: fd.port, storagePort: 1)
        #expect(try await director.services.clientStatus("lab-fd").contains("fake-fd Version: 1.0"))
        let files = Monitor<[String]>([])
        let estimate = try await director.services.estimate(JobRequest(job: "Backup"), listing: true) { line in
            files.withLock { $0.append(line) }
        }
        #expect(estimate.files == 15 && estimate.bytes == 1_357_504 && files.read { $0.count } == 1)
        await #expect(throws: DirectorError.self) { try await director.services.clientStatus("nobody") }
        await #expect(throws: DirectorError.self) { try await director.services.storageStatus("LabFile") }
    }
}
