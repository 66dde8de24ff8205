// `appliance quickstart`: a lasting site on this machine, with fresh passwords.

import ArgumentParser
import Configuration
import Platform

struct QuickstartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quickstart", abstract: "Set up a lasting backup of this machine: configurations, passwords, services.",
        discussion: """
            Writes director.conf, fd.conf, sd.conf and console.conf with random passwords, and never over existing files.
            Where systemd runs and the units are installed, it enables and starts the three roles.

              appliance quickstart --backup /home --backup /etc

            Exit statuses: 0 done, 1 failed, 2 usage.
            """)

    @Option(parsing: .singleValue, help: "A directory to back up. Repeatable; /etc and /home without it.", completion: .directory)
    var backup: [String] = []
    @Option(help: "Where the configurations go.", completion: .directory) var directory = "/etc/appliance"
    @Option(help: "Where the catalog, the state and the volumes go.", completion: .directory) var state = "/var/lib/appliance"
    @Flag(inversion: .prefixedNo, help: "Enable and start the systemd units.") var start = true
    @Flag(help: "Say what would be done, and do nothing.") var dryRun = false

    func run() throws {
        let sources = (backup.isEmpty ? ["/etc", "/home"] : backup).map { FilePath.absolute($0) }
        for source in sources where !FilePath.isDirectory(source) { throw ValidationError("\(source) is not a directory.") }
        let site = DefaultSite(configuration: directory, state: state, backup: sources)
        let existing = site.files.filter { FilePath.exists($0.path) }.map(\.path)
        guard existing.isEmpty else {
            StandardStream.error.line(
                "already-configured: \(existing.joined(separator: ", ")) exist and were left alone. Move them away, or choose another --directory."
            )
            throw ExitStatus.failed.code
        }
        if dryRun {
            for file in site.files { StandardStream.output.line("would write \(file.path)") }
            StandardStream.output.line("would back up \(sources.joined(separator: ", ")) to volumes in \(site.volumeDirectory)")
            return
        }
        do {
            try site.write()
        } catch {
            StandardStream.error.line("\(error)")
            throw ExitStatus.failed.code
        }
        for file in site.files { StandardStream.output.line("wrote \(file.path)") }
        StandardStream.output.line("volumes will be in \(site.volumeDirectory)")
        if start, FilePath.isDirectory("/run/systemd/system") { try startUnits() } else { explainStart() }
        StandardStream.output.line(
            """

            The first backup:
              appliance console --config \(site.path(ofRole: "console")) -c "run job=Backup level=Full yes" -c wait -c messages
            """)
    }

    private func startUnits() throws {
        let units = ["appliance-sd", "appliance-fd", "appliance-director"]
        // The director and the storage daemon run as their own user, which must be able to read and write what is theirs.
        _ = try? ChildProcess.run(["/bin/chown", "-R", "appliance:appliance", state])
        _ = try? ChildProcess.run(["/bin/sh", "-c", "chgrp appliance \(directory)/*.conf && chmod 640 \(directory)/*.conf"])
        let result = try ChildProcess.run(["systemctl", "enable", "--now"] + units)
        guard result.succeeded else {
            StandardStream.error.line(
                "services-not-started: systemctl: \(String(decoding: result.errorOutput, as: UTF8.self)) Look at `journalctl -u appliance-sd`."
            )
            throw ExitStatus.failed.code
        }
        StandardStream.output.line("started \(units.joined(separator: ", "))")
    }

    private func explainStart() {
        StandardStream.output.line("\nNo systemd here (or --no-start). The roles start with:")
        for role in ["sd", "fd", "director"] {
            StandardStream.output.line("  appliance --role \(role) --config \(directory)/\(role).conf")
        }
    }
}
