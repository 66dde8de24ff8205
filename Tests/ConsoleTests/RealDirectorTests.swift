// The built console with Bacula's own director, where it is installed.

import Platform
import Testing
import TestSupport

@testable import Console

private let director = "/usr/sbin/bacula-dir"
private let tables = "/usr/share/bacula-director/make_sqlite3_tables"
private let program: String = {
    if let path = CurrentProcess.environment("APPLIANCE") { return path }
    return "/" + CurrentProcess.executable.split(separator: "/").dropLast().joined(separator: "/") + "/appliance"
}()

/// bacula-dir with an empty catalog, without daemons.
private final class RealDirector {
    static var isInstalled: Bool { [director, tables, program].allSatisfy { OpenFile.exists($0) } }

    let directory = TemporaryDirectory()
    let configuration: String
    private let process: BackgroundProcess

    init() throws {
        let port = try LoopbackPort.free()
        let work = directory.path
        configuration = directory.file("console.conf")
        try DurableText.replace(
            directory.file("dir.conf"),
            with: """
                Director {
                  Name = real-dir; DirPort = \(port); DirAddress = 127.0.0.1; WorkingDirectory = "\(work)"; PidDirectory = "\(work)"; QueryFile = "\(work)/query.sql"
                  Password = "secret"; Messages = Standard
                }
                Catalog { Name = Cat; dbname = bacula; dbuser = ""; dbpassword = "" }
                Messages { Name = Standard; console = all }
                Client { Name = fd; Address = 127.0.0.1; FDPort = 9; Catalog = Cat; Password = x }
                Storage { Name = sd; Address = 127.0.0.1; SDPort = 9; Password = x; Device = d; Media Type = File }
                Pool { Name = File; Pool Type = Backup }
                FileSet { Name = Set; Include { Options { signature = MD5 } File = /nonexistent } }
                Job { Name = Nightly; Type = Backup; Level = Full; Client = fd; FileSet = Set; Storage = sd; Pool = File; Messages = Standard }
                Job { Name = Back; Type = Restore; Client = fd; FileSet = Set; Storage = sd; Pool = File; Messages = Standard; Where = /tmp }

                """)
        try DurableText.replace(directory.file("query.sql"), with: "")
        try DurableText.replace(
            configuration,
            with:
                "Director { Name = real-dir; DirPort = \(port); Address = 127.0.0.1; Password = \"secret\"; TLS Enable = no }\n"
        )
        _ = try ChildProcess.run(
            [
                "/bin/sh", "-c",
                "sed -e \"s#^cd .*#cd '$0'#\" -e 's#XXX_DBNAME_XXX#bacula#g' \"$1\" >\"$0/make\" && sh \"$0/make\"",
                work, tables,
            ], .init())
        process = try BackgroundProcess([director, "-f", "-c", "\(work)/dir.conf"], logPath: "\(work)/log")
        for _ in 0..<200 {
            if try console("-c", "version").status == 0 { return }
            CurrentProcess.sleep(.milliseconds(100))
        }
    }

    deinit { _ = process.end(grace: .seconds(5)) }

    func console(_ arguments: String..., input: String = "") throws -> (status: Int32?, output: String) {
        var options = ChildProcess.Options()
        options.input = Array(input.utf8)
        options.timeLimit = .seconds(60)
        let result = try ChildProcess.run([program, "console", "--config", configuration] + arguments, options)
        var status: Int32?
        if case .exited(let number) = result.ending { status = number }
        return (status, String(decoding: result.output, as: UTF8.self))
    }
}

@Suite(
    "The built console with Bacula's director",
    .enabled(if: RealDirector.isInstalled, "bacula-director-sqlite3 is not installed, or the program is not built"))
struct RealDirectorTests {
    @Test("shows its tables, answers its menus and questions, and takes its quit")
    func dialogue() throws {
        let real = try RealDirector()
        let pools = try real.console("-c", "list pools")
        #expect(pools.status == 0 && pools.output.contains("| 1      | File |"), "\(pools)")
        let run = try real.console("-c", "run job=Nightly", "-c", "mod", "-c", "1", "-c", "2", "-c", "no")
        #expect(
            run.status == 0 && run.output.contains("Level:    Incremental") && run.output.contains("Job not run."),
            "\(run)")
        let unknown = try real.console("-c", "nonsense")
        #expect(unknown.status == 1 && unknown.output.contains("nonsense: is an invalid command."))
        let piped = try real.console(input: "version\nrestore\n13\nquit\n")
        #expect(piped.status == 0 && piped.output.contains("real-dir Version: "), "\(piped)")
    }

    @Test("says that it has no JSON mode")
    func json() throws {
        let real = try RealDirector()
        let answer = try real.console("--json", "-c", "version")
        let object = try JSON(parsing: answer.output.split(separator: "\n").first.map(String.init) ?? "")
        #expect(answer.status == 1 && object["code"] == "console-unsupported")
    }
}
