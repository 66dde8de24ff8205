// One console's conversation with the director.

package import Wire

/// Serves one console until it quits or hangs up.
package struct ConsoleSession: Sendable {
    let services: DirectorServices
    let connection: AcceptedConnection

    package init(services: DirectorServices, connection: AcceptedConnection) {
        self.services = services
        self.connection = connection
    }

    /// Blocks; cancelling the task interrupts the channel and ends it.
    package func run() async {
        var rights = ConsoleRights.unlimited
        if case .console(let name, _) = connection.hello, name != "*UserAgent*" {
            // A reload may have taken the resource away between the Hello and now.
            guard let console = services.configuration.named(.console, name) else { return }
            rights = ConsoleRights(console)
        }
        let channel = connection.channel
        await withTaskCancellationHandler {
            await Self.serve(ConsoleDialogue(services: services, line: ConsoleLine(channel), rights: rights))
            try? channel.flush()
        } onCancel: {
            channel.interrupt()
        }
    }

    /// Commands, one after the other, until the console leaves.
    static func serve(_ dialogue: ConsoleDialogue) async {
        let interpreter = CommandInterpreter()
        do throws(ConsoleStop) {
            while true { try await interpreter.perform(try dialogue.receive(), in: dialogue) }
        } catch {
            if case .quit = error { try? dialogue.send([.signal(.terminate)]) }
        }
    }
}
