// Reads everything on volumes, in the order given: labels, sessions and the records of files.

package import Modules
package import Volumes

/// One reading of some volumes from end to end. A record that is cut by the end of one volume goes on in the next.
package struct VolumeScan: ~Copyable {
    package enum Event: Sendable {
        case volume(name: String, VolumeLabel)
        case start(SessionIdentity, SessionLabel)
        case end(SessionIdentity, SessionLabel)
        case problem(ReadProblem)
    }

    private let sources: [VolumeSource]
    private var records = RecordReader()
    private var jobs: [SessionIdentity: SessionLabel] = [:]
    /// Things that were damaged or missing so far.
    package private(set) var problems = 0

    package init(_ sources: [VolumeSource]) { self.sources = sources }

    /// - Parameters:
    ///   - event: Gets labels and problems.
    ///   - record: Gets the records of files with the label that their session began with, where that was read.
    package mutating func run(
        event: (Event) throws(VolumeToolError) -> Void,
        record: (VolumeRecord, SessionLabel?, Span<UInt8>) throws(VolumeToolError) -> Void
    ) throws(VolumeToolError) {
        for source in sources { try read(source, event, record) }
        var unfinished: [ReadProblem] = []
        records.finish(at: .start) {
            unfinished.append(ReadProblem(volume: sources.last?.volume ?? "", address: $0.address, kind: .record($0)))
        }
        try report(&unfinished, event)
    }

    private mutating func read(
        _ source: VolumeSource,
        _ event: (Event) throws(VolumeToolError) -> Void,
        _ deliver: (VolumeRecord, SessionLabel?, Span<UInt8>) throws(VolumeToolError) -> Void
    ) throws(VolumeToolError) {
        try source.open()
        defer { try? source.device.close() }
        var blocks = BlockStream(source.device, volume: source.volume)
        var buffer: [UInt8] = []
        var found: [ReadProblem] = []
        var jobs = jobs
        var isFirst = true
        while let (header, address) = blocks.next(into: &buffer, { found.append($0) }) {
            try report(&found, event)
            if isFirst { try checkLabel(buffer.span.extracting(0..<header.blockBytes), source, event) }
            isFirst = false
            try records.read(buffer.span.extracting(0..<header.blockBytes), header: header, at: address) {
                (record, bytes) throws(VolumeToolError) in
                switch record.label {
                case .startOfSession:
                    guard let label = try? SessionLabel(decoding: bytes, fileIndex: record.fileIndex) else { return }
                    jobs[record.session] = label
                    try event(.start(record.session, label))
                case .endOfSession:
                    guard let label = try? SessionLabel(decoding: bytes, fileIndex: record.fileIndex) else { return }
                    try event(.end(record.session, label))
                case nil where record.fileIndex > 0: try deliver(record, jobs[record.session], bytes)
                default: break
                }
            } report: {
                found.append(ReadProblem(volume: source.volume, address: address, kind: .record($0)))
            }
            try report(&found, event)
        }
        self.jobs = jobs
        try report(&found, event)
        if isFirst {
            throw VolumeToolError(
                .notAVolume, "\"\(source.volume)\" on device \(source.device.description) holds no readable block.",
                remedy: "It is empty, or no volume of a format that this program knows.")
        }
    }

    private func checkLabel(
        _ block: Span<UInt8>, _ source: VolumeSource, _ event: (Event) throws(VolumeToolError) -> Void
    ) throws(VolumeToolError) {
        let label: VolumeLabel
        do throws(VolumeFormatError) {
            label = try VolumeLabel(decodingBlock: block)
        } catch {
            guard error.kind != .unsupported else { throw VolumeToolError(.notAVolume, error.what, remedy: error.remedy) }
            // What follows may be readable all the same: that is what this tool is for.
            try event(.problem(ReadProblem(volume: source.volume, address: .start, kind: .damagedBlock(error.what))))
            return
        }
        try event(.volume(name: source.volume, label))
    }

    private mutating func report(
        _ found: inout [ReadProblem], _ event: (Event) throws(VolumeToolError) -> Void
    ) throws(VolumeToolError) {
        for problem in found {
            problems += 1
            try event(.problem(problem))
        }
        found.removeAll(keepingCapacity: true)
    }
}
