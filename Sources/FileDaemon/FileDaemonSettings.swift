// What the file daemon reads from its configuration (bacula-wire 8.9).

import Configuration
import Platform
import Wire

/// The FileDaemon resource and the directors it obeys.
struct FileDaemonSettings: Sendable {
    struct Director: Sendable {
        var name: String
        var secret: SharedSecret
        var tls: TLSPolicy
        /// May only ask for status.
        var isMonitor: Bool
        var disabledCommands: Set<String>
        /// Bytes per second of each of its jobs; 0: no limit.
        var bandwidth: Int64
    }

    var name: String
    var listeners: [PortMap.Listener]
    var sourceAddress: String?
    var storageConnectLimit: Duration
    var heartbeat: Duration?
    var jobsMax: Int
    var bandwidth: Int64
    /// For connections to storage daemons.
    var tls: TLSPolicy
    var directors: [Director]
    var disabledCommands: Set<String>

    /// - Parameter port: Instead of the configured one; 0 lets the kernel choose. For tests.
    init(_ configuration: Configuration, port: UInt16? = nil) throws(FileDaemonError) {
        guard let daemon = configuration.first(.fileDaemon) else {
            throw FileDaemonError(.noResource, "\(configuration.path) has no FileDaemon resource.", remedy: "Add one with a Name.")
        }
        name = daemon.name
        listeners = [
            PortMap.Listener(
                role: .fileDaemon, address: daemon.text("FdAddress") ?? "", port: port ?? UInt16(clamping: daemon.number("FdPort")),
                purpose: "jobs and status", connectors: [.director])
        ]
        sourceAddress = daemon.text("FdSourceAddress")
        storageConnectLimit = daemon.time("SdConnectTimeout")
        let interval = daemon.time("HeartbeatInterval")
        heartbeat = interval > .zero ? interval : nil
        jobsMax = max(1, daemon.number("MaximumConcurrentJobs"))
        bandwidth = daemon.size("MaximumBandwidthPerJob")
        tls = TLSPolicy(daemon)
        let disabled = Set(daemon.texts("DisableCommand").flatMap(Self.words))
        disabledCommands = disabled
        let daemonBandwidth = bandwidth
        directors = configuration.all(.fileDirector).compactMap { resource in
            guard let password = resource.password("Password") else { return nil }
            let own = resource.size("MaximumBandwidthPerJob")
            return Director(
                name: resource.name, secret: SharedSecret(password: password), tls: TLSPolicy(resource),
                isMonitor: resource.bool("Monitor"),
                disabledCommands: Set(resource.texts("DisableCommand").flatMap(Self.words)),
                bandwidth: own > 0 ? own : daemonBandwidth)
        }
    }

    /// `Disable Command = "restore,verify"` and several lines come to the same.
    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" }).map { $0.lowercased() }
    }

    /// Directors are compared exactly, as Bacula's file daemon does.
    func director(named name: String) -> Director? { directors.first { $0.name == name } }
}

/// Why the file daemon could not start or take a configuration over.
package struct FileDaemonError: PresentableError {
    package enum Kind: String, Sendable {
        case noResource = "fd-no-resource"
        case badConfiguration = "fd-bad-configuration"
    }
    package var kind: Kind
    package var what: String
    package var remedy: String
    package init(_ kind: Kind, _ what: String, remedy: String = "") {
        self.kind = kind
        self.what = what
        self.remedy = remedy
    }
    package var code: String { kind.rawValue }
}
