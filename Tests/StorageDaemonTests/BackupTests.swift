// Backups and restores, spoken by a fake director and a fake client over real connections.

import Platform
import TestSupport
import Testing
import Volumes
import Wire

@testable import StorageDaemon

@Suite("Backup and restore") struct BackupTests {
    @Test("What a client sends comes back, record by record") func roundTrip() async throws {
        try await blocking {
            let harness = try Harness()
            let sent = FakeFile.some(20, bytes: 150_000) + [FakeFile(name: "/empty", data: [])]
            let backup = try await harness.backUp(1, sent)
            #expect(backup.end.status == UInt8(ascii: "T") && backup.end.files == 21 && backup.end.errors == 0)
            let restore = try await harness.restore(2, of: 1, session: backup.session)
            #expect(restore.end.status == UInt8(ascii: "T"))
            #expect(files(restore.records) == sent)
            #expect(restore.records.filter { $0.stream == 3 }.map(\.data) == sent.map(\.digest))
            await harness.stop()
        }
    }

    @Test("The director hears what a real one expects, in its order") func order() async throws {
        try await blocking {
            let harness = try Harness()
            let backup = try await harness.backUp(1, FakeFile.some(3, bytes: 1000))
            let heard = backup.director.state.read { $0.heard }
            func first(_ text: String) -> Int { heard.firstIndex { $0.contains(text) } ?? -1 }
            func last(_ text: String) -> Int { heard.lastIndex { $0.contains(text) } ?? -1 }
            #expect(first("FindMedia=1") < first("3000 OK use device"))
            #expect(first("JobStatus=70") < first("3010 Job"))
            #expect(first("3010 Job") < first("JobStatus=82"))
            #expect(first("JobStatus=82") < first("GetVolInfo"))
            #expect(first("GetVolInfo") < first("UpdateMedia"))
            #expect(last("CreateJobMedia") < last("UpdateMedia"))
            #expect(last("UpdateMedia") < last("3099"))
            #expect(backup.director.allMessages.contains("Labeled new Volume \"Pool-0001\""))
            await harness.stop()
        }
    }

    @Test("The catalog knows the volume's exact size and the files' exact place") func accounts() async throws {
        try await blocking {
            let medium = SimulatedMedium()
            let harness = try Harness(medium: medium)
            try await harness.backUp(1, FakeFile.some(10, bytes: 70_000))
            let info = try #require(harness.catalog.media("Pool-0001"))
            let size = medium.state.read { $0.volumes["Pool-0001"]!.count }
            #expect(info.bytes == UInt64(size) && info.jobs == 1 && info.status == "Append")
            let ranges = harness.catalog.state.read { $0.ranges[1]! }
            #expect(
                ranges.count == 1 && ranges[0].firstIndex == 1 && ranges[0].lastIndex == 10 && ranges[0].end == UInt64(size) - 1)
            await harness.stop()
        }
    }

    @Test("Attributes and digests reach the catalog only after the blocks that hold the file are synced", arguments: [true, false])
    func durability(spooled: Bool) async throws {
        try await blocking {
            let medium = SimulatedMedium()
            let harness = try Harness(medium: medium)
            // At every attribute record the durable volume must hold all that is written of the session so far.
            let early = Monitor(0)
            harness.catalog.state.withLock { state in
                state.onAttributes = {
                    let isDurable = medium.state.read { ($0.durable["Pool-0001"] ?? 0) > 10_000 }
                    if !isDurable { early.withLock { $0 += 1 } }
                }
            }
            let sent = FakeFile.some(30, bytes: 20_000)
            try await harness.backUp(1, sent, spoolAttributes: spooled)
            #expect(early.read { $0 } == 0)
            let attributes = harness.catalog.state.read { $0.attributes }
            #expect(attributes.filter { $0.stream == 1 }.map(\.record) == sent.map(\.attributes))
            #expect(attributes.filter { $0.stream == 3 }.map(\.record) == sent.map(\.digest))
            #expect(attributes.map(\.fileIndex).isSorted)
            await harness.stop()
        }
    }

    @Test("Many attributes go through the spool file in order") func manyAttributes() async throws {
        try await blocking {
            let harness = try Harness()
            let sent = (0..<6000).map { FakeFile(name: "/a/long/path/to/a/file/number/\($0)", data: []) }
            let backup = try await harness.backUp(1, sent)
            #expect(backup.end.files == 6000)
            let attributes = harness.catalog.state.read { $0.attributes.filter { $0.stream == 1 } }
            #expect(attributes.map { String(decoding: $0.record, as: UTF8.self) } == sent.map(\.name))
            await harness.stop()
        }
    }

    @Test("The volume carries the labels of its sessions with the right counts") func labels() async throws {
        try await blocking {
            let medium = SimulatedMedium()
            let harness = try Harness(medium: medium)
            let backup = try await harness.backUp(7, FakeFile.some(5, bytes: 100_000))
            let labels = try sessionLabels(medium.state.read { $0.volumes["Pool-0001"]! })
            #expect(labels.count == 2)
            #expect(
                labels[0].end == nil && labels[0].jobID == 7 && labels[0].job == "Job.2026-11-21_00.00.00_7"
                    && labels[0].pool == "Pool")
            let end = try #require(labels[1].end)
            #expect(end.files == 5 && end.bytes == UInt64(backup.end.bytes) && end.status == UInt8(ascii: "T") && end.errors == 0)
            let range = harness.catalog.state.read { $0.ranges[7]![0] }
            #expect(end.begin.rawValue == range.start)
            #expect(end.end.rawValue < range.end && end.end.rawValue > range.start)
            await harness.stop()
        }
    }

    @Test("A restore of some files reads those only") func someFiles() async throws {
        try await blocking {
            let harness = try Harness(device: "LabelMedia = yes; Maximum File Size = 200 KB")
            let sent = FakeFile.some(40, bytes: 50_000)
            let backup = try await harness.backUp(1, sent)
            #expect(harness.catalog.state.read { $0.ranges[1]!.count } > 5)
            let restore = try await harness.restore(2, of: 1, session: backup.session, files: 21...22)
            #expect(files(restore.records) == Array(sent[20...21]))
            await harness.stop()
        }
    }

    @Test("Real files: two jobs on one volume, both restored, after a restart too") func realFiles() async throws {
        try await blocking {
            let directory = TemporaryDirectory()
            let catalog = FakeCatalog()
            let (one, two) = (FakeFile.some(5, bytes: 90_000, seed: 1), FakeFile.some(6, bytes: 80_000, seed: 2))
            var harness = try Harness(directory: directory, medium: nil, catalog: catalog)
            let first = try await harness.backUp(1, one)
            await harness.stop()
            harness = try Harness(directory: directory, medium: nil, catalog: catalog)
            let second = try await harness.backUp(2, two)
            #expect(second.end.status == UInt8(ascii: "T"))
            #expect(second.director.allMessages.contains("Ready to append to end of Volume \"Pool-0001\""))
            #expect(catalog.media("Pool-0001")?.jobs == 2)
            let restored = try await harness.restore(3, of: 2, session: second.session)
            #expect(files(restored.records) == two)
            // The first job's session time is that of the run before.
            let director = try await harness.director()
            let opened = try director.open(4, "Restore.2026-11-21_00.00.00_4", type: "R", level: " ")
            _ = try director.use(append: false)
            _ = try director.bootstrap(harness.bootstrap(1, session: first.session, time: opened.sessionTime - 1))
            try director.run()
            let client = try await harness.client("Restore.2026-11-21_00.00.00_4", opened.authorization)
            async let records = Task.detached(executorPreference: ElasticExecutor.shared) {
                try client.restore(session: opened.sessionID, time: opened.sessionTime)
            }.value
            _ = try director.finish()
            let got = files(try await records)
            #expect(got == one || opened.sessionTime - 1 > 1)  // two restarts may be more than a second apart
            await harness.stop()
        }
    }
}

extension Sequence where Element: Comparable {
    var isSorted: Bool { zip(self, self.dropFirst()).allSatisfy { $0 <= $1 } }
}

/// The session labels on a volume, in order.
func sessionLabels(_ volume: [UInt8]) throws -> [SessionLabel] {
    var labels: [SessionLabel] = []
    var at = 0
    var reader = RecordReader()
    while at < volume.count {
        let block = volume.span.extracting(at..<volume.count)
        let header = try BlockHeader(checking: block)
        try reader.read(block.extracting(0..<header.blockBytes), header: header, at: BlockAddress(rawValue: UInt64(at))) {
            record, data in
            if record.label == .startOfSession || record.label == .endOfSession {
                labels.append(try SessionLabel(decoding: data, fileIndex: record.fileIndex))
            }
        } report: { problem in
            Issue.record("\(problem)")
        }
        at += header.blockBytes
    }
    return labels
}
