// The LZ4 block format, decoding only: what 9.6 daemons compress packets with (bacula-wire 1.2).
//
// A block is a series of sequences, without any header:
//
//     token          1 byte: literal count in the high four bits, match length - 4 in the low four
//     literal count  continued while bytes are 255, where the token says 15
//     literals
//     offset         2 bytes, little-endian, 1 to 65535: how far back the match begins
//     match length   continued while bytes are 255, where the token says 15
//
// The last sequence ends after its literals. (Format: the LZ4 project's lz4_Block_format.md.)

/// Decoding of LZ4 blocks from a peer that may lie: every count is checked before it is believed.
enum LZ4Block {
    struct Malformed: Error { let reason: String }

    /// Replaces the content of `output` with what `block` holds, at most `bytesMax` bytes.
    static func decode(_ block: Span<UInt8>, into output: inout [UInt8], bytesMax: Int) throws(Malformed) {
        output.removeAll(keepingCapacity: true)
        var at = 0
        while true {
            guard at < block.count else { throw Malformed(reason: "the block ends where a sequence should begin") }
            let token = block[at]
            at += 1
            let literals = try length(Int(token >> 4), block, &at)
            guard literals <= block.count - at else { throw Malformed(reason: "the literals reach beyond the block") }
            guard literals <= bytesMax - output.count else {
                throw Malformed(reason: "it holds more than \(bytesMax) bytes")
            }
            let run = block.extracting(at..<at + literals)
            // The span is not kept: append copies it.
            unsafe run.withUnsafeBufferPointer { unsafe output.append(contentsOf: $0) }
            at += literals
            if at == block.count { return }

            guard block.count - at >= 2 else { throw Malformed(reason: "an offset is cut off") }
            let offset = Int(block[at]) | Int(block[at + 1]) << 8
            at += 2
            guard offset > 0, offset <= output.count else { throw Malformed(reason: "a match begins before the block") }
            let match = try length(Int(token & 15), block, &at) + 4
            guard match <= bytesMax - output.count else {
                throw Malformed(reason: "it holds more than \(bytesMax) bytes")
            }
            copyMatch(match, back: offset, &output)
        }
    }

    private static func length(_ start: Int, _ block: Span<UInt8>, _ at: inout Int) throws(Malformed) -> Int {
        guard start == 15 else { return start }
        var length = 15
        while true {
            guard at < block.count else { throw Malformed(reason: "a length is cut off") }
            let byte = block[at]
            at += 1
            length += Int(byte)  // at most 255 per byte of the block: no overflow
            if byte != 255 { return length }
        }
    }

    /// A match may overlap its own output: with offset 1 it repeats one byte.
    private static func copyMatch(_ count: Int, back offset: Int, _ output: inout [UInt8]) {
        let start = output.count
        // Room first and one copy after the other behind it: appending a slice of an array to itself copies all of it.
        output.append(contentsOf: repeatElement(0, count: count))
        unsafe output.withUnsafeMutableBytes { bytes in
            var done = 0
            while done < count {
                // What was copied repeats every `offset` bytes, so ever longer pieces can be taken from it.
                let distance = offset * (1 + done / offset)
                let take = min(count - done, distance)
                let source = start + done - distance
                // In bounds: the offset was checked against the output, and the pieces never overlap.
                unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[start + done..<start + done + take])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[source..<source + take]))
                done += take
            }
        }
    }
}
