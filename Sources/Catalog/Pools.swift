// Pools: the configuration's, as the catalog remembers them.

import GRDB

extension CatalogDatabase {
    /// Creates or updates all pools of the configuration in one transaction, resolving the names of scratch, recycle and
    /// next pools among them. Pools that the configuration no longer has stay: their volumes still belong to them.
    /// - Returns: PoolId by name.
    package func syncPools(_ pools: [PoolRecord]) throws(CatalogError) -> [String: Int64] {
        try write { db in
            for pool in pools {
                try db.execute(
                    sql: """
                        INSERT INTO Pool (Name, PoolType) VALUES (?, ?) ON CONFLICT (Name) DO NOTHING
                        """, arguments: [pool.name, pool.type])
            }
            for pool in pools {
                try db.execute(
                    sql: """
                        UPDATE Pool SET PoolType = :type, LabelFormat = :format, LabelType = :labelType, MaxVols = :volumesMax,
                            UseOnce = :once, UseCatalog = :useCatalog, AutoPrune = :autoPrune, Recycle = :recycle,
                            ActionOnPurge = :action, VolRetention = :retention, CacheRetention = :cache,
                            VolUseDuration = :duration, MaxVolJobs = :jobs, MaxVolFiles = :files, MaxVolBytes = :bytes,
                            Enabled = :enabled, MigrationTime = :migrationTime, MigrationHighBytes = :high, MigrationLowBytes = :low,
                            ScratchPoolId = coalesce((SELECT p.PoolId FROM Pool AS p WHERE p.Name = :scratch), 0),
                            RecyclePoolId = coalesce((SELECT p.PoolId FROM Pool AS p WHERE p.Name = :recyclePool), 0),
                            NextPoolId = coalesce((SELECT p.PoolId FROM Pool AS p WHERE p.Name = :next), 0)
                        WHERE Name = :name
                        """,
                    arguments: [
                        "type": pool.type, "format": pool.labelFormat, "labelType": pool.labelType,
                        "volumesMax": pool.volumesMax,
                        "once": pool.useOnce, "useCatalog": pool.useCatalog, "autoPrune": pool.autoPrune,
                        "recycle": pool.recycle,
                        "action": pool.actionOnPurge, "retention": pool.volumeRetention, "cache": pool.cacheRetention,
                        "duration": pool.useDuration, "jobs": pool.jobsMax, "files": pool.filesMax,
                        "bytes": pool.bytesMax,
                        "enabled": pool.enabled, "migrationTime": pool.migrationTime, "high": pool.migrationHighBytes,
                        "low": pool.migrationLowBytes, "scratch": pool.scratchPool, "recyclePool": pool.recyclePool,
                        "next": pool.nextPool, "name": pool.name,
                    ])
            }
            var ids: [String: Int64] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT PoolId, Name FROM Pool") { ids[row["Name"]] = row["PoolId"] }
            return ids
        }
    }

    package func pools() throws(CatalogError) -> [PoolRecord] {
        try read { db in try Row.fetchAll(db, sql: PoolRecord.selection + " ORDER BY p.PoolId").map(PoolRecord.init) }
    }

    package func pool(named name: String) throws(CatalogError) -> PoolRecord? {
        try read { db in try Self.pool(db, named: name) }
    }

    package func pool(_ poolID: Int64) throws(CatalogError) -> PoolRecord? {
        try read { db in
            try Row.fetchOne(db, sql: PoolRecord.selection + " WHERE p.PoolId = ?", arguments: [poolID]).map(
                PoolRecord.init)
        }
    }

    static func pool(_ db: Database, named name: String) throws -> PoolRecord? {
        try Row.fetchOne(db, sql: PoolRecord.selection + " WHERE p.Name = ?", arguments: [name]).map(PoolRecord.init)
    }

    /// Brings NumVols up to date after volumes have come, gone or moved.
    static func countVolumes(_ db: Database) throws {
        try db.execute(
            sql: "UPDATE Pool SET NumVols = (SELECT count(*) FROM Media WHERE Media.PoolId = Pool.PoolId)")
    }
}

extension PoolRecord {
    static let selection = """
        SELECT p.*, s.Name AS ScratchName, r.Name AS RecycleName, n.Name AS NextName FROM Pool AS p
        LEFT JOIN Pool AS s ON s.PoolId = p.ScratchPoolId LEFT JOIN Pool AS r ON r.PoolId = p.RecyclePoolId
        LEFT JOIN Pool AS n ON n.PoolId = p.NextPoolId
        """

    init(_ row: Row) {
        self.init(name: row["Name"], type: row["PoolType"])
        poolID = row["PoolId"]
        labelFormat = row["LabelFormat"]
        labelType = row["LabelType"]
        volumes = row["NumVols"]
        volumesMax = row["MaxVols"]
        useOnce = row["UseOnce"]
        useCatalog = row["UseCatalog"]
        autoPrune = row["AutoPrune"]
        recycle = row["Recycle"]
        actionOnPurge = row["ActionOnPurge"]
        volumeRetention = row["VolRetention"]
        cacheRetention = row["CacheRetention"]
        useDuration = row["VolUseDuration"]
        jobsMax = row["MaxVolJobs"]
        filesMax = row["MaxVolFiles"]
        bytesMax = row["MaxVolBytes"]
        enabled = row["Enabled"]
        scratchPool = row["ScratchName"]
        recyclePool = row["RecycleName"]
        nextPool = row["NextName"]
        migrationTime = row["MigrationTime"]
        migrationHighBytes = row["MigrationHighBytes"]
        migrationLowBytes = row["MigrationLowBytes"]
    }
}
