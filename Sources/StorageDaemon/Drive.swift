// A device with its driver, and the volume that is open on it for writing.
//
// | who                 | does                                         | holds                     |
// |---------------------|----------------------------------------------|---------------------------|
// | every writing job   | appends blocks                               | io, per block             |
// | the job that mounts | changes the volume (`withChange`)            | the change, io per step   |
// | commands            | label, mount, unmount                        | the change                |
// | a reading job       | reads; on disk through a driver of its own   | nothing, or the drive     |
//
// While somebody holds the change, no block is written: writers wait, then look at the generation. A new generation means
// another volume, and each job first records its ranges on the old one.

import Configuration
import Modules
import Platform
import Volumes

/// A volume open for appending, shared by the jobs that write on it.
struct OpenVolume: Sendable {
    var info: VolumeInfo
    /// Address that the next block will get.
    var end: UInt64
    /// Nothing but the label is on it.
    var isEmpty: Bool
    /// No more blocks: a limit or the medium's end was met.
    var isFull = false
}

/// One Device resource at work.
final class Drive: Sendable {
    struct IO: Sendable {
        var volume: OpenVolume?
        /// Counts mounts.
        var generation = 0
        var isChanging = false
        /// Blocks written and blocks known to be on the medium, over all generations.
        var written: UInt64 = 0
        var synced: UInt64 = 0
        var bytesSinceFreeCheck: UInt64 = 0
        /// The volume's counts as far as the medium holds them: what the catalog may be told.
        var syncedInfo: VolumeInfo?
        /// Jobs that write on this volume.
        var users: Set<UInt32> = []
        /// What the last volume was, for the status text.
        var lastVolume: String?
        /// Changes whenever an operator mounted or labelled something: waiting jobs look again.
        var operatorCalls = 0
    }

    let settings: DriveSettings
    let driver: any VolumeDevice
    let io = Monitor(IO())
    private let reportTurn = Monitor(())
    private let makeDriver: @Sendable () throws(DeviceError) -> any VolumeDevice

    init(_ resource: Resource, modules: ModuleRegistry) throws(StorageError) {
        settings = DriveSettings(resource)
        let type = resource.text("DeviceType") ?? "File"
        guard let make = modules.module(forDeviceType: type)?.makeDevice else {
            throw StorageError(
                .noDevice, "No module of this program drives Device \(resource.name) of Device Type \(type).",
                remedy: "See `appliance modules` for what there is.")
        }
        makeDriver = { () throws(DeviceError) in try make(resource) }
        do { driver = try makeDriver() } catch { throw StorageError(error) }
    }

    init(settings: DriveSettings, makeDriver: @escaping @Sendable () throws(DeviceError) -> any VolumeDevice) throws(StorageError) {
        self.settings = settings
        self.makeDriver = makeDriver
        do { driver = try makeDriver() } catch { throw StorageError(error) }
    }

    var name: String { settings.name }
    var isDisk: Bool { driver.kind == .file }
    /// `"FileStor" (/srv/volumes)`.
    var description: String { "\"\(settings.name)\" (\(settings.archiveDevice))" }

    /// A driver beside the one that writes: on disk any number of volumes can be open at once.
    func separateDriver() throws(DeviceError) -> any VolumeDevice { isDisk ? try makeDriver() : driver }

    // MARK: - Changing the volume

    /// Runs `body` while no block is written and nobody else changes the volume.
    func withChange<R>(for job: StorageJob?, _ body: () throws(StorageError) -> R) throws(StorageError) -> R {
        try beginChange(for: job)
        defer { endChange() }
        return try body()
    }

    func beginChange(for job: StorageJob?) throws(StorageError) {
        let wait = { () throws(StorageError) in
            _ = try self.io.wait { io throws(StorageError) -> Bool? in
                try job?.checkCancellation()
                if io.isChanging { return nil }
                io.isChanging = true
                return true
            }
        }
        if let job { try job.waking(by: { [io] in io.withLock { _ in } }, wait) } else { try wait() }
    }

    func endChange() { io.withLock { $0.isChanging = false } }

    /// Waiting jobs look again: the operator did something.
    func noteOperatorCall() { io.withLock { $0.operatorCalls += 1 } }

    /// Runs `body`, which reports the volume to the catalog, while no other job does.
    func reporting<R>(_ body: () throws(StorageError) -> R) throws(StorageError) -> R {
        try reportTurn.withLock { (_: inout ()) throws(StorageError) -> R in try body() }
    }

    // MARK: - Blocks

    enum WriteOutcome: Sendable {
        case written(address: UInt64, sequence: UInt64)
        /// The volume takes no more blocks, for this reason; nothing was written.
        case full(String)
        /// There is no room for even a first block: another volume here would not help.
        case noSpace(String)
        /// No volume, or another one than the caller knows.
        case otherVolume
    }

    /// Appends one sealed block, if the volume is still the one of `generation`. Waits while the volume is being changed.
    func write(_ block: [UInt8], generation: Int, job: StorageJob) throws(StorageError) -> WriteOutcome {
        do throws(DeviceError) {
            let outcome: WriteOutcome? = try io.wait { io throws(DeviceError) -> WriteOutcome? in
                if io.isChanging { return job.isCancelled ? .otherVolume : nil }
                guard io.generation == generation, var volume = io.volume else { return .otherVolume }
                if volume.isFull { return .full("another job found it full") }
                if let reason = self.limitReached(by: block.count, volume) {
                    io.volume?.isFull = true
                    return .full(reason)
                }
                io.bytesSinceFreeCheck += UInt64(block.count)
                if volume.isEmpty || io.bytesSinceFreeCheck >= 16 << 20 {
                    io.bytesSinceFreeCheck = 0
                    if let reason = self.lackOfSpace() {
                        if volume.isEmpty { return .noSpace(reason) }
                        io.volume?.isFull = true
                        return .full(reason)
                    }
                }
                let began = ContinuousClock.now
                do throws(DeviceError) {
                    let address = try self.driver.writeBlock(block.span)
                    io.written += 1
                    volume.end = self.isDisk ? address.rawValue + UInt64(block.count) : address.rawValue + 1
                    volume.isEmpty = false
                    volume.info.blocks &+= 1
                    volume.info.writes += 1
                    volume.info.bytes = self.isDisk ? volume.end : volume.info.bytes + UInt64(block.count)
                    if volume.info.firstWritten == 0 { volume.info.firstWritten = WallTime.now.seconds }
                    volume.info.writeTime &+= (ContinuousClock.now - began).microseconds
                    io.volume = volume
                    return .written(address: address.rawValue, sequence: io.written)
                } catch {
                    guard error.kind == .endOfMedium else { throw error }
                    if volume.isEmpty { return .noSpace(error.what) }
                    io.volume?.isFull = true
                    return .full(error.what)
                }
            }
            return outcome ?? .otherVolume
        } catch { throw StorageError(error) }
    }

    /// Why a block of this size may not be written, or nil. An empty volume takes a block whatever its limit says, else a
    /// limit that is smaller than a block would use up volume after volume.
    private func limitReached(by count: Int, _ volume: OpenVolume) -> String? {
        let size = volume.info.bytes + UInt64(count)
        if !volume.isEmpty {
            if volume.info.bytesMax > 0, size > volume.info.bytesMax {
                return "Maximum Volume Bytes \(volume.info.bytesMax) reached"
            }
            if settings.volumeBytesMax > 0, size > settings.volumeBytesMax {
                return "the device's Maximum Volume Size \(settings.volumeBytesMax) reached"
            }
        }
        return nil
    }

    /// Why nothing more should be written here, or nil.
    func lackOfSpace() -> String? {
        guard let free = driver.freeBytes(), free < settings.freeBytesMin else { return nil }
        return "only \(free) bytes are free, and Minimum Free Space is \(settings.freeBytesMin)"
    }

    /// Returns once the medium holds block `sequence`. A sync that another job has just made counts.
    func sync(upTo sequence: UInt64) throws(StorageError) {
        do throws(DeviceError) {
            try io.withLock { io throws(DeviceError) in
                // Closing a volume syncs it, so after a volume change everything before is on the medium.
                guard io.synced < sequence else { return }
                try self.driver.sync()
                io.synced = io.written
                io.syncedInfo = io.volume?.info
            }
        } catch { throw StorageError(error) }
    }

    /// Closes the volume, durably, and returns its final counts. The caller holds the change.
    @discardableResult
    func closeVolume() throws(StorageError) -> VolumeInfo? {
        do throws(DeviceError) {
            return try io.withLock { io throws(DeviceError) in
                defer {
                    io.lastVolume = io.volume?.info.name ?? io.lastVolume
                    io.volume = nil
                    io.syncedInfo = nil
                    io.users = []
                    io.generation += 1
                }
                try self.driver.close()
                io.synced = io.written
                return io.volume?.info
            }
        } catch { throw StorageError(error) }
    }
}

extension Duration {
    /// Whole microseconds, for the catalog's times of reading and writing.
    var microseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(max(0, seconds)) * 1_000_000 + UInt64(max(0, attoseconds / 1_000_000_000_000))
    }
}
