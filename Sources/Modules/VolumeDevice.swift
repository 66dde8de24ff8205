// The contract between a storage daemon and what holds volumes: a tape drive, or a directory of volume files.
//
// A driver knows blocks, filemarks and positions; never pools, jobs or the catalog. Everything above (labels, records,
// sessions, when a volume is full by the rules of its pool) is shared by all drivers and lives in Volumes and StorageDaemon.

package import Configuration
import Platform
package import Volumes

/// A failed device operation.
package struct DeviceError: PresentableError {
    package enum Code: String, Sendable {
        /// No volume of that name is here (a disk device has no such file; a drive is empty).
        case noSuchVolume = "no-such-volume"
        /// The medium has no room: the block was not written, or only part of it, and the volume is at its end.
        case endOfMedium = "end-of-medium"
        /// After the last block.
        case endOfData = "end-of-data"
        case mediaError = "media-error"
        case readOnly = "read-only"
        case busy = "device-busy"
        /// The operation makes no sense on this kind of device.
        case unsupported
        case system
    }
    package var kind: Code
    package var what: String
    package var remedy: String
    package init(_ kind: Code, _ what: String, remedy: String = "") {
        self.kind = kind
        self.what = what
        self.remedy = remedy
    }
    package var code: String { kind.rawValue }
}

/// The numbers of VolType in the catalog protocol.
package enum DeviceKind: Int, Sendable { case file = 1, tape = 2, fifo = 4 }

/// One device as its driver offers it. Used by one owner at a time: the storage daemon's device actor or thread.
/// Every call blocks until the medium has answered.
///
/// The head stands between blocks. Reading and writing move it forward by one block; on every device a write happens at the
/// end of the data: `seekToEndOfData` comes first, or `writeLabel` on a volume that holds nothing else.
package protocol VolumeDevice: AnyObject, Sendable {
    var kind: DeviceKind { get }
    /// `"FileStor" (/srv/volumes)`: how the device prints itself.
    var description: String { get }

    /// Opens the named volume, positioned at its first block. A disk device opens the file of that name; with `create` it
    /// makes an empty one where there is none, durably (file and directory synced). An append access is exclusive: a
    /// second one, by whatever process, is `.busy`; reading is always possible beside it.
    func open(volume: String, for access: VolumeAccess, create: Bool) throws(DeviceError)
    /// Syncs what was written and closes the volume; does nothing when none is open. Closed afterwards, even when it throws.
    func close() throws(DeviceError)
    var openVolume: String? { get }

    /// The address of the block under the head: the one that `readBlock` reads next.
    var position: BlockAddress { get }
    /// Reads the block under the head into `buffer` and moves past it. The driver finds the block's length by its header on
    /// disk, by the record on tape; whether the block is whole is for the caller to find by its checksum.
    /// - Parameter buffer: Grows as needed, up to 20,000,000 bytes; its bytes past the returned count are meaningless.
    /// - Returns: Bytes of the block, which `buffer` begins with; 0 at a filemark.
    /// - Throws: `.endOfData` after the last block. `.mediaError` for what can't be read or is no block; the head then still
    ///   stands there, and `resynchronise` gets past it.
    func readBlock(into buffer: inout [UInt8]) throws(DeviceError) -> Int
    /// After damage: moves to the next block behind `address` that has a plausible header and a matching checksum, and
    /// returns its address. A tape drive, whose blocks have borders of their own, moves to the next one.
    /// - Throws: `.endOfData` when there is none.
    func resynchronise(behind address: BlockAddress) throws(DeviceError) -> BlockAddress

    /// Writes one block at the end of what was written and returns its address. All or nothing as seen by later readers:
    /// after `.endOfMedium` (or any other error) the volume ends with the block before.
    func writeBlock(_ block: Span<UInt8>) throws(DeviceError) -> BlockAddress
    /// Makes `block` the volume's only content, durably, and leaves the head behind it: for new and recycled volumes, and
    /// to mark a labelled volume as in use.
    func writeLabel(_ block: Span<UInt8>) throws(DeviceError)
    /// Ends a file on tape; nothing on disk.
    func writeFilemark() throws(DeviceError)
    /// Moves to the block at `address`.
    func seek(to address: BlockAddress) throws(DeviceError)
    /// Moves behind the last whole block. What a crash left behind that stays until the next `writeBlock` cuts it off.
    /// - Throws: `.mediaError` where the volume holds something and no block is found in it.
    func seekToEndOfData() throws(DeviceError) -> EndOfData
    /// Back to the first block.
    func rewind() throws(DeviceError)
    /// Returns once the medium holds everything written so far.
    func sync() throws(DeviceError)
    /// Cuts the open volume off at `address`: everything from there on is gone. Recycling cuts at 0.
    func truncate(at address: BlockAddress) throws(DeviceError)
    /// Size of the open volume in bytes.
    func volumeBytes() throws(DeviceError) -> UInt64
    /// Free bytes where the volumes live, or nil when that has no meaning.
    func freeBytes() -> UInt64?
    /// The names of the volumes here, sorted, or nil when that can't be known without reading labels (tape).
    func volumeNames() throws(DeviceError) -> [String]?
}

package enum VolumeAccess: Sendable { case read, append }

/// Where the data of a volume end.
package struct EndOfData: Hashable, Sendable {
    /// The address that the next block will get.
    package var address: BlockAddress
    /// Bytes behind the last whole block that belong to none: a write that a crash cut short. Compare the catalog's
    /// VolBytes with `address` before appending: what was reported as written must lie before it.
    package var tornBytes: UInt64
    package init(address: BlockAddress, tornBytes: UInt64 = 0) {
        self.address = address
        self.tornBytes = tornBytes
    }
}

/// An in-tree module, as `appliance modules` lists it.
package struct Module: Sendable {
    package var name: String
    /// One line for the operator.
    package var summary: String
    /// Device Type words it answers to: `File`, `Tape`, …
    package var deviceTypes: [String]
    /// Makes the device of a Device resource. Called once per resource at start-up; opens nothing yet.
    package var makeDevice: (@Sendable (Resource) throws(DeviceError) -> any VolumeDevice)?
    package init(
        name: String, summary: String, deviceTypes: [String] = [],
        makeDevice: (@Sendable (Resource) throws(DeviceError) -> any VolumeDevice)? = nil
    ) {
        self.name = name
        self.summary = summary
        self.deviceTypes = deviceTypes
        self.makeDevice = makeDevice
    }
}

/// The in-tree modules of this binary, handed to the roles.
package struct ModuleRegistry: Sendable {
    package var modules: [Module]
    package init(_ modules: [Module]) { self.modules = modules }
    /// The module for a Device resource: by DeviceType, or guessed from ArchiveDevice (a directory is File).
    package func module(forDeviceType type: String) -> Module? {
        modules.first { $0.deviceTypes.contains { $0.lowercased() == type.lowercased() } }
    }
}
