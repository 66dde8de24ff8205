// Which level a backup really runs at, and which job it builds on (bacula-wire 9.4). Pure.

import Catalog
import Platform

/// What the choice depends on besides the history.
struct LevelRules: Sendable {
    var asked: JobLevel
    var ignoresFileSetChanges = false
    var maxFullInterval: Duration = .zero
    var maxDifferentialInterval: Duration = .zero
    var rerunsFailedLevels = false
}

/// The level to run, the job it counts from, and lines for the log that explain a promotion.
struct LevelChoice: Sendable, Equatable {
    var level: JobLevel
    /// For Incremental and Differential: the job whose start is the since-time.
    var since: JobRecord?
    var messages: [String]
}

func chooseLevel(_ rules: LevelRules, history: BackupHistory, now: WallTime) -> LevelChoice {
    guard rules.asked == .incremental || rules.asked == .differential || rules.asked == .since else {
        return LevelChoice(level: rules.asked, since: nil, messages: [])
    }
    func full(_ messages: String...) -> LevelChoice { LevelChoice(level: .full, since: nil, messages: messages) }
    guard let lastFull = history.full else {
        if history.fileSetChanged, !rules.ignoresFileSetChanges {
            return full(
                "The FileSet was changed since the last Full backup.",
                "No prior or suitable Full backup found in catalog for the current FileSet. Doing FULL backup.")
        }
        return full(
            "No prior Full backup Job record found.", "No prior or suitable Full backup found in catalog. Doing FULL backup.")
    }
    func isOlder(_ record: JobRecord, than limit: Duration) -> Bool {
        guard limit > .zero, let started = record.started else { return false }
        return Duration.nanoseconds(now.nanoseconds - started.nanoseconds) > limit
    }
    if isOlder(lastFull, than: rules.maxFullInterval) {
        return full("The last Full backup (JobId \(lastFull.jobID)) is older than Max Full Interval. Doing FULL backup.")
    }
    if rules.rerunsFailedLevels, history.failedLevel == "F" {
        return full("The last Full backup failed and Rerun Failed Levels is set. Doing FULL backup.")
    }
    if rules.asked == .differential { return LevelChoice(level: .differential, since: lastFull, messages: []) }
    if rules.rerunsFailedLevels, history.failedLevel == "D" {
        return LevelChoice(
            level: .differential, since: lastFull,
            messages: ["The last Differential backup failed and Rerun Failed Levels is set. Doing DIFFERENTIAL backup."])
    }
    if isOlder(history.differential ?? lastFull, than: rules.maxDifferentialInterval) {
        return LevelChoice(
            level: .differential, since: lastFull,
            messages: ["The last Differential backup is older than Max Diff Interval. Doing DIFFERENTIAL backup."])
    }
    return LevelChoice(level: .incremental, since: history.newest ?? lastFull, messages: [])
}
