import DiskRepository
import Modules
import Testing
import TestSupport
import Volumes

/// What every driver must pass. A new one is finished when it is in this list and the suite is green.
enum DeviceUnderTest: CaseIterable {
    case file, simulated
}

/// A device and what it needs to live.
final class Bench {
    let device: any VolumeDevice
    private let directory = TemporaryDirectory()

    init(_ kind: DeviceUnderTest) {
        device =
            switch kind {
            case .file: FileDevice(name: "Bench", directory: directory.path)
            case .simulated: SimulatedDevice()
            }
    }

    /// A block of `count` bytes with a valid header.
    static func block(_ number: UInt32, count: Int = 1000, session: UInt32 = 1) -> [UInt8] {
        var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: count)
        var header = BlockHeader(number: number, session: SessionIdentity(id: session, time: 1), blockBytes: count)
        header.write(into: &bytes)
        return bytes
    }

    func blocks() -> [[UInt8]] {
        var blocks: [[UInt8]] = []
        var buffer: [UInt8] = []
        while let count = try? device.readBlock(into: &buffer) { blocks.append(Array(buffer[..<count])) }
        return blocks
    }
}

@Suite("Every device")
struct VolumeDeviceContractTests {
    static let sizes = [208, 24, 64_512, 300, 1_048_576 + 24, 100]

    @Test(
        "gives back the blocks written to it, of every size, in order and at their addresses", arguments: DeviceUnderTest.allCases)
    func roundTrip(kind: DeviceUnderTest) throws {
        let bench = Bench(kind)
        let device = bench.device
        try device.open(volume: "Vol-1", for: .append, create: true)
        #expect(try device.seekToEndOfData().address == .start)
        let blocks = Self.sizes.enumerated().map { Bench.block(UInt32($0), count: $1) }
        var addresses: [BlockAddress] = []
        for block in blocks { addresses.append(try device.writeBlock(block.span)) }
        try device.sync()
        #expect(addresses == addresses.sorted() && Set(addresses).count == addresses.count)
        #expect(try device.volumeBytes() == UInt64(Self.sizes.reduce(0, +)))
        try device.rewind()
        #expect(bench.blocks() == blocks)
        try device.close()
        try device.open(volume: "Vol-1", for: .read, create: false)
        #expect(device.position == .start)
        #expect(bench.blocks() == blocks)
        for index in [4, 0, 3] {
            try device.seek(to: addresses[index])
            var buffer: [UInt8] = []
            #expect(try device.readBlock(into: &buffer) == Self.sizes[index])
        }
        #expect(device.openVolume == "Vol-1")
        try device.close()
        #expect(device.openVolume == nil)
        try device.close()
    }

    @Test("says endOfData behind the last block, again and again", arguments: DeviceUnderTest.allCases)
    func endOfData(kind: DeviceUnderTest) throws {
        let bench = Bench(kind)
        try bench.device.open(volume: "Vol-1", for: .append, create: true)
        try bench.device.writeLabel(Bench.block(0).span)
        var buffer: [UInt8] = []
        for _ in 0..<2 {
            #expect { try bench.device.readBlock(into: &buffer) } throws: { ($0 as? DeviceError)?.kind == .endOfData }
        }
    }

    @Test("appends behind what an earlier session wrote", arguments: DeviceUnderTest.allCases)
    func append(kind: DeviceUnderTest) throws {
        let bench = Bench(kind)
        let device = bench.device
        for number in 0..<3 as Range<UInt32> {
            try device.open(volume: "Vol-1", for: .append, create: true)
            _ = try device.seekToEndOfData()
            _ = try device.writeBlock(Bench.block(number).span)
            try device.close()
        }
        try device.open(volume: "Vol-1", for: .read, create: false)
        #expect(bench.blocks() == [Bench.block(0), Bench.block(1), Bench.block(2)])
    }

    @Test("has no volume that was not created, and none of a name that is no file name", arguments: DeviceUnderTest.allCases)
    func noSuchVolume(kind: DeviceUnderTest) throws {
        let bench = Bench(kind)
        let device = bench.device
        defer { withExtendedLifetime(bench) {} }
        #expect { try device.open(volume: "Vol-1", for: .append, create: false) } throws: {
            ($0 as? DeviceError)?.kind == .noSuchVolume
        }
        for name in ["", "../x", "a/b"] {
            #expect(throws: DeviceError.self) { try device.open(volume: name, for: .append, create: true) }
        }
        #expect(device.openVolume == nil)
        #expect(throws: DeviceError.self) { try device.volumeBytes() }
    }

    @Test("replaces a whole volume by a label", arguments: DeviceUnderTest.allCases)
    func label(kind: DeviceUnderTest) throws {
        let bench = Bench(kind)
        let device = bench.device
        try device.open(volume: "Vol-1", for: .append, create: true)
        _ = try device.seekToEndOfData()
        for number in 0..<4 as Range<UInt32> { _ = try device.writeBlock(Bench.block(number).span) }
        try device.writeLabel(Bench.block(9, count: 200).span)
        #expect(try device.writeBlock(Bench.block(10).span).rawValue == 200)
        try device.rewind()
        #expect(bench.blocks() == [Bench.block(9, count: 200), Bench.block(10)])
    }

    @Test("cuts a volume off where it is told to", arguments: DeviceUnderTest.allCases)
    func truncate(kind: DeviceUnderTest) throws {
        let bench = Bench(kind)
        let device = bench.device
        try device.open(volume: "Vol-1", for: .append, create: true)
        _ = try device.seekToEndOfData()
        var addresses: [BlockAddress] = []
        for number in 0..<4 as Range<UInt32> { addresses.append(try device.writeBlock(Bench.block(number).span)) }
        try device.truncate(at: addresses[2])
        #expect(try device.seekToEndOfData() == EndOfData(address: addresses[2]))
        try device.rewind()
        #expect(bench.blocks().count == 2)
        try device.truncate(at: .start)
        #expect(try device.volumeBytes() == 0)
    }

    @Test("lists its volumes by name", arguments: DeviceUnderTest.allCases)
    func names(kind: DeviceUnderTest) throws {
        let bench = Bench(kind)
        let device = bench.device
        defer { withExtendedLifetime(bench) {} }
        for name in ["b", "a", "c-1"] { try device.open(volume: name, for: .append, create: true) }
        #expect(try device.volumeNames() == ["a", "b", "c-1"])
    }
}
