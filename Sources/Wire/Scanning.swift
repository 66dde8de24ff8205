// Reading and writing the text commands of the dialogues (bacula-wire 1.4).

/// Bashed names: spaces travel as byte 1 in every space-separated message.
package enum Bashed {
    package static func encode(_ text: String) -> String { text.replacing(" ", with: "\u{1}") }
    package static func decode(_ text: some StringProtocol) -> String { text.replacing("\u{1}", with: " ") }
}

extension StringProtocol {
    func replacing(_ old: Character, with new: Character) -> String { String(map { $0 == old ? new : $0 }) }
}

/// The fields of a message, read by a format in the manner of the daemons' private scanf: literals must match, white
/// space matches any white space or none, `%s` takes a word (perhaps empty), `%d` a number (no digits: 0).
///
///     scan("JobId=12 Job=a.b", "JobId=%d Job=%s")   // ["12", "a.b"]
///
/// Fields that the message has no text left for are empty (`%s`) or `"0"` (`%d`), as long as no literal stands before them.
///
/// - Returns: The conversions' texts in order, or nil where a literal does not match. The text of a `%d` always fits an
///   `Int64`: numbers beyond it, which no daemon sends, become its greatest or least.
package func scan(_ message: some StringProtocol, _ format: String) -> [String]? {
    let text = Array(message.utf8)
    let pattern = Array(format.utf8)
    var fields: [String] = []
    var at = 0
    var index = 0
    func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    while index < pattern.count {
        let byte = pattern[index]
        if isSpace(byte) {
            while at < text.count, isSpace(text[at]) { at += 1 }
            index += 1
        } else if byte == UInt8(ascii: "%"), index + 1 < pattern.count {
            let start = at
            if pattern[index + 1] == UInt8(ascii: "d") {
                if at < text.count, text[at] == UInt8(ascii: "-") { at += 1 }
                while at < text.count, text[at] &- 48 < 10 { at += 1 }
                fields.append(number(text[start..<at]))
            } else {
                while at < text.count, !isSpace(text[at]) { at += 1 }
                fields.append(String(decoding: text[start..<at], as: UTF8.self))
            }
            index += 2
        } else {
            guard at < text.count, text[at] == byte else { return nil }
            at += 1
            index += 1
        }
    }
    return fields
}

/// Digits with an optional sign, as a text that every `Int64` reading accepts.
private func number(_ digits: ArraySlice<UInt8>) -> String {
    let text = String(decoding: digits, as: UTF8.self)
    if Int64(text) != nil { return text }
    let isNegative = text.hasPrefix("-")
    guard text.utf8.count > (isNegative ? 1 : 0) else { return "0" }
    return String(isNegative ? Int64.min : Int64.max)
}
