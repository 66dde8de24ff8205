// Finished blocks between the thread that receives from the client and the thread that writes, so that both cores work.

import Collections
import Platform
import Volumes

/// The bounded queue of one writing job. Buffers go round: after the first few blocks nothing is allocated.
final class BlockQueue: Sendable {
    struct Item: Sendable {
        var bytes: [UInt8]
        var finished: FinishedBlock
        /// Attributes before this offset describe files that end in this block or before.
        var attributes: UInt64
    }
    private struct State: Sendable {
        var items: Deque<Item> = []
        var bytes = 0
        var spare: [[UInt8]] = []
        /// Blocks taken and not yet reported as written.
        var inWork = 0
        var isClosed = false
        var failure: StorageError?
        var readiness: Readiness?
        var place = Place()
    }
    /// The first volume is mounted.
    struct Readiness: Sendable {
        /// The job wrote the volume's label, so its blocks count on from there.
        var wroteLabel: Bool
    }
    /// Where the job's blocks are on the volume it writes now: for the end-of-session label.
    struct Place: Sendable {
        var first: UInt64 = 0
        var end: UInt64 = 0
    }
    enum Next: Sendable { case block(Item), idle, closed }

    private let state = Monitor(State())
    /// 12 MiB: some 190 blocks of the default size, and at least one of any size.
    private let bytesMax = 12 << 20

    /// Hands a block over; blocks while the queue is full. Throws what made the writer give up.
    func push(_ finished: FinishedBlock, _ bytes: Span<UInt8>, attributes: UInt64) throws(StorageError) {
        var buffer: [UInt8] = try state.wait { state throws(StorageError) -> [UInt8]? in
            if let failure = state.failure { throw failure }
            guard state.bytes < self.bytesMax else { return nil }
            return state.spare.popLast() ?? []
        }!
        buffer.removeAll(keepingCapacity: true)
        // Copied while the span is borrowed.
        unsafe bytes.withUnsafeBufferPointer { unsafe buffer.append(contentsOf: $0) }
        let item = Item(bytes: buffer, finished: finished, attributes: attributes)
        state.withLock { state in
            state.bytes += item.bytes.count
            state.items.append(item)
        }
    }

    /// The next block; `.idle` when none came within `limit`, `.closed` after the last.
    func next(atMost limit: Duration) -> Next {
        state.wait(atMost: limit) { state -> Next? in
            if let item = state.items.popFirst() {
                state.inWork += 1
                return .block(item)
            }
            return state.isClosed || state.failure != nil ? .closed : nil
        } ?? .idle
    }

    /// The block is on the volume; its buffer is used again.
    func written(_ bytes: consuming [UInt8], place: Place) {
        let buffer = bytes
        state.withLock { state in
            state.inWork -= 1
            state.bytes -= buffer.count
            state.place = place
            if state.spare.count < 8 { state.spare.append(buffer) }
        }
    }

    /// No more blocks will be pushed.
    func close() { state.withLock { $0.isClosed = true } }

    /// The writer gives up: everybody who pushes or waits gets `error`. The first one stays.
    func fail(_ error: StorageError) { state.withLock { if $0.failure == nil { $0.failure = error } } }
    var failure: StorageError? { state.read { $0.failure } }

    func becomeReady(_ readiness: Readiness) { state.withLock { $0.readiness = readiness } }
    func waitUntilReady() throws(StorageError) -> Readiness {
        try state.wait { state throws(StorageError) -> Readiness? in
            if let failure = state.failure { throw failure }
            return state.readiness
        }!
    }

    /// Blocks until everything pushed is on the volume and says where that was.
    func waitUntilWritten() throws(StorageError) -> Place {
        try state.wait { state throws(StorageError) -> Place? in
            if let failure = state.failure { throw failure }
            return state.items.isEmpty && state.inWork == 0 ? state.place : nil
        }!
    }
}
