// Memory in which packets of file data travel from the readers to the sender.

import Platform

/// A fixed piece of memory that packets are put into one after the other, and reused for the next.
///
/// Sendable and safe: it has one owner at a time (pool, then reader, then sender, then pool again), handed over through
/// the pipeline's monitor; the pointer never leaves it but as a span within a call.
@safe final class PacketBuffer: @unchecked Sendable {
    /// Sixteen full packets; the slack takes what compression may add to one packet.
    static let capacity = 1 << 20
    private static let slack = 2048

    private let base: UnsafeMutablePointer<UInt8>
    private(set) var used = 0
    /// Where each packet ends.
    private(set) var ends: [Int] = []

    init() {
        unsafe base = .allocate(capacity: Self.capacity + Self.slack)
        ends.reserveCapacity(64)
    }
    deinit { unsafe base.deallocate() }

    var free: Int { Self.capacity - used }
    var packets: Int { ends.count }

    func reset() {
        used = 0
        ends.removeAll(keepingCapacity: true)
    }

    /// Calls `body` with the free space from `offset` bytes on, at most `count` long.
    func withFreeSpace<R, E: Error>(after offset: Int = 0, count: Int, _ body: (inout MutableSpan<UInt8>) throws(E) -> R) throws(E)
        -> R
    {
        let start = used + offset
        precondition(offset >= 0 && count >= 0 && start + count <= Self.capacity + Self.slack)
        var span = unsafe MutableSpan(_unsafeStart: base + start, count: count)
        return try body(&span)
    }

    /// Calls `body` with `count` bytes that lie `offset` bytes into the free space.
    func withFresh<R>(after offset: Int = 0, count: Int, _ body: (Span<UInt8>) -> R) -> R {
        precondition(offset >= 0 && count >= 0 && used + offset + count <= Self.capacity + Self.slack)
        return body(unsafe Span(_unsafeStart: base + used + offset, count: count))
    }

    /// The next `count` bytes of the free space are a packet now.
    func endPacket(_ count: Int) {
        precondition(count >= 0 && used + count <= Self.capacity + Self.slack)
        used += count
        ends.append(used)
    }

    /// Calls `body` with packet `index`.
    func withPacket<R, E: Error>(_ index: Int, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        let start = index == 0 ? 0 : ends[index - 1]
        return try body(unsafe Span(_unsafeStart: base + start, count: ends[index] - start))
    }

    /// Takes packets back that were put in since there were `count`: a file that won't be sent after all.
    func rewind(toPackets count: Int) {
        ends.removeSubrange(count...)
        used = ends.last ?? 0
    }
}
