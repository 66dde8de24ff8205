// A line being typed: the text, the cursor, the history, and what each key does to them. Pure: no terminal in here.

import Platform

/// The editor's state. Keys go in, the line to show comes out; the owner reads and writes the terminal.
package struct LineEditor: Sendable {
    /// What the owner has to do after a key.
    package enum Outcome: Sendable, Equatable {
        /// Show the line again.
        case redraw
        /// Enter: this is the line; the editor is empty again.
        case submit(String)
        /// Tab: complete the word before the cursor, then call `complete`.
        case complete
        case clearScreen
        /// Ctrl-C: the line was given up.
        case interrupt
        /// Ctrl-D on an empty line.
        case endOfInput
    }

    package var prompt: String
    package private(set) var text: [Character] = []
    /// Before which character the next one goes.
    package private(set) var cursor = 0
    package private(set) var history: [String]
    /// Lines the history keeps.
    package static let historyMax = 1000

    /// Which line of the history is shown; `history.count` is the new one.
    private var historyIndex: Int
    /// The new line, while an old one is shown.
    private var draft: [Character] = []
    private var killed: [Character] = []

    private struct Search: Sendable {
        var query = ""
        var index: Int
        var before: [Character]
        var failed = false
    }
    private var search: Search?

    package init(prompt: String = "*", history: [String] = []) {
        self.prompt = prompt
        self.history = history.suffix(Self.historyMax)
        historyIndex = self.history.count
    }

    package var line: String { String(text) }
    /// The text before the cursor, which is what completion looks at.
    package var beforeCursor: String { String(text[..<cursor]) }

    package mutating func handle(_ key: Key) -> Outcome {
        if search != nil, let outcome = handleSearch(key) { return outcome }
        switch key {
        case .character(let character): insert([character])
        case .enter: return submit()
        case .tab: return .complete
        case .backspace:
            if cursor > 0 {
                cursor -= 1
                text.remove(at: cursor)
            }
        case .delete: deleteForward()
        case .left: cursor = max(0, cursor - 1)
        case .right: cursor = min(text.count, cursor + 1)
        case .home: cursor = 0
        case .end: cursor = text.count
        case .wordLeft: cursor = wordStart
        case .wordRight:
            while cursor < text.count, text[cursor].isWhitespace { cursor += 1 }
            while cursor < text.count, !text[cursor].isWhitespace { cursor += 1 }
        case .up: show(historyIndex - 1)
        case .down: show(historyIndex + 1)
        case .killToEnd:
            killed = Array(text[cursor...])
            text.removeSubrange(cursor...)
        case .killToStart:
            killed = Array(text[..<cursor])
            text.removeSubrange(..<cursor)
            cursor = 0
        case .killWord:
            let start = wordStart
            killed = Array(text[start..<cursor])
            text.removeSubrange(start..<cursor)
            cursor = start
        case .yank: insert(killed)
        case .search: search = Search(index: history.count, before: text)
        case .clearScreen: return .clearScreen
        case .interrupt:
            reset()
            return .interrupt
        case .endOfInput:
            if text.isEmpty { return .endOfInput }
            deleteForward()
        case .escape: break
        }
        return .redraw
    }

    /// Replaces the word before the cursor, `length` characters of it, by a longer one.
    package mutating func complete(replacing length: Int, with completion: String) {
        let start = max(0, cursor - length)
        text.replaceSubrange(start..<cursor, with: Array(completion))
        cursor = start + completion.count
    }

    /// Adds a line to the history, unless it is empty or the same as the last.
    /// - Returns: Whether it was added.
    @discardableResult
    package mutating func remember(_ line: String) -> Bool {
        defer { historyIndex = history.count }
        guard !line.isEmpty, !line.allSatisfy(\.isWhitespace), history.last != line else { return false }
        history.append(line)
        if history.count > Self.historyMax { history.removeFirst(history.count - Self.historyMax) }
        return true
    }

    // MARK: - Keys

    private var wordStart: Int {
        var at = cursor
        while at > 0, text[at - 1].isWhitespace { at -= 1 }
        while at > 0, !text[at - 1].isWhitespace { at -= 1 }
        return at
    }

    private mutating func insert(_ characters: [Character]) {
        text.insert(contentsOf: characters, at: cursor)
        cursor += characters.count
        // A combining mark joins the character before it; counting in whole characters keeps the cursor between them.
        if let last = characters.last, last.unicodeScalars.allSatisfy({ TextWidth.columns(Character($0)) == 0 }),
            cursor > 1
        {
            let joined = Array(String(text))
            cursor -= text.count - joined.count
            text = joined
        }
    }

    private mutating func deleteForward() { if cursor < text.count { text.remove(at: cursor) } }

    private mutating func submit() -> Outcome {
        let line = String(text)
        reset()
        return .submit(line)
    }

    private mutating func reset() {
        text = []
        cursor = 0
        draft = []
        historyIndex = history.count
        search = nil
    }

    private mutating func show(_ index: Int) {
        guard index >= 0, index <= history.count, index != historyIndex else { return }
        if historyIndex == history.count { draft = text }
        historyIndex = index
        text = index == history.count ? draft : Array(history[index])
        cursor = text.count
    }

    // MARK: - Searching backwards

    /// Nil where the key ends the search and is then to be handled as usual.
    private mutating func handleSearch(_ key: Key) -> Outcome? {
        switch key {
        case .character(let character):
            search!.query.append(character)
            find(from: min(search!.index, history.count - 1))
        case .backspace:
            if !search!.query.isEmpty { search!.query.removeLast() }
            find(from: history.count - 1)
        case .search: find(from: search!.index - 1)
        case .escape, .interrupt:
            text = search!.before
            cursor = text.count
            search = nil
        default:
            search = nil
            return nil
        }
        return .redraw
    }

    private mutating func find(from start: Int) {
        guard !search!.query.isEmpty else {
            search!.failed = false
            return
        }
        var index = start
        while index >= 0 {
            if index < history.count, let range = history[index].firstRange(of: search!.query) {
                search!.index = index
                search!.failed = false
                text = Array(history[index])
                cursor = history[index].distance(from: history[index].startIndex, to: range.lowerBound)
                return
            }
            index -= 1
        }
        search!.failed = true
    }

    // MARK: - Showing

    /// The part of the line that fits, and where the cursor is in it. The last column stays free, since a terminal that
    /// has written it may or may not have wrapped.
    package func display(columns: Int) -> (line: String, cursorColumn: Int) {
        let lead = search.map { "(\($0.failed ? "no match" : "search") '\($0.query)') " } ?? prompt
        let leadColumns = TextWidth.columns(lead)
        let room = max(8, columns - 1 - leadColumns)
        let widths = text.map { Self.shownColumns($0) }
        // Scroll so that the cursor is in view, with the text before it filling what it can.
        var start = 0
        var used = widths[..<cursor].reduce(0, +)
        while used >= room, start < cursor {
            used -= widths[start]
            start += 1
        }
        var shown = ""
        var width = 0
        for index in start..<text.count {
            if width + widths[index] > room { break }
            width += widths[index]
            shown += Self.shown(text[index])
        }
        return (lead + shown, leadColumns + used)
    }

    /// The bytes that put the line on a terminal, from any column of its row.
    package func drawing(columns: Int) -> String {
        let (line, column) = display(columns: columns)
        return "\r\u{1B}[K" + line + "\r" + (column > 0 ? "\u{1B}[\(column)C" : "")
    }

    /// Control characters, which only a pasted text or the history may hold, as a caret and a letter.
    private static func shown(_ character: Character) -> String {
        guard let value = character.asciiValue, value < 0x20 || value == 0x7F else { return String(character) }
        return "^" + String(Character(Unicode.Scalar(value ^ 0x40)))
    }
    private static func shownColumns(_ character: Character) -> Int { TextWidth.columns(shown(character)) }
}
