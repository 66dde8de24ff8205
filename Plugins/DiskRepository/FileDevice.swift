// A disk device: a directory with one file per volume.
//
// | what                 | how                                                                                       |
// |----------------------|-------------------------------------------------------------------------------------------|
// | a volume's name      | is its file's name; no `/`, no leading `.`, at most 127 bytes                              |
// | two writers          | flock(2) on the file of an appending owner; the second one is refused                      |
// | a symbolic link      | is refused: a volume is where the administrator put the directory                          |
// | a full disk          | the part of the block that was written is cut off again: the volume ends with the block before |
// | a crash              | leaves at most a torn tail, which the next block replaces                                |
//
// Every block is one pwrite(2). Collecting them into larger calls was rejected: at 64 KiB the call itself is some percent of
// the copy it makes, and a full disk would then be reported for blocks that were accepted long before.

package import Modules
import Platform
package import Volumes

package final class FileDevice: VolumeDevice, @unchecked Sendable {
    // Unchecked: the contract gives a device one owner at a time, so nothing here is touched from two threads at once.

    package let kind = DeviceKind.file
    package let description: String
    package let directory: String
    package private(set) var openVolume: String?

    private enum State: ~Copyable {
        case closed
        case open(VolumeFile)
    }
    private var state = State.closed

    /// - Parameters:
    ///   - name: The Device resource's name, for messages.
    ///   - directory: `Archive Device`. Need not exist before the first volume is opened.
    package init(name: String, directory: String) {
        description = "\"\(name)\" (\(directory))"
        self.directory = directory
    }

    deinit { try? close() }

    // MARK: - Opening

    package func open(volume: String, for access: VolumeAccess, create: Bool) throws(DeviceError) {
        try close()
        guard Self.isUsable(name: volume) else {
            throw DeviceError(
                .noSuchVolume, "\"\(volume)\" can't be the name of a volume on device \(description).",
                remedy: "Names have 1 to 127 bytes, no `/` and no control characters, and don't begin with a dot.")
        }
        guard Directory.exists(directory) else {
            throw DeviceError(
                .system, "The directory of device \(description) does not exist.",
                remedy: "Create it, owned by the storage daemon's user, or correct `Archive Device`.")
        }
        let path = "\(directory)/\(volume)"
        do throws(SystemError) {
            state = .open(VolumeFile(try openFile(path, access, create), access: access))
        } catch {
            throw openError(error, volume)
        }
        openVolume = volume
        if access == .append, try !withFile({ file throws(SystemError) in try file.lock() }) {
            state = .closed
            openVolume = nil
            throw DeviceError(
                .busy, "Volume \"\(volume)\" on device \(description) is being written by another process or device.",
                remedy: "Wait until that job has ended; two storage daemons must not share a directory of volumes.")
        }
    }

    private func openFile(_ path: String, _ access: VolumeAccess, _ create: Bool) throws(SystemError) -> OpenFile {
        if access == .append, create {
            do throws(SystemError) {
                return try OpenFile.created(path)
            } catch {
                guard error.isAlreadyThere else { throw error }
            }
        }
        return try OpenFile.regular(path, access == .read ? .read : .readWrite)
    }

    private func openError(_ error: SystemError, _ volume: String) -> DeviceError {
        if error.isNotFound {
            return DeviceError(.noSuchVolume, "There is no volume \"\(volume)\" on device \(description).")
        }
        if error.isSymbolicLink || error.isNotRegularFile {
            return DeviceError(
                .noSuchVolume, "\"\(volume)\" on device \(description) is not a regular file.",
                remedy: "Volumes are regular files; symbolic links are not followed.")
        }
        if error.isReadOnly {
            return DeviceError(
                .readOnly, "Volume \"\(volume)\" on device \(description) can't be opened: \(error.reason).",
                remedy: "Check its owner and mode; the storage daemon's user needs to read and write it.")
        }
        return deviceError(error, volume)
    }

    /// Whether a volume of that name could be here.
    package static func isUsable(name: String) -> Bool {
        let bytes = name.utf8
        return (1...127).contains(bytes.count) && bytes.first != UInt8(ascii: ".")
            && bytes.allSatisfy { $0 != UInt8(ascii: "/") && $0 >= 32 && $0 != 127 }
    }

    package func close() throws(DeviceError) {
        guard let volume = openVolume else { return }
        openVolume = nil
        var taken = State.closed
        swap(&taken, &state)
        switch consume taken {
        case .closed: return
        case .open(let file):
            do throws(SystemError) { try file.close() } catch { throw deviceError(error, volume) }
        }
    }

    // MARK: - Reading and positions

    package var position: BlockAddress {
        switch state {
        case .closed: .start
        case .open(let file): BlockAddress(rawValue: UInt64(file.position))
        }
    }

    package func readBlock(into buffer: inout [UInt8]) throws(DeviceError) -> Int {
        switch try withFile({ file throws(SystemError) in try file.readBlock(into: &buffer) }) {
        case .block(let count): return count
        case .end: throw DeviceError(.endOfData, "Volume \"\(openVolume ?? "")\" ends here.")
        case .damaged(let reason):
            throw DeviceError(
                .mediaError, "Volume \"\(openVolume ?? "")\" on device \(description) is damaged at \(position.rawValue): \(reason)"
            )
        }
    }

    package func resynchronise(behind address: BlockAddress) throws(DeviceError) -> BlockAddress {
        let found = try withFile { file throws(SystemError) in try file.resynchronise(behind: Int64(clamping: address.rawValue)) }
        guard let found else { throw DeviceError(.endOfData, "Volume \"\(openVolume ?? "")\" has no further block.") }
        return BlockAddress(rawValue: UInt64(found))
    }

    package func seek(to address: BlockAddress) throws(DeviceError) {
        try withFile { file throws(SystemError) in file.position = Int64(clamping: address.rawValue) }
    }

    package func rewind() throws(DeviceError) { try seek(to: .start) }

    package func seekToEndOfData() throws(DeviceError) -> EndOfData {
        let (end, torn) = try withFile { file throws(SystemError) in try file.seekToEndOfData() }
        guard end > 0 || torn == 0 else {
            throw DeviceError(
                .mediaError, "Volume \"\(openVolume ?? "")\" on device \(description) holds \(torn) bytes and no readable block.",
                remedy: "It was left as it is. Look at it with `appliance volume list`; truncate or delete it if it is of no use.")
        }
        return EndOfData(address: BlockAddress(rawValue: UInt64(end)), tornBytes: UInt64(torn))
    }

    // MARK: - Writing

    package func writeBlock(_ block: Span<UInt8>) throws(DeviceError) -> BlockAddress {
        if try withFile({ file throws(SystemError) in file.end == nil }) { _ = try seekToEndOfData() }
        let address = try withFile { file throws(SystemError) in try file.write(block) }
        return BlockAddress(rawValue: UInt64(address))
    }

    package func writeLabel(_ block: Span<UInt8>) throws(DeviceError) {
        try withFile { file throws(SystemError) in try file.replaceAll(with: block) }
    }

    package func writeFilemark() throws(DeviceError) {}

    package func sync() throws(DeviceError) {
        try withFile { file throws(SystemError) in try file.sync() }
    }

    package func truncate(at address: BlockAddress) throws(DeviceError) {
        try withFile { file throws(SystemError) in try file.truncate(at: Int64(clamping: address.rawValue)) }
    }

    // MARK: - Room

    package func volumeBytes() throws(DeviceError) -> UInt64 {
        try withFile { file throws(SystemError) in UInt64(try file.size()) }
    }

    package func freeBytes() -> UInt64? { Directory.freeBytes(at: directory) }

    package func volumeNames() throws(DeviceError) -> [String]? {
        do throws(SystemError) {
            return try Directory.regularFiles(in: directory).filter(Self.isUsable).sorted()
        } catch {
            throw DeviceError(
                .system, "The volumes of device \(description) can't be listed: \(error.reason).",
                remedy: "Check that the directory exists and that the storage daemon's user may read it.")
        }
    }

    // MARK: - The open file

    private func withFile<Result>(_ body: (inout VolumeFile) throws(SystemError) -> Result) throws(DeviceError) -> Result {
        var taken = State.closed
        swap(&taken, &state)
        switch consume taken {
        case .closed:
            throw DeviceError(.noSuchVolume, "No volume is open on device \(description).")
        case .open(var file):
            do throws(SystemError) {
                let result = try body(&file)
                state = .open(file)
                return result
            } catch {
                state = .open(file)
                throw deviceError(error, openVolume ?? "")
            }
        }
    }

    private func deviceError(_ error: SystemError, _ volume: String) -> DeviceError {
        if error.isNoSpace {
            return DeviceError(
                .endOfMedium, "There is no more room for volume \"\(volume)\" on device \(description): \(error.reason).",
                remedy: "Free some space, or give the pool a volume on another device.")
        }
        return DeviceError(
            .system, "Volume \"\(volume)\" on device \(description): \(error.call) failed: \(error.reason).", remedy: error.remedy)
    }
}
