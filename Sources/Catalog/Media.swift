// Volumes in the catalog: created, found, written, used up, recycled, purged, deleted.

import GRDB
package import Platform

/// What a job asks for when it needs a volume.
package struct VolumeRequest: Sendable {
    package var pool: PoolRecord
    package var mediaType: String
    /// Offer the n-th suitable volume, from 1: those before were refused by the storage daemon.
    package var index: Int = 1
    /// Volumes that may not be offered: already offered and refused, or busy elsewhere.
    package var excluded: Set<Int64> = []
    /// Of the autochanger whose loaded volumes go first; nil where there is none.
    package var changerStorageID: Int64?
    /// Creates a volume by the pool's LabelFormat when nothing else is found. False only looks.
    package var mayCreate = true
    package var variables = LabelVariables()
    package init(pool: PoolRecord, mediaType: String) {
        self.pool = pool
        self.mediaType = mediaType
    }
}

/// Names that a LabelFormat may use as `${Name}`; empty ones expand to nothing.
package struct LabelVariables: Sendable {
    package var job = ""
    package var jobName = ""
    package var director = ""
    package var level = ""
    package var type = ""
    package var jobID: Int64 = 0
    package var client = ""
    package var storage = ""
    package var catalog = ""
    package var now = WallTime.now
    package var environment: [String: String] = [:]
    package init() {}
}

/// What UpdateMedia says about a volume (bacula-wire 4.4).
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
    package var enabled: Int = 1
    package var recycle = true
    package init(volume: String) { self.volume = volume }
}

/// What the search for a volume came to.
package enum VolumeOffer: Sendable {
    /// `note` is a line for the job's log where the volume was created, recycled or taken from Scratch; else empty.
    case volume(MediaRecord, note: String)
    /// None; the reason, for the operator.
    case none(String)
}

extension CatalogDatabase {
    /// The n-th volume that a job may write on, by the rules of 9.5: Append, Recycle, Purged, Scratch, a new one. Volumes
    /// found expired on the way are set Used or Full.
    package func nextVolume(_ request: VolumeRequest, now: WallTime = .now) throws(CatalogError) -> VolumeOffer { preconditionFailure("not built yet") }

    /// Whether a job may write on this very volume (GetVolInfo write=1): right pool or Scratch (from which it is moved),
    /// media type, enabled, status, not used up. Recycle and Purged volumes are made ready.
    /// - Throws: `.notFound`, or `.invalid` with the reason.
    package func prepareForWriting(volume: String, _ request: VolumeRequest, now: WallTime = .now) throws(CatalogError) -> MediaRecord { preconditionFailure("not built yet") }

    package func createVolume(_ volume: MediaRecord) throws(CatalogError) -> MediaRecord { preconditionFailure("not built yet") }
    /// A record with the pool's limits and retention, for `createVolume`.
    package func newVolume(named name: String, in pool: PoolRecord, mediaType: String) -> MediaRecord { preconditionFailure("not built yet") }
    package func volume(named name: String) throws(CatalogError) -> MediaRecord? { preconditionFailure("not built yet") }
    package func volume(_ mediaID: Int64) throws(CatalogError) -> MediaRecord? { preconditionFailure("not built yet") }
    /// Volumes of a pool, or all, by MediaId.
    package func volumes(inPool pool: String? = nil) throws(CatalogError) -> [MediaRecord] { preconditionFailure("not built yet") }
    /// Stores every column of the record (an operator's `update volume`).
    package func updateVolume(_ volume: MediaRecord) throws(CatalogError) { preconditionFailure("not built yet") }
    /// Stores what a storage daemon says about a volume.
    /// - Returns: The row as it is now.
    package func updateVolume(_ update: VolumeUpdate, now: WallTime = .now) throws(CatalogError) -> MediaRecord { preconditionFailure("not built yet") }
    package func setStatus(_ status: VolumeStatus, ofVolume name: String) throws(CatalogError) { preconditionFailure("not built yet") }

    /// Adds the rows of CreateJobMedia, numbering them on. Rows for a job or volume that isn't there are refused.
    package func addJobMedia(_ records: [JobMediaRecord], toJob jobID: Int64) throws(CatalogError) { preconditionFailure("not built yet") }
    /// A job's rows in the order written, without dummies.
    package func jobMedia(ofJob jobID: Int64) throws(CatalogError) -> [JobMediaRecord] { preconditionFailure("not built yet") }
    package func jobIDs(onVolume name: String) throws(CatalogError) -> [Int64] { preconditionFailure("not built yet") }
}
