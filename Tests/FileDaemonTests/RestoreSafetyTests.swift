// Restores that meet malice, damage, or things that are there already.

@testable import FileDaemon
import Platform
import TestSupport
import Testing
import Volumes

@Suite("A restore") struct RestoreSafetyTests {
    private func record(
        _ index: Int32, _ type: AttributeRecord.FileType, _ name: String, link: String = "", mode: Int64 = 0o100644,
        size: Int64 = 0, modified: Int64 = 1_700_000_000
    )
        -> SavedRecord
    {
        var status = FileStatus()
        status.mode = mode
        status.size = size
        status.links = 1
        status.blocks = (size + 511) / 512
        status.modifyTime = modified
        let record = AttributeRecord(fileIndex: index, type: type, name: Array(name.utf8), status: status, link: Array(link.utf8))
        return SavedRecord(fileIndex: index, stream: 1, data: record.encoded)
    }
    private func file(_ index: Int32, _ name: String, _ text: String, modified: Int64 = 1_700_000_000) -> [SavedRecord] {
        [
            record(index, .file, name, size: Int64(text.utf8.count), modified: modified),
            SavedRecord(fileIndex: index, stream: 2, data: Array(text.utf8)),
        ]
    }
    /// Everything under `path`, sorted.
    private func tree(_ path: String) throws -> [String] {
        var options = ChildProcess.Options()
        options.directory = path
        let output = try ChildProcess.run(["find", ".", "-mindepth", "1"], options).output
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init).sorted()
    }

    @Test("refuses names that lead upwards", arguments: ["/../escaped", "/a/../../escaped", "../escaped", "/..", "a/.."], [1, 2])
    func upwards(name: String, workers: Int) async throws {
        let work = TemporaryDirectory()
        let log = MessageLog()
        let summary = try await restore(file(1, name, "evil"), to: work.file("in"), workers: workers, log: log)
        #expect(summary.errors == 1 && summary.files == 0)
        #expect(try tree(work.path) == ["./in"])
        #expect(log.texts(.error)[0].contains(".."))
    }

    @Test("does not follow a link that the backup itself brings", arguments: [1, 2]) func ownLink(workers: Int) async throws {
        let work = TemporaryDirectory()
        try shell("mkdir outside", in: work.path)
        let records =
            [record(1, .symbolicLink, "/door", link: work.file("outside"), mode: 0o120777)] + file(2, "/door/escaped", "evil")
        // With several workers the directory may be made first; then the link finds its place taken.
        let summary = try await restore(records, to: work.file("in"), workers: workers)
        #expect(summary.errors == 1)
        #expect(try tree(work.file("outside")).isEmpty)
    }

    @Test("does not follow a link planted in the target", arguments: ["/door/escaped", "/door/deep/escaped", "/dir/door2/escaped"])
    func plantedLink(name: String) async throws {
        let work = TemporaryDirectory()
        try shell("mkdir -p outside/deep in/dir; ln -s ../outside in/door; ln -s ../../outside in/dir/door2", in: work.path)
        let log = MessageLog()
        let summary = try await restore(file(1, name, "evil"), to: work.file("in"), log: log)
        #expect(summary.errors == 1)
        #expect(try tree(work.file("outside")) == ["./deep"])
        #expect(log.texts(.error)[0].contains("does not follow"))
    }

    @Test("replaces a planted link at the file's own name, and leaves what it led to alone") func linkAtName() async throws {
        let work = TemporaryDirectory()
        try shell("echo precious > outside; mkdir in; ln -s ../outside in/file", in: work.path)
        #expect(try await restore(file(1, "/file", "new"), to: work.file("in")).errors == 0)
        #expect(try read(work.file("outside")) == Array("precious\n".utf8))
        #expect(try read(work.file("in/file")) == Array("new".utf8))
    }

    @Test("replaces a planted link at a directory's name") func linkAtDirectory() async throws {
        let work = TemporaryDirectory()
        try shell("mkdir outside in; chmod 700 outside; ln -s ../outside in/dir", in: work.path)
        #expect(try await restore([record(1, .directory, "/dir/", mode: 0o040755)], to: work.file("in")).errors == 0)
        let inside = try OpenDirectory.open(Array(work.file("in").utf8)).metadata(of: Array("dir".utf8))
        #expect(inside.kind == .directory && inside.permissions == 0o755)
        #expect(try OpenDirectory.open(Array(work.file("outside").utf8)).metadata().permissions == 0o700)
    }

    @Test("links only to files beneath its root") func hardLinkOutside() async throws {
        let work = TemporaryDirectory()
        try shell("echo secret > outside; mkdir in; ln -s .. in/up", in: work.path)
        let records = [record(1, .hardLink, "/stolen", link: "/up/outside"), record(2, .hardLink, "/stolen2", link: "/../outside")]
        #expect(try await restore(records, to: work.file("in")).errors == 2)
        #expect(try tree(work.file("in")) == ["./up"])
    }

    @Test("reports a digest that does not match, and names the file", arguments: [1, 2]) func digestMismatch(workers: Int)
        async throws
    {
        let work = TemporaryDirectory()
        let log = MessageLog()
        var records =
            file(1, "/good", "hello") + [SavedRecord(fileIndex: 1, stream: 3, data: Digest.hash(Array("hello".utf8), .md5))]
        records += file(2, "/bad", "hellx") + [SavedRecord(fileIndex: 2, stream: 3, data: Digest.hash(Array("hello".utf8), .md5))]
        records +=
            file(3, "/bad256", "hellx") + [SavedRecord(fileIndex: 3, stream: 17, data: Digest.hash(Array("hello".utf8), .sha256))]
        let summary = try await restore(records, to: work.file("in"), workers: workers, log: log)
        #expect(summary.errors == 2 && summary.files == 3)
        #expect(log.texts(.error).count == 2)
        #expect(log.texts(.error).allSatisfy { $0.contains("/bad") })
    }

    @Test(
        "obeys the replace policy",
        arguments: [
            (ReplacePolicy.always, 100, "new"), (.always, 300, "new"), (.never, 300, "old"), (.ifNewer, 300, "new"),
            (.ifNewer, 100, "old"), (.ifNewer, 200, "old"),
            (.ifOlder, 100, "new"), (.ifOlder, 300, "old"),
        ] as [(ReplacePolicy, Int64, String)])
    func policies(policy: ReplacePolicy, modified: Int64, expected: String) async throws {
        let work = TemporaryDirectory()
        try shell("mkdir in; printf old > in/f; touch -d @200 in/f", in: work.path)
        let summary = try await restore(file(1, "/f", "new", modified: modified), to: work.file("in")) { $0.replace = policy }
        #expect(try read(work.file("in/f")) == Array(expected.utf8))
        #expect(summary.skipped == (expected == "old" ? 1 : 0))
    }

    @Test("that is cancelled leaves no half file and no leftovers") func cancelled() throws {
        let work = TemporaryDirectory()
        try shell("mkdir in; printf old > in/f", in: work.path)
        var options = RestoreOptions()
        options.root = Array(work.file("in").utf8)
        let restorer = try FileRestorer(options) { _ in }
        for record in file(1, "/f", "half") { restorer.accept(fileIndex: 1, stream: record.stream, data: record.data.span) }
        restorer.cancel()
        #expect(restorer.finish().files == 0)
        #expect(try read(work.file("in/f")) == Array("old".utf8))
        #expect(try tree(work.file("in")) == ["./f"])
    }

    @Test("reports unknown streams once, and skips them") func unknownStreams() async throws {
        let work = TemporaryDirectory()
        let log = MessageLog()
        var records: [SavedRecord] = []
        for index in 1...3 as ClosedRange<Int32> {
            records += file(index, "/f\(index)", "x") + [SavedRecord(fileIndex: index, stream: 1234, data: [1])]
        }
        #expect(try await restore(records, to: work.file("in"), log: log).files == 3)
        #expect(log.texts(.warning).count == 1)
    }

    @Test("sets nothing of deleted files") func deleted() async throws {
        let work = TemporaryDirectory()
        #expect(try await restore([record(1, .deleted, "/gone")], to: work.file("in")).files == 0)
        #expect(try tree(work.file("in")).isEmpty)
    }

    @Test("keeps the contents of interleaved sessions apart") func interleaved() async throws {
        let work = TemporaryDirectory()
        var options = RestoreOptions()
        options.root = Array(work.file("in").utf8)
        let restorer = try FileRestorer(options) { _ in }
        let a = file(1, "/a", "aaaa"), b = file(1, "/b", "bb")
        for (session, record) in [(1, a[0]), (2, b[0]), (1, a[1]), (2, b[1])] {
            restorer.accept(session: UInt64(session), fileIndex: 1, stream: record.stream, data: record.data.span)
        }
        #expect(restorer.finish().files == 2)
        #expect(try read(work.file("in/a")) == Array("aaaa".utf8))
        #expect(try read(work.file("in/b")) == Array("bb".utf8))
    }

    @Test("rewrites paths as file relocation says")
    func relocation() throws {
        let rename = try PathRelocation(expressions: "!/home/([a-z]+)!/users/\\1!,!\\.c$!.old!")
        #expect(rename.apply(to: Array("/home/ann/x.c".utf8)) == Array("/users/ann/x.old".utf8))
        #expect(try PathRelocation(expressions: "!a!b!g").apply(to: Array("/aXa".utf8)) == Array("/bXb".utf8))
        #expect(try PathRelocation(expressions: "!A!b!i").apply(to: Array("/aXa".utf8)) == Array("/bXa".utf8))
        #expect(
            PathRelocation(stripPrefix: Array("/home".utf8), addPrefix: Array("/x".utf8), addSuffix: Array(".old".utf8)).apply(
                to: Array("/home/f".utf8)) == Array("/x/f.old".utf8))
        #expect(throws: RestoreError.self) { try PathRelocation(expressions: "!a") }
        #expect(throws: RestoreError.self) { try PathRelocation(expressions: "!(!b!") }
    }

    @Test("survives any records at all, and stays beneath its root", arguments: [1, 3]) func fuzz(workers: Int) async throws {
        let work = TemporaryDirectory()
        try shell("mkdir outside", in: work.path)
        var random = SeededGenerator(seed: 0x4E57)
        let names = [
            "/a", "/a/b", "/a/b/c", "/../x", "/door/x", "/door", "/a/", "/", "//", "", ".", "/./a", "/a\n",
            String(repeating: "n", count: 300),
        ]
        let types: [Int32] = [1, 2, 3, 4, 5, 6, 13, 14, 16, 17, 23, 24, 25, 99]
        var records: [SavedRecord] = []
        for index in 1...400 as ClosedRange<Int32> {
            var attributes = record(
                index, .init(rawValue: types[random.next(below: types.count)]), names[random.next(below: names.count)],
                link: random.next(below: 2) == 0 ? work.file("outside") : names[random.next(below: names.count)],
                mode: [0o100644, 0o120777, 0o040755, 0o010644, 0o060644, 0][random.next(below: 6)],
                size: Int64(random.next(below: 100)))
            if random.next(below: 4) == 0, !attributes.data.isEmpty {
                attributes.data[random.next(below: attributes.data.count)] = UInt8(random.next(below: 256))
            }
            records.append(attributes)
            for _ in 0..<random.next(below: 4) {
                let streams: [Int32] = [2, 3, 4, 6, 7, 10, 17, 29, 30, 1007, 1008, 1998, 22, 26, 1 << 28 | 2]
                let data = (0..<random.next(below: 64)).map { _ in UInt8(random.next(below: 256)) }
                records.append(SavedRecord(fileIndex: index, stream: streams[random.next(below: streams.count)], data: data))
            }
        }
        // Offsets of sparse packets may be anything: keep the disk's quota out of it.
        records.removeAll { [6, 7, 30].contains($0.stream & 0x7FF) && ($0.data.first ?? 1) != 0 }
        _ = try await restore(records, to: work.file("in"), workers: workers)
        #expect(try tree(work.file("outside")).isEmpty)
        #expect(try tree(work.path).allSatisfy { $0 == "./outside" || $0.hasPrefix("./in") })
    }
}
