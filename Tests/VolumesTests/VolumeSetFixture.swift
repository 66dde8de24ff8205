import Modules
import Platform
import TestSupport
import Volumes

/// Writes the sessions of some jobs onto as many volumes as they need, as a storage daemon would.
final class VolumeSet {
    struct File: Equatable {
        var name: String
        var bytes: [UInt8]
    }
    /// Where a session is, for bootstraps.
    struct Part {
        var volume: String
        var addresses: ClosedRange<UInt64>
        var fileIndexes: ClosedRange<Int32>
    }
    final class Job {
        let id: UInt32
        let session: SessionIdentity
        let files: [File]
        var parts: [Part] = []
        fileprivate var writer: BlockWriter
        fileprivate var position = 0

        init(id: UInt32, files: [File], blockBytesMax: Int) {
            self.id = id
            self.files = files
            session = SessionIdentity(id: id, time: 1_795_000_000)
            writer = BlockWriter(session: session, blockBytesMax: blockBytesMax, firstNumber: id == 1 ? 1 : 0)
        }

        func label(_ end: SessionLabel.End? = nil) -> SessionLabel {
            SessionLabel(
                jobID: id, time: WallTime(seconds: 1_795_000_000), pool: "Test", poolType: "Backup", jobName: "Job\(id)",
                client: "client\(id)-fd", job: "Job\(id).2026-11-21_01.02.03_0\(id)", fileSet: "Set", type: UInt8(ascii: "B"),
                level: UInt8(ascii: "F"), fileSetDigest: "", end: end)
        }

        /// A bootstrap for the whole job or some of its files.
        func bootstrap(fileIndexes wanted: ClosedRange<Int32>? = nil) -> Bootstrap {
            let wanted = wanted ?? 1...Int32(files.count)
            return Bootstrap(
                units: parts.filter { $0.fileIndexes.overlaps(wanted) }.map { part in
                    var unit = Bootstrap.Unit(volumes: [part.volume])
                    unit.mediaType = "File"
                    unit.sessionIDs = [session.id...session.id]
                    unit.sessionTimes = [session.time...session.time]
                    unit.addresses = [part.addresses]
                    let indexes = part.fileIndexes.clamped(to: wanted)
                    unit.fileIndexes = [indexes]
                    unit.count = UInt32(indexes.count)
                    return unit
                })
        }
    }

    let device: any VolumeDevice
    let volumeBytesMax: UInt64
    private(set) var volumes: [String] = []

    init(_ device: any VolumeDevice, volumeBytesMax: UInt64 = .max) {
        self.device = device
        self.volumeBytesMax = volumeBytesMax
    }

    static func files(_ count: Int, seed: UInt64, bytesMax: Int = 150_000, under directory: String = "/data") -> [File] {
        var generator = SeededGenerator(seed: seed)
        return (1...count).map { number in
            let size = Int.random(in: 0...(number % 3 == 0 ? bytesMax : bytesMax / 50), using: &generator)
            return File(name: "\(directory)/job\(seed)/file \(number)", bytes: generator.bytes(size))
        }
    }

    /// Writes the jobs side by side: a record of one, then of the next.
    func write(_ jobs: [Job]) throws {
        if volumes.isEmpty { try nextVolume(jobs[0].session) }
        for job in jobs {
            try job.writer.appendLabel(.startOfSession, jobID: Int32(job.id), data: job.label().encoded.span, to: sink(job))
        }
        while let job = jobs.filter({ $0.position < $0.files.count }).min(by: { $0.position < $1.position }) {
            let file = job.files[job.position]
            job.position += 1
            try write(file, index: Int32(job.position), of: job)
        }
        for job in jobs {
            try job.writer.flush(to: sink(job))
            let end = SessionLabel.End(
                files: UInt32(job.files.count), bytes: UInt64(job.files.reduce(0) { $0 + $1.bytes.count }),
                begin: BlockAddress(rawValue: job.parts.last?.addresses.lowerBound ?? 0),
                end: BlockAddress(rawValue: job.parts.last?.addresses.upperBound ?? 0), errors: 0, status: UInt8(ascii: "T"))
            try job.writer.appendLabel(.endOfSession, jobID: Int32(job.id), data: job.label(end).encoded.span, to: sink(job))
            try job.writer.flush(to: sink(job))
        }
        try device.sync()
    }

    private func write(_ file: File, index: Int32, of job: Job) throws {
        var status = FileStatus()
        status.mode = 0o100644
        status.links = 1
        status.size = Int64(file.bytes.count)
        status.modifyTime = 1_700_000_000
        status.accessTime = 1_700_000_000
        status.dataStream = 2
        let attributes = AttributeRecord(
            fileIndex: index, type: file.bytes.isEmpty ? .emptyFile : .file, name: Array(file.name.utf8), status: status,
            nanoseconds: .init(access: 1, modify: 2, change: 3))
        try job.writer.append(fileIndex: index, stream: 1, data: attributes.encoded.span, to: sink(job))
        var start = 0
        while start < file.bytes.count {
            let end = min(start + 65_536, file.bytes.count)
            try job.writer.append(fileIndex: index, stream: 2, data: file.bytes.span.extracting(start..<end), to: sink(job))
            start = end
        }
        try job.writer.append(fileIndex: index, stream: 3, data: Digest.hash(file.bytes, .md5).span, to: sink(job))
    }

    private func sink(_ job: Job) -> (FinishedBlock, Span<UInt8>) throws -> Void {
        { [self] block, bytes in
            if try device.volumeBytes() + UInt64(bytes.count) > volumeBytesMax { try nextVolume(job.session) }
            let address = try device.writeBlock(bytes).rawValue
            let addresses = address...address + UInt64(bytes.count) - 1
            let volume = volumes.last!
            guard let indexes = block.fileIndexes else { return }
            if let last = job.parts.last, last.volume == volume {
                job.parts[job.parts.count - 1].addresses = last.addresses.lowerBound...addresses.upperBound
                job.parts[job.parts.count - 1].fileIndexes = last.fileIndexes.lowerBound...indexes.upperBound
            } else {
                job.parts.append(Part(volume: volume, addresses: addresses, fileIndexes: indexes))
            }
        }
    }

    private func nextVolume(_ session: SessionIdentity) throws {
        volumes.append("Test-000\(volumes.count + 1)")
        try device.open(volume: volumes.last!, for: .append, create: true)
        let label = VolumeLabel(
            volumeName: volumes.last!, isInUse: true, pool: "Test", mediaType: "File", host: "vm", program: "test-sd",
            programVersion: "1", programDate: "today", labelTime: WallTime(seconds: 1_795_000_000),
            writeTime: WallTime(seconds: 1_795_000_000))
        try device.writeLabel(label.block(session: session).span)
    }
}

/// What a reader delivers, put back into files.
struct Restored {
    var files: [VolumeSet.File] = []
    var digests = 0
    var problems: [ReadProblem] = []

    init(_ bootstrap: Bootstrap, from device: any VolumeDevice) throws {
        var reader = VolumeReader(bootstrap)
        var files: [VolumeSet.File] = []
        var digests = 0
        var problems: [ReadProblem] = []
        try reader.read { volume, _ throws(DeviceError) in
            try device.open(volume: volume, for: .read, create: false)
            return device
        } deliver: { record, bytes throws(DeviceError) in
            switch StreamNumber(masking: record.stream) {
            case .attributes:
                let name = AttributeRecord(decoding: bytes).map { String(decoding: $0.name, as: UTF8.self) } ?? "?"
                files.append(.init(name: name, bytes: []))
            case .data: files[files.count - 1].bytes += bytes.array(0..<bytes.count)
            default: digests += 1
            }
        } report: {
            problems.append($0)
        }
        self.files = files
        self.digests = digests
        self.problems = problems
    }
}
