// What a command speaks through: answers out, questions and their answers, and the ways a command can end early.

package import Configuration
package import Platform
package import Wire

/// Packets both ways, over a channel or a test's script.
package struct ConsoleLine: Sendable {
    package var send: @Sendable ([Packet]) throws(WireError) -> Void
    package var receive: @Sendable () throws(WireError) -> Packet
    package init(
        send: @escaping @Sendable ([Packet]) throws(WireError) -> Void,
        receive: @escaping @Sendable () throws(WireError) -> Packet
    ) {
        self.send = send
        self.receive = receive
    }
    package init(_ channel: MessageChannel) {
        send = { (packets) throws(WireError) in
            for packet in packets {
                switch packet {
                case .payload(let bytes): try channel.send(bytes)
                case .signal(let signal): try channel.send(signal)
                }
            }
        }
        receive = { () throws(WireError) in
            try channel.flush()
            return try channel.receive()
        }
    }
}

/// Why a command ends before its end.
package enum ConsoleStop: Error, Sendable {
    /// The console is gone.
    case hungUp
    /// `quit`.
    case quit
    /// A period in answer to a question; `text` is what the operator reads.
    case cancelled(String)
    /// It can't be done.
    case failed(code: String, what: String, remedy: String)

    package static func failure(_ kind: DirectorError.Kind, _ what: String, remedy: String = "") -> ConsoleStop {
        .failed(DirectorError(kind, what, remedy: remedy))
    }
    package static func failed(_ error: some PresentableError) -> ConsoleStop {
        .failed(code: error.code, what: error.what, remedy: error.remedy)
    }
}

/// One console's conversation. Used by one task; not shared.
package final class ConsoleDialogue {
    package let services: DirectorServices
    package let line: ConsoleLine
    package let rights: ConsoleRights
    package var renderer = ConsoleRenderer()
    /// Whether the command at hand succeeded so far: a warning doesn't change it, an error does.
    package var succeeded = true
    private var catalogIsAnnounced = false

    package init(services: DirectorServices, line: ConsoleLine, rights: ConsoleRights) {
        self.services = services
        self.line = line
        self.rights = rights
    }

    package var configuration: Configuration { services.configuration }

    // MARK: - Answers

    package func emit(_ result: ConsoleResult) throws(ConsoleStop) {
        if case .failure = result { succeeded = false }
        try send(renderer.packets(result))
    }
    package func text(_ text: String) throws(ConsoleStop) { try emit(.text(text)) }
    package func remark(_ text: String) throws(ConsoleStop) { try emit(.remark(text)) }
    package func table(_ table: ConsoleTable, long: Bool = false) throws(ConsoleStop) {
        try emit(.table(table, long: long))
    }

    package func send(_ packets: [Packet]) throws(ConsoleStop) {
        do { try line.send(packets) } catch { throw .hungUp }
    }

    /// Emits from a closure that another task may call while the command waits for it.
    package var emitter: @Sendable (ConsoleResult) -> Void {
        let (line, renderer) = (line, renderer)
        return { result in try? line.send(renderer.packets(result)) }
    }

    // MARK: - Questions

    /// The next line from the console.
    package func receive() throws(ConsoleStop) -> String {
        while true {
            let packet: Packet
            do { packet = try line.receive() } catch { throw .hungUp }
            switch packet {
            case .payload(var bytes):
                while let last = bytes.last, last == 0 || last == 0x0A || last == 0x0D { bytes.removeLast() }
                return String(decoding: bytes, as: UTF8.self)
            case .signal(.terminate): throw .hungUp
            case .signal(.breakCommand): throw .cancelled("Selection aborted, nothing done.\n")
            case .signal: continue
            }
        }
    }

    /// Asks; a period cancels.
    package func ask(_ prompt: ConsolePrompt, onCancel: String = "Selection aborted, nothing done.\n")
        throws(ConsoleStop) -> String
    {
        try send(renderer.packets(prompt))
        let answer = try receive().trimmed
        if answer == "." { throw .cancelled(onCancel) }
        return answer
    }

    package func askYesNo(_ question: String, onCancel: String = "Selection aborted, nothing done.\n")
        throws(ConsoleStop) -> Bool
    {
        while true {
            switch try ask(.yesNo(question), onCancel: onCancel).lowercased() {
            case "yes", "y", "ja", "true", "1": return true
            case "no", "n", "nein", "false", "0": return false
            default: try remark("Invalid response. You must answer yes or no.\n")
            }
        }
    }

    /// Lets the operator choose; asks nothing where there is but one.
    ///
    /// - Parameters:
    ///   - noun: For `Automatically selected Client: lab-fd`; nil always asks.
    ///   - prompt: Without the range of numbers.
    /// - Returns: Index into `items`.
    package func choose(title: String, _ items: [String], noun: String? = nil, prompt: String) throws(ConsoleStop)
        -> Int
    {
        guard !items.isEmpty else {
            throw .failure(
                .notFound,
                "There is nothing to choose from: \(noun.map { "no \($0) is defined, or you may use none" } ?? title.trimmed)."
            )
        }
        if let noun, items.count == 1 {
            try remark("Automatically selected \(noun): \(items[0])\n")
            return 0
        }
        while true {
            let answer = try ask(.select(title: title, items: items, prompt: "\(prompt) (1-\(items.count)): "))
            // Programs may answer by the item itself.
            if let index = items.firstIndex(where: { $0.isSameWord(as: answer) }) { return index }
            guard let number = Int(answer) else {
                try remark("Expected a positive integer, got: \(answer)\n")
                continue
            }
            guard items.indices.contains(number - 1) else {
                try remark("Please enter a number between 1 and \(items.count)\n")
                continue
            }
            return number - 1
        }
    }

    // MARK: - Resources

    /// The resource that an argument names, or the operator's choice among those he may use.
    package func resource(
        _ kind: ConsoleRights.Kind, named name: String?, ask: Bool = true
    ) throws(ConsoleStop) -> Resource {
        let usable = resources(kind)
        if let name {
            // Case counts in names, but an operator's habit shouldn't.
            if let exact = usable.first(where: { $0.name == name })
                ?? usable.first(where: { $0.name.isSameWord(as: name) })
            {
                return exact
            }
            guard ask, renderer.mode != .json else {
                throw .failure(
                    .notFound, "\(kind.noun) resource \"\(name)\": not found",
                    remedy: "\"\(kind.showCommand)\" lists them.")
            }
            try emit(.warning("\(kind.noun) resource \"\(name)\": not found\n"))
        }
        let index = try choose(
            title: "The defined \(kind.noun) resources are:\n", usable.map(\.name), noun: kind.noun, prompt: kind.prompt
        )
        return usable[index]
    }

    /// The resources of a kind that this console may see.
    package func resources(_ kind: ConsoleRights.Kind) -> [Resource] {
        let all: [Resource]
        switch kind {
        case .storage: all = configuration.all(.storage) + configuration.all(.autochanger)
        default: all = configuration.all(kind.resourceKind)
        }
        return all.filter { rights.allows(kind, $0.name) }
    }

    /// Announces the catalog, once per conversation.
    package func announceCatalog() throws(ConsoleStop) {
        guard !catalogIsAnnounced, let name = configuration.first(.catalog)?.name else { return }
        catalogIsAnnounced = true
        try remark("Automatically selected Catalog: \(name)\nUsing Catalog \"\(name)\"\n")
    }

    package func requireAllowed(_ kind: ConsoleRights.Kind, _ name: String) throws(ConsoleStop) {
        guard rights.allows(kind, name) else {
            throw .failure(.notFound, "\(kind.noun) \"\(name)\" does not exist, or this console may not use it.")
        }
    }
}
