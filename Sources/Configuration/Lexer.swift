// From bytes to tokens, through all included files.
//
// The rules are Bacula's (8.1 of our notes on its language):
//   #        a comment up to the end of the line, outside quotes
//   ;        the end of a line
//   \        before a space or line break: the line goes on
//   "…"      a string; \ makes the next character literal; line breaks stay in it
//   word     up to a space or one of = { } ; , #
//   @file  @"file"  @|"command"    where a token may start: that text in place, nested
//
// Bounds: 16 MiB per text and 64 MiB in all, 16 includes deep, 4096 includes and 64 commands in all.

import Platform

/// Produces tokens on demand. Problems go to `problems` and reading goes on, so that one run finds them all.
struct Lexer {
    private struct Frame {
        var name: String
        var identity: FileIdentity?
        var bytes: [UInt8]
        var index = 0
        var line = 1
        var column = 1
        /// Unclosed strings found here: each costs a second look at the rest of the file, so they are counted.
        var unclosed = 0
    }

    static let depthMax = 16
    static let textsMax = 4096
    static let commandsMax = 64

    private var frames: [Frame] = []
    private let sources: ConfigurationSources
    private let problems: ProblemList
    private var pushedBack: Token?
    private var textsRead = 1
    private var commandsRun = 0
    private var bytesRead: Int

    init(
        _ bytes: [UInt8], name: String, identity: FileIdentity? = nil, sources: ConfigurationSources,
        problems: ProblemList
    ) {
        self.sources = sources
        self.problems = problems
        bytesRead = bytes.count
        frames = [Frame(name: name, identity: identity, bytes: Self.withoutMark(bytes))]
    }

    /// Without the byte order mark that Windows editors put in front.
    private static func withoutMark(_ bytes: [UInt8]) -> [UInt8] {
        bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    /// Gives `token` back; the next call of `next` returns it.
    mutating func pushBack(_ token: Token) { pushedBack = token }

    mutating func next() -> Token {
        if let token = pushedBack {
            pushedBack = nil
            return token
        }
        while true {
            guard let byte = peek() else {
                let here = location
                if frames.count == 1 { return Token(kind: .end, text: "", location: here) }
                frames.removeLast()
                // A text that doesn't end in a line break ends its last line all the same.
                return Token(kind: .endOfLine, text: "", location: here)
            }
            let here = location
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), 0x0B, 0x0C: advance()
            case UInt8(ascii: "\n"), UInt8(ascii: ";"):
                advance()
                return Token(kind: .endOfLine, text: "", location: here)
            case UInt8(ascii: "#"): skipLine()
            case UInt8(ascii: "{"): return punctuation(.open)
            case UInt8(ascii: "}"): return punctuation(.close)
            case UInt8(ascii: "="): return punctuation(.equals)
            case UInt8(ascii: ","): return punctuation(.comma)
            case UInt8(ascii: "\""): return quoted()
            case UInt8(ascii: "@"): include()
            case UInt8(ascii: "\\") where continuesLine(): skipContinuation()
            default: return word()
            }
        }
    }

    // MARK: - Bytes

    private var location: SourceLocation {
        let frame = frames[frames.count - 1]
        return SourceLocation(file: frame.name, line: frame.line, column: frame.column)
    }

    private func peek(_ ahead: Int = 0) -> UInt8? {
        let top = frames.count - 1
        let index = frames[top].index + ahead
        return index < frames[top].bytes.count ? frames[top].bytes[index] : nil
    }

    private mutating func advance() {
        let top = frames.count - 1
        let byte = frames[top].bytes[frames[top].index]
        frames[top].index += 1
        if byte == UInt8(ascii: "\n") {
            frames[top].line += 1
            frames[top].column = 1
        } else if byte & 0xC0 != 0x80 {  // the later bytes of one UTF-8 character stand in the same column
            frames[top].column += 1
        }
    }

    private mutating func skipLine() {
        while let byte = peek(), byte != UInt8(ascii: "\n") { advance() }
    }

    private mutating func punctuation(_ kind: Token.Kind) -> Token {
        let token = Token(kind: kind, text: "", location: location)
        advance()
        return token
    }

    private func text(_ bytes: [UInt8], at location: SourceLocation) -> String {
        if let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) { return text }
        problems.error(location, "This text is not valid UTF-8.", hint: "Save the file as UTF-8.")
        return String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
    }

    /// At a backslash: only spaces, or nothing, stand between it and what follows it.
    private func continuesLine() -> Bool {
        guard let next = peek(1) else { return true }
        return next == UInt8(ascii: " ") || next == UInt8(ascii: "\t") || next == UInt8(ascii: "\n")
            || next == UInt8(ascii: "\r")
    }

    private mutating func skipContinuation() {
        advance()
        while let byte = peek(), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") {
            advance()
        }
        if peek() == UInt8(ascii: "\n") { advance() }
    }

    // MARK: - Words and strings

    private mutating func word() -> Token {
        let start = location
        var bytes: [UInt8] = []
        scan: while let byte = peek() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"), 0x0B, 0x0C,
                UInt8(ascii: "="),
                UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ";"), UInt8(ascii: ","), UInt8(ascii: "#"):
                break scan
            case UInt8(ascii: "\\") where continuesLine(): break scan
            default:
                bytes.append(byte)
                advance()
            }
        }
        return Token(kind: .word, text: text(bytes, at: start), location: start)
    }

    private mutating func quoted() -> Token {
        let start = location
        let top = frames.count - 1
        advance()
        let inside = (frames[top].index, frames[top].line, frames[top].column)
        if let bytes = quotedBytes(wholeFile: true) {
            return Token(kind: .string, text: text(bytes, at: start), location: start)
        }
        // No closing quote anywhere. Take the string to end with its line, so that the lines after it are checked too.
        problems.error(start, "This string is never closed.", hint: "Put a `\"` at its end.")
        frames[top].unclosed += 1
        if frames[top].unclosed <= 20 {
            (frames[top].index, frames[top].line, frames[top].column) = inside
            return Token(kind: .string, text: text(quotedBytes(wholeFile: false) ?? [], at: start), location: start)
        }
        return Token(kind: .string, text: "", location: start)
    }

    /// From after the opening quote to after the closing one. With `wholeFile` false the line's end closes it too.
    private mutating func quotedBytes(wholeFile: Bool) -> [UInt8]? {
        var bytes: [UInt8] = []
        while let byte = peek() {
            if byte == UInt8(ascii: "\n") && !wholeFile { return bytes }
            advance()
            if byte == UInt8(ascii: "\"") { return bytes }
            if byte == UInt8(ascii: "\\") {
                guard let next = peek(), wholeFile || next != UInt8(ascii: "\n") else { continue }
                bytes.append(next)
                advance()
            } else {
                bytes.append(byte)
            }
        }
        return wholeFile ? nil : bytes
    }

    // MARK: - Includes

    private mutating func include() {
        let start = location
        advance()
        let isCommand = peek() == UInt8(ascii: "|")
        if isCommand { advance() }
        var name = ""
        if peek() == UInt8(ascii: "\"") {
            let token = quoted()
            // `@"|command"` is another way to write `@|"command"`.
            name = token.text
        } else {
            var bytes: [UInt8] = []
            while let byte = peek(), byte > 0x20, byte != UInt8(ascii: ";"), byte != UInt8(ascii: "#") {
                bytes.append(byte)
                advance()
            }
            name = text(bytes, at: start)
        }
        let command: String? = isCommand ? name : name.hasPrefix("|") ? String(name.dropFirst()) : nil
        let shown = command.map { "the output of `\($0)`" } ?? "`\(name)`"
        guard !(command ?? name).isEmpty else {
            problems.error(start, "`@` is not followed by the name of a file.", hint: "Write `@/path/of/file`.")
            return
        }
        guard frames.count <= Self.depthMax else {
            problems.error(start, "\(shown) is not read: includes are nested more than \(Self.depthMax) deep.")
            return
        }
        textsRead += 1
        if command != nil { commandsRun += 1 }
        guard textsRead <= Self.textsMax, commandsRun <= Self.commandsMax else {
            problems.error(
                start,
                "\(shown) is not read: there are more than \(Self.textsMax) includes or \(Self.commandsMax) commands.")
            return
        }
        do throws(ConfigurationSources.Failure) {
            let path = command ?? resolved(name)
            let read = try command != nil ? sources.runCommand(path) : sources.readFile(path)
            if let identity = read.identity, let twin = frames.first(where: { $0.identity == identity }) {
                throw .init(reason: "`\(twin.name)` includes itself that way", hint: "Take one of the `@` lines out.")
            }
            bytesRead += read.bytes.count
            guard bytesRead <= sources.totalBytesMax else {
                throw .init(reason: "all files together have more than \(sources.totalBytesMax) bytes")
            }
            frames.append(
                Frame(
                    name: command.map { "|\($0)" } ?? path, identity: read.identity, bytes: Self.withoutMark(read.bytes)
                ))
        } catch {
            problems.error(start, "Can't read \(shown): \(error.reason).", hint: error.hint)
        }
    }

    /// A relative name is looked for beside the file that names it, so that a directory of files can be moved.
    private func resolved(_ name: String) -> String {
        if name.hasPrefix("/") { return name }
        guard let including = frames.last(where: { !$0.name.hasPrefix("|") })?.name,
            let slash = including.lastIndex(of: "/")
        else {
            return name
        }
        return String(including[...slash]) + name
    }
}
