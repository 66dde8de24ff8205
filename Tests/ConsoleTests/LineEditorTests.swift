// The line editor, fed with the bytes of keys.

import Testing
import TestSupport

@testable import Console

@Suite("The line editor") struct LineEditorTests {
    /// Types bytes; outcomes other than redraws are collected.
    private func type(_ bytes: String, into editor: inout LineEditor) -> [LineEditor.Outcome] {
        var decoder = KeyDecoder()
        let keys = decoder.decode(Array(bytes.utf8)) + decoder.flush()
        return keys.map { editor.handle($0) }.filter { $0 != .redraw }
    }

    private func line(_ bytes: String, history: [String] = []) -> (text: String, cursor: Int) {
        var editor = LineEditor(history: history)
        _ = type(bytes, into: &editor)
        return (editor.line, editor.cursor)
    }

    @Test("submits what was typed at Enter and starts anew")
    func submit() {
        var editor = LineEditor()
        #expect(type("list jobs\r", into: &editor) == [.submit("list jobs")])
        #expect(editor.line.isEmpty && editor.cursor == 0)
    }

    @Test(
        "moves and deletes by the keys that shells have",
        arguments: [
            ("abc\u{01}x", "xabc", 1), ("abc\u{1B}[Dx", "abxc", 3), ("abc\u{1B}[D\u{1B}[D\u{1B}[Cx", "abxc", 3),
            ("abc\u{1B}[H\u{1B}[3~", "bc", 0),
            ("abc\u{7F}\u{08}", "a", 1), ("abc\u{01}\u{05}d", "abcd", 4), ("one two\u{17}", "one ", 4),
            ("one two\u{01}\u{0B}", "", 0),
            ("one two\u{15}x", "x", 1), ("one two\u{17}\u{17}\u{19}", "one ", 4),
            ("one two\u{1B}b\u{1B}bX", "Xone two", 1), ("one two\u{01}\u{1B}fX", "oneX two", 4),
            ("one\u{1B}[1;5DX", "Xone", 1), ("abc\u{04}", "abc", 3), ("abc\u{01}\u{04}", "bc", 0),
        ] as [(String, String, Int)])
    func keys(bytes: String, text: String, cursor: Int) {
        let result = line(bytes)
        #expect(result.text == text && result.cursor == cursor, "\(result)")
    }

    @Test("ends at Ctrl-D on an empty line and gives the line up at Ctrl-C")
    func endings() {
        var editor = LineEditor()
        #expect(type("\u{04}", into: &editor) == [.endOfInput])
        #expect(type("abc\u{03}", into: &editor) == [.interrupt] && editor.line.isEmpty)
        #expect(type("\u{0C}\t", into: &editor) == [.clearScreen, .complete])
    }

    @Test("walks through the history and comes back to the unfinished line")
    func history() {
        let history = ["list jobs", "run job=A yes"]
        #expect(line("new\u{1B}[A", history: history).text == "run job=A yes")
        #expect(line("new\u{1B}[A\u{1B}[A\u{1B}[A", history: history).text == "list jobs")
        #expect(line("new\u{10}\u{0E}", history: history).text == "new")
        var editor = LineEditor()
        #expect(editor.remember("a") && !editor.remember("a") && !editor.remember("  ") && editor.remember("b"))
        #expect(editor.history == ["a", "b"])
    }

    @Test("keeps at most a thousand lines")
    func historyBound() {
        var editor = LineEditor()
        for number in 0..<1500 { editor.remember("line \(number)") }
        #expect(editor.history.count == LineEditor.historyMax && editor.history.last == "line 1499")
    }

    @Test("searches backwards by Ctrl-R, further with each, and gives up with Escape")
    func search() {
        let history = ["list jobs", "run job=A yes", "list pools"]
        #expect(line("\u{12}list", history: history).text == "list pools")
        #expect(line("\u{12}list\u{12}", history: history).text == "list jobs")
        #expect(line("typed\u{12}list\u{1B}", history: history).text == "typed")
        var editor = LineEditor(history: history)
        #expect(type("\u{12}job=\r", into: &editor) == [.submit("run job=A yes")])
        _ = type("\u{12}zzz", into: &editor)
        #expect(editor.display(columns: 80).line.hasPrefix("(no match 'zzz')"))
    }

    @Test("counts columns of wide, combining and control characters")
    func width() {
        var editor = LineEditor(prompt: "*")
        _ = type("日本", into: &editor)
        #expect(editor.display(columns: 80).cursorColumn == 5)
        editor = LineEditor(prompt: "*")
        _ = type("e\u{301}x", into: &editor)
        #expect(editor.display(columns: 80).cursorColumn == 3 && editor.text.count == 2)
        #expect(line("日本\u{7F}").text == "日")
    }

    @Test(
        "scrolls a long line so that the cursor stays in view, and never fills the last column",
        arguments: [12, 20, 40])
    func scrolling(columns: Int) {
        var editor = LineEditor(prompt: "*")
        _ = type(String(repeating: "abcdefghij", count: 10), into: &editor)
        let (line, cursor) = editor.display(columns: columns)
        #expect(line.count < columns && cursor < columns && line.hasSuffix("j"))
        _ = type("\u{01}", into: &editor)
        #expect(
            editor.display(columns: columns).line.hasPrefix("*abc")
                && editor.display(columns: columns).cursorColumn == 1)
        #expect(editor.drawing(columns: columns).hasPrefix("\r\u{1B}[K*abc"))
    }

    @Test("is given bytes cut anywhere: characters and escape sequences come together again")
    func cutBytes() {
        let bytes = Array("日é\u{1B}[1;5D\u{1B}OH\u{1B}[200~x".utf8)
        var whole = KeyDecoder()
        let keys = whole.decode(bytes)
        #expect(keys == [.character("日"), .character("é"), .wordLeft, .home, .character("x")])
        var pieces = KeyDecoder()
        #expect(bytes.flatMap { pieces.decode([$0]) } == keys)
    }

    @Test("takes a lone Escape as a key once it is quiet, and drops bytes that are no characters")
    func oddBytes() {
        var decoder = KeyDecoder()
        #expect(decoder.decode([0x1B]).isEmpty && decoder.isWaiting && decoder.flush() == [.escape])
        #expect(decoder.decode([0xFF, 0xC3, 0x41, 0x80]) == [.character("A")])
    }

    @Test("survives any keys: the cursor stays inside the line, and it can always be shown")
    func fuzz() {
        var generator = SeededGenerator(seed: 0x11E)
        var editor = LineEditor(history: ["list jobs", "日本語", "a"])
        var decoder = KeyDecoder()
        let interesting: [UInt8] = [
            0x1B, 0x5B, 0x41, 0x42, 0x43, 0x44, 0x7F, 0x12, 0x17, 0x15, 0x0B, 0x19, 0xE6, 0x97, 0xA5, 0xCC, 0x81, 0x20,
            0x61, 0x0D, 0x03, 0x04, 0x01, 0x7E, 0x33,
        ]
        for _ in 0..<20_000 {
            for key in decoder.decode([interesting.randomElement(using: &generator)!]) {
                if case .complete = editor.handle(key) { editor.complete(replacing: 3, with: "x y ") }
                #expect((0...editor.text.count).contains(editor.cursor))
            }
            _ = editor.display(columns: Int.random(in: 1...100, using: &generator))
        }
    }
}

@Suite("Completion") struct CompletionTests {
    private let completion = Completion(commands: [
        .init(name: "list", keywords: ["jobs", "jobid=", "job="]), .init(name: "llist", keywords: []),
        .init(name: "restore", keywords: ["client=", "current"]),
    ])
    private func names(_ command: String) -> [String] {
        switch command {
        case ".clients": ["alpha-fd", "alpine fd", "beta-fd"]
        case ".jobs": ["Nightly"]
        default: []
        }
    }

    @Test(
        "offers commands, then their keywords, then the names the director knows",
        arguments: [
            ("re", "restore ", 2, ["restore"]), ("l", "l", 1, ["list", "llist"]),
            ("list jo", "job", 2, ["job=", "jobid=", "jobs"]), ("rest cl", "client=", 2, ["client="]),
            ("restore client=b", "client=beta-fd ", 8, ["beta-fd"]),
            ("restore client=al", "client=", 9, ["alpha-fd", "alpine fd"]),
            ("list job=", "job=Nightly ", 4, ["Nightly"]), ("nonsense x", "x", 1, []),
            ("run replace=if", "replace=if", 10, ["ifnewer", "ifolder"]),
        ] as [(String, String, Int, [String])])
    func offers(line: String, common: String, replacing: Int, candidates: [String]) {
        let answer = completion.complete(line, names: names)
        #expect(answer.candidates == candidates)
        #expect(answer.replacing == replacing)
        // Where candidates only share less than what is typed (a quoted one among them), the word stays.
        #expect(answer.common == common || answer.common == String(line.suffix(replacing)), "\(answer)")
    }

    @Test("quotes names with spaces")
    func quoting() {
        #expect(completion.complete("restore client=alpi", names: names).common == "client=\"alpine fd\" ")
    }
}
