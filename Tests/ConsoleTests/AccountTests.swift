// Whom the console calls, from a configuration file.

import Platform
import Testing
import TestSupport
import Wire

@testable import Console

@Suite("A console's account") struct AccountTests {
    private let directory = TemporaryDirectory()

    private func load(_ text: String, name: String? = nil, director: String? = nil) throws -> ConsoleAccount {
        let path = directory.file("console.conf")
        let file = try OpenFile(path, 0o1101)  // write only, create, truncate
        try file.write(Array(text.utf8).span)
        try file.close()
        return try ConsoleAccount.load(path, name: name, director: director)
    }

    @Test("comes from the Director of a console's file")
    func director() throws {
        let account = try load(
            "Director { Name = lab-dir; DIRport = 9999; Address = 192.0.2.1; Password = \"secret\"; TLS Enable = no }")
        #expect(
            account.host == "192.0.2.1" && account.port == 9999 && account.name == "*UserAgent*"
                && account.director == "lab-dir")
        #expect(account.secret == SharedSecret(password: "secret") && account.tls == .plainText)
    }

    @Test("is the named Console's where there is one, with its own password")
    func console() throws {
        let text = """
            Console { Name = "lab console"; Password = "named" }
            Director { Name = one; Address = 127.0.0.1; Password = "x" }
            Director { Name = two; Address = 127.0.0.2; Password = "y" }
            """
        let account = try load(text)
        #expect(
            account.name == "lab console" && account.secret == SharedSecret(password: "named") && account.port == 9101)
        #expect(try load(text, director: "two").host == "127.0.0.2")
        #expect(throws: ConsoleError.self) { try load(text, name: "other") }
        #expect(throws: ConsoleError.self) { try load(text, director: "three") }
    }

    @Test("can be taken from the file of a director on this machine")
    func directorsFile() throws {
        let account = try load(
            """
            Director { Name = big-dir; DirPort = 19101; DirAddress = 127.0.0.1; WorkingDirectory = /tmp; Password = "d"; Messages = M; QueryFile = /tmp/q; PidDirectory = /tmp }
            Catalog { Name = C; DbName = c }
            Messages { Name = M; console = all }
            """)
        #expect(
            account.director == "big-dir" && account.host == "127.0.0.1" && account.port == 19101
                && account.secret == SharedSecret(password: "d"))
    }

    @Test("that can't be read is an error with the place and the remedy")
    func errors() throws {
        let error = #expect(throws: ConsoleError.self) { try load("Directr { Name = x }") }
        #expect(error?.code == "console-configuration" && error?.what.contains("console.conf:1:1") == true)
        #expect(throws: ConsoleError.self) { try ConsoleAccount.load("/nonexistent/console.conf", name: nil) }
    }

    @Test("never prints its secret")
    func secrecy() throws {
        let account = try load("Director { Name = d; Address = h; Password = \"very-secret\" }")
        #expect(!"\(account)".contains("very-secret"))
    }
}
