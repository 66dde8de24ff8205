// Jobs in the catalog: queued, started, ended, listed.

import GRDB
package import Platform

extension CatalogDatabase {
    /// Adds a job that is queued (status C). The unique name must be free; see `JobName`.
    package func createJob(_ job: JobCreation) throws(CatalogError) -> Int64 {
        try write { db in
            if try Int64.fetchOne(db, sql: "SELECT JobId FROM Job WHERE Job = ?", arguments: [job.uniqueName]) != nil {
                throw CatalogError(.duplicate, "A job named \(job.uniqueName) is in the catalog already.")
            }
            try db.execute(
                sql: """
                    INSERT INTO Job (Job, Name, Type, Level, JobStatus, SchedTime, JobTDate, ClientId, PoolId, FileSetId, PriorJobId, Comment)
                    VALUES (?, ?, ?, ?, 'C', ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    job.uniqueName, job.name, String(job.type), String(job.level), job.scheduled.localText,
                    job.scheduled.seconds, job.clientID, job.poolID, job.fileSetID, job.priorJobID, job.comment,
                ])
            return db.lastInsertedRowID
        }
    }

    /// Notes that the job runs (status R). Call again when the level or pool changes before data flows.
    package func startJob(_ jobID: Int64, _ start: JobStart) throws(CatalogError) {
        try changeJob(
            jobID,
            sql: """
                UPDATE Job SET JobStatus = 'R', Level = ?1, StartTime = ?2, JobTDate = ?3, StartTDate = ?3, ClientId = ?4, PoolId = ?5, FileSetId = ?6
                WHERE JobId = ?7
                """,
            [
                String(start.level), start.started.localText, start.started.seconds, start.clientID, start.poolID,
                start.fileSetID, jobID,
            ])
    }

    /// The storage daemon's session that writes the job.
    package func setSession(_ sessionID: UInt32, _ sessionTime: UInt32, ofJob jobID: Int64) throws(CatalogError) {
        try changeJob(
            jobID, sql: "UPDATE Job SET VolSessionId = ?, VolSessionTime = ? WHERE JobId = ?",
            [Int64(sessionID), Int64(sessionTime), jobID])
    }

    package func setStatus(_ status: Character, ofJob jobID: Int64) throws(CatalogError) {
        try changeJob(jobID, sql: "UPDATE Job SET JobStatus = ? WHERE JobId = ?", [String(status), jobID])
    }

    /// Notes a job's end and removes the dummy JobMedia rows that tied its volumes to it while nothing was written.
    package func endJob(_ jobID: Int64, _ end: JobEnd) throws(CatalogError) {
        try write { db in
            try db.execute(
                sql: """
                    UPDATE Job SET JobStatus = ?, EndTime = ?, RealEndTime = ?, JobTDate = ?, JobFiles = ?, JobBytes = ?,
                        ReadBytes = ?, JobErrors = ?, JobMissingFiles = ?
                    WHERE JobId = ?
                    """,
                arguments: [
                    String(end.status), end.ended.localText, end.ended.localText, end.ended.seconds, end.files,
                    end.bytes,
                    end.readBytes, end.errors, end.missingFiles, jobID,
                ])
            guard db.changesCount == 1 else { throw Self.noSuchJob(jobID) }
            try db.execute(
                sql: "DELETE FROM JobMedia WHERE JobId = ? AND FirstIndex = 0 AND LastIndex = 0", arguments: [jobID])
        }
    }

    package func job(_ jobID: Int64) throws(CatalogError) -> JobRecord? {
        var filter = JobFilter()
        filter.jobIDs = [jobID]
        return try jobs(filter).first
    }

    package func job(named uniqueName: String) throws(CatalogError) -> JobRecord? {
        var filter = JobFilter()
        filter.uniqueName = uniqueName
        return try jobs(filter).first
    }

    /// The jobs that match, by JobId.
    package func jobs(_ filter: JobFilter) throws(CatalogError) -> [JobRecord] {
        try read { db in try Self.jobs(db, filter) }
    }

    static func noSuchJob(_ jobID: Int64) -> CatalogError {
        CatalogError(.notFound, "No job \(jobID) is in the catalog.", remedy: "Look at `list jobs`.")
    }

    private func changeJob(_ jobID: Int64, sql: String, _ arguments: StatementArguments) throws(CatalogError) {
        try write { db in
            try db.execute(sql: sql, arguments: arguments)
            guard db.changesCount == 1 else { throw Self.noSuchJob(jobID) }
        }
    }

    static func jobs(_ db: Database, _ filter: JobFilter) throws -> [JobRecord] {
        var conditions: [String] = []
        var arguments = StatementArguments()
        func require(_ condition: String, _ value: some DatabaseValueConvertible) {
            conditions.append(condition)
            arguments += [value]
        }
        func requireLetter(_ column: String, _ letters: Set<Character>?) {
            guard let letters else { return }
            conditions.append("\(column) IN (\(letters.map { _ in "?" }.joined(separator: ",")))")
            arguments += StatementArguments(letters.sorted().map { String($0) })
        }
        if let ids = filter.jobIDs {
            conditions.append("Job.JobId IN (\(ids.map(String.init).joined(separator: ",")))")
        }
        if let name = filter.uniqueName { require("Job.Job = ?", name) }
        if let name = filter.name { require("Job.Name = ?", name) }
        if let client = filter.client { require("Client.Name = ?", client) }
        if let fileSet = filter.fileSet { require("FileSet.FileSet = ?", fileSet) }
        if let pool = filter.pool { require("Pool.Name = ?", pool) }
        if let volume = filter.volume {
            require("Job.JobId IN (SELECT JobId FROM JobMedia JOIN Media USING (MediaId) WHERE VolumeName = ?)", volume)
        }
        if let since = filter.since { require("coalesce(StartTime, SchedTime) >= ?", since.localText) }
        if let before = filter.before { require("coalesce(StartTime, SchedTime) < ?", before.localText) }
        requireLetter("Job.Type", filter.types)
        requireLetter("Job.Level", filter.levels)
        requireLetter("Job.JobStatus", filter.statuses)
        var sql = JobRecord.selection
        if !conditions.isEmpty { sql += " WHERE " + conditions.joined(separator: " AND ") }
        sql += " ORDER BY Job.JobId" + (filter.newestFirst || filter.limit > 0 ? " DESC" : "")
        if filter.limit > 0 { sql += " LIMIT \(filter.limit)" }
        let found = try Row.fetchAll(db, sql: sql, arguments: arguments).map(JobRecord.init)
        return filter.limit > 0 && !filter.newestFirst ? found.reversed() : found
    }
}

extension JobRecord {
    static let selection = """
        SELECT Job.*, Client.Name AS ClientName, Pool.Name AS PoolName, FileSet.FileSet AS FileSetName FROM Job
        LEFT JOIN Client USING (ClientId) LEFT JOIN Pool USING (PoolId) LEFT JOIN FileSet USING (FileSetId)
        """

    init(_ row: Row) {
        jobID = row["JobId"]
        uniqueName = row["Job"]
        name = row["Name"]
        type = (row["Type"] as String).first ?? " "
        level = (row["Level"] as String).first ?? " "
        status = (row["JobStatus"] as String).first ?? " "
        clientID = row["ClientId"]
        client = row["ClientName"] ?? ""
        poolID = row["PoolId"]
        pool = row["PoolName"] ?? ""
        fileSetID = row["FileSetId"]
        fileSet = row["FileSetName"] ?? ""
        scheduled = row.time("SchedTime")
        startSeconds = row["StartTDate"]
        // The text is local time, of which an hour comes twice a year; the seconds are exact.
        started = startSeconds != 0 ? WallTime(seconds: startSeconds) : row.time("StartTime")
        ended = row.time("EndTime")
        realEnd = row.time("RealEndTime")
        date = row["JobTDate"]
        sessionID = UInt32(truncatingIfNeeded: row["VolSessionId"] as Int64)
        sessionTime = UInt32(truncatingIfNeeded: row["VolSessionTime"] as Int64)
        files = row["JobFiles"]
        bytes = row["JobBytes"]
        readBytes = row["ReadBytes"]
        errors = row["JobErrors"]
        missingFiles = row["JobMissingFiles"]
        priorJobID = row["PriorJobId"]
        filesArePurged = row["PurgedFiles"]
        comment = row["Comment"] ?? ""
    }
}

extension Row {
    /// A `YYYY-MM-DD HH:MM:SS` column in local time; nil for NULL, `0` and the empty text that mean never.
    func time(_ column: String) -> WallTime? { (self[column] as String?).flatMap { WallTime(localText: $0) } }
}

// MARK: - Names

/// Unique names of jobs (bacula-wire 9.1).
package enum JobName {
    /// `Backup.2026-11-21_03.00.00_07`: the resource's name with spaces as `_`, local time, a counter 0…59 of the process.
    /// At most 127 bytes: the resource's name is cut off to fit.
    package static func unique(for resource: String, at time: WallTime, counter: Int) -> String {
        let suffix =
            "." + time.formatted("%Y-%m-%d_%H.%M.%S", local: true) + "_" + (counter % 60 < 10 ? "0" : "")
            + "\(counter % 60)"
        var name = ""
        for character in resource where name.utf8.count + character.utf8.count + suffix.utf8.count <= 127 {
            name.append(character == " " ? "_" : character)
        }
        return name + suffix
    }

    /// The resource's name in a unique name: without the last three fields between dots.
    package static func resource(of uniqueName: String) -> String {
        let fields = uniqueName.split(separator: ".", omittingEmptySubsequences: false)
        return fields.count > 3 ? fields.dropLast(3).joined(separator: ".") : uniqueName
    }
}
