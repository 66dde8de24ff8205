// Volumes in the catalog: found for a job, created, written, used up, recycled.

import GRDB
package import Platform

/// What a job asks for when it needs a volume.
package struct VolumeRequest: Sendable {
    /// As the configuration has it, with its PoolId.
    package var pool: PoolRecord
    package var mediaType: String
    /// Offer the n-th suitable volume, from 1: those before were refused by the storage daemon.
    package var index: Int = 1
    /// Volumes that may not be offered: busy elsewhere, or refused.
    package var excluded: Set<Int64> = []
    /// StorageId of the autochanger whose loaded volumes go first; nil where there is none.
    package var changer: Int64?
    /// Creates a volume by the pool's LabelFormat when nothing else is found. False only looks.
    package var mayCreate = true
    package var variables = LabelVariables()
    package init(pool: PoolRecord, mediaType: String) {
        self.pool = pool
        self.mediaType = mediaType
    }
}

/// What the search for a volume came to.
package enum VolumeOffer: Sendable {
    /// `note` is a line for the job's log where the volume was created, recycled or taken from Scratch; else empty.
    case volume(MediaRecord, note: String)
    /// None; the reason, for the operator.
    case none(String)
}

// MARK: - Finding one to write on

extension CatalogDatabase {
    /// The n-th volume that a job may write on, by the rules of 9.5: Append, Recycle, Purged, Scratch, a new one. Volumes
    /// found used up on the way are set Used or Full; a Purged one that is offered becomes Recycle.
    ///
    /// Pruning (step 4) and taking the oldest volume (step 7) are the caller's: prune or purge, then ask again.
    package func nextVolume(_ request: VolumeRequest, now: WallTime = .now) throws(CatalogError) -> VolumeOffer {
        try write { db in
            var pool = request.pool
            if let stored = try Self.pool(db, named: pool.name) {
                pool.poolID = stored.poolID
                pool.volumes = stored.volumes
            }
            var index = request.index
            let own = try Self.volumes(db, poolID: pool.poolID, mediaType: request.mediaType)
            for volume in VolumeSelection.candidates(own, excluded: request.excluded, changer: request.changer) {
                if volume.status == .append,
                    let expiry = VolumeSelection.expiry(of: volume, useOnce: pool.useOnce, now: now)
                {
                    try Self.setStatus(db, expiry.status, volume.mediaID)
                    continue
                }
                index -= 1
                if index > 0 { continue }
                guard volume.status == .purged else { return .volume(volume, note: "") }
                return .volume(try Self.recycle(db, volume), note: "Recycled volume \"\(volume.volume)\".")
            }
            let hasRoom = pool.volumesMax == 0 || pool.volumes < pool.volumesMax
            if hasRoom, let volume = try Self.takeFromScratch(db, pool, request, &index) {
                return .volume(
                    volume,
                    note: "Volume \"\(volume.volume)\" was moved from the scratch pool to pool \"\(pool.name)\".")
            }
            guard request.mayCreate, !pool.labelFormat.isEmpty else {
                return .none(
                    "No volume of pool \"\(pool.name)\" with media type \(request.mediaType) can be written"
                        + (pool.labelFormat.isEmpty ? ", and the pool has no Label Format to make one." : "."))
            }
            guard hasRoom else {
                return .none(
                    "Pool \"\(pool.name)\" has all \(pool.volumesMax) volumes it may have, and none can be written.")
            }
            let volume = try Self.create(db, pool, request, now)
            return .volume(volume, note: "Created new volume \"\(volume.volume)\" in pool \"\(pool.name)\" of catalog.")
        }
    }

    /// Whether a job may write on this very volume (GetVolInfo write=1): right pool or Scratch (from which it is moved),
    /// media type, enabled, status, not used up. A volume that is used up is set so; a Purged one becomes Recycle.
    /// - Throws: `.notFound`, or `.invalid` with the reason.
    package func prepareForWriting(volume name: String, _ request: VolumeRequest, now: WallTime = .now)
        throws(CatalogError) -> MediaRecord
    {
        // Outside the transaction's result: a refusal is thrown after its status change has been committed.
        let result: Result<MediaRecord, CatalogError> = try write { db in
            guard var volume = try Self.volume(db, named: name) else { return .failure(Self.noSuchVolume(name)) }
            var pool = request.pool
            if let stored = try Self.pool(db, named: pool.name) { pool.poolID = stored.poolID }
            func refused(_ reason: String) -> Result<MediaRecord, CatalogError> {
                .failure(CatalogError(.invalid, "Volume \"\(name)\" can't be written: \(reason)."))
            }
            let scratch = try Self.scratchPool(db, pool)
            if let reason = VolumeSelection.refusal(
                of: volume, pool: pool, mediaType: request.mediaType, scratchPoolID: scratch?.poolID)
            {
                return refused(reason)
            }
            if volume.status == .append,
                let expiry = VolumeSelection.expiry(of: volume, useOnce: pool.useOnce, now: now)
            {
                try Self.setStatus(db, expiry.status, volume.mediaID)
                return refused(expiry.reason)
            }
            if volume.poolID != pool.poolID { volume = try Self.move(db, volume, to: pool) }
            if volume.status == .purged { volume = try Self.recycle(db, volume) }
            return .success(volume)
        }
        return try result.get()
    }

    /// The pool that new volumes of `pool` come from: its ScratchPool, else the one named Scratch.
    private static func scratchPool(_ db: Database, _ pool: PoolRecord) throws -> PoolRecord? {
        let scratch = try Self.pool(db, named: pool.scratchPool ?? "Scratch")
        return scratch?.name == pool.name ? nil : scratch
    }

    private static func takeFromScratch(
        _ db: Database, _ pool: PoolRecord, _ request: VolumeRequest, _ index: inout Int
    ) throws -> MediaRecord? {
        guard let scratch = try scratchPool(db, pool) else { return nil }
        let volumes = try volumes(db, poolID: scratch.poolID, mediaType: request.mediaType)
        for volume in VolumeSelection.candidates(volumes, excluded: request.excluded, changer: request.changer) {
            index -= 1
            if index > 0 { continue }
            let moved = try move(db, volume, to: pool)
            return moved.status == .purged ? try recycle(db, moved) : moved
        }
        return nil
    }

    /// Gives a volume to another pool, with that pool's limits.
    private static func move(_ db: Database, _ volume: MediaRecord, to pool: PoolRecord) throws -> MediaRecord {
        var moved = volume
        moved.poolID = pool.poolID
        moved.pool = pool.name
        moved.takeLimits(of: pool)
        try moved.update(db)
        try countVolumes(db)
        return moved
    }

    /// Makes a purged volume ready to be written from its beginning: the storage daemon writes a new label.
    private static func recycle(_ db: Database, _ volume: MediaRecord) throws -> MediaRecord {
        var fresh = volume
        fresh.status = .recycle
        fresh.jobs = 0
        fresh.files = 0
        fresh.blocks = 0
        fresh.errors = 0
        // One byte: not empty, so that the storage daemon takes it for a labelled volume.
        fresh.bytes = 1
        fresh.firstWritten = nil
        fresh.lastWritten = nil
        fresh.recycleCount += 1
        try fresh.update(db)
        return fresh
    }

    /// A volume by the pool's LabelFormat; names that are taken are passed over, 99 at most.
    private static func create(
        _ db: Database, _ pool: PoolRecord, _ request: VolumeRequest, _ now: WallTime
    ) throws -> MediaRecord {
        let highest = try Int64.fetchOne(db, sql: "SELECT coalesce(max(MediaId), 0) FROM Media") ?? 0
        var variables = request.variables
        variables.now = now
        for attempt in 1...99 {
            let name = try LabelFormat.name(
                pool.labelFormat, number: highest + Int64(attempt), pool: pool, mediaType: request.mediaType,
                variables: variables
            ) { counter, grows in try Self.counter(db, counter, grows: grows) }
            if try volume(db, named: name) != nil { continue }
            var volume = MediaRecord(volume: name, poolID: pool.poolID, mediaType: request.mediaType)
            volume.pool = pool.name
            volume.takeLimits(of: pool)
            volume.storageID = request.changer ?? 0
            try volume.insert(db)
            return volume
        }
        throw CatalogError(
            .duplicate,
            "Label Format \"\(pool.labelFormat)\" of pool \(pool.name) makes only names of volumes that exist.",
            remedy: "Put a number or a counter into it.")
    }

    /// A counter's value; `grows` makes it one more afterwards, from its maximum back to its minimum.
    private static func counter(_ db: Database, _ name: String, grows: Bool, depth: Int = 0) throws -> Int64? {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM Counters WHERE Counter = ?", arguments: [name]) else {
            return nil
        }
        let value: Int64 = row["CurrentValue"]
        if grows {
            let wraps = value >= row["MaxValue"]
            let next: Int64 = wraps ? row["MinValue"] : value + 1
            try db.execute(sql: "UPDATE Counters SET CurrentValue = ? WHERE Counter = ?", arguments: [next, name])
            // Counters that step each other in a circle end here.
            if wraps, let other: String = row["WrapCounter"], depth < 16 {
                _ = try counter(db, other, grows: true, depth: depth + 1)
            }
        }
        return value
    }
}

extension MediaRecord {
    /// Limits and retention as the pool has them.
    package mutating func takeLimits(of pool: PoolRecord) {
        jobsMax = pool.useOnce ? 1 : pool.jobsMax
        filesMax = pool.filesMax
        bytesMax = pool.bytesMax
        useDuration = pool.useDuration
        retention = pool.volumeRetention
        cacheRetention = pool.cacheRetention
        recycle = pool.recycle
        actionOnPurge = pool.actionOnPurge
        labelType = pool.labelType
    }
}

// MARK: - Creating, looking, changing

extension CatalogDatabase {
    /// Adds a volume; the name must be free and one that a volume may have.
    package func createVolume(_ volume: MediaRecord) throws(CatalogError) -> MediaRecord {
        guard LabelFormat.isValid(volume.volume) else {
            throw CatalogError(
                .invalid, "\"\(volume.volume)\" can't be a volume's name.",
                remedy: "Use 1 to 127 letters, digits and :.-_ only.")
        }
        return try write { db in
            guard try Self.volume(db, named: volume.volume) == nil else {
                throw CatalogError(.duplicate, "A volume named \"\(volume.volume)\" is in the catalog already.")
            }
            var volume = volume
            try volume.insert(db)
            return try Self.volume(db, named: volume.volume) ?? volume
        }
    }

    /// A record with the pool's limits and retention, for `createVolume`.
    package func newVolume(named name: String, in pool: PoolRecord, mediaType: String) -> MediaRecord {
        var volume = MediaRecord(volume: name, poolID: pool.poolID, mediaType: mediaType)
        volume.takeLimits(of: pool)
        return volume
    }

    package func volume(named name: String) throws(CatalogError) -> MediaRecord? {
        try read { db in try Self.volume(db, named: name) }
    }

    package func volume(_ mediaID: Int64) throws(CatalogError) -> MediaRecord? {
        try read { db in
            try Row.fetchOne(db, sql: MediaRecord.selection + " WHERE MediaId = ?", arguments: [mediaID]).map(
                MediaRecord.init)
        }
    }

    /// Volumes of a pool, or all, by MediaId.
    package func volumes(inPool pool: String? = nil) throws(CatalogError) -> [MediaRecord] {
        try read { db in
            try Row.fetchAll(
                db, sql: MediaRecord.selection + " WHERE ?1 IS NULL OR Pool.Name = ?1 ORDER BY MediaId",
                arguments: [pool]
            ).map(MediaRecord.init)
        }
    }

    /// Stores every column of the record (an operator's `update volume`).
    package func updateVolume(_ volume: MediaRecord) throws(CatalogError) {
        try write { db in
            try volume.update(db)
            try Self.countVolumes(db)
        }
    }

    package func setStatus(_ status: VolumeStatus, ofVolume name: String) throws(CatalogError) {
        try write { db in
            guard let volume = try Self.volume(db, named: name) else { throw Self.noSuchVolume(name) }
            try Self.setStatus(db, status, volume.mediaID)
        }
    }

    static func noSuchVolume(_ name: String) -> CatalogError {
        CatalogError(.notFound, "Volume \"\(name)\" is not in the catalog.", remedy: "Look at `list volumes`.")
    }

    static func volume(_ db: Database, named name: String) throws -> MediaRecord? {
        try Row.fetchOne(db, sql: MediaRecord.selection + " WHERE VolumeName = ?", arguments: [name]).map(
            MediaRecord.init)
    }

    private static func volumes(_ db: Database, poolID: Int64, mediaType: String) throws -> [MediaRecord] {
        try Row.fetchAll(
            db, sql: MediaRecord.selection + " WHERE PoolId = ? AND MediaType = ? ORDER BY MediaId",
            arguments: [poolID, mediaType]
        ).map(MediaRecord.init)
    }

    private static func setStatus(_ db: Database, _ status: VolumeStatus, _ mediaID: Int64) throws {
        try db.execute(sql: "UPDATE Media SET VolStatus = ? WHERE MediaId = ?", arguments: [status.rawValue, mediaID])
    }
}
