// Access lists, extended attributes and compressed packets: golden bytes, round trips, damage.

@testable import FileDaemon
import Platform
import TestSupport
import Testing

@Suite("Access control lists") struct PosixACLTests {
    /// What the kernel keeps for `setfacl -m u:nobody:r` on a file of mode 644.
    static let attribute: [UInt8] = [
        2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 254, 255, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 4, 0, 255,
        255, 255, 255, 32, 0,
        4, 0, 255, 255, 255, 255,
    ]
    static let text = "user::rw-\nuser:nobody:r--\ngroup::r--\nmask::r--\nother::r--\n"

    @Test("The kernel's bytes become the text that getfacl and Bacula print") func golden() throws {
        let list = try #require(PosixACL(attribute: Self.attribute))
        #expect(list.text(userName: { $0 == 65534 ? "nobody" : nil }, groupName: { _ in nil }) == Self.text)
        #expect(list.isExtended)
    }

    @Test("The text becomes the kernel's bytes") func back() throws {
        let list = try #require(PosixACL(text: Self.text, userNumber: { $0 == "nobody" ? 65534 : nil }, groupNumber: { _ in nil }))
        #expect(list.attribute == Self.attribute)
    }

    @Test("Accounts without a name travel as numbers") func numbers() throws {
        let list = PosixACL(entries: [
            .init(.owner, 7), .init(.user, 5, number: 4321), .init(.owningGroup, 5), .init(.group, 1, number: 8765),
            .init(.mask, 7), .init(.other, 0),
        ])
        let text = list.text(userName: { _ in nil }, groupName: { _ in nil })
        #expect(text.contains("user:4321:r-x\n") && text.contains("group:8765:--x\n"))
        #expect(PosixACL(text: text, userNumber: { _ in nil }, groupNumber: { _ in nil }) == list)
    }

    @Test("The text agrees with getfacl's on a real file") func getfacl() throws {
        let work = TemporaryDirectory()
        try shell(
            "umask 022; echo x > f; setfacl -m u:nobody:rw,u:4321:r,g:8765:x,o::- f; getfacl -pEn f | grep -v '^#' | grep . > n; getfacl -pE f | grep -v '^#' | grep . > t",
            in: work.path)
        let directory = try OpenDirectory.open(Array(work.path.utf8))
        let value = try #require(try ExtendedAttributes(of: Array("f".utf8), in: directory).value(PosixACL.accessAttribute))
        let list = try #require(PosixACL(attribute: value))
        #expect(Array(list.text.utf8) == (try read(work.file("t"))))
        #expect(Array(list.text(userName: { _ in nil }, groupName: { _ in nil }).utf8) == (try read(work.file("n"))))
        #expect(list.attribute == value)
    }

    @Test("Damaged lists are refused", arguments: ["nonsense", "user::rwx\nuser:nosuchuser-xyz:r--\n", "user::rw9\n", "user", ""])
    func damaged(text: String) {
        #expect(PosixACL(text: text) == nil)
    }

    @Test("Nothing in either form makes the decoders trap") func fuzz() {
        var random = SeededGenerator(seed: 0xAC1)
        for _ in 0..<20_000 {
            var bytes = random.next(below: 2) == 0 ? Self.attribute : Array(Self.text.utf8)
            for _ in 0..<1 + random.next(below: 4) where !bytes.isEmpty {
                switch random.next(below: 3) {
                case 0: bytes[random.next(below: bytes.count)] = UInt8(random.next(below: 256))
                case 1: bytes.remove(at: random.next(below: bytes.count))
                default: bytes.insert(UInt8(random.next(below: 256)), at: random.next(below: bytes.count))
                }
            }
            if let list = PosixACL(attribute: bytes) { _ = list.attribute }
            _ = PosixACL(text: String(decoding: bytes, as: UTF8.self), userNumber: { _ in 1 }, groupNumber: { _ in nil })
        }
    }
}

@Suite("Extended attribute records") struct XattrRecordTests {
    static let golden: [UInt8] = {
        var bytes: [UInt8] = [0, 0x5C, 0x58, 0x84, 0, 0, 0, 8]
        bytes += "user.lab".utf8
        bytes += [0, 0, 0, 4]
        bytes += "demo".utf8
        return bytes
    }()

    private func decoded(_ bytes: [UInt8]) -> [XattrRecord]? { XattrRecord.decode(bytes.span) }

    @Test("The bytes are those that Bacula writes") func golden() {
        #expect(XattrRecord.encode([XattrRecord(name: Array("user.lab".utf8), value: Array("demo".utf8))]) == Self.golden)
        #expect(decoded(Self.golden) == [XattrRecord(name: Array("user.lab".utf8), value: Array("demo".utf8))])
    }

    @Test("Truncated and damaged records are refused, never trapped on") func fuzz() {
        for length in 1..<Self.golden.count { #expect(decoded(Array(Self.golden[..<length])) == nil) }
        var random = SeededGenerator(seed: 0xA77)
        for _ in 0..<20_000 {
            var bytes = Self.golden + Self.golden
            for _ in 0..<1 + random.next(below: 4) { bytes[random.next(below: bytes.count)] = UInt8(random.next(below: 256)) }
            _ = decoded(bytes)
        }
    }
}

@Suite("Data packets") struct DataDecoderTests {
    private func decode(_ stream: Int32, _ packet: [UInt8]) -> (Int64?, [UInt8])? {
        var result: (Int64?, [UInt8])?
        try? DataDecoder().decode(.init(rawValue: stream), packet.span) { offset, bytes in
            var copy: [UInt8] = []
            for index in 0..<bytes.count { copy.append(bytes[index]) }
            result = (offset, copy)
        }
        return result
    }

    @Test("A zlib packet of another program decompresses") func zlib() {
        // printf hello | zlib-flate -compress
        let packet: [UInt8] = [0x78, 0x9C, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x06, 0x2C, 0x02, 0x15]
        #expect(decode(4, packet)?.1 == Array("hello".utf8))
        let offset: [UInt8] = [0, 0, 0, 0, 0, 0, 1, 0]
        #expect(decode(7, offset + packet)?.0 == 256)
    }

    @Test("zstd packets carry the header of stream 29") func zstd() {
        let text = [UInt8](repeating: 65, count: 65_536)
        var packet = [UInt8](repeating: 0, count: PacketCompressor.bound(text.count))
        var span = packet.mutableSpan
        let count = PacketCompressor().compress(text.span, .zstd(level: 3), into: &span)
        let header: [UInt8] = [0x4C, 0x5A, 0x4F, 0x59, 0, 0, 0, UInt8(count - 12), 0, 3, 0, 1]
        #expect(Array(packet[..<12]) == header)
        #expect(decode(29, Array(packet[..<count]))?.1 == text)
    }

    @Test("An LZO packet is refused with its name") func lzo() {
        let packet: [UInt8] = [0x4C, 0x5A, 0x4F, 0x58, 0, 0, 0, 1, 0, 0, 0, 1, 0]
        let failure = #expect(throws: DataDecoder.Failure.self) { try DataDecoder().decode(.compressed, packet.span) { _, _ in } }
        #expect(failure?.text.contains("LZO") == true)
    }

    @Test("A packet that would grow beyond all bounds is refused") func bomb() {
        // A megabyte of zeros in a thousand bytes is fine; a gigabyte must not be unpacked.
        let zeros = [UInt8](repeating: 0, count: 8 << 20)
        var packet = [UInt8](repeating: 0, count: PacketCompressor.bound(zeros.count))
        var span = packet.mutableSpan
        let count = PacketCompressor().compress(zeros.span, .gzip(level: 9), into: &span)
        #expect(decode(4, Array(packet[..<count])) == nil)
    }

    @Test("Damaged packets are refused, never trapped on") func fuzz() {
        var random = SeededGenerator(seed: 0xDA7A)
        let text = (0..<3000).map { UInt8($0 * $0 % 251) }
        let decoder = DataDecoder()
        for (stream, compression) in [
            (4, Compression.gzip(level: 6)), (29, .zstd(level: 1)), (30, .zstd(level: 1)), (7, .gzip(level: 1)), (6, .none),
        ] {
            var packet = [UInt8](repeating: 0, count: PacketCompressor.bound(text.count))
            if compression != .none {
                var span = packet.mutableSpan
                let count = PacketCompressor().compress(text.span, compression, into: &span)
                packet.removeLast(packet.count - count)
            }
            for _ in 0..<2000 {
                var damaged = packet
                for _ in 0..<1 + random.next(below: 4) {
                    damaged[random.next(below: damaged.count)] = UInt8(random.next(below: 256))
                }
                if random.next(below: 4) == 0 { damaged.removeLast(random.next(below: damaged.count)) }
                try? decoder.decode(.init(rawValue: Int32(stream)), damaged.span) { _, _ in }
            }
        }
    }
}
