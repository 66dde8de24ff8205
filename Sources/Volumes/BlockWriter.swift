// Fills blocks with records. One writer per running job; what happens to a finished block is the caller's affair.

/// What a finished block holds, for the caller's books (JobMedia, counters).
package struct FinishedBlock: Sendable, Hashable {
    package var header: BlockHeader
    /// The lowest and highest FileIndex with a record, or a part of one, in the block; nil where it holds labels only.
    package var fileIndexes: ClosedRange<Int32>?
}

/// Packs the records of one session into blocks.
///
/// Every call takes the sink that receives the blocks that it completes; it is called in order, with the block's bytes
/// borrowed for the call. Nothing is allocated per record.
///
/// Volume change: a sink that finds its volume full labels the next one and writes the same bytes there. The block numbers
/// go on, and a record that was split is simply continued in the next block, wherever that is.
///
/// A sink that throws ends the writer's use: the block it had is lost with it.
package struct BlockWriter: ~Copyable, Sendable {
    package let session: SessionIdentity
    package let blockBytesMax: Int
    private let isChecksummed: Bool
    /// Number that the next finished block gets.
    package private(set) var nextNumber: UInt32
    private var block: [UInt8]
    private var used = BlockHeader.byteCount
    private var fileIndexes: ClosedRange<Int32>?

    /// - Parameters:
    ///   - blockBytesMax: `Maximum Block Size`, 256…20,000,000.
    ///   - firstNumber: 1 for the session whose storage daemon wrote the volume's label in the name of this session, else 0.
    package init(
        session: SessionIdentity, blockBytesMax: Int = BlockHeader.defaultBlockBytes, firstNumber: UInt32 = 0,
        isChecksummed: Bool = true
    ) {
        precondition((256...BlockHeader.blockBytesMax).contains(blockBytesMax), "checked with the configuration")
        self.session = session
        self.blockBytesMax = blockBytesMax
        self.isChecksummed = isChecksummed
        nextNumber = firstNumber
        block = [UInt8](repeating: 0, count: blockBytesMax)
    }

    /// Bytes of records that wait in the unfinished block.
    package var pendingBytes: Int { used - BlockHeader.byteCount }

    /// Appends a data record, splitting it over as many blocks as it needs.
    package mutating func append<Failure: Error>(
        fileIndex: Int32, stream: Int32, data: Span<UInt8>,
        to sink: (FinishedBlock, Span<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(data.count <= RecordHeader.dataBytesMax, "records come from messages of at most 1,000,000 bytes")
        var done = 0
        var stream = stream
        while true {
            let room = blockBytesMax - used - RecordHeader.byteCount
            if room < 0 {
                try flush(to: sink)
                continue
            }
            let count = min(room, data.count - done)
            put(RecordHeader(fileIndex: fileIndex, stream: stream, dataBytes: UInt32(data.count - done)), data, done..<done + count)
            note(fileIndex)
            done += count
            if done == data.count { return }
            try flush(to: sink)
            if stream > 0 { stream = 0 &- stream }
        }
    }

    /// Appends a label record, which is never split: where it doesn't fit, the block before is finished first.
    /// - Parameter jobID: What stands in the stream field: the JobId in session labels.
    package mutating func appendLabel<Failure: Error>(
        _ kind: LabelKind, jobID: Int32, data: Span<UInt8>,
        to sink: (FinishedBlock, Span<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(data.count < 65_536, "label texts are short")
        let needed = RecordHeader.byteCount + data.count
        if used + needed > blockBytesMax { try flush(to: sink) }
        // A label longer than the configured block gets a longer block to itself; readers take the length from the header.
        if used + needed > block.count { block += [UInt8](repeating: 0, count: used + needed - block.count) }
        put(RecordHeader(fileIndex: kind.rawValue, stream: jobID, dataBytes: UInt32(data.count)), data, 0..<data.count)
        if used > blockBytesMax { try flush(to: sink) }
    }

    /// Finishes the block begun, if it holds anything: short, as long as its contents.
    package mutating func flush<Failure: Error>(
        to sink: (FinishedBlock, Span<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        guard used > BlockHeader.byteCount else { return }
        var header = BlockHeader(number: nextNumber, session: session, blockBytes: used)
        header.write(into: &block, checksummed: isChecksummed)
        let finished = FinishedBlock(header: header, fileIndexes: fileIndexes)
        nextNumber &+= 1
        let count = used
        used = BlockHeader.byteCount
        fileIndexes = nil
        try sink(finished, block.span.extracting(0..<count))
    }

    private mutating func put(_ header: RecordHeader, _ data: Span<UInt8>, _ range: Range<Int>) {
        header.write(into: &block, at: used)
        used += RecordHeader.byteCount
        let start = used
        // In bounds: the callers left room for the header and the range.
        unsafe block.withUnsafeMutableBytes { target in
            unsafe data.extracting(range).withUnsafeBufferPointer { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[start..<start + range.count])
                    .copyMemory(from: UnsafeRawBufferPointer(source))
            }
        }
        used += range.count
    }

    private mutating func note(_ fileIndex: Int32) {
        guard fileIndex > 0 else { return }
        let range = fileIndexes ?? fileIndex...fileIndex
        fileIndexes = min(range.lowerBound, fileIndex)...max(range.upperBound, fileIndex)
    }
}
