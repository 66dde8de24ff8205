// Tables for the console's `list` and `llist`, with Bacula's columns, and an operator's own SQL.

import GRDB
import Platform

/// What `list` can show (bacula-wire 7.7).
package enum Listing: Sendable {
    case jobs(JobFilter), volumes(pool: String?), pools, clients, fileSets, storages
    case jobMedia(jobID: Int64?), files(jobID: Int64), jobLog(jobID: Int64), jobTotals, counters
}

extension CatalogDatabase {
    /// The rows of `list`, or with `long` of `llist`.
    package func list(_ listing: Listing, long: Bool = false) throws(CatalogError) -> ResultTable {
        try read { db in
            switch listing {
            case .jobs(let filter):
                let jobs = try Self.jobs(db, filter).map(\.jobID)
                let table = try Self.table(
                    db,
                    long
                        ? """
                        SELECT JobId, Job, Job.Name, PurgedFiles, Type, Level, Job.ClientId, Client.Name AS ClientName, JobStatus,
                            SchedTime, StartTime, EndTime, RealEndTime, JobTDate, VolSessionId, VolSessionTime, JobFiles, JobBytes,
                            ReadBytes, JobErrors, JobMissingFiles, Job.PoolId, Pool.Name AS PoolName, PriorJobId, Job.FileSetId,
                            FileSet, HasBase, HasCache, Comment
                        FROM Job LEFT JOIN Client USING (ClientId) LEFT JOIN Pool USING (PoolId) LEFT JOIN FileSet USING (FileSetId)
                        WHERE JobId IN (\(jobs.map(String.init).joined(separator: ",")))
                        ORDER BY JobId\(filter.newestFirst ? " DESC" : "")
                        """
                        : """
                        SELECT JobId, Name, StartTime, Type, Level, JobFiles, JobBytes, JobStatus FROM Job
                        WHERE JobId IN (\(jobs.map(String.init).joined(separator: ",")))
                        ORDER BY JobId\(filter.newestFirst ? " DESC" : "")
                        """)
                return table
            case .volumes(let pool):
                let columns =
                    long
                    ? "Media.*, Pool.Name AS PoolName"
                    : """
                    MediaId, VolumeName, VolStatus, Media.Enabled, VolBytes, VolFiles, Media.VolRetention, Media.Recycle, Slot,
                    InChanger, MediaType, VolType, VolParts, LastWritten,
                    CASE WHEN LastWritten IS NULL THEN 0 ELSE max(0, CAST(strftime('%s', LastWritten, 'utc') AS INTEGER)
                        + Media.VolRetention - CAST(strftime('%s', 'now') AS INTEGER)) END AS ExpiresIn
                    """
                return try Self.table(
                    db,
                    "SELECT \(columns) FROM Media LEFT JOIN Pool USING (PoolId) WHERE ?1 IS NULL OR Pool.Name = ?1 ORDER BY MediaId",
                    [pool])
            case .pools:
                return try Self.table(
                    db,
                    long
                        ? "SELECT * FROM Pool ORDER BY PoolId"
                        : """
                        SELECT PoolId, Name, NumVols, MaxVols, MaxVolBytes, VolRetention, Enabled, PoolType, LabelFormat
                        FROM Pool ORDER BY PoolId
                        """)
            case .clients:
                let columns =
                    long
                    ? "ClientId, Name, Uname, AutoPrune, FileRetention, JobRetention"
                    : "ClientId, Name, FileRetention, JobRetention"
                return try Self.table(db, "SELECT \(columns) FROM Client ORDER BY ClientId")
            case .fileSets:
                return try Self.table(db, "SELECT FileSetId, FileSet, MD5, CreateTime FROM FileSet ORDER BY FileSetId")
            case .storages:
                return try Self.table(db, "SELECT StorageId, Name, AutoChanger FROM Storage ORDER BY StorageId")
            case .jobMedia(let jobID):
                let columns =
                    long
                    ? "JobMediaId, JobId, Media.MediaId, VolumeName, FirstIndex, LastIndex, StartFile, JobMedia.EndFile, StartBlock, JobMedia.EndBlock, VolIndex"
                    : "JobId, VolumeName, FirstIndex, LastIndex"
                return try Self.table(
                    db,
                    """
                    SELECT \(columns) FROM JobMedia JOIN Media USING (MediaId) WHERE ?1 IS NULL OR JobId = ?1
                    ORDER BY JobId, VolIndex
                    """, [jobID])
            case .files(let jobID):
                let range = FileStorage.fileIDs(ofJob: jobID)
                return try Self.table(
                    db,
                    """
                    SELECT Path || Name AS Filename FROM FileEntry JOIN StatShape USING (ShapeId) JOIN Path USING (PathId)
                    WHERE FileId BETWEEN ? AND ? AND Deleted = 0 ORDER BY FileId
                    """, [range.lowerBound, range.upperBound])
            case .jobLog(let jobID):
                return try Self.table(
                    db, "SELECT \(long ? "Time, LogText" : "LogText") FROM Log WHERE JobId = ? ORDER BY LogId", [jobID])
            case .jobTotals:
                return try Self.table(
                    db,
                    """
                    SELECT count(*) AS Jobs, coalesce(sum(JobFiles), 0) AS Files, coalesce(sum(JobBytes), 0) AS Bytes, Name AS Job
                    FROM Job GROUP BY Name ORDER BY Name
                    """)
            case .counters:
                return try Self.table(
                    db, "SELECT Counter, MinValue, MaxValue, CurrentValue, WrapCounter FROM Counters ORDER BY Counter")
            }
        }
    }

    /// Runs one statement that only reads, for an operator. At most 100,000 rows.
    /// - Throws: `.query` with SQLite's words for what is wrong.
    package func query(_ sql: String) throws(CatalogError) -> ResultTable {
        do {
            // Reader connections refuse whatever would change the file.
            return try pool.read { db in try Self.table(db, sql, rowsMax: Self.queriedRowsMax) }
        } catch let error as DatabaseError where error.resultCode != .SQLITE_CORRUPT && error.resultCode != .SQLITE_BUSY {
            throw CatalogError(
                .query, "The query failed: \(error.message ?? "SQLite error \(error.resultCode.rawValue)").")
        } catch {
            throw CatalogError(error, path: path)
        }
    }

    static let queriedRowsMax = 100_000

    private static func table(
        _ db: Database, _ sql: String, _ arguments: StatementArguments = [], rowsMax: Int = .max
    ) throws -> ResultTable {
        let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
        var table = ResultTable(columns: rows.columnNames, rows: [])
        while table.rows.count < rowsMax, let row = try rows.next() {
            table.rows.append(row.databaseValues.map { text(of: $0) })
        }
        return table
    }

    /// What a report shows; bytes that aren't UTF-8 are replaced.
    private static func text(of value: DatabaseValue) -> String? {
        switch value.storage {
        case .null: nil
        case .int64(let number): String(number)
        case .double(let number): String(number)
        case .string(let text): text
        case .blob(let bytes): Digest.hexadecimal(Array(bytes))
        }
    }
}
