// Compressing and decompressing single packets of file data (bacula-wire 5.6).
//
// Every packet stands alone: gzip packets are whole zlib streams; zstd and LZO packets follow a header of 12 bytes,
// big-endian:
//
//     offset  size  field
//     0       4     0x4C5A4F58 LZO1X, 0x4C5A4F59 zstd
//     4       4     length of what follows the header
//     8       2     level
//     10      2     header version, 1

import CZlib
import CZstd

/// The header of packets in streams 29 and 30.
package struct CompressedPacketHeader: Hashable, Sendable {
    package static let byteCount = 12
    package static let lzo: UInt32 = 0x4C5A_4F58
    package static let zstd: UInt32 = 0x4C5A_4F59
    package var magic: UInt32
    package var length: UInt32
    package var level: UInt16

    package init(magic: UInt32, length: UInt32, level: UInt16) {
        self.magic = magic
        self.length = length
        self.level = level
    }

    /// nil when there are fewer than 12 bytes or the version is unknown.
    package init?(decoding bytes: Span<UInt8>) {
        guard bytes.count >= Self.byteCount else { return nil }
        func number(_ at: Int) -> UInt32 {
            UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16 | UInt32(bytes[at + 2]) << 8 | UInt32(bytes[at + 3])
        }
        magic = number(0)
        length = number(4)
        level = UInt16(number(8) >> 16)
        guard number(8) & 0xFFFF == 1 else { return nil }
    }

    func write(to output: inout MutableSpan<UInt8>) {
        for index in 0..<4 {
            output[index] = UInt8(truncatingIfNeeded: magic >> UInt32(24 - 8 * index))
            output[4 + index] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * index))
        }
        output[8] = UInt8(level >> 8)
        output[9] = UInt8(level & 0xFF)
        output[10] = 0
        output[11] = 1
    }
}

/// Compresses packets with contexts that are set up once. For one thread at a time.
@safe final class PacketCompressor: @unchecked Sendable {
    // Used by the one reader that owns it; it may move between threads, never be shared.
    private var deflater: UnsafeMutablePointer<z_stream>?
    private var deflateLevel: Int32 = -2
    private var zstd: OpaquePointer?

    init() {}
    deinit {
        if let deflater = unsafe deflater {
            unsafe deflateEnd(deflater)
            unsafe deflater.deallocate()
        }
        unsafe ZSTD_freeCCtx(zstd)
    }

    /// Room that a packet of `count` bytes may need.
    static func bound(_ count: Int) -> Int {
        max(Int(compressBound(uLong(count))), ZSTD_compressBound(count)) + CompressedPacketHeader.byteCount
    }

    /// Compresses `input` into `output`, which has `bound(input.count)` bytes. - Returns: bytes written.
    func compress(_ input: Span<UInt8>, _ compression: Compression, into output: inout MutableSpan<UInt8>) -> Int {
        switch compression {
        case .gzip(let level): return deflate(input, level, &output)
        case .zstd(let level):
            let count = compressZstd(input, level, &output, after: CompressedPacketHeader.byteCount)
            CompressedPacketHeader(magic: CompressedPacketHeader.zstd, length: UInt32(count), level: UInt16(level)).write(
                to: &output)
            return count + CompressedPacketHeader.byteCount
        case .none: preconditionFailure("not a compression of this build")
        }
    }

    private func deflate(_ input: Span<UInt8>, _ level: Int32, _ output: inout MutableSpan<UInt8>) -> Int {
        if let deflater = unsafe deflater, deflateLevel != level {
            unsafe deflateEnd(deflater)
            unsafe deflater.deallocate()
            unsafe self.deflater = nil
        }
        if unsafe deflater == nil {
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            unsafe stream.initialize(to: z_stream())
            let result = unsafe deflateInit_(stream, level, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            precondition(result == Z_OK, "zlib has no memory for a compressor")
            unsafe deflater = stream
            deflateLevel = level
        }
        let stream = unsafe deflater!
        unsafe deflateReset(stream)
        // Both spans outlive the one call; the output is large enough for a single step, so Z_FINISH ends the stream.
        return unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(source.count)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(target.count)
                let result = unsafe CZlib.deflate(stream, Z_FINISH)
                precondition(result == Z_STREAM_END, "the bound of a compressed packet is too small")
                return unsafe target.count - Int(stream.pointee.avail_out)
            }
        }
    }

    private func compressZstd(_ input: Span<UInt8>, _ level: Int32, _ output: inout MutableSpan<UInt8>, after skipped: Int) -> Int {
        if unsafe zstd == nil { unsafe zstd = ZSTD_createCCtx() }
        return unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                let count = unsafe ZSTD_compressCCtx(
                    zstd, target.baseAddress! + skipped, target.count - skipped, source.baseAddress, source.count, level)
                precondition(ZSTD_isError(count) == 0, "the bound of a compressed packet is too small")
                return count
            }
        }
    }
}

/// Decompresses packets into a buffer of its own. For one thread at a time.
@safe final class PacketDecompressor: @unchecked Sendable {
    // Used by the one restore worker that owns it; it may move between threads, never be shared.

    /// Writers read 64 KiB at a time; some MiB allow for others with larger network buffers.
    static let packetBytesMax = 4 << 20

    enum Failure: Error { case damaged, tooLarge, lzo, unknownMethod(UInt32) }

    private var inflater: UnsafeMutablePointer<z_stream>?
    private var zstd: OpaquePointer?
    /// The last packet's contents are its first `count` bytes.
    private(set) var buffer = [UInt8](repeating: 0, count: 128 << 10)

    init() {}
    deinit {
        if let inflater = unsafe inflater {
            unsafe inflateEnd(inflater)
            unsafe inflater.deallocate()
        }
        unsafe ZSTD_freeDCtx(zstd)
    }

    /// - Returns: bytes at the start of `buffer`.
    func inflate(_ packet: Span<UInt8>) throws(Failure) -> Int {
        if unsafe inflater == nil {
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            unsafe stream.initialize(to: z_stream())
            let result = unsafe inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            precondition(result == Z_OK, "zlib has no memory for a decompressor")
            unsafe inflater = stream
        }
        let stream = unsafe inflater!
        while true {
            unsafe inflateReset(stream)
            let (result, count) = unsafe packet.withUnsafeBufferPointer { source in
                unsafe buffer.withUnsafeMutableBufferPointer { target in
                    unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                    unsafe stream.pointee.avail_in = UInt32(source.count)
                    unsafe stream.pointee.next_out = target.baseAddress
                    unsafe stream.pointee.avail_out = UInt32(target.count)
                    let result = unsafe CZlib.inflate(stream, Z_FINISH)
                    return unsafe (result, target.count - Int(stream.pointee.avail_out))
                }
            }
            if result == Z_STREAM_END { return count }
            guard result == Z_BUF_ERROR, count == buffer.count else { throw .damaged }
            try grow()
        }
    }

    /// Of streams 29 and 30: header and data. - Returns: bytes at the start of `buffer`.
    func decompress(_ packet: Span<UInt8>) throws(Failure) -> Int {
        guard let header = CompressedPacketHeader(decoding: packet) else { throw .damaged }
        let body = packet.extracting(droppingFirst: CompressedPacketHeader.byteCount)
        guard Int(header.length) == body.count else { throw .damaged }
        switch header.magic {
        case CompressedPacketHeader.zstd: break
        case CompressedPacketHeader.lzo: throw .lzo
        default: throw .unknownMethod(header.magic)
        }
        if unsafe zstd == nil { unsafe zstd = ZSTD_createDCtx() }
        while true {
            let count = unsafe body.withUnsafeBufferPointer { source in
                unsafe buffer.withUnsafeMutableBufferPointer { target in
                    unsafe ZSTD_decompressDCtx(zstd, target.baseAddress, target.count, source.baseAddress, source.count)
                }
            }
            if ZSTD_isError(count) == 0 { return count }
            guard ZSTD_getErrorCode(count) == ZSTD_error_dstSize_tooSmall else { throw .damaged }
            try grow()
        }
    }

    private func grow() throws(Failure) {
        guard buffer.count < Self.packetBytesMax else { throw .tooLarge }
        buffer = [UInt8](repeating: 0, count: min(buffer.count * 4, Self.packetBytesMax))
    }
}
