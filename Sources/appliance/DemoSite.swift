// The demonstration's site: a directory, a configuration, three processes, and a workspace to change.

import Configuration
import Console
import Platform

/// Three daemons over one directory. `end` stops them and removes it; `leave` lets them run.
final class DemoSite: Sendable {
    struct Role: Sendable {
        var name: String
        var port: UInt16
        var process: BackgroundProcess
    }
    let root: String
    let roles: [Role]
    private let site: DefaultSite

    var client: String { site.clientName }
    var workspace: String { root + "/workspace" }
    var restored: String { root + "/restored" }
    var volumes: String { site.volumeDirectory }

    /// - Parameter work: A directory that doesn't exist yet; nil: a fresh one under $TMPDIR or /var/tmp.
    init(source: String, work: String?) throws {
        root = try Self.makeRoot(work)
        site = DefaultSite(
            root: root, backup: [source, root + "/workspace"], directorPort: try LoopbackPort.free(),
            fileDaemonPort: try LoopbackPort.free(), storageDaemonPort: try LoopbackPort.free())
        try site.write()
        try Self.script("mkdir workspace restored log", in: root)
        // Something small to change: up to 200 files of the real directory, with their attributes.
        try Self.script(
            #"(cd "$1" && find . -xdev -type f -size -200k -print0 | head -z -n 200 | tar --null -T - -cf - 2>/dev/null) | tar -xf - -C workspace"#
                + "\necho 'a first note' >workspace/notes; ln workspace/notes workspace/same-notes; truncate -s 1M workspace/holes",
            in: root, source)
        var roles: [Role] = []
        for (name, port) in [("sd", site.storageDaemonPort), ("fd", site.fileDaemonPort), ("director", site.directorPort)] {
            let process = try BackgroundProcess(
                [CurrentProcess.executable, "--role", name, "--foreground", "--config", site.path(ofRole: name)],
                logPath: "\(root)/log/\(name).log")
            roles.append(Role(name: name, port: port, process: process))
        }
        self.roles = roles
    }

    private static func makeRoot(_ work: String?) throws -> String {
        let parent = CurrentProcess.environment("TMPDIR") ?? "/var/tmp"
        let command =
            work == nil
            ? #"mktemp -d "$1/appliance-demo-XXXXXX""# : #"mkdir -m 700 -- "$1" && cd -- "$1" && pwd -P"#
        let made = try ChildProcess.run(["/bin/sh", "-euc", command, "demo", work ?? parent])
        guard made.succeeded else {
            throw DemoError(what: "The working directory can't be made: \(String(decoding: made.errorOutput, as: UTF8.self))")
        }
        return String(decoding: made.output, as: UTF8.self).filter { $0 != "\n" }
    }

    /// Runs a few lines of shell in `directory`.
    @discardableResult
    private static func script(_ lines: String, in directory: String, _ arguments: String...) throws -> String {
        var options = ChildProcess.Options()
        options.directory = directory
        let result = try ChildProcess.run(["/bin/sh", "-uc", lines, "demo"] + arguments, options)
        return String(decoding: result.output, as: UTF8.self)
    }

    /// A console, once the director answers.
    func connect() async throws -> DirectorLink {
        let account = try ConsoleAccount.load(site.path(ofRole: "console"), name: nil)
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(20)
        while true {
            for role in roles where role.process.hasEnded {
                let log = FilePath.tail("\(root)/log/\(role.name).log", bytesMax: 2000)
                throw DemoError(what: "The \(role.name) ended at its start: \(log)")
            }
            do {
                return try await DirectorLink.connect(account)
            } catch {
                if clock.now >= deadline { throw DemoError(what: "The director doesn't answer: \(error)") }
                CurrentProcess.sleep(.milliseconds(100))
            }
        }
    }

    /// Edits, renames, deletes and adds in the workspace.
    /// - Returns: What was done, a line each.
    func changeWorkspace() throws -> [String] {
        // The next second, so that the change is younger than the full backup by whole seconds too.
        CurrentProcess.sleep(.milliseconds(1100))
        return try Self.script(
            #"""
            echo 'and a second one' >>notes && echo 'edited    notes (and its hard link same-notes)'
            n=0; find . -type f ! -name notes ! -name same-notes ! -name holes | sort | sed -n '1~20p' | while read -r f; do
              n=$((n + 1))
              case $((n % 3)) in
              0) rm "$f" && echo "deleted   $f" ;;
              1) mv "$f" "$f.renamed" && echo "renamed   $f" ;;
              2) chmod 600 "$f" && echo "mode 600  $f" ;;
              esac
            done
            mkdir new && echo hello >new/file && ln -s file new/link && echo 'added     new/file, new/link'
            """#, in: workspace
        ).split(separator: "\n").map(String.init)
    }

    func leave() { for role in roles { role.process.letGo() } }

    func end() {
        for role in roles.reversed() { role.process.end() }
        _ = try? ChildProcess.run(["/bin/rm", "-rf", "--one-file-system", root])
    }
}
