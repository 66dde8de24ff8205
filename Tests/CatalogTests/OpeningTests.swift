// What an operator gets for every kind of file that a Catalog resource can point to.

import Foundation
import GRDB
import Platform
import TestSupport
import Testing
import Volumes

@testable import Catalog

@Suite("Opening a catalog")
struct OpeningTests {
    static func kind(opening path: String, _ options: CatalogDatabase.Options = .init()) -> CatalogError.Kind? {
        do throws(CatalogError) {
            try CatalogDatabase(path: path, options: options).close()
            return nil
        } catch { return error.kind }
    }

    @Test("A missing file is created and opens again with everything in it")
    func created() throws {
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0, files: ["/a/b"])
        try fixture.catalog.close()
        let again = try CatalogDatabase(path: fixture.path)
        #expect(try again.job(job)?.status == "T")
        try again.checkIntegrity()
    }

    @Test("Every commit waits for the medium")
    func synchronous() throws {
        let fixture = try CatalogFixture()
        let settings = try fixture.catalog.pool.writeWithoutTransaction { db in
            (try Int.fetchOne(db, sql: "PRAGMA synchronous"), try String.fetchOne(db, sql: "PRAGMA journal_mode"))
        }
        #expect(settings.0 == 2)
        #expect(settings.1 == "wal")
    }

    @Test("What was committed is there after the process was killed, log and all")
    func killed() throws {
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0, files: ["/a/b"])
        // The files as they are on disk now, without the close that a killed process doesn't get to.
        let copy = fixture.directory.file("copy.db")
        try FileManager.default.copyItem(atPath: fixture.path, toPath: copy)
        try FileManager.default.copyItem(atPath: fixture.path + "-wal", toPath: copy + "-wal")
        let again = try CatalogDatabase(path: copy)
        #expect(try again.job(job)?.status == "T")
        #expect(try again.newestFileCount(ofJobs: [job]).files == 1)
    }

    @Test("A half-written log gives the state before the transaction that was cut off")
    func tornLog() throws {
        let fixture = try CatalogFixture()
        try fixture.backup(at: 0, files: (0..<500).map { "/a/\($0)" })
        let log = try Data(contentsOf: URL(fileURLWithPath: fixture.path + "-wal"))
        let database = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
        for cut in stride(from: 0, through: log.count, by: max(1, log.count / 23)) {
            let copy = fixture.directory.file("cut\(cut).db")
            try database.write(to: URL(fileURLWithPath: copy))
            try log.prefix(cut).write(to: URL(fileURLWithPath: copy + "-wal"))
            let catalog = try CatalogDatabase(path: copy)
            try catalog.checkIntegrity()
            let files = try catalog.query("SELECT count(*) FROM FileEntry").rows[0][0]
            #expect(files == "0" || files == "500")
            try catalog.close()
        }
    }

    @Test("Another program's database, a text file and a directory are refused, each in its words")
    func foreign() throws {
        let directory = TemporaryDirectory()
        let other = try DatabaseQueue(path: directory.file("other.db"))
        try other.write { db in try db.execute(sql: "CREATE TABLE Job (JobId INTEGER PRIMARY KEY)") }
        try other.close()
        #expect(Self.kind(opening: directory.file("other.db")) == .foreign)
        try Data(String(repeating: "not a database at all. ", count: 400).utf8).write(
            to: URL(fileURLWithPath: directory.file("text")))
        #expect(Self.kind(opening: directory.file("text")) == .foreign)
        #expect(Self.kind(opening: directory.path) == .unreadable)
        #expect(Self.kind(opening: directory.file("no/such/directory.db")) == .unreadable)
    }

    @Test("A catalog of a later release is refused and left as it is")
    func newer() throws {
        let fixture = try CatalogFixture()
        try fixture.catalog.write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('9999 from the future')")
        }
        try fixture.catalog.close()
        #expect(Self.kind(opening: fixture.path) == .newer)
    }

    @Test("A truncated file is found damaged", arguments: [0.3, 0.6, 0.9])
    func truncated(part: Double) throws {
        let fixture = try Self.filled()
        let url = URL(fileURLWithPath: fixture.path)
        let data = try Data(contentsOf: url)
        try data.prefix(Int(Double(data.count) * part) / 4096 * 4096).write(to: url)
        #expect(Self.kind(opening: fixture.path) == .damaged)
    }

    @Test("Overwritten pages are found damaged wherever they are", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func overwritten(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let fixture = try Self.filled()
        let url = URL(fileURLWithPath: fixture.path)
        var data = try Data(contentsOf: url)
        let page = Int.random(in: 2..<data.count / 4096, using: &generator)
        for offset in 0..<4096 { data[page * 4096 + offset] = UInt8.random(in: 0...255, using: &generator) }
        try data.write(to: url)
        #expect(Self.kind(opening: fixture.path) == .damaged)
    }

    @Test("A catalog with flipped bytes opens, or says that it is damaged or not a catalog; it never ends the process")
    func flipped() throws {
        var generator = SeededGenerator(seed: 0xB17F)
        let fixture = try Self.filled()
        let original = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
        for round in 0..<40 {
            var data = original
            for _ in 0..<8 {
                let position =
                    round % 4 == 0
                    ? Int.random(in: 0..<4096, using: &generator) : Int.random(in: 0..<data.count, using: &generator)
                data[position] ^= UInt8.random(in: 1...255, using: &generator)
            }
            let path = fixture.directory.file("flipped\(round).db")
            try data.write(to: URL(fileURLWithPath: path))
            do throws(CatalogError) {
                let catalog = try CatalogDatabase(path: path)
                // Bytes inside a name or a number don't show; whatever is read must come or be refused.
                do { try catalog.newestFiles(ofJobs: [1, 2]) { _ in } } catch {
                    #expect(error.kind == .damaged || error.kind == .failed)
                }
                try? catalog.close()
            } catch {
                #expect([.damaged, .foreign, .newer, .unreadable, .failed].contains(error.kind), "\(error)")
            }
        }
    }

    /// A closed catalog of a few hundred pages.
    static func filled() throws -> CatalogFixture {
        let fixture = try CatalogFixture()
        try fixture.backup(at: 0, files: (0..<6000).map { "/directory\($0 % 100)/file with a name \($0)" })
        try fixture.backup("I", at: 100, files: (0..<600).map { "/directory\($0 % 100)/file with a name \($0)" })
        try fixture.catalog.close()
        return fixture
    }

    @Test("While another program holds the write lock, writing says so after the busy timeout and reading goes on")
    func locked() throws {
        var options = CatalogDatabase.Options()
        options.busyTimeout = .milliseconds(50)
        let fixture = try CatalogFixture(options)
        let job = try fixture.backup(at: 0)
        let other = try DatabaseQueue(path: fixture.path)
        try other.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            #expect(throws: CatalogError.self) { try fixture.catalog.setStatus("E", ofJob: job) }
            do throws(CatalogError) { try fixture.catalog.setStatus("E", ofJob: job) } catch {
                #expect(error.kind == .locked)
                #expect(!error.isPermanent)
            }
            #expect(try fixture.catalog.job(job)?.status == "T")
            try db.execute(sql: "ROLLBACK")
        }
        try fixture.catalog.setStatus("E", ofJob: job)
        #expect(try fixture.catalog.job(job)?.status == "E")
    }

    @Test("A full disk stops the batch that doesn't fit; what was stored stays and the batch can be tried again")
    func full() throws {
        var options = CatalogDatabase.Options()
        options.pagesMax = 150
        let fixture = try CatalogFixture(options)
        let job = try fixture.backup(at: 0, files: ["/first/file"])
        let writer = fixture.catalog.attributeWriter(forJob: job)
        for index in Int32(2)...8000 {
            let record = FileViewTests.record(
                index, 3, Array("/many/file with a long name \(index)".utf8),
                Array("A A A A A A A A A A A A A A A C".utf8))
            try writer.add(stream: .attributes, fileIndex: index, record: record.span)
        }
        do {
            try writer.flush()
            Issue.record("nothing was full")
        } catch { #expect(error.kind == .full) }
        #expect(try fixture.catalog.newestFileCount(ofJobs: [job]).files == 1)
        try fixture.catalog.checkIntegrity()
        // Somebody makes room.
        try fixture.catalog.pool.writeWithoutTransaction { db in
            _ = try Int.fetchOne(db, sql: "PRAGMA max_page_count = 100000")
        }
        try writer.flush()
        #expect(try fixture.catalog.newestFileCount(ofJobs: [job]).files == 8000)
        try fixture.catalog.checkIntegrity()
    }

    @Test("The schema is the golden file's; a change needs a new migration")
    func schema() throws {
        let fixture = try CatalogFixture()
        let rows = try fixture.catalog.query(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'grdb%' AND name NOT LIKE 'sqlite%' ORDER BY type, name"
        ).rows
        let text = rows.map { $0[0]! + ";\n" }.joined()
        let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Fixtures/schema.sql")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil { try Data(text.utf8).write(to: golden) }
        #expect(
            try String(contentsOf: golden, encoding: .utf8) == text,
            "after a new migration: UPDATE_GOLDEN=1 swift test --filter CatalogTests")
    }

    @Test("Bacula's tables and columns are all there")
    func columns() throws {
        let fixture = try CatalogFixture()
        let expected = [
            "Job":
                "JobId Job Name Type Level ClientId JobStatus SchedTime StartTime EndTime RealEndTime JobTDate VolSessionId VolSessionTime JobFiles JobBytes ReadBytes JobErrors JobMissingFiles PoolId FileSetId PriorJobId PurgedFiles HasBase HasCache Reviewed Comment FileTable",
            "JobHisto": "JobId Job Name Type Level JobStatus JobTDate Comment FileTable",
            "File": "FileId FileIndex JobId PathId FilenameId DeltaSeq MarkId LStat MD5",
            "Filename": "FilenameId Name", "Path": "PathId Path", "FileSet": "FileSetId FileSet MD5 CreateTime",
            "Client": "ClientId Name Uname AutoPrune FileRetention JobRetention",
            "Pool":
                "PoolId Name NumVols MaxVols UseOnce UseCatalog AcceptAnyVolume CacheRetention VolRetention VolUseDuration MaxVolJobs MaxVolFiles MaxVolBytes AutoPrune Recycle ActionOnPurge PoolType LabelType LabelFormat Enabled ScratchPoolId RecyclePoolId NextPoolId MigrationHighBytes MigrationLowBytes MigrationTime",
            "Media":
                "MediaId VolumeName Slot PoolId MediaType MediaTypeId LabelType FirstWritten LastWritten LabelDate VolJobs VolFiles VolBlocks LastPartBytes VolMounts VolBytes VolABytes VolAPadding VolHoleBytes VolHoles VolType VolParts VolCloudParts VolErrors VolWrites VolCapacityBytes VolStatus Enabled Recycle ActionOnPurge CacheRetention VolRetention VolUseDuration MaxVolJobs MaxVolFiles MaxVolBytes InChanger StorageId DeviceId MediaAddressing VolReadTime VolWriteTime EndFile EndBlock LocationId RecycleCount InitialWrite ScratchPoolId RecyclePoolId Comment",
            "JobMedia": "JobMediaId JobId MediaId FirstIndex LastIndex StartFile EndFile StartBlock EndBlock VolIndex",
            "Storage": "StorageId Name AutoChanger", "MediaType": "MediaTypeId MediaType ReadOnly",
            "Log": "LogId JobId Time LogText",
            "Counters": "Counter MinValue MaxValue CurrentValue WrapCounter",
            "Status": "JobStatus JobStatusLong Severity",
            "Version": "VersionId",
            "RestoreObject":
                "RestoreObjectId ObjectName RestoreObject PluginName ObjectLength ObjectFullLength ObjectIndex ObjectType FileIndex ObjectCompression JobId",
            "BaseFiles": "BaseId BaseJobId JobId FileId FileIndex",
            "Snapshot":
                "SnapshotId Name JobId FileSetId CreateTDate CreateDate ClientId Volume Device Type Retention Comment",
            "Location": "LocationId Location Cost Enabled",
            "LocationLog": "LocLogId Date Comment MediaId LocationId NewVolStatus NewEnabled",
            "Device": "DeviceId Name MediaTypeId StorageId", "CDImages": "MediaId LastBurn",
            "UnsavedFiles": "UnsavedId JobId PathId FilenameId",
            "PathHierarchy": "PathId PPathId",
        ]
        for (table, columns) in expected {
            let there = Set(
                try fixture.catalog.query("SELECT name FROM pragma_table_info('\(table)')").rows.map { $0[0]! })
            for column in columns.split(separator: " ") {
                #expect(there.contains(String(column)), "\(table).\(column)")
            }
        }
        #expect(try fixture.value("SELECT VersionId FROM Version") == "16")
    }
}
