// The %-codes of commands, bootstrap names and mail (bacula-wire 8.8), and the splitting of commands into words.

/// Replaces %-codes. Codes that have no value stay as they are.
package struct PercentCodes: Sendable {
    /// By letter.
    package var values: [Character: String]
    package init(_ values: [Character: String] = [:]) { self.values = values }

    package func expand(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let percent = rest.firstIndex(of: "%") {
            result += rest[..<percent]
            let next = rest.index(after: percent)
            guard next < rest.endIndex else {
                rest = rest[percent...]
                break
            }
            let code = rest[next]
            if code == "%" { result += "%" } else { result += values[code] ?? "%\(code)" }
            rest = rest[rest.index(after: next)...]
        }
        return result + rest
    }
}

/// A command line as the daemons split it: words between blanks, quotes hold words together. No shell is involved.
package enum CommandLineWords {
    package static func split(_ line: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isInWord = false
        var quote: Character?
        var isEscaped = false
        for character in line {
            if isEscaped {
                word.append(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
                isInWord = true
            } else if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "\"" || character == "'" {
                quote = character
                isInWord = true
            } else if character == " " || character == "\t" || character == "\n" {
                if isInWord { words.append(word) }
                word = ""
                isInWord = false
            } else {
                word.append(character)
                isInWord = true
            }
        }
        if isInWord { words.append(word) }
        return words
    }
}
