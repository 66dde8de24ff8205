// How the director reaches its daemons: from Client and Storage resources to connections.

import Configuration
import Platform
import Wire

/// Dials the daemons of a configuration.
struct DaemonDialler: Sendable {
    let configuration: Configuration
    private var director: Resource { configuration.first(.director)! }

    func destination(client: Resource, limit: Duration? = nil) throws(DirectorError) -> Destination {
        guard let password = client.password("Password"), let host = client.text("Address") else {
            throw DirectorError(.configuration, "Client \"\(client.name)\" has no Address or Password.")
        }
        return Destination(
            host: host, port: UInt16(clamping: client.number("FdPort")), secret: SharedSecret(password: password),
            tls: TLSPolicy(client), ownName: director.name, sourceAddress: director.text("DirSourceAddress"),
            connectLimit: limit ?? director.time("FdConnectTimeout"), heartbeat: client.time("HeartbeatInterval"))
    }

    func destination(storage: Resource, limit: Duration? = nil) throws(DirectorError) -> Destination {
        guard let password = storage.password("Password"), let host = storage.text("Address") else {
            throw DirectorError(.configuration, "Storage \"\(storage.name)\" has no Address or Password.")
        }
        return Destination(
            host: host, port: UInt16(clamping: storage.number("SdPort")), secret: SharedSecret(password: password),
            tls: TLSPolicy(storage), ownName: director.name, sourceAddress: director.text("DirSourceAddress"),
            connectLimit: limit ?? director.time("SdConnectTimeout"), heartbeat: storage.time("HeartbeatInterval"))
    }

    func dialClient(_ client: Resource, limit: Duration? = nil) async throws(DirectorError) -> DialledConnection {
        let destination = try destination(client: client, limit: limit)
        do {
            return try await dial(destination, .directorToFileDaemon(name: director.name, version: ProtocolVersion.director))
        } catch { throw DirectorError(error, daemon: "Client \"\(client.name)\"") }
    }

    func dialStorage(_ storage: Resource, limit: Duration? = nil) async throws(DirectorError) -> DialledConnection {
        let destination = try destination(storage: storage, limit: limit)
        do {
            return try await dial(destination, .directorToStorageDaemon(name: director.name, version: ProtocolVersion.director))
        } catch { throw DirectorError(error, daemon: "Storage \"\(storage.name)\"") }
    }

    /// The address and port of a storage daemon as a client shall dial it.
    static func storageAddress(of storage: Resource, for client: Resource) -> (host: String, port: Int) {
        (
            client.text("FdStorageAddress") ?? storage.text("FdStorageAddress") ?? storage.text("Address") ?? "",
            storage.number("SdPort")
        )
    }
}

extension DirectorError {
    /// A failed connection or dialogue with a daemon, in the operator's words.
    init(_ error: WireError, daemon: String) {
        switch error.kind {
        case .authentication, .tls:
            self.init(
                .daemonRefused, "\(daemon) refused us, or we it: \(error.detail)",
                remedy: error.remedy.isEmpty
                    ? "Compare the passwords, the Director's name and the TLS directives on both sides." : error.remedy)
        case .refused, .unreachable, .resolve:
            self.init(
                .daemonUnreachable, "\(daemon) can't be reached: \(error.what)",
                remedy: error.remedy.isEmpty ? "Check that its daemon runs, and its address, port and firewall." : error.remedy)
        case .timedOut: self.init(.timedOut, "\(daemon) did not answer in time: \(error.what)", remedy: error.remedy)
        case .interrupted: self.init(.cancelled, "The conversation with \(daemon) was interrupted.")
        case .closed: self.init(.daemonUnreachable, "\(daemon) closed the connection: \(error.detail)", remedy: error.remedy)
        case .protocolViolation, .unexpected: self.init(.daemonConfused, "\(daemon): \(error.detail)", remedy: error.remedy)
        case .system: self.init(.daemonUnreachable, "\(daemon): \(error.detail)", remedy: error.remedy)
        }
    }
}
