// Debian's own bconsole with our director, where it is installed.

import Platform
import Testing
import TestSupport

@testable import Director

private let bconsole = "/usr/sbin/bconsole"

@Suite(
    "Bacula's bconsole",
    .enabled(if: OpenFile.exists(bconsole), "bconsole is not installed (apt-get install bacula-console)"))
struct RealConsoleTests {
    private func run(
        _ script: ConsoleScript, password: String = "console-secret", console: String? = nil, _ lines: String...
    ) throws -> String {
        let path = script.fixture.directory.file("bconsole.conf")
        let named = console.map { "Console { Name = \($0); Password = \"\(password)\" }\n" } ?? ""
        try DurableText.replace(
            path,
            with: named
                + "Director { Name = lab-dir; DirPort = \(script.fixture.role.ports[0]); Address = 127.0.0.1; Password = \"\(console == nil ? password : "unused")\" }\n"
        )
        var options = ChildProcess.Options()
        options.input = Array((lines.joined(separator: "\n") + "\nquit\n").utf8)
        options.timeLimit = .seconds(60)
        let result = try ChildProcess.run([bconsole, "-n", "-c", path], options)
        return String(decoding: result.output, as: UTF8.self)
    }

    @Test("reads our tables, answers our questions, and walks through a restore tree")
    func dialogue() async throws {
        let script = try ConsoleScript()
        try script.backup(files: ["/src/a", "/src/b", "/src/"])
        let text = try run(
            script, "list jobs", "foo", "run job=Backup when=\"2030-01-01 00:00:00\"", "mod", "7", "11", "no",
            "restore jobid=1", "cd src", "ls", "mark a", "done", "no",
            "messages")
        #expect(text.contains("1000 OK: 103 lab-dir Version: "))
        #expect(text.contains("| 1     | Backup | 2026-11-21 01:28:45 | B    | F     | 3        |"), "\(text)")
        #expect(text.contains("foo: is an invalid command.\n"))
        #expect(text.contains("Priority: 11\nOK to run? (yes/mod/no): no\nJob not run.\n"))
        #expect(text.contains("cwd is: /src/\n$ ls\na\nb\n$ mark a\n1 file marked.\n$ done\n"))
        #expect(text.contains("1 file selected to be restored.\n") && text.contains("You have no messages.\n"))
    }

    @Test("gets in as a named console with its own rights, and not with a wrong password")
    func namedConsole() async throws {
        let script = try ConsoleScript(
            more: "Console { Name = limited; Password = \"named\"; CommandACL = version; TLS Enable = no }")
        let text = try run(script, password: "named", console: "limited", "version", "list jobs")
        #expect(text.contains("lab-dir Version") && text.contains("this console may not use that command"), "\(text)")
        #expect(
            !(try run(script, password: "wrong", "version")).contains(
                "lab-dir Version: \(Appliance.name) \(Appliance.version)\n\n"))
    }
}
