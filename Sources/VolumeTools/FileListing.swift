// How a file on a volume is shown: as `ls -l` shows files.

package import Volumes
import Platform

package enum FileListing {
    /// `-rw-r--r--   1 0      0          12345 2026-11-21 01:02:03 /path/name -> target`
    package static func line(_ record: AttributeRecord) -> String {
        let status = record.status
        var line = mode(status.mode, isDeleted: record.type == .deleted)
        line += padded(String(status.links), 4) + " " + padded(String(status.user), 6) + " " + padded(String(status.group), 6)
        line += padded(String(status.size), 13) + " " + WallTime(seconds: clamped(status.modifyTime)).localText + " "
        line += printable(record.name)
        if !record.link.isEmpty { line += (record.type == .symbolicLink ? " -> " : " link to ") + printable(record.link) }
        return line
    }

    /// A path as text on one line: control characters and bytes that are not UTF-8 as `\ooo`, a backslash doubled.
    package static func printable(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self),
            text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 && $0 != "\\" && !(0x80...0x9F ~= $0.value) })
        {
            return text
        }
        var text = ""
        for byte in bytes {
            if byte == UInt8(ascii: "\\") {
                text += "\\\\"
            } else if byte >= 32, byte < 127 {
                text.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                let octal = String(byte, radix: 8)
                text += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
            }
        }
        return text
    }

    /// The ten characters of `ls -l`; a deleted file has no mode and is shown as `deleted`.
    static func mode(_ mode: Int64, isDeleted: Bool) -> String {
        if isDeleted { return "deleted   " }
        let types: [Int64: Character] = [
            0o140000: "s", 0o120000: "l", 0o100000: "-", 0o060000: "b", 0o040000: "d", 0o020000: "c", 0o010000: "p",
        ]
        var text = String(types[mode & 0o170000] ?? "?")
        for shift in [6, 3, 0] as [Int64] {
            let bits = mode >> shift
            text += bits & 4 != 0 ? "r" : "-"
            text += bits & 2 != 0 ? "w" : "-"
            let special = shift == 6 ? mode & 0o4000 : shift == 3 ? mode & 0o2000 : mode & 0o1000
            let letters = shift == 0 ? ("t", "T") : ("s", "S")
            text += special != 0 ? (bits & 1 != 0 ? letters.0 : letters.1) : (bits & 1 != 0 ? "x" : "-")
        }
        return text
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.utf8.count)) + text
    }

    /// Times that no calendar has are damage; they must not trap it.
    private static func clamped(_ seconds: Int64) -> Int64 { min(max(seconds, -62_135_596_800), 253_402_300_799) }
}
