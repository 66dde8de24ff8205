// Reading one directive's value by its type: the quirks of names, numbers, sizes, times and lists.

/// Turns the tokens after `=` into a value.
struct ValueReader {
    let problems: ProblemList
    /// For `$NAME` in paths.
    let variable: (String) -> String?

    /// Reads `tokens` as the value of the directive `name`.
    /// - Returns: nil after an error, which has been reported.
    func read(_ type: ValueType, of name: String, _ tokens: [Token], at location: SourceLocation) -> Value? {
        guard let first = tokens.first else {
            problems.error(location, "`\(name)` has no value.")
            return nil
        }
        var rest = tokens[...]
        switch type {
        case .name: return single(name, &rest).flatMap { self.name($0, of: name).map { .text($0) } }
        case .string, .scheduleRun, .destination, .block, .addresses: return single(name, &rest).map { .text($0.text) }
        case .strings: return single(name, &rest).map { .text($0.text) }
        case .directory: return single(name, &rest).map { .text(expanded($0)) }
        case .password: return single(name, &rest, secret: true).map { .password($0.text) }
        case .bool:
            guard let word = single(name, &rest) else { return nil }
            if let bool = Self.bool(word.text) { return .bool(bool) }
            problems.error(
                word.location, "`\(name)` takes yes or no, not \(word.shown).", hint: Self.boolHint(word.text))
            return nil
        case .nameOrBool:
            guard let word = single(name, &rest) else { return nil }
            return Self.bool(word.text).map { .bool($0) } ?? .text(word.text)
        case .word(let words):
            guard let word = single(name, &rest) else { return nil }
            if let known = words.first(where: { Words.key($0) == Words.key(word.text) }) { return .text(known) }
            let hint = Suggestion.hint(word.text, in: words)
            problems.error(
                word.location, "`\(name)` doesn't know \(word.shown).",
                hint: hint.isEmpty ? "It takes \(Self.enumeration(words))." : hint)
            return nil
        case .reference(let kind):
            return single(name, &rest).flatMap { self.name($0, of: name).map { .reference(kind, $0) } }
        case .references(let kind):
            let names = list(name, tokens).compactMap { self.name($0, of: name) }
            return names.isEmpty ? nil : .list(names.map { .reference(kind, $0) })
        case .texts:
            let texts = list(name, tokens)
            return texts.isEmpty ? nil : .list(texts.map { .text($0.text) })
        case .number: return number(name, first, tokens, in: 0...Int64(Int32.max)).map { .number($0) }
        case .integer: return number(name, first, tokens, in: Int64(Int32.min)...Int64(Int32.max)).map { .number($0) }
        case .port: return number(name, first, tokens, in: 1...65535).map { .number($0) }
        case .size: return scaled(name, tokens, units: Self.sizeUnits, what: "a size such as `50 GB`").map { .size($0) }
        case .speed:
            return scaled(name, tokens, units: Self.speedUnits, what: "a speed such as `5 mb/s`").map { .speed($0) }
        case .time: return time(name, tokens).map { .time($0) }
        }
    }

    // MARK: - Texts

    /// One text; whatever else is on the line counts for nothing in this language, which deserves a warning.
    private func single(_ name: String, _ tokens: inout ArraySlice<Token>, secret: Bool = false) -> Token? {
        guard let first = tokens.first else { return nil }
        guard let value = Words.take(&tokens) else {
            problems.error(first.location, "`\(name)` needs a value, found \(first.shown).")
            return nil
        }
        if let ignored = tokens.first {
            let words = tokens.map { $0.isText ? $0.text : String($0.shown.dropFirst().dropLast()) }.joined(
                separator: " ")
            let what = secret ? "The rest of the line" : "`\(words)`"
            let kept = secret ? "the first word" : value.shown
            problems.warning(
                ignored.location, "\(what) is ignored: `\(name)` takes \(kept).",
                hint: "Put quotes around a value with spaces or commas in it.")
        }
        return value
    }

    /// A name that a resource may have.
    func name(_ token: Token, of directive: String) -> String? {
        let text = token.text
        if text.isEmpty {
            problems.error(token.location, "`\(directive)` is empty.")
            return nil
        }
        if text.utf8.count > 127 {
            problems.error(token.location, "`\(directive)` is longer than 127 characters.")
            return nil
        }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            problems.error(
                token.location, "`\(directive)` has a line break or another control character in it.",
                hint: "Is a closing quote missing?")
            return nil
        }
        return text
    }

    /// Values separated by commas.
    private func list(_ name: String, _ tokens: [Token]) -> [Token] {
        var result: [Token] = []
        for var part in tokens.split(omittingEmptySubsequences: false, whereSeparator: { $0.kind == .comma }) {
            guard !part.isEmpty else {
                problems.error((tokens.last ?? tokens[0]).location, "A comma of `\(name)` has no name beside it.")
                continue
            }
            if let value = single(name, &part) { result.append(value) }
        }
        return result
    }

    /// `$NAME`, `${NAME}` and a leading `~/` replaced, as a shell would. Backquotes are not run.
    private func expanded(_ token: Token) -> String {
        var result = ""
        var rest = Substring(token.text)
        if rest.hasPrefix("~/"), let home = variable("HOME") {
            result = home
            rest.removeFirst()
        }
        if rest.contains("`") {
            problems.warning(
                token.location, "Backquotes in \(token.shown) are not run.", hint: "Write the path itself.")
        }
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            let isBraced = rest.hasPrefix("{")
            if isBraced { rest.removeFirst() }
            let name = rest.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
            rest = rest[name.endIndex...]
            let isClosed = isBraced && rest.hasPrefix("}")
            if isClosed { rest.removeFirst() }
            let written = "$" + (isBraced ? "{" : "") + name + (isClosed ? "}" : "")
            if name.isEmpty {
                result += written
            } else if let value = variable(String(name)) {
                result += value
            } else {
                problems.warning(token.location, "The environment has no `\(written)`; it is kept as it stands.")
                result += written
            }
        }
        return result + rest
    }

    static func bool(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "yes", "true": true
        case "no", "false": false
        default: nil
        }
    }

    private static func boolHint(_ text: String) -> String {
        switch text.lowercased() {
        case "on", "1", "enable", "enabled", "y", "t": "Write `yes`."
        case "off", "0", "disable", "disabled", "n", "f", "none": "Write `no`."
        default: ""
        }
    }

    static func enumeration(_ words: [String]) -> String {
        words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " or " + words[words.count - 1]
    }

    // MARK: - Numbers

    /// A decimal number. A unit after it is ignored, as in the original: `32 k` is 32.
    private func number(_ name: String, _ first: Token, _ tokens: [Token], in range: ClosedRange<Int64>) -> Int64? {
        let digits = first.isText ? first.text.prefix { $0.isASCII && ($0.isNumber || $0 == "-" || $0 == "+") } : ""
        guard let number = Int64(digits) else {
            let tooLong = !digits.isEmpty && digits.allSatisfy(\.isNumber)
            problems.error(
                first.location, tooLong ? "`\(name)` is too large." : "`\(name)` takes a number, not \(first.shown).")
            return nil
        }
        guard range.contains(number) else {
            problems.error(first.location, "`\(name)` takes \(range.lowerBound) to \(range.upperBound), not \(number).")
            return nil
        }
        let glued = first.text.dropFirst(digits.count)
        if !glued.isEmpty || tokens.count > 1 {
            let unit = ([String(glued)] + tokens.dropFirst().map(\.text)).filter { !$0.isEmpty }.joined(separator: " ")
            problems.warning(
                glued.isEmpty ? tokens[1].location : first.location,
                "`\(unit)` after the number is ignored: `\(name)` is \(number).",
                hint: "Write the number out.")
        }
        return number
    }

    /// Bytes by unit: 1024s without, 1000s with a `b`.
    static let sizeUnits: [String: Int64] = [
        "": 1, "k": 1 << 10, "kb": 1000, "m": 1 << 20, "mb": 1_000_000, "g": 1 << 30, "gb": 1_000_000_000, "t": 1 << 40,
        "tb": 1_000_000_000_000,
    ]
    static let speedUnits: [String: Int64] = [
        "": 1, "k/s": 1 << 10, "kb/s": 1000, "m/s": 1 << 20, "mb/s": 1_000_000, "k": 1 << 10, "kb": 1000, "m": 1 << 20,
        "mb": 1_000_000,
    ]

    private func scaled(_ name: String, _ tokens: [Token], units: [String: Int64], what: String) -> Int64? {
        guard let parts = parts(name, tokens, what: what) else { return nil }
        guard parts.count == 1, let part = parts.first else {
            problems.error(tokens[0].location, "`\(name)` takes one number with a unit: \(what).")
            return nil
        }
        guard let unit = units[part.unit.lowercased()] else {
            problems.error(
                tokens[0].location, "`\(name)` doesn't know the unit `\(part.unit)`.",
                hint: "It takes \(Self.enumeration(units.keys.filter { !$0.isEmpty }.sorted())).")
            return nil
        }
        let product = part.number * Double(unit)
        // Whole numbers are multiplied as such: a Double has only 53 bits.
        if let whole = part.whole {
            let (result, overflow) = whole.multipliedReportingOverflow(by: unit)
            if !overflow { return result }
        } else if product < 9e18 {
            return Int64(product)
        }
        problems.error(tokens[0].location, "`\(name)` is too large.")
        return nil
    }

    /// Time units in the order in which an abbreviation is looked up: `m` is a month, which surprises people.
    static let timeUnits: [(name: String, seconds: Int64)] = [
        ("n", 60), ("seconds", 1), ("months", 30 * 86400), ("minutes", 60), ("mins", 60), ("hours", 3600),
        ("days", 86400),
        ("weeks", 7 * 86400), ("quarters", 91 * 86400), ("years", 365 * 86400),
    ]

    /// Numbers with units, added up: `1 hour 30 min`. Without a unit: seconds.
    private func time(_ name: String, _ tokens: [Token]) -> Duration? {
        guard let parts = parts(name, tokens, what: "a time such as `30 days` or `1 hour 30 min`") else { return nil }
        var total = Duration.zero
        for part in parts {
            let key = part.unit.lowercased()
            guard let unit = key.isEmpty ? ("", 1) : Self.timeUnits.first(where: { $0.name.hasPrefix(key) }) else {
                problems.error(
                    tokens[0].location, "`\(name)` doesn't know the unit `\(part.unit)`.",
                    hint: "It takes \(Self.enumeration(Self.timeUnits.dropFirst().map(\.name))).")
                return nil
            }
            if key == "m" {
                problems.warning(
                    tokens[0].location, "`m` in `\(name)` means months of 30 days.",
                    hint: "Write `min` for minutes, or `months`.")
            }
            let seconds = part.number * Double(unit.1)
            // Ten thousand years; far inside what Duration holds.
            guard seconds < 3.2e11 else {
                problems.error(tokens[0].location, "`\(name)` is too long.")
                return nil
            }
            if let whole = part.whole {
                total += .seconds(whole * unit.1)
            } else {
                total += .milliseconds(Int64((seconds * 1000).rounded()))
            }
        }
        return total
    }

    private struct Part {
        var number: Double
        /// The number, where it has no fraction.
        var whole: Int64?
        var unit: String
    }

    /// Splits `1 hour 30 min`, `1hour30min`, `"50G"`, `5 mb/s` into numbers and units.
    private func parts(_ name: String, _ tokens: [Token], what: String) -> [Part]? {
        guard tokens.allSatisfy(\.isText), tokens.count < 64 else {
            let culprit = tokens.first { !$0.isText } ?? tokens[0]
            problems.error(culprit.location, "`\(name)` takes \(what), found \(culprit.shown).")
            return nil
        }
        let text = tokens.map(\.text).joined(separator: " ")
        var rest = text[...].drop { $0.isWhitespace }
        var result: [Part] = []
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard !digits.isEmpty, digits.count <= 30, let number = Double(digits), number.isFinite else {
                problems.error(tokens[0].location, "`\(name)` takes \(what), not `\(text)`.")
                return nil
            }
            rest = rest[digits.endIndex...].drop { $0.isWhitespace }
            let unit = rest.prefix { $0.isASCII && ($0.isLetter || $0 == "/") }
            rest = rest[unit.endIndex...].drop { $0.isWhitespace }
            result.append(Part(number: number, whole: Int64(digits), unit: String(unit)))
        }
        if result.isEmpty { problems.error(tokens[0].location, "`\(name)` is empty.", hint: "It takes \(what).") }
        return result.isEmpty ? nil : result
    }
}
