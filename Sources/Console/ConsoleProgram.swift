// `appliance console`: commands from its arguments, from a pipe, or from a person at a terminal.

import Platform

/// What became of everything the console was asked, as an exit status (docs/console.md). The most severe wins.
package enum ConsoleOutcome: Int32, Sendable {
    case done = 0
    /// A command or a job that was waited for failed.
    case failed = 1
    /// A job that was waited for finished, but something was skipped.
    case incomplete = 3
    /// Ctrl-C.
    case interrupted = 130

    private var severity: Int {
        switch self {
        case .done: 0
        case .incomplete: 1
        case .failed: 2
        case .interrupted: 3
        }
    }
    package mutating func note(_ other: ConsoleOutcome) { if other.severity > severity { self = other } }
}

/// One run of the console.
package struct ConsoleProgram: Sendable {
    package struct Options: Sendable {
        /// One-shot commands; empty reads standard input.
        package var commands: [String] = []
        package var json = false
        package var progress = true
        package var historyPath: String?
        package init() {}
    }
    package let account: ConsoleAccount
    package let options: Options
    let output: ConsoleOutput

    package init(account: ConsoleAccount, options: Options) {
        self.account = account
        self.options = options
        output = ConsoleOutput()
    }

    /// Calls the director and does what was asked. Blocks a thread of the elastic executor.
    package func run() async -> ConsoleOutcome {
        do throws(ConsoleError) {
            let link = try await DirectorLink.connect(account)
            defer { link.close() }
            if link.isAppliance {
                _ = try link.exchange(options.json ? ".api json" : ".api framed") { _, _ in }
            } else if options.json {
                throw ConsoleError(
                    .unsupported, "The director \"\(account.director)\" is not an appliance and has no JSON mode.",
                    remedy: "Leave --json out.")
            }
            if !options.commands.isEmpty { return try perform(options.commands, on: link) }
            if Terminal.isTerminal(0), Terminal.understandsEscapes(1), !options.json { return try interact(over: link) }
            return try performLines(on: link)
        } catch {
            report(error)
            return .failed
        }
    }

    /// An error of our own, in the form the user asked for.
    package func report(_ error: ConsoleError) { Self.report(error, json: options.json, output) }

    package static func report(_ error: ConsoleError, json: Bool, _ output: ConsoleOutput = ConsoleOutput()) {
        if json {
            let object: JSON = [
                "type": "error", "code": .string(error.code), "what": .string(error.what),
                "remedy": .string(error.remedy),
            ]
            output.result(object.text + "\n")
        } else {
            output.notice(output.errorPalette.error("appliance console: \(error.description)") + "\n")
        }
    }

    // MARK: - One-shot and piped

    /// Each command in turn. Where one asks a question, the next is the answer.
    private func perform(_ commands: [String], on link: DirectorLink) throws(ConsoleError) -> ConsoleOutcome {
        var outcome = ConsoleOutcome.done
        var turn = DirectorLink.Turn.finished(ok: true, messages: false)
        for command in commands {
            turn = try send(command, answering: turn == .question, on: link, &outcome)
            if turn == .ended { return outcome }
        }
        try giveUp(turn, on: link, &outcome)
        return outcome
    }

    private func performLines(on link: DirectorLink) throws(ConsoleError) -> ConsoleOutcome {
        var outcome = ConsoleOutcome.done
        var turn = DirectorLink.Turn.finished(ok: true, messages: false)
        var pending: [UInt8] = []
        let input = TerminalInput(descriptor: 0)
        var atEnd = false
        while !atEnd {
            switch input.read() {
            case .quiet: continue
            case .bytes(let bytes): pending += bytes
            case .end:
                atEnd = true
                if !pending.isEmpty { pending.append(0x0A) }
            }
            while let newline = pending.firstIndex(of: 0x0A) {
                let line = String(decoding: pending[..<newline], as: UTF8.self).filter { $0 != "\r" }
                pending.removeFirst(newline + 1)
                if turn != .question, line.allSatisfy(\.isWhitespace) || line.hasPrefix("#") { continue }
                turn = try send(line, answering: turn == .question, on: link, &outcome)
                if turn == .ended { return outcome }
            }
        }
        try giveUp(turn, on: link, &outcome)
        return outcome
    }

    /// Cancels a question that nobody is left to answer.
    private func giveUp(_ turn: DirectorLink.Turn, on link: DirectorLink, _ outcome: inout ConsoleOutcome)
        throws(ConsoleError)
    {
        var turn = turn
        guard turn == .question else { return }
        // A menu inside a dialogue takes one period each; a restore tree ends by it too.
        for _ in 0..<8 where turn == .question { turn = try send(".", answering: true, on: link, &outcome) }
        outcome.note(.failed)
        report(
            ConsoleError(
                .unsupported, "The last command asked a question, and there was no answer: it was cancelled.",
                remedy: "Give the answers as further -c options, or all arguments and yes."))
    }

    private func send(
        _ line: String, answering: Bool, on link: DirectorLink, _ outcome: inout ConsoleOutcome
    ) throws(ConsoleError) -> DirectorLink.Turn {
        if !answering, watchesJobs(line, on: link) {
            return try JobWatch(link: link, output: output).wait(line, input: nil, &outcome) { show($0, $1, &$2) }
        }
        var noted = outcome
        var endsLine = true
        let turn = try link.exchange(line) { tone, text in
            show(tone, text, &noted)
            endsLine = text.hasSuffix("\n")
        }
        if !endsLine, !options.json { output.result("\n") }  // a question stands alone
        if case .finished(ok: false, _) = turn { noted.note(.failed) }
        outcome = noted
        return turn
    }

    /// `wait` at a terminal, with a director that can tell how far its jobs are.
    func watchesJobs(_ line: String, on link: DirectorLink) -> Bool {
        guard options.progress, !options.json, output.canDraw, link.isAppliance else { return false }
        return line.split(whereSeparator: \.isWhitespace).first?.lowercased() == "wait"
    }

    /// Prints a piece of an answer and notes what it means for the exit status.
    func show(_ tone: DirectorLink.Tone, _ text: String, _ outcome: inout ConsoleOutcome) {
        if options.json {
            output.result(text)
            if let object = try? JSON(parsing: text) {
                switch object["type"]?.stringValue {
                case "error": outcome.note(.failed)
                case "warning": outcome.note(.incomplete)
                default: break
                }
            }
            return
        }
        switch tone {
        case .text:
            output.result(text)
            // A Bacula's director has no other way to say it.
            if text.hasSuffix(": is an invalid command.\n") { outcome.note(.failed) }
        case .information: output.result(output.palette.information(text))
        case .warning:
            output.notice(output.errorPalette.warning(text))
            outcome.note(.incomplete)
        case .error:
            output.notice(output.errorPalette.error(text))
            outcome.note(.failed)
        }
    }
}
