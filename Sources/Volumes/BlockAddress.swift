// Where a block is on its volume.

/// Where a block is: on disk a byte offset, on tape `file << 32 | block` (bacula-wire 6.2).
package struct BlockAddress: Hashable, Comparable, Sendable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package init(file: UInt32, block: UInt32) { rawValue = UInt64(file) << 32 | UInt64(block) }
    package static let start = BlockAddress(rawValue: 0)
    package var file: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
    package var block: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
    package static func < (a: BlockAddress, b: BlockAddress) -> Bool { a.rawValue < b.rawValue }
}
