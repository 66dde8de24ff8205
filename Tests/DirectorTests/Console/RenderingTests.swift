// How answers look: tables to the byte, and the frames of each mode.

import Platform
import Testing
import Wire

@testable import Director

@Suite("An answer") struct RenderingTests {
    private let jobs = ConsoleTable(
        kind: "job", columns: ["JobId", "Name", "StartTime", "Type", "Level", "JobFiles", "JobBytes", "JobStatus"],
        rows: [
            [
                .integer(1), .init("BackupPlain"), .init("2026-11-21 01:28:45"), .init("B"), .init("F"), .integer(15),
                .integer(1_357_496), .init("T"),
            ],
            [
                .integer(2), .init("BackupPlain"), .init("2026-11-21 01:28:49"), .init("B"), .init("I"), .integer(2),
                .integer(18), .init("T"),
            ],
        ])

    @Test("that is a table has the rules and columns of Bacula's list")
    func table() {
        #expect(
            jobs.horizontalText == """
                +-------+-------------+---------------------+------+-------+----------+----------+-----------+
                | JobId | Name        | StartTime           | Type | Level | JobFiles | JobBytes | JobStatus |
                +-------+-------------+---------------------+------+-------+----------+----------+-----------+
                | 1     | BackupPlain | 2026-11-21 01:28:45 | B    | F     | 15       | 1357496  | T         |
                | 2     | BackupPlain | 2026-11-21 01:28:49 | B    | I     | 2        | 18       | T         |
                +-------+-------------+---------------------+------+-------+----------+----------+-----------+

                """)
    }

    @Test("that is a long listing has one field per line, names right aligned, and a blank line after each record")
    func longTable() {
        let table = ConsoleTable(
            kind: "job", columns: ["JobId", "JobMissingFiles", "Comment"], rows: [[.integer(2), .integer(0), .null]])
        #expect(table.verticalText == "           JobId: 2\n JobMissingFiles: 0\n         Comment: \n\n")
    }

    @Test("without rows says so")
    func emptyTable() {
        let table = ConsoleTable(kind: "job", columns: ["JobId"], rows: [])
        #expect(table.horizontalText == "No results to list.\n")
        #expect(table.verticalText == "No results to list.\n")
    }

    @Test("aligns wide characters, and shows control characters instead of sending them to the terminal")
    func strangeNames() {
        let table = ConsoleTable(
            kind: "file", columns: ["Filename"], rows: [[.init("/日本/x")], [.init("/a\nb\u{1B}[2J")]])
        #expect(
            table.horizontalText == """
                +--------------+
                | Filename     |
                +--------------+
                | /日本/x      |
                | /a\\nb\\x1b[2J |
                +--------------+

                """)
    }

    private func text(_ packets: [Packet]) -> [String] {
        packets.map { packet in
            switch packet {
            case .payload(let bytes): String(decoding: bytes, as: UTF8.self)
            case .signal(let signal): "<\(signal.rawValue)>"
            }
        }
    }

    private func transcript(_ mode: ConsoleMode) -> [String] {
        let renderer = ConsoleRenderer(mode: mode)
        return text(
            renderer.commandBegin
                + renderer.packets(
                    .table(
                        ConsoleTable(kind: "pool", columns: ["PoolId", "Name"], rows: [[.integer(1), .init("File")]]),
                        long: false))
                + renderer.packets(.warning("take care\n"))
                + renderer.packets(.failure(code: "director-not-found", what: "No job 9.", remedy: "Look."))
                + renderer.commandEnd(ok: false, messages: 2))
    }

    @Test("in plain mode is text, then EOD")
    func plain() {
        #expect(
            transcript(.plain) == [
                "+--------+------+\n| PoolId | Name |\n+--------+------+\n| 1      | File |\n+--------+------+\n",
                "take care\n", "No job 9. Look.\n",
                "You have messages.\n", "<-1>",
            ])
    }

    @Test("in API mode is framed by begin, failed, pending messages and main prompt; notices are marked")
    func api() {
        #expect(
            transcript(.api) == [
                "<-16>",
                "+--------+------+\n| PoolId | Name |\n+--------+------+\n| 1      | File |\n+--------+------+\n",
                "<-20>", "take care\n", "<-21>",
                "No job 9. Look.\n", "<-14>", "<-17>", "<-18>",
            ])
    }

    @Test("in framed mode is plain text whose notices and outcome are marked")
    func framed() {
        #expect(
            transcript(.framed) == [
                "+--------+------+\n| PoolId | Name |\n+--------+------+\n| 1      | File |\n+--------+------+\n",
                "<-20>", "take care\n", "<-21>",
                "No job 9. Look.\n", "<-14>", "<-17>", "<-1>",
            ])
    }

    @Test("in JSON mode is one object per line, each with a type")
    func json() {
        #expect(
            transcript(.json) == [
                "{\"type\":\"pool\",\"PoolId\":1,\"Name\":\"File\"}\n",
                "{\"type\":\"warning\",\"text\":\"take care\"}\n",
                "{\"type\":\"error\",\"code\":\"director-not-found\",\"what\":\"No job 9.\",\"remedy\":\"Look.\"}\n",
                "{\"type\":\"done\",\"ok\":false,\"messages\":2}\n", "<-1>",
            ])
    }

    @Test("that asks ends in a sub prompt; menus are numbered in plain mode and framed in API mode")
    func questions() {
        let menu = ConsolePrompt.select(
            title: "Levels:\n", items: ["Full", "Incremental"], prompt: "Select level (1-2): ")
        #expect(
            text(ConsoleRenderer(mode: .plain).packets(menu)) == [
                "Levels:\n", "     1: Full\n", "     2: Incremental\n", "Select level (1-2): ", "<-27>",
            ])
        #expect(
            text(ConsoleRenderer(mode: .api).packets(menu)) == [
                "<-11>", "Levels:\n", "Full", "Incremental", "<-12>", "<-19>", "<-28>", "Select level (1-2): ",
            ])
        let run = ConsolePrompt.run(
            title: "Run Backup job", fields: [("JobName", "B"), ("Priority", "10")], prompt: "OK to run? (yes/mod/no): "
        )
        #expect(
            text(ConsoleRenderer(mode: .plain).packets(run)) == [
                "Run Backup job\nJobName:  B\nPriority: 10\n", "OK to run? (yes/mod/no): ", "<-27>",
            ])
        #expect(
            text(ConsoleRenderer(mode: .api).packets(run)) == [
                "<-23>", "Type: Backup\nTitle: Run Backup Job\nJobName:  B\nPriority: 10\n", "<-28>",
                "OK to run? (yes/mod/no): ",
            ])
    }

    @Test("longer than a packet is cut at line ends")
    func longText() {
        let line = String(repeating: "x", count: 99) + "\n"
        let packets = ConsoleRenderer().packets(ConsoleResult.text(String(repeating: line, count: 2000)))
        #expect(packets.count == 4)
        for case .payload(let bytes) in packets { #expect(bytes.count <= 65536 && bytes.last == 0x0A) }
    }
}
