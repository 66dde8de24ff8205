// The head of every record in a block. Big-endian (bacula-wire 6.3).
//
//     BB02                                           BB01
//     offset  size  field                            offset  size  field
//     0       4     FileIndex; negative: a label     0       4     session id
//     4       4     stream; negative: continuation   4       4     session time
//     8       4     length of the data               8       12    as BB02's 0…11
//     12            data, as much as fits            20            data
//
// A record that does not fit goes on in the next block of its session, under a header with the same FileIndex, the negated
// stream and the length that remains. Where fewer than 12 bytes are left in a block it ends there; where exactly 12 are,
// they hold the header and the next block all of the data.

/// FileIndexes below zero mark label records; their stream field then is no stream but a job's number.
package enum LabelKind: Int32, Sendable {
    /// A volume that was labelled and never written.
    case preLabel = -1
    /// A volume in use.
    case volume = -2
    case endOfMedium = -3
    case startOfSession = -4
    case endOfSession = -5
}

package struct RecordHeader: Hashable, Sendable {
    package static let byteCount = 12
    /// The longest record we read: four times the longest message that carries one between daemons (1,000,000 bytes), so
    /// that a damaged length can't make a reader collect for ever.
    package static let dataBytesMax = 4 << 20

    package var fileIndex: Int32
    /// As on the volume: negative in a continuation.
    package var stream: Int32
    /// Of the whole record at its start, of what remains in a continuation.
    package var dataBytes: UInt32
    package var isContinuation: Bool { stream < 0 && fileIndex >= 0 }

    package init(fileIndex: Int32, stream: Int32, dataBytes: UInt32) {
        self.fileIndex = fileIndex
        self.stream = stream
        self.dataBytes = dataBytes
    }

    /// Reads the header at `offset`, where the caller has seen that 12 bytes are left.
    init(decoding bytes: Span<UInt8>, at offset: Int) {
        fileIndex = Int32(bitPattern: bytes.bigEndian32(at: offset))
        stream = Int32(bitPattern: bytes.bigEndian32(at: offset + 4))
        dataBytes = bytes.bigEndian32(at: offset + 8)
    }

    func write(into block: inout [UInt8], at offset: Int) {
        block.put(UInt32(bitPattern: fileIndex), at: offset)
        block.put(UInt32(bitPattern: stream), at: offset + 4)
        block.put(dataBytes, at: offset + 8)
    }
}
