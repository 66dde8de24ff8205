// Finding blocks where the chain of headers is broken: behind damage, and at the end after a crash.

import Platform
import Volumes

extension VolumeFile {
    /// Headers that claim more are believed only if such long blocks were met before: it bounds what a search can cost in
    /// a file full of false headers.
    private var believableBytes: Int { max(longestBlock, 2 << 20) }

    /// Moves to the first block behind `offset` with a plausible header and a matching checksum.
    /// - Returns: Its offset, or nil when there is none; the position is then the end of the file.
    mutating func resynchronise(behind offset: Int64) throws(SystemError) -> Int64? {
        let size = try file.size()
        position = size
        guard offset < size else { return nil }
        // Where only the contents of the block at `offset` are damaged its header leads on. It is asked first, because a
        // search could find the blocks of a volume that was itself backed up into this one.
        if let header = try header(at: offset) {
            let next = offset + Int64(header.blockBytes)
            if next < size, try isWholeBlock(at: next, size: size) {
                position = next
                return next
            }
        }
        var window = [UInt8](repeating: 0, count: Self.windowBytes)
        var start = offset + 1
        while size - start >= 16 {
            let count = try read(at: start, into: &window, from: 0, to: window.count)
            guard count >= 16 else { return nil }
            for index in 0...count - 16 where Self.hasIdentifier(window, at: index + 12) {
                if try isWholeBlock(at: start + Int64(index), size: size) {
                    position = start + Int64(index)
                    return position
                }
            }
            start += Int64(count - 15)
        }
        return nil
    }

    /// Finds where the last whole block ends and moves there.
    /// - Returns: That offset, and the number of bytes behind it that belong to no block.
    mutating func seekToEndOfData() throws(SystemError) -> (end: Int64, torn: Int64) {
        let size = try file.size()
        let found = try lastBlockReachesEnd(size) ? size : try walk(size)
        // Where no block was found at all the file is somebody else's, and nothing may be written to it.
        end = found == 0 && size > 0 ? nil : found
        position = found
        return (found, size - found)
    }

    /// The usual case, without reading the volume: a whole block, looked for in the last 4 MiB, ends where the file does.
    private func lastBlockReachesEnd(_ size: Int64) throws(SystemError) -> Bool {
        if size == 0 { return true }
        var tailBytes = min(size, 256 << 10)
        while true {
            var tail = [UInt8](repeating: 0, count: Int(tailBytes))
            let count = try read(at: size - tailBytes, into: &tail, from: 0, to: tail.count)
            guard count == tail.count, count >= 16 else { return false }
            var index = count - 16
            while index >= 0 {
                if Self.hasIdentifier(tail, at: index + 12),
                    let header = try? BlockHeader(checking: tail.span.extracting(index..<count)),
                    header.blockBytes == count - index
                {
                    return true
                }
                index -= 1
            }
            if tailBytes == size || tailBytes >= 4 << 20 { return false }
            tailBytes = min(size, 4 << 20)
        }
    }

    /// Follows the headers from the start, past damage. The checksums of the last 64 MiB are checked too: after a power cut
    /// blocks that were never synced may have kept their length and lost their contents.
    private mutating func walk(_ size: Int64) throws(SystemError) -> Int64 {
        var offset: Int64 = 0
        var lastEnd: Int64 = 0
        while offset < size {
            let header = try header(at: offset)
            var isWhole = header.map { offset + Int64($0.blockBytes) <= size } ?? false
            if isWhole, offset >= size - (64 << 20) { isWhole = try isWholeBlock(at: offset, size: size) }
            if let header, isWhole {
                longestBlock = max(longestBlock, header.blockBytes)
                offset += Int64(header.blockBytes)
                lastEnd = offset
            } else {
                guard let next = try resynchronise(behind: offset) else { break }
                offset = next
            }
        }
        return lastEnd
    }

    private func header(at offset: Int64) throws(SystemError) -> BlockHeader? {
        var bytes = [UInt8](repeating: 0, count: BlockHeader.byteCount)
        let count = try read(at: offset, into: &bytes, from: 0, to: bytes.count)
        return try? BlockHeader(decoding: bytes.span.extracting(0..<count))
    }

    private func isWholeBlock(at offset: Int64, size: Int64) throws(SystemError) -> Bool {
        guard let header = try header(at: offset), header.blockBytes <= believableBytes,
            offset + Int64(header.blockBytes) <= size
        else { return false }
        var block = [UInt8](repeating: 0, count: header.blockBytes)
        guard try read(at: offset, into: &block, from: 0, to: block.count) == block.count else { return false }
        return (try? BlockHeader(checking: block.span)) != nil
    }

    /// `BB01` or `BB02`.
    private static func hasIdentifier(_ bytes: [UInt8], at index: Int) -> Bool {
        bytes[index] == 0x42 && bytes[index + 1] == 0x42 && bytes[index + 2] == 0x30
            && (bytes[index + 3] == 0x31 || bytes[index + 3] == 0x32)
    }
}
