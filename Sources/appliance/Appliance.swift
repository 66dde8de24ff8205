// The executable: flags, roles, and the list of in-tree modules.

import ArgumentParser
import Console
import Director
import FileDaemon
import Platform
import StorageDaemon

@main
struct Appliance: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "appliance",
        abstract: "A backup system in one program: director, file daemon, storage daemon, gateway.",
        discussion: """
            Start a role, or several in one process, from a configuration in Bacula's language:

              appliance --role director --role sd --role fd --config /etc/appliance/all.conf
              appliance console -c "run job=Backup yes" -c wait -c messages

            Exit statuses: 0 done, 1 failed, 2 usage, 3 finished but something was skipped or differs, 10 configuration
            has errors, 11 already running, 12 port in use, 128+n ended by signal n.
            """,
        version: "appliance \(version)",
        subcommands: [
            RoleCommand.self, CheckConfigCommand.self, ModulesCommand.self, ConsoleCommand.self, VolumeCommand.self,
            CompareCommand.self, DemoCommand.self, QuickstartCommand.self,
        ],
        defaultSubcommand: RoleCommand.self)

    /// Usage errors end with 2, as docs/operating.md says, and not with the 64 of sysexits.h that the parser would choose.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            StandardStream.error.line(fullMessage(for: error))
            exit(withError: ExitStatus.usage.code)
        }
    }
}
