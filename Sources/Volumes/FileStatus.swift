// The LStat text of an attribute record: sixteen numbers in a private base 64 (bacula-wire 5.4).

/// Digits `A–Z a–z 0–9 + /` are 0…63, most significant first, no leading zero digits, zero is `A`, minus is a prefix.
/// This is a notation for numbers, not RFC 4648's base64 of bytes.
package enum NumberText {
    static let digits: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    static let values: [Int8] = {
        var values = [Int8](repeating: -1, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = Int8(value) }
        return values
    }()

    package static func append(_ number: Int64, to text: inout [UInt8]) {
        if number < 0 { text.append(UInt8(ascii: "-")) }
        let magnitude = number.magnitude
        var shift = magnitude == 0 ? 0 : (63 - magnitude.leadingZeroBitCount) / 6 * 6
        while shift >= 0 {
            text.append(digits[Int((magnitude >> UInt64(shift)) & 63)])
            shift -= 6
        }
    }

    /// The number at `index`, which moves past its digits; nil when there is no digit or the value overflows 64 bits.
    package static func parse(_ text: Span<UInt8>, at index: inout Int) -> Int64? {
        var position = index
        let negative = position < text.count && text[position] == UInt8(ascii: "-")
        if negative { position += 1 }
        var value: UInt64 = 0
        let start = position
        while position < text.count {
            let digit = values[Int(text[position])]
            if digit < 0 { break }
            guard value >> 58 == 0 else { return nil }
            value = value << 6 | UInt64(digit)
            position += 1
        }
        guard position > start else { return nil }
        index = position
        let signed = Int64(bitPattern: value)
        return negative ? 0 &- signed : signed
    }
}

/// What stat(2) says of a file, as attribute records and the catalog carry it.
package struct FileStatus: Hashable, Sendable {
    package var device: Int64 = 0
    package var inode: Int64 = 0
    package var mode: Int64 = 0
    package var links: Int64 = 0
    package var user: Int64 = 0
    package var group: Int64 = 0
    package var specialDevice: Int64 = 0
    package var size: Int64 = 0
    package var blockSize: Int64 = 0
    package var blocks: Int64 = 0
    package var accessTime: Int64 = 0
    package var modifyTime: Int64 = 0
    package var changeTime: Int64 = 0
    /// FileIndex of the file that a hard link repeats; 0 for everything else.
    package var linkFileIndex: Int64 = 0
    /// BSD file flags; 0 on Linux.
    package var flags: Int64 = 0
    /// Stream number of the file's data: 2 plain, 4 gzip, …
    package var dataStream: Int64 = 0

    package init() {}

    private static let fields: [any WritableKeyPath<FileStatus, Int64> & Sendable] = [
        \.device, \.inode, \.mode, \.links, \.user, \.group, \.specialDevice, \.size, \.blockSize, \.blocks, \.accessTime,
        \.modifyTime, \.changeTime, \.linkFileIndex, \.flags, \.dataStream,
    ]

    /// Reads an LStat text. Old clients stop early, after ctime or LinkFI: missing fields stay 0. More fields are ignored.
    /// - Returns: nil when fewer than the thirteen stat fields are there or one of them is not a number.
    package init?(lstat text: Span<UInt8>) {
        var index = 0
        var count = 0
        for field in Self.fields {
            while index < text.count, text[index] == UInt8(ascii: " ") { index += 1 }
            if index == text.count { break }
            guard let number = NumberText.parse(text, at: &index) else { return nil }
            self[keyPath: field] = number
            count += 1
        }
        guard count >= 13 else { return nil }
    }

    package func appendLStat(to text: inout [UInt8]) {
        let numbers = [
            device, inode, mode, links, user, group, specialDevice, size, blockSize, blocks, accessTime, modifyTime,
            changeTime, linkFileIndex, flags, dataStream,
        ]
        for (position, number) in numbers.enumerated() {
            if position > 0 { text.append(UInt8(ascii: " ")) }
            NumberText.append(number, to: &text)
        }
    }

    package var lstat: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(80)
        appendLStat(to: &text)
        return text
    }
}
