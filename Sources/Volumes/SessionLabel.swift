// The labels before the first and behind the last record of a job on a volume: SOS and EOS (bacula-wire 6.5).
//
// FileIndex -4 (start) or -5 (end); the stream field holds the JobId. Payload, integers big-endian, strings with a NUL:
//
//     type    field                       type    field                  the end only:
//     string  "Bacula 1.0 immortal\n"     string  Job (unique name)      u32  files
//     u32     11                          string  FileSet                u64  bytes
//     u32     JobId                       u32     type, a letter         u32  start block ┐ of the job on
//     i64     time of writing, µs         u32     level, a letter        u32  end block   │ this volume:
//     f64     0                           string  FileSet MD5            u32  start file  │ halves of the
//     string  pool, string pool type                                     u32  end file    ┘ addresses
//     string  job (resource), string client                              u32  errors
//                                                                        u32  status, a letter
//
// A job on several volumes has its SOS on the first and its EOS on the last; a job that died has no EOS. Version 10 has two
// f64 in place of the time and the 0.

package import Platform

package struct SessionLabel: Hashable, Sendable {
    /// What only the end of a session knows.
    package struct End: Hashable, Sendable {
        package var files: UInt32
        package var bytes: UInt64
        /// First and last block of the job on this volume.
        package var begin: BlockAddress
        package var end: BlockAddress
        package var errors: UInt32
        /// Letter: `T` ended well, …
        package var status: UInt8
        package init(files: UInt32, bytes: UInt64, begin: BlockAddress, end: BlockAddress, errors: UInt32, status: UInt8) {
            self.files = files
            self.bytes = bytes
            self.begin = begin
            self.end = end
            self.errors = errors
            self.status = status
        }
    }

    package var jobID: UInt32
    package var time: WallTime
    package var pool: String
    package var poolType: String
    /// The Job resource's name.
    package var jobName: String
    package var client: String
    /// The unique name: `Name.2026-11-21_01.02.03_04`.
    package var job: String
    package var fileSet: String
    /// Letters: `B` backup; `F` full, `I`, `D`.
    package var type: UInt8
    package var level: UInt8
    package var fileSetDigest: String
    /// nil in the label that starts a session.
    package var end: End?

    package init(
        jobID: UInt32, time: WallTime, pool: String, poolType: String, jobName: String, client: String, job: String,
        fileSet: String, type: UInt8, level: UInt8, fileSetDigest: String, end: End? = nil
    ) {
        self.jobID = jobID
        self.time = time
        self.pool = pool
        self.poolType = poolType
        self.jobName = jobName
        self.client = client
        self.job = job
        self.fileSet = fileSet
        self.type = type
        self.level = level
        self.fileSetDigest = fileSetDigest
        self.end = end
    }

    package var kind: LabelKind { end == nil ? .startOfSession : .endOfSession }

    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(320)
        bytes.appendString(VolumeLabel.identifier)
        bytes.appendBigEndian(VolumeLabel.version)
        bytes.appendBigEndian(jobID)
        bytes.appendBigEndian(time.microseconds)
        bytes.appendBigEndian(UInt64(0))
        for text in [pool, poolType, jobName, client, job, fileSet] { bytes.appendString(text) }
        bytes.appendBigEndian(UInt32(type))
        bytes.appendBigEndian(UInt32(level))
        bytes.appendString(fileSetDigest)
        if let end {
            bytes.appendBigEndian(end.files)
            bytes.appendBigEndian(end.bytes)
            bytes.appendBigEndian(end.begin.block)
            bytes.appendBigEndian(end.end.block)
            bytes.appendBigEndian(end.begin.file)
            bytes.appendBigEndian(end.end.file)
            bytes.appendBigEndian(end.errors)
            bytes.appendBigEndian(UInt32(end.status))
        }
        return bytes
    }

    /// Reads a payload. Never traps.
    package init(decoding bytes: Span<UInt8>, fileIndex: Int32) throws(VolumeFormatError) {
        let broken = VolumeFormatError(.badLabel, "The session label is cut off or garbled.")
        guard fileIndex == LabelKind.startOfSession.rawValue || fileIndex == LabelKind.endOfSession.rawValue else {
            throw VolumeFormatError(.badLabel, "The record is no session label.")
        }
        var cursor = FieldCursor()
        guard let identifier = cursor.string(in: bytes), identifier.hasPrefix("Bacula"),
            let version = cursor.integer(UInt32.self, in: bytes), version == 10 || version == 11,
            let jobID = cursor.integer(UInt32.self, in: bytes), let time = cursor.integer(Int64.self, in: bytes),
            let second = cursor.double(in: bytes),
            let pool = cursor.string(in: bytes), let poolType = cursor.string(in: bytes),
            let jobName = cursor.string(in: bytes), let client = cursor.string(in: bytes),
            let job = cursor.string(in: bytes), let fileSet = cursor.string(in: bytes),
            let type = cursor.integer(UInt32.self, in: bytes), let level = cursor.integer(UInt32.self, in: bytes),
            let digest = cursor.string(in: bytes)
        else { throw broken }
        self.jobID = jobID
        self.time =
            version == 11
            ? WallTime(nanoseconds: time &* 1000)
            : WallTime(julianDay: Double(bitPattern: UInt64(bitPattern: time)), part: second)
        self.pool = pool
        self.poolType = poolType
        self.jobName = jobName
        self.client = client
        self.job = job
        self.fileSet = fileSet
        self.type = UInt8(truncatingIfNeeded: type)
        self.level = UInt8(truncatingIfNeeded: level)
        fileSetDigest = digest
        guard fileIndex == LabelKind.endOfSession.rawValue else { return }
        guard let files = cursor.integer(UInt32.self, in: bytes), let count = cursor.integer(UInt64.self, in: bytes),
            let startBlock = cursor.integer(UInt32.self, in: bytes), let endBlock = cursor.integer(UInt32.self, in: bytes),
            let startFile = cursor.integer(UInt32.self, in: bytes), let endFile = cursor.integer(UInt32.self, in: bytes),
            let errors = cursor.integer(UInt32.self, in: bytes), let status = cursor.integer(UInt32.self, in: bytes)
        else { throw broken }
        end = End(
            files: files, bytes: count, begin: BlockAddress(file: startFile, block: startBlock),
            end: BlockAddress(file: endFile, block: endBlock), errors: errors, status: UInt8(truncatingIfNeeded: status))
    }
}
