// A device in memory that can be made to fail in every way a medium does, by a seed.

package import Modules
package import Volumes

/// Keeps volumes as lists of blocks. Faults are set by the test; `losePower` does to unsynced blocks what a crash may do.
///
/// Unchecked Sendable by the contract's rule: one owner at a time.
package final class SimulatedDevice: VolumeDevice, @unchecked Sendable {
    private struct StoredBlock {
        var address: UInt64
        var bytes: [UInt8]
        var isSynced = false
        var isTorn = false
        var failsToRead = false
    }

    package let kind: DeviceKind = .file
    package let description = "\"Simulated\" (memory)"
    package private(set) var openVolume: String?
    private var volumes: [String: [StoredBlock]] = [:]
    private var access = VolumeAccess.read
    private var index = 0

    /// Bytes that fit on all volumes together; a block that doesn't is `.endOfMedium`.
    package var capacity: UInt64 = .max
    package private(set) var generator: SeededGenerator
    package let seed: UInt64
    /// Calls of `sync`, for tests of who syncs when.
    package private(set) var syncs = 0

    /// Blocks delivered by `readBlock`, for tests of what is skipped.
    package private(set) var blocksRead = 0

    package init(seed: UInt64 = 1) {
        self.seed = seed
        generator = SeededGenerator(seed: seed)
    }

    // MARK: - Faults

    /// Closes everything; of the blocks since the last sync a random number survive, and the next may be torn.
    package func losePower() {
        for (name, blocks) in volumes {
            let synced = blocks.prefix { $0.isSynced }.count
            let surviving = Int.random(in: synced...blocks.count, using: &generator)
            var kept = Array(blocks[..<surviving])
            if surviving < blocks.count, Bool.random(using: &generator) {
                var torn = blocks[surviving]
                torn.bytes = Array(torn.bytes[..<Int.random(in: 1..<torn.bytes.count, using: &generator)])
                torn.isTorn = true
                kept.append(torn)
            }
            volumes[name] = kept
        }
        openVolume = nil
    }

    /// Flips one bit in a random block of `volume` behind its label, and returns the block's address.
    package func flipBit(in volume: String) -> BlockAddress? {
        guard var blocks = volumes[volume], blocks.count > 1 else { return nil }
        let victim = Int.random(in: 1..<blocks.count, using: &generator)
        let byte = Int.random(in: 24..<blocks[victim].bytes.count, using: &generator)
        blocks[victim].bytes[byte] ^= 1 << UInt8.random(in: 0...7, using: &generator)
        volumes[volume] = blocks
        return BlockAddress(rawValue: blocks[victim].address)
    }

    /// Makes reading a random block of `volume` behind its label fail, and returns the block's address.
    package func failReading(in volume: String) -> BlockAddress? {
        guard let count = volumes[volume]?.count, count > 1 else { return nil }
        let victim = Int.random(in: 1..<count, using: &generator)
        volumes[volume]?[victim].failsToRead = true
        return BlockAddress(rawValue: volumes[volume]![victim].address)
    }

    // MARK: - The contract

    package func open(volume: String, for access: VolumeAccess, create: Bool) throws(DeviceError) {
        try close()
        if volumes[volume] == nil {
            guard create, access == .append, !volume.isEmpty, !volume.contains("/") else {
                throw DeviceError(.noSuchVolume, "There is no volume \"\(volume)\" in memory.")
            }
            volumes[volume] = []
        }
        openVolume = volume
        self.access = access
        index = 0
    }

    package func close() throws(DeviceError) {
        if openVolume != nil, access == .append { try sync() }
        openVolume = nil
    }

    private func blocks() throws(DeviceError) -> [StoredBlock] {
        guard let openVolume, let blocks = volumes[openVolume] else { throw DeviceError(.noSuchVolume, "No volume is open.") }
        return blocks
    }

    package var position: BlockAddress {
        guard let openVolume, let blocks = volumes[openVolume] else { return .start }
        return BlockAddress(rawValue: index < blocks.count ? blocks[index].address : Self.end(blocks))
    }

    private static func end(_ blocks: [StoredBlock]) -> UInt64 {
        blocks.last.map { $0.address + UInt64($0.bytes.count) } ?? 0
    }

    package func readBlock(into buffer: inout [UInt8]) throws(DeviceError) -> Int {
        let blocks = try blocks()
        guard index < blocks.count else { throw DeviceError(.endOfData, "The volume ends here.") }
        let block = blocks[index]
        guard !block.isTorn, !block.failsToRead else { throw DeviceError(.mediaError, "The block can't be read.") }
        if buffer.count < block.bytes.count { buffer = [UInt8](repeating: 0, count: block.bytes.count) }
        buffer.replaceSubrange(0..<block.bytes.count, with: block.bytes)
        index += 1
        blocksRead += 1
        return block.bytes.count
    }

    package func resynchronise(behind address: BlockAddress) throws(DeviceError) -> BlockAddress {
        let blocks = try blocks()
        guard
            let next = blocks.firstIndex(where: {
                $0.address > address.rawValue && !$0.isTorn && (try? BlockHeader(checking: $0.bytes.span)) != nil
            })
        else {
            index = blocks.count
            throw DeviceError(.endOfData, "The volume has no further block.")
        }
        index = next
        return BlockAddress(rawValue: blocks[next].address)
    }

    package func writeBlock(_ block: Span<UInt8>) throws(DeviceError) -> BlockAddress {
        var blocks = try blocks()
        guard access == .append else { throw DeviceError(.readOnly, "The volume is open for reading.") }
        while blocks.last?.isTorn == true { blocks.removeLast() }
        let used = volumes.values.reduce(0) { $0 + Self.end($1) }
        guard used + UInt64(block.count) <= capacity else { throw DeviceError(.endOfMedium, "The memory is full.") }
        let address = Self.end(blocks)
        blocks.append(StoredBlock(address: address, bytes: block.array(0..<block.count)))
        volumes[openVolume!] = blocks
        index = blocks.count
        return BlockAddress(rawValue: address)
    }

    package func writeLabel(_ block: Span<UInt8>) throws(DeviceError) {
        guard access == .append else { throw DeviceError(.readOnly, "The volume is open for reading.") }
        _ = try blocks()
        volumes[openVolume!] = []
        _ = try writeBlock(block)
        try sync()
    }

    package func writeFilemark() throws(DeviceError) {}

    package func seek(to address: BlockAddress) throws(DeviceError) {
        let blocks = try blocks()
        guard let found = blocks.firstIndex(where: { $0.address == address.rawValue }) else {
            guard address.rawValue == Self.end(blocks) else { throw DeviceError(.mediaError, "No block begins there.") }
            index = blocks.count
            return
        }
        index = found
    }

    package func seekToEndOfData() throws(DeviceError) -> EndOfData {
        let blocks = try blocks()
        let whole = blocks.lastIndex { !$0.isTorn }.map { $0 + 1 } ?? 0
        index = whole
        let end = Self.end(Array(blocks[..<whole]))
        return EndOfData(address: BlockAddress(rawValue: end), tornBytes: Self.end(blocks) - end)
    }

    package func rewind() throws(DeviceError) {
        _ = try blocks()
        index = 0
    }

    package func sync() throws(DeviceError) {
        var blocks = try blocks()
        syncs += 1
        for index in blocks.indices { blocks[index].isSynced = true }
        volumes[openVolume!] = blocks
    }

    package func truncate(at address: BlockAddress) throws(DeviceError) {
        let blocks = try blocks()
        guard access == .append else { throw DeviceError(.readOnly, "The volume is open for reading.") }
        volumes[openVolume!] = blocks.filter { $0.address < address.rawValue }
        index = volumes[openVolume!]!.count
    }

    package func volumeBytes() throws(DeviceError) -> UInt64 { Self.end(try blocks()) }
    package func freeBytes() -> UInt64? { nil }
    package func volumeNames() throws(DeviceError) -> [String]? { volumes.keys.sorted() }
}
