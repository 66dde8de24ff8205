// The grammar, before any table is asked: names, `=`, values, braces.
//
// A file is a list of `Name { … }`. Inside are `name = value` to the end of the line, `name { … }` and
// `name = { … }`. Which of these make sense is for the tables; here only the braces must match.

/// One `name = value …` or `name { … }` as it was written.
struct RawDirective {
    /// The name's words, put together.
    var name: String
    var location: SourceLocation
    /// The tokens after `=` up to the end of the line; empty for a block.
    var values: [Token] = []
    /// What stands between braces, for a block.
    var block: [RawDirective]?
    var hasEquals = false
}

/// Reads raw directives from a lexer and keeps going after mistakes.
struct RawParser {
    private var lexer: Lexer
    private let problems: ProblemList
    /// FileSet → Include → Options is three; ours never need more than four.
    static let depthMax = 16

    init(_ lexer: Lexer, problems: ProblemList) {
        self.lexer = lexer
        self.problems = problems
    }

    /// All top-level resources. Also those that begin where a closing brace was forgotten before them.
    mutating func resources() -> [RawDirective] {
        var result: [RawDirective] = []
        while !problems.isFull {
            let token = next()
            switch token.kind {
            case .end: return result
            case .endOfLine: continue
            case .word, .string:
                var (name, _, end) = nameTokens(from: token)
                while end.kind == .endOfLine { end = next() }
                guard end.kind == .open else {
                    if end.kind == .equals {
                        problems.error(
                            name.location, "`\(name.text)` stands outside any resource.",
                            hint: "Directives belong between the braces of a resource such as `Job { … }`.")
                    } else {
                        problems.error(end.location, "Expected `{` after `\(name.text)`, found \(end.shown).")
                    }
                    if end.kind == .end { return result }
                    if end.isText { lexer.pushBack(end) } else if end.kind != .endOfLine { skipLine() }
                    continue
                }
                var next: Token? = name
                while let start = next {
                    var resource = RawDirective(name: start.text, location: start.location)
                    (resource.block, next) = block(opened: start, depth: 1)
                    result.append(resource)
                }
            case .close:
                problems.error(
                    token.location, "This `}` closes nothing.", hint: "Is there one too many, or a `{` missing above?")
            case .open, .equals, .comma:
                problems.error(token.location, "Expected a resource such as `Job { … }`, found \(token.shown).")
                skipLine()
            }
        }
        return result
    }

    private mutating func next() -> Token {
        let token = lexer.next()
        problems.noteFile(token.location.file)
        return token
    }

    private mutating func skipLine() {
        while true {
            let token = next()
            if token.kind == .endOfLine { return }
            if token.kind == .end || token.kind == .close || token.kind == .open { return lexer.pushBack(token) }
        }
    }

    /// The words of a name, put together and one by one, and the token after them.
    private mutating func nameTokens(from first: Token) -> (name: Token, words: [String], end: Token) {
        var name = first
        var words = [first.text]
        while true {
            let token = next()
            guard token.isText, words.count < 64 else { return (name, words, token) }
            name.text += token.text
            words.append(token.text)
        }
    }

    /// Reads to the `}` that closes `opened`.
    /// - Returns: The directives, and the name of a resource that begins inside where none may: a `}` is missing before it,
    ///   and its `{` has been read.
    private mutating func block(opened: Token, depth: Int) -> ([RawDirective], Token?) {
        var result: [RawDirective] = []
        while !problems.isFull {
            let token = next()
            switch token.kind {
            case .endOfLine, .comma: continue
            case .close: return (result, nil)
            case .end:
                problems.error(
                    opened.location, "`\(opened.text) {` is never closed.",
                    hint: "Its `}` is missing somewhere before \(token.location).")
                lexer.pushBack(token)
                return (result, nil)
            case .open, .equals:
                problems.error(token.location, "Expected a directive, found \(token.shown).")
                if token.kind == .open { lexer.pushBack(token); skipBlock() } else { skipLine() }
            case .word, .string:
                let (name, words, end) = nameTokens(from: token)
                var directive = RawDirective(name: name.text, location: name.location)
                switch end.kind {
                case .equals:
                    directive.hasEquals = true
                    let first = next()
                    if first.kind == .open {
                        let (inner, stray) = nested(name, depth: depth)
                        directive.block = inner
                        result.append(directive)
                        if let stray { return (result, stray) }
                    } else {
                        directive.values = values(from: first)
                        result.append(directive)
                    }
                case .endOfLine, .open:
                    var opening = end
                    while opening.kind == .endOfLine { opening = next() }
                    guard opening.kind == .open else {
                        missingEquals(name, words)
                        lexer.pushBack(opening)
                        continue
                    }
                    if Self.resourceWords.contains(Words.key(name.text)) {
                        problems.error(
                            name.location,
                            "`\(name.text) {` begins inside `\(opened.text) {` of line \(opened.location.line).",
                            hint: "A `}` is missing before it.")
                        return (result, name)
                    }
                    let (inner, stray) = nested(name, depth: depth)
                    directive.block = inner
                    result.append(directive)
                    if let stray { return (result, stray) }
                default:
                    missingEquals(name, words)
                    if end.kind == .comma { skipLine() } else { lexer.pushBack(end) }
                }
            }
        }
        return (result, nil)
    }

    /// Words that begin a resource and never a block inside one.
    private static let resourceWords: Set<String> = Set(
        ResourceKind.allCases.map { Words.key(ConfigurationTables.table($0).title) } + ["autochanger", "client"])

    private func missingEquals(_ name: Token, _ words: [String]) {
        // `Maximum Volumes 5`: the longest beginning that some table knows is the directive, the rest its value.
        let known = (1...max(1, words.count)).reversed().first {
            Self.directiveWords.contains(Words.key(words.prefix($0).joined()))
        }
        let hint =
            if name.kind == .string {
                "A directive's name has no quotes."
            } else if let known, known < words.count {
                "Write `\(words.prefix(known).joined(separator: " ")) = \(words.dropFirst(known).joined(separator: " "))`."
            } else {
                "Write `\(words.joined(separator: " ")) = value`."
            }
        problems.error(
            name.location, "Expected `=` after `\(words.prefix(known ?? words.count).joined(separator: " "))`.",
            hint: hint)
    }

    private static let directiveWords: Set<String> = {
        let tables =
            ResourceKind.allCases.map { ConfigurationTables.table($0) }
            + BlockKind.allCases.map { ConfigurationTables.table($0) }
        return Set(tables.flatMap(\.spellings).map { Words.key($0) })
    }()

    private mutating func nested(_ name: Token, depth: Int) -> ([RawDirective], Token?) {
        guard depth < Self.depthMax else {
            problems.error(name.location, "Braces are nested more than \(Self.depthMax) deep.")
            skipBlockContents()
            return ([], nil)
        }
        return block(opened: name, depth: depth + 1)
    }

    /// Skips a block whose `{` comes next.
    private mutating func skipBlock() {
        _ = next()
        skipBlockContents()
    }

    /// Skips to the `}` that closes the `{` read last.
    private mutating func skipBlockContents() {
        var open = 1
        while open > 0 {
            let token = next()
            switch token.kind {
            case .open: open += 1
            case .close: open -= 1
            case .end: return lexer.pushBack(token)
            default: break
            }
        }
    }

    /// The tokens up to the end of the line, or to the `}` that ends the block, which is left for the caller.
    private mutating func values(from first: Token) -> [Token] {
        var result: [Token] = []
        var token = first
        while true {
            switch token.kind {
            case .endOfLine: return result
            case .close, .end:
                lexer.pushBack(token)
                return result
            case .open:
                problems.error(token.location, "Unexpected `{` after a value.")
                skipBlockContents()
            default: result.append(token)
            }
            token = next()
        }
    }
}
