// Reads from volumes what a bootstrap wants, and no more.

import Modules
import Platform
import Volumes
import Wire

/// The reading side of one job.
struct VolumeSelectionReader: Sendable {
    let server: StorageServer
    let job: StorageJob
    let catalog: CatalogConversation
    let driveIndex: Int

    private var drive: Drive { server.table.drives[driveIndex] }
    private var kindWord: String { drive.isDisk ? "File" : "Tape" }

    /// Fills `queue` with the records of all units, volume after volume in the order of the bootstrap.
    func read(_ bootstrap: Bootstrap, into queue: RecordQueue) throws(StorageError) {
        guard !bootstrap.units.isEmpty else { throw StorageError(.badCommand, "The job's bootstrap names no volumes.") }
        // Consecutive units on one volume are read in one pass. A record may begin on one volume and end on the next, so the
        // records' reader lives across them.
        var records = RecordReader()
        var batch = RecordQueue.Batch()
        var index = 0
        while index < bootstrap.units.count {
            let volumes = bootstrap.units[index].volumes
            var units: [Bootstrap.Unit] = []
            while index < bootstrap.units.count, bootstrap.units[index].volumes == volumes {
                units.append(bootstrap.units[index])
                index += 1
            }
            for volume in volumes { try read(volume, units, &records, &batch, queue) }
        }
        records.finish(at: .start) { problem in catalog.logTolerated(.error, problem.description) }
        try queue.push(&batch)
    }

    private func read(
        _ volume: String, _ units: [Bootstrap.Unit], _ records: inout RecordReader, _ batch: inout RecordQueue.Batch,
        _ queue: RecordQueue
    ) throws(StorageError) {
        let driver: any VolumeDevice
        do throws(DeviceError) { driver = try drive.separateDriver() } catch { throw StorageError(error) }
        server.table.beginReading(volume)
        job.state.withLock { $0.volumeName = volume }
        defer {
            try? driver.close()
            server.table.endReading(volume)
        }
        try open(volume, driver)
        catalog.log(.info, "Ready to read from volume \"\(volume)\" on \(kindWord) device \(drive.description).")
        var selection = BootstrapSelection(units: units)
        var buffer: [UInt8] = []
        var damages = 0
        if let first = selection.next(from: .start) {
            try seek(driver, to: first)
            catalog.log(.info, "Forward spacing Volume \"\(volume)\" to addr=\(first.rawValue)")
        }
        blocks: while !selection.isDone {
            try job.checkCancellation()
            let address = driver.position
            guard let wanted = selection.next(from: address) else { break }
            if wanted > address {
                try seek(driver, to: wanted)
                continue
            }
            let count: Int
            do throws(DeviceError) { count = try driver.readBlock(into: &buffer) } catch {
                if error.kind == .endOfData { break blocks }
                try tolerate(error.what, volume, address, &damages)
                guard try resynchronise(driver, behind: address) else { break blocks }
                continue
            }
            if count == 0 { continue }  // a filemark
            let block = buffer.span.extracting(0..<count)
            let header: BlockHeader
            do { header = try BlockHeader(checking: block) } catch {
                try tolerate(error.what, volume, address, &damages)
                guard try resynchronise(driver, behind: address) else { break blocks }
                continue
            }
            guard selection.wants(block: header, at: address) else { continue }
            try records.read(block, header: header, at: address) { (record, data) throws(StorageError) in
                if let kind = record.label {
                    let label = try? SessionLabel(decoding: data, fileIndex: record.fileIndex)
                    selection.see(label: label, kind: kind, session: record.session, at: record.end)
                    return
                }
                guard record.fileIndex > 0, selection.take(record) else { return }
                batch.entries.append(
                    RecordQueue.Batch.Entry(
                        session: record.session, fileIndex: record.fileIndex, stream: record.stream, count: data.count))
                // Copied while the span is borrowed.
                unsafe data.withUnsafeBufferPointer { unsafe batch.bytes.append(contentsOf: $0) }
                if batch.bytes.count >= RecordQueue.batchBytes || batch.entries.count >= 4096 { try queue.push(&batch) }
            } report: { problem in
                // After a seek into the middle of a volume the first record may be a continuation of one not wanted.
                if problem.kind != .beginningMissing || damages > 0 { catalog.logTolerated(.error, problem.description) }
            }
        }
        catalog.log(
            .info, "End of Volume \"\(volume)\" at addr=\(driver.position.rawValue) on device \(drive.description).")
    }

    /// Opens a volume and checks its label; waits for the operator while it is not there.
    private func open(_ volume: String, _ driver: any VolumeDevice) throws(StorageError) {
        if case .refused(let answer) = try catalog.volumeInfo(volume, forWriting: false) {
            throw StorageError(
                .noVolume, "The director does not let volume \"\(volume)\" be read: \(answer).", remedy: "Look at `list volumes`.")
        }
        while true {
            do throws(DeviceError) {
                try driver.open(volume: volume, for: .read, create: false)
                break
            } catch {
                try waitForMount(volume, error)
            }
        }
        let found = try readVolumeLabel(driver)
        guard found.label.volumeName == volume else {
            throw StorageError(
                .wrongVolume, "The volume \"\(volume)\" on \(drive.description) is labelled \"\(found.label.volumeName)\".",
                remedy: "Bring the right one and mount it.")
        }
        if !found.label.isInUse { catalog.logTolerated(.warning, "Volume \"\(volume)\" has a label, but was never written.") }
        do throws(DeviceError) { try driver.rewind() } catch { throw StorageError(error) }
    }

    private func waitForMount(_ volume: String, _ error: DeviceError) throws(StorageError) {
        try catalog.send(status: JobStatus.waitingForMount)
        catalog.log(
            .mount,
            "Job \(job.request.name) is waiting. Volume \"\(volume)\" can't be read on \(drive.description): \(error.what)\n"
                + "Please bring it there, then use the \"mount\" command.")
        let calls = drive.io.read { $0.operatorCalls }
        let deadline = ContinuousClock.now + drive.settings.pollInterval
        try job.waking(by: { [drive] in drive.io.withLock { _ in } }) { () throws(StorageError) in
            while ContinuousClock.now < deadline {
                let called: Bool? = drive.io.wait(atMost: min(.seconds(60), max(.zero, deadline - .now))) { io in
                    io.operatorCalls != calls || job.isCancelled ? true : nil
                }
                try job.checkCancellation()
                if called == true { break }
                try catalog.heartbeat()
            }
        }
        try catalog.send(status: JobStatus.running)
    }

    private func seek(_ driver: any VolumeDevice, to address: BlockAddress) throws(StorageError) {
        do throws(DeviceError) { try driver.seek(to: address) } catch { throw StorageError(error) }
    }

    /// Counts and reports a damaged block. A volume that is nothing but damage ends the job.
    private func tolerate(_ reason: String, _ volume: String, _ address: BlockAddress, _ damages: inout Int) throws(StorageError) {
        damages += 1
        catalog.logTolerated(.error, "Damaged block on Volume \"\(volume)\" at address \(address.rawValue): \(reason)")
        if damages >= 1000 {
            throw StorageError(.mediaError, "Volume \"\(volume)\" has more than \(damages) damaged blocks.")
        }
    }

    /// Moves to the next good block; false when there is none.
    private func resynchronise(_ driver: any VolumeDevice, behind address: BlockAddress) throws(StorageError) -> Bool {
        do throws(DeviceError) {
            _ = try driver.resynchronise(behind: address)
            return true
        } catch {
            if error.kind == .endOfData { return false }
            throw StorageError(error)
        }
    }
}
