// Getting a volume to write on: the mounted one, the one that the catalog proposes, or one an operator brings.

import Modules
import Platform
import Volumes
import Wire

extension VolumeAppender {
    /// What came of trying one volume.
    enum Attempt {
        case mounted
        /// Another one may do; the reason has been said where anyone should hear it.
        case unusable
        /// No other volume would do either until something changes.
        case hopeless(String)
    }

    /// Makes a volume ready for this job's blocks; waits for an operator as long as it takes. First call and every change.
    func mount() throws(StorageError) {
        while true {
            var hopeless: String?
            try drive.beginChange(for: job)
            do throws(StorageError) {
                var isMounted = try joinMounted(&hopeless)
                if !isMounted { isMounted = try mountProposed(&hopeless) }
                drive.endChange()
                if isMounted { return }
            } catch {
                drive.endChange()
                throw error
            }
            try waitForOperator(
                status: JobStatus.waitingForMedia,
                hopeless
                    ?? "Job \(job.request.name) is waiting. Cannot find any appendable volumes.\n"
                    + "Please use the \"label\" command to create a new Volume for:\n"
                    + "    Storage:      \(drive.description)\n    Pool:         \(reservation.pool)\n"
                    + "    Media type:   \(reservation.mediaType)")
        }
    }

    /// Leaves a volume that takes no more of our blocks, and mounts the next. Does the former only where another job has
    /// changed the volume already.
    func nextVolume(_ reason: String?) throws(StorageError) {
        let name = volumeName
        if let reason {
            let generation = self.generation
            let final = try drive.withChange(for: job) { () throws(StorageError) -> VolumeInfo? in
                guard drive.io.read({ $0.generation == generation }) else { return nil }
                server.table.unclaim(name, for: driveIndex)
                return try drive.closeVolume()
            }
            if var final {
                catalog.log(
                    .info,
                    "End of medium on Volume \"\(name)\" Bytes=\(grouped(final.bytes)) Blocks=\(grouped(UInt64(final.blocks))) at "
                        + "\(WallTime.now.formatted("%d-%b-%Y %H:%M", local: true)): \(reason).")
                if final.status == "Append" { final.status = "Full" }
                try reportRange()
                _ = try catalog.updateMedia(final)
            }
        }
        try reportRange()
        firstAddress = nil
        try mount()
        catalog.log(
            .info,
            "New volume \"\(volumeName)\" mounted on \(kindWord) device \(drive.description) at "
                + "\(WallTime.now.formatted("%d-%b-%Y %H:%M", local: true)).")
    }

    // MARK: - The mounted volume

    /// Joins the jobs that write on the mounted volume. The caller holds the change.
    private func joinMounted(_ hopeless: inout String?) throws(StorageError) -> Bool {
        let (current, generation, others) = drive.io.read { ($0.volume, $0.generation, $0.users.subtracting([job.id])) }
        guard let current, !current.isFull else {
            if current != nil, let final = try drive.closeVolume() {
                // Somebody found it full and died before saying so.
                server.table.unclaim(final.name, for: driveIndex)
                var full = final
                if full.status == "Append" { full.status = "Full" }
                _ = try catalog.updateMedia(full)
            }
            return false
        }
        if case .refused(let answer) = try catalog.volumeInfo(current.info.name, forWriting: true) {
            server.logger.info(
                "volume takes no further job",
                metadata: ["volume": "\(current.info.name)", "job": "\(job.id)", "answer": "\(answer)"])
            server.table.state.withLock { $0.uses[driveIndex].volumeTakesAnotherJob = false }
            if others.isEmpty {
                server.table.unclaim(current.info.name, for: driveIndex)
                try drive.closeVolume()
            } else {
                hopeless =
                    "Job \(job.request.name) is waiting until the jobs that write on Volume \"\(current.info.name)\" have ended: "
                    + "it takes no further job."
            }
            return false
        }
        try join(generation, wroteLabel: false)
        return true
    }

    /// Counts this job on the volume of `generation`, which the caller has just seen or made.
    private func join(_ generation: Int, wroteLabel: Bool) throws(StorageError) {
        let info = drive.io.withLock { io -> VolumeInfo? in
            guard io.generation == generation, io.volume != nil else { return nil }
            io.users.insert(job.id)
            io.volume?.info.jobs += 1
            if io.syncedInfo == nil { io.syncedInfo = io.volume?.info }
            io.syncedInfo?.jobs = io.volume!.info.jobs
            return io.volume?.info
        }
        guard let info else { throw StorageError(.noVolume, "The volume on \(drive.description) went away while it was mounted.") }
        self.generation = generation
        self.wroteLabel = wroteLabel
        mediaID = info.mediaID
        volumeName = info.name
        volumesUsed += 1
        job.state.withLock { $0.volumeName = info.name }
        try reportVolume()
    }

    // MARK: - A proposed volume

    /// Asks the catalog for volumes until one of them can be mounted. The caller holds the change.
    private func mountProposed(_ hopeless: inout String?) throws(StorageError) -> Bool {
        if drive.io.read({ $0.volume != nil }) { return false }  // others still write on one that we may not
        var tried: Set<String> = []
        var proposals: [VolumeInfo] = []
        if volumesUsed == 0, let wanted = reservation.wantedVolume { proposals.append(VolumeInfo(name: wanted)) }
        var index = 0
        while index < 20 {
            let proposal: VolumeInfo
            if !proposals.isEmpty {
                proposal = proposals.removeFirst()
            } else {
                index += 1
                guard
                    let found = try catalog.findMedia(
                        index, pool: reservation.pool, mediaType: reservation.mediaType, deviceType: drive.driver.kind.rawValue)
                else { return false }
                proposal = found
            }
            guard tried.insert(proposal.name).inserted else { continue }
            guard case .known(let info) = try catalog.volumeInfo(proposal.name, forWriting: true) else { continue }
            guard server.table.claim(info.name, for: driveIndex, emptying: info.status == "Recycle") else { continue }
            switch try tryVolume(info) {
            case .mounted: return true
            case .unusable:
                server.table.unclaim(info.name, for: driveIndex)
                try closeDriver()
                // A volume that was marked is not offered again, so the indexes have moved.
                index = max(0, index - 1)
            case .hopeless(let reason):
                server.table.unclaim(info.name, for: driveIndex)
                try closeDriver()
                hopeless = noSpaceText(reason)
                return false
            }
        }
        return false
    }

    private func closeDriver() throws(StorageError) {
        do { try drive.driver.close() } catch { throw StorageError(error) }
    }

    /// What a look at a volume has shown.
    private enum Finding {
        /// It gets a fresh label; the line says so in the job's log.
        case needsLabel(String)
        case appendable(EndOfData, size: UInt64, labelBytes: Int)
        /// It is not what the catalog thinks.
        case wrong(String)
        /// Nothing is wrong with it, but this device may not use it.
        case unusable(String)
    }

    /// Opens one volume, checks that it is what the catalog thinks, labels it where that is due, and moves to its end.
    private func tryVolume(_ info: VolumeInfo) throws(StorageError) -> Attempt {
        if let reason = drive.lackOfSpace() { return .hopeless(reason) }
        let finding: Finding
        do throws(DeviceError) { finding = try examine(info) } catch {
            switch error.kind {
            case .endOfMedium, .noSuchVolume, .system, .readOnly, .busy, .unsupported: return .hopeless(error.what)
            case .mediaError, .endOfData:
                return try markError(info, "Volume \"\(info.name)\" on \(drive.description): \(error.what)")
            }
        }
        switch finding {
        case .wrong(let reason): return try markError(info, reason)
        case .unusable(let reason):
            catalog.log(.warning, reason)
            return .unusable
        case .needsLabel(let message): return try label(info, as: message)
        case .appendable(let end, let size, let labelBytes):
            var corrected = info
            if drive.isDisk {
                corrected.bytes = end.address.rawValue
                if corrected.bytes != info.bytes || end.tornBytes > 0 {
                    catalog.log(
                        .warning,
                        "Volume \"\(info.name)\" has \(grouped(size)) bytes, but the catalog says \(grouped(info.bytes)): "
                            + (end.tornBytes > 0
                                ? "\(grouped(end.tornBytes)) bytes behind its last whole block were cut off. " : "")
                            + "The catalog is corrected.")
                }
            }
            catalog.log(.info, "Volume \"\(info.name)\" previously written, moving to end of data.")
            catalog.log(.info, "Ready to append to end of Volume \"\(info.name)\" size=\(grouped(corrected.bytes))")
            try install(
                corrected, end: end.address.rawValue, isEmpty: end.address.rawValue <= UInt64(labelBytes), wroteLabel: false)
            return .mounted
        }
    }

    private func examine(_ info: VolumeInfo) throws(DeviceError) -> Finding {
        let driver = drive.driver
        let isUnused = info.jobs == 0 && info.blocks == 0
        var isThere = true
        do throws(DeviceError) { try driver.open(volume: info.name, for: .append, create: false) } catch {
            guard error.kind == .noSuchVolume else { throw error }
            isThere = false
        }
        var isBlank = !isThere
        if isThere, drive.isDisk { isBlank = try driver.volumeBytes() == 0 }
        if isBlank {
            guard isUnused || info.status == "Recycle" else {
                return .wrong(
                    "Volume \"\(info.name)\" is \(isThere ? "empty" : "not there") on \(drive.description), but the catalog says "
                        + "that it holds \(grouped(info.bytes)) bytes")
            }
            guard drive.settings.labelsMedia else {
                return .unusable(
                    "Volume \"\(info.name)\" is not labelled on \(drive.description), and the device may not label volumes "
                        + "(Label Media = no).")
            }
            if !isThere { try driver.open(volume: info.name, for: .append, create: true) }
            return .needsLabel("Labeled new Volume \"\(info.name)\" on \(kindWord) device \(drive.description).")
        }
        let known: FoundLabel
        do throws(StorageError) { known = try readVolumeLabel(driver) } catch {
            return .wrong("Volume \"\(info.name)\" on \(drive.description): \(error.what)")
        }
        guard known.label.volumeName == info.name else {
            return .wrong("Wrong label on \(drive.description): \"\(info.name)\" is labelled \"\(known.label.volumeName)\"")
        }
        if info.status == "Recycle" {
            return .needsLabel(
                "Recycled volume \"\(info.name)\" on \(kindWord) device \(drive.description), all previous data lost.")
        }
        let size = try driver.volumeBytes()
        if !known.label.isInUse {
            guard !drive.isDisk || size == UInt64(known.blockBytes) else {
                return .wrong("Volume \"\(info.name)\" has the label of a volume never written, but data behind it")
            }
            return .needsLabel("Wrote label to prelabeled Volume \"\(info.name)\" on \(kindWord) device \(drive.description)")
        }
        if drive.isDisk, size < info.bytes {
            return .wrong(
                "Volume \"\(info.name)\" on \(drive.description) has \(grouped(size)) bytes, but the catalog says "
                    + "\(grouped(info.bytes)): its end is missing")
        }
        let end = try driver.seekToEndOfData()
        if drive.isDisk, end.address.rawValue < info.bytes {
            return .wrong(
                "Volume \"\(info.name)\" on \(drive.description) holds whole blocks up to \(grouped(end.address.rawValue)) only, but "
                    + "the catalog says \(grouped(info.bytes))")
        }
        return .appendable(end, size: size, labelBytes: known.blockBytes)
    }

    /// Writes the label of a volume in use and makes the volume the mounted one. The driver has the volume open.
    private func label(_ info: VolumeInfo, as message: String) throws(StorageError) -> Attempt {
        var info = info
        let block = volumeLabelBlock(
            isInUse: true, volume: info.name, pool: reservation.pool, mediaType: drive.settings.mediaType,
            daemonName: server.settings.name, session: job.session, isChecksummed: drive.settings.checksumsBlocks)
        do throws(DeviceError) {
            try drive.driver.writeLabel(block.span)
        } catch {
            return .hopeless(error.what)
        }
        info.jobs = 0
        info.files = 0
        info.blocks = 0
        info.bytes = UInt64(block.count)
        info.writes += 1
        info.firstWritten = WallTime.now.seconds
        info.status = "Append"
        info.type = UInt32(drive.driver.kind.rawValue)
        let updated = try catalog.updateMedia(info, relabel: true)
        info.mediaID = updated.mediaID
        catalog.log(.info, message)
        // Ties the volume to the job, should it die before it can say which of its files are there.
        try catalog.createJobMedia([JobMediaRange(mediaID: info.mediaID, firstIndex: 0, lastIndex: 0, start: 0, end: 0)])
        let end = drive.isDisk ? UInt64(block.count) : 1
        try install(info, end: end, isEmpty: true, wroteLabel: true)
        return .mounted
    }

    private func install(_ info: VolumeInfo, end: UInt64, isEmpty: Bool, wroteLabel: Bool) throws(StorageError) {
        var info = info
        info.mounts += 1
        info.type = UInt32(drive.driver.kind.rawValue)
        let generation = drive.io.withLock { io in
            io.volume = OpenVolume(info: info, end: end, isEmpty: isEmpty)
            io.syncedInfo = info
            io.users = []
            io.generation += 1
            return io.generation
        }
        server.table.state.withLock { state in
            state.uses[driveIndex].volume = info.name
            state.uses[driveIndex].pool = reservation.pool
        }
        try join(generation, wroteLabel: wroteLabel)
    }

    /// The volume is not what the catalog thinks: nobody shall write on it until an operator has looked.
    private func markError(_ info: VolumeInfo, _ reason: String) throws(StorageError) -> Attempt {
        catalog.logTolerated(.error, "\(reason). Marking Volume \"\(info.name)\" in Error in Catalog.")
        server.logger.error(
            "volume marked in error", metadata: ["volume": "\(info.name)", "job": "\(job.id)", "reason": "\(reason)"])
        var info = info
        info.status = "Error"
        info.errors += 1
        _ = try catalog.updateMedia(info)
        return .unusable
    }

    // MARK: - Waiting for an operator

    func noSpaceText(_ reason: String) -> String {
        "Job \(job.request.name) is waiting. No volume on \(drive.description) can be written: \(reason)\n"
            + "Please free some space there; the job goes on by itself, at once after a \"mount\" command."
    }

    /// Blocks until an operator did something here, or it is time to look again. Says so in the job's log.
    func waitForOperator(status: UInt8, _ text: String) throws(StorageError) {
        try catalog.send(status: status)
        catalog.log(.mount, text)
        server.table.state.withLock { $0.uses[driveIndex].waitsForOperator = true }
        defer { server.table.state.withLock { $0.uses[driveIndex].waitsForOperator = false } }
        let (calls, generation) = drive.io.read { ($0.operatorCalls, $0.generation) }
        let deadline = ContinuousClock.now + drive.settings.pollInterval
        let pause = min(server.settings.heartbeat > .zero ? server.settings.heartbeat : .seconds(300), .seconds(300))
        try job.waking(by: { [drive] in drive.io.withLock { _ in } }) { () throws(StorageError) in
            while ContinuousClock.now < deadline {
                let limit = min(pause, deadline - .now)
                let called: Bool? = drive.io.wait(atMost: max(limit, .zero)) { io in
                    io.operatorCalls != calls || io.generation != generation || job.isCancelled ? true : nil
                }
                try job.checkCancellation()
                if called == true { return }
                try catalog.heartbeat()
            }
        }
        try catalog.send(status: JobStatus.running)
    }

    var kindWord: String { drive.isDisk ? "File" : "Tape" }
}

/// `1,361,025`.
func grouped(_ number: UInt64) -> String {
    var text = ""
    for (position, digit) in String(number).reversed().enumerated() {
        if position > 0, position % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return String(text.reversed())
}
