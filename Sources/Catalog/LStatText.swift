// An LStat text taken apart for storage: the seven numbers that differ from file to file, and the texts around them.

import Volumes

/// Where the parts of an LStat are, as offsets into the record it came in.
struct LStatText {
    var inode: Int64 = 0
    var size: Int64 = 0
    var blocks: Int64 = 0
    var accessTime: Int64 = 0
    var modifyTime: Int64 = 0
    var changeTime: Int64 = 0
    var linkFileIndex: Int64 = 0
    var device: Range<Int> = 0..<0
    var middle: Range<Int> = 0..<0
    var blockSize: Range<Int> = 0..<0
    /// From the space after LinkFI to the end; may be empty.
    var tail: Range<Int> = 0..<0

    /// All zero: the numbers beside an LStat that is kept as text.
    init() {}

    /// Takes `text[range]` apart.
    /// - Returns: nil for what could not be put together again to the very same text: fewer than fourteen fields, other
    ///   separators, a number that we would write differently, or texts longer than a shape should hold.
    init?(_ text: Span<UInt8>, _ range: Range<Int>) {
        guard range.count <= 400 else { return nil }
        var position = range.lowerBound
        let end = range.upperBound
        func field() -> Range<Int>? {
            let start = position
            while position < end, text[position] != UInt8(ascii: " ") { position += 1 }
            guard position > start, position < end else { return nil }
            position += 1
            return start..<position - 1
        }
        func number() -> Int64? {
            guard let value = Self.number(text, &position, end), position < end, text[position] == UInt8(ascii: " ")
            else {
                return nil
            }
            position += 1
            return value
        }
        guard let device = field(), let inode = number(), let mode = field() else { return nil }
        for _ in 0..<3 { guard field() != nil else { return nil } }
        guard let special = field(), let size = number(), let blockSize = field(), let blocks = number(),
            let accessTime = number(), let modifyTime = number(), let changeTime = number(),
            let link = Self.number(text, &position, end), position == end || text[position] == UInt8(ascii: " ")
        else { return nil }
        self.device = device
        self.inode = inode
        middle = mode.lowerBound..<special.upperBound
        self.size = size
        self.blockSize = blockSize
        self.blocks = blocks
        self.accessTime = accessTime
        self.modifyTime = modifyTime
        self.changeTime = changeTime
        linkFileIndex = link
        tail = position..<end
    }

    /// A number exactly as we write it. The most negative one is refused: SQL can't negate it.
    private static func number(_ text: Span<UInt8>, _ position: inout Int, _ end: Int) -> Int64? {
        let start = position
        let digits = position < end && text[position] == UInt8(ascii: "-") ? start + 1 : start
        position = digits
        var value: UInt64 = 0
        while position < end {
            let digit = digitValues[Int(text[position])]
            if digit < 0 { break }
            guard value >> 57 == 0 else { return nil }
            value = value << 6 | UInt64(digit)
            position += 1
        }
        guard position > digits, position - digits == 1 || text[digits] != UInt8(ascii: "A") else { return nil }
        if digits == start { return Int64(value) }
        return value == 0 ? nil : -Int64(value)
    }

    private static let digitValues: [Int8] = {
        var values = [Int8](repeating: -1, count: 256)
        for (value, digit) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated() {
            values[Int(digit)] = Int8(value)
        }
        return values
    }()
}
