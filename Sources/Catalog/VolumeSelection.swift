// Which volume a job writes next, and when a volume is used up: decisions on values, no database (bacula-wire 9.5).

package import Platform

/// Why an Append volume may not be written any more.
package enum VolumeExpiry: Sendable, Hashable {
    case jobs(max: Int64), files(max: Int64), bytes(max: Int64), useDuration(seconds: Int64), usedOnce

    /// What the volume becomes: Full when its bytes are, else Used.
    package var status: VolumeStatus { if case .bytes = self { .full } else { .used } }
    /// For the job's log.
    package var reason: String {
        switch self {
        case .jobs(let max): "Maximum Volume Jobs=\(max) is reached"
        case .files(let max): "Maximum Volume Files=\(max) is reached"
        case .bytes(let max): "Maximum Volume Bytes=\(max) is reached"
        case .useDuration(let seconds): "its Volume Use Duration of \(seconds) s has passed"
        case .usedOnce: "it holds a job and the pool uses volumes once"
        }
    }
}

package enum VolumeSelection {
    /// Why `volume` is used up at `now`, or nil. Only a volume that has been written can be.
    package static func expiry(of volume: MediaRecord, useOnce: Bool, now: WallTime) -> VolumeExpiry? {
        if useOnce, volume.jobs > 0 { return .usedOnce }
        if volume.jobsMax > 0, volume.jobs >= volume.jobsMax { return .jobs(max: volume.jobsMax) }
        if volume.filesMax > 0, volume.files >= volume.filesMax { return .files(max: volume.filesMax) }
        if volume.bytesMax > 0, volume.bytes >= volume.bytesMax { return .bytes(max: volume.bytesMax) }
        if volume.useDuration > 0, let first = volume.firstWritten, first.seconds + volume.useDuration <= now.seconds {
            return .useDuration(seconds: volume.useDuration)
        }
        return nil
    }

    /// The volumes that may be offered to a job, best first: Append, most recently written first and never-written ones
    /// last; Recycle, then Purged, oldest first. For an autochanger those that are loaded in it go before all others.
    ///
    /// - Parameters:
    ///   - volumes: Of the right pool and media type.
    ///   - excluded: Not these.
    ///   - changer: StorageId of the autochanger, where the job's storage is one.
    package static func candidates(
        _ volumes: [MediaRecord], excluded: Set<Int64> = [], changer: Int64? = nil
    ) -> [MediaRecord] {
        let usable = volumes.filter { $0.enabled == 1 && !excluded.contains($0.mediaID) }
        guard let changer else { return inOrder(usable) }
        let loaded = usable.filter { $0.inChanger && $0.storageID == changer }
        let elsewhere = usable.filter { !($0.inChanger && $0.storageID == changer) }
        return inOrder(loaded) + inOrder(elsewhere)
    }

    private static func inOrder(_ volumes: [MediaRecord]) -> [MediaRecord] {
        let never = WallTime(nanoseconds: .min)
        func written(_ volume: MediaRecord) -> WallTime { volume.lastWritten ?? never }
        let append = volumes.filter { $0.status == .append }
            .sorted { written($0) != written($1) ? written($0) > written($1) : $0.mediaID < $1.mediaID }
        let reusable = [VolumeStatus.recycle, .purged].flatMap { status in
            volumes.filter { $0.status == status && $0.recycle }
                .sorted { written($0) != written($1) ? written($0) < written($1) : $0.mediaID < $1.mediaID }
        }
        return append + reusable
    }

    /// Why a job may not write on `volume`, or nil when it may. Limits are not looked at; see `expiry`.
    package static func refusal(
        of volume: MediaRecord, pool: PoolRecord, mediaType: String, scratchPoolID: Int64?
    ) -> String? {
        if volume.enabled != 1 { return volume.enabled == 2 ? "it is archived" : "it is disabled" }
        if volume.mediaType != mediaType { return "its media type is \(volume.mediaType), not \(mediaType)" }
        if volume.poolID != pool.poolID, volume.poolID != scratchPoolID {
            return "it belongs to pool \(volume.pool), not \(pool.name)"
        }
        switch volume.status {
        case .append: return nil
        case .recycle, .purged: return volume.recycle ? nil : "it may not be recycled"
        default: return "its status is \(volume.status.rawValue)"
        }
    }
}
