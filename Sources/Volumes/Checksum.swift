// The checksum of a block: CRC-32 as zlib and PNG have it.

import CChecksum
import CZlib

/// CRC-32, reflected polynomial 0xEDB88320, initial value and final XOR 0xFFFFFFFF.
package enum Checksum {
    private static let canFold = cchecksum_can_fold() != 0

    /// The CRC of `bytes`, or of everything so far when `previous` is the CRC of the bytes before.
    package static func crc32(_ bytes: Span<UInt8>, continuing previous: UInt32 = 0) -> UInt32 {
        // Both functions read exactly the span's bytes, while the span is borrowed.
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return previous }
            var crc = previous
            var done = 0
            if canFold, buffer.count >= 64 {
                done = buffer.count & ~15
                crc = unsafe cchecksum_crc32_fold(crc, base, done)
            }
            // The last few bytes, or all of them on other processors. Blocks are far below zlib's 4 GiB.
            return unsafe UInt32(truncatingIfNeeded: CZlib.crc32(UInt(crc), base + done, UInt32(buffer.count - done)))
        }
    }
}
