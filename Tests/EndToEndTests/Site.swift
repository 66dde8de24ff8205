// A whole site for one test: three daemons as separate processes of the built binary, under TLS, in a directory of its own.

import Glibc
import Platform
import TestSupport

/// Where the program under test is: $APPLIANCE, else the debug build.
let applianceProgram: String = {
    if let path = CurrentProcess.environment("APPLIANCE") { return path }
    let build = CurrentProcess.executable.split(separator: "/").dropLast()
    return "/" + build.joined(separator: "/") + "/appliance"
}()

/// Runs a program to its end; the test fails if it can't be started.
@discardableResult
func run(_ arguments: String..., input: String = "", limit: Duration = .seconds(600)) throws -> ChildProcess {
    try run(arguments, input: input, limit: limit)
}

@discardableResult
func run(_ arguments: [String], input: String = "", limit: Duration = .seconds(600)) throws -> ChildProcess {
    var options = ChildProcess.Options()
    options.input = Array(input.utf8)
    options.timeLimit = limit
    options.outputBytesMax = 16 << 20
    return try ChildProcess.run(arguments, options)
}

/// Runs a shell script that makes fixtures; throws with its output when it fails.
func shell(_ script: String, limit: Duration = .seconds(600)) throws {
    let result = try run(["/bin/bash", "-euc", script], limit: limit)
    guard result.succeeded else {
        throw SystemError("bash \(result.endingText) \(result.errorText)", script, errno: EINVAL)
    }
}

extension ChildProcess {
    var text: String { String(decoding: output, as: UTF8.self) }
    var errorText: String { String(decoding: errorOutput, as: UTF8.self) }
}

/// Director, storage daemon and file daemon with a console, over `directory`.
final class Site {
    let directory: TemporaryDirectory
    let directorPort: UInt16, filePort: UInt16, storagePort: UInt16
    private(set) var director: BackgroundProcess?
    private(set) var file: BackgroundProcess?
    private(set) var storage: BackgroundProcess?

    struct Options {
        /// FileSet body: what stands between `Include {` and `}`.
        var include = ""
        /// Lines for the Pool resource.
        var pool = ""
        /// Lines for the Job resource.
        var job = ""
        /// Lines for the Device resource.
        var device = ""
        /// Lines for every resource that may have TLS directives.
        var tls = ""
        /// Where volumes live; nil: under the site's directory.
        var volumes: String?
    }

    private(set) var options: Options

    init(_ options: Options, start: Bool = true) throws {
        directory = TemporaryDirectory()
        directorPort = try LoopbackPort.free()
        filePort = try LoopbackPort.free()
        storagePort = try LoopbackPort.free()
        self.options = options
        for name in ["dir", "fd", "sd", "run", "volumes", "etc", "restored"] { try shell("mkdir -p '\(directory.file(name))'") }
        try writeConfigurations(options)
        if start { try self.start() }
    }

    var volumes: String { options.volumes ?? directory.file("volumes") }

    func writeConfigurations(_ options: Options) throws {
        self.options = options
        let work = directory.path
        try write(
            "etc/director.conf",
            """
            Director { Name = site-dir; DirPort = \(directorPort); DirAddress = 127.0.0.1; QueryFile = "\(work)/etc/query.sql"
              WorkingDirectory = "\(work)/dir"; PidDirectory = "\(work)/run"; Maximum Concurrent Jobs = 8
              Password = "console-secret"; Messages = Standard; \(options.tls) }
            Catalog { Name = MyCatalog; DbName = "catalog"; DbUser = ""; DbPassword = "" }
            Messages { Name = Standard; append = "\(work)/jobs.log" = all, !skipped; catalog = all; console = all, !skipped }
            Client { Name = site-fd; Address = 127.0.0.1; FDPort = \(filePort); Catalog = MyCatalog; Password = "fd-secret"
              Maximum Concurrent Jobs = 8; \(options.tls) }
            Storage { Name = Disk; Address = 127.0.0.1; SDPort = \(storagePort); Password = "sd-secret"; Device = Disk
              Media Type = File; Maximum Concurrent Jobs = 8; \(options.tls) }
            Pool { Name = Default; Pool Type = Backup; Label Format = "Vol-"; \(options.pool)
              }
            FileSet { Name = Tree
              Include {
            \(options.include)
              } }
            Job { Name = Backup; Type = Backup; Level = Full; Client = site-fd; FileSet = Tree; Storage = Disk; Pool = Default
              Maximum Concurrent Jobs = 4
              Messages = Standard; Write Bootstrap = "\(work)/%n.bsr"
            \(options.job)
              }
            Job { Name = Restore; Type = Restore; Client = site-fd; FileSet = Tree; Storage = Disk; Pool = Default
              Messages = Standard; Where = "\(work)/restored" }
            """)
        try write(
            "etc/fd.conf",
            """
            FileDaemon { Name = site-fd; FDPort = \(filePort); FDAddress = 127.0.0.1; WorkingDirectory = "\(work)/fd"
              PidDirectory = "\(work)/run"; \(options.tls) }
            Director { Name = site-dir; Password = "fd-secret"; \(options.tls) }
            Messages { Name = Standard; director = site-dir = all, !skipped, !restored }
            """)
        try write(
            "etc/sd.conf",
            """
            Storage { Name = site-sd; SDPort = \(storagePort); SDAddress = 127.0.0.1; WorkingDirectory = "\(work)/sd"
              PidDirectory = "\(work)/run"; \(options.tls) }
            Director { Name = site-dir; Password = "sd-secret"; \(options.tls) }
            Device { Name = Disk; Media Type = File; Device Type = File; Archive Device = "\(volumes)"; LabelMedia = yes
              Random Access = yes; AutomaticMount = yes; RemovableMedia = no; AlwaysOpen = no; Maximum Concurrent Jobs = 8
            \(options.device)
              }
            Messages { Name = Standard; director = site-dir = all }
            """)
        try write(
            "etc/console.conf",
            """
            Director { Name = site-dir; DirPort = \(directorPort); Address = 127.0.0.1; Password = "console-secret"; \(options.tls) }
            """)
        try write("etc/query.sql", "")
    }

    func write(_ name: String, _ text: String) throws {
        let file = try OpenFile(directory.file(name), O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try file.write(Array((text + "\n").utf8).span)
    }

    // MARK: - Daemons

    enum Daemon: String, CaseIterable { case storage = "sd", file = "fd", director }

    func start(_ daemons: [Daemon] = Daemon.allCases) throws {
        for daemon in daemons {
            let process = try BackgroundProcess(
                [
                    applianceProgram, "--role", daemon.rawValue, "--foreground", "--config",
                    directory.file("etc/\(daemon.rawValue).conf"),
                ],
                logPath: directory.file("\(daemon.rawValue).log"))
            switch daemon {
            case .storage: storage = process
            case .file: file = process
            case .director: director = process
            }
        }
        for daemon in daemons { try waitForPort(of: daemon) }
    }

    func process(_ daemon: Daemon) -> BackgroundProcess? {
        switch daemon {
        case .storage: storage
        case .file: file
        case .director: director
        }
    }

    /// Looks at the kernel's socket table, so that no daemon sees a stray connection.
    private func waitForPort(of daemon: Daemon) throws {
        let port =
            switch daemon {
            case .storage: storagePort
            case .file: filePort
            case .director: directorPort
            }
        let digits = String(port, radix: 16, uppercase: true)
        let needle = ":" + String(repeating: "0", count: 4 - digits.count) + digits + " 00000000:0000 0A"
        for _ in 0..<600 {
            let table = try OpenFile("/proc/net/tcp", O_RDONLY).readAll(limit: 4 << 20)
            if String(decoding: table, as: UTF8.self).contains(needle) { return }
            if process(daemon)?.hasEnded != false {
                throw SystemError("\(daemon.rawValue) ended at start: \(log(daemon))", directory.path, errno: ECHILD)
            }
            usleep(50_000)
        }
        throw SystemError("\(daemon.rawValue) doesn't listen: \(log(daemon))", directory.path, errno: ETIMEDOUT)
    }

    func log(_ daemon: Daemon) -> String { text("\(daemon.rawValue).log") }

    /// The text of a file under the site's directory; empty when it isn't there.
    func text(_ name: String) -> String {
        guard let bytes = try? OpenFile(directory.file(name), O_RDONLY).readAll(limit: 64 << 20) else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Stops a daemon and forgets it. `signal` SIGTERM waits for a graceful end.
    @discardableResult
    func stop(_ daemon: Daemon, signal: Int32 = SIGTERM) -> Int32? {
        guard let process = process(daemon) else { return nil }
        process.send(signal)
        let status = process.waitForEnd(atMost: .seconds(60))
        switch daemon {
        case .storage: storage = nil
        case .file: file = nil
        case .director: director = nil
        }
        return status
    }

    func stopAll() { for daemon in [Daemon.director, .file, .storage] { stop(daemon) } }

    // MARK: - Console

    /// One-shot console commands, in order; the answer is everything they printed.
    @discardableResult
    func console(_ commands: String..., limit: Duration = .seconds(600)) throws -> ChildProcess {
        try run(
            [applianceProgram, "console", "--config", directory.file("etc/console.conf")] + commands.flatMap { ["-c", $0] },
            limit: limit)
    }

    /// Runs a job and waits for its end; returns its status letter from the catalog.
    func job(_ command: String, limit: Duration = .seconds(1200)) throws -> Character {
        let answer = try console(command, "wait", limit: limit)
        guard let line = answer.text.split(separator: "\n").first(where: { $0.contains("JobId=") }),
            let number = Int(line.split(separator: "=").last?.prefix(while: \.isNumber) ?? "")
        else { throw SystemError("no JobId in: \(answer.text) \(answer.errorText)", command, errno: EPROTO) }
        lastJob = number
        return try status(of: number)
    }

    /// JobId of the last `job`.
    private(set) var lastJob = 0

    func status(of job: Int) throws -> Character {
        let record = try console("llist jobid=\(job)").text
        for line in record.split(separator: "\n") where line.contains(" JobStatus: ") { return line.last ?? "?" }
        throw SystemError("no JobStatus in: \(record)", "job \(job)", errno: EPROTO)
    }

    /// Restores the most recent backup to a fresh directory and returns its path.
    func restoreAll(to name: String, extra: String = "") throws -> String {
        let target = directory.file(name)
        try shell("mkdir -p '\(target)'")
        let status = try job(
            "restore client=site-fd fileset=Tree where=\(target) restorejob=Restore select current all done yes \(extra)")
        guard status == "T" else {
            throw SystemError("restore ended with status \(status): \(text("jobs.log").suffix(3000))", target, errno: EIO)
        }
        return target
    }
}
