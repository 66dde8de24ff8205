// Bytes that came from the network and were not used yet.

/// A buffer that is filled at its end and emptied from its start.
///
/// It starts small, for the many connections that say little, and grows when a read fills it, up to a size that makes
/// system calls rare and still fits in a core's cache.
struct ReadBuffer {
    static let bytesMin = 4 << 10
    static let bytesMax = 256 << 10

    private var bytes: [UInt8] = []
    private var head = 0
    private var tail = 0

    var count: Int { tail - head }
    var isEmpty: Bool { head == tail }

    init() {}
    init(_ content: [UInt8]) {
        bytes = content
        tail = content.count
    }

    var content: [UInt8] { Array(bytes[head..<tail]) }

    /// Calls `body` with the free space at the end, at least one byte, and takes over as many bytes as it returns.
    mutating func fill<R, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) -> Result<R, E>, count: (R) -> Int
    ) throws(E) -> R {
        if isEmpty {
            head = 0
            tail = 0
        }
        if tail == bytes.count {
            if head > 0 { moveToFront() } else { grow() }
        }
        let start = tail
        let result = try unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe body(UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
        }.get()
        tail += count(result)
        if tail == bytes.count, tail < Self.bytesMax { grow() }
        return result
    }

    /// Moves up to `target.count` bytes out, to the start of `target`.
    ///
    /// - Returns: How many.
    mutating func take(into target: UnsafeMutableRawBufferPointer) -> Int {
        let taken = min(target.count, count)
        guard taken > 0 else { return 0 }
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[head..<head + taken]))
        }
        head += taken
        return taken
    }

    /// Takes a big-endian word out; nil, and nothing taken, where fewer than four bytes are here.
    mutating func takeWord() -> UInt32? {
        guard count >= 4 else { return nil }
        defer { head += 4 }
        return UInt32(bytes[head]) << 24 | UInt32(bytes[head + 1]) << 16 | UInt32(bytes[head + 2]) << 8
            | UInt32(bytes[head + 3])
    }

    /// Calls `body` with everything here; it takes the bytes that it cuts off the start of what it was given.
    mutating func consume<R>(_ body: (inout UnsafeRawBufferPointer) -> R) -> R {
        unsafe bytes.withUnsafeBytes { buffer in
            var rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[head..<tail])
            let result = unsafe body(&rest)
            head = tail - rest.count
            return result
        }
    }

    private mutating func moveToFront() {
        unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe buffer.baseAddress!.copyMemory(from: buffer.baseAddress! + head, byteCount: tail - head)
        }
        tail -= head
        head = 0
    }

    private mutating func grow() {
        let more = max(Self.bytesMin, min(bytes.count * 3, Self.bytesMax - bytes.count))
        bytes.append(contentsOf: repeatElement(0, count: more))
    }
}
