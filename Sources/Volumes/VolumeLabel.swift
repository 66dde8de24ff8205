// The label that every volume begins with: one record in a block of its own, number 0 (bacula-wire 6.4).
//
// FileIndex -1 (labelled, never written) or -2 (in use); the stream field means nothing to readers. The payload, integers
// big-endian, strings as bytes and a NUL:
//
//     type    field              type    field               type    field
//     string  "Bacula 1.0 immortal\n"   string  volume name         string  program version
//     u32     11                 string  previous volume     string  program date
//     i64     label time, µs     string  pool                string  aligned volume name: empty
//     i64     write time, µs     string  pool type           u64     first data: 0
//     f64     0                  string  media type          u32     file alignment: 0
//     f64     0                  string  host                u32     padding: 0
//                                string  program             u32     block size: 0
//
// Version 10 has four f64 where 11 has the times: label day, label time, write day, write time (Julian days).

package import Platform

package struct VolumeLabel: Hashable, Sendable {
    package static let identifier = "Bacula 1.0 immortal\n"
    package static let oldIdentifier = "Bacula 0.9 mortal\n"
    package static let version: UInt32 = 11

    /// False: `preLabel`, the volume was labelled and holds no job yet.
    package var isInUse: Bool
    package var version: UInt32 = VolumeLabel.version
    package var labelTime: WallTime
    package var writeTime: WallTime
    package var volumeName: String
    package var previousVolumeName: String = ""
    package var pool: String
    package var poolType: String
    package var mediaType: String
    package var host: String
    package var program: String
    package var programVersion: String
    package var programDate: String

    package init(
        volumeName: String, isInUse: Bool, pool: String, poolType: String = "Backup", mediaType: String, host: String,
        program: String, programVersion: String, programDate: String, labelTime: WallTime, writeTime: WallTime
    ) {
        self.volumeName = volumeName
        self.isInUse = isInUse
        self.pool = pool
        self.poolType = poolType
        self.mediaType = mediaType
        self.host = host
        self.program = program
        self.programVersion = programVersion
        self.programDate = programDate
        self.labelTime = labelTime
        self.writeTime = writeTime
    }

    /// The record's payload.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        bytes.appendString(Self.identifier)
        bytes.appendBigEndian(Self.version)
        bytes.appendBigEndian(labelTime.microseconds)
        bytes.appendBigEndian(writeTime.microseconds)
        bytes.appendBigEndian(UInt64(0))
        bytes.appendBigEndian(UInt64(0))
        for text in [
            volumeName, previousVolumeName, pool, poolType, mediaType, host, program, programVersion, programDate, "",
        ] { bytes.appendString(text) }
        bytes.appendBigEndian(UInt64(0))
        bytes.appendBigEndian(UInt32(0))
        bytes.appendBigEndian(UInt32(0))
        bytes.appendBigEndian(UInt32(0))
        return bytes
    }

    /// The label as the volume's first block, in the name of `session`.
    package func block(session: SessionIdentity, isChecksummed: Bool = true) -> [UInt8] {
        var writer = BlockWriter(session: session, isChecksummed: isChecksummed)
        var block: [UInt8] = []
        let keep = { (_: FinishedBlock, bytes: Span<UInt8>) in block = bytes.array(0..<bytes.count) }
        writer.appendLabel(isInUse ? .volume : .preLabel, jobID: 0, data: encoded.span, to: keep)
        writer.flush(to: keep)
        return block
    }

    /// Reads a payload. Never traps.
    package init(decoding bytes: Span<UInt8>, fileIndex: Int32) throws(VolumeFormatError) {
        let broken = VolumeFormatError(.badLabel, "The volume label is cut off or garbled.")
        guard fileIndex == LabelKind.preLabel.rawValue || fileIndex == LabelKind.volume.rawValue else {
            throw VolumeFormatError(.badLabel, "The volume's first record is no volume label.")
        }
        isInUse = fileIndex == LabelKind.volume.rawValue
        var cursor = FieldCursor()
        guard let identifier = cursor.string(in: bytes), let version = cursor.integer(UInt32.self, in: bytes) else { throw broken }
        guard identifier == Self.identifier || identifier == Self.oldIdentifier, version == 10 || version == 11 else {
            guard identifier.hasPrefix("Bacula") else { throw broken }
            throw VolumeFormatError(
                .unsupported,
                "The volume is labelled `\(identifier.filter { $0 != "\n" })` version \(version), a format that this program can't read.",
                remedy: "Aligned, deduplicated and cloud volumes need the program that wrote them.")
        }
        self.version = version
        if version == 11 {
            guard let label = cursor.integer(Int64.self, in: bytes), let write = cursor.integer(Int64.self, in: bytes),
                cursor.double(in: bytes) != nil, cursor.double(in: bytes) != nil
            else { throw broken }
            labelTime = WallTime(nanoseconds: label &* 1000)
            writeTime = WallTime(nanoseconds: write &* 1000)
        } else {
            guard let labelDay = cursor.double(in: bytes), let labelPart = cursor.double(in: bytes),
                let writeDay = cursor.double(in: bytes), let writePart = cursor.double(in: bytes)
            else { throw broken }
            labelTime = WallTime(julianDay: labelDay, part: labelPart)
            writeTime = WallTime(julianDay: writeDay, part: writePart)
        }
        guard let volumeName = cursor.string(in: bytes), let previous = cursor.string(in: bytes),
            let pool = cursor.string(in: bytes), let poolType = cursor.string(in: bytes),
            let mediaType = cursor.string(in: bytes), let host = cursor.string(in: bytes),
            let program = cursor.string(in: bytes), let programVersion = cursor.string(in: bytes),
            let programDate = cursor.string(in: bytes)
        else { throw broken }
        self.volumeName = volumeName
        previousVolumeName = previous
        self.pool = pool
        self.poolType = poolType
        self.mediaType = mediaType
        self.host = host
        self.program = program
        self.programVersion = programVersion
        self.programDate = programDate
        // What follows in version 11 is empty on plain volumes, and 9.6's own reader is a byte off in it.
    }

    /// Reads the first block of a volume, checksum included.
    package init(decodingBlock block: Span<UInt8>) throws(VolumeFormatError) {
        let header = try BlockHeader(checking: block)
        let start = header.version.headerBytes + header.version.recordHeaderBytes
        guard header.blockBytes >= start else { throw VolumeFormatError(.badLabel, "The volume's first block is empty.") }
        let record = RecordHeader(decoding: block, at: start - RecordHeader.byteCount)
        guard Int(record.dataBytes) <= header.blockBytes - start else {
            throw VolumeFormatError(.badLabel, "The volume label is cut off.")
        }
        try self.init(decoding: block.extracting(start..<start + Int(record.dataBytes)), fileIndex: record.fileIndex)
    }
}

extension WallTime {
    /// The sum of a Julian day and a part of a day, as labels of version 10 have it; nonsense becomes 1970.
    init(julianDay: Double, part: Double) {
        let seconds = (julianDay + part - 2_440_587.5) * 86_400
        self.init(seconds: seconds.isFinite && abs(seconds) < 1e10 ? Int64(seconds) : 0)
    }
}
