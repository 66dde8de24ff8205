// How files are taken apart.

import Platform
import TestSupport
import Testing

@testable import Configuration

@Suite("The lexer")
struct LexerTests {
    /// What `Name = …` of a Job comes to, and the findings of the lexer and the value reader.
    private func nameOf(_ text: String) -> (name: String?, findings: [String]) {
        let found = examine("Pool {\n \(text)\n}", [.director])
        let noise = ["lacks", "There is no Director resource"]
        return (
            found.resources.first?.name,
            found.diagnostics.map(\.description).filter { line in !noise.contains { line.contains($0) } }
        )
    }

    @Test(
        "reads values by Bacula's rules",
        arguments: [
            ("Name = a", "a"), ("Name=a", "a"), ("name = a", "a"), ("NA me = a", "a"), ("Name = My Fd", "MyFd"),
            ("Name = My Fd2", "MyFd2"),
            ("Name = \"My Fd\"", "My Fd"), ("Name = a#b", "a"), ("Name = a;# b", "a"), ("Name = \"a#b;c\"", "a#b;c"),
            ("Name = \"a\\\"b\\\\c\\d\"", "a\"b\\cd"), ("Name = \\\n a", "a"), ("Name = My \\\n Fd", "MyFd"),
            ("Name \\ = a", "a"),
            ("Name = a\\b", "a\\b"), ("Name = C:\\dir", "C:\\dir"), ("\n\n;;Name = a;;", "a"),
            ("Name = private1.int.tld", "private1.int.tld"),
            ("Name = 1st", "1st"), ("Name = a-b_c:d.e", "a-b_c:d.e"), ("Name\t=\ta\r", "a"), ("Name = häß", "häß"),
        ])
    func values(text: String, name: String) {
        let result = nameOf(text)
        #expect(result.name == name)
        #expect(result.findings == [])
    }

    @Test("keeps the line break of a string that goes over lines")
    func longStrings() {
        let found = examine("Messages { Name = m; MailCommand = \"one\ntwo\" }", [.fileDaemon])
        #expect(found.first(.messages)?.text("MailCommand") == "one\ntwo")
    }

    @Test("ignores the rest of the line after a word with other characters than letters, and warns")
    func ignoredWords() {
        let result = nameOf("Name = a1 b c")
        #expect(result.name == "a1")
        #expect(
            result.findings == [
                "test.conf:2:12: warning: `b c` is ignored: `Name` takes `a1`. Put quotes around a value with spaces or commas in it."
            ])
    }

    @Test("takes a closing brace on the line of the last value, after any type of value")
    func closingBrace() {
        let found = examine(
            "Pool { Name = p; PoolType = Backup; VolumeRetention = 3 days }\nPool { PoolType = Backup; Name = q }",
            [.director])
        #expect(found.resources.map(\.name) == ["p", "q"])
        #expect(found.resources.first?.time("VolumeRetention") == .seconds(3 * 86400))
    }

    @Test("skips a byte order mark")
    func mark() {
        #expect(examine("\u{FEFF}Pool { Name = p }", [.director]).resources.map(\.name) == ["p"])
    }

    @Test("counts lines and columns from 1, a character as one column")
    func places() {
        let found = examine("# ü\nPool {\n  Näme = x\n}", [.director])
        #expect(found.errors.contains { $0.hasPrefix("test.conf:3:3: error: Pool has no directive `Näme`.") })
        let second = examine("Pool { Name = \"ü\"; Foo = 1 }", [.director])
        #expect(second.errors.contains { $0.hasPrefix("test.conf:1:20: ") })
    }

    @Test("says where an unclosed string begins, and goes on after its line")
    func unclosed() {
        let found = examine("Pool {\n Name = \"p\n PoolType = Backup\n Foo = 1\n}", [.director])
        #expect(found.errors.contains("test.conf:2:9: error: This string is never closed. Put a `\"` at its end."))
        #expect(found.errors.contains { $0.contains("`Foo`") })
        #expect(found.resources.first?.name == "p")
    }

    @Test("refuses text that is not UTF-8")
    func encoding() {
        let bytes = Array("Pool { Name = \"".utf8) + [0xE4] + Array("\" }".utf8)
        let found = ConfigurationLoader.examine(bytes, path: "t", roles: [.director], sources: .none)
        #expect(found.errors.contains { $0.contains("not valid UTF-8") })
    }

    // MARK: - Includes

    private func write(_ text: String, _ path: String) throws {
        let file = try OpenFile(path, 0o1101, mode: 0o600)
        try file.write(Array(text.utf8).span)
    }

    @Test("puts included files and the output of commands in place, nested, anywhere a token may start")
    func includes() throws {
        let directory = TemporaryDirectory()
        try write(
            "@\"pool body\"\n@|\"echo 'Pool { Name = printed; PoolType = Backup }'\"\n", directory.file("pools.conf"))
        try write(
            "Pool { Name = first; PoolType = Backup\n LabelFormat = @format\n }\nPool { Name = @|\"printf second\"\n PoolType = Scratch }",
            directory.file("pool body"))
        try write("\"V-\"", directory.file("format"))
        try write(
            "@pools.conf\n@\(directory.file("empty"))\nPool { Name = last; PoolType = Backup }",
            directory.file("main.conf"))
        try write("", directory.file("empty"))
        let found = ConfigurationLoader.examine(directory.file("main.conf"), roles: [.director])
        #expect(found.resources.map(\.name) == ["first", "second", "printed", "last"])
        #expect(found.resources.first?.text("LabelFormat") == "V-")
        #expect(found.errors.count == 1, "\(found.errors)")  // no Director resource
    }

    @Test("names the place inside an included file")
    func includedPlaces() throws {
        let directory = TemporaryDirectory()
        try write("# one\nFoo = 1\n", directory.file("inner"))
        try write("Pool { Name = p; PoolType = Backup\n@inner\nBar = 1 }", directory.file("main.conf"))
        let found = ConfigurationLoader.examine(directory.file("main.conf"), roles: [.director])
        #expect(
            found.errors.contains { $0.hasPrefix("\(directory.file("inner")):2:1: error: Pool has no directive `Foo`") }
        )
        #expect(
            found.errors.contains {
                $0.hasPrefix("\(directory.file("main.conf")):3:1: error: Pool has no directive `Bar`")
            })
    }

    @Test("finds a file that includes itself, also by way of another")
    func cycles() throws {
        let directory = TemporaryDirectory()
        try write("@b\nPool { Name = a }", directory.file("a"))
        try write("@./a\nPool { Name = b }", directory.file("b"))
        let found = ConfigurationLoader.examine(directory.file("a"), roles: [.director])
        #expect(
            found.errors.contains {
                $0.hasPrefix("\(directory.file("b")):1:1: error: Can't read `\(directory.path)/./a`")
                    || $0.contains("includes itself")
            })
        #expect(found.resources.map(\.name) == ["b", "a"])
    }

    @Test("bounds the depth of includes, their number, and what they hold")
    func bounds() throws {
        let endless = ConfigurationSources(
            readFile: { _ throws(ConfigurationSources.Failure) in .init(bytes: Array("@deeper\n".utf8)) },
            runCommand: { _ throws(ConfigurationSources.Failure) in .init(bytes: []) }, variable: { _ in nil })
        let deep = ConfigurationLoader.examine(Array("@x\n".utf8), path: "t", roles: [.director], sources: endless)
        #expect(deep.errors.contains { $0.contains("nested more than 16 deep") })

        // Every level includes the next one twice: 65,536 texts if nothing stopped it.
        let bushy = ConfigurationSources(
            readFile: { _ throws(ConfigurationSources.Failure) in .init(bytes: Array("@a\n@b\n".utf8)) },
            runCommand: { _ throws(ConfigurationSources.Failure) in .init(bytes: []) }, variable: { _ in nil })
        let many = ConfigurationLoader.examine(Array("@x\n".utf8), path: "t", roles: [.director], sources: bushy)
        #expect(many.hasErrors)

        let huge = ConfigurationSources(
            readFile: { _ throws(ConfigurationSources.Failure) in .init(bytes: [UInt8](repeating: 10, count: 12 << 10))
            },
            runCommand: { _ throws(ConfigurationSources.Failure) in .init(bytes: []) }, variable: { _ in nil },
            totalBytesMax: 64 << 10)
        let large = ConfigurationLoader.examine(
            Array("@x\n@x\n@x\n@x\n@x\n@x\n".utf8), path: "t", roles: [.director], sources: huge)
        #expect(large.errors.contains { $0.contains("all files together have more than 65536 bytes") })
    }

    @Test("says which file or command gave nothing, and why")
    func failures() throws {
        let directory = TemporaryDirectory()
        try write("@missing.conf\n@|\"/bin/false\"\n@|\"/no/such/program x\"\n@\n", directory.file("main.conf"))
        let errors = ConfigurationLoader.examine(directory.file("main.conf"), roles: [.director]).errors
        #expect(
            errors.contains {
                $0.contains(
                    "main.conf:1:1: error: Can't read `\(directory.path)/missing.conf`: No such file or directory.")
                    || $0.contains("missing.conf`: No such file")
            })
        #expect(
            errors.contains {
                $0.contains(":2:1: error: Can't read the output of `/bin/false`: it ended with exit status 1.")
            })
        #expect(
            errors.contains {
                $0.contains(":3:1: error: Can't read the output of `/no/such/program x`: No such file or directory.")
            })
        #expect(errors.contains { $0.contains(":4:1: error: `@` is not followed by the name of a file.") })
        #expect(
            ConfigurationLoader.examine(directory.file("none"), roles: [.director]).errors == [
                "\(directory.file("none")):1:1: error: Can't read the configuration: No such file or directory."
            ])
        #expect(
            ConfigurationLoader.examine(directory.path, roles: [.director]).errors == [
                "\(directory.path):1:1: error: Can't read the configuration: Is a directory."
            ])
    }
}
