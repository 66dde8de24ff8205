// The commands of the console: names, what they are for, their arguments, and who carries them out.

/// One command. The table below is what the parser, `help`, `.help` and completion work from.
package struct DirectorCommand: Sendable {
    package typealias Action = @Sendable (ConsoleDialogue, CommandText) async throws(ConsoleStop) -> Void
    package var name: String
    /// One phrase, as `help` lists it.
    package var summary: String
    /// The arguments, in the words of an operator's manual.
    package var arguments: String
    /// More, for `help COMMAND`; may be empty.
    package var details: String
    package var action: Action

    package init(
        _ name: String, _ summary: String, _ arguments: String = "", details: String = "", action: @escaping Action
    ) {
        self.name = name
        self.summary = summary
        self.arguments = arguments
        self.details = details
        self.action = action
    }

    /// By name, without dot commands.
    package static let all: [DirectorCommand] =
        (jobCommands + listCommands + resourceCommands + volumeCommands + restoreCommands + statusCommands
        + unbuiltCommands)
        .sorted { $0.name < $1.name }

    /// Commands of Bacula's that a later release will bring; each says so by itself.
    private static let unbuiltCommands = [
        "add", "autodisplay", "automount", "cloud", "create", "gui", "memory", "prune", "relabel", "restart", "resume",
        "setip",
        "snapshot", "statistics", "stop", "trace", "use", "var",
    ].map { name in
        DirectorCommand(name, "(not available yet)") { (_, _) throws(ConsoleStop) in
            throw .failure(
                .notBuiltYet, "The command \"\(name)\" is not available in this release.",
                remedy: "\"help\" lists what is.")
        }
    }
}

/// Finding and carrying out what was typed.
package struct CommandInterpreter: Sendable {
    package init() {}

    /// Carries out one line. Errors have become answers when this returns; only the end of the conversation is thrown.
    package func perform(_ text: String, in dialogue: ConsoleDialogue) async throws(ConsoleStop) {
        let command = CommandText(text)
        let messages = { dialogue.services.messages.count }
        guard !command.verb.isEmpty else {
            return try dialogue.send(dialogue.renderer.commandEnd(ok: true, messages: messages()))
        }
        let dotted = command.verb.hasPrefix(".")
        let table = dotted ? DirectorCommand.dotCommands : DirectorCommand.all
        let found: DirectorCommand
        switch Abbreviation.resolve(command.verb, among: table.map(\.name)) {
        case .one(let name): found = table.first { $0.name == name }!
        case .several(let names):
            let hint = "It may mean \(names.joined(separator: ", ")).\n"
            return try dialogue.send(dialogue.renderer.unknownCommand(command.verb, hint: hint, messages: messages()))
        case .none:
            return try dialogue.send(dialogue.renderer.unknownCommand(command.verb, hint: "", messages: messages()))
        }
        dialogue.succeeded = true
        // `.api` answers in the mode that it chooses, all others are framed in the mode at hand.
        if found.name != ".api" { try dialogue.send(dialogue.renderer.commandBegin) }
        do throws(ConsoleStop) {
            guard dialogue.rights.allows(.command, found.name) || Self.alwaysAllowed.contains(found.name) else {
                throw .failure(
                    .notFound, "\(found.name): this console may not use that command.",
                    remedy: "Its CommandACL would have to allow it.")
            }
            try await found.action(dialogue, command)
        } catch {
            switch error {
            case .hungUp, .quit: throw error
            case .cancelled(let text):
                dialogue.succeeded = false
                try dialogue.remark(text)
            case .failed(let code, let what, let remedy):
                try dialogue.emit(.failure(code: code, what: what, remedy: remedy))
            }
        }
        try dialogue.send(dialogue.renderer.commandEnd(ok: dialogue.succeeded, messages: messages()))
    }

    private static let alwaysAllowed: Set<String> = [
        "quit", "exit", "help", "version", "time", ".api", ".quit", ".exit", ".help",
    ]
}
