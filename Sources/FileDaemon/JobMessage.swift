// What a job says about itself while it runs: to the director's messages, or to a terminal.

/// One message of a job. The raw values are the numbers of `Jmsg type=` (bacula-wire 8.6).
package struct JobMessage: Sendable, Hashable {
    package enum Kind: Int, Sendable {
        case abort = 1, debug, fatal, error, warning, info, saved, notSaved, skipped, mount, errorTerminated, terminated
        case restored, security, alert, volumeManagement
    }
    package var kind: Kind
    package var text: String

    package init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }
}

/// A path as text for people: valid UTF-8 stays as it is, control characters and other bytes become `\n`, `\xE9`, ….
/// Distinct paths give distinct texts, because a backslash is doubled where anything was escaped.
package func printable(_ path: some Sequence<UInt8>) -> String {
    let bytes = Array(path)
    if let text = String(validating: bytes, as: UTF8.self), !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return text }
    var result = ""
    var rest = bytes[...]
    while let byte = rest.first {
        let length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 0
        if length > 1, let scalar = String(validating: rest.prefix(length), as: UTF8.self) {
            result += scalar
            rest = rest.dropFirst(length)
            continue
        }
        rest = rest.dropFirst()
        switch byte {
        case 0x0A: result += "\\n"
        case 0x5C: result += "\\\\"
        case 0x20..<0x7F: result.unicodeScalars.append(Unicode.Scalar(byte))
        default: result += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
    }
    return result
}
