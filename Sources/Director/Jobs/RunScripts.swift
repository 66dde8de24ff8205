// Scripts around a job: which there are, what the client is told, and running the director's own (bacula-wire 3.6, 8.7).

import Configuration
import Platform
import Wire

extension RunScriptDefinition {
    enum Moment: Sendable { case before, after }

    func runs(_ moment: Moment, succeeded: Bool) -> Bool {
        switch moment {
        case .before: when.contains(.before)
        case .after: when.contains(.after) && (succeeded ? onSuccess : onFailure)
        }
    }
    var programs: [String] { commands.compactMap { if case .program(let text) = $0 { text } else { nil } } }
    var consoleLines: [String] { commands.compactMap { if case .console(let text) = $0 { text } else { nil } } }
}

extension ClientLink {
    /// Tells the client its scripts and lets those that come before the job run.
    func sendScripts(_ scripts: [RunScriptDefinition]) throws(DirectorError) {
        let own = scripts.filter { $0.runsOnClient && !$0.when.isEmpty }
        guard !own.isEmpty else { return }
        for script in own {
            for program in script.programs {
                let command = Bashed.encode(program)
                if script.shortForm == "ClientRunBeforeJob" {
                    // Runs at once, for as long as it takes.
                    try self.command("RunBeforeJob \(command)\n", expecting: "2000 OK RunBefore", limit: nil)
                } else if script.shortForm == "ClientRunAfterJob" {
                    try self.command("RunAfterJob \(command)\n", expecting: "2000 OK RunAfter")
                } else {
                    try self.command(
                        "Run OnSuccess=\(script.onSuccess ? 1 : 0) OnFailure=\(script.onFailure ? 1 : 0) "
                            + "AbortOnError=\(script.failJobOnError ? 1 : 0) When=\(script.when.rawValue) Command=\(command)\n",
                        expecting: "2000 OK RunScript")
                }
            }
        }
        try self.command("RunBeforeNow\n", expecting: "2000 OK RunBeforeNow", limit: nil)
    }
}

extension JobContext {
    /// Runs the director's scripts of a moment. Their output goes to the job's messages.
    /// - Throws: `.script` when one fails that the job depends on.
    func runScripts(
        _ scripts: [RunScriptDefinition], _ moment: RunScriptDefinition.Moment, status: JobStatus
    ) throws(DirectorError) {
        for script in scripts where !script.runsOnClient && script.runs(moment, succeeded: status.isSuccess) {
            for line in script.consoleLines { desk.warning("Console commands around jobs are not built yet; left out: \(line)") }
            for program in script.programs { try run(program, script, moment, status) }
        }
    }

    private func run(
        _ program: String, _ script: RunScriptDefinition, _ moment: RunScriptDefinition.Moment, _ status: JobStatus
    ) throws(DirectorError) {
        let label = moment == .before ? "BeforeJob" : "AfterJob"
        let arguments = CommandLineWords.split(codes(status: status).expand(program))
        desk.info("shell command: run \(label) \"\(arguments.joined(separator: " "))\"")
        var options = ChildProcess.Options()
        options.mergesErrors = true
        options.outputBytesMax = 256 << 10
        options.timeLimit = script.timeOut > .zero ? script.timeOut : nil
        let problem: String?
        do throws(SystemError) {
            let live = live
            let ended = try ChildProcess.run(arguments, options, shouldStop: { moment == .before && live.isCancelled })
            for line in String(decoding: ended.output, as: UTF8.self).split(separator: "\n") { desk.info("\(label): \(line)") }
            problem = ended.succeeded ? nil : ended.endingText
        } catch { problem = error.what }
        guard let problem else { return }
        let text = "\(label) script \"\(arguments.first ?? "")\" failed: \(problem)."
        if script.failJobOnError, moment == .before {
            throw DirectorError(.script, text, remedy: "Correct the script, or set Fail Job On Error = no.")
        }
        if script.failJobOnError { desk.error(text) } else { desk.warning(text) }
    }
}
