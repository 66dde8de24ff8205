// `appliance --role …`: one process, one or several roles, until a signal ends it.

import ArgumentParser
import Configuration
import Director
import FileDaemon
import Logging
import Modules
import Platform
import StorageDaemon

struct RoleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run one or several roles (the default command).",
        discussion: """
            SIGTERM or SIGINT: accept nothing new, give running jobs the grace period, cancel what is left, end.
            SIGHUP: check the configuration again and take it over; running jobs go on under the old one.

              appliance --role sd --config /etc/appliance/sd.conf --foreground
            """)

    @Option(name: .long, parsing: .singleValue, help: "director, fd, sd or gateway. Repeat it for several in one process.")
    var role: [Role] = []

    @Option(
        name: [.short, .long],
        help: "The configuration of all the roles named; without it each role reads /etc/appliance/ROLE.conf.",
        completion: .file())
    var config: String?

    @Flag(name: [.short, .long], help: "Stay in the foreground and log to standard error.") var foreground = false

    @Option(name: [.short, .long], help: "0 for operators, 50 for debug lines, 100 for every packet.") var debug = 0

    @Option(help: "Seconds that running jobs get to finish when the process is told to end.") var grace = 300

    @Option(
        help: "Append log lines to this file. In the background the default is appliance-ROLE.log in the working directory.",
        completion: .file())
    var log: String?

    func run() throws {
        guard !role.isEmpty else {
            throw ValidationError("Say which role to run: --role director, fd, sd or gateway (or see `appliance --help`).")
        }
        if role.contains(.console) { throw ValidationError("The console is a command of its own: appliance console") }
        if role.contains(.gateway) {
            StandardStream.error.line("gateway-not-built: The gateway role is not built yet. Start director, fd or sd.")
            throw ExitStatus.failed.code
        }
        ProcessSignals.takeOver()
        let sources = RoleSources(roles: role, config: config)
        let loaded = try sources.load(report: true)
        guard foreground else { return try launchInBackground(loaded) }

        if let log { try CurrentProcess.redirectOutput(to: log) }
        Self.startLogging(debug: debug)
        let logger = Logger(label: "appliance")
        let pidFiles = try lockPIDFiles(loaded)
        defer { withExtendedLifetime(pidFiles) {} }
        let daemons = try loaded.map { try Self.make($0.role, $0.configuration) }
        let served = ServeOutcome()
        ElasticExecutor.shared.detach {
            await withTaskExecutorPreference(ElasticExecutor.shared) {
                await Self.serve(daemons, logger: logger, outcome: served)
            }
            ProcessSignals.raise(.done)
        }
        let names = loaded.map(\.role.rawValue).joined(separator: ", ")
        logger.info(
            "ready", metadata: ["roles": "\(names)", "pid": "\(CurrentProcess.identifier)", "version": "\(Appliance.version)"])
        ServiceNotification.ready(status: "Serving as \(names).")
        try waitForEnd(daemons, sources: sources, logger: logger, outcome: served)
    }

    /// Handles signals on this, the main thread, until every role has ended.
    private func waitForEnd(
        _ daemons: [RunningRole], sources: RoleSources, logger: Logger, outcome: ServeOutcome
    ) throws {
        let patience = Duration.seconds(grace)
        var ending = false
        while true {
            switch ProcessSignals.next() {
            case .done:
                if outcome.failed { throw ExitStatus.failed.code }
                logger.info("ended")
                return
            case .hangUp:
                logger.info("reloading the configuration")
                ElasticExecutor.shared.detach { await sources.reload(daemons, logger: logger) }
            case .terminate, .interrupt, .quit:
                if ending {
                    // The second request is an operator who will not wait: the system takes back what is left.
                    logger.warning("told to end a second time; running jobs are abandoned")
                    throw ExitCode(128 + ProcessSignal.terminate.rawValue)
                }
                ending = true
                ServiceNotification.stopping()
                logger.info("ending", metadata: ["grace-seconds": "\(grace)"])
                ElasticExecutor.shared.detach {
                    await withTaskGroup(of: Void.self) { group in
                        for daemon in daemons { group.addTask { await daemon.daemon.shutDown(grace: patience) } }
                    }
                }
            }
        }
    }

    private static func serve(_ daemons: [RunningRole], logger: Logger, outcome: ServeOutcome) async {
        await withTaskGroup(of: Void.self) { group in
            for running in daemons {
                group.addTask {
                    do {
                        try await running.daemon.run()
                    } catch {
                        logger.error("role ended: \(error)", metadata: ["role": "\(running.role.rawValue)"])
                        outcome.markFailed()
                        // A process with half of its roles gone would look alive and do nothing.
                        ProcessSignals.raise(.terminate)
                    }
                }
            }
        }
    }

    /// The findings were printed here, on the terminal; from now on lines go to the log file.
    private func launchInBackground(_ loaded: [LoadedRole]) throws {
        var arguments = role.flatMap { ["--role", $0.rawValue] } + ["--foreground", "--debug", "\(debug)", "--grace", "\(grace)"]
        if let config { arguments += ["--config", config] }
        if let log = log ?? loaded.first?.defaultLogPath { arguments += ["--log", log] }
        if let status = try CurrentProcess.launchInBackground(arguments: arguments) { throw ExitCode(status) }
    }

    private static func startLogging(debug: Int) {
        let level: Logger.Level = debug >= 100 ? .trace : debug >= 50 ? .debug : .info
        LoggingSystem.bootstrap { KeyValueLogHandler(label: $0, level: level) }
    }

    private func lockPIDFiles(_ loaded: [LoadedRole]) throws -> [PIDFile] {
        try loaded.compactMap { (loaded) throws -> PIDFile? in
            guard let path = loaded.pidFilePath else { return nil }
            do {
                return try PIDFile(path)
            } catch let error as SystemError where error.call == "flock" {
                StandardStream.error.line(
                    "already-running: Another process serves as \(loaded.role.rawValue) with \(loaded.configuration.path) (\(path) is locked). Stop it first."
                )
                throw ExitStatus.alreadyRunning.code
            }
        }
    }

    private static func make(_ role: Role, _ configuration: Configuration) throws -> RunningRole {
        do {
            switch role {
            case .director: return RunningRole(role: role, daemon: try DirectorRole(configuration))
            case .fileDaemon: return RunningRole(role: role, daemon: try FileDaemonRole(configuration: configuration))
            case .storageDaemon:
                return RunningRole(
                    role: role, daemon: try StorageDaemonRole(configuration: configuration, modules: InTreeModules.registry))
            case .gateway, .console: preconditionFailure("refused above")
            }
        } catch {
            StandardStream.error.line("\(error)")
            throw ExitStatus.failed.code
        }
    }
}

/// A role with its daemon, started.
struct RunningRole: Sendable {
    var role: Role
    var daemon: any RoleDaemon
}

/// Whether a role ended by itself, with an error.
final class ServeOutcome: Sendable {
    private let state = Monitor(false)
    var failed: Bool { state.read { $0 } }
    func markFailed() { state.withLock { $0 = true } }
}
