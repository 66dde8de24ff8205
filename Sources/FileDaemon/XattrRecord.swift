// Extended attributes as they travel in stream 1998 (bacula-wire 5.8).
//
// For each attribute, integers big-endian:
//
//     size  field
//     4     magic 0x005C5884
//     4     length of the name
//     n     name
//     4     length of the value
//     n     value

/// One extended attribute.
package struct XattrRecord: Hashable, Sendable {
    package var name: [UInt8]
    package var value: [UInt8]
    package init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }

    private static let magic: UInt32 = 0x005C_5884

    package static func encode(_ records: [XattrRecord]) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ number: UInt32) {
            for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) }
        }
        for record in records {
            append(magic)
            append(UInt32(record.name.count))
            bytes += record.name
            append(UInt32(record.value.count))
            bytes += record.value
        }
        return bytes
    }

    /// Decodes a stream's data; nil when it is damaged. Names are non-empty and hold no NUL.
    package static func decode(_ bytes: Span<UInt8>) -> [XattrRecord]? {
        var records: [XattrRecord] = []
        var at = 0
        func number() -> Int? {
            guard bytes.count - at >= 4 else { return nil }
            defer { at += 4 }
            return Int(bytes[at]) << 24 | Int(bytes[at + 1]) << 16 | Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
        }
        func field(_ length: Int) -> [UInt8]? {
            guard length >= 0, length <= bytes.count - at else { return nil }
            defer { at += length }
            return bytes.extracting(at..<at + length).array
        }
        while at < bytes.count {
            guard number() == Int(magic), let nameLength = number(), let name = field(nameLength), !name.isEmpty, !name.contains(0),
                let valueLength = number(), let value = field(valueLength)
            else { return nil }
            records.append(XattrRecord(name: name, value: value))
        }
        return records
    }
}

extension Span where Element == UInt8 {
    /// A copy of the bytes.
    var array: [UInt8] {
        unsafe withUnsafeBufferPointer { unsafe Array($0) }
    }
}
