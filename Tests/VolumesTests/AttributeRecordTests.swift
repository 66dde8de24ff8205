import Testing
import TestSupport

@testable import Volumes

private func decode(_ bytes: [UInt8]) -> AttributeRecord? { AttributeRecord(decoding: bytes.span) }

@Suite("Attribute records and LStat")
struct AttributeRecordTests {
    static let hardLink = Array(
        "2 1 /lab/source/hello.txt\0P4A FmQX IGk C A A A V BAA I BrAN8r BrAN8q BrAN8q B A C\0/lab/source/hello.hard\0\0\u{30}\0"
            .utf8)
    static let deleted = Array("3 23 /lab/source/new.txt\0A A A A A A A A A A A BrAN8q BrAN8q A A C\0\0\0\u{30}\0".utf8)

    @Test(
        "A number is written with digits of six bits, most significant first",
        arguments: [
            (33188, "IGk"), (4096, "BAA"), (1_795_221_876, "BrAOl0"), (0, "A"), (0o40755, "EHt"), (-1, "-B"), (63, "/"), (64, "BA"),
        ] as [(Int64, String)])
    func numbers(number: Int64, text: String) {
        var bytes: [UInt8] = []
        NumberText.append(number, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
        var index = 0
        let parsed = NumberText.parse(bytes.span, at: &index)
        #expect(parsed == number)
        #expect(index == bytes.count)
    }

    @Test("Every 64-bit number survives its text", arguments: [Int64.min, Int64.min + 1, -4096, -1, 0, 1, Int64.max])
    func extremes(number: Int64) {
        var bytes: [UInt8] = []
        NumberText.append(number, to: &bytes)
        var index = 0
        let parsed = NumberText.parse(bytes.span, at: &index)
        #expect(parsed == number)
    }

    @Test("The record of a hard link, as Bacula writes it, is read field by field and written back byte by byte")
    func goldenHardLink() throws {
        let record = try #require(decode(Self.hardLink))
        #expect(record.fileIndex == 2)
        #expect(record.type == .hardLink)
        #expect(String(decoding: record.name, as: UTF8.self) == "/lab/source/hello.txt")
        #expect(String(decoding: record.link, as: UTF8.self) == "/lab/source/hello.hard")
        #expect(record.status.mode == 0o100644)
        #expect(record.status.linkFileIndex == 1)
        #expect(record.status.dataStream == 2)
        #expect(record.nanoseconds == nil)
        #expect(record.encoded == Self.hardLink)
    }

    @Test("The record of a deleted file holds its times and nothing else")
    func goldenDeleted() throws {
        let record = try #require(decode(Self.deleted))
        #expect(record.type == .deleted)
        #expect(record.status.mode == 0)
        #expect(record.status.modifyTime == record.status.changeTime)
        #expect(record.encoded == Self.deleted)
    }

    @Test("Nanoseconds travel in the field that Bacula's readers skip on Unix")
    func nanoseconds() throws {
        var status = FileStatus()
        status.mode = 0o100600
        let record = AttributeRecord(
            fileIndex: 7, type: .file, name: [0x2F, 0xFF, 0x0A, 0x20, 0x41], status: status,
            nanoseconds: .init(access: 1, modify: 999_999_999, change: 0))
        #expect(decode(record.encoded) == record)
    }

    @Test("An LStat that stops after ctime is read, one that stops before is refused")
    func shortStatus() {
        let thirteen = Array("A B IGk B A A A C BAA I BrAN8r BrAN8q BrAN8q".utf8)
        let twelve = Array(thirteen.dropLast(7))
        let status = FileStatus(lstat: thirteen.span)
        #expect(status?.size == 2)
        #expect(FileStatus(lstat: twelve.span) == nil)
    }

    @Test("No bytes make the decoder trap")
    func fuzz() {
        var generator = SeededGenerator(seed: 0xA77)
        for _ in 0..<20_000 {
            let bytes = generator.mutated(Bool.random(using: &generator) ? Self.hardLink : Self.deleted)
            if let record = decode(bytes) {
                #expect(decode(record.encoded) == record)
            }
            let noise = generator.bytes(Int.random(in: 0...60, using: &generator))
            _ = decode(noise)
            _ = FileStatus(lstat: noise.span)
        }
    }
}
