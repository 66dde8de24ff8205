// Bootstraps as the real director writes them.

import Platform
import TestSupport
import Testing
import Volumes

@testable import Catalog

@Suite("Building a bootstrap")
struct BootstrapBuilderTests {
    static func storage(_: JobMediaRecord) -> (storage: String, device: String)? { ("LabFile", "FileStor") }

    static func part(_ media: Int64, _ indexes: ClosedRange<Int64>, _ addresses: ClosedRange<UInt64>) -> JobMediaRecord {
        JobMediaRecord(
            mediaID: media, firstIndex: indexes.lowerBound, lastIndex: indexes.upperBound,
            startFile: Int64(addresses.lowerBound >> 32), endFile: Int64(addresses.upperBound >> 32),
            startBlock: Int64(addresses.lowerBound & 0xFFFF_FFFF), endBlock: Int64(addresses.upperBound & 0xFFFF_FFFF))
    }

    /// Five jobs, the last of them in session 5, on volumes Lab-0001 and Lab-0002.
    static func fixture() throws -> CatalogFixture {
        let fixture = try CatalogFixture()
        let pool = try fixture.pool()
        _ = try fixture.volume("Lab-0001", pool: pool)
        _ = try fixture.volume("Lab-0002", pool: pool) { $0.slot = 3 }
        for index in 0..<5 { try fixture.backup(at: Int64(index) * 100) }
        return fixture
    }

    @Test("A whole job on one volume gives what the real director sends")
    func golden() throws {
        let fixture = try Self.fixture()
        try fixture.catalog.addJobMedia([Self.part(1, 1...15, 1_652_190...3_013_018)], toJob: 5)
        let expected = """
            Storage="LabFile"
            Volume="Lab-0001"
            MediaType="File"
            Device="FileStor"
            VolSessionId=5
            VolSessionTime=1795219236
            VolAddr=1652190-3013018
            FileIndex=1-15
            Count=15

            """
        let whole = try fixture.catalog.bootstrap(for: RestoreSelection(jobs: [(5, nil)]), storage: Self.storage)
        #expect(whole.text == expected)
        #expect(whole.files == 15 && whole.bytes == 3_013_018 - 1_652_190 + 1)
        let chosen = try fixture.catalog.bootstrap(
            for: RestoreSelection(jobs: [(5, Set(1...15))]), storage: Self.storage)
        #expect(chosen == whole)
        let time = WallTime(localText: "2026-11-21 00:01:39")!
        let name = try #require(try fixture.catalog.job(5)).uniqueName
        #expect(
            try fixture.catalog.bootstrap(ofJob: 5, now: time, storage: Self.storage)
                == "# 21-Nov-2026 00:01:39 - \(name) - Full\n" + expected)
    }

    @Test("Only parts with wanted files are read; files are ranges; a file that goes on in the next part is in both")
    func parts() throws {
        let fixture = try Self.fixture()
        let far: UInt64 = 5 << 32
        try fixture.catalog.addJobMedia(
            [
                Self.part(1, 0...0, 0...0), Self.part(1, 1...10, 208...999), Self.part(1, 10...20, 1000...far),
                Self.part(2, 20...30, 208...5000),
            ], toJob: 1)
        func units(_ indexes: Set<Int32>) throws -> CatalogBootstrap {
            try fixture.catalog.bootstrap(for: RestoreSelection(jobs: [(1, indexes)])) { _ in nil }
        }
        let both = try units([10, 3, 4, 5])
        #expect(both.bootstrap.units.map(\.fileIndexes) == [[3...5, 10...10], [10...10]])
        #expect(both.bootstrap.units.map(\.count) == [4, 1])
        #expect(both.bootstrap.units[1].addresses == [1000...far])
        #expect(both.files == 4)
        #expect(both.volumes.map(\.volume) == ["Lab-0001"])
        let last = try units([25])
        #expect(
            last.text
                == "Volume=\"Lab-0002\"\nMediaType=\"File\"\nSlot=3\nVolSessionId=1\nVolSessionTime=1795219236\nVolAddr=208-5000\nFileIndex=25\nCount=1\n"
        )
        let spanning = try units([20])
        #expect(spanning.volumes.map(\.volume) == ["Lab-0001", "Lab-0002"])
        #expect(try fixture.catalog.bootstrap(for: RestoreSelection(jobs: [(1, nil)])) { _ in nil }.files == 30)
    }

    @Test("Jobs come in the order given; the text reads back as the same bootstrap")
    func jobs() throws {
        let fixture = try Self.fixture()
        try fixture.catalog.addJobMedia([Self.part(1, 1...5, 208...999)], toJob: 1)
        try fixture.catalog.addJobMedia([Self.part(2, 1...5, 208...999)], toJob: 2)
        let result = try fixture.catalog.bootstrap(
            for: RestoreSelection(jobs: [(1, [1, 2]), (3, []), (2, [5])]), storage: Self.storage)
        #expect(result.bootstrap.units.map(\.sessionIDs) == [[1...1], [2...2]])
        #expect(result.volumes.map(\.volume) == ["Lab-0001", "Lab-0002"])
        #expect(result.files == 3)
    }

    @Test("Files that no volume holds any more are an error, not an empty restore")
    func missing() throws {
        let fixture = try Self.fixture()
        JobTests.expect(.notFound) { () throws(CatalogError) in
            _ = try fixture.catalog.bootstrap(for: RestoreSelection(jobs: [(1, [1])])) { _ in nil }
        }
        JobTests.expect(.notFound) { () throws(CatalogError) in
            _ = try fixture.catalog.bootstrap(for: RestoreSelection(jobs: [(99, nil)])) { _ in nil }
        }
        try fixture.catalog.addJobMedia([Self.part(1, 1...5, 208...999)], toJob: 1)
        JobTests.expect(.notFound) { () throws(CatalogError) in
            _ = try fixture.catalog.bootstrap(for: RestoreSelection(jobs: [(1, [6])])) { _ in nil }
        }
    }
}
