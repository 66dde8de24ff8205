// Reads the text of a bootstrap: `keyword = value` lines, `#` comments, a unit from each `Volume` on.

import Platform

/// A line of a bootstrap that can't be understood.
package struct BootstrapError: PresentableError, Equatable {
    package var line: Int
    package var reason: String
    package init(line: Int, reason: String) {
        self.line = line
        self.reason = reason
    }
    package var code: String { "bad-bootstrap" }
    package var what: String { "Line \(line) of the bootstrap: \(reason)." }
    package var remedy: String { "" }
}

extension Bootstrap {
    /// Reads a bootstrap of at most 16 MiB and 1,000,000 lines.
    package init(parsing text: String) throws(BootstrapError) {
        guard text.utf8.count <= 16 << 20 else { throw BootstrapError(line: 1, reason: "it is longer than 16 MiB") }
        var parser = Parser()
        var number = 0
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard number <= 1_000_000 else { throw BootstrapError(line: number, reason: "it has too many lines") }
            do throws(Reason) {
                try parser.take(Array(line))
            } catch {
                throw BootstrapError(line: number, reason: error.text)
            }
        }
        units = parser.units
    }

    private struct Reason: Error {
        var text: String
        init(_ text: String) { self.text = text }
    }

    private struct Parser {
        var units: [Unit] = []
        /// Informative keywords that came before their volume: directors send `Storage` first.
        private var storage = ""
        private var mediaType = ""
        private var device = ""
        private var slot = 0

        mutating func take(_ bytes: [UInt8]) throws(Reason) {
            var bytes = bytes[...]
            bytes = Self.trimmed(bytes)
            guard let first = bytes.first, first != UInt8(ascii: "#") else { return }
            guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else {
                let word = Self.keyword(bytes)
                if word == "exclude" || word == "include" { return }  // marks without a meaning today
                throw Reason("`keyword = value` is expected, not `\(String(decoding: bytes.prefix(40), as: UTF8.self))`")
            }
            let name = String(decoding: Self.trimmed(bytes[..<equals]), as: UTF8.self)
            let value = try Self.value(Self.trimmed(bytes[(equals + 1)...]))
            guard !value.isEmpty else { throw Reason("\(name) has no value") }
            try set(Self.keyword(bytes[..<equals]), name, value)
        }

        private mutating func set(_ keyword: String, _ name: String, _ value: String) throws(Reason) {
            switch keyword {
            case "volume":
                let volumes = value.split(separator: "|").map(String.init)
                guard !volumes.isEmpty else { throw Reason("Volume names none") }
                var unit = Unit(volumes: volumes)
                unit.storage = storage
                (unit.mediaType, unit.device, unit.slot) = (mediaType, device, slot)
                (storage, mediaType, device, slot) = ("", "", "", 0)
                units.append(unit)
            case "storage": storage = value
            // In front of the first volume these belong to it; later to the volume above them.
            case "mediatype": if units.isEmpty { mediaType = value } else { units[units.count - 1].mediaType = value }
            case "device": if units.isEmpty { device = value } else { units[units.count - 1].device = value }
            case "slot":
                guard let number = Int(value), (0...1_000_000).contains(number) else {
                    throw Reason("Slot is no number: `\(value)`")
                }
                if units.isEmpty { slot = number } else { units[units.count - 1].slot = number }
            default:
                guard !units.isEmpty else { throw Reason("\(name) stands before any Volume") }
                try Self.set(keyword, name, value, in: &units[units.count - 1])
            }
        }

        private static func set(_ keyword: String, _ name: String, _ value: String, in unit: inout Unit) throws(Reason) {
            switch keyword {
            case "volsessionid": unit.sessionIDs += try ranges(name, value)
            case "volsessiontime": unit.sessionTimes += try ranges(name, value)
            case "volfile": unit.volumeFiles += try ranges(name, value)
            case "volblock": unit.volumeBlocks += try ranges(name, value)
            case "voladdr": unit.addresses += try ranges(name, value)
            case "fileindex": unit.fileIndexes += try ranges(name, value)
            case "jobid": unit.jobIDs += try ranges(name, value)
            case "count":
                guard let count = UInt32(value) else { throw Reason("Count is no number: `\(value)`") }
                unit.count = count
            case "job": unit.jobs += list(value)
            case "client": unit.clients += list(value)
            case "jobtype": unit.jobTypes += letters(value)
            case "joblevel": unit.jobLevels += letters(value)
            case "stream":
                for word in list(value) {
                    guard let stream = Int32(word) else { throw Reason("Stream is no number: `\(word)`") }
                    unit.streams.append(stream)
                }
            case "fileregex":
                do throws(RegularExpression.Malformed) {
                    _ = try RegularExpression(Array(value.utf8))
                } catch {
                    throw Reason("FileRegex is no regular expression: \(error.reason)")
                }
                unit.fileRegex = value
            case "include", "exclude": break
            default: throw Reason("`\(name)` is no keyword")
            }
        }

        private static func list(_ value: String) -> [String] {
            value.split(separator: ",").map { String(decoding: trimmed(Array($0.utf8)[...]), as: UTF8.self) }.filter { !$0.isEmpty }
        }

        private static func letters(_ value: String) -> [UInt8] { list(value).compactMap { $0.utf8.first } }

        private static func ranges<Number: FixedWidthInteger>(
            _ name: String, _ value: String
        ) throws(Reason) -> [ClosedRange<Number>] {
            var ranges: [ClosedRange<Number>] = []
            for word in list(value) {
                let ends = word.split(separator: "-", omittingEmptySubsequences: false)
                    .map { String(decoding: trimmed(Array($0.utf8)[...]), as: UTF8.self) }
                guard ends.count <= 2, let low = Number(ends[0]), let high = Number(ends[ends.count - 1]), low >= 0 else {
                    throw Reason("\(name) wants a number or a range, not `\(word)`")
                }
                guard low <= high else { throw Reason("\(name): the range `\(word)` ends before it begins") }
                ranges.append(low...high)
            }
            guard !ranges.isEmpty else { throw Reason("\(name) has no value") }
            return ranges
        }

        /// The keyword in lower case, without blanks.
        private static func keyword(_ bytes: ArraySlice<UInt8>) -> String {
            String(decoding: bytes.filter { $0 > 32 }, as: UTF8.self).lowercased()
        }

        /// A quoted string, in which a backslash takes the next byte as it is, or the bytes up to a comment.
        private static func value(_ bytes: ArraySlice<UInt8>) throws(Reason) -> String {
            guard bytes.first == UInt8(ascii: "\"") else {
                let end = bytes.firstIndex(of: UInt8(ascii: "#")) ?? bytes.endIndex
                return String(decoding: trimmed(bytes[..<end]), as: UTF8.self)
            }
            var text: [UInt8] = []
            var escaped = false
            for byte in bytes.dropFirst() {
                if escaped {
                    text.append(byte)
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    return String(decoding: text, as: UTF8.self)
                } else {
                    text.append(byte)
                }
            }
            throw Reason("a quotation mark is not closed")
        }

        private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
            var bytes = bytes
            while let byte = bytes.first, byte <= 32 { bytes = bytes.dropFirst() }
            while let byte = bytes.last, byte <= 32 || byte == UInt8(ascii: ";") { bytes = bytes.dropLast() }
            return bytes
        }
    }
}
