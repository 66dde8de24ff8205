// Command lines: words, keywords, values, quotes and abbreviations.

import Testing
import TestSupport

@testable import Director

@Suite("A command line") struct CommandTextTests {
    private typealias Argument = CommandText.Argument

    @Test("is a verb, then keywords with or without values")
    func words() {
        let command = CommandText("run job=BackupPlain level=Full yes")
        #expect(command.verb == "run")
        #expect(command.arguments == [Argument("job", "BackupPlain"), Argument("level", "Full"), Argument("yes")])
        #expect(command.rest == "job=BackupPlain level=Full yes")
    }

    @Test("keeps white space inside double quotes, around a value or a whole word")
    func quotes() {
        #expect(CommandText("run job=\"Nightly Backup\"").value("job") == "Nightly Backup")
        #expect(CommandText("cd \"dir one/deep\"").arguments == [Argument("dir one/deep")])
        #expect(CommandText("run job=Night\"ly Back\"up").value("job") == "Nightly Backup")
        #expect(
            CommandText("mark \"a=b c\"").arguments == [Argument("a=b c")], "a quoted word is no keyword with a value")
    }

    @Test("takes a backslash inside quotes as an escape, outside as itself")
    func backslashes() {
        #expect(CommandText(#"run comment="say \"hi\"""#).value("comment") == "say \"hi\"")
        #expect(CommandText(#"mark a\*b"#).arguments == [Argument(#"a\*b"#)])
    }

    @Test("matches keywords without case and takes the first value")
    func keywords() {
        let command = CommandText("restore CLIENT=a client=b File=/x FILE=/y")
        #expect(command.value("client") == "a")
        #expect(command.values("file") == ["/x", "/y"])
        #expect(command.has("Client") && !command.has("where"))
        #expect(CommandText("list pool=").value("pool") == "")
    }

    @Test("that is empty has no verb; an unfinished quote runs to the end")
    func edges() {
        #expect(CommandText("").verb.isEmpty)
        #expect(CommandText("   \t ").verb.isEmpty)
        #expect(CommandText("run job=\"Nightly Ba").value("job") == "Nightly Ba")
        #expect(CommandText("=").verb == "=")
        #expect(CommandText("a=b=c d").verb == "a=b=c")
    }

    @Test("written again reads the same")
    func roundTrip() {
        for line in [#"run job="Nightly \"x\" Backup" yes"#, #"mark "a=b" c"#, "list jobs", #"x key="" "" "#] {
            let command = CommandText(line)
            let again = CommandText(command.line)
            #expect(again.verb == command.verb && again.arguments == command.arguments, "\(line) → \(command.line)")
        }
    }

    @Test("of any characters at all is read without trapping, and twice the same")
    func fuzz() {
        var generator = SeededGenerator(seed: 0xC0_4501E)
        let alphabet = Array("ab=\"\\ \t.,é日\u{0}\u{301}'*")
        for _ in 0..<20_000 {
            let line = String(
                (0..<Int.random(in: 0..<24, using: &generator)).map { _ in alphabet.randomElement(using: &generator)! })
            let command = CommandText(line)
            let again = CommandText(command.line)
            guard again.arguments == command.arguments else {
                Issue.record("\(line.debugDescription) → \(command.line.debugDescription)")
                return
            }
            _ = JobIDList(line)
            _ = Units.seconds(line)
            _ = Units.bytes(line)
        }
    }

    @Test("may be abbreviated as long as it stays unique; the exact word always wins")
    func abbreviations() {
        let words = ["list", "llist", "label", "run", "reload", "release"]
        #expect(Abbreviation.resolve("li", among: words) == .one("list"))
        #expect(Abbreviation.resolve("REL", among: words) == .several(["reload", "release"]))
        #expect(Abbreviation.resolve("x", among: words) == .none)
        #expect(Abbreviation.resolve("st", among: ["st", "status"]) == .one("st"))
    }

    @Test(
        "names jobs by numbers, lists and ranges",
        arguments: [
            ("1", [1]), ("1,2,5-7", [1, 2, 5, 6, 7]), (" 3 , 4 ", [3, 4]),
        ] as [(String, [Int64])])
    func jobLists(text: String, values: [Int64]) { #expect(JobIDList(text)?.values == values) }

    @Test("refuses what is no list of jobs", arguments: ["", "a", "1,", "5-3", "-1", "0", "1-9999999999", "1 2"])
    func badJobLists(text: String) { #expect(JobIDList(text) == nil) }

    @Test("reads lengths of time and sizes as operators write them")
    func units() {
        #expect(Units.seconds("1 year 2 days") == 31_708_800)
        #expect(Units.seconds("90") == 90)
        #expect(Units.seconds("3 months") == 7_776_000)
        #expect(Units.seconds("soon") == nil)
        #expect(Units.text(seconds: 2_592_000) == "1 month")
        #expect(Units.bytes("10 GB") == 10_000_000_000)
        #expect(Units.bytes("10g") == 10 << 30)
        #expect(Units.bytes("99999999999999999999") == nil)
    }
}
