// A small site's configuration as texts: what `appliance quickstart` writes and `appliance demo` runs on.

package import Platform

/// The four configuration files of a site on one machine, with fresh random passwords.
///
/// Every text loads without a finding; that is a test. The passwords are made by `init` and live in the texts only.
package struct DefaultSite: Sendable {
    package struct File: Sendable {
        /// Absolute path.
        package var path: String
        package var text: String
    }

    package let clientName: String
    package let directorPort: UInt16
    package let fileDaemonPort: UInt16
    package let storageDaemonPort: UInt16
    package let volumeDirectory: String
    /// director.conf, fd.conf, sd.conf, console.conf.
    package private(set) var files: [File] = []
    /// Every directory the site needs, parents first.
    package let directories: [String]
    private let queryFile: String

    /// A site that is wholly under `root`: configurations in `etc`, everything else beside it.
    package init(root: String, backup: [String], directorPort: UInt16, fileDaemonPort: UInt16, storageDaemonPort: UInt16) {
        self.init(
            configuration: root + "/etc", state: root, run: root + "/run", log: root + "/jobs.log", backup: backup, name: "demo",
            directorPort: directorPort, fileDaemonPort: fileDaemonPort, storageDaemonPort: storageDaemonPort)
    }

    /// A lasting site: configurations in one directory, catalog, state and volumes in another, the default ports.
    package init(configuration: String, state: String, backup: [String]) {
        let host = CurrentProcess.hostName.split(separator: ".").first.map(String.init) ?? "localhost"
        self.init(
            configuration: configuration, state: state, run: state + "/run", log: state + "/jobs.log", backup: backup, name: host,
            directorPort: 9101, fileDaemonPort: 9102, storageDaemonPort: 9103)
    }

    private init(
        configuration: String, state: String, run: String, log: String, backup: [String], name: String, directorPort: UInt16,
        fileDaemonPort: UInt16, storageDaemonPort: UInt16
    ) {
        self.directorPort = directorPort
        self.fileDaemonPort = fileDaemonPort
        self.storageDaemonPort = storageDaemonPort
        clientName = "\(name)-fd"
        volumeDirectory = state + "/volumes"
        queryFile = configuration + "/query.sql"
        directories = [configuration, state, run, state + "/volumes", state + "/director", state + "/fd", state + "/sd"]
        let passwords = (console: Self.password(), file: Self.password(), storage: Self.password())
        let sources = backup.map { "    File = \(Self.quoted($0))" }.joined(separator: "\n")
        files = [
            File(
                path: configuration + "/director.conf",
                text: """
                    # The director: what is backed up, where to, and how long it is kept.
                    Director {
                      Name = \(name)-dir
                      DirPort = \(directorPort)
                      DirAddress = 127.0.0.1
                      QueryFile = "\(queryFile)"
                      WorkingDirectory = "\(state)/director"
                      PidDirectory = "\(run)"
                      Maximum Concurrent Jobs = 10
                      Password = "\(passwords.console)"    # consoles
                      Messages = Standard
                    }
                    Catalog { Name = Catalog; DbName = "catalog"; DbUser = ""; DbPassword = "" }
                    Messages {
                      Name = Standard
                      console = all, !skipped, !saved
                      append = "\(log)" = all, !skipped
                      catalog = all, !skipped, !saved
                    }
                    Client {
                      Name = \(name)-fd
                      Address = 127.0.0.1
                      FDPort = \(fileDaemonPort)
                      Catalog = Catalog
                      Password = "\(passwords.file)"       # as in fd.conf
                    }
                    Storage {
                      Name = Disk
                      Address = 127.0.0.1
                      SDPort = \(storageDaemonPort)
                      Password = "\(passwords.storage)"    # as in sd.conf
                      Device = Disk
                      Media Type = File
                      Maximum Concurrent Jobs = 5
                    }
                    Pool {
                      Name = File
                      Pool Type = Backup
                      Label Format = "File-"
                      Maximum Volume Bytes = 50 g
                      Volume Retention = 365 days
                    }
                    FileSet {
                      Name = Files
                      Include {
                        Options {
                          Signature = SHA256
                          Compression = ZSTD
                          Sparse = yes
                          AclSupport = yes
                          XattrSupport = yes
                          NoAtime = yes
                        }
                    \(sources)
                      }
                    }
                    Job {
                      Name = Backup
                      Type = Backup
                      Level = Incremental
                      Accurate = yes
                      Client = \(name)-fd
                      FileSet = Files
                      Storage = Disk
                      Pool = File
                      Messages = Standard
                      Write Bootstrap = "\(state)/director/%n.bsr"
                    }
                    Job {
                      Name = Restore
                      Type = Restore
                      Client = \(name)-fd
                      FileSet = Files
                      Storage = Disk
                      Pool = File
                      Messages = Standard
                      Where = "\(state)/restored"
                    }

                    """),
            File(
                path: configuration + "/fd.conf",
                text: """
                    # The file daemon of this machine: it reads what is backed up and writes what is restored.
                    FileDaemon {
                      Name = \(name)-fd
                      FDPort = \(fileDaemonPort)
                      FDAddress = 127.0.0.1
                      WorkingDirectory = "\(state)/fd"
                      PidDirectory = "\(run)"
                    }
                    Director { Name = \(name)-dir; Password = "\(passwords.file)" }
                    Messages { Name = Standard; director = \(name)-dir = all, !skipped, !restored }

                    """),
            File(
                path: configuration + "/sd.conf",
                text: """
                    # The storage daemon: it owns the volumes.
                    Storage {
                      Name = \(name)-sd
                      SDPort = \(storageDaemonPort)
                      SDAddress = 127.0.0.1
                      WorkingDirectory = "\(state)/sd"
                      PidDirectory = "\(run)"
                    }
                    Director { Name = \(name)-dir; Password = "\(passwords.storage)" }
                    Device {
                      Name = Disk
                      Media Type = File
                      Device Type = File
                      Archive Device = "\(state)/volumes"
                      LabelMedia = yes
                      Random Access = yes
                      AutomaticMount = yes
                      RemovableMedia = no
                      AlwaysOpen = no
                      Maximum Concurrent Jobs = 5
                    }
                    Messages { Name = Standard; director = \(name)-dir = all }

                    """),
            File(
                path: configuration + "/console.conf",
                text: """
                    # The console's way to the director.
                    Director { Name = \(name)-dir; DirPort = \(directorPort); Address = 127.0.0.1; Password = "\(passwords.console)" }

                    """),
        ]
    }

    /// The configuration of `role` (`director`, `fd`, `sd`, `console`).
    package func path(ofRole role: String) -> String { files.first { $0.path.hasSuffix("/\(role).conf") }!.path }

    /// Makes the directories (mode 0750) and writes the files (0600, durably), never over existing ones.
    package func write() throws(SystemError) {
        for directory in directories { try FilePath.makeDirectory(directory, mode: 0o750) }
        for file in files { try FilePath.createPrivate(file.path, file.text) }
        try FilePath.createPrivate(queryFile, "")
    }

    /// 192 random bits in letters that no quoting rule touches.
    private static func password() -> String { Digest.hexadecimal(Randomness.bytes(24)) }

    private static func quoted(_ path: String) -> String {
        "\"" + path.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
    }
}
