// Takes records out of blocks, putting those together again that were split over several.

/// A complete record as it is delivered; its bytes come beside it.
package struct VolumeRecord: Hashable, Sendable {
    package var session: SessionIdentity
    package var fileIndex: Int32
    /// Without the continuation's sign, with the flag bits: `StreamNumber(masking:)` takes those off. In a label: the JobId.
    package var stream: Int32
    /// The block where the record began and the one where it ended.
    package var begin: BlockAddress
    package var end: BlockAddress
    /// Volume labels and session labels; their payload is read by `VolumeLabel` and `SessionLabel`.
    package var label: LabelKind? { fileIndex < 0 ? LabelKind(rawValue: fileIndex) : nil }
    package var isLabel: Bool { fileIndex < 0 }
}

/// A record that could not be delivered. The records around it are.
package struct RecordProblem: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// A continuation came whose beginning wasn't read: expected after a seek or where a volume begins in mid-record.
        case beginningMissing
        /// The rest of a record never came.
        case endMissing
        case tooLong
        /// Too many unfinished records of different sessions at once: the oldest was given up.
        case givenUp
    }
    package var kind: Kind
    package var session: SessionIdentity
    package var fileIndex: Int32
    package var stream: Int32
    package var address: BlockAddress
    package var description: String {
        let reason =
            switch kind {
            case .beginningMissing: "its beginning was not read"
            case .endMissing: "the rest of it is missing"
            case .tooLong: "it claims more than \(RecordHeader.dataBytesMax) bytes"
            case .givenUp: "too many unfinished records of other sessions came between its parts"
            }
        return "Record of file \(fileIndex), stream \(stream), session \(session), at \(address.rawValue) was dropped: \(reason)."
    }
}

/// Reassembles the records of interleaved sessions.
///
/// Holds one unfinished record per session, each at most `RecordHeader.dataBytesMax`, and `heldBytesMax` together: at the
/// default that is 64 MiB for jobs that were written side by side, whose records are 64 KiB as a rule.
package struct RecordReader: Sendable {
    private struct Partial {
        var fileIndex: Int32
        var stream: Int32
        var begin: BlockAddress
        var remaining: Int  // 0: no record is unfinished, the array is kept for its room
        var bytes: [UInt8]
        var lastFed: UInt64
    }

    private let heldBytesMax: Int
    private var partials: [SessionIdentity: Partial] = [:]
    private var heldBytes = 0
    private var fed: UInt64 = 0

    package init(heldBytesMax: Int = 64 << 20) { self.heldBytesMax = heldBytesMax }

    /// Walks the records of a block whose header was checked.
    /// - Parameters:
    ///   - deliver: Gets every record that is complete, in order; its bytes are borrowed for the call.
    ///   - report: Gets what had to be dropped.
    package mutating func read<Failure: Error>(
        _ block: Span<UInt8>, header: BlockHeader, at address: BlockAddress,
        deliver: (VolumeRecord, Span<UInt8>) throws(Failure) -> Void,
        report: (RecordProblem) -> Void
    ) throws(Failure) {
        fed &+= 1
        let end = min(block.count, header.blockBytes)
        let recordHeaderBytes = header.version.recordHeaderBytes
        var position = header.version.headerBytes
        while end - position >= recordHeaderBytes {
            let session =
                header.version == .bb02
                ? header.session
                : SessionIdentity(id: block.bigEndian32(at: position), time: block.bigEndian32(at: position + 4))
            let record = RecordHeader(decoding: block, at: position + recordHeaderBytes - RecordHeader.byteCount)
            position += recordHeaderBytes
            let count = min(Int(record.dataBytes), end - position)
            let data = block.extracting(position..<position + count)
            position += count
            if record.isContinuation {
                try resume(record, data, session, address, deliver, report)
            } else {
                // The label of a volume stands in the name of the session that goes on behind it.
                if !(-3 ... -1 ~= record.fileIndex) { dropPartial(of: session, at: address, report) }
                if count == Int(record.dataBytes) {
                    try deliver(
                        VolumeRecord(
                            session: session, fileIndex: record.fileIndex, stream: record.stream, begin: address, end: address),
                        data)
                } else {
                    begin(record, data, session, address, report)
                }
            }
        }
    }

    /// Reports what is still unfinished: nothing more comes.
    package mutating func finish(at address: BlockAddress, report: (RecordProblem) -> Void) {
        for session in Array(partials.keys) { dropPartial(of: session, at: address, report) }
        partials = [:]
        heldBytes = 0
    }

    /// Whether the session has a record whose rest is awaited.
    package func isUnfinished(_ session: SessionIdentity) -> Bool { (partials[session]?.remaining ?? 0) > 0 }

    private mutating func begin(
        _ record: RecordHeader, _ data: Span<UInt8>, _ session: SessionIdentity, _ address: BlockAddress,
        _ report: (RecordProblem) -> Void
    ) {
        guard record.dataBytes <= UInt32(RecordHeader.dataBytesMax), !(record.fileIndex < 0) else {
            report(
                RecordProblem(
                    kind: record.fileIndex < 0 ? .endMissing : .tooLong, session: session, fileIndex: record.fileIndex,
                    stream: record.stream, address: address))
            return
        }
        var bytes = partials[session]?.bytes ?? []
        partials[session] = nil
        bytes.removeAll(keepingCapacity: true)
        append(data, to: &bytes)
        heldBytes += data.count
        partials[session] = Partial(
            fileIndex: record.fileIndex, stream: record.stream, begin: address, remaining: Int(record.dataBytes) - data.count,
            bytes: bytes, lastFed: fed)
        makeRoom(address, report)
    }

    private mutating func resume<Failure: Error>(
        _ record: RecordHeader, _ data: Span<UInt8>, _ session: SessionIdentity, _ address: BlockAddress,
        _ deliver: (VolumeRecord, Span<UInt8>) throws(Failure) -> Void, _ report: (RecordProblem) -> Void
    ) throws(Failure) {
        let stream = 0 &- record.stream
        let isExpected = partials[session].map {
            $0.remaining > 0 && $0.remaining == Int(record.dataBytes) && $0.fileIndex == record.fileIndex && $0.stream == stream
        }
        // Taken out of the dictionary, so that the append below has the array to itself and copies nothing twice.
        guard isExpected == true, var partial = partials.removeValue(forKey: session) else {
            dropPartial(of: session, at: address, report)
            report(
                RecordProblem(
                    kind: .beginningMissing, session: session, fileIndex: record.fileIndex, stream: stream, address: address))
            return
        }
        append(data, to: &partial.bytes)
        heldBytes += data.count
        partial.remaining -= data.count
        partial.lastFed = fed
        if partial.remaining == 0 { heldBytes -= partial.bytes.count }
        let isComplete = partial.remaining == 0
        if isComplete {
            defer { partials[session] = partial }
            try deliver(
                VolumeRecord(session: session, fileIndex: partial.fileIndex, stream: stream, begin: partial.begin, end: address),
                partial.bytes.span)
        } else {
            partials[session] = partial
            makeRoom(address, report)
        }
    }

    private mutating func dropPartial(of session: SessionIdentity, at address: BlockAddress, _ report: (RecordProblem) -> Void) {
        guard let partial = partials[session], partial.remaining > 0 else { return }
        give(up: session, .endMissing, report)
    }

    /// Forgets a session's unfinished record and the room it had.
    private mutating func give(up session: SessionIdentity, _ kind: RecordProblem.Kind, _ report: (RecordProblem) -> Void) {
        guard let partial = partials.removeValue(forKey: session) else { return }
        if partial.remaining > 0 {
            heldBytes -= partial.bytes.count
            report(
                RecordProblem(
                    kind: kind, session: session, fileIndex: partial.fileIndex, stream: partial.stream, address: partial.begin))
        }
    }

    /// Keeps to the bounds: at most `heldBytesMax` of unfinished records, and the room of at most 256 sessions.
    private mutating func makeRoom(_ address: BlockAddress, _ report: (RecordProblem) -> Void) {
        while heldBytes > heldBytesMax || partials.count > 256 {
            // The one that has waited longest; the one just fed is never first.
            guard partials.count > 1, let oldest = partials.min(by: { $0.value.lastFed < $1.value.lastFed })?.key else { return }
            give(up: oldest, .givenUp, report)
        }
    }

    private func append(_ data: Span<UInt8>, to bytes: inout [UInt8]) {
        // Copied while the span is borrowed.
        unsafe data.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }
}
