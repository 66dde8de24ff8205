// The conversation with a director: a line out, texts and signals in, until it wants to hear from us again.

import Platform
package import Wire

/// A connection to a director, ours or a Bacula's. Calls block.
package final class DirectorLink: Sendable {
    /// What a piece of an answer is. A director of Bacula's only ever says `text`.
    package enum Tone: Sendable, Equatable { case text, information, warning, error }

    /// Why the director has stopped talking.
    package enum Turn: Sendable, Equatable {
        /// The command is over. `ok` is true where the director doesn't say; `messages` where it says that some wait.
        case finished(ok: Bool, messages: Bool)
        /// It asks something; the question was the last text.
        case question
        /// It has ended the conversation.
        case ended
    }

    private let channel: MessageChannel
    package let greeting: String
    /// The director is one of ours, so our modes and commands may be used.
    package let isAppliance: Bool
    package let security: String

    package init(_ connection: DialledConnection) {
        channel = connection.channel
        greeting = connection.greeting
        isAppliance = connection.isAppliance
        security = connection.channel.security
    }

    package static func connect(_ account: ConsoleAccount) async throws(ConsoleError) -> DirectorLink {
        let destination = Destination(
            host: account.host, port: account.port, secret: account.secret, tls: account.tls, ownName: account.name,
            connectLimit: .seconds(15))
        do {
            return DirectorLink(
                try await dial(destination, .console(name: account.name, version: ProtocolVersion.console)))
        } catch {
            throw ConsoleError(
                .connection, "Director \"\(account.director)\" at \(account.host):\(account.port): \(error.detail)",
                remedy: error.remedy.isEmpty
                    ? "Check that it runs, and its name, port and password in the configuration." : error.remedy)
        }
    }

    /// Sends `line` and hands every piece of the answer to `receive`, until the director wants something.
    package func exchange(_ line: String, receive: (Tone, String) -> Void) throws(ConsoleError) -> Turn {
        do {
            // An empty packet is no message; a director takes a blank for an empty line.
            try channel.send(line.isEmpty ? " " : line)
            try channel.flush()
            return try listen(receive)
        } catch {
            // A Bacula's director may hang up without a word when it is told to.
            let verb = line.split(whereSeparator: \.isWhitespace).first?.lowercased() ?? ""
            if error.kind == .closed, ["quit", "exit", ".quit", ".exit"].contains(verb) { return .ended }
            throw ConsoleError(
                .connection, "The connection to the director is lost: \(error.detail)", remedy: "Call again.")
        }
    }

    private func listen(_ receive: (Tone, String) -> Void) throws(WireError) -> Turn {
        var tone = Tone.text
        var ok = true
        var messages = false
        while true {
            switch try channel.receive() {
            case .payload(let bytes):
                var bytes = bytes
                while bytes.last == 0 { bytes.removeLast() }
                receive(tone, String(decoding: bytes, as: UTF8.self))
                tone = .text
            case .signal(.endOfData): return .finished(ok: ok, messages: messages)
            case .signal(.mainPrompt): return .finished(ok: ok, messages: messages)
            case .signal(.subPrompt): return .question
            case .signal(.terminate): return .ended
            case .signal(.commandFailed): ok = false
            case .signal(.commandOK): ok = true
            case .signal(.messagesPending): messages = true
            case .signal(.errorMessage): tone = .error
            case .signal(.warningMessage): tone = .warning
            case .signal(.infoMessage): tone = .information
            case .signal(.endOfDataPoll): try channel.send("1000 OK\n")
            default: break  // frames that only matter to programs with menus of their own
            }
        }
    }

    /// The answer to a dot command, in lines.
    package func lines(_ command: String) throws(ConsoleError) -> [String] {
        var text = ""
        let turn = try exchange(command) { _, piece in text += piece }
        if turn == .question { _ = try exchange(".") { _, _ in } }
        return text.split(whereSeparator: \.isNewline).map(String.init)
    }

    package func close() { channel.close(terminate: true) }
    package func interrupt() { channel.interrupt() }
}
