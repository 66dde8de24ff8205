// POSIX access control lists, between the kernel's bytes and the text that travels (bacula-wire 5.8).
//
// The kernel's form, values of system.posix_acl_access and system.posix_acl_default, little-endian
// (linux/posix_acl_xattr.h):
//
//     offset  size  field
//     0       4     version, 2
//     then for every entry
//     0       2     tag: 1 owner, 2 user, 4 owning group, 8 group, 0x10 mask, 0x20 other
//     2       2     permissions: 4 read, 2 write, 1 execute
//     4       4     user or group number; 0xFFFFFFFF for the tags that have none
//
// The text: one line per entry, `user:name:rwx`, and a NUL at the end.

import Platform

/// One access control list.
package struct PosixACL: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package enum Tag: UInt16, Sendable { case owner = 1, user = 2, owningGroup = 4, group = 8, mask = 0x10, other = 0x20 }
        package var tag: Tag
        package var permissions: UInt16
        /// Of a `.user` or `.group` entry.
        package var number: UInt32
        package init(_ tag: Tag, _ permissions: UInt16, number: UInt32 = .max) {
            self.tag = tag
            self.permissions = permissions
            self.number = number
        }
    }
    package var entries: [Entry]
    package init(entries: [Entry]) { self.entries = entries }

    package static let accessAttribute = Array("system.posix_acl_access".utf8)
    package static let defaultAttribute = Array("system.posix_acl_default".utf8)

    /// More than owner, group and other: what the permission bits can't say.
    package var isExtended: Bool { entries.count > 3 }

    /// Decodes the kernel's form; nil when it is not one.
    package init?(attribute bytes: [UInt8]) {
        func number16(_ at: Int) -> UInt16 { UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8 }
        func number32(_ at: Int) -> UInt32 { UInt32(number16(at)) | UInt32(number16(at + 2)) << 16 }
        guard bytes.count >= 4, (bytes.count - 4) % 8 == 0, number32(0) == 2 else { return nil }
        entries = []
        for at in stride(from: 4, to: bytes.count, by: 8) {
            guard let tag = Entry.Tag(rawValue: number16(at)) else { return nil }
            entries.append(Entry(tag, number16(at + 2) & 7, number: number32(at + 4)))
        }
    }

    /// The kernel's form.
    package var attribute: [UInt8] {
        var bytes: [UInt8] = [2, 0, 0, 0]
        // The kernel wants them ordered by tag, then number.
        let ordered = entries.sorted { ($0.tag.rawValue, $0.number) < ($1.tag.rawValue, $1.number) }
        for entry in ordered {
            for value in [entry.tag.rawValue, entry.permissions] { bytes += [UInt8(value & 0xFF), UInt8(value >> 8)] }
            let named = entry.tag == .user || entry.tag == .group
            let number = named ? entry.number : .max
            for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) }
        }
        return bytes
    }

    /// The text form without the NUL: names where this machine has them, else numbers.
    package func text(userName: (UInt32) -> String?, groupName: (UInt32) -> String?) -> String {
        var text = ""
        for entry in entries {
            switch entry.tag {
            case .owner: text += "user::"
            case .user: text += "user:\(userName(entry.number) ?? String(entry.number)):"
            case .owningGroup: text += "group::"
            case .group: text += "group:\(groupName(entry.number) ?? String(entry.number)):"
            case .mask: text += "mask::"
            case .other: text += "other::"
            }
            text += entry.permissions & 4 != 0 ? "r" : "-"
            text += entry.permissions & 2 != 0 ? "w" : "-"
            text += entry.permissions & 1 != 0 ? "x" : "-"
            text += "\n"
        }
        // libacl prints the mask line as "mask::", other writers as "mask:"; ours is libacl's.
        return text
    }

    package var text: String { text(userName: Accounts.shared.userName, groupName: Accounts.shared.groupName) }

    /// Reads the text form: entries separated by newlines or commas, comments after `#`, long or one-letter keywords.
    /// - Returns: nil when a line can't be read or names an account that is neither here nor a number.
    package init?(text: String, userNumber: (String) -> UInt32?, groupNumber: (String) -> UInt32?) {
        entries = []
        for line in text.split(whereSeparator: { $0 == "\n" || $0 == "," || $0 == "\0" }) {
            let words = line.prefix { $0 != "#" }.filter { $0 != " " && $0 != "\t" }
            if words.isEmpty { continue }
            let fields = words.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            // `mask:rwx` and `other:rwx` are allowed beside `mask::rwx`.
            guard fields.count == 3 || fields.count == 2 else { return nil }
            let who = fields.count == 3 ? fields[1] : ""
            var permissions: UInt16 = 0
            for letter in fields[fields.count - 1] {
                switch letter {
                case "r": permissions |= 4
                case "w": permissions |= 2
                case "x", "X": permissions |= 1
                case "-": break
                default: return nil
                }
            }
            switch (fields[0], who.isEmpty) {
            case ("user", true), ("u", true): entries.append(Entry(.owner, permissions))
            case ("group", true), ("g", true): entries.append(Entry(.owningGroup, permissions))
            case ("mask", true), ("m", true): entries.append(Entry(.mask, permissions))
            case ("other", true), ("o", true): entries.append(Entry(.other, permissions))
            case ("user", false), ("u", false):
                guard let number = userNumber(who) ?? UInt32(who) else { return nil }
                entries.append(Entry(.user, permissions, number: number))
            case ("group", false), ("g", false):
                guard let number = groupNumber(who) ?? UInt32(who) else { return nil }
                entries.append(Entry(.group, permissions, number: number))
            default: return nil
            }
        }
        // The kernel takes 8,191 entries at most (64 KiB of value).
        guard !entries.isEmpty, entries.count < 8192 else { return nil }
    }

    package init?(text: String) {
        self.init(text: text, userNumber: Accounts.shared.userNumber, groupNumber: Accounts.shared.groupNumber)
    }
}
