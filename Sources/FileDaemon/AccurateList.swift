// What earlier jobs have saved, as the director lists it for accurate mode (bacula-wire 3.7).
//
// Compact, because it holds every file of the client: a file costs its path, some 30 bytes of attributes, its digest text
// where one was sent, and about 11 bytes of tables; for paths of 60 bytes some 100 bytes in all.

import Platform
import Volumes

/// The files of the previous jobs by path, and which of them were met again.
///
/// Filled once, before the walk; then looked up by the walker alone, and read by the sender after the walker has ended.
/// Sendable by that order, which the pipeline's monitor establishes.
final class AccurateList: @unchecked Sendable {
    /// One file as it was.
    struct Entry {
        var status: FileStatus
        /// Base64, empty where the director sent none.
        var digest: String
    }

    // Records lie in chunks and never cross one, so that growing copies nothing: path, NUL, attributes as zigzag varints,
    // digest text, NUL.
    private var chunks: [[UInt8]] = []
    private static let chunkBytes = 1 << 20
    private var places: [UInt64] = []  // chunk << 32 | offset, by entry
    private var seen: [UInt64] = []  // bit set by entry
    private var table: [UInt32] = []  // entry + 1 by hash, 0 is empty; at most two thirds full

    private(set) var bytes = 0
    var count: Int { places.count }

    init(expecting files: Int) {
        var capacity = 1024
        // The number comes from the wire: believe it up to 16 M, grow beyond.
        while capacity * 2 / 3 < min(files, 16 << 20) { capacity *= 2 }
        table = [UInt32](repeating: 0, count: capacity)
        places.reserveCapacity(min(files, 16 << 20))
    }

    /// The attributes that options can compare, in the order stored.
    private static let fields: [any WritableKeyPath<FileStatus, Int64> & Sendable] = [
        \.inode, \.mode, \.links, \.user, \.group, \.size, \.accessTime, \.modifyTime, \.changeTime,
    ]

    /// Takes a packet of the list: path, NUL, LStat, NUL, digest, NUL, delta sequence. Malformed ones are refused.
    func add(_ packet: Span<UInt8>) -> Bool {
        var ends: [Int] = []
        for index in 0..<packet.count where packet[index] == 0 { ends.append(index) }
        guard let pathEnd = ends.first, pathEnd > 0 else { return false }
        let lstatEnd = ends.count > 1 ? ends[1] : packet.count
        guard let status = FileStatus(lstat: packet.extracting(pathEnd + 1..<lstatEnd)) else { return false }
        let digest =
            lstatEnd < packet.count ? packet.extracting(lstatEnd + 1..<(ends.count > 2 ? ends[2] : packet.count)).array : []
        insert(packet.extracting(0..<pathEnd).array, status, digest)
        return true
    }

    private func insert(_ path: [UInt8], _ status: FileStatus, _ digest: [UInt8]) {
        if let known = find(path) { places[known] = store(path, status, digest); return }
        if places.count * 3 >= table.count * 2 { rehash() }
        places.append(store(path, status, digest))
        if places.count > seen.count * 64 { seen.append(0) }
        place(UInt32(places.count), Self.hash(path))
    }

    private func store(_ path: [UInt8], _ status: FileStatus, _ digest: [UInt8]) -> UInt64 {
        var record = path
        record.append(0)
        for field in Self.fields { Self.append(status[keyPath: field], &record) }
        record += digest
        record.append(0)
        if chunks.isEmpty || chunks[chunks.count - 1].count + record.count > Self.chunkBytes {
            var chunk: [UInt8] = []
            chunk.reserveCapacity(max(Self.chunkBytes, record.count))
            chunks.append(chunk)
        }
        let last = chunks.count - 1
        let place = UInt64(last) << 32 | UInt64(chunks[last].count)
        chunks[last] += record
        bytes += record.count
        return place
    }

    /// The entry of `path` (directories with their slash), which counts as met from now on; nil where there is none.
    func meet(_ path: [UInt8]) -> Entry? {
        guard let index = find(path) else { return nil }
        seen[index / 64] |= 1 << UInt64(index % 64)
        return entry(index)
    }

    /// Calls `body` with path and attributes of every entry that was never met.
    func forEachUnmet<E: Error>(_ body: ([UInt8], FileStatus) throws(E) -> Void) throws(E) {
        for index in places.indices where seen[index / 64] & (1 << UInt64(index % 64)) == 0 {
            let place = places[index]
            let chunk = Int(place >> 32), start = Int(place & 0xFFFF_FFFF)
            let end = chunks[chunk][start...].firstIndex(of: 0)!
            try body(Array(chunks[chunk][start..<end]), entry(index).status)
        }
    }

    private func entry(_ index: Int) -> Entry {
        let place = places[index]
        let chunk = Int(place >> 32)
        var at = Int(place & 0xFFFF_FFFF)
        let holder = chunks[chunk]
        let bytes = holder.span
        while bytes[at] != 0 { at += 1 }
        at += 1
        var status = FileStatus()
        for field in Self.fields { status[keyPath: field] = Self.take(bytes, &at) }
        var end = at
        while bytes[end] != 0 { end += 1 }
        return Entry(status: status, digest: String(decoding: bytes.extracting(at..<end).array, as: UTF8.self))
    }

    // MARK: - The table

    private func find(_ path: [UInt8]) -> Int? {
        var slot = Int(truncatingIfNeeded: Self.hash(path)) & (table.count - 1)
        while table[slot] != 0 {
            let index = Int(table[slot]) - 1
            if holds(path, index) { return index }
            slot = (slot + 1) & (table.count - 1)
        }
        return nil
    }

    private func holds(_ path: [UInt8], _ index: Int) -> Bool {
        let place = places[index]
        let bytes = chunks[Int(place >> 32)]
        let chunk = bytes.span
        let start = Int(place & 0xFFFF_FFFF)
        guard start + path.count < chunk.count, chunk[start + path.count] == 0 else { return false }
        let path = path.span
        for offset in 0..<path.count where chunk[start + offset] != path[offset] { return false }
        return true
    }

    private func place(_ value: UInt32, _ hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
        while table[slot] != 0 { slot = (slot + 1) & (table.count - 1) }
        table[slot] = value
    }

    private func rehash() {
        table = [UInt32](repeating: 0, count: table.count * 2)
        for index in places.indices {
            let place = places[index]
            let chunk = Int(place >> 32), start = Int(place & 0xFFFF_FFFF)
            let end = chunks[chunk][start...].firstIndex(of: 0)!
            self.place(UInt32(index + 1), Self.hash(Array(chunks[chunk][start..<end])))
        }
    }

    /// FNV-1a with a final mix; paths come from our own director, not from an attacker who could aim at one chain.
    private static func hash(_ path: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in path { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash ^ hash >> 32
    }

    private static func append(_ number: Int64, _ bytes: inout [UInt8]) {
        var rest = UInt64(bitPattern: number << 1 ^ number >> 63)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func take(_ bytes: Span<UInt8>, _ at: inout Int) -> Int64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
            shift += 7
        }
    }
}

/// What accurate options compare (bacula-wire 3.4).
enum AccurateComparison {
    enum Verdict { case save, skip, compareDigest }

    /// Compares a file with what an earlier job saved. `letters` are the block's accurate options; empty means `mcs`.
    static func verdict(_ now: FileMetadata, _ then: AccurateList.Entry, letters: String, since: WallTime?) -> Verdict {
        var wantsDigest = false
        for letter in letters.isEmpty ? "mcs" : letters {
            let differs: Bool =
                switch letter {
                case "p": Int64(now.mode) != then.status.mode
                case "i": Int64(bitPattern: now.inode) != then.status.inode
                case "n": Int64(bitPattern: now.links) != then.status.links
                case "u": Int64(now.user) != then.status.user
                case "g": Int64(now.group) != then.status.group
                case "s": now.size != then.status.size
                case "a": now.accessTime.seconds != then.status.accessTime
                case "m": now.modifyTime.seconds != then.status.modifyTime
                case "c": now.changeTime.seconds != then.status.changeTime
                case "M": since.map { max(now.modifyTime, now.changeTime).seconds >= $0.seconds } ?? true
                case "d": now.size < then.status.size
                case "A": true
                default: false
                }
            if differs { return .save }
            if letter == "5" || letter == "1" { wantsDigest = true }
        }
        // Only contents have digests; an empty file that is the same in all else is the same.
        return wantsDigest && now.kind == .regular && now.size > 0 && !then.digest.isEmpty ? .compareDigest : .skip
    }
}
