// Dialling and accepting: Hello, TLS, authentication, and the greeting, for every pair of programs (bacula-wire 2, 11.2).
//
// What ours do: TLS 1.3 by pre-shared key is on by default on both sides and comes before CRAM-MD5, in the way of release
// 11: the Hello ends in ` tlspsk=%d`, the acceptor answers `starttls tlspsk=%d`, then the handshake. The PSK identity
// `appliance` selects a key derived by HKDF-SHA256 from the MD5-hex password (or the job's authorization string); an empty
// identity is a release 11+ peer, whose key is that text itself. Certificates where the `TLS …` directives configure
// them. Clear text only where the resource says `TLS Enable = no`; old peers (9.6) need that.

package import Configuration
import Platform

/// How a connection is protected, from a resource's TLS directives.
package struct TLSPolicy: Sendable, Hashable {
    package enum PreSharedKey: Sendable { case off, offered, required }
    package var preSharedKey: PreSharedKey
    package struct Certificates: Sendable, Hashable {
        package var required: Bool
        package var verifyPeer: Bool
        package var caFile: String?
        package var caDirectory: String?
        package var certificateFile: String?
        package var keyFile: String?
        package var allowedCommonNames: [String]
        /// Encrypt only the authentication (`TLS Authenticate`).
        package var authenticateOnly: Bool
        package init(
            required: Bool, verifyPeer: Bool, caFile: String?, caDirectory: String?, certificateFile: String?,
            keyFile: String?, allowedCommonNames: [String], authenticateOnly: Bool
        ) {
            self.required = required
            self.verifyPeer = verifyPeer
            self.caFile = caFile
            self.caDirectory = caDirectory
            self.certificateFile = certificateFile
            self.keyFile = keyFile
            self.allowedCommonNames = allowedCommonNames
            self.authenticateOnly = authenticateOnly
        }
    }
    package var certificates: Certificates?
    package init(preSharedKey: PreSharedKey, certificates: Certificates? = nil) {
        self.preSharedKey = preSharedKey
        self.certificates = certificates
    }
    /// The default of the house: TLS by pre-shared key or nothing.
    package static let preSharedKeyRequired = TLSPolicy(preSharedKey: .required)
    /// `TLS Enable = no`: what 9.6 peers without certificates need.
    package static let plainText = TLSPolicy(preSharedKey: .off)

    /// Reads TlsEnable, TlsPskEnable, TlsRequire, TlsCertificate, … of a resource.
    package init(_ resource: Resource) { preconditionFailure("not built yet") }
}

/// The secret of a connection: the text that is CRAM-MD5's key and the root of the TLS key. Never printed.
package struct SharedSecret: Sendable, Hashable, CustomStringConvertible {
    let key: String
    /// A resource's clear password: the key is its MD5 in hexadecimal.
    package init(password: String) { key = Digest.md5Hex(password) }
    /// A job's Authorization string, used as it is between file and storage daemon.
    package init(authorization: String) { key = authorization }
    package var description: String { "<secret>" }
}

/// Who calls, as the first packet of a connection says (bacula-wire 2.4).
package enum Hello: Sendable, Hashable {
    /// `*UserAgent*` for the default console.
    case console(name: String, version: Int)
    /// A director at a file daemon.
    case directorToFileDaemon(name: String, version: Int)
    /// A director at a storage daemon.
    case directorToStorageDaemon(name: String, version: Int)
    /// A file daemon (or, with `storageVersion`, a storage daemon) at a storage daemon, for a job.
    case jobToStorageDaemon(job: String, version: Int, storageVersion: Int?)
    /// A storage daemon that calls a file daemon.
    case storageDaemonToFileDaemon(job: String, version: Int)
    /// A file daemon asked for `Ping`, which needs no authentication.
    case ping
}

/// The version numbers we announce (bacula-wire 2.4, 11.1).
package enum ProtocolVersion {
    package static let director = 103
    package static let fileDaemon = 214
    package static let storageDaemon = 306
    package static let console = 100
}

/// An accepted, authenticated connection.
package struct AcceptedConnection: Sendable {
    package let channel: MessageChannel
    package let hello: Hello
    /// The peer announced itself as one of ours, so our extensions may be used.
    package let isAppliance: Bool
}

/// How an acceptor answers a Hello.
package enum Admission: Sendable {
    /// Authenticate with this secret, introduce ourselves under this name, then send this greeting.
    case authenticate(SharedSecret, TLSPolicy, greeting: String)
    /// Refuse: the reason goes to the log, the line (may be empty) to the peer after a delay.
    case refuse(reason: String, line: String)
}

/// A listening socket of the port map.
///
/// `serve` accepts until the task is cancelled. Every connection gets its own child task on the elastic executor; before
/// it is authenticated it may hold at most a few KiB and `authenticationLimit` of time, and there may be at most
/// `unauthenticatedMax` of them, so that garbage and slow peers disturb nobody.
package final class Listener: Sendable {
    package let entry: PortMap.Listener
    package init(_ entry: PortMap.Listener) throws(WireError) { preconditionFailure("not built yet") }
    /// The port really bound, where the entry says 0.
    package var port: UInt16 { 0 }

    /// - Parameters:
    ///   - name: Our resource's name, used in challenges.
    ///   - admit: Decides by the Hello; called before any secret is exchanged.
    ///   - handler: Gets the authenticated connection; the channel is closed when it returns.
    package func serve(
        name: String, authenticationLimit: Duration = .seconds(60), unauthenticatedMax: Int = 64, connectionsMax: Int = 1024,
        admit: @escaping @Sendable (Hello) -> Admission, handler: @escaping @Sendable (AcceptedConnection) async -> Void
    ) async { preconditionFailure("not built yet") }
}

/// What a dialler needs to know.
package struct Destination: Sendable {
    package var host: String
    package var port: UInt16
    package var secret: SharedSecret
    package var tls: TLSPolicy
    /// Our own name in Hello and challenges.
    package var ownName: String
    /// Local address to dial from; nil: the kernel chooses.
    package var sourceAddress: String?
    /// How long to keep trying before giving up.
    package var connectLimit: Duration
    package var heartbeat: Duration?
    package init(
        host: String, port: UInt16, secret: SharedSecret, tls: TLSPolicy, ownName: String, sourceAddress: String? = nil,
        connectLimit: Duration = .seconds(180), heartbeat: Duration? = .seconds(30)
    ) {
        self.host = host
        self.port = port
        self.secret = secret
        self.tls = tls
        self.ownName = ownName
        self.sourceAddress = sourceAddress
        self.connectLimit = connectLimit
        self.heartbeat = heartbeat
    }
}

/// A dialled, authenticated connection.
package struct DialledConnection: Sendable {
    package let channel: MessageChannel
    /// The greeting line, without its newline: `3000 OK Hello 306`.
    package let greeting: String
    package let isAppliance: Bool
    /// The version number in the greeting, or 0.
    package let peerVersion: Int
}

/// Connects, says Hello, secures and authenticates. Blocks; cancelling the task ends it.
package func dial(_ destination: Destination, _ hello: Hello) async throws(WireError) -> DialledConnection {
    preconditionFailure("not built yet")
}
