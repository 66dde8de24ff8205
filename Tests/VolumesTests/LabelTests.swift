import Platform
import Testing
import TestSupport

@testable import Volumes

@Suite("Volume and session labels")
struct LabelTests {
    @Test("The label of a real volume is read, and written back byte by byte")
    func golden() throws {
        let block = bytes(hex: goldenLabelHex)
        let label = try VolumeLabel(decodingBlock: block.span)
        #expect(label.isInUse)
        #expect(label.volumeName == "Lab-0001")
        #expect(label.pool == "File" && label.poolType == "Backup" && label.mediaType == "File")
        #expect(label.host == "vm" && label.program == "lab-sd")
        #expect(label.programVersion == "Ver. 9.6.7 10 December 2020 ")
        #expect(label.labelTime.microseconds == 0x0006_60BE_E92C_E0DB)
        #expect(label.block(session: SessionIdentity(id: 1, time: 0x6B00_ED8C)) == block)
    }

    @Test("Labelling a volume and marking it as in use give blocks of one length")
    func inPlace() {
        var label = try! VolumeLabel(decodingBlock: bytes(hex: goldenLabelHex).span)
        let used = label.block(session: SessionIdentity(id: 1, time: 2))
        label.isInUse = false
        #expect(label.block(session: SessionIdentity(id: 1, time: 2)).count == used.count)
    }

    @Test("Dedup, cloud and aligned volumes are refused by name")
    func otherKinds() {
        var payload: [UInt8] = []
        payload.appendString("Bacula 1.0 S3 Cloud\n")
        payload.appendBigEndian(UInt32(40_000))
        #expect { try VolumeLabel(decoding: payload.span, fileIndex: -2) } throws: {
            ($0 as? VolumeFormatError)?.kind == .unsupported
        }
    }

    static let end = SessionLabel(
        jobID: 42, time: WallTime(seconds: 1_795_220_000), pool: "File", poolType: "Backup", jobName: "Nightly", client: "web-fd",
        job: "Nightly.2026-11-21_01.02.03_04", fileSet: "All", type: UInt8(ascii: "B"), level: UInt8(ascii: "F"),
        fileSetDigest: "ynJxG5N/Oh/kf/MT7k/+mB",
        end: .init(
            files: 15, bytes: 5_000_000_000, begin: BlockAddress(rawValue: 208), end: BlockAddress(rawValue: 0x1_0000_0001),
            errors: 3,
            status: UInt8(ascii: "T")))

    @Test("Session labels survive encoding, with the halves of 64-bit addresses")
    func sessions() throws {
        #expect(try SessionLabel(decoding: Self.end.encoded.span, fileIndex: -5) == Self.end)
        var start = Self.end
        start.end = nil
        #expect(try SessionLabel(decoding: start.encoded.span, fileIndex: -4) == start)
        #expect(start.kind == .startOfSession && Self.end.kind == .endOfSession)
    }

    @Test("Texts longer than 127 bytes are cut, because Bacula's readers have no more room")
    func longNames() throws {
        var label = Self.end
        label.jobName = String(repeating: "x", count: 300)
        #expect(try SessionLabel(decoding: label.encoded.span, fileIndex: -5).jobName.count == 127)
    }

    @Test("A label of version 10 has its times as Julian days")
    func version10() throws {
        var payload: [UInt8] = []
        payload.appendString("Bacula 1.0 immortal\n")
        payload.appendBigEndian(UInt32(10))
        for value in [2_440_588.0, 0.0, 2_440_588.5, 0.25] { payload.appendBigEndian(value.bitPattern) }
        for text in ["Old-1", "", "Default", "Backup", "DLT", "host", "prog", "v", "d"] { payload.appendString(text) }
        let label = try VolumeLabel(decoding: payload.span, fileIndex: -1)
        #expect(label.labelTime == WallTime(seconds: 43_200))
        #expect(label.writeTime == WallTime(seconds: 43_200 + 64_800))
        #expect(!label.isInUse && label.volumeName == "Old-1")
    }

    @Test("No bytes make the label decoders trap")
    func fuzz() {
        var generator = SeededGenerator(seed: 0x1ABE1)
        let volume = Array(bytes(hex: goldenLabelHex)[36...])
        for _ in 0..<10_000 {
            let mutated = generator.mutated(volume)
            _ = try? VolumeLabel(decoding: mutated.span, fileIndex: -2)
            _ = try? SessionLabel(decoding: generator.mutated(Self.end.encoded).span, fileIndex: -5)
            _ = try? VolumeLabel(decodingBlock: generator.mutated(bytes(hex: goldenLabelHex)).span)
        }
    }
}

@Suite("Headers of compressed data")
struct DataBlockHeaderTests {
    @Test("The example of a real LZO record is read and written back")
    func golden() throws {
        var example = bytes(hex: "4c5a4f58 00000019 0000 0001")
        example += [UInt8](repeating: 9, count: 25)
        let header = try DataBlockHeader(decoding: example.span)
        #expect(header == DataBlockHeader(algorithm: .lzo, level: 0, dataBytes: 25))
        var written: [UInt8] = []
        header.append(to: &written)
        #expect(written == Array(example[..<12]))
    }

    @Test("A header whose data are not all there, or of another version, is refused")
    func refused() {
        #expect(throws: VolumeFormatError.self) { try DataBlockHeader(decoding: bytes(hex: "4c5a4f58 00000019 0000 0001 00").span) }
        #expect(throws: VolumeFormatError.self) { try DataBlockHeader(decoding: bytes(hex: "4c5a4f58 00000000 0000 0002").span) }
        #expect(throws: VolumeFormatError.self) { try DataBlockHeader(decoding: bytes(hex: "4c5a4f57 00000000 0000 0001").span) }
    }

    @Test("No bytes make the decoder trap")
    func fuzz() {
        var generator = SeededGenerator(seed: 0x29)
        for _ in 0..<5000 {
            _ = try? DataBlockHeader(decoding: generator.mutated(bytes(hex: "4c5a4f59 00000004 0003 0001 01020304")).span)
        }
    }
}
