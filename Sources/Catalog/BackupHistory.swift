// Which jobs a restore or an incremental stands on (bacula-wire 9.4).
//
// Jobs are compared by Unix seconds: StartTDate, a column of ours, and JobTDate, which is the end of an ended job. The
// local texts beside them repeat an hour every autumn, and a chain must not lose an incremental to that.

import GRDB
package import Platform

/// What a new job's level and since-time are decided from.
package struct BackupHistory: Sendable, Hashable {
    /// The newest usable full; then the newest differential started after its end; then all incrementals started after
    /// the end of the latest of these.
    package var full: JobRecord?
    package var differential: JobRecord?
    package var incrementals: [JobRecord] = []
    /// Level of a full or differential that failed after the newest usable job, the higher one of several: what
    /// ReRunFailedLevels upgrades to.
    package var failedLevel: Character?
    /// There is no full of this definition of the FileSet, but one of another definition: the FileSet was changed.
    package var fileSetChanged = false

    /// Full, differential, incrementals: what a restore reads, oldest first.
    package var chain: [JobRecord] { [full, differential].compactMap { $0 } + incrementals }
    /// The job whose start an incremental counts from. A differential counts from the start of `full`.
    package var newest: JobRecord? { chain.last }
}

extension CatalogDatabase {
    /// The history that decides level and since-time of the next backup. Jobs count when their status is T or W and they
    /// belong to the same Job resource, client and FileSet definition.
    ///
    /// - Parameters:
    ///   - fileSetID: Of the FileSet as it is defined now.
    ///   - ignoringFileSetChanges: Take any definition of that FileSet's name (Ignore FileSet Changes).
    package func history(
        job name: String, clientID: Int64, fileSetID: Int64, ignoringFileSetChanges: Bool = false,
        before: WallTime? = nil
    ) throws(CatalogError) -> BackupHistory {
        try read { db in
            let sameName =
                "Job.FileSetId IN (SELECT b.FileSetId FROM FileSet AS a JOIN FileSet AS b ON a.FileSet = b.FileSet WHERE a.FileSetId = \(fileSetID))"
            let scope = Scope(
                conditions: "Job.Name = ? AND Job.ClientId = \(clientID) AND "
                    + (ignoringFileSetChanges ? sameName : "Job.FileSetId = \(fileSetID)"),
                arguments: [name], before: before)
            var history = try Self.chain(db, scope)
            if history.full == nil, !ignoringFileSetChanges {
                let anyDefinition = Scope(
                    conditions: "Job.Name = ? AND Job.ClientId = \(clientID) AND \(sameName)", arguments: [name],
                    before: before)
                history.fileSetChanged = try Self.newest(db, anyDefinition, level: "F", after: nil) != nil
            }
            let since = history.newest?.startSeconds ?? Int64.min
            let failed = try String.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT Level FROM Job WHERE \(scope.conditions) AND Type = 'B' AND Level IN ('F', 'D')
                        AND JobStatus IN ('E', 'f', 'A', 'I', 'e') AND StartTDate > ?
                    """, arguments: scope.arguments + [since])
            history.failedLevel = failed.contains("F") ? "F" : failed.first?.first
            return history
        }
    }

    /// The jobs to restore for the most recent backup of a client, or for the one as of `before`: full, differential,
    /// incrementals, oldest first. Empty where there is no full.
    ///
    /// - Parameters:
    ///   - fileSet: Name of the FileSet; any definition of it.
    ///   - before: Only jobs that started before.
    ///   - pool: Only jobs written to this pool.
    package func restoreChain(
        client: String, fileSet: String, before: WallTime? = nil, pool: String? = nil
    ) throws(CatalogError) -> [JobRecord] {
        try read { db in
            var scope = Scope(
                conditions: "Client.Name = ? AND FileSet.FileSet = ?", arguments: [client, fileSet], before: before)
            if let pool {
                scope.conditions += " AND Pool.Name = ?"
                scope.arguments += [pool]
            }
            return try Self.chain(db, scope).chain
        }
    }

    /// FileSet names of which the client has a usable full backup: the choices of a restore.
    package func restorableFileSets(client: String) throws(CatalogError) -> [String] {
        try read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT FileSet.FileSet FROM Job JOIN Client USING (ClientId) JOIN FileSet USING (FileSetId)
                    WHERE Client.Name = ? AND Type = 'B' AND Level = 'F' AND JobStatus IN ('T', 'W') ORDER BY 1
                    """, arguments: [client])
        }
    }

    /// Which jobs may be part of a chain.
    private struct Scope {
        var conditions: String
        var arguments: StatementArguments
        var before: WallTime?
    }

    private static func chain(_ db: Database, _ scope: Scope) throws -> BackupHistory {
        var history = BackupHistory()
        history.full = try newest(db, scope, level: "F", after: nil)
        guard let full = history.full else { return history }
        history.differential = try newest(db, scope, level: "D", after: full)
        history.incrementals = try usable(db, scope, level: "I", after: history.differential ?? full)
        return history
    }

    private static func newest(_ db: Database, _ scope: Scope, level: String, after base: JobRecord?) throws
        -> JobRecord?
    {
        try usable(db, scope, level: level, after: base, newestOnly: true).first
    }

    /// Usable backups of a level that started after the end of `base`. In the very second of its end the order of
    /// JobIds decides.
    private static func usable(
        _ db: Database, _ scope: Scope, level: String, after base: JobRecord?, newestOnly: Bool = false
    ) throws -> [JobRecord] {
        var sql =
            JobRecord.selection + " WHERE \(scope.conditions) AND Type = 'B' AND Level = ? AND JobStatus IN ('T', 'W')"
        var arguments = scope.arguments + [level]
        if let base {
            sql += " AND (StartTDate > ? OR StartTDate = ? AND JobId > ?)"
            arguments += [base.date, base.date, base.jobID]
        }
        if let before = scope.before {
            sql += " AND StartTDate < ?"
            arguments += [before.seconds]
        }
        sql += newestOnly ? " ORDER BY StartTDate DESC, JobId DESC LIMIT 1" : " ORDER BY JobTDate, JobId"
        return try Row.fetchAll(db, sql: sql, arguments: arguments).map(JobRecord.init)
    }
}
