// What storage daemons report about volumes: UpdateMedia and CreateJobMedia (bacula-wire 4.4).

import GRDB
package import Platform

/// What UpdateMedia says about a volume. Sizes and counts are absolute, times microseconds of I/O.
package struct VolumeUpdate: Sendable {
    package var volume: String
    package var jobs: Int64 = 0
    package var files: Int64 = 0
    package var blocks: Int64 = 0
    package var bytes: Int64 = 0
    package var adataBytes: Int64 = 0
    package var holeBytes: Int64 = 0
    package var holes: Int64 = 0
    package var mounts: Int64 = 0
    package var errors: Int64 = 0
    package var writes: Int64 = 0
    /// An echo of the catalog's own limit; not stored.
    package var bytesMax: Int64 = 0
    /// LastWritten; nil leaves it.
    package var ended: WallTime?
    package var status: VolumeStatus = .append
    /// 0 leaves it.
    package var slot: Int = 0
    /// A label was written just now.
    package var isRelabel = false
    package var inChanger = false
    package var readTime: Int64 = 0
    package var writeTime: Int64 = 0
    /// nil leaves it.
    package var firstWritten: WallTime?
    package var volumeType: Int = 0
    package var parts: Int64 = 0
    package var cloudParts: Int64 = 0
    package var lastPartBytes: Int64 = 0
    /// An echo; not stored.
    package var enabled: Int = 1
    /// False forbids recycling (a medium that can be written once); true leaves what the operator chose.
    package var recycle = true
    /// StorageId of the changer the volume was used in; 0 leaves it.
    package var storageID: Int64 = 0
    package init(volume: String) { self.volume = volume }
}

extension CatalogDatabase {
    /// Stores what a storage daemon says about a volume. Limits and `Enabled`, which it only echoes, stay as they are: an
    /// operator may have changed them meanwhile.
    /// - Returns: The row as it is now.
    package func updateVolume(_ update: VolumeUpdate, now: WallTime = .now) throws(CatalogError) -> MediaRecord {
        try write { db in
            guard var volume = try Self.volume(db, named: update.volume) else { throw Self.noSuchVolume(update.volume) }
            volume.jobs = update.jobs
            volume.files = update.files
            volume.blocks = update.blocks
            volume.bytes = update.bytes
            volume.adataBytes = update.adataBytes
            volume.holeBytes = update.holeBytes
            volume.holes = update.holes
            volume.mounts = update.mounts
            volume.errors = update.errors
            volume.writes = update.writes
            volume.status = update.status
            volume.readTime = update.readTime
            volume.writeTime = update.writeTime
            volume.volumeType = update.volumeType
            volume.parts = update.parts
            volume.cloudParts = update.cloudParts
            volume.lastPartBytes = update.lastPartBytes
            volume.endFile = update.files
            volume.endBlock = update.blocks
            if !update.recycle { volume.recycle = false }
            if let ended = update.ended { volume.lastWritten = ended }
            if let first = update.firstWritten, volume.firstWritten == nil { volume.firstWritten = first }
            if update.isRelabel {
                volume.labelDate = now
                if volume.initialWrite == nil || volume.recycleCount > 0 { volume.initialWrite = now }
            }
            if update.slot > 0 { volume.slot = update.slot }
            if update.storageID > 0 { volume.storageID = update.storageID }
            volume.inChanger = update.inChanger
            try volume.update(db)
            if volume.inChanger, volume.slot > 0 {
                // One cartridge per slot: whatever was believed to be there is not.
                try db.execute(
                    sql: "UPDATE Media SET InChanger = 0 WHERE Slot = ? AND StorageId = ? AND MediaId <> ?",
                    arguments: [volume.slot, volume.storageID, volume.mediaID])
            }
            return volume
        }
    }

    /// Adds the rows of CreateJobMedia, numbering them on. Rows for a job or volume that isn't there are refused.
    package func addJobMedia(_ records: [JobMediaRecord], toJob jobID: Int64) throws(CatalogError) {
        try write { db in
            guard try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM Job WHERE JobId = ?)", arguments: [jobID])!
            else {
                throw Self.noSuchJob(jobID)
            }
            var index =
                try Int64.fetchOne(
                    db, sql: "SELECT coalesce(max(VolIndex), 0) FROM JobMedia WHERE JobId = ?", arguments: [jobID]) ?? 0
            for record in records {
                guard
                    try Bool.fetchOne(
                        db, sql: "SELECT EXISTS (SELECT 1 FROM Media WHERE MediaId = ?)", arguments: [record.mediaID])!
                else {
                    throw CatalogError(
                        .notFound, "Job \(jobID) wrote on volume \(record.mediaID), which is not in the catalog.")
                }
                index += 1
                try db.execute(
                    sql: """
                        INSERT INTO JobMedia (JobId, MediaId, FirstIndex, LastIndex, StartFile, EndFile, StartBlock, EndBlock, VolIndex)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        jobID, record.mediaID, record.firstIndex, record.lastIndex, record.startFile, record.endFile,
                        record.startBlock, record.endBlock, index,
                    ])
            }
        }
    }

    /// A job's rows in the order written, without dummies.
    package func jobMedia(ofJob jobID: Int64) throws(CatalogError) -> [JobMediaRecord] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT JobMedia.*, VolumeName, MediaType, Slot, InChanger FROM JobMedia JOIN Media USING (MediaId)
                    WHERE JobId = ? AND NOT (FirstIndex = 0 AND LastIndex = 0) ORDER BY VolIndex, JobMediaId
                    """, arguments: [jobID]
            ).map(JobMediaRecord.init)
        }
    }

    package func jobIDs(onVolume name: String) throws(CatalogError) -> [Int64] {
        try read { db in
            try Int64.fetchAll(
                db,
                sql:
                    "SELECT DISTINCT JobId FROM JobMedia JOIN Media USING (MediaId) WHERE VolumeName = ? ORDER BY JobId",
                arguments: [name])
        }
    }
}
