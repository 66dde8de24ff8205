// Results and questions as packets, for the mode that the console chose.
//
// | mode                 | framing                                                                                |
// |----------------------|----------------------------------------------------------------------------------------|
// | plain                | text, then EOD; a question ends in SUB_PROMPT                                           |
// | api (`.api 1`)       | CMD_BEGIN, text, CMD_OK or CMD_FAILED, MAIN_PROMPT; questions and notices get signals    |
// | framed (`.api framed`) | ours: plain, but notices are marked and CMD_OK or CMD_FAILED comes before the EOD             |
// | json (`.api json`)   | one object per packet and line, each with a `type`; then EOD or SUB_PROMPT as in plain   |

import Platform
package import Wire

/// How a console wants its answers.
package enum ConsoleMode: Sendable, Equatable { case plain, api, framed, json }

/// Pure: the same events in the same mode give the same packets, so the tests are golden files.
package struct ConsoleRenderer: Sendable {
    package var mode: ConsoleMode
    package init(mode: ConsoleMode = .plain) { self.mode = mode }

    package func packets(_ result: ConsoleResult) -> [Packet] {
        switch mode {
        case .json: return json(result).map { text($0.text + "\n") }
        case .plain, .api, .framed: break
        }
        switch result {
        case .text(let text), .remark(let text), .record(_, let text): return self.text(lines: text)
        case .table(let table, let long): return self.text(lines: long ? table.verticalText : table.horizontalText)
        case .message(let line): return [text(line + "\n")]
        case .information(let text): return marked(.infoMessage, text)
        case .warning(let text): return marked(.warningMessage, text)
        case .failure(_, let what, let remedy):
            return marked(.errorMessage, remedy.isEmpty ? what : "\(what) \(remedy)")
        }
    }

    private func json(_ result: ConsoleResult) -> [JSON] {
        switch result {
        case .remark: []
        case .text(let text): [["type": "text", "text": .string(text)]]
        case .table(let table, _):
            table.rows.map { row in
                .object([.init("type", .string(table.kind))] + zip(table.columns, row).map { .init($0, $1.json) })
            }
        case .record(let record, _):
            [.object([.init("type", .string(record.kind))] + record.fields.map { .init($0.name, $0.value.json) })]
        case .information(let text): [["type": "info", "text": .string(text.trimmed)]]
        case .warning(let text): [["type": "warning", "text": .string(text.trimmed)]]
        case .failure(let code, let what, let remedy):
            [["type": "error", "code": .string(code), "what": .string(what.trimmed), "remedy": .string(remedy)]]
        case .message(let line): [["type": "message", "text": .string(line)]]
        }
    }

    package func packets(_ prompt: ConsolePrompt) -> [Packet] {
        switch mode {
        case .plain, .framed: plain(prompt)
        case .api: api(prompt)
        case .json: [text(json(prompt).text + "\n"), .signal(.subPrompt)]
        }
    }

    private func plain(_ prompt: ConsolePrompt) -> [Packet] {
        switch prompt {
        case .text(let question), .tree(let question), .yesNo(let question): [text(question), .signal(.subPrompt)]
        case .select(let title, let items, let prompt):
            [text(title)] + items.enumerated().map { text("\(($0 + 1).padded(to: 6)): \($1)\n") } + [
                text(prompt), .signal(.subPrompt),
            ]
        case .run(let title, let fields, let prompt):
            [text(Self.runBlock(title: title, fields)), text(prompt), .signal(.subPrompt)]
        }
    }

    private func api(_ prompt: ConsolePrompt) -> [Packet] {
        switch prompt {
        case .text(let question): [.signal(.textInput), text(question)]
        case .yesNo(let question): [.signal(.yesNo), text(question)]
        case .tree(let question): [text(question), .signal(.subPrompt)]
        case .select(let title, let items, let prompt):
            [.signal(.startSelect), text(title)] + items.map { text($0) }
                + [.signal(.endSelect), .signal(.selectInput), .signal(.textInput), text(prompt)]
        case .run(let title, let fields, let prompt):
            [
                .signal(.runCommand),
                text(
                    "Type: \(title.split(separator: " ").dropFirst().first ?? "")\nTitle: \(title == "Run Backup job" ? "Run Backup Job" : title)\n"
                        + Self.columns(fields)),
                .signal(.textInput), text(prompt),
            ]
        }
    }

    private func json(_ prompt: ConsolePrompt) -> JSON {
        switch prompt {
        case .text(let question): ["type": "prompt", "kind": "text", "text": .string(question.trimmed)]
        case .tree(let question): ["type": "prompt", "kind": "tree", "text": .string(question.trimmed)]
        case .yesNo(let question): ["type": "prompt", "kind": "yesno", "text": .string(question.trimmed)]
        case .select(let title, let items, let prompt):
            [
                "type": "prompt", "kind": "select", "title": .string(title.trimmed),
                "items": .array(items.map { .string($0) }),
                "text": .string(prompt.trimmed),
            ]
        case .run(let title, let fields, let prompt):
            [
                "type": "prompt", "kind": "run", "title": .string(title),
                "parameters": .object(fields.map { .init($0.name, .string($0.value)) }),
                "text": .string(prompt.trimmed),
            ]
        }
    }

    /// The block that `run` shows before it asks: names and a colon, the values in one column.
    package static func runBlock(title: String, _ fields: [(name: String, value: String)]) -> String {
        title + "\n" + columns(fields)
    }

    private static func columns(_ fields: [(name: String, value: String)]) -> String {
        // A backup's values begin in column 11, a restore's, whose names are longer, in column 18.
        let longest = fields.map(\.name.count).max() ?? 0
        let width = longest + (longest > 8 ? 3 : 2)
        return fields.map { name, value in
            "\(name):" + String(repeating: " ", count: max(1, width - name.count - 1)) + value + "\n"
        }.joined()
    }

    // MARK: Framing

    /// Before the output of a command.
    package var commandBegin: [Packet] { mode == .api ? [.signal(.commandBegin)] : [] }

    /// After it. `messages` tells how many log lines wait for `messages`.
    package func commandEnd(ok: Bool, messages: Int) -> [Packet] {
        switch mode {
        case .plain: (messages > 0 ? [text("You have messages.\n")] : []) + [.signal(.endOfData)]
        case .framed:
            [.signal(ok ? .commandOK : .commandFailed)] + (messages > 0 ? [.signal(.messagesPending)] : []) + [
                .signal(.endOfData)
            ]
        case .api:
            [.signal(ok ? .commandOK : .commandFailed)] + (messages > 0 ? [.signal(.messagesPending)] : []) + [
                .signal(.mainPrompt)
            ]
        case .json:
            [
                text(
                    JSON.object([
                        .init("type", "done"), .init("ok", .bool(ok)), .init("messages", .integer(Int64(messages))),
                    ]).text + "\n"),
                .signal(.endOfData),
            ]
        }
    }

    package func unknownCommand(_ verb: String, hint: String, messages: Int) -> [Packet] {
        let line = "\(verb): is an invalid command.\n"
        switch mode {
        case .plain, .framed:
            return marked(.errorMessage, line) + (hint.isEmpty ? [] : [text(hint)])
                + commandEnd(ok: false, messages: messages)
        case .api: return [.signal(.errorMessage), text(line), .signal(.mainPrompt)]
        case .json:
            return packets(.failure(code: "console-unknown-command", what: line, remedy: hint.trimmed))
                + commandEnd(ok: false, messages: messages)
        }
    }

    private func marked(_ signal: Signal, _ text: String) -> [Packet] {
        let line = text.hasSuffix("\n") ? text : text + "\n"
        return mode == .api || mode == .framed ? [.signal(signal), self.text(line)] : self.text(lines: line)
    }

    private func text(_ text: String) -> Packet { .payload(Array(text.utf8)) }

    /// Long texts in packets of about 64 KiB, cut at line ends: a console's buffer need not hold a whole listing.
    private func text(lines text: String) -> [Packet] {
        let bytes = Array(text.utf8)
        guard bytes.count > 65536 else { return bytes.isEmpty ? [] : [.payload(bytes)] }
        var packets: [Packet] = []
        var start = 0
        while start < bytes.count {
            var end = min(start + 65536, bytes.count)
            if end < bytes.count, let newline = bytes[start..<end].lastIndex(of: 0x0A) { end = newline + 1 }
            packets.append(.payload(Array(bytes[start..<end])))
            start = end
        }
        return packets
    }
}

extension BinaryInteger {
    /// Right aligned in `width` columns.
    func padded(to width: Int) -> String { "\(self)".padded(left: width) }
}

extension String {
    /// Right aligned.
    func padded(left width: Int) -> String {
        String(repeating: " ", count: max(0, width - TextWidth.columns(self))) + self
    }
    /// Left aligned.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - TextWidth.columns(self)))
    }
}
