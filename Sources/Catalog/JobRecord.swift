// The Job table's rows, and what the director says when a job is queued, starts and ends.

package import Platform

/// A row of Job, with the names behind its keys. Letters are those of the catalog: type `B`, level `F`, status `T`.
package struct JobRecord: Sendable, Hashable {
    package var jobID: Int64
    /// `Backup.2026-11-21_03.00.00_07`
    package var uniqueName: String
    /// Name of the Job resource.
    package var name: String
    package var type: Character
    /// A space where the type has no levels.
    package var level: Character
    package var status: Character
    package var clientID: Int64
    /// Empty where the job has no client, or its row is gone.
    package var client: String
    package var poolID: Int64
    package var pool: String
    package var fileSetID: Int64
    package var fileSet: String
    package var scheduled: WallTime?
    package var started: WallTime?
    /// `started` in Unix seconds; 0 while it is queued.
    var startSeconds: Int64
    package var ended: WallTime?
    package var realEnd: WallTime?
    /// Unix time that retention and the order of jobs count from: the end, once it has ended.
    package var date: Int64
    package var sessionID: UInt32
    package var sessionTime: UInt32
    package var files: Int64
    package var bytes: Int64
    package var readBytes: Int64
    package var errors: Int64
    package var missingFiles: Int64
    package var priorJobID: Int64
    /// Its file rows have been pruned: the whole job can be restored, single files can't.
    package var filesArePurged: Bool
    package var comment: String

    /// Ended, and what it wrote can be restored.
    package var isUsable: Bool { status == "T" || status == "W" }
}

/// A job as it is queued: status C.
package struct JobCreation: Sendable {
    package var uniqueName: String
    package var name: String
    package var type: Character
    package var level: Character
    package var scheduled: WallTime
    package var clientID: Int64 = 0
    package var poolID: Int64 = 0
    package var fileSetID: Int64 = 0
    package var priorJobID: Int64 = 0
    package var comment: String = ""
    package init(uniqueName: String, name: String, type: Character, level: Character, scheduled: WallTime) {
        self.uniqueName = uniqueName
        self.name = name
        self.type = type
        self.level = level
        self.scheduled = scheduled
    }
}

/// What is known when a job starts: status R.
package struct JobStart: Sendable {
    package var started: WallTime
    package var level: Character
    package var clientID: Int64 = 0
    package var poolID: Int64 = 0
    package var fileSetID: Int64 = 0
    package init(started: WallTime, level: Character) {
        self.started = started
        self.level = level
    }
}

/// What is known when a job ends.
package struct JobEnd: Sendable {
    /// A final letter: T, W, E, e, f, D, A, I.
    package var status: Character
    package var ended: WallTime
    package var files: Int64 = 0
    package var bytes: Int64 = 0
    package var readBytes: Int64 = 0
    package var errors: Int64 = 0
    package var missingFiles: Int64 = 0
    package init(status: Character, ended: WallTime) {
        self.status = status
        self.ended = ended
    }
}

/// Which jobs to list. Everything given must match.
package struct JobFilter: Sendable {
    package var jobIDs: [Int64]?
    package var uniqueName: String?
    package var name: String?
    package var client: String?
    package var fileSet: String?
    package var pool: String?
    package var volume: String?
    package var types: Set<Character>?
    package var levels: Set<Character>?
    package var statuses: Set<Character>?
    /// StartTime (SchedTime while it is queued) at or after, before.
    package var since: WallTime?
    package var before: WallTime?
    package var newestFirst = false
    /// The newest so many, in the order asked for; 0 is all.
    package var limit = 0
    package init() {}
}
