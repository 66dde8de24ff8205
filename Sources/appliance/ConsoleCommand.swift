// `appliance console`: the operator's terminal.

import ArgumentParser
import Console
import Platform

struct ConsoleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console",
        abstract: "Talk to a director: run jobs, watch them, list, label, restore.",
        discussion: """
            Without -c it reads commands from the terminal, with history and completion, or from a pipe. "help" lists the \
            director's commands. The director, its port and the password come from the configuration, never from arguments.

            Examples:
              appliance console -c 'run job=Nightly level=Full yes' -c wait
              appliance console --json -c 'list jobs' | jq -r .Name

            Exit statuses: 0 done; 1 a command or a job that was waited for failed; 2 usage; 3 a job that was waited for \
            finished with warnings; 10 the configuration can't be used; 130 interrupted.
            """)

    @Option(name: .long, help: "The console's configuration, or that of a director on this machine.")
    var config: String?

    @Option(
        name: [.customShort("c"), .customLong("command")],
        help: "A command; may be repeated. A question takes the next as its answer.")
    var commands: [String] = []

    @Flag(name: .long, help: "One JSON object per line instead of text.")
    var json = false

    @Option(name: .long, help: "Call as this Console resource.")
    var name: String?

    @Option(name: .long, help: "Call this Director of the configuration.")
    var director: String?

    @Flag(name: .customLong("no-progress"), help: "No progress bar while waiting for jobs.")
    var noProgress = false

    func run() throws {
        let account: ConsoleAccount
        do throws(ConsoleError) {
            account = try ConsoleAccount.load(configurationPath, name: name, director: director)
        } catch {
            ConsoleProgram.report(error, json: json)
            throw ExitStatus.badConfiguration.code
        }
        var options = ConsoleProgram.Options()
        options.commands = commands
        options.json = json
        options.progress = !noProgress
        options.historyPath = CurrentProcess.environment("HOME").map { "\($0)/.appliance_history" }
        let program = ConsoleProgram(account: account, options: options)
        // The console blocks on the terminal and the director, which Swift's own threads must not do.
        let outcome = Monitor<ConsoleOutcome?>(nil)
        ElasticExecutor.shared.detach {
            let result = await program.run()
            outcome.withLock { $0 = result }
        }
        let result = outcome.wait { $0 } ?? .failed
        if result != .done { throw ExitCode(result.rawValue) }
    }

    private var configurationPath: String {
        if let config { return config }
        let home = CurrentProcess.environment("HOME").map { ["\($0)/.config/appliance/console.conf"] } ?? []
        let candidates = home + ["/etc/appliance/console.conf", "/etc/appliance/appliance.conf"]
        return candidates.first { OpenFile.exists($0) } ?? "/etc/appliance/console.conf"
    }
}
