// Which jobs a new backup and a restore stand on: tables of histories and answers.

import Platform
import TestSupport
import Testing

@testable import Catalog

@Suite("The history of a backup")
struct BackupHistoryTests {
    /// A line of history: level, start in seconds (each takes ten), status.
    typealias Line = (Character, Int64, Character)

    /// Chain as positions in `lines`.
    static func chain(_ lines: [Line], before: Int64? = nil) throws -> [Int] {
        let fixture = try CatalogFixture()
        var ids: [Int64] = []
        for line in lines { ids.append(try fixture.backup(line.0, at: line.1, status: line.2)) }
        return try fixture.catalog.restoreChain(
            client: "alpha", fileSet: "Plain", before: before.map { CatalogFixture.time($0) }
        )
        .map { ids.firstIndex(of: $0.jobID)! }
    }

    @Test("A restore reads the newest full, the newest differential after it, and the incrementals after that")
    func chains() throws {
        let week: [Line] = [
            ("F", 0, "T"), ("I", 100, "T"), ("D", 200, "T"), ("I", 300, "T"), ("I", 400, "W"), ("D", 500, "T"),
            ("I", 600, "T"), ("F", 700, "T"), ("I", 800, "T"),
        ]
        #expect(try Self.chain(week) == [7, 8])
        #expect(try Self.chain(week, before: 700) == [0, 5, 6])
        #expect(try Self.chain(week, before: 600) == [0, 5])
        #expect(try Self.chain(week, before: 450) == [0, 2, 3, 4])
        #expect(try Self.chain(week, before: 200) == [0, 1])
        #expect(try Self.chain(week, before: 0) == [])
        #expect(try Self.chain([]) == [])
        #expect(try Self.chain([("I", 0, "T"), ("D", 100, "T")]) == [])
        #expect(try Self.chain([("I", 0, "T"), ("F", 100, "T"), ("I", 200, "T")]) == [1, 2])
    }

    @Test(
        "Failed, cancelled and running jobs are in no chain", arguments: ["E", "f", "A", "I", "e", "D"] as [Character])
    func failures(status: Character) throws {
        #expect(
            try Self.chain([("F", 0, "T"), ("F", 100, status), ("I", 200, "T"), ("I", 300, status), ("I", 400, "T")])
                == [0, 2, 4])
        #expect(try Self.chain([("F", 0, status), ("I", 100, "T")]) == [])
    }

    @Test("An incremental that started in the very second in which its full ended is in the chain")
    func sameSecond() throws {
        #expect(try Self.chain([("F", 0, "T"), ("I", 10, "T"), ("I", 20, "T")]) == [0, 1, 2])
    }

    @Test("An incremental that started before its full ended is not")
    func overlapping() throws {
        #expect(try Self.chain([("F", 0, "T"), ("I", 5, "T"), ("I", 20, "T")]) == [0, 2])
    }

    @Test("Other clients, FileSets and pools stay apart; another definition of the FileSet doesn't")
    func scope() throws {
        let fixture = try CatalogFixture()
        let full = try fixture.backup("F", at: 0)
        try fixture.backup("F", at: 100, client: "beta")
        try fixture.backup("F", at: 200, fileSet: "Home")
        let changed = try fixture.backup("I", at: 300, md5: "other definition")
        #expect(try fixture.catalog.restoreChain(client: "alpha", fileSet: "Plain").map(\.jobID) == [full, changed])
        #expect(try fixture.catalog.restoreChain(client: "alpha", fileSet: "Plain", pool: "File").isEmpty)
        #expect(try fixture.catalog.restorableFileSets(client: "alpha") == ["Home", "Plain"])
        #expect(try fixture.catalog.restorableFileSets(client: "beta") == ["Plain"])
        #expect(try fixture.catalog.restorableFileSets(client: "nobody").isEmpty)
    }

    /// History of job Nightly of alpha and the FileSet as first defined.
    func history(_ fixture: CatalogFixture, md5: String = "m1", ignoringFileSetChanges: Bool = false) throws
        -> BackupHistory
    {
        let client = try fixture.catalog.syncClient(ClientRecord(name: "alpha"))
        let set = try fixture.catalog.fileSet(named: "Plain", md5: md5)
        return try fixture.catalog.history(
            job: "Nightly", clientID: client, fileSetID: set.fileSetID, ignoringFileSetChanges: ignoringFileSetChanges)
    }

    @Test("Without a full there is nothing to be incremental to")
    func noFull() throws {
        let fixture = try CatalogFixture()
        #expect(try history(fixture) == BackupHistory())
        try fixture.backup("F", at: 0, status: "E")
        let failed = try history(fixture)
        #expect(failed.full == nil && !failed.fileSetChanged)
        #expect(failed.failedLevel == "F")
    }

    @Test("An incremental counts from the start of the newest backup, to the second, a differential from the full's")
    func since() throws {
        let fixture = try CatalogFixture()
        try fixture.backup("F", at: 0)
        try fixture.backup("I", at: 100)
        try fixture.backup("F", at: 150, name: "Another job")
        let history = try history(fixture)
        #expect(history.newest?.started == CatalogFixture.time(100))
        #expect(history.full?.started == CatalogFixture.time(0))
        #expect(history.differential == nil)
        #expect(history.failedLevel == nil)
    }

    @Test("A changed FileSet is noticed, unless its changes are to be ignored")
    func changedFileSet() throws {
        let fixture = try CatalogFixture()
        let full = try fixture.backup("F", at: 0)
        let changed = try history(fixture, md5: "m2")
        #expect(changed.full == nil && changed.fileSetChanged)
        let ignored = try history(fixture, md5: "m2", ignoringFileSetChanges: true)
        #expect(ignored.full?.jobID == full && !ignored.fileSetChanged)
        #expect(try !history(fixture).fileSetChanged)
    }

    @Test("A failed full or differential since the newest usable job is reported, the higher one of both")
    func failedLevel() throws {
        let fixture = try CatalogFixture()
        try fixture.backup("F", at: 0)
        try fixture.backup("F", at: 100, status: "A")
        #expect(try history(fixture).failedLevel == "F")
        try fixture.backup("I", at: 200)
        #expect(try history(fixture).failedLevel == nil)
        try fixture.backup("D", at: 300, status: "f")
        try fixture.backup("I", at: 400, status: "E")
        #expect(try history(fixture).failedLevel == "D")
        try fixture.backup("F", at: 500, status: "E")
        #expect(try history(fixture).failedLevel == "F")
    }

    @Test("The hour that a clock repeats in autumn doesn't break the chain")
    func repeatedHour() throws {
        // Local texts of these two go backwards in zones that end summer time here; Unix seconds don't.
        let fixture = try CatalogFixture()
        let base: Int64 = WallTime(localText: "2026-10-25 02:40:00")!.seconds - CatalogFixture.time(0).seconds
        let full = try fixture.backup("F", at: base)
        let incremental = try fixture.backup("I", at: base + 1200)
        try fixture.catalog.write { db in
            try db.execute(sql: "UPDATE Job SET StartTime = '2026-10-25 02:00:00' WHERE JobId = \(incremental)")
        }
        #expect(
            try fixture.catalog.restoreChain(client: "alpha", fileSet: "Plain").map(\.jobID) == [full, incremental])
        #expect(try fixture.catalog.job(incremental)?.started == CatalogFixture.time(base + 1200))
    }
}
