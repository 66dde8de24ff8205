// Which director to call, under which name and with which secret: read from a configuration file, never from arguments.

import Configuration
import Platform
package import Wire

/// Why a console can't do its work, as its user meets it.
package struct ConsoleError: PresentableError {
    package enum Kind: String, Sendable {
        /// The file has errors; `what` lists them.
        case configuration
        /// The file names no such director or console.
        case notFound = "not-found"
        /// The director can't be reached, refuses us, or went away.
        case connection
        /// The director doesn't know what we need: it is not one of ours.
        case unsupported
    }
    package var kind: Kind
    package var what: String
    package var remedy: String
    package init(_ kind: Kind, _ what: String, remedy: String = "") {
        self.kind = kind
        self.what = what
        self.remedy = remedy
    }
    package var code: String { "console-\(kind.rawValue)" }
}

/// A director and our account at it.
package struct ConsoleAccount: Sendable {
    /// Name of the Director resource, for the operator's eyes.
    package var director: String
    package var host: String
    package var port: UInt16
    /// `*UserAgent*` for the default console.
    package var name: String
    package var secret: SharedSecret
    package var tls: TLSPolicy

    package init(director: String, host: String, port: UInt16, name: String, secret: SharedSecret, tls: TLSPolicy) {
        self.director = director
        self.host = host
        self.port = port
        self.name = name
        self.secret = secret
        self.tls = tls
    }

    /// Reads a console's file (Director and Console resources), or the file of a director that runs on this machine.
    ///
    /// - Parameters:
    ///   - name: The Console resource to use; nil: the first of a console's file, none of a director's.
    ///   - director: The Director resource to call; nil: the first.
    package static func load(_ path: String, name: String?, director: String? = nil) throws(ConsoleError)
        -> ConsoleAccount
    {
        // A console's file and a director's both have a Director resource, with other directives in it. Only a console's
        // gives an Address.
        let (own, ownFindings) = ConfigurationLoader.load(path, roles: [.console])
        if let own, own.first(.consoleDirector)?.text("Address") != nil {
            return try account(inConsoleFile: own, name: name, director: director)
        }
        let mixtures: [Set<Role>] = [
            [.director, .storageDaemon, .fileDaemon], [.director, .storageDaemon], [.director, .fileDaemon],
            [.director],
        ]
        for roles in mixtures {
            let (whole, _) = ConfigurationLoader.load(path, roles: roles)
            if let whole, whole.first(.director) != nil { return try account(inDirectorFile: whole, name: name) }
        }
        let findings = ownFindings.filter { $0.severity == .error }.map(\.description)
        throw ConsoleError(
            .configuration,
            findings.isEmpty ? "\(path) names no Director with an Address." : findings.joined(separator: "\n"),
            remedy: "A console's file needs Director { Name, Address, DirPort, Password }.")
    }

    private static func account(
        inConsoleFile file: Configuration, name: String?, director: String?
    ) throws(ConsoleError) -> ConsoleAccount {
        let directors = file.all(.consoleDirector)
        guard let resource = director.map({ name in directors.first { $0.name == name } }) ?? directors.first else {
            throw ConsoleError(
                .notFound, "\(file.path) has no Director \"\(director ?? "")\".",
                remedy: "It has \(directors.map { "\"\($0.name)\"" }.joined(separator: ", ")).")
        }
        let consoles = file.all(.consoleConsole)
        let console: Resource?
        if let name {
            guard let found = consoles.first(where: { $0.name == name }) else {
                throw ConsoleError(.notFound, "\(file.path) has no Console \"\(name)\".")
            }
            console = found
        } else {
            console = consoles.first
        }
        // A named console brings its own password; the Director's is then not used.
        guard let password = console?.password("Password") ?? resource.password("Password") else {
            throw ConsoleError(.configuration, "Director \"\(resource.name)\" in \(file.path) has no Password.")
        }
        return ConsoleAccount(
            director: resource.name, host: resource.text("Address") ?? "127.0.0.1",
            port: UInt16(clamping: resource.number("DirPort")), name: console?.name ?? "*UserAgent*",
            secret: SharedSecret(password: password), tls: TLSPolicy(console ?? resource))
    }

    private static func account(inDirectorFile file: Configuration, name: String?) throws(ConsoleError)
        -> ConsoleAccount
    {
        let resource = file.first(.director)!
        var console: Resource?
        if let name {
            console = file.named(.console, name)
            guard console != nil else { throw ConsoleError(.notFound, "\(file.path) has no Console \"\(name)\".") }
        }
        guard let password = (console ?? resource).password("Password") else {
            throw ConsoleError(
                .configuration,
                "Director \"\(resource.name)\" in \(file.path) has no Password, so no console may call it.")
        }
        let address = resource.text("DirAddress") ?? ""
        let everywhere = ["", "0.0.0.0", "::", "*"].contains(address)
        return ConsoleAccount(
            director: resource.name, host: everywhere ? "127.0.0.1" : address,
            port: UInt16(clamping: resource.number("DirPort")),
            name: console?.name ?? "*UserAgent*", secret: SharedSecret(password: password),
            tls: TLSPolicy(console ?? resource))
    }
}
