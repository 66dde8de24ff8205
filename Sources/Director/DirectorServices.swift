// What jobs and consoles share: the configuration in force, the catalog, the queue, the messages, and ways to the daemons.

package import Catalog
package import Configuration
package import Logging
package import Platform

/// The director behind its console port.
package final class DirectorServices: Sendable {
    private let configurations: Monitor<Configuration>
    package let catalog: CatalogDatabase
    package let messages: MessageCenter
    package let jobs: JobQueue
    package let logger: Logger
    package let startedAt = WallTime.now
    private let engine: JobEngine
    /// The roles of the process: the same file may serve several.
    private let roles: Set<Role>
    /// Asked before a new configuration is taken over.
    private let checks = Monitor<(@Sendable (Configuration) throws(DirectorError) -> Void)?>(nil)

    package init(configuration: Configuration, catalog: CatalogDatabase, roles: Set<Role> = [.director], logger: Logger)
        throws(DirectorError)
    {
        configurations = Monitor(configuration)
        self.catalog = catalog
        self.roles = roles
        self.logger = logger
        messages = MessageCenter()
        let engine = JobEngine(catalog: catalog, center: messages, logger: logger)
        self.engine = engine
        let configurations = configurations
        jobs = JobQueue(
            hooks: .init(
                create: { plan, scheduled throws(DirectorError) in try engine.create(plan, scheduled: scheduled) },
                run: { job in await engine.run(job) },
                abandon: { job, reason in engine.abandon(job, reason: reason) },
                waiting: { job, status in engine.noteWaiting(job, status) },
                limits: { ConcurrencyLimits(configurations.read { $0 }) }), logger: logger)
        try synchronize(configuration)
    }

    /// The configuration in force; a reload replaces it, jobs keep the one they were queued under.
    package var configuration: Configuration { configurations.read { $0 } }
    /// The Director resource.
    package var director: Resource { configuration.first(.director)! }
    package var name: String { director.name }

    /// Sends a message that belongs to no job where the Director's Messages resource says.
    package func post(_ type: MessageType, _ text: String) {
        let configuration = configuration
        let routes = configuration.target(of: "Messages", in: configuration.first(.director)!).map { MessagesDefinition($0) }
        MessageDesk(daemon: name, jobID: 0, routes: routes ?? .standard, sinks: engine.sinks()).send(type, text)
    }

    // MARK: - Jobs

    /// Queues a job under the configuration in force.
    package func submit(_ request: JobRequest) throws(DirectorError) -> JobID {
        try jobs.submit(request, under: configuration)
    }

    // MARK: - Configuration

    /// Reads the configuration file again and takes it over, as SIGHUP does. Throws with every finding when it has errors.
    package func reload() async throws(DirectorError) {
        let (loaded, findings) = ConfigurationLoader.load(configuration.path, roles: roles)
        guard let loaded else {
            let errors = findings.filter { $0.severity == .error }.map(\.description)
            throw DirectorError(
                .configuration, "The configuration has errors and was not taken over:\n\(errors.joined(separator: "\n"))",
                remedy: "Correct them, then reload again.")
        }
        try take(loaded)
    }

    func setCheck(_ check: @escaping @Sendable (Configuration) throws(DirectorError) -> Void) {
        checks.withLock { $0 = check }
    }

    /// Takes a checked configuration over: the catalog learns it, then new jobs and consoles see it.
    func take(_ configuration: Configuration) throws(DirectorError) {
        if let check = checks.read({ $0 }) { try check(configuration) }
        try synchronize(configuration)
        configurations.withLock { $0 = configuration }
        logger.info("configuration taken over", metadata: ["path": "\(configuration.path)"])
    }

    /// Pools, clients and storages of the configuration become rows.
    private func synchronize(_ configuration: Configuration) throws(DirectorError) {
        do throws(CatalogError) {
            _ = try catalog.syncPools(configuration.all(.pool).map { PoolRecord($0) })
            for client in configuration.all(.client) { _ = try catalog.syncClient(ClientRecord(client)) }
            for storage in configuration.all(.storage) {
                _ = try catalog.syncStorage(storage.name, isAutochanger: storage.bool("Autochanger"))
                if let type = storage.text("MediaType") { _ = try catalog.syncMediaType(type) }
            }
        } catch { throw DirectorError(error) }
    }

    /// The complete record of a configured pool, with the key the catalog gave it.
    package func poolRecord(_ name: String) throws(DirectorError) -> PoolRecord {
        guard let resource = configuration.named(.pool, name) else {
            throw DirectorError(.notFound, "Pool resource \"\(name)\" does not exist.", remedy: "\"show pools\" lists them.")
        }
        do throws(CatalogError) {
            guard let known = try catalog.pool(named: name) else {
                throw CatalogError(.notFound, "Pool \"\(name)\" is not in the catalog.", remedy: "Reload the director.")
            }
            var record = PoolRecord(resource)
            record.poolID = known.poolID
            record.volumes = known.volumes
            return record
        } catch { throw DirectorError(error) }
    }
}
