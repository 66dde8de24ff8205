// Attribute records from the storage daemon: batches, digests, deletions, garbage, and several jobs at once.

import Platform
import TestSupport
import Testing
import Volumes

@testable import Catalog

@Suite("Storing attributes")
struct AttributeWriterTests {
    static let lstat = Array("P4A FmQX IGk C A A A V BAA I BrAN8r BrAN8q BrAN8q A A C".utf8)
    static func record(_ index: Int32, _ name: String, type: Int = 3) -> [UInt8] {
        FileViewTests.record(index, type, Array(name.utf8), lstat)
    }

    @Test("What was flushed is there, what wasn't is not; a batch that is full stores itself")
    func batches() throws {
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0)
        let writer = fixture.catalog.attributeWriter(forJob: job)
        for index in Int32(1)...Int32(AttributeWriter.batchRowsMax) + 5 {
            try writer.add(stream: .attributes, fileIndex: index, record: Self.record(index, "/a/\(index)").span)
        }
        #expect(try fixture.catalog.newestFileCount(ofJobs: [job]).files == Int64(AttributeWriter.batchRowsMax))
        try writer.flush()
        try writer.flush()
        #expect(try fixture.catalog.newestFileCount(ofJobs: [job]).files == Int64(AttributeWriter.batchRowsMax) + 5)
        #expect(writer.files == Int64(AttributeWriter.batchRowsMax) + 5)
    }

    @Test("A digest belongs to the attributes of its FileIndex, even when they are stored already")
    func digests() throws {
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0)
        let writer = fixture.catalog.attributeWriter(forJob: job)
        try writer.add(stream: .attributes, fileIndex: 1, record: Self.record(1, "/a").span)
        try writer.add(stream: .attributes, fileIndex: 2, record: Self.record(2, "/b").span)
        try writer.add(stream: .md5, fileIndex: 2, record: [2, 2].span)
        try writer.add(stream: .sha1, fileIndex: 1, record: [1, 1].span)
        try writer.flush()
        try writer.add(stream: .sha256, fileIndex: 2, record: [9].span)
        try writer.flush()
        #expect(try fixture.catalog.files(ofJob: job, indexes: [1, 2]).map(\.digest) == [[1, 1], [9]])
    }

    @Test("Records that come twice are stored once")
    func twice() throws {
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0)
        let writer = fixture.catalog.attributeWriter(forJob: job)
        for _ in 0..<2 {
            for index in Int32(1)...3 {
                try writer.add(stream: .attributes, fileIndex: index, record: Self.record(index, "/a/\(index)").span)
            }
            try writer.flush()
        }
        #expect(try fixture.newest([job]) == ["/a/1@1", "/a/2@1", "/a/3@1"])
        #expect(try fixture.catalog.files(named: [Array("/a/".utf8)], inJobs: [job], recursive: true).count == 3)
    }

    @Test("Deletions are counted and shown with FileIndex 0")
    func deletions() throws {
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0)
        let writer = fixture.catalog.attributeWriter(forJob: job)
        // The record of bacula-wire 5.4.
        let gone = Array("3 23 /lab/source/new.txt\0A A A A A A A A A A A BrAN8q BrAN8q A A C\0\0\00\0".utf8)
        try writer.add(stream: .attributes, fileIndex: 3, record: gone.span)
        try writer.flush()
        #expect(writer.deleted == 1 && writer.files == 1)
        #expect(
            try fixture.catalog.query("SELECT FileIndex, LStat, MD5, Filename FROM File").rows == [
                ["0", "A A A A A A A A A A A BrAN8q BrAN8q A A C", "0", "new.txt"]
            ])
        #expect(try fixture.newest([job]).isEmpty)
        #expect(try fixture.catalog.files(ofJob: job, indexes: [3]).first?.isDeleted == true)
    }

    @Test("The hard link of the protocol's example keeps its LinkFI and delta sequences are kept")
    func hardLink() throws {
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0)
        let writer = fixture.catalog.attributeWriter(forJob: job)
        let link = Array(
            "2 1 /lab/source/hello.txt\0P4A FmQX IGk C A A A V BAA I BrAN8r BrAN8q BrAN8q B A C\0/lab/source/hello.hard\0\00\0"
                .utf8)
        try writer.add(stream: .attributes, fileIndex: 2, record: link.span)
        try writer.add(
            stream: .attributes, fileIndex: 5,
            record: FileViewTests.record(5, 3, Array("/d".utf8), Self.lstat, delta: "17").span)
        try writer.flush()
        #expect(try fixture.catalog.files(ofJob: job, indexes: [2]).first?.linkFileIndex == 1)
        #expect(
            try fixture.catalog.query("SELECT FileIndex, DeltaSeq FROM File ORDER BY FileIndex").rows == [
                ["2", "0"], ["5", "17"],
            ])
    }

    @Test("A restore object has a row of its own")
    func restoreObject() throws {
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0)
        let writer = fixture.catalog.attributeWriter(forJob: job)
        try writer.add(
            stream: .restoreObject, fileIndex: 4, record: Array("4 25 1 3 3 0 plugin\0object\0abc".utf8).span)
        try writer.flush()
        #expect(
            try fixture.catalog.query(
                "SELECT FileIndex, ObjectType, ObjectName, PluginName, ObjectLength, hex(RestoreObject) FROM RestoreObject"
            ).rows == [["4", "25", "object", "plugin", "3", "616263"]])
    }

    @Test("Malformed records are refused; those before them are stored")
    func malformed() throws {
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0)
        let writer = fixture.catalog.attributeWriter(forJob: job)
        try writer.add(stream: .attributes, fileIndex: 1, record: Self.record(1, "/a").span)
        let bad: [(StreamNumber, Int32, String)] = [
            (.attributes, 0, "0 3 /a\0A A\0\0\00\0"), (.attributes, -1, "1 3 /a\0A\0\0\00\0"), (.attributes, 2, ""),
            (.attributes, 2, "x 3 /a\0A\0"),
            (.attributes, 2, "2 3 \0A\0\0\00\0"), (.attributes, 2, "2 3 /a"), (.attributes, 2, "2 3 /a\0\0\0\0"),
            (.attributes, 2, "2 /a\0A\0"),
            (.md5, 1, ""), (.md5, 1, String(repeating: "x", count: 65)), (.data, 1, "x"), (.xattr, 1, "x"),
            (.restoreObject, 1, "1 2 3"),
            (.attributes, 2, "2 3 /a\0" + String(repeating: "A ", count: 2000) + "\0"),
        ]
        for (stream, index, text) in bad {
            JobTests.expect(.invalid) { () throws(CatalogError) in
                try writer.add(stream: stream, fileIndex: index, record: Array(text.utf8).span)
            }
        }
        try writer.flush()
        #expect(try fixture.newest([job]) == ["/a@1"])
        try writer.add(stream: .md5, fileIndex: 77, record: [1].span)
        JobTests.expect(.invalid) { () throws(CatalogError) in try writer.flush() }
    }

    @Test("Files of a job that isn't in the catalog are refused")
    func unknownJob() throws {
        let fixture = try CatalogFixture()
        let writer = fixture.catalog.attributeWriter(forJob: 12345)
        try writer.add(stream: .attributes, fileIndex: 1, record: Self.record(1, "/a").span)
        JobTests.expect(.notFound) { () throws(CatalogError) in try writer.flush() }
    }

    @Test("Mutated and random records are stored or refused, never more", arguments: [21, 22] as [UInt64])
    func fuzz(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0)
        let writer = fixture.catalog.attributeWriter(forJob: job)
        var stored: Int64 = 0
        for round in Int32(1)...6000 {
            var record = Self.record(round, "/fuzz/\(round % 7)/name")
            for _ in 0..<Int.random(in: 1..<6, using: &generator) {
                let position = Int.random(in: 0..<record.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: record[position] = UInt8.random(in: 0...255, using: &generator)
                case 1: record.removeSubrange(position...)
                case 2: record.insert(UInt8.random(in: 0...255, using: &generator), at: position)
                default:
                    record = (0..<Int.random(in: 0..<200, using: &generator)).map { _ in
                        UInt8.random(in: 0...255, using: &generator)
                    }
                }
                if record.isEmpty { break }
            }
            let stream = [StreamNumber.attributes, .attributes, .windowsAttributes, .restoreObject].randomElement(
                using: &generator)!
            do throws(CatalogError) {
                try writer.add(stream: stream, fileIndex: round, record: record.span)
                if stream != .restoreObject { stored += 1 }
            } catch { #expect(error.kind == .invalid) }
        }
        try writer.flush()
        var found: Int64 = 0
        try fixture.catalog.newestFiles(ofJobs: [job]) { file in
            found += 1
            _ = file.lstat
        }
        #expect(found == stored - writer.deleted, "seed \(seed)")
        // And the views read every row of it.
        #expect(try fixture.value("SELECT count(LStat || MD5) FROM File JOIN Path USING (PathId)") == String(stored))
        try fixture.catalog.checkIntegrity()
    }

    @Test("Several jobs store their files at once while readers look; each reader sees whole batches")
    func concurrent() async throws {
        let fixture = try CatalogFixture()
        let catalog = fixture.catalog
        let jobs = try (0..<4).map { try fixture.backup(at: Int64($0) * 100) }
        let perBatch: Int32 = 500
        try await withThrowingTaskGroup(of: Void.self) { group in
            for job in jobs {
                group.addTask(executorPreference: ElasticExecutor.shared) {
                    let writer = catalog.attributeWriter(forJob: job)
                    for index in Int32(1)...(perBatch * 6) {
                        try writer.add(
                            stream: .attributes, fileIndex: index,
                            record: Self.record(index, "/shared/\(index % 50)/\(index)").span)
                        if index % perBatch == 0 { try writer.flush() }
                    }
                }
            }
            for _ in 0..<3 {
                group.addTask(executorPreference: ElasticExecutor.shared) {
                    for _ in 0..<12 {
                        for job in jobs {
                            let files = try catalog.newestFileCount(ofJobs: [job]).files
                            if files % Int64(perBatch) != 0 { throw CatalogError(.failed, "saw \(files) files") }
                        }
                        _ = try catalog.query("SELECT count(*) FROM File JOIN Path USING (PathId)")
                    }
                }
            }
            group.addTask(executorPreference: ElasticExecutor.shared) {
                for line in 0..<50 { try catalog.appendLog(jobID: jobs[0], "line \(line)") }
            }
            try await group.waitForAll()
        }
        for job in jobs { #expect(try catalog.newestFileCount(ofJobs: [job]).files == Int64(perBatch) * 6) }
        // One row per directory, whoever met it first.
        #expect(try fixture.value("SELECT count(*) FROM PathEntry") == "52")
        try catalog.checkIntegrity()
    }
}
