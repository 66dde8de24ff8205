import Testing
import TestSupport

@testable import Volumes

func header(_ block: [UInt8]) throws -> BlockHeader { try BlockHeader(checking: block.span) }
func firstRecord(_ block: [UInt8]) -> RecordHeader { RecordHeader(decoding: block.span, at: 24) }

@Suite("Records in blocks")
struct RecordTests {
    typealias Record = Collected.Record
    static let session = SessionIdentity(id: 1, time: 1000)

    /// The blocks that a session's records make.
    func blocks(_ records: [Record], session: SessionIdentity = session, blockBytesMax: Int, flushAfter: Set<Int> = []) -> [[UInt8]]
    {
        var writer = BlockWriter(session: session, blockBytesMax: blockBytesMax)
        var blocks: [[UInt8]] = []
        for (position, record) in records.enumerated() {
            let keep = { (_: FinishedBlock, bytes: Span<UInt8>) in blocks.append(bytes.array(0..<bytes.count)) }
            if let kind = LabelKind(rawValue: record.fileIndex) {
                writer.appendLabel(kind, jobID: record.stream, data: record.bytes.span, to: keep)
            } else {
                writer.append(fileIndex: record.fileIndex, stream: record.stream, data: record.bytes.span, to: keep)
            }
            if flushAfter.contains(position) { writer.flush(to: keep) }
        }
        writer.flush { _, bytes in blocks.append(bytes.array(0..<bytes.count)) }
        return blocks
    }

    func record(_ count: Int, index: Int32 = 1, stream: Int32 = 2) -> Record {
        Record(
            session: Self.session, fileIndex: index, stream: stream, bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    }

    @Test("With 0 to 13 bytes to spare in a block, the next record begins as the format says", arguments: 0...13)
    func spareBytes(spare: Int) throws {
        let size = 256
        let first = record(size - 24 - 12 - spare)
        let second = record(100, index: 2)
        let blocks = blocks([first, second], blockBytesMax: size)
        #expect(blocks.count == 2)
        // A header needs 12 bytes: fewer stay unused and the block is that much shorter.
        #expect(blocks[0].count == (spare < 12 ? size - spare : size))
        let header = firstRecord(blocks[1])
        switch spare {
        case ..<12: #expect(header == RecordHeader(fileIndex: 2, stream: 2, dataBytes: 100))
        case 12: #expect(header == RecordHeader(fileIndex: 2, stream: -2, dataBytes: 100))
        default: #expect(header == RecordHeader(fileIndex: 2, stream: -2, dataBytes: 99))
        }
        let collected = Collected()
        for block in blocks { try collected.read(block) }
        #expect(collected.records == [first, second])
        #expect(collected.problems.isEmpty)
    }

    @Test(
        "Records of every length, empty ones too, come back in order from blocks of odd sizes",
        arguments: [256, 400, 1500, 4097, 64_512])
    func roundTrip(blockBytesMax: Int) throws {
        var generator = SeededGenerator(seed: UInt64(blockBytesMax))
        var records: [Record] = []
        for index in 1...300 as ClosedRange<Int32> {
            let count = Int.random(in: 0...(Bool.random(using: &generator) ? 30 : 3 * blockBytesMax), using: &generator)
            records.append(Record(session: Self.session, fileIndex: index, stream: 2, bytes: generator.bytes(min(count, 100_000))))
        }
        let blocks = blocks(records, blockBytesMax: blockBytesMax, flushAfter: [3, 50, 51])
        let collected = Collected()
        for (number, block) in blocks.enumerated() {
            #expect(block.count <= blockBytesMax)
            #expect(try BlockHeader(checking: block.span).number == UInt32(number))
            try collected.read(block)
        }
        collected.finish()
        #expect(collected.records == records)
        #expect(collected.problems.isEmpty)
    }

    @Test("A session label is never split: the block before it ends first")
    func labelsAreWhole() throws {
        let label = Record(session: Self.session, fileIndex: -4, stream: 9, bytes: [UInt8](repeating: 1, count: 180))
        let blocks = blocks([record(100), label], blockBytesMax: 256)
        #expect(blocks.count == 2)
        #expect(firstRecord(blocks[1]) == RecordHeader(fileIndex: -4, stream: 9, dataBytes: 180))
    }

    @Test("A label longer than the configured block gets a longer block to itself")
    func longLabel() throws {
        let label = Record(session: Self.session, fileIndex: -5, stream: 9, bytes: [UInt8](repeating: 1, count: 900))
        let blocks = blocks([record(10), label, record(10, index: 2)], blockBytesMax: 256)
        #expect(blocks.map(\.count) == [24 + 12 + 10, 24 + 12 + 900, 24 + 12 + 10])
        let collected = Collected()
        for block in blocks { try collected.read(block) }
        #expect(collected.records.count == 3)
    }

    @Test("A finished block says which FileIndexes have a part in it")
    func fileIndexes() {
        var writer = BlockWriter(session: Self.session, blockBytesMax: 256)
        var ranges: [ClosedRange<Int32>?] = []
        let keep = { (block: FinishedBlock, _: Span<UInt8>) in ranges.append(block.fileIndexes) }
        writer.appendLabel(.startOfSession, jobID: 1, data: record(100).bytes.span, to: keep)
        writer.flush(to: keep)
        writer.append(fileIndex: 3, stream: 1, data: record(50).bytes.span, to: keep)
        writer.append(fileIndex: 4, stream: 1, data: record(300).bytes.span, to: keep)
        writer.flush(to: keep)
        #expect(ranges == [nil, 3...4, 4...4])
    }

    @Test("Two sessions whose blocks alternate are kept apart")
    func interleaved() throws {
        let other = SessionIdentity(id: 2, time: 1000)
        var generator = SeededGenerator(seed: 2)
        let mine = (1...40).map { record(Int.random(in: 0...900, using: &generator), index: $0) }
        let theirs = mine.map { Record(session: other, fileIndex: $0.fileIndex, stream: 4, bytes: $0.bytes.reversed()) }
        var a = blocks(mine, blockBytesMax: 400)[...]
        var b = blocks(theirs, session: other, blockBytesMax: 300)[...]
        let collected = Collected()
        while !a.isEmpty || !b.isEmpty {
            if !a.isEmpty, b.isEmpty || Bool.random(using: &generator) {
                try collected.read(a.removeFirst())
            } else {
                try collected.read(b.removeFirst())
            }
        }
        #expect(collected.records.filter { $0.session == Self.session } == mine)
        #expect(collected.records.filter { $0.session == other } == theirs)
        #expect(collected.problems.isEmpty)
    }

    @Test("A lost block costs the records that had a part in it, each reported, and no other")
    func lostBlocks() throws {
        let records = (1...30).map { record(150 + Int($0), index: $0) }
        let all = blocks(records, blockBytesMax: 400)
        for lost in all.indices {
            let collected = Collected()
            for (index, block) in all.enumerated() where index != lost { try collected.read(block) }
            collected.finish()
            let missing = records.filter { !collected.records.contains($0) }
            #expect((1...4).contains(missing.count))
            #expect(!collected.problems.isEmpty || missing.allSatisfy { $0.bytes.count + 12 <= all[lost].count })
            #expect(collected.records == records.filter { record in !missing.contains(record) })
        }
    }

    @Test("A record that claims more than 4 MiB is dropped without collecting it")
    func tooLong() throws {
        var block = [UInt8](repeating: 0, count: 100)
        RecordHeader(fileIndex: 1, stream: 2, dataBytes: UInt32(RecordHeader.dataBytesMax) + 1).write(into: &block, at: 24)
        var header = BlockHeader(number: 0, session: Self.session, blockBytes: 100)
        header.write(into: &block)
        let collected = Collected()
        try collected.read(block)
        #expect(collected.problems.map(\.kind) == [.tooLong])
    }

    @Test("Unfinished records of many sessions are held up to a bound, then the oldest is given up")
    func boundedPartials() throws {
        let collected = Collected()
        collected.reader = RecordReader(heldBytesMax: 2000)
        for id in 1...20 as ClosedRange<UInt32> {
            let session = SessionIdentity(id: id, time: 1)
            try collected.read(blocks([record(1000)], session: session, blockBytesMax: 400)[0])
        }
        #expect(collected.problems.allSatisfy { $0.kind == .givenUp })
        #expect(collected.problems.count == 15)
        #expect(collected.problems.first?.session.id == 1)
    }

    @Test("A change of volume in the middle of a record is a continuation in the next block")
    func volumeChange() throws {
        var writer = BlockWriter(session: Self.session, blockBytesMax: 400, firstNumber: 1)
        var first: [[UInt8]] = []
        var second: [[UInt8]] = []
        let sink = { (_: FinishedBlock, bytes: Span<UInt8>) in
            if first.count < 2 { first.append(bytes.array(0..<bytes.count)) } else { second.append(bytes.array(0..<bytes.count)) }
        }
        let long = record(2000)
        writer.append(fileIndex: 1, stream: 2, data: long.bytes.span, to: sink)
        writer.flush(to: sink)
        #expect(try header(second[0]).number == 3)
        #expect(firstRecord(second[0]).stream == -2)
        let collected = Collected()
        for block in first + second { try collected.read(block) }
        #expect(collected.records == [long])
    }

    @Test("No block makes the reader trap, even with a valid checksum over nonsense")
    func fuzz() throws {
        var generator = SeededGenerator(seed: 0xB10C)
        let valid = blocks((1...6).map { record(120 * Int($0), index: $0) }, blockBytesMax: 400)
        let collected = Collected()
        for _ in 0..<6000 {
            var block = generator.mutated(valid.randomElement(using: &generator)!)
            if block.count >= 24 {
                var header = BlockHeader(
                    number: 1, session: SessionIdentity(id: UInt32.random(in: 1...3, using: &generator), time: 1),
                    blockBytes: block.count)
                header.write(into: &block)
            }
            try? collected.read(block)
            collected.records = []
            collected.problems = []
        }
    }
}
