// What goes through a backup and a restore comes out as it was.

@testable import FileDaemon
import Platform
import TestSupport
import Testing

@Suite("A tree of odd files comes back exactly") struct RoundTripTests {
    private static func differences(_ letters: String, workers: Int = 2) async throws -> (
        [TreeComparison.Difference], MessageLog, RecordSink
    ) {
        let work = TemporaryDirectory()
        let source = work.file("source")
        try shell("mkdir source", in: work.path)
        try OddTree.build(in: source)
        let log = MessageLog()
        let sink = try await backUp(fileSet([source], letters), log: log)
        #expect(sink.faults.isEmpty)
        let summary = try await restore(sink.records, to: work.file("restored"), workers: workers, log: log)
        #expect(summary.errors == 0)
        #expect(summary.files == sink.files.count)
        let report = try TreeComparison.compare(source: source, target: work.file("restored") + source)
        #expect(report.entries > 180)
        try shell("chmod 700 source/no-entry restored$PWD/source/no-entry", in: work.path)
        return (report.differences, log, sink)
    }

    @Test(
        "with every signature and compression",
        arguments: ["MAX", "SAX", "S2sAX", "S3Z6AX", "MZ1sAX", "MZsAX", "S2ZssAX", "AX", "MAXcK"])
    func exact(letters: String) async throws {
        let (differences, log, _) = try await Self.differences(letters)
        // A socket has nobody behind it after a restore, so none is saved.
        #expect(differences.map(\.description) == ["socket: missing"])
        #expect(log.texts(.skipped).count == 1)
        #expect(log.troubles.isEmpty)
    }

    @Test("with a single thread") func singleThread() async throws {
        #expect(try await Self.differences("MsAX", workers: 1).0.map(\.description) == ["socket: missing"])
    }

    @Test("The same records come in the same order however many readers there are") func order() async throws {
        let work = TemporaryDirectory()
        try shell("mkdir source", in: work.path)
        try OddTree.build(in: work.file("source"))
        // The first reading of a link's target moves its access time.
        _ = try await backUp(fileSet([work.file("source")], "MsAXK"))
        let first = try await backUp(fileSet([work.file("source")], "MsAXK"))
        for _ in 0..<3 {
            let again = try await backUp(fileSet([work.file("source")], "MsAXK"))
            let isSame = again.records == first.records  // in a line of its own: nobody wants to see these values
            #expect(isSame)
        }
        try shell("chmod 700 source/no-entry", in: work.path)
    }

    @Test("Directories come after their contents, and their names end in a slash") func directoriesLast() async throws {
        let work = TemporaryDirectory()
        try shell("mkdir -p source/a/b; echo x > source/a/b/c", in: work.path)
        let names = try await backUp(fileSet([work.file("source")])).files.map {
            String(decoding: $0.name.dropFirst(work.path.utf8.count), as: UTF8.self)
        }
        #expect(names == ["/source/a/b/c", "/source/a/b/", "/source/a/", "/source/"])
    }

    @Test("The second name of a file is a link record with the digest repeated") func hardLinks() async throws {
        let work = TemporaryDirectory()
        try shell("mkdir source; echo x > source/a; ln source/a source/b", in: work.path)
        let sink = try await backUp(fileSet([work.file("source")]))
        let links = sink.files.filter { $0.type == .hardLink }
        #expect(links.count == 1)
        let first = try #require(sink.files.first { $0.type == .file })
        #expect(links[0].link == first.name)
        #expect(links[0].status.linkFileIndex == Int64(first.fileIndex))
        #expect(sink.streams(of: links[0].fileIndex) == [1, 3])
        #expect(sink.records.filter { $0.stream == 3 }.map(\.data).reduce(into: Set<[UInt8]>()) { $0.insert($1) }.count == 1)
    }

    @Test("With hardlinks = no every name carries the contents") func noHardLinks() async throws {
        let work = TemporaryDirectory()
        try shell("mkdir source; echo x > source/a; ln source/a source/b", in: work.path)
        let sink = try await backUp(fileSet([work.file("source")], "MH"))
        #expect(sink.files.filter { $0.type == .file }.count == 2)
        #expect(sink.records.filter { $0.stream == 2 }.count == 2)
    }

    @Test("An empty file has attributes and a digest, no data") func emptyFile() async throws {
        let work = TemporaryDirectory()
        try shell("mkdir source; : > source/e", in: work.path)
        let sink = try await backUp(fileSet([work.file("source")]))
        let file = try #require(sink.file("/e"))
        #expect(file.type == .emptyFile)
        #expect(sink.streams(of: file.fileIndex) == [1, 3])
        #expect(Digest.hexadecimal(sink.records.first { $0.stream == 3 }!.data) == "d41d8cd98f00b204e9800998ecf8427e")
    }

    @Test("A sparse file of 20 GB needs a handful of packets") func hugeSparse() async throws {
        let work = TemporaryDirectory()
        try shell(
            "mkdir source; truncate -s 20G source/huge; printf x | dd of=source/huge bs=1 seek=10000000000 conv=notrunc status=none",
            in: work.path)
        // Without a signature: hashing 20 GB of zeros is what the time would go into.
        let sink = try await backUp(fileSet([work.file("source")], "s"))
        #expect(sink.records.filter { $0.stream == 6 }.count == 2)
        _ = try await restore(sink.records, to: work.file("restored"))
        let metadata = try OpenDirectory.open(Array((work.file("restored") + work.file("source")).utf8)).metadata(
            of: Array("huge".utf8))
        #expect(metadata.size == 20 << 30)
        #expect(metadata.blocks < 64)
    }

    @Test("Holes come back as holes though the job did not look for them") func holesWithoutSparse() async throws {
        let work = TemporaryDirectory()
        try shell(
            "mkdir source; truncate -s 2M source/f; printf x | dd of=source/f bs=1 seek=1000000 conv=notrunc status=none",
            in: work.path)
        let sink = try await backUp(fileSet([work.file("source")], "M"))
        #expect(try await restore(sink.records, to: work.file("restored")).errors == 0)
        var options = TreeComparison.Options()
        options.sparseToleranceBlocks = 8
        #expect(
            try TreeComparison.compare(source: work.file("source"), target: work.file("restored") + work.file("source"), options)
                .differences.isEmpty)
    }

    @Test("Path components are stripped where the FileSet says so") func stripped() async throws {
        let work = TemporaryDirectory()
        try shell("mkdir -p source/a; echo x > source/a/b", in: work.path)
        let names = try await backUp(fileSet([work.file("source")], "MP2:")).files.map { String(decoding: $0.name, as: UTF8.self) }
        #expect(names == ["/source/a/b", "/source/a/", "/source/"])
        #expect(stripPath(Array("/a/b".utf8), components: 2) == Array("/a/b".utf8))
    }

    @Test("A file that vanishes or is unreadable is reported and the rest is saved") func vanished() async throws {
        let work = TemporaryDirectory()
        try shell("mkdir source; echo x > source/a", in: work.path)
        let log = MessageLog()
        let sink = try await backUp(fileSet([work.file("source"), work.file("missing"), "relative"]), log: log)
        #expect(sink.files.count == 2)
        #expect(log.texts(.notSaved).count == 2)
        #expect(log.texts(.notSaved)[0].contains("Could not stat"))
    }
}
