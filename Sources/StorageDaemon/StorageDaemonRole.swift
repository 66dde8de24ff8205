// The storage daemon as the binary runs it: one port for directors, file daemons and other storage daemons.

package import Configuration
import Logging
package import Modules
import Platform
import Wire

/// `appliance --role sd`.
package final class StorageDaemonRole: RoleDaemon {
    private let server: StorageServer
    private let listeners: [Listener]
    private enum Phase { case ready, running([Task<Void, Never>]), ending }
    private let phase = Monitor(Phase.ready)

    /// Reads the configuration, takes a session time and binds the ports; serves nothing yet.
    package init(configuration: Configuration, modules: ModuleRegistry) throws {
        server = try StorageServer(configuration, modules: modules, logger: Logger(label: "sd"))
        listeners = try server.settings.listeners.map { entry in try Listener(entry) }
    }

    /// The first port really bound, where the configuration says 0.
    package var port: UInt16 { listeners.first?.port ?? 0 }

    package func run() async throws {
        let server = self.server
        let listeners = self.listeners
        let tasks = listeners.map { listener in
            ElasticExecutor.shared.detach {
                await listener.serve(
                    name: server.settings.name, admit: { server.admit($0) }, handler: { await server.serve($0) })
            }
        }
        let isEnding = phase.withLock { phase in
            if case .ending = phase { return true }
            phase = .running(tasks)
            return false
        }
        if isEnding { for task in tasks { task.cancel() } }
        server.logger.info(
            "storage daemon ready",
            metadata: ["port": "\(port)", "devices": "\(server.table.drives.count)", "session-time": "\(server.numbers.time)"])
        await withTaskCancellationHandler {
            for task in tasks { await task.value }
        } onCancel: {
            for task in tasks { task.cancel() }
        }
    }

    /// Takes over directors and their passwords; devices, ports and the daemon's own settings need a restart.
    package func reload(_ configuration: Configuration) async throws {
        let settings = try StorageSettings(configuration)
        guard settings.name == server.settings.name else {
            throw StorageError(
                .badCommand, "\(configuration.path) configures \(settings.name), and this is \(server.settings.name).",
                remedy: "Restart the daemon to change its name.")
        }
        server.state.withLock { $0.directors = settings.directors }
        server.logger.info("configuration reloaded: directors and passwords; devices and ports change with a restart")
    }

    package func shutDown(grace: Duration) async {
        server.state.withLock { $0.isClosing = true }
        let tasks = phase.withLock { phase -> [Task<Void, Never>] in
            defer { phase = .ending }
            if case .running(let tasks) = phase { return tasks }
            return []
        }
        let running = server.runningJobs().count
        if running > 0 {
            server.logger.info(
                "waiting for running jobs", metadata: ["jobs": "\(running)", "seconds": "\(grace.components.seconds)"])
        }
        _ = server.state.wait(atMost: grace) { $0.jobs.isEmpty ? true : nil }
        for job in server.runningJobs() { job.cancel(.shutdown) }
        // They write their last blocks and tell the director; one that is stuck does not hold us up for ever.
        _ = server.state.wait(atMost: .seconds(30)) { $0.jobs.isEmpty ? true : nil }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }
}

extension StorageServer {
    /// Decides by the Hello whom to authenticate, and with what.
    func admit(_ hello: Hello) -> Admission {
        switch hello {
        case .directorToStorageDaemon(let name, _):
            guard let director = director(named: name) else {
                return .refuse(reason: "no Director resource is named \(name)", line: "3999 No go\n")
            }
            return .authenticate(director.secret, director.tls, greeting: "3000 OK Hello \(ProtocolVersion.storageDaemon)\n")
        case .jobToStorageDaemon(let name, _, _):
            guard let job = job(named: name) else {
                return .refuse(reason: "no job named \(name) waits for a client", line: "")
            }
            return .authenticate(
                SharedSecret(authorization: job.authorization), settings.tls,
                greeting: "3000 OK Hello \(ProtocolVersion.storageDaemon)\n")
        default:
            return .refuse(reason: "a storage daemon serves directors and file daemons only", line: "")
        }
    }

    /// Serves one authenticated connection until it ends.
    func serve(_ connection: AcceptedConnection) async {
        connection.channel.setHeartbeat(every: settings.heartbeat > .zero ? settings.heartbeat : nil)
        // A director says nothing while a job writes for hours, a client nothing while it walks a large tree. A dead peer is
        // found by TCP's keepalive and by our own heartbeats.
        connection.channel.setReceiveLimit(nil)
        switch connection.hello {
        case .directorToStorageDaemon(let name, _):
            await DirectorConversation(server: self, link: DirectorLink(connection.channel), directorName: name).run()
        case .jobToStorageDaemon(let name, _, _):
            guard let job = job(named: name), job.attach(connection.channel) else {
                logger.warning("a client came for a job that does not wait for one", metadata: ["job": "\(name)"])
                return
            }
            // The job's own task talks to the client; the connection is kept until it has ended.
            job.waitUntilFinished()
        default: break
        }
    }
}
