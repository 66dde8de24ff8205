// The log of jobs, and what is left over from a director that didn't end cleanly.

import GRDB
package import Platform

extension CatalogDatabase {
    /// Adds a line to a job's log. `text` is stored as it is.
    package func appendLog(jobID: Int64, _ text: String, at time: WallTime = .now) throws(CatalogError) {
        try write { db in try Self.appendLog(db, jobID: jobID, text, at: time) }
    }

    static func appendLog(_ db: Database, jobID: Int64, _ text: String, at time: WallTime) throws {
        try db.execute(
            sql: "INSERT INTO Log (JobId, Time, LogText) VALUES (?, ?, ?)", arguments: [jobID, time.localText, text])
    }

    package func log(ofJob jobID: Int64) throws(CatalogError) -> [LogRecord] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM Log WHERE JobId = ? ORDER BY LogId", arguments: [jobID]).map {
                row in
                LogRecord(logID: row["LogId"], jobID: row["JobId"], time: row.time("Time"), text: row["LogText"])
            }
        }
    }

    /// Marks jobs that a dead director left queued or running as failed (`f`), with a line in their log. Call once, before
    /// any job of this process is created.
    /// - Returns: Those jobs, as they were.
    package func failUnfinishedJobs(now: WallTime = .now) throws(CatalogError) -> [JobRecord] {
        try write { db in
            let unfinished = try Row.fetchAll(
                db,
                sql: JobRecord.selection + """
                     WHERE Job.JobStatus NOT IN ('T', 'W', 'E', 'e', 'f', 'D', 'A', 'I') ORDER BY JobId
                    """
            ).map(JobRecord.init)
            for job in unfinished {
                try db.execute(
                    sql: """
                        UPDATE Job SET JobStatus = 'f', EndTime = ?1, RealEndTime = ?1, JobTDate = ?2, JobErrors = JobErrors + 1
                        WHERE JobId = ?3
                        """, arguments: [now.localText, now.seconds, job.jobID])
                try db.execute(
                    sql: "DELETE FROM JobMedia WHERE JobId = ? AND FirstIndex = 0 AND LastIndex = 0",
                    arguments: [job.jobID])
                let state = job.status == "C" ? "queued" : "running"
                try Self.appendLog(
                    db, jobID: job.jobID, "Fatal error: the director ended while this job was \(state). Run it again.",
                    at: now)
            }
            return unfinished
        }
    }
}
