// What Tab offers: commands, their keywords, and the names that the director knows.

/// Completes the word before the cursor. Pure but for `names`, which asks the director.
package struct Completion: Sendable {
    /// A command and the words that may follow it.
    package struct Command: Sendable, Equatable {
        package var name: String
        /// With `=` at the end where a value follows.
        package var keywords: [String]
        package init(name: String, keywords: [String]) {
            self.name = name
            self.keywords = keywords
        }
    }
    package var commands: [Command]
    package init(commands: [Command]) { self.commands = commands }

    package struct Answer: Sendable, Equatable {
        /// How many characters before the cursor are replaced.
        package var replacing: Int
        /// What all candidates have in common, at least the word itself; with a space at the end where there is but one.
        package var common: String
        package var candidates: [String]
    }

    /// The dot command that lists the values of a keyword, as both directors know them.
    package static func source(of keyword: String) -> String? {
        switch keyword.lowercased() {
        case "job", "jobname", "restorejob": ".jobs"
        case "client", "restoreclient", "fd": ".clients"
        case "pool", "nextpool", "frompool": ".pools"
        case "storage", "sd": ".storage"
        case "fileset": ".filesets"
        case "level": ".levels"
        case "catalog": ".catalogs"
        case "volume": ".media"
        case "volstatus": ".volstatus"
        default: nil
        }
    }

    /// - Parameter names: The values that a dot command lists; empty where it can't be asked.
    package func complete(_ line: String, names: (String) -> [String]) -> Answer {
        // The word before the cursor; a quote keeps white space inside it.
        var start = line.startIndex
        var inQuotes = false
        for index in line.indices {
            if line[index] == "\"" {
                inQuotes.toggle()
            } else if line[index].isWhitespace, !inQuotes {
                start = line.index(after: index)
            }
        }
        let word = String(line[start...])
        let before = line[..<start].split(whereSeparator: \.isWhitespace)
        if let equals = word.firstIndex(of: "=") {
            let keyword = String(word[..<equals])
            let value = word[word.index(after: equals)...].filter { $0 != "\"" }
            let known = Self.source(of: keyword).map(names) ?? Self.fixed(keyword)
            let matches = known.filter { $0.lowercased().hasPrefix(value.lowercased()) }.sorted()
            return Self.answer(word, matches.map { keyword + "=" + Self.quoted($0) }, shown: matches)
        }
        guard let verb = before.first.map({ $0.lowercased() }) else {
            let matches = commands.map(\.name).filter { $0.hasPrefix(word.lowercased()) }.sorted()
            return Self.answer(word, matches, shown: matches)
        }
        let candidates = commands.filter { $0.name == verb }
        let command = candidates.first ?? commands.filter { $0.name.hasPrefix(verb) }.first
        let matches = (command?.keywords ?? []).filter { $0.lowercased().hasPrefix(word.lowercased()) }.sorted()
        return Self.answer(word, matches, shown: matches)
    }

    private static func fixed(_ keyword: String) -> [String] {
        switch keyword.lowercased() {
        case "replace": ["always", "ifnewer", "ifolder", "never"]
        case "accurate", "enabled", "recycle", "spooldata": ["yes", "no"]
        default: []
        }
    }

    private static func quoted(_ text: String) -> String { text.contains(where: \.isWhitespace) ? "\"\(text)\"" : text }

    private static func answer(_ word: String, _ matches: [String], shown: [String]) -> Answer {
        guard var common = matches.first else { return Answer(replacing: word.count, common: word, candidates: []) }
        for match in matches.dropFirst() {
            common = String(zip(common, match).prefix { $0.0.lowercased() == $0.1.lowercased() }.map(\.0))
        }
        if matches.count == 1, !common.hasSuffix("=") { common += " " }
        // Never less than what is typed: where the candidates differ in case only, keep the word.
        if common.count < word.count { common = word }
        return Answer(replacing: word.count, common: common, candidates: shown)
    }
}
