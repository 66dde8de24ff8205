// From the walker through parallel readers to one sender, in order and within bounded memory.
//
//     walker ──slots──▶ reader 1 … reader N ──pieces──▶ sender
//
// The walker fills slots: up to 256 entries whose contents are some 1 MiB together, or one large file. Readers take slots
// in order and work on them side by side; the sender consumes them strictly in order. What bounds memory:
//
//     slots that wait for a reader     64 × at most 256 entries (some 300 bytes each, and their paths)  ≈ 5 MiB
//     packets on their way             28 buffers of 1 MiB; the sender's own slot may have 4 more       = 32 MiB
//
// The extra buffers for the sender's slot are what makes a deadlock impossible: however much later slots have read ahead,
// the one the sender waits for can go on.

import Platform

/// | who                        | touches                                    |
/// |----------------------------|--------------------------------------------|
/// | any thread, in the monitor | `State` and the pieces of every slot       |
/// | the reader of a slot       | its `items`, after taking it, alone        |
final class ReadPipeline: Sendable {
    static let slotsMax = 64
    static let buffersMax = 28
    static let buffersForFront = 4
    static let itemsPerSlot = 256
    static let bytesPerSlot: Int64 = 1 << 20

    /// Sendable: filled before it is queued, then read by one reader; `pieces` and `isDone` only inside the monitor.
    final class Slot: @unchecked Sendable {
        let items: [WalkedItem]
        fileprivate var pieces: [ReadPiece] = []
        fileprivate var taken = 0
        fileprivate var isDone = false
        init(items: [WalkedItem]) { self.items = items }
    }

    private struct State {
        var slots: [Slot] = []  // in order; the first is the sender's
        var nextToRead = 0  // index in `slots`
        var buffersInUse = 0
        var spareBuffers: [PacketBuffer] = []
        var walkIsDone = false
        var isStopped = false
    }
    private let state = Monitor(State())

    init() {}

    /// Ends everything: every waiting call returns as if the work were over.
    func stop() { state.withLock { $0.isStopped = true } }
    var isStopped: Bool { state.read { $0.isStopped } }

    // MARK: - Walker

    /// Queues a slot; waits while the queue is full.
    func put(_ slot: Slot) {
        _ = state.wait { state -> Void? in
            if state.isStopped { return () }
            guard state.slots.count < Self.slotsMax else { return nil }
            state.slots.append(slot)
            return ()
        }
    }

    func walkEnded() { state.withLock { $0.walkIsDone = true } }

    // MARK: - Readers

    /// The next slot to read; nil when there are no more.
    func take() -> Slot? {
        let slot: Slot?? = state.wait { state -> Slot?? in
            if state.isStopped { return .some(nil) }
            if state.nextToRead < state.slots.count {
                state.nextToRead += 1
                return .some(state.slots[state.nextToRead - 1])
            }
            return state.walkIsDone ? .some(nil) : nil
        }
        return slot ?? nil
    }

    /// An empty buffer for the reader of `slot`; nil when the pipeline was stopped.
    func buffer(for slot: Slot) -> PacketBuffer? {
        let buffer: PacketBuffer?? = state.wait { state -> PacketBuffer?? in
            if state.isStopped { return .some(nil) }
            let limit = state.slots.first === slot ? Self.buffersMax + Self.buffersForFront : Self.buffersMax
            guard state.buffersInUse < limit else { return nil }
            state.buffersInUse += 1
            return .some(state.spareBuffers.popLast() ?? PacketBuffer())
        }
        return buffer ?? nil
    }

    func emit(_ piece: ReadPiece, from slot: Slot) { state.withLock { _ in slot.pieces.append(piece) } }
    func finish(_ slot: Slot) { state.withLock { _ in slot.isDone = true } }

    // MARK: - Sender

    /// The next piece in order; nil at the end of everything, or when the pipeline was stopped.
    func next() -> ReadPiece? {
        let piece: ReadPiece?? = state.wait { state -> ReadPiece?? in
            while !state.isStopped {
                guard let slot = state.slots.first else { return state.walkIsDone ? .some(nil) : nil }
                if slot.taken < slot.pieces.count {
                    let piece = slot.pieces[slot.taken]
                    slot.taken += 1
                    if slot.taken == slot.pieces.count {
                        slot.pieces.removeAll(keepingCapacity: true)
                        slot.taken = 0
                    }
                    return .some(piece)
                }
                guard slot.isDone else { return nil }
                state.slots.removeFirst()
                state.nextToRead -= 1
            }
            return .some(nil)
        }
        return piece ?? nil
    }

    /// Gives a buffer back that came with a piece.
    func recycle(_ buffer: PacketBuffer) {
        buffer.reset()
        state.withLock { state in
            state.buffersInUse -= 1
            state.spareBuffers.append(buffer)
        }
    }
}

/// Collects the walker's entries into slots.
final class SlotFiller {
    private let pipeline: ReadPipeline
    private var items: [WalkedItem] = []
    private var bytes: Int64 = 0

    init(_ pipeline: ReadPipeline) { self.pipeline = pipeline }

    func add(_ item: WalkedItem) {
        let size = item.type == .file && (item.group == nil || item.leadsGroup) ? item.metadata.size : 0
        let isLarge = size > FileReader.wholeBytesMax
        // A large file gets a slot of its own, so that several can be read at the same time.
        if isLarge || bytes + size > ReadPipeline.bytesPerSlot { flush() }
        items.append(item)
        bytes += size
        if isLarge || items.count >= ReadPipeline.itemsPerSlot { flush() }
    }

    func flush() {
        guard !items.isEmpty else { return }
        pipeline.put(ReadPipeline.Slot(items: items))
        items = []
        bytes = 0
    }
}
