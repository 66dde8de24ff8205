// The configuration from the console: show, enable, disable, reload, setdebug, setbandwidth; and help and quit.

import Configuration
import Platform

extension DirectorCommand {
    static let resourceCommands: [DirectorCommand] = [
        DirectorCommand(
            "show", "Show resources of the configuration",
            "jobs clients storages pools filesets schedules catalogs messages directors all <kind>=<name>",
            details: "Every directive that was given or has a default. Passwords are never shown."
        ) { (dialogue, command) async throws(ConsoleStop) in try ResourceListing(dialogue).run(command) },
        DirectorCommand("enable", "Let a job, client or storage run again", "job=<name> client=<name> storage=<name>") {
            (dialogue, command) async throws(ConsoleStop) in try setEnabled(true, dialogue, command)
        },
        DirectorCommand(
            "disable", "Keep a job, client or storage from running", "job=<name> client=<name> storage=<name>",
            details: "Until it is enabled again, the configuration is reloaded or the director restarts."
        ) { (dialogue, command) async throws(ConsoleStop) in try setEnabled(false, dialogue, command) },
        DirectorCommand(
            "reload", "Read the configuration again",
            details: "Running and queued jobs go on under the old one. A file with errors changes nothing."
        ) {
            (dialogue, _) async throws(ConsoleStop) in
            do throws(DirectorError) { try await dialogue.services.reload() } catch { throw .failed(error) }
            try dialogue.emit(.record(ConsoleRecord(kind: "reloaded", fields: []), text: ""))
        },
        DirectorCommand(
            "setdebug", "Set the level of debugging", "level=<n> trace=<0|1> client=<name> storage=<name> director all"
        ) {
            (dialogue, command) async throws(ConsoleStop) in try await setDebug(dialogue, command)
        },
        DirectorCommand(
            "setbandwidth", "Limit the bandwidth of a client's jobs", "limit=<speed> client=<name> jobid=<id>"
        ) {
            (dialogue, command) async throws(ConsoleStop) in try await setBandwidth(dialogue, command)
        },
        DirectorCommand("help", "Show the commands, or one of them", "<command>") {
            (dialogue, command) async throws(ConsoleStop) in
            try help(dialogue, command)
        },
        DirectorCommand("quit", "Leave the console") { (_, _) async throws(ConsoleStop) in throw .quit },
        DirectorCommand("exit", "Leave the console") { (_, _) async throws(ConsoleStop) in throw .quit },
    ]

    // MARK: - help

    private static func help(_ dialogue: ConsoleDialogue, _ command: CommandText) throws(ConsoleStop) {
        func record(_ command: DirectorCommand) -> ConsoleRecord {
            ConsoleRecord(
                kind: "command",
                fields: [
                    ("name", .init(command.name)), ("summary", .init(command.summary)),
                    ("arguments", .init(command.arguments)),
                ])
        }
        try dialogue.remark("  Command       Description\n  =======       ===========\n")
        guard let name = command.arguments.first?.keyword else {
            for command in all where !command.summary.hasPrefix("(") {
                try dialogue.emit(
                    .record(record(command), text: "  \(command.name.padded(to: 13)) \(command.summary)\n"))
            }
            return try dialogue.remark(
                "\n\"help COMMAND\" shows its arguments. When at a prompt, entering a period cancels the command.\n")
        }
        guard case .one(let found) = Abbreviation.resolve(name, among: all.map(\.name)),
            let command = all.first(where: { $0.name == found })
        else {
            throw .failure(.notFound, "There is no command \"\(name)\".", remedy: "\"help\" lists them.")
        }
        var text = "  \(command.name.padded(to: 13)) \(command.summary)\n\nArguments:\n"
        var line = "\t"
        for word in Self.words(command.arguments) {
            if line.count + word.count > 72 {
                text += line + "\n"
                line = "\t"
            }
            line += word + " "
        }
        text += line + "\n"
        if !command.details.isEmpty { text += "\n" + command.details + "\n" }
        try dialogue.emit(
            .record(record(command), text: text + "\nWhen at a prompt, entering a period cancels the command.\n"))
    }

    /// The arguments one by one: what is between angle brackets stays together.
    private static func words(_ arguments: String) -> [String] {
        var words = [""]
        var depth = 0
        for character in arguments {
            if character == "<" { depth += 1 } else if character == ">" { depth -= 1 }
            if character == " ", depth == 0 { words.append("") } else { words[words.count - 1].append(character) }
        }
        return words.filter { !$0.isEmpty }
    }

    // MARK: - enable, disable

    private static func setEnabled(_ enabled: Bool, _ dialogue: ConsoleDialogue, _ command: CommandText)
        throws(ConsoleStop)
    {
        let kinds: [(keyword: String, kind: ConsoleRights.Kind)] = [
            ("job", .job), ("jobname", .job), ("client", .client), ("storage", .storage),
        ]
        guard let chosen = kinds.first(where: { command.has($0.keyword) }) else {
            throw .failure(.badRequest, "You must enter one of the following keywords: job, client, or storage.")
        }
        let resource = try dialogue.resource(chosen.kind, named: command.value(chosen.keyword))
        let configuration = dialogue.configuration
        let changed = Configuration(
            path: configuration.path,
            resources: configuration.resources.map { other in
                guard other.kind == resource.kind, other.name == resource.name else { return other }
                var other = other
                other.values["Enabled"] = .bool(enabled)
                return other
            })
        do throws(DirectorError) { try dialogue.services.take(changed) } catch { throw .failed(error) }
        let word = enabled ? "enabled" : "disabled"
        try dialogue.emit(
            .record(
                ConsoleRecord(
                    kind: word, fields: [("resource", .init(chosen.kind.noun)), ("name", .init(resource.name))]),
                text: "\(chosen.kind.noun) \"\(resource.name)\" \(word)\n"))
    }

    // MARK: - setdebug, setbandwidth

    private static func setDebug(_ dialogue: ConsoleDialogue, _ command: CommandText) async throws(ConsoleStop) {
        guard let level = Int(command.value("level") ?? "") else {
            throw .failure(.badRequest, "Which level?", remedy: "Give level=.")
        }
        let trace = Int(command.value("trace") ?? "") ?? -1
        let order =
            "setdebug=\(level) trace=\(trace) hangup=-1 blowup=-1 options=\(command.value("options") ?? "") tags=\(command.value("tags") ?? "")"
        var asked = false
        if command.has("storage") || command.has("all") {
            asked = true
            let storages =
                command.has("all")
                ? dialogue.resources(.storage) : [try dialogue.resource(.storage, named: command.value("storage"))]
            for storage in storages {
                do throws(DirectorError) {
                    for line in try await dialogue.services.storageCommand(storage.name, order) {
                        emitLine(line, to: dialogue)
                    }
                } catch { throw .failed(error) }
            }
        }
        if command.has("client") || command.has("all") {
            asked = true
            throw .failure(
                .notBuiltYet, "Debugging of clients can't be set from here in this release.",
                remedy: "Start the file daemon with --debug.")
        }
        if !asked {
            throw .failure(
                .notBuiltYet, "The director's own level can't be changed while it runs.",
                remedy: "Start it with --debug.")
        }
    }

    private static func emitLine(_ line: String, to dialogue: ConsoleDialogue) { dialogue.emitter(.text(line + "\n")) }

    private static func setBandwidth(_ dialogue: ConsoleDialogue, _ command: CommandText) async throws(ConsoleStop) {
        throw .failure(
            .notBuiltYet, "The bandwidth of running jobs can't be changed in this release.",
            remedy: "Set Maximum Bandwidth in the Job, or Maximum Bandwidth Per Job in the Client, then reload.")
    }
}

/// `show`.
struct ResourceListing {
    let dialogue: ConsoleDialogue
    init(_ dialogue: ConsoleDialogue) { self.dialogue = dialogue }

    private static let kinds: [(words: [String], kind: ResourceKind, noun: String, right: ConsoleRights.Kind?)] = [
        (["directors", "director"], .director, "Director", nil), (["clients", "client"], .client, "Client", .client),
        (["jobs", "job"], .job, "Job", .job), (["storages", "storage"], .storage, "Storage", .storage),
        (["autochangers", "autochanger"], .autochanger, "Autochanger", .storage),
        (["pools", "pool"], .pool, "Pool", .pool),
        (["filesets", "fileset"], .fileSet, "FileSet", .fileSet),
        (["schedules", "schedule"], .schedule, "Schedule", .schedule),
        (["catalogs", "catalog"], .catalog, "Catalog", .catalog), (["messages"], .messages, "Messages", nil),
        (["counters", "counter"], .counter, "Counter", nil), (["consoles", "console"], .console, "Console", nil),
    ]

    func run(_ command: CommandText) throws(ConsoleStop) {
        var wanted = command.arguments
        if wanted.isEmpty { wanted = [CommandText.Argument(try choose())] }
        for argument in wanted {
            if argument.keyword.isSameWord(as: "all") {
                for entry in Self.kinds { try show(entry.kind, entry.noun, entry.right, name: nil) }
                continue
            }
            let words = Self.kinds.flatMap(\.words)
            guard case .one(let word) = Abbreviation.resolve(argument.keyword, among: words),
                let entry = Self.kinds.first(where: { $0.words.contains(word) })
            else {
                throw .failure(
                    .badRequest, "Show what? \"\(argument.keyword)\" is unknown.",
                    remedy: "\"help show\" lists the kinds.")
            }
            try show(entry.kind, entry.noun, entry.right, name: argument.value)
            // An Autochanger is a Storage to its operator.
            if entry.kind == .storage { try show(.autochanger, "Autochanger", .storage, name: argument.value) }
        }
    }

    private func choose() throws(ConsoleStop) -> String {
        let items = Self.kinds.map { $0.words[0] } + ["all"]
        return items[try dialogue.choose(title: "Keywords for the show command are:\n", items, prompt: "Show which")]
    }

    private func show(_ kind: ResourceKind, _ noun: String, _ right: ConsoleRights.Kind?, name: String?)
        throws(ConsoleStop)
    {
        // What has no list of its own is for the default console.
        if right == nil, dialogue.rights.consoleName != nil { return }
        for resource in dialogue.configuration.all(kind) where name.map({ $0.isSameWord(as: resource.name) }) ?? true {
            if let right, !dialogue.rights.allows(right, resource.name) { continue }
            var fields: [(name: String, value: ConsoleValue)] = [("name", .init(resource.name))]
            var text = "\(noun): name=\(resource.name)\n"
            for directive in ConfigurationTables.table(kind).directives where directive.name != "Name" {
                // The catalog's password is a plain text to the tables: the name decides as well as the type.
                guard !directive.name.lowercased().contains("password"), let value = resource.value(directive.name),
                    let shown = Self.shown(value, indent: "      ")
                else { continue }
                fields.append((directive.name, .init(shown.trimmed)))
                text += "      \(directive.name)=\(shown)\n"
            }
            try dialogue.emit(
                .record(ConsoleRecord(kind: "resource", fields: [("resource", .init(noun))] + fields), text: text))
        }
    }

    /// A value as the configuration's language would write it; nil for passwords.
    static func shown(_ value: Value, indent: String) -> String? {
        switch value {
        case .text(let text), .reference(_, let text): return text
        case .password: return nil
        case .number(let number): return String(number)
        case .size(let bytes): return String(bytes)
        case .speed(let speed): return "\(speed)/s"
        case .time(let time): return Units.text(seconds: time.components.seconds)
        case .bool(let flag): return flag ? "yes" : "no"
        case .list(let values): return values.compactMap { shown($0, indent: indent) }.joined(separator: ", ")
        case .block(let block):
            let lines = block.entries.compactMap { entry in
                shown(entry.value, indent: indent + "  ").map { "\(indent)  \(entry.name)=\($0)" }
            }
            return "{\n" + lines.joined(separator: "\n") + "\n\(indent)}"
        }
    }
}
