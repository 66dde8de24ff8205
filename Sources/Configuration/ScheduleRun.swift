// `Run = …` of a Schedule: when, and with which settings.
//
// All given categories must hold at once (a day of the month AND a day of the week AND …); a category that is not
// given always holds. The last day of the month is added to the days of the month. Several Run lines are alternatives.

/// One Run line, read.
package struct ScheduleRun: Sendable, Hashable {
    /// The line in one form: what `show` prints and what is kept in the resource.
    package var text = ""

    package var level: String?
    package var pool: String?
    package var fullPool: String?
    package var incrementalPool: String?
    package var differentialPool: String?
    package var nextPool: String?
    package var storage: String?
    package var messages: String?
    package var priority: Int?
    package var spoolData: Bool?
    package var writePartAfterJob: Bool?
    package var accurate: Bool?
    package var maxRunSchedTime: Duration?

    // Empty: every one.
    package var daysOfMonth: Set<Int> = []  // 1…31
    package var lastDayOfMonth = false
    package var months: Set<Int> = []  // 1…12
    package var weekdays: Set<Int> = []  // 0 is Sunday
    package var weeksOfMonth: Set<Int> = []  // 1: days 1–7, 2: days 8–14, …
    package var weeksOfYear: Set<Int> = []  // 0…53, ISO weeks
    /// Hours of the day at which it runs, local time.
    package var hours: Set<Int> = [0]
    package var minute = 0

    /// Reads a line that has been checked before; what it can't read is left out.
    package init(_ text: String) {
        let problems = ProblemList()
        var lexer = Lexer(Array(text.utf8), name: "Run", sources: .none, problems: problems)
        var tokens: [Token] = []
        while true {
            let token = lexer.next()
            if token.kind == .end { break }
            if token.kind != .endOfLine { tokens.append(token) }
        }
        self = Self.read(tokens, at: SourceLocation(file: "Run", line: 1, column: 1), problems: problems).run
    }

    private init() {}

    /// References to other resources, by the keyword that makes them.
    var references: [(directive: String, value: Value)] {
        let named: [(String, ResourceKind, String?)] = [
            ("Pool", .pool, pool), ("FullPool", .pool, fullPool), ("IncrementalPool", .pool, incrementalPool),
            ("DifferentialPool", .pool, differentialPool), ("NextPool", .pool, nextPool),
            ("Storage", .storage, storage),
            ("Messages", .messages, messages),
        ]
        return named.compactMap { word, kind, name in name.map { ("Run … \(word)", .reference(kind, $0)) } }
    }

    // MARK: - Reading

    private static let keywords = [
        "Level", "Pool", "FullPool", "IncrementalPool", "DifferentialPool", "NextPool", "Storage", "Messages",
        "Priority", "SpoolData",
        "WritePartAfterJob", "MaxRunSchedTime", "Accurate",
    ]
    private static let monthNames = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]
    private static let dayNames = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
    private static let ordinals = ["first", "second", "third", "fourth", "fifth", "sixth"]
    private static let shortOrdinals = ["1st", "2nd", "3rd", "4th", "5th", "6th"]

    /// One word of the calendar, or an end of a range.
    private enum Item: Hashable {
        case dayOfMonth(Int), month(Int), weekday(Int), weekOfMonth(Int), weekOfYear(Int)

        /// Which of the five it is, and its number; ranges join two of one category.
        var parts: (category: Int, number: Int, first: Int, last: Int) {
            switch self {
            case .dayOfMonth(let n): (0, n, 1, 31)
            case .month(let n): (1, n, 1, 12)
            case .weekday(let n): (2, n, 0, 6)
            case .weekOfMonth(let n): (3, n, 1, 6)
            case .weekOfYear(let n): (4, n, 0, 53)
            }
        }
    }

    private static func item(_ word: Substring) -> Item? {
        if let day = Int(word), word.allSatisfy(\.isNumber) { return (1...31).contains(day) ? .dayOfMonth(day) : nil }
        if word.count >= 2, word.first == "w", let week = Int(word.dropFirst()), word.dropFirst().allSatisfy(\.isNumber) {
            return week <= 53 ? .weekOfYear(week) : nil
        }
        if let number = ordinals.firstIndex(of: String(word)) ?? shortOrdinals.firstIndex(of: String(word)) {
            return .weekOfMonth(number + 1)
        }
        // Names are the whole word or its first three letters.
        func index(in names: [String]) -> Int? { names.firstIndex { $0 == word || $0.prefix(3) == word } }
        if let month = index(in: monthNames) { return .month(month + 1) }
        if let day = index(in: dayNames) { return .weekday(day) }
        return nil
    }

    /// `23:05`, `11:05pm`.
    private static func time(_ word: String) -> (hour: Int, minute: Int)? {
        var digits = word[...]
        var afternoon: Bool?
        if digits.hasSuffix("am") || digits.hasSuffix("pm") {
            afternoon = digits.hasSuffix("pm")
            digits = digits.dropLast(2)
        }
        let fields = digits.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 2, fields.allSatisfy({ (1...2).contains($0.count) && $0.allSatisfy(\.isNumber) }) else {
            return nil
        }
        guard var hour = Int(fields[0]), let minute = Int(fields[1]), minute < 60 else { return nil }
        if let afternoon {
            guard (1...12).contains(hour) else { return nil }
            hour = hour % 12 + (afternoon ? 12 : 0)
        }
        return hour < 24 ? (hour, minute) : nil
    }

    /// - Returns: The line, and whether it was free of errors.
    static func read(_ tokens: [Token], at location: SourceLocation, problems: ProblemList) -> (
        run: ScheduleRun, isSound: Bool
    ) {
        var run = ScheduleRun()
        var isSound = true
        func fail(_ token: Token, _ message: String, _ hint: String = "") {
            problems.error(token.location, message, hint: hint)
            isSound = false
        }
        run.text = canonical(tokens)
        var rest = tokens[...]
        var hourly = false
        var clock: (hour: Int, minute: Int)?
        var periods: [(word: String, token: Token)] = []
        while let token = rest.popFirst() {
            if token.kind == .comma { continue }
            guard token.isText else {
                fail(token, "`Run` can't take \(token.shown) here.")
                continue
            }
            if rest.first?.kind == .equals {
                rest.removeFirst()
                guard let value = rest.popFirst(), value.isText else {
                    fail(token, "`\(token.text)` of `Run` has no value.")
                    continue
                }
                isSound = run.set(token, value, problems: problems) && isSound
                continue
            }
            let word = token.text.lowercased()
            if let level = ConfigurationTables.levels.first(where: { $0.lowercased() == word }) {
                run.level = level
                continue
            }
            switch word {
            case "on": continue
            case "at":
                guard let next = rest.popFirst(), next.isText, let time = time(next.text.lowercased()) else {
                    fail(
                        token, "`at` needs a time such as `23:05`.", "`am` and `pm` follow without a space: `11:05pm`.")
                    continue
                }
                clock = time
            case "hourly": hourly = true
            case "daily", "weekly", "monthly": periods.append((word, token))
            case "lastday": run.lastDayOfMonth = true
            default:
                if time(word) != nil {
                    fail(token, "The time `\(token.text)` needs `at` before it.", "Write `at \(token.text)`.")
                } else if let dash = word.firstIndex(of: "-"), let first = item(word[..<dash]),
                    let last = item(word[word.index(after: dash)...])
                {
                    guard first.parts.category == last.parts.category else {
                        fail(token, "The range `\(token.text)` joins two different things.")
                        continue
                    }
                    run.add(first, through: last)
                } else if let item = item(word[...]) {
                    run.add(item, through: item)
                } else {
                    let names = dayNames + monthNames
                    let known =
                        names + names.map { String($0.prefix(3)) } + ordinals + [
                            "at", "hourly", "daily", "weekly", "monthly", "lastday",
                        ] + ConfigurationTables.levels
                    fail(token, "`Run` doesn't know \(token.shown).", Suggestion.hint(token.text, in: known))
                }
            }
        }
        run.minute = clock?.minute ?? 0
        run.hours = hourly ? Set(0...23) : [clock?.hour ?? 0]
        for (word, token) in periods {
            // As in the original these words restrict nothing, which is not what they seem to say.
            if word == "weekly" && run.weekdays.isEmpty && run.daysOfMonth.isEmpty {
                problems.warning(token.location, "`weekly` alone runs on every day.", hint: "Name the day: `sun`.")
            } else if word == "monthly" && run.daysOfMonth.isEmpty && run.weekdays.isEmpty && !run.lastDayOfMonth {
                problems.warning(
                    token.location, "`monthly` alone runs on every day.", hint: "Name the day: `1`, or `1st sun`.")
            }
        }
        return (run, isSound)
    }

    /// Adds the days from `first` to `last`; a range may run over the end: `fri-mon`.
    private mutating func add(_ first: Item, through last: Item) {
        let (category, from, lowest, highest) = first.parts
        let to = last.parts.number
        let numbers = from <= to ? Set(from...to) : Set(from...highest).union(lowest...to)
        switch category {
        case 0: daysOfMonth.formUnion(numbers)
        case 1: months.formUnion(numbers)
        case 2: weekdays.formUnion(numbers)
        case 3: weeksOfMonth.formUnion(numbers)
        default: weeksOfYear.formUnion(numbers)
        }
    }

    /// Takes `keyword = value` over. - Returns: false after an error.
    private mutating func set(_ keyword: Token, _ value: Token, problems: ProblemList) -> Bool {
        let reader = ValueReader(problems: problems, variable: { _ in nil })
        func read(_ type: ValueType) -> Value? { reader.read(type, of: keyword.text, [value], at: keyword.location) }
        func bool() -> Bool? { if case .bool(let bool)? = read(.bool) { bool } else { nil } }
        let name = value.text
        guard let known = Self.keywords.first(where: { Words.key($0) == Words.key(keyword.text) }) else {
            problems.error(
                keyword.location, "`Run` has no setting `\(keyword.text)`.",
                hint: Suggestion.hint(keyword.text, in: Self.keywords))
            return false
        }
        switch known {
        case "Level":
            guard case .text(let level)? = read(.word(ConfigurationTables.levels)) else { return false }
            self.level = level
        case "Pool": pool = name
        case "FullPool": fullPool = name
        case "IncrementalPool": incrementalPool = name
        case "DifferentialPool": differentialPool = name
        case "NextPool": nextPool = name
        case "Storage": storage = name
        case "Messages": messages = name
        case "Priority":
            guard case .number(let number)? = read(.number) else { return false }
            priority = Int(number)
        case "SpoolData": spoolData = bool(); return spoolData != nil
        case "WritePartAfterJob": writePartAfterJob = bool(); return writePartAfterJob != nil
        case "Accurate": accurate = bool(); return accurate != nil
        default:
            guard case .time(let time)? = read(.time) else { return false }
            maxRunSchedTime = time
        }
        return true
    }

    /// The tokens as one line that reads back the same.
    private static func canonical(_ tokens: [Token]) -> String {
        var text = ""
        var previous: Token.Kind?
        for token in tokens {
            if previous != nil, previous != .equals, token.kind != .equals, token.kind != .comma { text += " " }
            switch token.kind {
            case .equals: text += "="
            case .comma: text += ","
            case .string: text += quotedText(token.text)
            default: text += token.text
            }
            previous = token.kind
        }
        return text
    }
}

/// `text` as a quoted string of the configuration language.
package func quotedText(_ text: String) -> String {
    "\"" + text.reduce(into: "") { $0 += $1 == "\"" || $1 == "\\" ? "\\\($1)" : String($1) } + "\""
}

/// A Schedule resource, read.
package struct ScheduleDefinition: Sendable, Hashable {
    package var name: String
    package var isEnabled: Bool
    package var runs: [ScheduleRun]
    package init(_ resource: Resource) {
        precondition(resource.kind == .schedule)
        name = resource.name
        isEnabled = resource.bool("Enabled")
        runs = resource.texts("Run").map { ScheduleRun($0) }
    }
}
