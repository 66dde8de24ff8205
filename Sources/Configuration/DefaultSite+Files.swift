// The default site on disk: directories and files.

package import Platform

extension DefaultSite {
    package struct File: Sendable {
        /// Absolute path.
        package var path: String
        package var text: String
    }

    /// director.conf, fd.conf, sd.conf, console.conf.
    package var files: [File] {
        [
            File(path: path(ofRole: "director"), text: directorText),
            File(path: path(ofRole: "fd"), text: fileDaemonText),
            File(path: path(ofRole: "sd"), text: storageDaemonText),
            File(path: path(ofRole: "console"), text: consoleText),
        ]
    }

    /// The configuration of `role` (`director`, `fd`, `sd`, `console`).
    package func path(ofRole role: String) -> String { "\(configurationDirectory)/\(role).conf" }

    /// Every directory the site needs, parents first.
    package var directories: [String] {
        let log = logFile.lastIndex(of: "/").map { String(logFile[..<$0]) } ?? "."
        return [
            configurationDirectory, stateDirectory, volumeDirectory, directorDirectory, fileDaemonDirectory,
            storageDaemonDirectory, log,
        ]
    }

    /// Makes the directories (mode 0750) and writes the files (0600, durably), never over existing ones.
    package func write() throws(SystemError) {
        for directory in directories { try FilePath.makeDirectory(directory, mode: 0o750) }
        for file in files { try FilePath.createPrivate(file.path, file.text) }
    }
}
