// Forgetting: files, jobs and volumes leave the catalog.
//
// Paths and stat shapes stay when their last file goes: they are few, and the next backup needs nearly all of them again.

import GRDB

extension CatalogDatabase {
    /// Removes a job's file rows; it can still be restored as a whole. Jobs that run or wait are refused.
    package func purgeFiles(ofJob jobID: Int64) throws(CatalogError) {
        try write { db in
            try Self.requireEnded(db, jobID)
            try Self.removeFiles(db, jobID)
            try db.execute(sql: "UPDATE Job SET PurgedFiles = 1 WHERE JobId = ?", arguments: [jobID])
        }
    }

    /// Removes a job and everything that hangs on it: files, JobMedia, log. Jobs that run or wait are refused.
    package func deleteJob(_ jobID: Int64) throws(CatalogError) {
        try write { db in
            try Self.requireEnded(db, jobID)
            try Self.removeJob(db, jobID)
        }
    }

    /// Removes every job that has data on the volume, sets the volume Purged and moves it to its pool's RecyclePool where
    /// there is one. Refused while one of the jobs runs.
    /// - Returns: The jobs removed.
    package func purgeVolume(_ name: String) throws(CatalogError) -> [Int64] {
        try write { db in
            guard let volume = try Self.volume(db, named: name) else { throw Self.noSuchVolume(name) }
            let jobs = try Self.removeJobs(db, on: volume)
            try Self.markPurged(db, volume)
            return jobs
        }
    }

    /// Removes the volume and every job that has data on it.
    /// - Returns: The jobs removed.
    package func deleteVolume(_ name: String) throws(CatalogError) -> [Int64] {
        try write { db in
            guard let volume = try Self.volume(db, named: name) else { throw Self.noSuchVolume(name) }
            let jobs = try Self.removeJobs(db, on: volume)
            try db.execute(sql: "DELETE FROM Media WHERE MediaId = ?", arguments: [volume.mediaID])
            try Self.countVolumes(db)
            return jobs
        }
    }

    /// Sets a Full, Used, Append or Error volume Purged if no JobMedia row is left on it: after pruning.
    /// - Returns: Whether it is Purged now.
    package func markPurgedIfEmpty(_ name: String) throws(CatalogError) -> Bool {
        try write { db in
            guard let volume = try Self.volume(db, named: name) else { throw Self.noSuchVolume(name) }
            if volume.status == .purged { return true }
            let rows =
                try Int.fetchOne(
                    db, sql: "SELECT count(*) FROM JobMedia WHERE MediaId = ?", arguments: [volume.mediaID]) ?? 0
            guard rows == 0, [.full, .used, .append, .error].contains(volume.status) else { return false }
            try Self.markPurged(db, volume)
            return true
        }
    }

    /// Removes a pool that has no volumes.
    package func deletePool(_ name: String) throws(CatalogError) {
        try write { db in
            guard let pool = try Self.pool(db, named: name) else {
                throw CatalogError(.notFound, "No pool \"\(name)\" is in the catalog.", remedy: "Look at `list pools`.")
            }
            let volumes =
                try Int.fetchOne(db, sql: "SELECT count(*) FROM Media WHERE PoolId = ?", arguments: [pool.poolID]) ?? 0
            guard volumes == 0 else {
                throw CatalogError(
                    .invalid, "Pool \"\(name)\" has \(volumes) volumes.",
                    remedy: "Delete them or move them to another pool first.")
            }
            try db.execute(sql: "DELETE FROM Pool WHERE PoolId = ?", arguments: [pool.poolID])
        }
    }

    // MARK: - Steps

    private static func requireEnded(_ db: Database, _ jobID: Int64) throws {
        guard let status = try String.fetchOne(db, sql: "SELECT JobStatus FROM Job WHERE JobId = ?", arguments: [jobID])
        else {
            throw noSuchJob(jobID)
        }
        guard ["T", "W", "E", "e", "f", "D", "A", "I"].contains(status) else {
            throw CatalogError(.invalid, "Job \(jobID) has not ended.", remedy: "Cancel it or wait for it.")
        }
    }

    private static func removeJobs(_ db: Database, on volume: MediaRecord) throws -> [Int64] {
        let jobs = try Int64.fetchAll(
            db, sql: "SELECT DISTINCT JobId FROM JobMedia WHERE MediaId = ? ORDER BY JobId", arguments: [volume.mediaID]
        )
        for job in jobs {
            // A row without a job can only be left over; it goes too.
            if try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM Job WHERE JobId = ?)", arguments: [job])! {
                try requireEnded(db, job)
            }
            try removeJob(db, job)
        }
        return jobs
    }

    private static func removeJob(_ db: Database, _ jobID: Int64) throws {
        try removeFiles(db, jobID)
        for table in ["JobMedia", "Log", "RestoreObject", "BaseFiles", "UnsavedFiles", "Job"] {
            try db.execute(sql: "DELETE FROM \(table) WHERE JobId = ?", arguments: [jobID])
        }
    }

    private static func removeFiles(_ db: Database, _ jobID: Int64) throws {
        let range = FileStorage.fileIDs(ofJob: jobID)
        for table in ["FileEntry", "FileExtra"] {
            try db.execute(
                sql: "DELETE FROM \(table) WHERE FileId BETWEEN ? AND ?",
                arguments: [range.lowerBound, range.upperBound])
        }
        try db.execute(sql: "DELETE FROM FileRun WHERE JobId = ?", arguments: [jobID])
    }

    private static func markPurged(_ db: Database, _ volume: MediaRecord) throws {
        var purged = volume
        purged.status = .purged
        let pool =
            try Int64.fetchOne(db, sql: "SELECT RecyclePoolId FROM Pool WHERE PoolId = ?", arguments: [volume.poolID])
            ?? 0
        let target = volume.recyclePoolID > 0 ? volume.recyclePoolID : pool
        if target > 0 { purged.poolID = target }
        try purged.update(db)
        try countVolumes(db)
    }
}
