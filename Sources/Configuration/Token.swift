// What a configuration file is made of: words, quoted strings and punctuation, each with its place.

/// One token. Words are split at every space; `Words.joined` puts letters-only words together where the language does.
struct Token: Hashable {
    enum Kind: Hashable {
        /// An unquoted word.
        case word
        /// A quoted string, its quotes and escapes taken away.
        case string
        case open, close, equals, comma
        /// A line break or `;`.
        case endOfLine
        /// The end of the outermost file.
        case end
    }
    var kind: Kind
    var text: String
    var location: SourceLocation

    var isText: Bool { kind == .word || kind == .string }
    /// The token as an error message shows it.
    var shown: String {
        switch kind {
        case .word: "`\(text)`"
        case .string: "\"\(text)\""
        case .open: "`{`"
        case .close: "`}`"
        case .equals: "`=`"
        case .comma: "`,`"
        case .endOfLine: "the end of the line"
        case .end: "the end of the file"
        }
    }
}

/// Bacula's rule for unquoted words: letters-only words grow over the spaces that follow.
enum Words {
    /// Takes one value from the front of `tokens`: a quoted string, or a word. `Maximum Concurrent Jobs` is one word of
    /// three parts, because each is all letters; a word ends at the first space once it holds anything else.
    /// - Returns: nil when `tokens` begins with no text.
    static func take(_ tokens: inout ArraySlice<Token>) -> Token? {
        guard var result = tokens.first, result.isText else { return nil }
        tokens.removeFirst()
        guard result.kind == .word else { return result }
        var lettersOnly = isLetters(result.text)
        while lettersOnly, let next = tokens.first, next.kind == .word {
            tokens.removeFirst()
            result.text += next.text
            lettersOnly = isLetters(next.text)
        }
        return result
    }

    static func isLetters(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
    }

    /// The form in which keywords are compared: no spaces, lower case.
    static func key(_ text: String) -> String { String(text.lowercased().filter { $0 != " " && $0 != "\t" }) }
}
