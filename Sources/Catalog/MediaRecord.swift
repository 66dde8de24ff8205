// Rows of Media, Pool, Client, FileSet and JobMedia as the director uses them.

package import Platform

/// Where a volume stands (bacula-wire 9.5); the raw value is the catalog's text.
package enum VolumeStatus: String, Sendable, CaseIterable {
    case append = "Append", full = "Full", used = "Used", recycle = "Recycle", purged = "Purged", error = "Error"
    case cleaning = "Cleaning", archive = "Archive", readOnly = "Read-Only", disabled = "Disabled"
    case busy = "Busy"
}

/// A row of Media.
package struct MediaRecord: Sendable, Hashable {
    package var mediaID: Int64 = 0
    package var volume: String
    package var poolID: Int64
    /// Name of the pool; for reading, it is not stored.
    package var pool: String = ""
    package var mediaType: String
    package var status: VolumeStatus = .append
    /// 0 no, 1 yes, 2 archived.
    package var enabled: Int = 1
    package var slot: Int = 0
    package var inChanger: Bool = false
    package var storageID: Int64 = 0
    package var labelType: Int = 0
    package var firstWritten: WallTime?
    package var lastWritten: WallTime?
    package var labelDate: WallTime?
    package var initialWrite: WallTime?
    package var jobs: Int64 = 0
    package var files: Int64 = 0
    package var blocks: Int64 = 0
    package var mounts: Int64 = 0
    /// Absolute size; what is written next begins here on disk.
    package var bytes: Int64 = 0
    package var adataBytes: Int64 = 0
    package var holeBytes: Int64 = 0
    package var holes: Int64 = 0
    package var volumeType: Int = 0
    package var parts: Int64 = 0
    package var cloudParts: Int64 = 0
    package var lastPartBytes: Int64 = 0
    package var errors: Int64 = 0
    package var writes: Int64 = 0
    package var capacityBytes: Int64 = 0
    /// Microseconds.
    package var readTime: Int64 = 0
    package var writeTime: Int64 = 0
    package var endFile: Int64 = 0
    package var endBlock: Int64 = 0
    package var recycleCount: Int64 = 0
    package var recycle: Bool = true
    package var actionOnPurge: Int = 0
    /// Seconds.
    package var retention: Int64 = 0
    package var cacheRetention: Int64 = 0
    /// Seconds since FirstWritten; 0 has no end.
    package var useDuration: Int64 = 0
    package var jobsMax: Int64 = 0
    package var filesMax: Int64 = 0
    package var bytesMax: Int64 = 0
    package var scratchPoolID: Int64 = 0
    package var recyclePoolID: Int64 = 0
    package var comment: String = ""

    package init(volume: String, poolID: Int64, mediaType: String) {
        self.volume = volume
        self.poolID = poolID
        self.mediaType = mediaType
    }
}

/// A row of Pool: the configuration's Pool resource, as the catalog remembers it.
package struct PoolRecord: Sendable, Hashable {
    package var poolID: Int64 = 0
    package var name: String
    /// `Backup`, `Scratch`, `Copy`, …
    package var type: String
    package var labelFormat: String = ""
    package var labelType: Int = 0
    /// Media rows that have this pool now; for reading.
    package var volumes: Int64 = 0
    /// How many volumes may be created; 0 has no limit.
    package var volumesMax: Int64 = 0
    package var useOnce: Bool = false
    package var useCatalog: Bool = true
    package var autoPrune: Bool = true
    package var recycle: Bool = true
    package var actionOnPurge: Int = 0
    /// Seconds.
    package var volumeRetention: Int64 = 365 * 86400
    package var cacheRetention: Int64 = 0
    package var useDuration: Int64 = 0
    package var jobsMax: Int64 = 0
    package var filesMax: Int64 = 0
    package var bytesMax: Int64 = 0
    package var enabled: Bool = true
    /// Names of other pools, which may be synced after this one.
    package var scratchPool: String?
    package var recyclePool: String?
    package var nextPool: String?
    package var migrationTime: Int64 = 0
    package var migrationHighBytes: Int64 = 0
    package var migrationLowBytes: Int64 = 0
    // Not in the catalog; the selection of a volume needs them.
    package var recycleOldestVolume: Bool = false
    package var recycleCurrentVolume: Bool = false
    package var purgeOldestVolume: Bool = false

    package init(name: String, type: String) {
        self.name = name
        self.type = type
    }
}

/// A row of Client.
package struct ClientRecord: Sendable, Hashable {
    package var clientID: Int64 = 0
    package var name: String
    /// What the client says of itself: version, date, system.
    package var uname: String = ""
    package var autoPrune: Bool = true
    /// Seconds.
    package var fileRetention: Int64 = 60 * 86400
    package var jobRetention: Int64 = 180 * 86400
    package init(name: String) { self.name = name }
}

/// A row of FileSet. A changed definition (another MD5) is another row of the same name.
package struct FileSetRecord: Sendable, Hashable {
    package var fileSetID: Int64
    package var name: String
    package var md5: String
    package var created: WallTime?
}

/// A row of JobMedia: a contiguous part of a volume that holds records of a job (bacula-wire 6.7).
package struct JobMediaRecord: Sendable, Hashable {
    package var jobMediaID: Int64 = 0
    package var jobID: Int64 = 0
    package var mediaID: Int64
    package var firstIndex: Int64
    package var lastIndex: Int64
    package var startFile: Int64
    package var endFile: Int64
    package var startBlock: Int64
    package var endBlock: Int64
    /// 1, 2, … per job, in the order written.
    package var volumeIndex: Int64 = 0
    // Names from Media, for reading.
    package var volume: String = ""
    package var mediaType: String = ""
    package var slot: Int = 0
    package var inChanger: Bool = false

    package init(
        mediaID: Int64, firstIndex: Int64, lastIndex: Int64, startFile: Int64, endFile: Int64, startBlock: Int64,
        endBlock: Int64
    ) {
        self.mediaID = mediaID
        self.firstIndex = firstIndex
        self.lastIndex = lastIndex
        self.startFile = startFile
        self.endFile = endFile
        self.startBlock = startBlock
        self.endBlock = endBlock
    }

    /// First and last address on the volume, both inclusive: `file << 32 | block`.
    package var startAddress: UInt64 { UInt64(bitPattern: startFile << 32 | startBlock & 0xFFFF_FFFF) }
    package var endAddress: UInt64 { UInt64(bitPattern: endFile << 32 | endBlock & 0xFFFF_FFFF) }
}

/// One line of a job's log.
package struct LogRecord: Sendable, Hashable {
    package var logID: Int64
    package var jobID: Int64
    package var time: WallTime?
    package var text: String
}

/// The answer to a listing or an operator's SQL: everything as text, nil for NULL.
package struct ResultTable: Sendable, Hashable {
    package var columns: [String]
    package var rows: [[String?]]
    package init(columns: [String], rows: [[String?]]) {
        self.columns = columns
        self.rows = rows
    }
}
