// From the bytes a terminal sends to the keys a person pressed.

/// A key, as far as the line editor cares.
package enum Key: Sendable, Equatable {
    case character(Character)
    case enter, tab, backspace, delete
    case left, right, up, down, home, end, wordLeft, wordRight
    case killToEnd, killToStart, killWord, yank, search, clearScreen
    case interrupt, endOfInput, escape
}

/// Decodes a stream of bytes: UTF-8, control characters, and the escape sequences of xterm, the Linux console and their kin.
///
/// Bytes may arrive cut anywhere; what is incomplete waits for the rest. Sequences that mean nothing here are dropped whole,
/// so that their tails are not typed into the line.
package struct KeyDecoder: Sendable {
    private var pending: [UInt8] = []
    package init() {}

    /// Whether an escape waits for what follows: after a short quiet it was the key of that name.
    package var isWaiting: Bool { !pending.isEmpty }

    package mutating func decode(_ bytes: [UInt8]) -> [Key] {
        pending += bytes
        var keys: [Key] = []
        var at = 0
        while at < pending.count {
            guard let (key, used) = next(pending[at...]) else { break }
            if let key { keys.append(key) }
            at += used
        }
        pending.removeFirst(at)
        // A sequence that never ends must not grow for ever.
        if pending.count > 64 { pending = [] }
        return keys
    }

    /// No more bytes came for a while: a lone escape is the key.
    package mutating func flush() -> [Key] {
        let keys: [Key] = pending == [0x1B] ? [.escape] : []
        pending = []
        return keys
    }

    /// The first key and its length in bytes; a nil key is to be ignored. Nil while more bytes are needed.
    private func next(_ bytes: ArraySlice<UInt8>) -> (Key?, Int)? {
        let first = bytes.first!
        switch first {
        case 0x1B: return escape(bytes)
        case 0x01: return (.home, 1)
        case 0x02: return (.left, 1)
        case 0x03: return (.interrupt, 1)
        case 0x04: return (.endOfInput, 1)
        case 0x05: return (.end, 1)
        case 0x06: return (.right, 1)
        case 0x08, 0x7F: return (.backspace, 1)
        case 0x09: return (.tab, 1)
        case 0x0A, 0x0D: return (.enter, 1)
        case 0x0B: return (.killToEnd, 1)
        case 0x0C: return (.clearScreen, 1)
        case 0x0E: return (.down, 1)
        case 0x10: return (.up, 1)
        case 0x12: return (.search, 1)
        case 0x15: return (.killToStart, 1)
        case 0x17: return (.killWord, 1)
        case 0x19: return (.yank, 1)
        case 0..<0x20: return (nil, 1)
        case 0x20..<0x80: return (.character(Character(Unicode.Scalar(first))), 1)
        default: return scalar(bytes)
        }
    }

    private func scalar(_ bytes: ArraySlice<UInt8>) -> (Key?, Int)? {
        let length =
            switch bytes.first! {
            case 0xC2...0xDF: 2
            case 0xE0...0xEF: 3
            case 0xF0...0xF4: 4
            default: 1  // no beginning of a character
            }
        // A byte that can't continue the character shows that the rest will never come.
        let rest = bytes.dropFirst().prefix(length - 1)
        if rest.contains(where: { $0 & 0xC0 != 0x80 }) { return (nil, 1) }
        guard bytes.count >= length else { return nil }
        guard length > 1, let text = String(validating: bytes.prefix(length), as: UTF8.self), let character = text.first
        else {
            return (nil, 1)
        }
        return (.character(character), length)
    }

    private func escape(_ bytes: ArraySlice<UInt8>) -> (Key?, Int)? {
        let bytes = Array(bytes)
        guard bytes.count > 1 else { return nil }
        switch bytes[1] {
        case UInt8(ascii: "b"), UInt8(ascii: "B"): return (.wordLeft, 2)
        case UInt8(ascii: "f"), UInt8(ascii: "F"): return (.wordRight, 2)
        case 0x7F: return (.killWord, 2)
        case UInt8(ascii: "O"):
            guard bytes.count > 2 else { return nil }
            return (Self.final(bytes[2], parameters: ""), 3)
        case UInt8(ascii: "["):
            // CSI: parameters 0x30–0x3F, intermediates 0x20–0x2F, one final byte 0x40–0x7E (ECMA-48 5.4).
            var at = 2
            while at < bytes.count, (0x20..<0x40).contains(bytes[at]) { at += 1 }
            guard at < bytes.count else { return nil }
            let parameters = String(decoding: bytes[2..<at], as: UTF8.self)
            return (Self.final(bytes[at], parameters: parameters), at + 1)
        case 0x1B: return (.escape, 1)
        default: return (nil, 2)
        }
    }

    private static func final(_ byte: UInt8, parameters: String) -> Key? {
        let control = parameters.hasSuffix(";5") || parameters.hasSuffix(";3")
        return switch byte {
        case UInt8(ascii: "A"): .up
        case UInt8(ascii: "B"): .down
        case UInt8(ascii: "C"): control ? .wordRight : .right
        case UInt8(ascii: "D"): control ? .wordLeft : .left
        case UInt8(ascii: "H"): .home
        case UInt8(ascii: "F"): .end
        case UInt8(ascii: "~"):
            switch parameters {
            case "1", "7": .home
            case "4", "8": .end
            case "3": .delete
            default: nil
            }
        default: nil
        }
    }
}
