// How values are read, type by type.

import Testing

@testable import Configuration

@Suite("Values")
struct ValueTests {
    /// Reads `text` as a value of `type`.
    private func read(_ type: ValueType, _ text: String, variables: [String: String] = [:]) -> (
        value: Value?, findings: [String]
    ) {
        let problems = ProblemList()
        var lexer = Lexer(Array(text.utf8), name: "t", sources: .none, problems: problems)
        var tokens: [Token] = []
        while true {
            let token = lexer.next()
            if token.kind == .end || token.kind == .endOfLine { break }
            tokens.append(token)
        }
        let reader = ValueReader(problems: problems, variable: { variables[$0] })
        let value = reader.read(type, of: "X", tokens, at: SourceLocation(file: "t", line: 1, column: 1))
        return (value, problems.all.map(\.description))
    }

    @Test(
        "of type time are numbers with units, added up",
        arguments: [
            ("30", 30), ("30 s", 30), ("5 n", 300), ("5 min", 300), ("5 mins", 300), ("5 minutes", 300),
            ("2 mo", 60 * 86400), ("2 hours", 7200),
            ("2h", 7200), ("1 day", 86400), ("1 DAYS", 86400), ("2 w", 14 * 86400), ("1 q", 91 * 86400),
            ("1 year", 365 * 86400),
            ("1 hour 30 min", 5400), ("1hour30min", 5400), ("\"1 hour 30\"", 3630),
            ("1 y 6 months 2 d", (365 + 180 + 2) * 86400), ("0", 0),
        ])
    func times(text: String, seconds: Int) {
        #expect(read(.time, text).value == .time(.seconds(seconds)))
        #expect(read(.time, text).findings == [])
    }

    @Test("of type time may have fractions")
    func fractions() { #expect(read(.time, "1.5 hours").value == .time(.seconds(5400))) }

    @Test("of type time warn that m means months")
    func months() {
        let (value, findings) = read(.time, "5 m")
        #expect(value == .time(.seconds(5 * 30 * 86400)))
        #expect(
            findings == ["t:1:1: warning: `m` in `X` means months of 30 days. Write `min` for minutes, or `months`."])
    }

    @Test(
        "of type time that make no sense are refused",
        arguments: ["soon", "5 parsecs", "99999999999999999999 days", "9000000000000 years", "-5", "5 , 6", "\"\""])
    func badTimes(text: String) {
        #expect(read(.time, text).value == nil)
        #expect(!read(.time, text).findings.isEmpty)
    }

    @Test(
        "of type size are numbers with a unit of 1024s, or of 1000s with b",
        arguments: [
            ("7", 7), ("1k", 1024), ("1 KB", 1000), ("2m", 2 << 20), ("2 mb", 2_000_000), ("50G", 50 << 30),
            ("50 gb", 50_000_000_000), ("1t", 1 << 40),
            ("1 TB", 1_000_000_000_000), ("1.5k", 1536), ("\"50 G\"", 50 << 30), ("9223372036854775807", Int64.max),
        ] as [(String, Int64)])
    func sizes(text: String, bytes: Int64) { #expect(read(.size, text).value == .size(bytes)) }

    @Test(
        "of type size that make no sense are refused",
        arguments: ["big", "5 x", "9999999 tb", "9223372036854775808", "1 k 2 k", "1k/s"])
    func badSizes(text: String) { #expect(read(.size, text).value == nil) }

    @Test(
        "of type speed",
        arguments: [("5 mb/s", 5_000_000), ("5m/s", 5 << 20), ("3 k/s", 3072), ("3kb/s", 3000), ("9", 9)]
            as [(String, Int64)])
    func speeds(text: String, bytes: Int64) { #expect(read(.speed, text).value == .speed(bytes)) }

    @Test("of type number ignore a unit, with a warning")
    func numbers() {
        #expect(read(.number, "32").value == .number(32))
        let (value, findings) = read(.number, "32 k")
        #expect(value == .number(32))
        #expect(findings == ["t:1:4: warning: `k` after the number is ignored: `X` is 32. Write the number out."])
        #expect(read(.number, "32k").value == .number(32))
        #expect(read(.number, "32k").findings.count == 1)
    }

    @Test(
        "of type number are not negative and fit 31 bits",
        arguments: ["-1", "2147483648", "x", "99999999999999999999999", "\"\""])
    func badNumbers(text: String) { #expect(read(.number, text).value == nil) }

    @Test("of type integer may be negative")
    func integers() { #expect(read(.integer, "-7").value == .number(-7)) }

    @Test("of type port are 1 to 65535")
    func ports() {
        #expect(read(.port, "9101").value == .number(9101))
        #expect(read(.port, "0").findings == ["t:1:1: error: `X` takes 1 to 65535, not 0."])
        #expect(read(.port, "65536").value == nil)
    }

    @Test(
        "of type yes or no",
        arguments: [("yes", true), ("YES", true), ("true", true), ("no", false), ("False", false), ("\"no\"", false)])
    func bools(text: String, bool: Bool) { #expect(read(.bool, text).value == .bool(bool)) }

    @Test("of type yes or no take nothing else")
    func badBools() {
        #expect(read(.bool, "on").findings == ["t:1:1: error: `X` takes yes or no, not `on`. Write `yes`."])
        #expect(read(.bool, "0").findings == ["t:1:1: error: `X` takes yes or no, not `0`. Write `no`."])
    }

    @Test("that are one of several words are read without regard to case and spaces, and given in one spelling")
    func words() {
        let type = ValueType.word(["Backup", "VirtualFull"])
        #expect(read(type, "virtual full").value == .text("VirtualFull"))
        #expect(read(type, "bakup").findings == ["t:1:1: error: `X` doesn't know `bakup`. Did you mean `Backup`?"])
        #expect(read(type, "zzz").findings == ["t:1:1: error: `X` doesn't know `zzz`. It takes Backup or VirtualFull."])
    }

    @Test("of type list are separated by commas")
    func lists() {
        #expect(
            read(.texts, "list, .status, \"a b\", llist all").value
                == .list([.text("list"), .text(".status"), .text("a b"), .text("llistall")]))
        #expect(read(.references(.pool), "a, b").value == .list([.reference(.pool, "a"), .reference(.pool, "b")]))
        #expect(read(.texts, "a,,b").findings.count == 1)
    }

    @Test("of type name have at most 127 characters and no control characters")
    func names() {
        let long = String(repeating: "n", count: 127)
        #expect(read(.name, long).value == .text(long))
        #expect(read(.name, long + "n").value == nil)
        #expect(read(.name, "\"a\nb\"").value == nil)
        #expect(read(.name, "\"\"").value == nil)
    }

    @Test("of type path have their variables replaced")
    func paths() {
        let variables = ["HOME": "/home/me", "DIR": "/data"]
        #expect(read(.directory, "~/x", variables: variables).value == .text("/home/me/x"))
        #expect(read(.directory, "\"$DIR/a${DIR}b$\"", variables: variables).value == .text("/data/a/datab$"))
        let (value, findings) = read(.directory, "/a/$NONE/b")
        #expect(value == .text("/a/$NONE/b"))
        #expect(findings.count == 1)
        #expect(read(.directory, "\"/a/`date`\"").findings.count == 1)
    }

    @Test("of type password never appear in findings")
    func passwords() {
        let (value, findings) = read(.password, "s3cret and more")
        #expect(value == .password("s3cret"))
        #expect(findings.count == 1 && !findings[0].contains("s3cret") && !findings[0].contains("more"))
    }

    @Test("that are missing are reported")
    func missing() { #expect(read(.string, "").findings == ["t:1:1: error: `X` has no value."]) }

    @Test("of addresses blocks keep family, address and port")
    func addresses() throws {
        let found = examine(
            "FileDaemon { Name = f; WorkingDirectory = /w; FDAddresses = { ip = { addr = localhost; port = 1205 } ipv4 = { addr = 1.2.3.4 }\n ipv6 = { addr = \"::1\"; port = 9 } } }\nDirector { Name = d; Password = p }",
            [.fileDaemon])
        #expect(found.diagnostics == [])
        let map = PortMap(Configuration(path: "t", resources: found.resources), roles: [.fileDaemon])
        #expect(map.listeners.map { "\($0.address) \($0.port)" } == ["localhost 1205", "1.2.3.4 9102", "::1 9"])
    }
}
