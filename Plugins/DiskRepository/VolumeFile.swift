// The open file of one volume: blocks at byte offsets. `VolumeFile+Recovery.swift` finds blocks after damage and crashes.

import Modules
import Platform
import Volumes

/// Reads blocks through a window of 1 MiB, writes them one by one. See `FileDevice` for the rules it keeps.
struct VolumeFile: ~Copyable {
    enum ReadResult {
        case block(Int)
        case end
        case damaged(String)
    }

    /// 1 MiB: a dozen blocks of the default size per system call.
    static let windowBytes = 1 << 20

    let file: OpenFile
    let access: VolumeAccess
    /// Offset of the next block to read; behind the data after a write.
    var position: Int64 = 0
    /// Where the next block is written, once that is known.
    var end: Int64?
    /// The longest block met in this file: how far a search after damage believes a header.
    var longestBlock = 0

    /// A piece of the file: bytes `windowStart ..< windowStart + windowCount`.
    private var window: [UInt8] = []
    private var windowStart: Int64 = 0
    private var windowCount = 0

    init(_ file: consuming OpenFile, access: VolumeAccess) {
        file.adviseSequential()
        self.file = file
        self.access = access
    }

    func lock() throws(SystemError) -> Bool { try file.lockExclusively() }
    func size() throws(SystemError) -> Int64 { try file.size() }
    func sync() throws(SystemError) { try file.syncData() }

    consuming func close() throws(SystemError) {
        if access == .append { try file.syncData() }
        try file.close()
    }

    // MARK: - Reading

    mutating func readBlock(into buffer: inout [UInt8]) throws(SystemError) -> ReadResult {
        let available = try fill(at: position, atLeast: BlockHeader.byteCount)
        guard available > 0 else { return .end }
        let header: BlockHeader
        do throws(VolumeFormatError) {
            header = try BlockHeader(decoding: window.span.extracting(offset(position)..<offset(position) + available))
        } catch {
            return .damaged(error.what)
        }
        let count = header.blockBytes
        if buffer.count < count { buffer = [UInt8](repeating: 0, count: max(count, BlockHeader.defaultBlockBytes)) }
        // What the window has is copied; the rest of a block that is longer than it comes straight from the file.
        let held = min(try fill(at: position, atLeast: min(count, Self.windowBytes)), count)
        copy(offset(position), count: held, to: &buffer)
        if held < count {
            let got = try read(at: position + Int64(held), into: &buffer, from: held, to: count)
            guard held + got == count else {
                return .damaged("The file ends after \(held + got) of the block's \(count) bytes.")
            }
        }
        longestBlock = max(longestBlock, count)
        position += Int64(count)
        return .block(count)
    }

    private func offset(_ position: Int64) -> Int { Int(position - windowStart) }

    /// Makes the window hold bytes from `position` on: `wanted` of them, unless the file ends before.
    /// - Returns: How many bytes from `position` on the window holds.
    private mutating func fill(at position: Int64, atLeast wanted: Int) throws(SystemError) -> Int {
        let held = position >= windowStart ? windowStart + Int64(windowCount) - position : 0
        if held >= Int64(wanted) { return Int(held) }
        if window.isEmpty { window = [UInt8](repeating: 0, count: Self.windowBytes) }
        windowStart = position
        windowCount = 0
        windowCount = try file.fill(&window, 0..<Self.windowBytes, at: position)
        return windowCount
    }

    private func copy(_ start: Int, count: Int, to buffer: inout [UInt8]) {
        // Both ranges were made to fit by the caller; the slices check it.
        unsafe buffer.withUnsafeMutableBytes { target in
            unsafe window.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[0..<count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start..<start + count]))
            }
        }
    }

    func read(at offset: Int64, into buffer: inout [UInt8], from start: Int, to end: Int) throws(SystemError) -> Int {
        try file.fill(&buffer, start..<end, at: offset)
    }

    // MARK: - Writing

    /// Writes at `end`, which must be known; a torn tail there is gone afterwards.
    mutating func write(_ block: Span<UInt8>) throws(SystemError) -> Int64 {
        guard let start = end else { preconditionFailure("the device looks for the end first") }
        if try file.size() > start { try truncate(at: start) }
        do throws(SystemError) {
            try file.write(block, at: start)
        } catch {
            // Readers must find nothing of it. Where cutting fails too, what is left is a torn tail.
            try? file.truncate(to: start)
            throw error
        }
        end = start + Int64(block.count)
        position = start + Int64(block.count)
        longestBlock = max(longestBlock, block.count)
        return start
    }

    /// Makes `block` the file's only content, synced.
    ///
    /// Over a label of the same length nothing is cut off first: one write into one page, which a crash can't leave half done.
    mutating func replaceAll(with block: Span<UInt8>) throws(SystemError) {
        if try file.size() != Int64(block.count) { try truncate(at: 0) }
        end = 0
        try file.write(block, at: 0)
        try file.sync()
        windowCount = 0
        end = Int64(block.count)
        position = Int64(block.count)
    }

    mutating func truncate(at offset: Int64) throws(SystemError) {
        try file.truncate(to: offset)
        try file.sync()
        windowCount = 0
        position = offset
        end = offset
    }
}
