import Configuration
import Logging
import Platform
import TestSupport
import Testing

@testable import Director

@Suite struct MessageTests {
    @Test("A daemon's Jmsg keeps its type, time and text")
    func jmsg() throws {
        let message = try #require(
            Message(
                jmsg: "Jmsg JobId=4 type=6 level=1795219239 lab-sd JobId 4: Labeled new Volume \"Lab-0001\".\n",
                now: WallTime(seconds: 1_795_219_300)))
        #expect(message.type == .info && message.jobID == 4 && message.time.seconds == 1_795_219_239)
        #expect(message.text == "lab-sd JobId 4: Labeled new Volume \"Lab-0001\".")
    }

    @Test(
        "A Jmsg that can't be read is no message",
        arguments: [
            "Jmsg", "Jmsg ", "Jmsg JobId=x type=6 level=1 a", "Jmsg JobId=1 type= level=1 a", "jmsg JobId=1 type=6 level=1 a",
        ])
    func badJmsg(line: String) { #expect(Message(jmsg: line) == nil) }

    @Test("Unknown types are shown, absurd times replaced")
    func oddJmsg() throws {
        let message = try #require(Message(jmsg: "Jmsg JobId=1 type=99 level=99999999999999 text", now: WallTime(seconds: 5_000)))
        #expect(message.type == .info && message.time.seconds == 5_000)
    }

    @Test("Console messages carry day, month, hour and minute")
    func stamp() {
        let message = Message(.info, time: WallTime(localText: "2026-11-21 01:04:09")!, text: "lab-dir JobId 4: text\n", jobID: 4)
        #expect(message.stamped == "21-Nov 01:04 lab-dir JobId 4: text")
    }

    static func desk(
        _ center: MessageCenter, _ destinations: [MessageDestination], log: (@Sendable ([Message]) throws -> Void)? = nil
    ) -> MessageDesk {
        var routes = MessagesDefinition.standard
        routes.destinations = destinations
        return MessageDesk(
            daemon: "dir", jobID: 7, routes: routes, sinks: MessageSinks(center: center, log: log, logger: Logger(label: "test")))
    }

    @Test("Each destination gets the types it asks for and no others")
    func routing() throws {
        let directory = TemporaryDirectory()
        let center = MessageCenter()
        let rows = Monitor<[String]>([])
        let desk = Self.desk(
            center,
            [
                MessageDestination(kind: .console, targets: [], types: [.error]),
                MessageDestination(kind: .append, targets: [directory.file("all.log")], types: MessageType.all),
                MessageDestination(kind: .catalog, targets: [], types: [.info]),
            ], log: { messages in rows.withLock { $0 += messages.map(\.text) } })
        desk.info("one")
        desk.error("two")
        desk.send(.skipped, "three")
        desk.finish(succeeded: true, codes: PercentCodes())
        let taken = center.take()
        #expect(taken.count == 1 && taken[0].hasSuffix(" dir JobId 7: Error: two"))
        #expect(rows.read { $0 } == ["dir JobId 7: one"])
        let file = String(decoding: try OpenFile.contents(of: directory.file("all.log")), as: UTF8.self)
        #expect(
            file.split(separator: "\n").map { $0.dropFirst(13) } == [
                "dir JobId 7: one", "dir JobId 7: Error: two", "dir JobId 7: three",
            ])
        #expect(desk.errors == 1)
    }

    @Test("A File destination is overwritten by each job, an Append destination grows")
    func overwriting() throws {
        let directory = TemporaryDirectory()
        for text in ["first", "second"] {
            let desk = Self.desk(
                MessageCenter(),
                [
                    MessageDestination(kind: .file, targets: [directory.file("file")], types: MessageType.all),
                    MessageDestination(kind: .append, targets: [directory.file("append")], types: MessageType.all),
                ])
            desk.info(text)
            desk.info("end")
        }
        func lines(_ name: String) throws -> [String] {
            String(decoding: try OpenFile.contents(of: directory.file(name)), as: UTF8.self).split(separator: "\n").map {
                $0.split(separator: " ").last.map(String.init)!
            }
        }
        #expect(try lines("file") == ["second", "end"])
        #expect(try lines("append") == ["first", "end", "second", "end"])
    }

    @Test("A destination that can't be written doesn't stop the others")
    func brokenDestination() {
        let center = MessageCenter()
        let desk = Self.desk(
            center,
            [
                MessageDestination(kind: .append, targets: ["/nonexistent/dir/log"], types: MessageType.all),
                MessageDestination(kind: .console, targets: [], types: MessageType.all),
            ])
        desk.info("one")
        #expect(center.take().count == 1)
    }

    @Test("Mail is handed to the mail command with its codes, after the job")
    func mail() throws {
        let directory = TemporaryDirectory()
        var routes = MessagesDefinition.standard
        routes.destinations = [
            MessageDestination(kind: .mail, targets: ["a@b", "c@d"], types: MessageType.all),
            MessageDestination(kind: .mailOnError, targets: ["bad@b"], types: MessageType.all),
        ]
        routes.mailCommand =
            "/bin/sh -c 'cat > \"$0\"; echo %r %n >> \"$0\"; mv \"$0\" \(directory.file("mail"))' \(directory.file("draft"))"
        let desk = MessageDesk(
            daemon: "dir", jobID: 7, routes: routes,
            sinks: MessageSinks(center: MessageCenter(), log: nil, logger: Logger(label: "test")))
        desk.info("hello")
        desk.finish(succeeded: true, codes: PercentCodes(["n": "Nightly"]))
        var text = ""
        for _ in 0..<1000 where text.isEmpty {
            text = (try? OpenFile.contents(of: directory.file("mail"))).map { String(decoding: $0, as: UTF8.self) } ?? ""
            if text.isEmpty { _ = Monitor(0).wait(atMost: .milliseconds(10)) { _ in nil as Int? } }
        }
        #expect(text.hasSuffix(" dir JobId 7: hello\na@b c@d Nightly\n"))
    }

    @Test("Console messages nobody reads are dropped from the oldest on, and that is said")
    func bounded() {
        let center = MessageCenter(bytesMax: 1000)
        for number in 0..<100 { center.post("message number \(number) with some text to fill it up") }
        let lines = center.take()
        #expect(lines.count < 25 && lines.last?.hasPrefix("message number 99 ") == true)
        #expect(lines.first?.contains("older messages were dropped") == true)
        #expect(center.take().isEmpty)
    }
}

@Suite struct PercentCodesTests {
    @Test(
        "Codes are replaced, unknown ones stay",
        arguments: [("%n.bsr", "Job.bsr"), ("100%%", "100%"), ("%q%", "%q%"), ("a%nb%n", "aJobbJob"), ("", "")])
    func expand(text: String, expected: String) { #expect(PercentCodes(["n": "Job"]).expand(text) == expected) }

    @Test(
        "Commands are split at blanks, quotes hold words together",
        arguments: [
            ("/bin/echo a b", ["/bin/echo", "a", "b"]), ("sh -c 'a b'", ["sh", "-c", "a b"]), ("x \"a 'b\" c", ["x", "a 'b", "c"]),
            ("  a   b ", ["a", "b"]), ("a\\ b", ["a b"]), ("''", [""]), ("", []),
        ] as [(String, [String])])
    func split(line: String, words: [String]) { #expect(CommandLineWords.split(line) == words) }
}

@Suite struct JobReportTests {
    @Test("Sizes, spans and endings read as operators know them")
    func texts() {
        #expect(JobReport.grouped(1_357_496) == "1,357,496" && JobReport.grouped(0) == "0" && JobReport.grouped(-1000) == "-1,000")
        #expect(JobReport.bytes(1_357_496) == "1,357,496 (1.357 MB)")
        #expect(JobReport.scaled(999) == "999 ")
        #expect(
            JobReport.elapsed(1) == "1 sec" && JobReport.elapsed(0) == "0 secs" && JobReport.elapsed(3723) == "1 hour 2 mins 3 secs"
        )
        #expect(JobReport.fixed(1.005, 3) == "1.005" && JobReport.fixed(12.5, 0) == "13")
        #expect(
            JobReport.termination(.backup, .ok) == "Backup OK" && JobReport.termination(.restore, .fatal) == "*** Restore Error ***"
        )
        #expect(JobReport.termination(.backup, .cancelled) == "Backup Canceled")
    }
}

@Suite struct BootstrapPartsTests {
    @Test("A bootstrap is cut where the storage changes")
    func parts() {
        let text =
            "# comment\nStorage=\"A\"\nVolume=\"V1\"\nCount=1\nStorage=\"A\"\nVolume=\"V2\"\nStorage = \"B x\"\nVolume=\"V3\"\n"
        let parts = BootstrapParts.byStorage(text)
        #expect(parts.map(\.storage) == ["A", "B x"])
        #expect(parts[0].text.contains("V1") && parts[0].text.contains("V2") && !parts[0].text.contains("V3"))
    }

    @Test("A bootstrap without storage is one part, one without volume none")
    func plain() {
        #expect(BootstrapParts.byStorage("Volume=V1\nFileIndex=1-3\n") == [.init(storage: "", text: "Volume=V1\nFileIndex=1-3\n")])
        #expect(BootstrapParts.byStorage("").isEmpty && BootstrapParts.byStorage("# nothing\n").isEmpty)
    }
}
