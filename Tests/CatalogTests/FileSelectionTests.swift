// The newest version of each file over a list of jobs.

import Platform
import TestSupport
import Testing
import Volumes

@testable import Catalog

@Suite("Files over several jobs")
struct FileSelectionTests {
    static func texts(_ files: [CatalogFile]) -> [String] {
        files.map { "\(String(decoding: $0.fullName, as: UTF8.self))@\($0.jobID)" }
    }
    static func bytes(_ names: String...) -> [[UInt8]] { names.map { Array($0.utf8) } }

    /// Full (job 1), incremental (2), incremental (3): changed, added, deleted, renamed, added again.
    static func fixture() throws -> CatalogFixture {
        let fixture = try CatalogFixture()
        try fixture.backup(
            "F", at: 0,
            files: [
                "/d/same", "/d/changed", "/d/deleted", "/d/back", "/d/renamed", "/d/sub/x", "/d/sub/", "/d/",
                "/e/gone/f", "/e/gone/", "/e/",
            ])
        try fixture.backup(
            "I", at: 100,
            files: ["/d/changed", "/d/new", "/d/newname", "/d/", "-/d/deleted", "-/d/back", "-/d/renamed"])
        try fixture.backup("I", at: 200, files: ["/d/back", "/e/", "-/e/gone/f", "-/e/gone/", "-/d/new"])
        return fixture
    }

    @Test("The newest version of every file wins; deleted and renamed ones are gone, a file that came back is there")
    func newest() throws {
        let fixture = try Self.fixture()
        #expect(
            try fixture.newest([1]) == [
                "/d/@1", "/d/back@1", "/d/changed@1", "/d/deleted@1", "/d/renamed@1", "/d/same@1", "/d/sub/@1",
                "/d/sub/x@1", "/e/@1", "/e/gone/@1", "/e/gone/f@1",
            ])
        #expect(
            try fixture.newest([1, 2]) == [
                "/d/@2", "/d/changed@2", "/d/new@2", "/d/newname@2", "/d/same@1", "/d/sub/@1", "/d/sub/x@1", "/e/@1",
                "/e/gone/@1", "/e/gone/f@1",
            ])
        let all = [
            "/d/@2", "/d/back@3", "/d/changed@2", "/d/newname@2", "/d/same@1", "/d/sub/@1", "/d/sub/x@1", "/e/@3",
        ]
        #expect(try fixture.newest([1, 2, 3]) == all)
        #expect(try fixture.newest([]) == [])
        let count = try fixture.catalog.newestFileCount(ofJobs: [1, 2, 3])
        #expect(count.files == Int64(all.count))
        #expect(try fixture.catalog.newestFileCount(ofJobs: [1, 2]).files == 10)
    }

    @Test("The order of the list decides, not the numbers of the jobs")
    func order() throws {
        let fixture = try CatalogFixture()
        try fixture.backup("I", at: 100, files: ["/a"])
        try fixture.backup("F", at: 0, files: ["/a", "/b"])
        #expect(try fixture.newest([2, 1]) == ["/a@1", "/b@2"])
        #expect(try fixture.newest([1, 2]) == ["/a@2", "/b@2"])
    }

    @Test("When the newer jobs are too large to remember, the answer is the same")
    func large() throws {
        var options = CatalogDatabase.Options()
        options.rememberedNamesMax = 1000
        let fixture = try CatalogFixture(options)
        let many = 510
        try fixture.backup("F", at: 0, files: ["/only/full", "/d/1", "/d/2"])
        try fixture.backup("I", at: 100, files: (1...many).map { "/d/\($0)" })
        try fixture.backup("I", at: 200, files: ["-/d/1"] + (2...many).map { "/d/\($0)" })
        #expect(try fixture.catalog.newestFileCount(ofJobs: [1, 2]).files == Int64(many) + 1)
        #expect(try fixture.catalog.newestFileCount(ofJobs: [1, 2, 3]).files == Int64(many))
        var fromNewest = 0
        try fixture.catalog.newestFiles(ofJobs: [1, 2, 3]) { if $0.jobID == 3 { fromNewest += 1 } }
        #expect(fromNewest == many - 1)
    }

    @Test("A selection that was stopped by its reader stops; the catalog goes on")
    func stopped() throws {
        struct Enough: Error {}
        let fixture = try Self.fixture()
        var seen = 0
        #expect(throws: CatalogError.self) {
            try fixture.catalog.newestFiles(ofJobs: [1, 2, 3]) { _ in
                seen += 1
                if seen == 3 { throw Enough() }
            }
        }
        #expect(seen == 3)
        #expect(try fixture.newest([1, 2, 3]).count == 8)
        try fixture.backup(at: 500, files: ["/after"])
    }

    @Test("Single files and directories are found by name, with everything below on request")
    func named() throws {
        let fixture = try Self.fixture()
        func find(_ names: String..., recursive: Bool = false) throws -> [String] {
            Self.texts(
                try fixture.catalog.files(named: names.map { Array($0.utf8) }, inJobs: [1, 2, 3], recursive: recursive)
            ).sorted()
        }
        #expect(try find("/d/same", "/d/changed") == ["/d/changed@2", "/d/same@1"])
        #expect(try find("/d/deleted", "/nowhere/x", "/d/sam", "nothing", "") == [])
        #expect(try find("/d/") == ["/d/@2"])
        #expect(try find("/d") == ["/d/@2"])
        #expect(try find("/d/sub", recursive: true) == ["/d/sub/@1", "/d/sub/x@1"])
        #expect(
            try find("/d/", recursive: true) == [
                "/d/@2", "/d/back@3", "/d/changed@2", "/d/newname@2", "/d/same@1", "/d/sub/@1", "/d/sub/x@1",
            ])
        #expect(try find("/e", recursive: true) == ["/e/@3"])
        #expect(try find("/", recursive: true).count == 8)
    }

    @Test("A directory lists its files and subdirectories, also those only known as parents")
    func directory() throws {
        let fixture = try Self.fixture()
        func list(_ path: String, _ jobs: [Int64]) throws -> [String] {
            Self.texts(try fixture.catalog.directory(Array(path.utf8), inJobs: jobs)).sorted()
        }
        #expect(
            try list("/d/", [1, 2, 3]) == [
                "/d/@2", "/d/back@3", "/d/changed@2", "/d/newname@2", "/d/same@1", "/d/sub/@1",
            ])
        #expect(try list("/", [1, 2, 3]) == ["/d/@2", "/e/@3"])
        #expect(try list("/e/", [1, 2, 3]) == ["/e/@3"])
        #expect(try list("/e/", [1]) == ["/e/@1", "/e/gone/@1"])
        #expect(try list("/nowhere/", [1]) == [])
        let deep = try CatalogFixture()
        try deep.backup(at: 0, files: ["/a/b/c/file"])
        #expect(Self.texts(try deep.catalog.directory(Array("/a/".utf8), inJobs: [1])) == ["/a/b/@0"])
        #expect(Self.texts(try deep.catalog.directory(Array("/a/b/c/".utf8), inJobs: [1])) == ["/a/b/c/file@1"])
    }

    @Test("All versions of a file come, newest first, without those of failed jobs")
    func versions() throws {
        let fixture = try Self.fixture()
        try fixture.backup("I", at: 300, status: "E", files: ["/d/changed"])
        try fixture.backup("F", at: 400, client: "beta", files: ["/d/changed"])
        #expect(
            Self.texts(try fixture.catalog.versions(of: Array("/d/changed".utf8), client: "alpha")) == [
                "/d/changed@2", "/d/changed@1",
            ])
        #expect(
            Self.texts(try fixture.catalog.versions(of: Array("/d/back".utf8), client: "alpha")) == [
                "/d/back@3", "/d/back@1",
            ])
        #expect(Self.texts(try fixture.catalog.versions(of: Array("/d/".utf8), client: "alpha")) == ["/d/@2", "/d/@1"])
        #expect(try fixture.catalog.versions(of: Array("/zz".utf8), client: "alpha").isEmpty)
    }

    @Test("A selected hard link brings the file that holds its contents")
    func hardLinks() throws {
        let fixture = try CatalogFixture()
        try fixture.backup("F", at: 0, files: ["/a", "/b", "/link=1", "/other=2"])
        let link = try #require(try fixture.catalog.files(ofJob: 1, indexes: [3]).first)
        #expect(link.linkFileIndex == 1)
        var selected: [Int64: Set<Int32>] = [1: [3]]
        try fixture.catalog.closeOverHardLinks(&selected)
        #expect(selected == [1: [1, 3]])
        selected = [1: [1, 2]]
        try fixture.catalog.closeOverHardLinks(&selected)
        #expect(selected == [1: [1, 2]])
        selected = [1: [], 7: [3]]
        try fixture.catalog.closeOverHardLinks(&selected)
        #expect(selected == [1: [], 7: [3]])
    }

    @Test(
        "Whatever jobs saved and deleted, the newest version of each file is what replaying the jobs gives",
        arguments: [11, 12, 13] as [UInt64])
    func replay(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let fixture = try CatalogFixture()
        var expected: [String: Int64] = [:]
        var jobs: [Int64] = []
        for round in 0..<8 {
            var files: [String] = []
            var names: Set<String> = []
            for _ in 0..<Int.random(in: 0..<120, using: &generator) {
                let name =
                    "/\(Int.random(in: 0..<4, using: &generator))/\(Int.random(in: 0..<40, using: &generator))"
                    + (Bool.random(using: &generator) ? "" : "/")
                if names.insert(name).inserted {
                    files.append(Int.random(in: 0..<4, using: &generator) == 0 ? "-" + name : name)
                }
            }
            let job = try fixture.backup(round == 0 ? "F" : "I", at: Int64(round) * 100, files: files)
            jobs.append(job)
            for file in files {
                if file.hasPrefix("-") { expected[String(file.dropFirst())] = nil } else { expected[file] = job }
            }
            #expect(try fixture.newest(jobs) == expected.map { "\($0.key)@\($0.value)" }.sorted(), "seed \(seed)")
            for directory in ["/0/", "/1/"] {
                let below = expected.filter { $0.key.hasPrefix(directory) }.map { "\($0.key)@\($0.value)" }.sorted()
                #expect(
                    Self.texts(try fixture.catalog.files(named: [Array(directory.utf8)], inJobs: jobs, recursive: true))
                        .sorted() == below, "seed \(seed)")
            }
        }
    }
}
