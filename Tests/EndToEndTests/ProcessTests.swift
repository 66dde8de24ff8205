// The program as a process: signals, readiness, several roles in one, and what it says to a user who got something wrong.

import Glibc
import Platform
import TestSupport
import Testing

struct ProcessTests {
    private func smallSite(_ home: TemporaryDirectory, start: Bool = true) throws -> (Site, String) {
        let tree = home.file("tree")
        try shell("mkdir -p '\(tree)'; cp -a /usr/share/doc/base-files '\(tree)/' 2>/dev/null || echo x >'\(tree)/x'")
        var options = Site.Options()
        options.include = "Options { signature = MD5 }\n File = \"\(tree)\""
        return (try Site(options, start: start), tree)
    }

    @Test("SIGTERM ends every daemon gracefully with status 0", arguments: Site.Daemon.allCases)
    func terminates(daemon: Site.Daemon) throws {
        let home = TemporaryDirectory()
        let (site, _) = try smallSite(home)
        defer { site.stopAll() }
        #expect(try site.job("run job=Backup level=Full yes") == "T", "\(site.text("jobs.log"))")
        #expect(site.stop(daemon) == 0, "\(site.log(daemon).suffix(1000))")
    }

    @Test("SIGHUP takes a new configuration over, and keeps the old one when the new has errors")
    func reloads() throws {
        let home = TemporaryDirectory()
        let (site, tree) = try smallSite(home)
        defer { site.stopAll() }
        let original = site.text("etc/director.conf")
        try site.write("etc/director.conf", original + "\nPool { Name = Added; Pool Type = Backup }")
        site.director?.send(SIGHUP)
        var listed = ""
        for _ in 0..<100 {
            listed = try site.console("list pools").text
            if listed.contains("Added") { break }
            usleep(100_000)
        }
        #expect(listed.contains("Added"), "\(listed) \(site.log(.director).suffix(1000))")
        try site.write("etc/director.conf", original + "\nPool { Nome = Broken }")
        site.director?.send(SIGHUP)
        usleep(1_000_000)
        #expect(site.log(.director).contains("Nome"), "\(site.log(.director).suffix(1000))")
        #expect(try site.job("run job=Backup level=Full yes") == "T", "tree \(tree): \(site.text("jobs.log"))")
    }

    @Test("Three roles in one process from one file back up and restore")
    func rolesTogether() throws {
        let home = TemporaryDirectory()
        let (site, tree) = try smallSite(home, start: false)
        // One file with the resources of all three. The Director resource that the daemons obey stands in it once, so that
        // both have the same password.
        let director = site.text("etc/director.conf").replacingFirst("sd-secret", with: "fd-secret")
        let storage = site.text("etc/sd.conf").split(separator: "\n").filter {
            !$0.contains("sd-secret") && !$0.hasPrefix("Messages")
        }
        let file = site.text("etc/fd.conf").split(separator: "\n").filter { !$0.hasPrefix("Messages") }
        let once = director + "\n" + (storage + file).joined(separator: "\n")
        try site.write("etc/all.conf", once)
        let process = try BackgroundProcess(
            [
                applianceProgram, "--role", "director", "--role", "sd", "--role", "fd", "--foreground", "--config",
                site.directory.file("etc/all.conf"),
            ],
            logPath: site.directory.file("all.log"))
        defer { process.end() }
        for _ in 0..<200 where !site.text("all.log").contains("ready") && !process.hasEnded { usleep(50_000) }
        #expect(site.text("all.log").contains("ready"), "\(site.text("all.log"))")
        #expect(try site.job("run job=Backup level=Full yes") == "T", "\(site.text("jobs.log")) \(site.text("all.log"))")
        let restored = try site.restoreAll(to: "all")
        #expect(try run(applianceProgram, "compare", tree, restored + tree).ending == .exited(0))
        #expect(process.end() == 0, "\(site.text("all.log").suffix(1000))")
    }

    @Test("A service manager is told when the roles are ready")
    func notifies() throws {
        let home = TemporaryDirectory()
        let (site, _) = try smallSite(home, start: false)
        let socket = home.file("notify")
        let listener = try BackgroundProcess(
            [
                "/usr/bin/python3", "-c",
                "import socket;s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);s.bind('\(socket)');print(s.recv(4096).decode(),flush=True)",
            ],
            logPath: home.file("notified"))
        for _ in 0..<100 { if try run("/bin/sh", "-c", "test -S '\(socket)'").succeeded { break }; usleep(50_000) }
        let process = try BackgroundProcess(
            [applianceProgram, "--role", "sd", "--foreground", "--config", site.directory.file("etc/sd.conf")],
            logPath: site.directory.file("sd.log"), environment: ["NOTIFY_SOCKET": socket])
        defer { process.end() }
        #expect(listener.waitForEnd(atMost: .seconds(20)) == 0)
        let said = String(decoding: try OpenFile(home.file("notified"), O_RDONLY).readAll(limit: 4096), as: UTF8.self)
        #expect(said.contains("READY=1"), "\(said)")
    }

    @Test("A second process for the same role is refused while the first runs")
    func refusesTwice() throws {
        let home = TemporaryDirectory()
        let (site, _) = try smallSite(home)
        defer { site.stopAll() }
        let second = try run(
            applianceProgram, "--role", "sd", "--foreground", "--config", site.directory.file("etc/sd.conf"), limit: .seconds(20))
        #expect(second.ending == .exited(11), "\(second.endingText) \(second.errorText)")
        #expect(second.errorText.contains("already-running"))
    }

    @Test("Without --foreground the program returns once the role is ready")
    func goesToTheBackground() throws {
        let home = TemporaryDirectory()
        let (site, _) = try smallSite(home, start: false)
        let launched = try run(
            applianceProgram, "--role", "sd", "--config", site.directory.file("etc/sd.conf"), "--log",
            site.directory.file("sd.log"),
            limit: .seconds(20))
        #expect(launched.ending == .exited(0), "\(launched.endingText) \(launched.errorText)")
        let pidFile = try run("/bin/sh", "-c", "cat '\(site.directory.file("run"))'/*.pid").text.trimmed
        let pid = try #require(Int32(pidFile), "\(pidFile)")
        #expect(kill(pid, 0) == 0)
        #expect(kill(pid, SIGTERM) == 0)
        for _ in 0..<200 where kill(pid, 0) == 0 { usleep(50_000) }
        #expect(kill(pid, 0) != 0)
    }

    struct BadInput: Sendable, CustomTestStringConvertible {
        var arguments: [String]
        /// Contents of the file at FILE in the arguments; nil: it doesn't exist.
        var file: String?
        var status: Int32
        var says: [String]
        var testDescription: String { arguments.joined(separator: " ") + (file.map { " <\($0.prefix(30))>" } ?? "") }
    }

    /// Bad inputs tried, and what each gets: exit status and words.
    static let badInputs: [BadInput] = [
        BadInput(arguments: [], status: 2, says: ["--role"]),
        BadInput(arguments: ["--role", "butler"], status: 2, says: ["butler"]),
        BadInput(arguments: ["--role", "gateway"], status: 1, says: ["not built yet"]),
        BadInput(arguments: ["--role", "sd", "--config", "FILE"], status: 10, says: ["FILE"]),
        BadInput(
            arguments: ["--role", "sd", "--foreground", "--config", "FILE"], file: "Storage { Name = a", status: 10, says: ["FILE:"]
        ),
        BadInput(arguments: ["check-config"], status: 2, says: ["configuration file"]),
        BadInput(arguments: ["check-config", "FILE"], file: "", status: 10, says: []),
        BadInput(arguments: ["check-config", "FILE"], file: "\0\0\0\u{1}garbage{{{{", status: 10, says: ["FILE:1:"]),
        BadInput(
            arguments: ["check-config", "--role", "director", "FILE"], file: "Director { Nmae = x }", status: 10,
            says: ["Nmae", "Name"]),
        BadInput(arguments: ["check-config", "--role", "sd", "FILE"], file: "@FILE", status: 10, says: ["FILE"]),
        BadInput(arguments: ["console", "--config", "FILE", "-c", "version"], status: 10, says: ["FILE"]),
        BadInput(
            arguments: ["console", "--config", "FILE", "-c", "version"],
            file: "Director { Name = d; Address = 127.0.0.1; DirPort = 1; Password = x }", status: 1, says: ["127.0.0.1"]),
        BadInput(arguments: ["volume", "list", "FILE"], status: 1, says: ["no-such-volume", "\"input\""]),
        BadInput(arguments: ["volume", "list", "FILE"], file: "this is no volume", status: 1, says: ["\"input\"", "damaged"]),
        BadInput(arguments: ["volume", "list", "FILE"], file: "", status: 1, says: ["not-a-volume", "\"input\""]),
        BadInput(arguments: ["compare", "/nonexistent-a", "/nonexistent-b"], status: 1, says: ["/nonexistent-a"]),
    ]

    @Test("Bad input gets a clear message and a status, never a trap or a hang", arguments: badInputs)
    func badInput(_ input: BadInput) throws {
        let home = TemporaryDirectory()
        let path = home.file("input")
        if let contents = input.file {
            let file = try OpenFile(path, O_WRONLY | O_CREAT, mode: 0o600)
            try file.write(Array(contents.replacingFirst("FILE", with: path).utf8).span)
        }
        let arguments = input.arguments.map { $0 == "FILE" ? path : $0 }
        let result = try run([applianceProgram] + arguments, limit: .seconds(30))
        #expect(result.ending == .exited(input.status), "\(result.endingText): \(result.text) \(result.errorText)")
        let said = result.text + result.errorText
        for word in input.says {
            #expect(said.contains(word == "FILE" ? path : word.replacingFirst("FILE", with: path)), "\(said)")
        }
        #expect(!said.contains("Fatal error"), "\(said)")
    }
}

extension String {
    func replacingFirst(_ old: String, with new: String) -> String {
        guard let range = self.ranges(of: old).first else { return self }
        return self[..<range.lowerBound] + new + self[range.upperBound...]
    }
}
