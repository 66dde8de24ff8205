// The configuration of a whole small site, made to measure: what `appliance quickstart` writes, what the demo runs with,
// and what the samples in etc/appliance are.

import Platform

/// One director, one storage daemon with a directory of volumes, and one file daemon, on one machine.
package struct DefaultSite: Sendable, Hashable {
    /// The three passwords of a site. Each is known to the two programs that use it.
    package struct Passwords: Sendable, Hashable {
        /// Console and director.
        package var console: String
        /// Director and file daemon.
        package var fileDaemon: String
        /// Director and storage daemon.
        package var storageDaemon: String
        package init(console: String, fileDaemon: String, storageDaemon: String) {
            self.console = console
            self.fileDaemon = fileDaemon
            self.storageDaemon = storageDaemon
        }

        /// 192 random bits each.
        package static func random() -> Passwords {
            Passwords(console: one(), fileDaemon: one(), storageDaemon: one())
        }
        private static func one() -> String { Digest.hexadecimal(Randomness.bytes(24)) }
    }

    /// Names begin with it: `appliance-dir`, `appliance-fd`, `appliance-sd`.
    package var name: String
    /// Where the files are written.
    package var configurationDirectory: String
    /// Working directories go in here, one for each role.
    package var stateDirectory: String
    package var volumeDirectory: String
    package var logFile: String
    /// Where restored files go unless the operator says otherwise.
    package var restoreDirectory: String
    package var sourceDirectories: [String]
    package var excluded: [String]
    /// Listen address and where the others dial.
    package var address: String
    package var directorPort: UInt16
    package var fileDaemonPort: UInt16
    package var storageDaemonPort: UInt16
    package var passwords: Passwords

    /// A site that is wholly under `root`: configurations in `etc`, everything else beside it.
    package init(
        root: String, backup: [String], directorPort: UInt16 = PortMap.DefaultPort.director,
        fileDaemonPort: UInt16 = PortMap.DefaultPort.fileDaemon,
        storageDaemonPort: UInt16 = PortMap.DefaultPort.storageDaemon,
        passwords: Passwords = .random()
    ) {
        name = "demo"
        configurationDirectory = "\(root)/etc"
        stateDirectory = root
        volumeDirectory = "\(root)/volumes"
        logFile = "\(root)/jobs.log"
        restoreDirectory = "\(root)/restored"
        sourceDirectories = backup
        excluded = [volumeDirectory]
        address = "127.0.0.1"
        self.directorPort = directorPort
        self.fileDaemonPort = fileDaemonPort
        self.storageDaemonPort = storageDaemonPort
        self.passwords = passwords
    }

    /// A lasting site: configurations in one directory, catalog, state and volumes in another, the default ports.
    package init(configuration: String, state: String, backup: [String]) {
        self.init(root: state, backup: backup)
        name = CurrentProcess.hostName.split(separator: ".").first.map(String.init) ?? "localhost"
        configurationDirectory = configuration
        excluded = [state]
    }

    /// The samples of etc/appliance: the places of an installed system, and marks where the passwords go.
    package static let sample: DefaultSite = {
        var site = DefaultSite(
            root: "/var/lib/appliance", backup: ["/etc", "/home", "/root", "/usr/local", "/var/www"],
            passwords: Passwords(
                console: "@PASSWORD_CONSOLE@", fileDaemon: "@PASSWORD_FD@", storageDaemon: "@PASSWORD_SD@"))
        site.name = "appliance"
        site.configurationDirectory = "/etc/appliance"
        site.excluded = ["/var/lib/appliance"]
        site.logFile = "/var/log/appliance/jobs.log"
        site.restoreDirectory = "/tmp/restored"
        return site
    }()

    /// The name of the one client.
    package var clientName: String { "\(name)-fd" }
    package var directorDirectory: String { "\(stateDirectory)/director" }
    package var fileDaemonDirectory: String { "\(stateDirectory)/fd" }
    package var storageDaemonDirectory: String { "\(stateDirectory)/sd" }

    // MARK: - Texts

    /// What a file begins with. `roles`: how the program is started with it.
    private func header(_ what: String, _ start: String) -> String {
        var text = """
            # \(what)
            # Start: \(start)
            # Check: appliance check-config FILE; every directive is explained in configuration.md.

            """
        if passwords.console.hasPrefix(Self.placeholderPrefix) {
            text += """
                #
                # The marks @PASSWORD_…@ stand for passwords: put in long random texts, the same for the same mark in every file.
                # `appliance quickstart` writes these files with passwords made.

                """
        }
        return text
    }

    /// Passwords that begin so are a sample's, not somebody's.
    package static let placeholderPrefix = "@PASSWORD_"

    private var directorResource: String {
        """

        # The director: knows jobs, pools and the catalog, and tells the others what to do.
        Director {
          Name = \(name)-dir
          Dir Port = \(directorPort)
          Dir Address = \(address)               # leave it out to listen on every address
          Working Directory = \(quotedText(directorDirectory))
          Password = \(quotedText(passwords.console))   # as in console.conf
          Messages = Daemon
          Maximum Concurrent Jobs = 20
        }

        """
    }

    private var directorBody: String {
        let files = sourceDirectories.map { "    File = \(quotedText($0))\n" }.joined()
        let excludes = excluded.map { "    File = \(quotedText($0))\n" }.joined()
        return """

            # What to back up. Options of the first block that matches a file count for it.
            FileSet {
              Name = "Files"
              Include {
                Options {
                  Signature = SHA256
                  Compression = ZSTD          # GZIP is what Bacula before release 13 can restore
                  Acl Support = yes
                  Xattr Support = yes
                  Sparse = yes
                  No Atime = yes
                }
            \(files)  }
              Exclude {
            \(excludes)  }
            }

            # What the jobs have in common.
            JobDefs {
              Name = "Defaults"
              Type = Backup
              Level = Incremental             # becomes a Full where there is none yet
              Accurate = yes                  # so that deleted files disappear from a restore
              Client = \(name)-fd
              FileSet = "Files"
              Storage = Disk
              Pool = File
              Messages = Standard
              Priority = 10
              Write Bootstrap = \(quotedText(directorDirectory + "/%n.bsr"))
            }

            Job {
              Name = "Backup"
              JobDefs = "Defaults"
            }

            # One restore job serves all: the console asks for client, files and destination.
            Job {
              Name = "RestoreFiles"
              Type = Restore
              Client = \(name)-fd
              FileSet = "Files"
              Storage = Disk
              Pool = File
              Messages = Standard
              Where = \(quotedText(restoreDirectory))
            }

            # The machine to back up. The password is that of the Director resource in its fd.conf.
            Client {
              Name = \(name)-fd
              Address = \(address)
              FD Port = \(fileDaemonPort)
              Catalog = Catalog
              Password = \(quotedText(passwords.fileDaemon))
              Maximum Concurrent Jobs = 4
            }

            # The storage daemon's device. File daemons dial this address too: give one that they can reach.
            Storage {
              Name = Disk
              Address = \(address)
              SD Port = \(storageDaemonPort)
              Password = \(quotedText(passwords.storageDaemon))
              Device = Disk
              Media Type = File
              Maximum Concurrent Jobs = 4
            }

            # Volumes that are used alike: File-0001, File-0002, …
            Pool {
              Name = File
              Pool Type = Backup
              Label Format = "File-"
              Maximum Volume Bytes = 50 G
              Volume Retention = 1 year
              Recycle = yes
            }

            # SQLite, in the director's Working Directory.
            Catalog {
              Name = Catalog
              DB Name = "catalog"
            }

            # Messages of jobs, and of the director itself.
            Messages {
              Name = Standard
              Append = \(quotedText(logFile)) = all, !skipped, !restored
              Catalog = all, !skipped, !restored
              Console = all, !skipped, !saved, !restored
            }
            Messages {
              Name = Daemon
              Append = \(quotedText(logFile)) = all, !skipped
              Console = all, !skipped, !saved
            }

            """
    }

    private var fileDaemonResource: String {
        """

        # The file daemon: reads and restores the files of this machine.
        FileDaemon {
          Name = \(name)-fd
          FD Port = \(fileDaemonPort)
          FD Address = \(address)                # leave it out to listen on every address
          Working Directory = \(quotedText(fileDaemonDirectory))
          Maximum Concurrent Jobs = 20
        }

        """
    }

    private var storageDaemonResource: String {
        """

        # The storage daemon: owns devices and volumes.
        Storage {
          Name = \(name)-sd
          SD Port = \(storageDaemonPort)
          SD Address = \(address)                # leave it out to listen on every address
          Working Directory = \(quotedText(storageDaemonDirectory))
          Maximum Concurrent Jobs = 20
        }

        """
    }

    private var deviceResource: String {
        """

        # A directory of volumes. Name and Media Type are what the director's Storage says.
        Device {
          Name = Disk
          Device Type = File
          Media Type = File
          Archive Device = \(quotedText(volumeDirectory))
          Label Media = yes                   # jobs may label new volumes
          Automatic Mount = yes
          Removable Media = no
          Always Open = no
          Maximum Concurrent Jobs = 4
        }

        """
    }

    /// A director that a daemon obeys.
    private func obeyed(_ password: String, _ comment: String) -> String {
        """

        # \(comment)
        Director {
          Name = \(name)-dir
          Password = \(quotedText(password))
        }

        """
    }

    private var daemonMessages: String {
        """

        # Messages go to the director.
        Messages {
          Name = Standard
          Director = \(name)-dir = all, !skipped, !restored
        }

        """
    }

    /// director.conf
    package var directorText: String {
        header("The director of a small site.", "appliance --role director --config director.conf") + directorResource
            + directorBody
    }

    /// fd.conf
    package var fileDaemonText: String {
        header("The file daemon of a small site.", "appliance --role fd --config fd.conf") + fileDaemonResource
            + obeyed(
                passwords.fileDaemon,
                "The director that may start jobs here. The password is that of its Client resource.")
            + daemonMessages
    }

    /// sd.conf
    package var storageDaemonText: String {
        header("The storage daemon of a small site.", "appliance --role sd --config sd.conf") + storageDaemonResource
            + obeyed(
                passwords.storageDaemon, "The director that may use it. The password is that of its Storage resource.")
            + deviceResource + daemonMessages
    }

    /// console.conf
    package var consoleText: String {
        header("The console of a small site.", "appliance console --config console.conf") + """

            # The director to talk to. The password is that of its Director resource.
            Director {
              Name = \(name)-dir
              Dir Port = \(directorPort)
              Address = \(address)
              Password = \(quotedText(passwords.console))
            }

            """
    }

    /// all.conf: the three daemons in one process. One Director resource stands for the director that both file daemon and
    /// storage daemon obey, so the two share a password here.
    package var allText: String {
        var site = self
        site.passwords.storageDaemon = passwords.fileDaemon
        return header(
            "A small site in one process.", "appliance --role director --role sd --role fd --config all.conf")
            + site.directorResource
            + site.fileDaemonResource + site.storageDaemonResource + site.deviceResource
            + site.obeyed(
                passwords.fileDaemon,
                "The director that file and storage daemon obey. The password is that of Client and Storage below.")
            + site.directorBody
    }
}
