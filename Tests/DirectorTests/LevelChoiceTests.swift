@testable import Catalog
import Platform
import Testing

@testable import Director

@Suite struct LevelChoiceTests {
    static func record(_ id: JobID, _ level: Character, startedAt seconds: Int64) -> JobRecord {
        JobRecord(
            jobID: id, uniqueName: "Job.\(id)", name: "Job", type: "B", level: level, status: "T", clientID: 1, client: "c",
            poolID: 1,
            pool: "p", fileSetID: 1, fileSet: "f", scheduled: nil, started: WallTime(seconds: seconds), startSeconds: seconds,
            ended: nil, realEnd: nil,
            date: seconds, sessionID: 1, sessionTime: 1, files: 1, bytes: 1, readBytes: 1, errors: 0, missingFiles: 0,
            priorJobID: 0,
            filesArePurged: false, comment: "")
    }
    static let full = record(1, "F", startedAt: 1000)
    static let differential = record(2, "D", startedAt: 2000)
    static let incremental = record(3, "I", startedAt: 3000)

    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var asked: JobLevel
        var history: BackupHistory
        var maxFull: Duration = .zero
        var maxDifferential: Duration = .zero
        var reruns = false
        var ignoresChanges = false
        var level: JobLevel
        var since: JobID?
        var testDescription: String { name }
    }

    static func history(
        _ full: JobRecord? = nil, _ differential: JobRecord? = nil, _ incrementals: [JobRecord] = [], failed: Character? = nil,
        changed: Bool = false
    ) -> BackupHistory {
        BackupHistory(
            full: full, differential: differential, incrementals: incrementals, failedLevel: failed, fileSetChanged: changed)
    }

    static let rows: [Row] = [
        Row(name: "a Full stays a Full", asked: .full, history: history(full), level: .full),
        Row(name: "without a Full an Incremental becomes one", asked: .incremental, history: history(), level: .full),
        Row(name: "without a Full a Differential becomes one", asked: .differential, history: history(), level: .full),
        Row(name: "a changed FileSet makes a Full", asked: .incremental, history: history(changed: true), level: .full),
        Row(
            name: "an Incremental counts from the Full", asked: .incremental, history: history(full), level: .incremental, since: 1),
        Row(
            name: "an Incremental counts from the newest", asked: .incremental, history: history(full, differential, [incremental]),
            level: .incremental, since: 3),
        Row(
            name: "a Differential counts from the Full", asked: .differential, history: history(full, differential, [incremental]),
            level: .differential, since: 1),
        Row(
            name: "a Full too old makes a Full", asked: .incremental, history: history(full), maxFull: .seconds(8999), level: .full),
        Row(
            name: "a Full just young enough doesn't", asked: .incremental, history: history(full), maxFull: .seconds(9000),
            level: .incremental, since: 1),
        Row(
            name: "a Differential too old makes a Differential", asked: .incremental, history: history(full, differential),
            maxDifferential: .seconds(7999), level: .differential, since: 1),
        Row(
            name: "a failed Full is run again", asked: .incremental, history: history(full, failed: "F"), reruns: true, level: .full
        ),
        Row(
            name: "a failed Differential is run again", asked: .incremental, history: history(full, failed: "D"), reruns: true,
            level: .differential, since: 1),
        Row(
            name: "a failed Full counts only where the job says so", asked: .incremental, history: history(full, failed: "F"),
            level: .incremental, since: 1),
    ]

    @Test("The level that runs is promoted by what the catalog knows", arguments: rows)
    func promotions(row: Row) {
        var rules = LevelRules(asked: row.asked)
        rules.maxFullInterval = row.maxFull
        rules.maxDifferentialInterval = row.maxDifferential
        rules.rerunsFailedLevels = row.reruns
        rules.ignoresFileSetChanges = row.ignoresChanges
        let choice = chooseLevel(rules, history: row.history, now: WallTime(seconds: 10_000))
        #expect(choice.level == row.level)
        #expect(choice.since?.jobID == row.since)
        #expect(choice.messages.isEmpty == (choice.level == row.asked))
    }

    @Test("The first backup says why it is a Full")
    func firstBackup() {
        let choice = chooseLevel(LevelRules(asked: .incremental), history: Self.history(), now: WallTime(seconds: 10))
        #expect(
            choice.messages == [
                "No prior Full backup Job record found.", "No prior or suitable Full backup found in catalog. Doing FULL backup.",
            ])
    }
}
