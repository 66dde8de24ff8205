// Which files the levels want.

@testable import FileDaemon
import Platform
import TestSupport
import Testing
import Volumes

@Suite("Levels") struct LevelTests {
    private func names(_ sink: RecordSink, _ work: TemporaryDirectory) -> [String] {
        sink.files.map { "\($0.type.rawValue) " + String(decoding: $0.name.dropFirst(work.path.utf8.count), as: UTF8.self) }
            .sorted()
    }
    private func add(_ list: AccurateList, _ path: [UInt8], _ lstat: [UInt8], _ digest: String) -> Bool {
        var packet = path
        packet.append(0)
        packet += lstat
        packet.append(0)
        packet += digest.utf8
        packet += [0, UInt8(ascii: "0")]
        return list.add(packet.span)
    }

    /// The list that a director would send after `sink`.
    private func list(_ sink: RecordSink, digests: Bool = false) -> AccurateList {
        let list = AccurateList(expecting: sink.files.count)
        for file in sink.files {
            let digest =
                digests
                ? sink.records.first { $0.fileIndex == file.fileIndex && $0.stream == 3 }.map { DigestText.encode($0.data) } ?? ""
                : ""
            #expect(add(list, file.name, file.status.lstat, digest))
        }
        return list
    }

    @Test("Since a time: what was modified or changed at or after it") func since() async throws {
        let work = TemporaryDirectory()
        try shell(
            "mkdir s; echo x > s/old; touch -d '2020-01-01 UTC' s/old; echo y > s/new; touch -d '2030-01-01 UTC' s/new",
            in: work.path)
        // Both changed just now, which counts unless the job looks at modification times only.
        let both = try await backUp(fileSet([work.file("s")]), .changedSince(WallTime(seconds: 1_577_836_801)))
        #expect(names(both, work).contains("3 /s/old"))
        let new = try await backUp(fileSet([work.file("s")], "Mm"), .changedSince(WallTime(seconds: 1_577_836_801)))
        #expect(!names(new, work).contains("3 /s/old") && names(new, work).contains("3 /s/new"))
        let edge = try await backUp(fileSet([work.file("s")], "Mm"), .changedSince(WallTime(seconds: 1_577_836_800)))
        #expect(names(edge, work).contains("3 /s/old"))
    }

    @Test("Accurate: new, changed, moved-in old and deleted files") func accurate() async throws {
        let work = TemporaryDirectory()
        try shell("mkdir s; echo a > s/same; echo b > s/edited; echo c > s/removed; echo d > s/renamed", in: work.path)
        let full = try await backUp(fileSet([work.file("s")]))
        try shell(
            "echo bb > s/edited; rm s/removed; mv s/renamed s/new-name; echo old > s/moved-in; touch -d 2001-01-01 s/moved-in",
            in: work.path)
        let sink = try await backUp(fileSet([work.file("s")]), .accurate(list(full)))
        #expect(names(sink, work) == ["23 /s/removed", "23 /s/renamed", "3 /s/edited", "3 /s/moved-in", "3 /s/new-name", "5 /s/"])
        let gone = try #require(sink.files.first { $0.type == .deleted })
        #expect(gone.status.mode == 0 && gone.status.modifyTime > 0 && gone.status.changeTime > 0 && gone.status.dataStream == 2)
    }

    @Test("Accurate by digest: a touched file of the same contents is not saved again") func digests() async throws {
        let work = TemporaryDirectory()
        try shell("mkdir s; echo a > s/touched; echo b > s/edited", in: work.path)
        let full = try await backUp(fileSet([work.file("s")], "MC5:"))
        try shell("touch -d 2001-01-01 s/touched; echo c > s/edited", in: work.path)
        let sink = try await backUp(fileSet([work.file("s")], "MC5:"), .accurate(list(full, digests: true)))
        #expect(names(sink, work) == ["3 /s/edited"])
        // Without the letter, the time decides.
        let byTime = try await backUp(fileSet([work.file("s")], "MCm:"), .accurate(list(full, digests: true)))
        #expect(names(byTime, work).contains("3 /s/touched"))
    }

    @Test("A link whose first name is not saved again carries the contents itself") func linkLeads() async throws {
        let work = TemporaryDirectory()
        try shell("mkdir s; echo a > s/a", in: work.path)
        let full = try await backUp(fileSet([work.file("s")], "MC5:"))
        try shell("ln s/a s/b", in: work.path)
        let sink = try await backUp(fileSet([work.file("s")], "MC5:"), .accurate(list(full, digests: true)))
        // Either name may be met first; one of them is unchanged, and the other must not refer to what isn't there.
        for file in sink.files where file.type == .hardLink { #expect(file.status.linkFileIndex > 0) }
        #expect(try await restore(sink.records, to: work.file("r")).errors == 0)
        #expect(try read(work.file("r") + work.file("s/b")) == Array("a\n".utf8))
    }

    @Test("The list is compact and finds every path again") func compact() {
        let list = AccurateList(expecting: 10)
        let status = FileStatus(lstat: Array("P4A FmQX IGk C A A A V BAA I BrAN8r BrAN8q BrAN8q A A C".utf8).span)!
        for number in 0..<50_000 {
            #expect(add(list, Array("/usr/share/doc/package-\(number)/changelog".utf8), status.lstat, ""))
        }
        #expect(list.count == 50_000)
        for number in stride(from: 0, to: 50_000, by: 2) {
            #expect(list.meet(Array("/usr/share/doc/package-\(number)/changelog".utf8))?.status.size == status.size)
        }
        #expect(list.meet(Array("/usr/share/doc/package-50000/changelog".utf8)) == nil)
        var unmet = 0
        list.forEachUnmet { _, then in
            unmet += 1
            if then.modifyTime != status.modifyTime { unmet = -1 }
        }
        #expect(unmet == 25_000)
        #expect(list.bytes / list.count < 90)
    }

    @Test("Malformed entries of the list are refused") func malformedEntries() {
        let list = AccurateList(expecting: -5 + 5)
        for packet in ["", "\0", "/x", "/x\0A B\0"] {
            let isTaken = list.add(Array(packet.utf8).span)
            #expect(!isTaken)
        }
        var random = SeededGenerator(seed: 0xACC)
        let golden = Array("/x\0P4A FmQX IGk C A A A V BAA I BrAN8r BrAN8q BrAN8q A A C\0A\00".utf8)
        for _ in 0..<5000 {
            var packet = golden
            for _ in 0..<1 + random.next(below: 3) { packet[random.next(below: packet.count)] = UInt8(random.next(below: 256)) }
            _ = list.add(packet.span)
        }
        list.forEachUnmet { _, _ in }
    }
}

@Suite("Changing files") struct ChangingFileTests {
    /// Reads one item whose metadata is older than the file.
    private func read(_ work: TemporaryDirectory, _ letters: String, _ change: () throws -> Void) throws -> (
        FileResult?, MessageLog, [ReadPiece]
    ) {
        let log = MessageLog()
        let parent = try OpenDirectory.open(Array(work.path.utf8))
        let item = WalkedItem(
            path: Array(work.file("f").utf8), name: Array("f".utf8), parent: parent,
            metadata: try parent.metadata(of: Array("f".utf8)), type: .file,
            options: FileOptions(FileOptions.Values(letters: letters.utf8)))
        try change()
        let pieces = Monitor<[ReadPiece]>([])
        let reader = FileReader(
            FileReader.Surroundings(
                buffer: { PacketBuffer() }, emit: { piece in pieces.withLock { $0.append(piece) } }, report: { log.add($0) },
                isCancelled: { false }))
        reader.read([item])
        let all = pieces.read { $0 }
        if case .whole(let files, _)? = all.last { return (files.first?.1, log, all) }
        if case .end(let result)? = all.last { return (result, log, all) }
        return (nil, log, all)
    }

    @Test("A file that grew between the walk and the reading is saved as it is now") func grewBefore() throws {
        let work = TemporaryDirectory()
        try write("short", to: work.file("f"))
        let (result, log, pieces) = try read(work, "M") { try write([UInt8](repeating: 7, count: 2_000_000), to: work.file("f")) }
        #expect(result?.bytesRead == 2_000_000)
        #expect(pieces.count > 2)
        #expect(log.troubles.isEmpty)
    }

    @Test("A file that vanished after the walk is reported as not saved") func vanished() throws {
        let work = TemporaryDirectory()
        try write("x", to: work.file("f"))
        let (result, log, _) = try read(work, "M") { try OpenDirectory.open(Array(work.path.utf8)).remove(Array("f".utf8)) }
        #expect(result?.outcome == .failed)
        #expect(log.texts(.notSaved).count == 1)
    }

    @Test("A file that became a link or a FIFO is not read") func replaced() throws {
        let work = TemporaryDirectory()
        try write("x", to: work.file("f"))
        let link = try read(work, "M") { try shell("ln -sf /etc/passwd f", in: work.path) }
        #expect(link.0?.outcome == .failed)
        try shell("rm f; echo x > f", in: work.path)
        let fifo = try read(work, "M") { try shell("rm f; mkfifo f", in: work.path) }
        #expect(fifo.0?.outcome == .failed)
        #expect(fifo.1.texts(.notSaved)[0].contains("replaced"))
    }

    @Test("A FIFO that is named directly is read when the FileSet says so") func fifo() async throws {
        let work = TemporaryDirectory()
        try shell("mkfifo pipe; (echo through the pipe > pipe) > /dev/null 2>&1 &", in: work.path)
        let sink = try await backUp(fileSet([work.file("pipe")], "Mr"))
        #expect(sink.files.map(\.type) == [.fifo])
        #expect(sink.records.first { $0.stream == 2 }?.data == Array("through the pipe\n".utf8))
    }
}
