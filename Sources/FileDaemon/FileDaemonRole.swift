// The file daemon as the binary runs it: one port for directors, one conversation per job.

package import Configuration
import Logging
import Modules
import Platform
import Wire

/// `appliance --role fd`.
package final class FileDaemonRole: RoleDaemon {
    private let server: FileDaemonServer
    private let listeners: [Listener]
    private enum Phase { case ready, running([Task<Void, Never>]), ending }
    private let phase = Monitor(Phase.ready)

    /// Reads the configuration and binds the port; serves nothing yet.
    /// - Parameter port: Instead of the configured one; 0 lets the kernel choose.
    package init(configuration: Configuration, port: UInt16? = nil) throws {
        let settings = try FileDaemonSettings(configuration, port: port)
        server = FileDaemonServer(settings, logger: Logger(label: "fd"))
        listeners = try settings.listeners.map { entry in try Listener(entry) }
    }

    /// The port really bound.
    package var port: UInt16 { listeners.first?.port ?? 0 }

    package func run() async throws {
        let server = self.server
        let name = server.settings.name
        let tasks = listeners.map { listener in
            ElasticExecutor.shared.detach {
                await listener.serve(name: name, admit: { server.admit($0) }, handler: { await server.serve($0) })
            }
        }
        let isEnding = phase.withLock { phase in
            if case .ending = phase { return true }
            phase = .running(tasks)
            return false
        }
        if isEnding { for task in tasks { task.cancel() } }
        server.logger.info("file daemon ready", metadata: ["port": "\(port)", "name": "\(name)"])
        await withTaskCancellationHandler {
            for task in tasks { await task.value }
        } onCancel: {
            for task in tasks { task.cancel() }
        }
    }

    /// Takes directors, passwords and limits over; the name and the port need a restart.
    package func reload(_ configuration: Configuration) async throws {
        let settings = try FileDaemonSettings(configuration)
        guard settings.name == server.settings.name else {
            throw FileDaemonError(
                .badConfiguration, "\(configuration.path) configures \(settings.name), and this is \(server.settings.name).",
                remedy: "Restart the daemon to change its name.")
        }
        server.replaceSettings(settings)
        server.logger.info("configuration reloaded")
    }

    package func shutDown(grace: Duration) async {
        server.close()
        let running = server.runningJobs.count
        if running > 0 {
            server.logger.info(
                "waiting for running jobs", metadata: ["jobs": "\(running)", "seconds": "\(grace.components.seconds)"])
        }
        server.waitForJobs(atMost: grace)
        for job in server.runningJobs {
            let identity = job.identity.withLock { $0 }
            server.logger.warning("job cancelled, the daemon ends", metadata: ["job": "\(identity.uniqueName)"])
            job.cancel(.cancelled)
        }
        // They tell their directors; one that is stuck does not hold us up for ever.
        server.waitForJobs(atMost: .seconds(15))
        let tasks = phase.withLock { phase -> [Task<Void, Never>] in
            defer { phase = .ending }
            if case .running(let tasks) = phase { return tasks }
            return []
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }
}
