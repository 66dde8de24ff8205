// The 12 bytes before the compressed data in streams 29 and 30 (bacula-wire 5.6). Big-endian.
//
//     offset  size  field
//     0       4     algorithm: "LZOX" LZO1X, "LZOY" zstd; "GZIP" and "NONE" are defined and never written
//     4       4     length of the compressed data that follow
//     8       2     level; 0 for LZO
//     10      2     version of this header, 1

package struct DataBlockHeader: Hashable, Sendable {
    package enum Algorithm: UInt32, Sendable {
        case lzo = 0x4C5A_4F58
        case zstd = 0x4C5A_4F59
        case gzip = 0x475A_4950
        case none = 0x4E4F_4E45
    }
    package static let byteCount = 12

    package var algorithm: Algorithm
    package var level: UInt16
    package var dataBytes: UInt32

    package init(algorithm: Algorithm, level: UInt16, dataBytes: UInt32) {
        self.algorithm = algorithm
        self.level = level
        self.dataBytes = dataBytes
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.appendBigEndian(algorithm.rawValue)
        bytes.appendBigEndian(dataBytes)
        bytes.appendBigEndian(level)
        bytes.appendBigEndian(UInt16(1))
    }

    /// Reads the header that `bytes` begin with and checks that the data it announces are there.
    package init(decoding bytes: Span<UInt8>) throws(VolumeFormatError) {
        guard bytes.count >= Self.byteCount else {
            throw VolumeFormatError(.badRecord, "A compressed record is shorter than its header.")
        }
        guard let algorithm = Algorithm(rawValue: bytes.bigEndian32(at: 0)) else {
            throw VolumeFormatError(.badRecord, "A compressed record names an unknown compression.")
        }
        self.algorithm = algorithm
        dataBytes = bytes.bigEndian32(at: 4)
        let last = bytes.bigEndian32(at: 8)
        level = UInt16(last >> 16)
        guard last & 0xFFFF == 1 else {
            throw VolumeFormatError(.unsupported, "A compressed record has a header of version \(last & 0xFFFF), not 1.")
        }
        guard Int(dataBytes) <= bytes.count - Self.byteCount else {
            throw VolumeFormatError(.badRecord, "A compressed record is cut off.")
        }
    }
}
