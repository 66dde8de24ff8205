// From data records back to bytes and their places in the file (bacula-wire 5.5, 5.6).

import Volumes

/// Decodes packets of the plain, sparse and compressed data streams. For one thread at a time.
final class DataDecoder {
    struct Failure: Error {
        var text: String
    }

    private let decompressor = PacketDecompressor()

    static func decodes(_ stream: StreamNumber) -> Bool {
        switch stream {
        case .data, .gzip, .sparse, .sparseGzip, .compressed, .sparseCompressed: true
        default: false
        }
    }

    /// Calls `body` once with the packet's bytes, and their offset in the file where the packet says it.
    func decode(_ stream: StreamNumber, _ packet: Span<UInt8>, _ body: (Int64?, Span<UInt8>) -> Void) throws(Failure) {
        var packet = packet
        var offset: Int64?
        switch stream {
        case .sparse, .sparseGzip, .sparseCompressed:
            guard packet.count >= 8 else { throw Failure(text: "a sparse packet of \(packet.count) bytes has no offset.") }
            var number: UInt64 = 0
            for index in 0..<8 { number = number << 8 | UInt64(packet[index]) }
            // Larger than any file system's files: damage, or malice.
            guard number < 1 << 62 else { throw Failure(text: "a sparse packet names an impossible offset.") }
            offset = Int64(number)
            packet = packet.extracting(droppingFirst: 8)
        default: break
        }
        let count: Int
        do throws(PacketDecompressor.Failure) {
            switch stream {
            case .data, .sparse: return body(offset, packet)
            case .gzip, .sparseGzip: count = try decompressor.inflate(packet)
            case .compressed, .sparseCompressed: count = try decompressor.decompress(packet)
            default: throw .damaged
            }
        } catch {
            switch error {
            case .damaged: throw Failure(text: "a compressed packet can't be decompressed.")
            case .tooLarge: throw Failure(text: "a compressed packet holds more than \(PacketDecompressor.packetBytesMax) bytes.")
            case .lzo: throw Failure(text: "its data are compressed by LZO, which this build can't read (package trait LZO).")
            case .unknownMethod(let magic):
                throw Failure(text: "its data are compressed by an unknown method, \(String(magic, radix: 16)).")
            }
        }
        let buffer = decompressor.buffer
        body(offset, buffer.span.extracting(0..<count))
    }
}
