// The contract between a storage daemon and what holds volumes: a tape drive, or a directory of volume files.
//
// A driver knows blocks, filemarks and positions; never pools, jobs or the catalog. Everything above (labels, records,
// sessions, when a volume is full by the rules of its pool) is shared by all drivers and lives in Volumes and StorageDaemon.

package import Configuration
import Platform

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

/// Where a block is: on disk a byte offset, on tape `file << 32 | block` (bacula-wire 6.2).
package struct BlockAddress: Hashable, Comparable, Sendable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package var file: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
    package var block: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
    package static func < (a: BlockAddress, b: BlockAddress) -> Bool { a.rawValue < b.rawValue }
}

/// The numbers of VolType in the catalog protocol.
package enum DeviceKind: Int, Sendable { case file = 1, tape = 2, fifo = 4 }

/// One device as its driver offers it. Used by one owner at a time: the storage daemon's device actor or thread.
/// Every call blocks until the medium has answered.
package protocol VolumeDevice: AnyObject, Sendable {
    var kind: DeviceKind { get }
    /// `"FileStor" (/srv/volumes)`: how the device prints itself.
    var description: String { get }

    /// Opens the named volume, positioned at its first block. A disk device opens the file of that name; with `create` it
    /// makes an empty one where there is none, durably (file and directory synced).
    func open(volume: String, for access: VolumeAccess, create: Bool) throws(DeviceError)
    /// Syncs what was written and closes the volume; does nothing when none is open.
    func close() throws(DeviceError)
    var openVolume: String? { get }

    /// Reads the block under the head into `buffer` and moves past it.
    /// - Returns: Bytes of the block, which `buffer` begins with; 0 at a filemark. The driver finds the block's length by
    ///   the BB02 header on disk, by the record on tape. `buffer` grows as needed up to 20,000,000 bytes.
    /// - Throws: `.endOfData` after the last block, `.mediaError` for what can't be read (the head has then moved past it
    ///   where that is possible).
    func readBlock(into buffer: inout [UInt8]) throws(DeviceError) -> Int
    /// Writes one block at the end of what was written and returns its address. All or nothing as seen by later readers:
    /// after `.endOfMedium` the volume ends with the block before.
    func writeBlock(_ block: Span<UInt8>) throws(DeviceError) -> BlockAddress
    /// Ends a file on tape; nothing on disk.
    func writeFilemark() throws(DeviceError)
    /// Moves to the block at `address`.
    func seek(to address: BlockAddress) throws(DeviceError)
    /// Moves behind the last block and returns the address that the next one will get.
    func seekToEndOfData() throws(DeviceError) -> BlockAddress
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
    /// The names of the volumes here, or nil when that can't be known without reading labels (tape).
    func volumeNames() throws(DeviceError) -> [String]?
}

package enum VolumeAccess: Sendable { case read, append }

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
