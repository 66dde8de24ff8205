// An order to run a job once: what a console (later: a schedule) hands to the queue.

package import Platform

/// Key of the Job table.
package typealias JobID = Int64

/// A run of a Job resource, with what the operator changed. Names that are nil come from the resource.
package struct JobRequest: Sendable {
    /// Name of the Job resource.
    package var job: String
    package var level: JobLevel?
    package var client: String?
    package var fileSet: String?
    package var storage: String?
    package var pool: String?
    package var nextPool: String?
    package var messages: String?
    package var priority: Int?
    /// Not before; nil is now.
    package var when: WallTime?
    package var accurate: Bool?
    package var spoolData: Bool?
    package var comment: String
    /// For a Verify: the job to compare with, where it isn't the newest of VerifyJob.
    package var verifyJobID: JobID?
    /// For a Restore.
    package var restore: RestoreOrder?
    /// Who ordered it, for the log: `console *UserAgent*`.
    package var origin: String

    package init(job: String, level: JobLevel? = nil, comment: String = "", origin: String = "console") {
        self.job = job
        self.level = level
        self.comment = comment
        self.origin = origin
    }
}

/// What a restore job reads and where it writes.
package struct RestoreOrder: Sendable {
    /// Text of the bootstrap (bacula-wire 6.9), one unit per volume and range, with Storage lines.
    package var bootstrap: String
    /// Files that the operator selected; the job is complete when so many were restored.
    package var filesExpected: Int64
    package var bytesExpected: Int64
    /// nil: the Job resource's Where.
    package var whereDirectory: String?
    /// File relocation expressions; used instead of `where`.
    package var regexWhere: String?
    /// `always`, `ifnewer`, `ifolder`, `never`; nil: the resource's Replace.
    package var replace: String?
    package var prefixLinks: Bool
    /// Client that the files go to; nil: the request's client.
    package var restoreClient: String?
    /// The jobs that are restored, for the report.
    package var jobIDs: [JobID]

    package init(bootstrap: String, filesExpected: Int64, bytesExpected: Int64 = 0, whereDirectory: String? = nil) {
        self.bootstrap = bootstrap
        self.filesExpected = filesExpected
        self.bytesExpected = bytesExpected
        self.whereDirectory = whereDirectory
        prefixLinks = false
        jobIDs = []
    }
}

/// A queued or running job at one moment, for listings and progress bars.
package struct RunningJob: Sendable {
    package var jobID: JobID
    /// `Name.2026-11-21_03.00.00_07`
    package var uniqueName: String
    /// Name of the Job resource.
    package var name: String
    package var type: JobType
    package var level: JobLevel
    package var status: JobStatus
    package var priority: Int
    package var client: String
    package var storage: String
    package var pool: String
    package var fileSet: String
    package var scheduled: WallTime
    /// nil while it is queued.
    package var started: WallTime?
    /// nil while it is queued or running.
    package var ended: WallTime?
    package var files: Int64
    package var bytes: Int64
    package var errors: Int64
    /// Bytes per second over the last few seconds.
    package var rate: Int64
    /// From the previous job of this level, or a restore's selection; nil where nothing is known.
    package var filesExpected: Int64?
    package var bytesExpected: Int64?
    /// The volume being written or read, where it is known.
    package var volume: String
    /// What keeps a queued job waiting, or what a running one needs: `Storage "File1" has 2 of 2 jobs`.
    package var reason: String
    package var cancelRequested: Bool
}

/// What became of an order to cancel.
package enum CancelOutcome: Sendable {
    /// It was queued and is gone.
    case dequeued
    /// It is running; the daemons are being told.
    case requested
    /// No such job is queued or running.
    case notActive
}
