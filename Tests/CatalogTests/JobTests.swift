// Jobs, clients, FileSets, logs and listings as the director uses them.

import Foundation
import Platform
import TestSupport
import Testing
import Volumes

@testable import Catalog

@Suite("Jobs in the catalog")
struct JobTests {
    @Test("A job is queued, runs and ends; every step is in its row")
    func life() throws {
        let fixture = try CatalogFixture()
        let catalog = fixture.catalog
        let now = CatalogFixture.time(0)
        let id = try catalog.createJob(
            JobCreation(uniqueName: "N.2026-11-21_00.00.00_01", name: "N", type: "B", level: "I", scheduled: now))
        var job = try #require(try catalog.job(id))
        #expect(job.status == "C")
        #expect(job.scheduled == now)
        #expect(job.started == nil && job.ended == nil)
        #expect(job.date == now.seconds)

        var start = JobStart(started: CatalogFixture.time(5), level: "F")
        start.clientID = try catalog.syncClient(ClientRecord(name: "alpha"))
        start.fileSetID = try catalog.fileSet(named: "Plain", md5: "x", now: now).fileSetID
        start.poolID = try fixture.pool().poolID
        try catalog.startJob(id, start)
        try catalog.setSession(7, 4_000_000_000, ofJob: id)
        job = try #require(try catalog.job(named: "N.2026-11-21_00.00.00_01"))
        #expect(job.status == "R" && job.level == "F")
        #expect(job.client == "alpha" && job.fileSet == "Plain" && job.pool == "File")
        #expect(job.sessionID == 7 && job.sessionTime == 4_000_000_000)
        #expect(job.started == CatalogFixture.time(5))

        var end = JobEnd(status: "W", ended: CatalogFixture.time(65))
        end.files = 12
        end.bytes = 1 << 40
        end.readBytes = 1 << 41
        end.errors = 2
        try catalog.endJob(id, end)
        job = try #require(try catalog.job(id))
        #expect(job.status == "W" && job.isUsable)
        #expect(job.ended == CatalogFixture.time(65) && job.realEnd == job.ended)
        #expect(job.date == CatalogFixture.time(65).seconds)
        #expect(job.files == 12 && job.bytes == 1 << 40 && job.readBytes == 1 << 41 && job.errors == 2)
    }

    @Test("A unique name is given once; a job that isn't there can't change")
    func refusals() throws {
        let fixture = try CatalogFixture()
        let creation = JobCreation(
            uniqueName: "N.1", name: "N", type: "B", level: "F", scheduled: CatalogFixture.time(0))
        _ = try fixture.catalog.createJob(creation)
        Self.expect(.duplicate) { () throws(CatalogError) in _ = try fixture.catalog.createJob(creation) }
        Self.expect(.notFound) { () throws(CatalogError) in try fixture.catalog.setStatus("A", ofJob: 99) }
        Self.expect(.notFound) { () throws(CatalogError) in
            try fixture.catalog.endJob(99, JobEnd(status: "T", ended: CatalogFixture.time(0)))
        }
        Self.expect(.notFound) { () throws(CatalogError) in
            try fixture.catalog.startJob(99, JobStart(started: CatalogFixture.time(0), level: "F"))
        }
        #expect(try fixture.catalog.job(99) == nil)
    }

    static func expect(
        _ kind: CatalogError.Kind, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws(CatalogError) -> Void
    ) {
        do {
            try body()
            Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        } catch { #expect(error.kind == kind, sourceLocation: sourceLocation) }
    }

    @Test("The number of a deleted job doesn't come back: volumes and logs still carry it")
    func numbers() throws {
        let fixture = try CatalogFixture()
        let first = try fixture.backup(at: 0)
        try fixture.catalog.deleteJob(first)
        #expect(try fixture.backup(at: 20) > first)
    }

    @Test("Unique names have the resource's name, local time and a counter, and fit 127 bytes")
    func uniqueNames() throws {
        let time = try #require(WallTime(localText: "2026-11-21 03:04:05"))
        #expect(JobName.unique(for: "Back up /home", at: time, counter: 7) == "Back_up_/home.2026-11-21_03.04.05_07")
        #expect(JobName.unique(for: "N", at: time, counter: 61) == "N.2026-11-21_03.04.05_01")
        let long = JobName.unique(for: String(repeating: "é", count: 100), at: time, counter: 0)
        #expect(long.utf8.count <= 127 && long.hasSuffix(".2026-11-21_03.04.05_00"))
        #expect(JobName.resource(of: "a.b.c.2026-11-21_03.04.05_07") == "a.b.c")
        #expect(JobName.resource(of: "odd") == "odd")
    }

    @Test("Jobs are found by every property, oldest first or newest first, so many as asked for")
    func filters() throws {
        let fixture = try CatalogFixture()
        let full = try fixture.backup("F", at: 0)
        let incremental = try fixture.backup("I", at: 100, status: "E")
        let other = try fixture.backup("F", at: 200, name: "Other", client: "beta", fileSet: "Home")
        func found(_ change: (inout JobFilter) -> Void) throws -> [Int64] {
            var filter = JobFilter()
            change(&filter)
            return try fixture.catalog.jobs(filter).map(\.jobID)
        }
        #expect(try found { _ in } == [full, incremental, other])
        #expect(try found { $0.newestFirst = true } == [other, incremental, full])
        #expect(try found { $0.limit = 2 } == [incremental, other])
        #expect(
            try found {
                $0.limit = 2; $0.newestFirst = true
            } == [other, incremental])
        #expect(try found { $0.name = "Other" } == [other])
        #expect(try found { $0.client = "alpha" } == [full, incremental])
        #expect(try found { $0.fileSet = "Home" } == [other])
        #expect(
            try found {
                $0.levels = ["F"]; $0.statuses = ["T", "W"]; $0.types = ["B"]
            } == [full, other])
        #expect(try found { $0.since = CatalogFixture.time(100) } == [incremental, other])
        #expect(try found { $0.before = CatalogFixture.time(100) } == [full])
        #expect(try found { $0.jobIDs = [other, full] } == [full, other])
        #expect(try found { $0.jobIDs = [] } == [])
    }

    @Test("A client's row is made once and takes new values over; an empty uname keeps the known one")
    func clients() throws {
        let fixture = try CatalogFixture()
        var client = ClientRecord(name: "alpha")
        client.uname = "9.6.7 x86_64"
        let id = try fixture.catalog.syncClient(client)
        client.uname = ""
        client.jobRetention = 5
        #expect(try fixture.catalog.syncClient(client) == id)
        let stored = try #require(try fixture.catalog.client(named: "alpha"))
        #expect(stored.uname == "9.6.7 x86_64" && stored.jobRetention == 5)
        #expect(try fixture.catalog.clients().count == 1)
        #expect(
            try fixture.catalog.syncStorage("S", isAutochanger: false)
                == fixture.catalog.syncStorage("S", isAutochanger: true))
        #expect(try fixture.catalog.syncMediaType("File") == fixture.catalog.syncMediaType("File"))
    }

    @Test("A FileSet with another MD5 is another row; the first one keeps its creation time")
    func fileSets() throws {
        let fixture = try CatalogFixture()
        let first = try fixture.catalog.fileSet(named: "Plain", md5: "a", now: CatalogFixture.time(0))
        let again = try fixture.catalog.fileSet(named: "Plain", md5: "a", now: CatalogFixture.time(50))
        let changed = try fixture.catalog.fileSet(named: "Plain", md5: "b", now: CatalogFixture.time(60))
        #expect(first == again)
        #expect(first.created == CatalogFixture.time(0))
        #expect(changed.fileSetID != first.fileSetID)
        #expect(try fixture.catalog.fileSets().map(\.md5) == ["a", "b"])
    }

    @Test("Jobs that a dead director left behind fail with a line in their log; ended ones stay as they are")
    func leftovers() throws {
        let fixture = try CatalogFixture()
        let catalog = fixture.catalog
        let ended = try fixture.backup(at: 0)
        let queued = try catalog.createJob(
            JobCreation(uniqueName: "q", name: "q", type: "B", level: "F", scheduled: CatalogFixture.time(0)))
        let running = try catalog.createJob(
            JobCreation(uniqueName: "r", name: "r", type: "B", level: "F", scheduled: CatalogFixture.time(0)))
        try catalog.startJob(running, JobStart(started: CatalogFixture.time(1), level: "F"))
        let volume = try fixture.volume("V", pool: try fixture.pool())
        let part = JobMediaRecord(
            mediaID: volume.mediaID, firstIndex: 1, lastIndex: 5, startFile: 0, endFile: 0, startBlock: 200,
            endBlock: 900)
        let dummy = JobMediaRecord(
            mediaID: volume.mediaID, firstIndex: 0, lastIndex: 0, startFile: 0, endFile: 0, startBlock: 0, endBlock: 0)
        try catalog.addJobMedia([dummy, part], toJob: running)
        let waiting = try catalog.createJob(
            JobCreation(uniqueName: "w", name: "w", type: "B", level: "F", scheduled: CatalogFixture.time(0)))
        try catalog.setStatus("M", ofJob: waiting)

        let found = try catalog.failUnfinishedJobs(now: CatalogFixture.time(500))
        #expect(found.map(\.jobID) == [queued, running, waiting])
        for job in [queued, running, waiting] {
            #expect(try catalog.job(job)?.status == "f")
            #expect(try catalog.job(job)?.ended == CatalogFixture.time(500))
            #expect(try catalog.log(ofJob: job).count == 1)
        }
        #expect(try catalog.log(ofJob: running)[0].text.contains("running"))
        // What reached the volume stays known, the dummy doesn't.
        #expect(try fixture.value("SELECT count(*) FROM JobMedia WHERE JobId = \(running)") == "1")
        #expect(try catalog.job(ended)?.status == "T")
        #expect(try catalog.failUnfinishedJobs().isEmpty)
    }

    @Test("Log lines come back in their order")
    func log() throws {
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0)
        for line in ["one\n", "two", "three 'quoted'"] {
            try fixture.catalog.appendLog(jobID: job, line, at: CatalogFixture.time(1))
        }
        #expect(try fixture.catalog.log(ofJob: job).map(\.text) == ["one\n", "two", "three 'quoted'"])
        #expect(try fixture.catalog.list(.jobLog(jobID: job)).rows.count == 3)
    }

    @Test("Lists have Bacula's columns")
    func lists() throws {
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0, files: ["/a/b", "/a/", "-/a/c"])
        let volume = try fixture.volume("V-1", pool: try fixture.pool())
        try fixture.catalog.addJobMedia(
            [
                JobMediaRecord(
                    mediaID: volume.mediaID, firstIndex: 1, lastIndex: 2, startFile: 0, endFile: 0, startBlock: 200,
                    endBlock: 900)
            ], toJob: job)
        func columns(_ listing: Listing, long: Bool = false) throws -> String {
            try fixture.catalog.list(listing, long: long).columns.joined(separator: " ")
        }
        #expect(try columns(.jobs(JobFilter())) == "JobId Name StartTime Type Level JobFiles JobBytes JobStatus")
        #expect(
            try columns(.jobs(JobFilter()), long: true)
                == "JobId Job Name PurgedFiles Type Level ClientId ClientName JobStatus SchedTime StartTime EndTime RealEndTime JobTDate VolSessionId VolSessionTime JobFiles JobBytes ReadBytes JobErrors JobMissingFiles PoolId PoolName PriorJobId FileSetId FileSet HasBase HasCache Comment"
        )
        #expect(
            try columns(.volumes(pool: nil))
                == "MediaId VolumeName VolStatus Enabled VolBytes VolFiles VolRetention Recycle Slot InChanger MediaType VolType VolParts LastWritten ExpiresIn"
        )
        #expect(
            try columns(.pools) == "PoolId Name NumVols MaxVols MaxVolBytes VolRetention Enabled PoolType LabelFormat")
        #expect(try columns(.clients) == "ClientId Name FileRetention JobRetention")
        #expect(try columns(.jobMedia(jobID: job)) == "JobId VolumeName FirstIndex LastIndex")
        #expect(try fixture.catalog.list(.jobMedia(jobID: nil), long: true).rows.count == 1)
        #expect(try fixture.catalog.list(.files(jobID: job)).rows == [["/a/b"], ["/a/"]])
        #expect(try fixture.catalog.list(.volumes(pool: "File")).rows.count == 1)
        #expect(try fixture.catalog.list(.volumes(pool: "Other")).rows.isEmpty)
        #expect(try fixture.catalog.list(.jobTotals).rows == [["1", "3", "0", "Nightly"]])
        for listing in [Listing.pools, .clients, .fileSets, .storages, .counters, .volumes(pool: nil)] {
            _ = try fixture.catalog.list(listing, long: true)
        }
    }

    @Test("An operator's SQL reads and can't write")
    func query() throws {
        let fixture = try CatalogFixture()
        try fixture.backup(at: 0)
        #expect(
            try fixture.catalog.query("SELECT 1 AS a, NULL AS b, 'x' AS c, x'0aff' AS d")
                == ResultTable(columns: ["a", "b", "c", "d"], rows: [["1", nil, "x", "0aff"]]))
        for sql in [
            "DELETE FROM Job", "DROP TABLE Media", "INSERT INTO Version VALUES (1)", "SELECT nonsense", "nonsense", "",
        ] {
            do throws(CatalogError) {
                _ = try fixture.catalog.query(sql)
                Issue.record("ran: \(sql)")
            } catch { #expect(error.kind == .query, "\(sql): \(error)") }
        }
        #expect(try fixture.catalog.jobs(JobFilter()).count == 1)
    }
}
