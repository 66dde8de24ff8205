// Waiting for jobs with a bar that moves.

import Platform

/// Asks the director a few times a second how far the jobs are, draws that, and at last has `wait` say how they ended.
struct JobWatch: Sendable {
    let link: DirectorLink
    let output: ConsoleOutput
    /// Five looks a second: smooth for the eye, nothing for the director. The bar is drawn once per look.
    private let interval = Duration.milliseconds(200)

    init(link: DirectorLink, output: ConsoleOutput) {
        self.link = link
        self.output = output
    }

    /// - Parameters:
    ///   - line: The `wait` command as typed; its arguments choose the jobs.
    ///   - input: The keyboard in raw mode, where Ctrl-C and `q` end the waiting (not the jobs); nil: nobody listens.
    func wait(
        _ line: String, input: TerminalInput?, _ outcome: inout ConsoleOutcome,
        show: (DirectorLink.Tone, String, inout ConsoleOutcome) -> Void
    ) throws(ConsoleError) -> DirectorLink.Turn {
        let arguments = line.split(whereSeparator: \.isWhitespace).dropFirst().joined(separator: " ")
        var jobs = try look(".progress \(arguments)")
        var tick = 0
        var finalLine = line
        if !jobs.isEmpty, !arguments.lowercased().contains("timeout") {
            let identifiers = jobs.map { "\($0.jobID)" }.joined(separator: ",")
            finalLine = "wait jobid=\(identifiers)"
            while jobs.contains(where: { !$0.hasEnded }) {
                output.notice("\r\u{1B}[K" + ProgressBar.line(jobs, columns: Terminal.columns(2), tick: tick))
                tick += 1
                if pause(input) {
                    output.notice("\r\u{1B}[KStopped waiting; the jobs go on.\n")
                    outcome.note(.interrupted)
                    return .finished(ok: true, messages: false)
                }
                let next = try look(".progress jobid=\(identifiers)")
                guard !next.isEmpty else { break }
                jobs = next
            }
            output.notice("\r\u{1B}[K")
        }
        var noted = outcome
        let turn = try link.exchange(finalLine) { tone, text in show(tone, text, &noted) }
        if case .finished(ok: false, _) = turn { noted.note(.failed) }
        outcome = noted
        return turn
    }

    /// - Returns: Whether the operator wants to stop.
    private func pause(_ input: TerminalInput?) -> Bool {
        guard let input else {
            CurrentProcess.sleep(interval)
            return false
        }
        switch input.read(atMost: interval) {
        case .quiet: return false
        case .bytes(let bytes): return bytes.contains(0x03) || bytes.contains(UInt8(ascii: "q"))
        case .end: return true
        }
    }

    private func look(_ command: String) throws(ConsoleError) -> [JobProgress] {
        try link.lines(command).compactMap { (try? JSON(parsing: $0)).flatMap(JobProgress.init) }
    }
}
