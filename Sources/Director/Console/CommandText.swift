// Reading a command line: a verb, then keywords with or without values (bacula-wire 7.2).

/// A command as it was typed: `run job="Nightly Backup" level=full yes`.
///
/// Words are separated by white space; double quotes keep white space together anywhere in a word, and inside them a
/// backslash takes the next character as it is. Keywords are matched without case. There is no wrong command text: an
/// unfinished quote runs to the end of the line.
package struct CommandText: Sendable, Equatable {
    package struct Argument: Sendable, Equatable {
        /// As typed; for a bare word the whole word.
        package var keyword: String
        /// nil for a bare word, empty for `keyword=`.
        package var value: String?
        package init(_ keyword: String, _ value: String? = nil) {
            self.keyword = keyword
            self.value = value
        }
    }
    /// The first word as typed; empty for an empty line.
    package var verb: String
    package var arguments: [Argument]
    /// What follows the verb, as typed: for commands whose argument is not made of words (SQL).
    package var rest: String

    package init(_ line: some StringProtocol) {
        // Scalar by scalar: a combining mark after a quote or a space would hide it inside one Character.
        var words: [Argument] = []
        var current = String.UnicodeScalarView()
        var keyword: String?
        var inWord = false
        var inQuotes = false
        var escaped = false
        var wasQuoted = false
        var verbEnd: String.Index?

        func finish(at index: String.Index) {
            guard inWord else { return }
            let text = String(current)
            words.append(keyword.map { Argument($0, text) } ?? Argument(text))
            if words.count == 1 { verbEnd = index }
            current = String.UnicodeScalarView()
            keyword = nil
            inWord = false
            wasQuoted = false
        }
        let scalars = String(line).unicodeScalars
        for index in scalars.indices {
            let scalar = scalars[index]
            if escaped {
                current.append(scalar)
                escaped = false
            } else if inQuotes, scalar == "\\" {
                escaped = true
            } else if scalar == "\"" {
                inQuotes.toggle()
                inWord = true
                wasQuoted = true
            } else if !inQuotes, scalar.properties.isWhitespace {
                finish(at: index)
            } else if !inQuotes, scalar == "=", keyword == nil, !wasQuoted, !current.isEmpty {
                keyword = String(current)
                current = String.UnicodeScalarView()
            } else {
                current.append(scalar)
                inWord = true
            }
        }
        finish(at: scalars.endIndex)
        verb = words.first.map { $0.value == nil ? $0.keyword : "\($0.keyword)=\($0.value!)" } ?? ""
        arguments = Array(words.dropFirst())
        rest = verbEnd.map { String(scalars[$0...]).trimmed } ?? ""
    }

    /// Whether the bare word, or the keyword with any value, is there.
    package func has(_ keyword: String) -> Bool { arguments.contains { $0.keyword.isSameWord(as: keyword) } }

    /// The value of the first of these keywords that has one.
    package func value(_ keywords: String...) -> String? {
        for keyword in keywords {
            if let argument = arguments.first(where: { $0.value != nil && $0.keyword.isSameWord(as: keyword) }) {
                return argument.value
            }
        }
        return nil
    }

    /// All values of a keyword that may be repeated, in order.
    package func values(_ keyword: String) -> [String] {
        arguments.compactMap { $0.keyword.isSameWord(as: keyword) ? $0.value : nil }
    }

    /// The line again, quoted where needed.
    package var line: String {
        ([Self.quoted(verb)]
            + arguments.map { argument in
                argument.value.map { "\(argument.keyword)=\(Self.quoted($0))" } ?? Self.quoted(argument.keyword)
            }).joined(separator: " ")
    }

    static func quoted(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard
            text.isEmpty
                || scalars.contains(where: { $0.properties.isWhitespace || $0 == "\"" || $0 == "\\" || $0 == "=" })
        else { return text }
        var quoted: String.UnicodeScalarView = "\"".unicodeScalars
        for scalar in scalars {
            if scalar == "\"" || scalar == "\\" { quoted.append("\\") }
            quoted.append(scalar)
        }
        quoted.append("\"")
        return String(quoted)
    }
}

extension StringProtocol {
    func isSameWord(as other: some StringProtocol) -> Bool {
        count == other.count && lowercased() == other.lowercased()
    }
    /// Without white space at both ends.
    var trimmed: String {
        var part = self[...]
        while let first = part.first, first.isWhitespace { part.removeFirst() }
        while let last = part.last, last.isWhitespace { part.removeLast() }
        return String(part)
    }
}

/// What an abbreviation stands for.
package enum Abbreviation: Equatable {
    case one(String)
    case none
    case several([String])

    /// An exact word wins over longer ones that begin with it. Words are compared without case.
    package static func resolve(_ text: String, among words: [String]) -> Abbreviation {
        let wanted = text.lowercased()
        if words.contains(wanted) { return .one(wanted) }
        let candidates = wanted.isEmpty ? [] : words.filter { $0.hasPrefix(wanted) }
        switch candidates.count {
        case 0: return .none
        case 1: return .one(candidates[0])
        default: return .several(candidates)
        }
    }
}
