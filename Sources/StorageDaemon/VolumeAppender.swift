// A job's hand on the volumes it writes: blocks, ranges for JobMedia, commits, and the step to the next volume.
//
// Order of what the director hears, so that nothing it knows can be lost: the blocks are synced, then their ranges
// (CreateJobMedia) and the volume's size (UpdateMedia) are reported, then the attributes of the files in them.
// The mounting itself is in VolumeAppender+Mount.

import Modules
import Platform
import Volumes
import Wire

/// Used by the job's writing task alone.
final class VolumeAppender {
    let server: StorageServer
    let job: StorageJob
    let catalog: CatalogConversation
    let reservation: ReservationRequest
    let driveIndex: Int
    let spool: AttributeSpool
    let sessionTime: UInt32

    /// The part of the current volume that this job has written since the last CreateJobMedia.
    struct Range {
        var start: UInt64
        var end: UInt64
        var bytes: UInt64 = 0
        var indexes: ClosedRange<Int32>?
    }

    var generation = -1
    var mediaID: UInt64 = 0
    var volumeName = ""
    var range: Range?
    /// Address of the job's first block on this volume.
    var firstAddress: UInt64?
    var endAddress: UInt64 = 0
    /// Sequence number of the last block written, for `sync`.
    var sequence: UInt64 = 0
    /// How many volumes the job has written to.
    var volumesUsed = 0
    var wroteLabel = false
    /// Blocks since the last commit.
    private var uncommittedBytes = 0
    private var lastCommit = ContinuousClock.now
    private var attributesWritten: UInt64 = 0
    private var attributesCommitted: UInt64 = 0

    /// A commit costs a sync; what is lost when the daemon dies is what came after the last.
    private static let commitBytes = 256 << 20
    private static let commitInterval: Duration = .seconds(5)

    init(
        server: StorageServer, job: StorageJob, catalog: CatalogConversation, reservation: ReservationRequest, driveIndex: Int,
        spool: AttributeSpool
    ) {
        self.server = server
        self.job = job
        self.catalog = catalog
        self.reservation = reservation
        self.driveIndex = driveIndex
        self.spool = spool
        sessionTime = job.sessionTime
    }

    var drive: Drive { server.table.drives[driveIndex] }

    /// Mounts the first volume, writes the queue's blocks until it is closed, and reports everything to the director.
    func drain(_ queue: BlockQueue) {
        do throws(StorageError) {
            try mount()
            queue.becomeReady(BlockQueue.Readiness(wroteLabel: wroteLabel))
            writing: while true {
                switch queue.next(atMost: .seconds(1)) {
                case .block(var item):
                    try append(&item)
                    queue.written(item.bytes, place: BlockQueue.Place(first: firstAddress ?? 0, end: endAddress))
                    try commitIfDue()
                case .idle: try commitIfDue()
                case .closed: break writing
                }
            }
            if let failure = queue.failure { throw failure }
            try finish()
        } catch {
            queue.fail(error)
            abandon()
        }
        leave()
    }

    private func append(_ item: inout BlockQueue.Item) throws(StorageError) {
        // Here and not in the receiving thread, so that the checksum costs it nothing.
        item.finished.header.write(into: &item.bytes, checksummed: drive.settings.checksumsBlocks)
        while true {
            switch try drive.write(item.bytes, generation: generation, job: job) {
            case .written(let address, let sequence):
                self.sequence = sequence
                attributesWritten = item.attributes
                note(item, at: address)
                uncommittedBytes += item.bytes.count
                if let range, range.bytes >= drive.settings.rangeBytesMax { try reportRange() }
                return
            case .full(let reason): try nextVolume(reason)
            case .otherVolume:
                try job.checkCancellation()
                try nextVolume(nil)
            case .noSpace(let reason): try waitForOperator(status: JobStatus.waitingForMedia, noSpaceText(reason))
            }
        }
    }

    private func note(_ item: BlockQueue.Item, at address: UInt64) {
        let end = drive.isDisk ? address + UInt64(item.bytes.count) - 1 : address
        var range = self.range ?? Range(start: address, end: end)
        range.end = end
        range.bytes += UInt64(item.bytes.count)
        if let indexes = item.finished.fileIndexes {
            let known = range.indexes ?? indexes
            range.indexes = min(known.lowerBound, indexes.lowerBound)...max(known.upperBound, indexes.upperBound)
        }
        self.range = range
        if firstAddress == nil { firstAddress = address }
        endAddress = drive.isDisk ? end + 1 : address + 1
    }

    // MARK: - Reporting

    /// Syncs and lets the attributes of everything written so far go, when enough has gathered or enough time has passed.
    private func commitIfDue() throws(StorageError) {
        guard attributesWritten > attributesCommitted else { return }
        guard uncommittedBytes >= Self.commitBytes || ContinuousClock.now - lastCommit >= Self.commitInterval else { return }
        try commit()
    }

    private func commit() throws(StorageError) {
        try drive.sync(upTo: sequence)
        spool.commit(upTo: attributesWritten)
        attributesCommitted = attributesWritten
        uncommittedBytes = 0
        lastCommit = .now
    }

    /// Syncs, then tells the catalog which files lie in the range written since the last time.
    func reportRange() throws(StorageError) {
        guard let range else { return }
        try drive.sync(upTo: sequence)
        self.range = nil
        // A range that holds labels only has no files and no record: Bacula's reports none either.
        guard let indexes = range.indexes else { return }
        try catalog.createJobMedia([
            JobMediaRange(
                mediaID: mediaID, firstIndex: UInt32(indexes.lowerBound), lastIndex: UInt32(indexes.upperBound),
                start: range.start, end: range.end)
        ])
    }

    /// Tells the catalog the volume's size and counts, as far as they are on the medium. One job at a time, so that an
    /// older state never overwrites a newer one.
    func reportVolume() throws(StorageError) {
        let generation = self.generation
        try drive.reporting { () throws(StorageError) in
            guard let info = drive.io.read({ $0.generation == generation ? $0.syncedInfo : nil }) else { return }
            let updated = try catalog.updateMedia(info)
            adopt(updated, generation: generation)
        }
    }

    /// Takes over what only the director decides.
    func adopt(_ answer: VolumeInfo, generation: Int) {
        let takesAnother = drive.io.withLock { io -> Bool in
            guard io.generation == generation, io.volume != nil else { return true }
            io.volume?.info.status = answer.status
            io.volume?.info.bytesMax = answer.bytesMax
            io.volume?.info.jobsMax = answer.jobsMax
            io.volume?.info.slot = answer.slot
            let info = io.volume!.info
            return answer.status == "Append" && (info.jobsMax == 0 || info.jobs < info.jobsMax)
        }
        server.table.state.withLock { $0.uses[driveIndex].volumeTakesAnotherJob = takesAnother }
    }

    /// The job's last words about its volume.
    private func finish() throws(StorageError) {
        try reportRange()
        try drive.sync(upTo: sequence)
        try reportVolume()
        spool.commit(upTo: spool.end)
    }

    /// The job has failed: what is on the volume stays there, and the catalog hears of it as far as it listens.
    private func abandon() {
        guard generation >= 0 else { return }
        do throws(StorageError) {
            try reportRange()
            try drive.sync(upTo: sequence)
            try reportVolume()
            spool.commit(upTo: attributesWritten)
        } catch {
            server.logger.warning("job's last report failed", metadata: ["job": "\(job.id)", "reason": "\(error)"])
        }
    }

    /// The drive's volume is closed when nobody writes on it any more.
    private func leave() {
        let generation = self.generation
        let isLast = drive.io.withLock { io -> Bool in
            guard io.generation == generation else { return false }
            io.users.remove(job.id)
            return io.users.isEmpty && io.volume != nil
        }
        guard isLast else { return }
        do throws(StorageError) {
            try drive.withChange(for: nil) { () throws(StorageError) in
                // Somebody may have joined while we waited.
                guard drive.io.read({ $0.generation == generation && $0.users.isEmpty }) else { return }
                server.table.unclaim(volumeName, for: driveIndex)
                try drive.closeVolume()
            }
        } catch {
            catalog.logTolerated(.error, "Closing volume \"\(volumeName)\" failed: \(error)")
        }
    }
}
