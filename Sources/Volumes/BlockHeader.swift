// The head of every block of a volume. Big-endian (bacula-wire 6.1).
//
//     BB02                                           BB01
//     offset  size  field                            offset  size  field
//     0       4     CRC-32 of bytes 4..<length       0       4     CRC-32 of bytes 4..<length
//     4       4     length of the block with this    4       4     length
//     8       4     block number in its session      8       4     block number
//     12      4     "BB02"                           12      4     "BB01"
//     16      4     session id                       16            records, with 20-byte headers
//     20      4     session time
//     24            records, with 12-byte headers
//
// A CRC of 0 means that the writer made none (`Block Checksum = no`). The label block of a volume has number 0; a session that
// begins later counts from 0 again, the one that wrote the label goes on with 1, and one that moves to a new volume goes on.
//
// BB03 (Bacula 15) keeps the fields at 4…23 and changes the rest. It is recognised, and refused in words.

/// Which job wrote a block: unique per job, as the second part is when the storage daemon started.
package struct SessionIdentity: Hashable, Sendable, CustomStringConvertible {
    package var id: UInt32
    package var time: UInt32
    package init(id: UInt32, time: UInt32) {
        self.id = id
        self.time = time
    }
    package var description: String { "\(id)/\(time)" }
}

package struct BlockHeader: Hashable, Sendable {
    package enum Version: UInt32, Sendable {
        case bb01 = 0x4242_3031
        case bb02 = 0x4242_3032
        package var headerBytes: Int { self == .bb01 ? 16 : 24 }
        package var recordHeaderBytes: Int { self == .bb01 ? 20 : 12 }
    }

    /// Bytes of the header that we write.
    package static let byteCount = 24
    /// The largest block that Bacula's configuration allows; a longer one is damage.
    package static let blockBytesMax = 20_000_000
    package static let defaultBlockBytes = 64_512
    private static let bb03: UInt32 = 0x4242_3033

    package var version: Version = .bb02
    package var checksum: UInt32
    /// Length of the whole block.
    package var blockBytes: Int
    package var number: UInt32
    /// In a BB01 block every record names its session and this is 0/0.
    package var session: SessionIdentity

    package init(number: UInt32, session: SessionIdentity, blockBytes: Int, checksum: UInt32 = 0) {
        self.number = number
        self.session = session
        self.blockBytes = blockBytes
        self.checksum = checksum
    }

    /// Reads the header that `bytes` begin with. The block itself need not be there.
    package init(decoding bytes: Span<UInt8>) throws(VolumeFormatError) {
        guard bytes.count >= 16 else {
            throw VolumeFormatError(.truncated, "A block header needs 16 bytes and \(bytes.count) are left.")
        }
        let identifier = bytes.bigEndian32(at: 12)
        if identifier == Self.bb03 {
            throw VolumeFormatError(
                .unsupported, "The block has the format BB03 of Bacula 15, which this program can't read.",
                remedy: "Read the volume with Bacula 15, or write it with `Volume Encryption = none` by a daemon that uses BB02.")
        }
        guard let version = Version(rawValue: identifier) else {
            throw VolumeFormatError(.notABlock, "No block header stands here.")
        }
        guard bytes.count >= version.headerBytes else {
            throw VolumeFormatError(.truncated, "A block header needs \(version.headerBytes) bytes and \(bytes.count) are left.")
        }
        self.version = version
        checksum = bytes.bigEndian32(at: 0)
        blockBytes = Int(bytes.bigEndian32(at: 4))
        number = bytes.bigEndian32(at: 8)
        session =
            version == .bb01
            ? SessionIdentity(id: 0, time: 0)
            : SessionIdentity(id: bytes.bigEndian32(at: 16), time: bytes.bigEndian32(at: 20))
        guard blockBytes >= version.headerBytes, blockBytes <= Self.blockBytesMax else {
            throw VolumeFormatError(.notABlock, "The block header gives an impossible length of \(blockBytes) bytes.")
        }
    }

    /// Reads the header of a whole block and checks the block's length and checksum.
    /// - Parameter block: Begins with the header; bytes behind the block's own length are ignored (tapes pad).
    package init(checking block: Span<UInt8>) throws(VolumeFormatError) {
        try self.init(decoding: block)
        guard block.count >= blockBytes else {
            throw VolumeFormatError(.truncated, "The block should have \(blockBytes) bytes and has \(block.count).")
        }
        guard checksum == 0 || Checksum.crc32(block.extracting(4..<blockBytes)) == checksum else {
            throw VolumeFormatError(.badChecksum, "Block \(number) of session \(session) does not match its checksum.")
        }
    }

    /// Writes a BB02 header over the first 24 bytes of `block`, whose `blockBytes` bytes are otherwise complete.
    /// - Parameter checksummed: false leaves the CRC 0, as `Block Checksum = no` asks.
    package mutating func write(into block: inout [UInt8], checksummed: Bool = true) {
        precondition(blockBytes >= Self.byteCount && blockBytes <= block.count, "a block is at least its header")
        block.put(UInt32(blockBytes), at: 4)
        block.put(number, at: 8)
        block.put(Version.bb02.rawValue, at: 12)
        block.put(session.id, at: 16)
        block.put(session.time, at: 20)
        checksum = checksummed ? Checksum.crc32(block.span.extracting(4..<blockBytes)) : 0
        block.put(checksum, at: 0)
    }
}
