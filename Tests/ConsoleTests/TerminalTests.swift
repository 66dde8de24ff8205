// The built console at a pseudo terminal, calling a director that follows a script.

import Configuration
import Platform
import Testing
import TestSupport
import Wire

@testable import Console

/// $APPLIANCE, else the debug build.
private let program: String = {
    if let path = CurrentProcess.environment("APPLIANCE") { return path }
    return "/" + CurrentProcess.executable.split(separator: "/").dropLast().joined(separator: "/") + "/appliance"
}()

/// A director of a few words: `list` answers, `ask` asks, `quit` ends; it remembers what it was sent.
private final class ScriptedDirector: Sendable {
    let heard = Monitor<[String]>([])
    private let listener: Listener
    private let task: Task<Void, Never>
    var port: UInt16 { listener.port }

    init() throws {
        let listener = try Listener(
            PortMap.Listener(role: .director, address: "127.0.0.1", port: 0, purpose: "a test", connectors: [.console]))
        self.listener = listener
        let heard = heard
        task = ElasticExecutor.shared.detach {
            await listener.serve(
                name: "lab-dir",
                admit: { _ in
                    .authenticate(
                        SharedSecret(password: "secret"), .plainText, greeting: "1000 OK: 103 lab-dir Version: test\n")
                },
                handler: { connection in
                    let channel = connection.channel
                    while case .payload(let bytes)? = try? channel.receive() {
                        let line = String(decoding: bytes, as: UTF8.self)
                        heard.withLock { $0.append(line) }
                        do {
                            switch line {
                            case ".help":
                                try channel.send(
                                    "list List things -- jobs pools job=<name>\nrun Run -- job=<name> yes\n")
                                try channel.send(.endOfData)
                            case ".jobs":
                                try channel.send("Nightly\n")
                                try channel.send(.endOfData)
                            case "ask":
                                try channel.send("Are you sure? (yes/no): ")
                                try channel.send(.subPrompt)
                            case "quit":
                                try channel.send(.terminate)
                                return
                            case ".messages": try channel.send(.endOfData)
                            default:
                                try channel.send("you said \(line)\n")
                                try channel.send(.endOfData)
                            }
                            try channel.flush()
                        } catch { return }
                    }
                })
        }
    }

    deinit { task.cancel() }

    var configuration: String {
        "Director { Name = lab-dir; DirPort = \(port); Address = 127.0.0.1; Password = \"secret\"; TLS Enable = no }\n"
    }
}

@Suite("The built console", .enabled(if: OpenFile.exists(program), "the program is not built")) struct TerminalTests {
    private let directory = TemporaryDirectory()

    private func configuration(_ director: ScriptedDirector) throws -> String {
        let path = directory.file("console.conf")
        try DurableText.replace(path, with: director.configuration)
        return path
    }

    private func run(_ arguments: [String], input: String = "") throws -> (
        status: Int32?, output: String, error: String
    ) {
        var options = ChildProcess.Options()
        options.input = Array(input.utf8)
        options.timeLimit = .seconds(60)
        let result = try ChildProcess.run([program, "console"] + arguments, options)
        var status: Int32?
        if case .exited(let number) = result.ending { status = number }
        return (
            status, String(decoding: result.output, as: UTF8.self), String(decoding: result.errorOutput, as: UTF8.self)
        )
    }

    @Test("carries out -c commands in order and answers a question with the next one")
    func oneShot() async throws {
        let director = try ScriptedDirector()
        let result = try run(["--config", try configuration(director), "-c", "list jobs", "-c", "ask", "-c", "yes"])
        #expect(
            result.output == "you said list jobs\nAre you sure? (yes/no): \nyou said yes\n" && result.status == 0,
            "\(result)")
    }

    @Test("fails when a question is left without an answer, after cancelling it")
    func unanswered() async throws {
        let director = try ScriptedDirector()
        let result = try run(["--config", try configuration(director), "-c", "ask"])
        #expect(
            result.status == 1 && result.error.contains("there was no answer")
                && director.heard.read { $0.last { $0 != "" } } == ".", "\(result)")
    }

    @Test("reads commands from a pipe, skipping blank lines and comments")
    func piped() async throws {
        let director = try ScriptedDirector()
        let result = try run(
            ["--config", try configuration(director)], input: "# a comment\n\nlist jobs\nquit\nnever sent\n")
        #expect(result.output == "you said list jobs\n" && result.status == 0)
        #expect(!director.heard.read { $0.contains("never sent") })
    }

    @Test(
        "says clearly, in text or JSON, that the director can't be reached; and a broken configuration has a status of its own"
    )
    func failures() async throws {
        let path = directory.file("nobody.conf")
        let port = try LoopbackPort.free()
        try DurableText.replace(
            path,
            with: "Director { Name = d; DirPort = \(port); Address = 127.0.0.1; Password = \"p\"; TLS Enable = no }\n")
        let refused = try run(["--config", path, "--json", "-c", "list jobs"])
        let object = try JSON(parsing: refused.output.split(separator: "\n").first.map(String.init) ?? "")
        #expect(
            refused.status == 1 && object["code"] == "console-connection"
                && object["what"]?.stringValue?.contains("127.0.0.1:\(port)") == true)
        #expect(try run(["--config", "/nonexistent.conf", "-c", "x"]).status == 10)
    }

    @Test(
        "at a terminal edits lines, completes commands and names, answers questions, keeps its history private, and leaves by quit"
    )
    func interactive() async throws {
        let director = try ScriptedDirector()
        let terminal = try PseudoTerminal(columns: 100)
        let home = directory.file("home")
        _ = try ChildProcess.run(["/bin/mkdir", home], .init())
        // The shell gives the program the terminal on all three streams.
        let path = terminal.programPath
        let process = try BackgroundProcess(
            [
                "/bin/sh", "-c", "exec \"$0\" console --config \"$1\" <\"$2\" >\"$2\" 2>&1", program,
                try configuration(director), path,
            ],
            logPath: directory.file("log"), environment: ["HOME": home, "TERM": "xterm", "NO_COLOR": "1"])
        let screen = Screen(terminal.operatorSide.descriptor)
        #expect(screen.wait(for: "\"quit\" to leave."), "\(screen.text)")
        func type(_ keys: String) throws { try terminal.operatorSide.write(Array(keys.utf8).span) }

        try type("li\tjox\u{7F}b\t\t")  // list job= / jobs: ambiguous, so it lists them
        #expect(screen.wait(for: "jobs"))
        try type("=N\t\r")
        #expect(screen.wait(for: "you said list job=Nightly"), "\(screen.text)")
        try type("ask\r")
        #expect(screen.wait(for: "Are you sure? (yes/no): "))
        try type("yes\r")
        #expect(screen.wait(for: "you said yes"))
        try type("\u{1B}[A\u{1B}[A\r")  // two lines up the history: answers are not in it
        #expect(screen.wait(for: "you said list job=Nightly", times: 2), "\(screen.text)")
        try type("quit\r")
        #expect(process.waitForEnd(atMost: .seconds(20)) == 0)
        let history = PrivateLines.read("\(home)/.appliance_history", linesMax: 10)
        #expect(history == ["list job=Nightly ", "ask", "list job=Nightly ", "quit"])
        let mode = try ChildProcess.run(["/usr/bin/stat", "-c", "%a", "\(home)/.appliance_history"], .init())
        #expect(String(decoding: mode.output, as: UTF8.self) == "600\n")
    }
}

/// What the operator's side of a terminal has shown so far.
private final class Screen {
    private let input: TerminalInput
    private(set) var text = ""

    init(_ descriptor: Int32) { input = TerminalInput(descriptor: descriptor) }

    /// Reads until `wanted` has been shown so many times; false after a while without.
    func wait(for wanted: String, times: Int = 1) -> Bool {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(30))
        while text.split(separator: wanted, omittingEmptySubsequences: false).count <= times {
            guard clock.now < deadline else { return false }
            switch input.read(atMost: .milliseconds(200)) {
            case .bytes(let bytes): text += String(decoding: bytes, as: UTF8.self)
            case .quiet: continue
            case .end: return false
            }
        }
        return true
    }
}
