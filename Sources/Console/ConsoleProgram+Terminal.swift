// The console at a terminal: line editing, history, completion, and messages as they come.

import Platform

extension ConsoleProgram {
    /// Until the operator leaves.
    func interact(over link: DirectorLink) throws(ConsoleError) -> ConsoleOutcome {
        guard let terminal = RawTerminal(0) else { return .failed }
        let input = TerminalInput(descriptor: 0)
        var editor = LineEditor(
            prompt: "*",
            history: options.historyPath.map { PrivateLines.read($0, linesMax: LineEditor.historyMax) } ?? [])
        var decoder = KeyDecoder()
        let completion = Completion(commands: Self.commands(of: link))
        var asking = false
        output.result(
            "\(link.greeting)\n\(output.palette.quiet("Connected to \(account.host):\(account.port), \(link.security)."))\n"
                + "Enter \"help\" for the commands, a period to cancel a question, \"quit\" to leave.\n")
        var outcome = ConsoleOutcome.done
        func redraw() { output.result(editor.drawing(columns: Terminal.columns(1))) }
        redraw()

        while true {
            let keys: [Key]
            switch input.read(atMost: decoder.isWaiting ? .milliseconds(50) : .seconds(3)) {
            case .end:
                output.result("\n")
                return outcome
            case .quiet:
                if decoder.isWaiting {
                    keys = decoder.flush()
                } else {
                    if !asking, link.isAppliance, try printMessages(from: link, beforeLine: true) { redraw() }
                    continue
                }
            case .bytes(let bytes): keys = decoder.decode(bytes)
            }
            for key in keys {
                switch editor.handle(key) {
                case .redraw: redraw()
                case .clearScreen:
                    output.result("\u{1B}[H\u{1B}[2J")
                    redraw()
                case .interrupt:
                    output.result("^C\n")
                    redraw()
                case .endOfInput:
                    output.result("\n")
                    return outcome
                case .complete:
                    if !asking { complete(&editor, completion, over: link) }
                    redraw()
                case .submit(let line):
                    output.result("\n")
                    if !asking, editor.remember(line), let path = options.historyPath {
                        try? PrivateLines.append(line, to: path)
                    }
                    if !asking, line.allSatisfy(\.isWhitespace) || line.hasPrefix("#") {
                        if link.isAppliance { _ = try printMessages(from: link, beforeLine: false) }
                        redraw()
                        continue
                    }
                    if !asking, ["@quit", "@exit"].contains(line.lowercased()) { return outcome }
                    var result = ConsoleOutcome.done
                    let turn: DirectorLink.Turn
                    var question = ""
                    if !asking, watchesJobs(line, on: link) {
                        turn = try JobWatch(link: link, output: output).wait(line, input: input, &result) {
                            show($0, $1, &$2)
                        }
                    } else {
                        terminal.leave()  // so that Ctrl-C ends a command that takes for ever
                        defer { terminal.enter() }
                        var noted = result
                        turn = try link.exchange(line) { tone, text in
                            // The end of an unfinished line is the question, which the editor shows as its prompt.
                            let whole = text.lastIndex(of: "\n").map { text.index(after: $0) } ?? text.startIndex
                            if whole > text.startIndex {
                                show(tone, question + text[..<whole], &noted)
                                question = ""
                            }
                            question += text[whole...]
                        }
                        result = noted
                    }
                    outcome = result
                    switch turn {
                    case .ended: return .done
                    case .question:
                        asking = true
                        editor.prompt = question
                    case .finished(_, let messages):
                        if !question.isEmpty { show(.text, question + "\n", &outcome) }
                        asking = false
                        editor.prompt = "*"
                        if messages, link.isAppliance { _ = try printMessages(from: link, beforeLine: false) }
                    }
                    redraw()
                }
            }
        }
    }

    /// Takes the director's messages and prints them above the line being typed.
    /// - Returns: Whether there were any.
    private func printMessages(from link: DirectorLink, beforeLine: Bool) throws(ConsoleError) -> Bool {
        var any = false
        _ = try link.exchange(".messages") { _, text in
            guard !text.isEmpty else { return }
            if beforeLine, !any { output.result("\r\u{1B}[K") }
            any = true
            output.result(Self.painted(text, output.palette))
        }
        return any
    }

    /// A log line in the colour of its kind: the daemons mark what is wrong in words.
    static func painted(_ text: String, _ palette: Palette) -> String {
        if text.contains(" Error: ") || text.contains(" Fatal error: ") || text.contains("*** ") {
            return palette.error(text)
        }
        if text.contains(" Warning: ") || text.contains("with warnings") { return palette.warning(text) }
        return text
    }

    private func complete(_ editor: inout LineEditor, _ completion: Completion, over link: DirectorLink) {
        let answer = completion.complete(editor.beforeCursor) { command in (try? link.lines(command)) ?? [] }
        let before = editor.beforeCursor
        editor.complete(replacing: answer.replacing, with: answer.common)
        guard editor.beforeCursor == before, answer.candidates.count > 1 else { return }
        // Nothing more is certain: show what there is, at most a screenful.
        let columns = Terminal.columns(1)
        let shown = answer.candidates.prefix(120)
        let width = (shown.map { TextWidth.columns($0) }.max() ?? 0) + 2
        let perLine = max(1, (columns - 1) / width)
        var text = "\n"
        for (index, candidate) in shown.enumerated() {
            text += candidate + String(repeating: " ", count: width - TextWidth.columns(candidate))
            if (index + 1).isMultiple(of: perLine) { text += "\n" }
        }
        if !text.hasSuffix("\n") { text += "\n" }
        if answer.candidates.count > shown.count { text += "… and \(answer.candidates.count - shown.count) more\n" }
        output.result(text)
    }

    /// The director's commands, from its `.help`: `name description -- arguments`.
    private static func commands(of link: DirectorLink) -> [Completion.Command] {
        ((try? link.lines(".help")) ?? []).compactMap { line in
            guard let name = line.split(separator: " ").first, !name.hasPrefix(".") else { return nil }
            var keywords: [String] = []
            if let dashes = line.firstRange(of: " -- ") {
                for word in line[dashes.upperBound...].split(whereSeparator: { " []|\t,()".contains($0) }) {
                    // `job=<name>` and `job=` both mean a value follows.
                    if let equals = word.firstIndex(of: "=") {
                        keywords.append(String(word[...equals]))
                    } else if word.allSatisfy({ $0.isLetter || $0.isNumber }) {
                        keywords.append(String(word))
                    }
                }
            }
            return Completion.Command(name: String(name), keywords: keywords)
        }
    }
}
