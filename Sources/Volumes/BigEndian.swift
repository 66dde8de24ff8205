// Integers and strings as volumes hold them: big-endian, and bytes up to a NUL.

extension Span<UInt8> {
    /// The big-endian integer at `offset`; the caller has made sure that it is there.
    func bigEndian32(at offset: Int) -> UInt32 {
        UInt32(self[offset]) << 24 | UInt32(self[offset + 1]) << 16 | UInt32(self[offset + 2]) << 8 | UInt32(self[offset + 3])
    }

    /// The bytes of `range` as an array of their own.
    package func array(_ range: Range<Int>) -> [UInt8] {
        // Copied while the span is borrowed.
        unsafe extracting(range).withUnsafeBufferPointer { unsafe Array($0) }
    }
}

extension Array<UInt8> {
    mutating func put(_ value: UInt32, at offset: Int) {
        self[offset] = UInt8(truncatingIfNeeded: value >> 24)
        self[offset + 1] = UInt8(truncatingIfNeeded: value >> 16)
        self[offset + 2] = UInt8(truncatingIfNeeded: value >> 8)
        self[offset + 3] = UInt8(truncatingIfNeeded: value)
    }

    mutating func appendBigEndian<Number: FixedWidthInteger>(_ value: Number) {
        var shift = Number.bitWidth - 8
        while shift >= 0 {
            append(UInt8(truncatingIfNeeded: value >> Number(shift)))
            shift -= 8
        }
    }

    /// The text's bytes and one NUL. A NUL inside would end the string early for every reader, so the text is cut there;
    /// 127 bytes is what Bacula's readers have room for.
    mutating func appendString(_ text: String) {
        append(contentsOf: text.utf8.prefix { $0 != 0 }.prefix(127))
        append(0)
    }
}

/// Reads fields one after the other. After the first that isn't there, every further one is nil too.
struct FieldCursor {
    private(set) var position = 0

    mutating func integer<Number: FixedWidthInteger>(_ type: Number.Type, in bytes: Span<UInt8>) -> Number? {
        let width = Number.bitWidth / 8
        guard bytes.count - position >= width else {
            position = bytes.count
            return nil
        }
        var value: Number = 0
        for index in position..<position + width { value = value << 8 | Number(truncatingIfNeeded: bytes[index]) }
        position += width
        return value
    }

    mutating func double(in bytes: Span<UInt8>) -> Double? {
        integer(UInt64.self, in: bytes).map { Double(bitPattern: $0) }
    }

    /// The text up to the next NUL, at most `limit` bytes; bytes that are not UTF-8 become U+FFFD.
    mutating func string(in bytes: Span<UInt8>, limit: Int = 1023) -> String? {
        var end = position
        while end < bytes.count, end - position <= limit, bytes[end] != 0 { end += 1 }
        guard end < bytes.count, end - position <= limit else {
            position = bytes.count
            return nil
        }
        defer { position = end + 1 }
        return String(decoding: bytes.array(position..<end), as: UTF8.self)
    }
}
