import DiskRepository
import Glibc
import Modules
import Testing
import TestSupport
import Volumes

@Suite("A disk device")
struct FileDeviceTests {
    let directory = TemporaryDirectory()
    var device: FileDevice { FileDevice(name: "Disk", directory: directory.path) }

    /// Writes a volume of `count` blocks and returns it, closed.
    func volume(_ count: UInt32, name: String = "Vol-1", bytes: Int = 1000) throws -> FileDevice {
        let device = device
        try device.open(volume: name, for: .append, create: true)
        _ = try device.seekToEndOfData()
        for number in 0..<count { _ = try device.writeBlock(Bench.block(number, count: bytes).span) }
        try device.close()
        return device
    }

    /// Changes the file behind the device's back.
    func change(_ name: String = "Vol-1", _ body: (inout [UInt8]) -> Void) {
        let path = directory.file(name)
        let file = unsafe fopen(path, "r+")!
        var bytes = [UInt8](repeating: 0, count: 1 << 22)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        bytes.removeLast(bytes.count - count)
        body(&bytes)
        unsafe rewind(file)
        unsafe fwrite(bytes, 1, bytes.count, file)
        unsafe fflush(file)
        unsafe ftruncate(fileno(file), bytes.count)
        unsafe fclose(file)
    }

    @Test(
        "refuses names that would lead out of its directory or hide",
        arguments: ["", ".", "..", ".hidden", "a/b", "/etc/passwd", "a\nb", "a\0b", String(repeating: "x", count: 128)])
    func badNames(name: String) {
        #expect { try device.open(volume: name, for: .append, create: true) } throws: {
            ($0 as? DeviceError)?.kind == .noSuchVolume
        }
    }

    @Test("refuses symbolic links, directories and FIFOs, without blocking")
    func notFiles() throws {
        unsafe symlink("/etc/passwd", directory.file("link"))
        unsafe symlink("/nowhere", directory.file("dangling"))
        unsafe mkfifo(directory.file("fifo"), 0o600)
        unsafe mkdir(directory.file("dir"), 0o700)
        for name in ["link", "dangling", "fifo", "dir"] {
            #expect(throws: DeviceError.self, "\(name)") { try device.open(volume: name, for: .read, create: false) }
            #expect(throws: DeviceError.self, "\(name)") { try device.open(volume: name, for: .append, create: true) }
        }
        #expect(try device.volumeNames() == [])
    }

    @Test("says so when its directory is missing")
    func noDirectory() {
        let device = FileDevice(name: "Disk", directory: directory.file("missing"))
        #expect { try device.open(volume: "a", for: .append, create: true) } throws: { "\($0)".contains("does not exist") }
        #expect(throws: DeviceError.self) { try device.volumeNames() }
    }

    @Test("lets one owner append at a time, and readers beside it")
    func locking() throws {
        let (one, two) = (device, device)
        try one.open(volume: "Vol-1", for: .append, create: true)
        #expect { try two.open(volume: "Vol-1", for: .append, create: false) } throws: { ($0 as? DeviceError)?.kind == .busy }
        #expect(two.openVolume == nil)
        try two.open(volume: "Vol-1", for: .read, create: false)
        try one.close()
        try two.open(volume: "Vol-1", for: .append, create: false)
    }

    @Test("finds the end of a whole volume, and appends there")
    func wholeVolume() throws {
        let device = try volume(5)
        try device.open(volume: "Vol-1", for: .append, create: false)
        #expect(try device.seekToEndOfData() == EndOfData(address: .init(rawValue: 5000)))
    }

    @Test(
        "finds the last whole block before a torn tail, and cuts the tail off with the next write",
        arguments: [1, 15, 23, 24, 500, 999])
    func tornTail(bytes: Int) throws {
        let device = try volume(5)
        change { $0.removeLast(1000 - bytes) }
        try device.open(volume: "Vol-1", for: .append, create: false)
        #expect(try device.seekToEndOfData() == EndOfData(address: .init(rawValue: 4000), tornBytes: UInt64(bytes)))
        #expect(try device.volumeBytes() == UInt64(4000 + bytes))
        #expect(try device.writeBlock(Bench.block(7, count: 30).span).rawValue == 4000)
        #expect(try device.volumeBytes() == 4030)
        #expect(try device.seekToEndOfData() == EndOfData(address: .init(rawValue: 4030)))
    }

    @Test("takes blocks that a power cut emptied for a torn tail")
    func emptiedTail() throws {
        let device = try volume(6)
        change { bytes in for index in 4000..<6000 where index >= 4030 { bytes[index] = 0 } }
        try device.open(volume: "Vol-1", for: .append, create: false)
        #expect(try device.seekToEndOfData() == EndOfData(address: .init(rawValue: 4000), tornBytes: 2000))
    }

    @Test("is not misled about the end by damage in the middle")
    func damageInTheMiddle() throws {
        let device = try volume(6)
        change { bytes in
            for index in 2000..<2030 { bytes[index] = 0xEE }
            bytes.removeLast(10)
        }
        try device.open(volume: "Vol-1", for: .append, create: false)
        #expect(try device.seekToEndOfData() == EndOfData(address: .init(rawValue: 5000), tornBytes: 990))
    }

    @Test("leaves a file alone that holds no block at all")
    func notAVolume() throws {
        let device = try volume(1)
        change { $0 = Array("This is somebody's letter.\n".utf8) }
        try device.open(volume: "Vol-1", for: .append, create: false)
        #expect { try device.seekToEndOfData() } throws: { ($0 as? DeviceError)?.kind == .mediaError }
        #expect(throws: DeviceError.self) { try device.writeBlock(Bench.block(1).span) }
        #expect(try device.volumeBytes() == 27)
    }

    @Test("does not take the block of a volume that was itself backed up for one of its own")
    func nestedVolume() throws {
        let device = device
        try device.open(volume: "Vol-1", for: .append, create: true)
        _ = try device.seekToEndOfData()
        _ = try device.writeBlock(Bench.block(0).span)
        var outer = Bench.block(1, count: 5000)
        outer.replaceSubrange(1000..<2000, with: Bench.block(77, session: 99))
        var header = BlockHeader(number: 1, session: SessionIdentity(id: 1, time: 1), blockBytes: 5000)
        header.write(into: &outer)
        _ = try device.writeBlock(outer.span)
        _ = try device.writeBlock(Bench.block(2).span)
        try device.close()
        change { $0[1500 + 3000] ^= 1 }
        try device.open(volume: "Vol-1", for: .read, create: false)
        #expect(try device.resynchronise(behind: .init(rawValue: 1000)).rawValue == 6000)
    }

    @Test("resynchronises at the next whole block behind garbage of any length", arguments: [1, 20, 500, 1000, 1700])
    func resynchronise(length: Int) throws {
        let device = try volume(6)
        change { bytes in for index in 1000..<1000 + length { bytes[index] = 0x42 } }
        try device.open(volume: "Vol-1", for: .read, create: false)
        let expected: UInt64 = length <= 1000 ? 2000 : 3000
        #expect(try device.resynchronise(behind: .init(rawValue: 1000)).rawValue == expected)
        #expect(device.position.rawValue == expected)
        #expect { try device.resynchronise(behind: .init(rawValue: 5000)) } throws: { ($0 as? DeviceError)?.kind == .endOfData }
    }

    @Test(
        "ends a volume with the block before when the disk is full",
        .enabled(if: SmallDisk.isPossible, "mounting a tmpfs needs root"))
    func fullDisk() throws {
        let disk = try #require(SmallDisk(kibibytes: 256))
        let device = FileDevice(name: "Disk", directory: disk.path)
        try device.open(volume: "Vol-1", for: .append, create: true)
        _ = try device.seekToEndOfData()
        var written: UInt32 = 0
        #expect {
            while written < 100 {
                _ = try device.writeBlock(Bench.block(written, count: 10_000).span)
                written += 1
            }
        } throws: { ($0 as? DeviceError)?.kind == .endOfMedium }
        #expect(written > 10)
        #expect(try device.volumeBytes() == UInt64(written) * 10_000)
        try device.close()
        try device.open(volume: "Vol-1", for: .append, create: false)
        #expect(try device.seekToEndOfData().tornBytes == 0)
        #expect(device.freeBytes() != nil)
        try device.close()
    }
}

/// A tmpfs of a test's own.
final class SmallDisk {
    static var isPossible: Bool { geteuid() == 0 }
    private let directory = TemporaryDirectory()
    var path: String { directory.path }

    init?(kibibytes: Int) {
        guard unsafe mount("tmpfs", path, "tmpfs", 0, "size=\(kibibytes)k") == 0 else { return nil }
    }
    deinit { unsafe umount2(path, Int32(MNT_DETACH)) }
}
