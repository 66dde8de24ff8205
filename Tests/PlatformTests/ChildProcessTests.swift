// Running programs: what comes back, and how they are made to stop.

import Platform
import Testing

@Suite("Child processes") struct ChildProcessTests {
    @Test("Output, error output and exit status come back") func collects() throws {
        let result = try ChildProcess.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
        #expect(result.ending == .exited(3))
        #expect(result.output == Array("out\n".utf8))
        #expect(result.errorOutput == Array("err\n".utf8))
        #expect(!result.succeeded)
    }

    @Test("Standard input is fed and ended, however long it is") func feeds() throws {
        var options = ChildProcess.Options()
        options.input = [UInt8](repeating: 65, count: 300_000)
        let result = try ChildProcess.run(["cat"], options)
        #expect(result.output == options.input)
        #expect(result.ending == .exited(0))
    }

    @Test("A program that reads nothing does not block its feeder") func ignoresInput() throws {
        var options = ChildProcess.Options()
        options.input = [UInt8](repeating: 65, count: 300_000)
        #expect(try ChildProcess.run(["true"], options).ending == .exited(0))
    }

    @Test("Output beyond the bound is dropped and said to be") func bounded() throws {
        var options = ChildProcess.Options()
        options.outputBytesMax = 1000
        let result = try ChildProcess.run(["sh", "-c", "head -c 200000 /dev/zero"], options)
        #expect(result.output.count == 1000)
        #expect(result.wasTruncated)
    }

    @Test("A time limit ends the whole process group, even one that ignores SIGTERM") func timeLimit() throws {
        var options = ChildProcess.Options()
        options.timeLimit = .milliseconds(200)
        options.killAfter = .milliseconds(200)
        let result = try ChildProcess.run(["sh", "-c", "trap '' TERM; sleep 60 & sleep 60; sleep 60"], options)
        #expect(result.ending == .timedOut)
    }

    @Test("Asking to stop ends the program") func stops() throws {
        #expect(try ChildProcess.run(["sleep", "60"], shouldStop: { true }).ending == .interrupted)
    }

    @Test("A program that does not exist is an error that names it") func missing() {
        let error = #expect(throws: SystemError.self) { _ = try ChildProcess.run(["/no/such/program"]) }
        #expect(error?.object == "/no/such/program")
    }

    @Test("A given environment replaces ours") func environment() throws {
        var options = ChildProcess.Options()
        options.environment = ["GREETING": "hello"]
        #expect(try ChildProcess.run(["/usr/bin/env"], options).output == Array("GREETING=hello\n".utf8))
    }

    @Test("A grandchild that holds the pipe does not hold us") func grandchild() throws {
        let result = try ChildProcess.run(["sh", "-c", "sleep 5 & echo done"])
        #expect(result.output == Array("done\n".utf8))
        #expect(result.ending == .exited(0))
    }

    @Test(
        "Commands are split into words as their quotes say",
        arguments: [
            ("/bin/echo a  b", ["/bin/echo", "a", "b"]),
            ("sh -c 'echo \"x y\"'", ["sh", "-c", "echo \"x y\""]),
            ("a \"b c\" d", ["a", "b c", "d"]),
            ("a \"\" b", ["a", "", "b"]),
            ("a\\ b \"c\\\"d\" \"e\\n\"", ["a b", "c\"d", "e\\n"]),
            ("", []),
            ("unfinished \"quote here", ["unfinished", "quote here"]),
        ]) func words(command: String, expected: [String])
    {
        #expect(commandWords(command) == expected)
    }
}
