// Which file configures which role, and reading it again on SIGHUP.

import ArgumentParser
import Configuration
import Logging
import Platform

/// A role and the checked configuration it starts from.
struct LoadedRole: Sendable {
    var role: Role
    var configuration: Configuration

    /// The daemon's own resource.
    private var resource: Resource? {
        switch role {
        case .director: configuration.first(.director)
        case .fileDaemon: configuration.first(.fileDaemon)
        default: configuration.first(.storageDaemon)
        }
    }

    /// Where the role's pid file belongs, from PidDirectory; nil where the configuration names none.
    var pidFilePath: String? {
        guard let resource, let directory = resource.text("PidDirectory") else { return nil }
        return "\(directory)/appliance-\(role.rawValue).\(resource.name).pid"
    }

    /// Where a daemon in the background logs to when nobody says.
    var defaultLogPath: String? { resource?.text("WorkingDirectory").map { "\($0)/appliance-\(role.rawValue).log" } }
}

/// The files that configure the roles of this process.
struct RoleSources: Sendable {
    var roles: [Role]
    var config: String?

    private func path(for role: Role) -> String { config ?? "/etc/appliance/\(role.rawValue).conf" }

    /// Loads every role's configuration; several roles in one file are read together.
    /// - Parameter report: Print the findings to standard error.
    func load(report: Bool) throws -> [LoadedRole] {
        var loaded: [LoadedRole] = []
        var broken = false
        for group in config == nil ? roles.map({ [$0] }) : [roles] {
            let (configuration, findings) = ConfigurationLoader.load(path(for: group[0]), roles: Set(group))
            if report { for finding in findings { StandardStream.error.line(finding.description) } }
            guard let configuration else {
                broken = true
                continue
            }
            loaded += group.map { LoadedRole(role: $0, configuration: configuration) }
        }
        if broken { throw ExitStatus.badConfiguration.code }
        return loaded
    }

    /// Checks the files again and hands them to the roles. A file with errors changes nothing.
    func reload(_ running: [RunningRole], logger: Logger) async {
        guard let loaded = try? load(report: true) else {
            logger.error("the new configuration has errors and was not taken over; the old one stays in force")
            return
        }
        for entry in loaded {
            guard let daemon = running.first(where: { $0.role == entry.role })?.daemon else { continue }
            do {
                try await daemon.reload(entry.configuration)
                logger.info("configuration taken over", metadata: ["role": "\(entry.role.rawValue)"])
            } catch {
                logger.error("configuration not taken over: \(error)", metadata: ["role": "\(entry.role.rawValue)"])
            }
        }
    }
}
