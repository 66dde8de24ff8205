// The record of stream 1: everything about a file but its contents.
//
// Bytes (bacula-wire 5.4), ␀ is a NUL byte:
//
//     FileIndex ' ' type ' ' name ␀ LStat ␀ link ␀ extra ␀ delta-sequence ␀
//
// `extra` is empty on Unix in Bacula's records. Ours carry the nanoseconds that LStat has no room for, as
//
//     "ns " atime-nanoseconds ' ' mtime-nanoseconds ' ' ctime-nanoseconds      (numbers as in LStat)
//
// which Bacula's readers skip on Unix: to them the field means something for Windows only.

/// What a record of stream 1 says about one file.
package struct AttributeRecord: Hashable, Sendable {
    /// File types (bacula-wire 5.4). Only those that reach a storage daemon have names.
    package struct FileType: RawRepresentable, Hashable, Sendable {
        package var rawValue: Int32
        package init(rawValue: Int32) { self.rawValue = rawValue }
        package static let hardLink = FileType(rawValue: 1)
        package static let emptyFile = FileType(rawValue: 2)
        package static let file = FileType(rawValue: 3)
        package static let symbolicLink = FileType(rawValue: 4)
        /// After its contents; the name ends in `/`.
        package static let directory = FileType(rawValue: 5)
        package static let special = FileType(rawValue: 6)
        package static let directoryNotEntered = FileType(rawValue: 13)
        package static let mountPoint = FileType(rawValue: 14)
        package static let blockDevice = FileType(rawValue: 16)
        package static let fifo = FileType(rawValue: 17)
        package static let deleted = FileType(rawValue: 23)
        package static let unchanged = FileType(rawValue: 24)

        package var isDirectory: Bool { self == .directory || self == .directoryNotEntered || self == .mountPoint }
    }

    package struct Nanoseconds: Hashable, Sendable {
        package var access: Int64
        package var modify: Int64
        package var change: Int64
        package init(access: Int64, modify: Int64, change: Int64) {
            self.access = access
            self.modify = modify
            self.change = change
        }
    }

    package var fileIndex: Int32
    package var type: FileType
    /// Absolute path as bytes: any byte but NUL. Directories end in `/`.
    package var name: [UInt8]
    package var status: FileStatus
    /// Target of a symbolic link, or the first name of a hard link; else empty.
    package var link: [UInt8]
    /// nil where the writer didn't know them: Bacula's own clients.
    package var nanoseconds: Nanoseconds?

    package init(
        fileIndex: Int32, type: FileType, name: [UInt8], status: FileStatus, link: [UInt8] = [],
        nanoseconds: Nanoseconds? = nil
    ) {
        self.fileIndex = fileIndex
        self.type = type
        self.name = name
        self.status = status
        self.link = link
        self.nanoseconds = nanoseconds
    }

    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(name.count + link.count + 160)
        bytes += "\(fileIndex) \(type.rawValue) ".utf8
        bytes += name
        bytes.append(0)
        status.appendLStat(to: &bytes)
        bytes.append(0)
        bytes += link
        bytes.append(0)
        if let nanoseconds {
            bytes += "ns ".utf8
            NumberText.append(nanoseconds.access, to: &bytes)
            bytes.append(UInt8(ascii: " "))
            NumberText.append(nanoseconds.modify, to: &bytes)
            bytes.append(UInt8(ascii: " "))
            NumberText.append(nanoseconds.change, to: &bytes)
        }
        bytes.append(0)
        bytes += "0\0".utf8
        return bytes
    }

    /// Decodes a record. Never traps: anything malformed is nil.
    package init?(decoding bytes: Span<UInt8>) {
        var position = 0
        guard let index = Self.decimal(bytes, &position), index > 0, index <= Int64(Int32.max),
            let type = Self.decimal(bytes, &position), type >= 0, type <= 0xFFFF
        else { return nil }
        guard let name = Self.field(bytes, &position), !name.isEmpty, let lstat = Self.field(bytes, &position),
            let status = FileStatus(lstat: lstat.span)
        else { return nil }
        fileIndex = Int32(index)
        self.type = FileType(rawValue: Int32(type))
        self.name = name
        self.status = status
        link = Self.field(bytes, &position) ?? []
        if let extra = Self.field(bytes, &position), extra.starts(with: "ns ".utf8) {
            let extra = extra.span
            var at = 3
            var numbers: [Int64] = []
            while numbers.count < 3, let number = NumberText.parse(extra, at: &at), (0..<1_000_000_000).contains(number) {
                numbers.append(number)
                if at < extra.count, extra[at] == UInt8(ascii: " ") { at += 1 }
            }
            if numbers.count == 3 { nanoseconds = Nanoseconds(access: numbers[0], modify: numbers[1], change: numbers[2]) }
        }
    }

    /// A decimal number and the one space after it.
    private static func decimal(_ bytes: Span<UInt8>, _ position: inout Int) -> Int64? {
        var value: Int64 = 0
        let start = position
        while position < bytes.count, position - start < 18, bytes[position] &- 48 < 10 {
            value = value * 10 + Int64(bytes[position] - 48)
            position += 1
        }
        guard position > start, position < bytes.count, bytes[position] == UInt8(ascii: " ") else { return nil }
        position += 1
        return value
    }

    /// The bytes up to the next NUL, which is passed; the end of the record ends a field too. nil at the very end.
    private static func field(_ bytes: Span<UInt8>, _ position: inout Int) -> [UInt8]? {
        guard position < bytes.count else { return nil }
        var end = position
        while end < bytes.count, bytes[end] != 0 { end += 1 }
        var field: [UInt8] = []
        field.reserveCapacity(end - position)
        for index in position..<end { field.append(bytes[index]) }
        position = min(end + 1, bytes.count)
        return field
    }
}
