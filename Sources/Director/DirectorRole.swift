// The director as a role of the binary: opens its catalog and port, runs jobs and consoles, and ends in order.

import Catalog
package import Configuration
import Logging
import Modules
import Platform
import Wire

/// `appliance --role director`.
package final class DirectorRole: RoleDaemon {
    private enum Phase { case serving, ending, ended }

    package let services: DirectorServices
    private let listeners: [Listener]
    private let entries: [PortMap.Listener]
    private let phase = Monitor(Phase.serving)
    private let logger: Logger

    /// Opens the catalog, brings it up to date, closes the rows that a dead director left open, and binds the port.
    ///
    /// - Parameter roles: The roles of the process, for reloading a file that serves several.
    package init(_ configuration: Configuration, roles: Set<Role> = [.director]) throws(DirectorError) {
        guard let director = configuration.first(.director) else {
            throw DirectorError(.configuration, "\(configuration.path) has no Director resource.", remedy: "Add one.")
        }
        var logger = Logger(label: "director")
        logger[metadataKey: "name"] = "\(director.name)"
        self.logger = logger
        let catalog = try Self.openCatalog(of: configuration, director)
        services = try DirectorServices(configuration: configuration, catalog: catalog, roles: roles, logger: logger)
        do throws(CatalogError) {
            for job in try catalog.failUnfinishedJobs() {
                logger.warning(
                    "job was unfinished when the director last ended; marked as failed",
                    metadata: ["job": "\(job.jobID)", "name": "\(job.name)", "status": "\(job.status)"])
                services.messages.post(
                    Message(
                        .error, time: .now,
                        text:
                            "\(director.name) JobId \(job.jobID): The director ended while this job was active; it is marked as failed.",
                        jobID: job.jobID
                    ).stamped)
            }
        } catch { throw DirectorError(error) }
        entries = PortMap(configuration, roles: [.director]).listeners.filter { $0.role == .director }
        var listeners: [Listener] = []
        for entry in entries {
            do throws(WireError) { listeners.append(try Listener(entry)) } catch {
                throw DirectorError(
                    .system,
                    "The director can't listen on \(entry.address.isEmpty ? "any address" : entry.address), port \(entry.port): \(error.detail)",
                    remedy: error.remedy.isEmpty ? "Is another director running?" : error.remedy)
            }
        }
        self.listeners = listeners
        let bound = entries
        services.setCheck { configuration throws(DirectorError) in
            guard configuration.first(.director)?.name == director.name else {
                throw DirectorError(
                    .configuration, "A reload can't change the Director's name.", remedy: "Restart the director instead.")
            }
            guard PortMap(configuration, roles: [.director]).listeners.filter({ $0.role == .director }) == bound else {
                throw DirectorError(
                    .configuration, "A reload can't change the director's address or port.", remedy: "Restart the director instead."
                )
            }
        }
    }

    /// `WorkingDirectory/DbName.db`, or DbName itself where it is an absolute path.
    private static func openCatalog(of configuration: Configuration, _ director: Resource) throws(DirectorError) -> CatalogDatabase
    {
        guard let resource = configuration.first(.catalog), let name = resource.text("DbName") else {
            throw DirectorError(.configuration, "\(configuration.path) has no Catalog resource.", remedy: "Add one with a DbName.")
        }
        let path = name.hasPrefix("/") ? name : "\(director.text("WorkingDirectory") ?? ".")/\(name).db"
        do throws(CatalogError) { return try CatalogDatabase(path: path) } catch { throw DirectorError(error) }
    }

    /// The ports that are really bound.
    package var ports: [UInt16] { listeners.map(\.port) }

    package func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: ElasticExecutor.shared) { await self.services.jobs.schedule() }
            for listener in listeners {
                group.addTask(executorPreference: ElasticExecutor.shared) { await self.serve(listener) }
            }
            logger.info("director ready", metadata: ["ports": "\(ports.map(String.init).joined(separator: " "))"])
            await withTaskCancellationHandler {
                await waitForEnd()
            } onCancel: {
                phase.withLock { $0 = .ended }
            }
            group.cancelAll()
        }
        // Whoever cancels the task instead of calling `shutDown` may leave jobs behind; they must not meet a closed catalog.
        services.jobs.close(reason: "the director is ending")
        services.jobs.cancelRunning(reason: "the director is ending")
        services.jobs.interruptRunning()
        _ = services.jobs.waitUntilIdle(atMost: .seconds(30))
        try? services.catalog.close()
        logger.info("director ended")
    }

    private func waitForEnd() async {
        let phase = phase
        await Task(executorPreference: ElasticExecutor.shared) { _ = phase.wait { $0 == .ended ? true : nil } }.value
    }

    private func serve(_ listener: Listener) async {
        let services = services
        let name = services.name
        let consoles = services.director.number("MaximumConsoleConnections")
        await listener.serve(
            name: name, connectionsMax: max(1, consoles),
            admit: { hello in Self.admit(hello, services) },
            handler: { connection in await ConsoleSession(services: services, connection: connection).run() })
    }

    /// Who may talk to us: consoles under the Director's own password, or under a Console resource's.
    private static func admit(_ hello: Hello, _ services: DirectorServices) -> Admission {
        guard case .console(let name, _) = hello else {
            return .refuse(reason: "a daemon called the director's console port", line: "1999 You are not authorized.\n")
        }
        let configuration = services.configuration
        let own = services.director
        let isDefault = name == "*UserAgent*"
        guard let resource = isDefault ? own : configuration.named(.console, name), let password = resource.password("Password")
        else {
            return .refuse(reason: "there is no Console resource \"\(name)\"", line: "1999 You are not authorized.\n")
        }
        return .authenticate(
            SharedSecret(password: password), TLSPolicy(resource),
            greeting: "1000 OK: \(ProtocolVersion.director) \(own.name) Version: \(Appliance.name) \(Appliance.version)\n")
    }

    package func reload(_ configuration: Configuration) async throws { try services.take(configuration) }

    package func shutDown(grace: Duration) async {
        let isFirst = phase.withLock { phase in
            guard phase == .serving else { return false }
            phase = .ending
            return true
        }
        guard isFirst else { return }
        let jobs = services.jobs
        let phase = phase
        await Task(executorPreference: ElasticExecutor.shared) {
            jobs.close(reason: "the director is shutting down")
            if !jobs.waitUntilIdle(atMost: grace) {
                jobs.cancelRunning(reason: "the director is shutting down")
                if !jobs.waitUntilIdle(atMost: JobContext.cancelGrace + .seconds(15)) {
                    jobs.interruptRunning()
                    _ = jobs.waitUntilIdle(atMost: .seconds(30))
                }
            }
            phase.withLock { $0 = .ended }
        }.value
    }
}
