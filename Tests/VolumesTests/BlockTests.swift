import CZlib
import Testing
import TestSupport

@testable import Volumes

/// The label block of a real volume (bacula-wire 6.4) and the header of the block behind it.
let goldenLabelHex = """
    4542 0f2f 0000 00d0 0000 0000 4242 3032
    0000 0001 6b00 ed8c ffff fffe 0000 0000
    0000 00ac 4261 6375 6c61 2031 2e30 2069
    6d6d 6f72 7461 6c0a 0000 0000 0b00 0660
    bee9 2ce0 db00 0660 bee9 2d93 f600 0000
    0000 0000 0000 0000 0000 0000 004c 6162
    2d30 3030 3100 0046 696c 6500 4261 636b
    7570 0046 696c 6500 766d 006c 6162 2d73
    6400 5665 722e 2039 2e36 2e37 2031 3020
    4465 6365 6d62 6572 2032 3032 3020 0042
    7569 6c64 2046 6562 2020 3720 3230 3233
    2032 303a 3531 3a35 3220 0000 0000 0000
    0000 0000 0000 0000 0000 0000 0000 0000
    """

func bytes(hex: String) -> [UInt8] {
    let digits = hex.filter(\.isHexDigit).map { UInt8($0.hexDigitValue!) }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

@Suite("Blocks")
struct BlockTests {
    static let session = SessionIdentity(id: 5, time: 1_795_219_236)

    @Test("The checksum is zlib's crc32 at every length and alignment")
    func checksum() {
        var generator = SeededGenerator(seed: 32)
        let data = generator.bytes(4096)
        #expect(Checksum.crc32(Array("123456789".utf8).span) == 0xCBF4_3926)
        for _ in 0..<3000 {
            let start = Int.random(in: 0...200, using: &generator)
            let count = Int.random(in: 0...(Bool.random(using: &generator) ? 200 : 3800), using: &generator)
            let previous = UInt32(truncatingIfNeeded: generator.next())
            let expected = unsafe data.withUnsafeBufferPointer {
                unsafe UInt32(CZlib.crc32(UInt(previous), $0.baseAddress! + start, UInt32(count)))
            }
            #expect(
                Checksum.crc32(data.span.extracting(start..<start + count), continuing: previous) == expected, "\(start) \(count)")
        }
    }

    @Test("The header of a real label block is read and its checksum holds")
    func goldenHeader() throws {
        let block = bytes(hex: goldenLabelHex)
        #expect(block.count == 0xD0)
        let header = try BlockHeader(checking: block.span)
        #expect(header.version == .bb02)
        #expect(header.blockBytes == 208)
        #expect(header.number == 0)
        #expect(header.session == SessionIdentity(id: 1, time: 0x6B00_ED8C))
        #expect(header.checksum == 0x4542_0F2F)
        var copy = block
        copy.replaceSubrange(0..<24, with: [UInt8](repeating: 0, count: 24))
        var again = BlockHeader(number: 0, session: header.session, blockBytes: 208)
        again.write(into: &copy)
        #expect(copy == block)
    }

    @Test("Every flipped bit of a block is found by its checksum or its header")
    func flippedBits() {
        let block = bytes(hex: goldenLabelHex)
        for bit in 0..<block.count * 8 {
            var damaged = block
            damaged[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: VolumeFormatError.self, "bit \(bit)") { try BlockHeader(checking: damaged.span) }
        }
    }

    @Test("A block without a checksum is taken as it is")
    func unchecked() throws {
        var block = [UInt8](repeating: 7, count: 60)
        var header = BlockHeader(number: 3, session: Self.session, blockBytes: 60)
        header.write(into: &block, checksummed: false)
        #expect(try BlockHeader(checking: block.span).checksum == 0)
    }

    @Test("BB03 is refused by name, other bytes as no block")
    func otherFormats() {
        var block = bytes(hex: goldenLabelHex)
        block[15] = UInt8(ascii: "3")
        #expect { try BlockHeader(decoding: block.span) } throws: { ($0 as? VolumeFormatError)?.kind == .unsupported }
        block[12] = 0
        #expect { try BlockHeader(decoding: block.span) } throws: { ($0 as? VolumeFormatError)?.kind == .notABlock }
        #expect { try BlockHeader(decoding: block.span.extracting(0..<10)) } throws: {
            ($0 as? VolumeFormatError)?.kind == .truncated
        }
    }

    @Test("A length below the header's or above 20,000,000 bytes is no block")
    func impossibleLengths() {
        for length in [0, 23, 20_000_001, 0xFFFF_FFFF] as [UInt32] {
            var block = bytes(hex: goldenLabelHex)
            block.put(length, at: 4)
            #expect(throws: VolumeFormatError.self) { try BlockHeader(decoding: block.span) }
        }
    }

    @Test("Records of an old BB01 block name their own sessions")
    func bb01() throws {
        var block: [UInt8] = []
        block.appendBigEndian(UInt32(0))
        block.appendBigEndian(UInt32(0))
        block.appendBigEndian(UInt32(9))
        block += "BB01".utf8
        for session in [1, 2] as [UInt32] {
            block.appendBigEndian(session)
            block.appendBigEndian(UInt32(77))
            block.appendBigEndian(Int32(4))
            block.appendBigEndian(Int32(2))
            block.appendBigEndian(UInt32(3))
            block += [UInt8(session), 2, 3]
        }
        block.put(UInt32(block.count), at: 4)
        block.put(Checksum.crc32(block.span.extracting(4..<block.count)), at: 0)
        let collected = Collected()
        try collected.read(block)
        #expect(collected.records.map(\.session.id) == [1, 2])
        #expect(collected.records.map(\.bytes) == [[1, 2, 3], [2, 2, 3]])
    }
}

/// A reader with what it delivered.
final class Collected {
    struct Record: Equatable {
        var session: SessionIdentity
        var fileIndex: Int32
        var stream: Int32
        var bytes: [UInt8]
    }
    var reader = RecordReader()
    var records: [Record] = []
    var problems: [RecordProblem] = []
    private var address: UInt64 = 0

    func read(_ block: [UInt8]) throws {
        let header = try BlockHeader(checking: block.span)
        var records: [Record] = []
        var problems: [RecordProblem] = []
        reader.read(block.span, header: header, at: BlockAddress(rawValue: address)) { record, bytes in
            records.append(
                Record(
                    session: record.session, fileIndex: record.fileIndex, stream: record.stream, bytes: bytes.array(0..<bytes.count)
                ))
        } report: {
            problems.append($0)
        }
        self.records += records
        self.problems += problems
        address += UInt64(block.count)
    }

    func finish() {
        var problems: [RecordProblem] = []
        reader.finish(at: BlockAddress(rawValue: address)) { problems.append($0) }
        self.problems += problems
    }
}
