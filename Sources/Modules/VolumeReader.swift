// Reads the records that a bootstrap asks for from the volumes that it names.
//
// Mounting is the caller's affair: a closure is asked for each volume and returns the device that has it open. What is wanted
// of one volume is read in one pass, forwards, seeking over what nobody wants. A damaged block is reported and passed.

package import Volumes

/// Something that could not be read. The reading goes on.
package struct ReadProblem: Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// A block that could not be read, is none, or does not match its checksum.
        case damagedBlock(String)
        /// The device could not read on; the text names the volume.
        case device(String)
        case record(RecordProblem)
        /// A unit of the bootstrap found fewer files than its Count says.
        case filesMissing(found: UInt32, wanted: UInt32)
    }
    package var volume: String
    package var address: BlockAddress
    package var kind: Kind
    package init(volume: String, address: BlockAddress, kind: Kind) {
        self.volume = volume
        self.address = address
        self.kind = kind
    }
    package var description: String {
        switch kind {
        case .damagedBlock(let reason): "Volume \"\(volume)\" is damaged at \(address.rawValue): \(reason)"
        case .device(let reason): reason
        case .record(let problem): "Volume \"\(volume)\": \(problem)"
        case .filesMissing(let found, let wanted):
            "Volume \"\(volume)\" gave \(found) of the \(wanted) files that the bootstrap asks of it."
        }
    }
}

/// One reading of a bootstrap. Not reusable.
package struct VolumeReader: ~Copyable {
    /// Several units of one volume, read together.
    private struct Pass {
        var volume: String
        var units: [Bootstrap.Unit]
    }

    private let passes: [Pass]
    private var records = RecordReader()
    /// Set where session labels are wanted as well: copies need them, restores don't.
    package var deliversLabels = false

    package init(_ bootstrap: Bootstrap) { passes = Self.passes(of: bootstrap) }

    /// The volumes in the order in which they will be asked for.
    package var volumes: [String] { passes.map(\.volume) }

    /// Reads everything.
    /// - Parameters:
    ///   - mount: Opens the volume that the unit's volume name, media type and device describe, for reading. Called before each
    ///     pass; the reader leaves the device open behind it.
    ///   - deliver: Gets the wanted records in the volumes' order. Throwing ends the reading; that is how a job is cancelled.
    ///   - report: Gets what was damaged or missing.
    package mutating func read<Failure: Error>(
        mount: (_ volume: String, _ unit: Bootstrap.Unit) throws(Failure) -> any VolumeDevice,
        deliver: (VolumeRecord, Span<UInt8>) throws(Failure) -> Void,
        report: (ReadProblem) -> Void
    ) throws(Failure) {
        for pass in passes {
            let device = try mount(pass.volume, pass.units[0])
            try read(pass, on: device, deliver, report)
        }
        records.finish(at: .start) { problem in
            guard passes.contains(where: { $0.units.contains { $0.wants(problem) } }) else { return }
            report(ReadProblem(volume: passes.last?.volume ?? "", address: problem.address, kind: .record(problem)))
        }
    }

    private mutating func read<Failure: Error>(
        _ pass: Pass, on device: any VolumeDevice,
        _ deliver: (VolumeRecord, Span<UInt8>) throws(Failure) -> Void, _ report: (ReadProblem) -> Void
    ) throws(Failure) {
        var selection = BootstrapSelection(units: pass.units)
        var blocks = BlockStream(device, volume: pass.volume)
        var buffer: [UInt8] = []
        do throws(DeviceError) { try device.rewind() } catch {
            report(ReadProblem(volume: pass.volume, address: .start, kind: .device(error.what)))
            return
        }
        // Filters that ask for the job need the label at its start, wherever that is.
        let maySeek = !pass.units.contains(where: \.needsSessionLabel)
        if maySeek, let first = selection.next(from: .start) { blocks.seek(to: first, report) }
        while let (header, address) = blocks.next(into: &buffer, report) {
            guard !selection.isDone, let wanted = selection.next(from: address) else { break }
            if maySeek, wanted > address {
                blocks.seek(to: wanted, report)
                continue
            }
            let isWanted = selection.wants(block: header, at: address)
            guard isWanted || !maySeek || records.isUnfinished(header.session) else { continue }
            let deliversLabels = deliversLabels
            try records.read(buffer.span.extracting(0..<header.blockBytes), header: header, at: address) {
                (record, bytes) throws(Failure) in
                if let kind = record.label {
                    selection.see(
                        label: try? SessionLabel(decoding: bytes, fileIndex: record.fileIndex), kind: kind, session: record.session,
                        at: address)
                    if deliversLabels, isWanted { try deliver(record, bytes) }
                } else if selection.take(record, name: { AttributeRecord(decoding: bytes)?.name }) {
                    try deliver(record, bytes)
                }
            } report: { problem in
                // Where reading begins or ends in the middle of a session there are parts of records of no interest.
                guard pass.units.contains(where: { $0.wants(problem) }) else { return }
                report(ReadProblem(volume: pass.volume, address: address, kind: .record(problem)))
            }
        }
        for unit in selection.unsatisfied {
            report(
                ReadProblem(
                    volume: pass.volume, address: blocks.position,
                    kind: .filesMissing(found: selection.found(unit), wanted: pass.units[unit].count)))
        }
    }

    /// Puts the units of one volume into one pass, unless a session that an earlier pass reads on another volume would come
    /// before its own beginning.
    private static func passes(of bootstrap: Bootstrap) -> [Pass] {
        var passes: [Pass] = []
        for unit in bootstrap.units {
            let earliest = passes.lastIndex { $0.units.contains { overlaps($0, unit) } } ?? 0
            for volume in unit.volumes {
                if let index = passes.indices.first(where: { $0 >= earliest && passes[$0].volume == volume }) {
                    passes[index].units.append(unit)
                } else {
                    passes.append(Pass(volume: volume, units: [unit]))
                }
            }
        }
        return passes
    }

    private static func overlaps(_ a: Bootstrap.Unit, _ b: Bootstrap.Unit) -> Bool {
        func overlap(_ a: [ClosedRange<UInt32>], _ b: [ClosedRange<UInt32>]) -> Bool {
            a.isEmpty || b.isEmpty || a.contains { range in b.contains { $0.overlaps(range) } }
        }
        return overlap(a.sessionIDs, b.sessionIDs) && overlap(a.sessionTimes, b.sessionTimes)
    }
}
