// Our director with the real file and storage daemons of Bacula 9.6, where they are installed: the dialogues as they are,
// not as we believe them to be.

import Catalog
import Configuration
import Glibc
import Platform
import TestSupport
import Testing

@testable import Director

/// bacula-sd and bacula-fd on free ports, and a director for them.
private final class RealLab: Sendable {
    static let programs = ["/usr/sbin/bacula-sd", "/usr/sbin/bacula-fd"]
    static var isInstalled: Bool { programs.allSatisfy { unsafe access($0, X_OK) == 0 } }

    let directory = TemporaryDirectory()
    let director: DirectorFixture
    private let daemons: Monitor<[String: BackgroundProcess]>
    var source: String { director.directory.file("source") }
    var restored: String { director.directory.file("restored") }

    init(pool: String = "Label Format = \"Vol-\"", more: String = "", jobDefaults: String = "") throws {
        let (fdPort, sdPort) = (try LoopbackPort.free(), try LoopbackPort.free())
        for name in ["run", "sd", "fd", "volumes"] { unsafe mkdir(directory.file(name), 0o755) }
        let work = directory.path
        try OpenFile.replace(
            directory.file("sd.conf"),
            with: Array(
                """
                Storage {
                  Name = lab-sd; SDPort = \(sdPort); SDAddress = 127.0.0.1; WorkingDirectory = "\(work)/sd"; Pid Directory = "\(work)/run"
                  Maximum Concurrent Jobs = 20
                }
                Director { Name = lab-dir; Password = "sd-secret" }
                Device {
                  Name = FileStor; Media Type = File; Device Type = File; Archive Device = "\(work)/volumes"; LabelMedia = yes
                  Random Access = yes; AutomaticMount = yes; RemovableMedia = no; AlwaysOpen = no; Maximum Concurrent Jobs = 5
                }
                Messages { Name = Standard; director = lab-dir = all }

                """.utf8))
        try OpenFile.replace(
            directory.file("fd.conf"),
            with: Array(
                """
                FileDaemon {
                  Name = lab-fd; FDPort = \(fdPort); FDAddress = 127.0.0.1; WorkingDirectory = "\(work)/fd"; Pid Directory = "\(work)/run"
                  Maximum Concurrent Jobs = 10
                }
                Director { Name = lab-dir; Password = "fd-secret" }
                Messages { Name = Standard; director = lab-dir = all, !skipped, !restored }

                """.utf8))
        daemons = Monitor([:])
        director = try DirectorFixture(clientPort: fdPort, storagePort: sdPort, more: more, jobDefaults: jobDefaults, pool: pool)
        unsafe mkdir(director.directory.file("source"), 0o755)
        try start("sd")
        try start("fd")
    }

    deinit { for daemon in daemons.read({ $0.values }) { _ = daemon.end(grace: .seconds(5)) } }

    func start(_ role: String) throws {
        let work = directory.path
        let process = try BackgroundProcess(
            ["/usr/sbin/bacula-\(role)", "-f", "-c", "\(work)/\(role).conf"], logPath: "\(work)/\(role).log")
        daemons.withLock { $0[role] = process }
    }
    func kill(_ role: String) {
        let process = daemons.read { $0[role] }
        process?.send(SIGKILL)
        _ = process?.waitForEnd(atMost: .seconds(10))
    }

    func write(_ name: String, _ text: String) throws {
        let path = source + "/" + name
        let parent = String(path[..<path.lastIndex(of: "/")!])
        unsafe mkdir(parent, 0o755)
        try OpenFile.replace(path, with: Array(text.utf8))
    }
    func restoredText(_ name: String) -> String? {
        (try? OpenFile.contents(of: restored + source + "/" + name)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Restores everything of the newest backup of FileSet Plain, as the console's `restore … all done` does.
    func restoreAll() throws -> (job: RunningJob, log: [String]) {
        let catalog = director.services.catalog
        let chain = try catalog.restoreChain(client: "lab-fd", fileSet: "Plain")
        var indexes: [Int64: Set<Int32>] = [:]
        try catalog.newestFiles(ofJobs: chain.map(\.jobID)) { indexes[$0.jobID, default: []].insert($0.fileIndex) }
        let selection = RestoreSelection(jobs: chain.compactMap { job in indexes[job.jobID].map { (job.jobID, $0) } })
        let bootstrap = try catalog.bootstrap(for: selection) { _ in ("LabFile", "FileStor") }
        var request = JobRequest(job: "Restore")
        request.restore = RestoreOrder(bootstrap: bootstrap.text, filesExpected: bootstrap.files)
        return try director.run(request)
    }
}

@Suite(.enabled(if: RealLab.isInstalled, "bacula-sd and bacula-fd are not installed (Debian: apt-get install bacula-sd bacula-fd)"))
struct RealDaemonTests {
    @Test("A full and an accurate incremental with Bacula's daemons restore to what was there")
    func fullIncrementalRestore() throws {
        let lab = try RealLab(jobDefaults: "Accurate = yes; Client Run Before Job = \"/bin/echo before %n\"")
        try lab.write("hello.txt", "hello\n")
        try lab.write("sub/deep file.txt", "deep\n")
        try lab.write("big", String(repeating: "0123456789abcdef\n", count: 100_000))
        try lab.write("gone", "soon gone\n")
        let (full, fullLog) = try lab.director.run(JobRequest(job: "Backup"))
        try #require(full.status == .ok, "\(fullLog)")
        #expect(full.level == .full && full.files == 6)
        #expect(fullLog.contains { $0.contains("before Backup") })
        // A later second, so that the times differ for a program that counts in seconds.
        sleep(2)
        try lab.write("hello.txt", "hello again\n")
        try lab.write("new.txt", "new\n")
        unsafe unlink(lab.source + "/gone")
        let (incremental, incrementalLog) = try lab.director.run(JobRequest(job: "Backup"))
        try #require(incremental.status == .ok && incremental.level == .incremental, "\(incrementalLog)")
        #expect(incremental.files < 6 && incremental.bytes < 1000)
        let (restore, restoreLog) = try lab.restoreAll()
        try #require(restore.status == .ok, "\(restoreLog)")
        #expect(lab.restoredText("hello.txt") == "hello again\n" && lab.restoredText("new.txt") == "new\n")
        #expect(lab.restoredText("sub/deep file.txt") == "deep\n" && lab.restoredText("gone") == nil)
        #expect(lab.restoredText("big")?.count == 1_700_000)
        #expect(try lab.director.row(restore.jobID).status == "T")
    }

    @Test("Two jobs at once and a volume change in the middle of a file come back whole")
    func volumeChange() throws {
        let lab = try RealLab(
            pool: "Label Format = \"Sml-\"; Maximum Volume Bytes = 1 MB",
            more: """
                FileSet { Name = Other; Include { Options { signature = SHA1 } File = "@DIR@/source/sub" } }
                Job { Name = Second; JobDefs = Defaults; FileSet = Other }
                """)
        var random = SystemRandomNumberGenerator()
        let big = String((0..<4_000_000).map { _ in Character(UnicodeScalar(UInt8.random(in: 33...126, using: &random))) })
        try lab.write("big", big)
        try lab.write("sub/small", "small\n")
        let services = lab.director.services
        let ids = [try services.submit(JobRequest(job: "Backup")), try services.submit(JobRequest(job: "Second"))]
        for id in ids {
            let ended = try #require(services.jobs.wait(for: id, atMost: .seconds(120)))
            let log = try lab.director.log(id)
            #expect(ended.status == .ok, "\(log)")
        }
        #expect(try services.catalog.volumes().count >= 4)
        #expect(try services.catalog.jobMedia(ofJob: ids[0]).count >= 4)
        let (restore, log) = try lab.restoreAll()
        try #require(restore.status == .ok, "\(log)")
        #expect(lab.restoredText("big") == big && lab.restoredText("sub/small") == "small\n")
    }

    @Test("Status and estimate work with Bacula's daemons")
    func orders() async throws {
        let lab = try RealLab()
        try lab.write("hello.txt", "hello\n")
        let services = lab.director.services
        var client: [String] = []
        for _ in 0..<20 where client.isEmpty { client = (try? await services.clientStatus("lab-fd")) ?? [] }
        #expect(client.contains { $0.hasPrefix("lab-fd Version: 9.6") })
        #expect(try await services.storageStatus("LabFile").contains { $0.hasPrefix("lab-sd Version: 9.6") })
        #expect(try await services.storageStatus("LabFile", keyword: "devices").contains { $0.contains("FileStor") })
        let estimate = try await services.estimate(JobRequest(job: "Backup"), listing: false)
        #expect(estimate.files == 2)
        let answer = try await services.storageCommand(
            "LabFile", "label FileStor VolumeName=Man-0001 PoolName=File MediaType=File Slot=0 drive=-1")
        #expect(answer.contains { $0.hasPrefix("3000 OK label.") })
    }

    @Test("A job that waits for a volume is cancelled at both daemons, and the next job runs")
    func cancelWaiting() throws {
        let lab = try RealLab(pool: "Maximum Volumes = 5")
        try lab.write("hello.txt", "hello\n")
        let services = lab.director.services
        let id = try services.submit(JobRequest(job: "Backup"))
        // Nothing may be labelled: the storage daemon waits for an operator.
        for _ in 0..<600 where !(try lab.director.log(id).contains { $0.contains("Job") && $0.contains("waiting") }) {
            usleep(50_000)
        }
        #expect(services.jobs.cancel(id, reason: "test") == .requested)
        let ended = try #require(services.jobs.wait(for: id, atMost: .seconds(120)))
        let row = try lab.director.row(id)
        #expect(ended.status == .cancelled && row.status == "A")
    }

    @Test("A daemon that is killed in the middle of a job fails the job, and the next job runs", arguments: ["fd", "sd"])
    func killed(role: String) throws {
        let lab = try RealLab(more: "Job { Name = Slow; JobDefs = Defaults; Client Run Before Job = \"/bin/sleep 8\" }")
        try lab.write("hello.txt", "hello\n")
        let services = lab.director.services
        let id = try services.submit(JobRequest(job: "Slow"))
        for _ in 0..<600 where !(try lab.director.log(id).contains { $0.contains("Using Device") }) { usleep(50_000) }
        sleep(1)
        lab.kill(role)
        let ended = try #require(services.jobs.wait(for: id, atMost: .seconds(120)))
        let log = try lab.director.log(id)
        #expect(ended.status == .fatal && log.contains { $0.contains("Fatal error") }, "\(log)")
        #expect(try lab.director.row(id).status == "f")
        try lab.start(role)
        let (next, nextLog) = try lab.director.run(JobRequest(job: "Backup"))
        #expect(next.status == .ok, "\(nextLog)")
    }
}
