import DiskRepository
import Modules
import Testing

@testable import Volumes

@Suite("Volumes written by Bacula 9.6.7")
struct FixtureTests {
    static let directory = #filePath.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/Fixtures/bacula-9.6.7"

    struct Read: Error {}

    func read(_ bootstrap: Bootstrap) throws -> (files: [String: [UInt8]], problems: [String]) {
        let device = FileDevice(name: "Fixtures", directory: Self.directory)
        var reader = VolumeReader(bootstrap)
        var files: [String: [UInt8]] = [:]
        var problems: [String] = []
        var current = ""
        try reader.read { volume, _ throws(DeviceError) in
            try device.open(volume: volume, for: .read, create: false)
            return device
        } deliver: { record, bytes throws(DeviceError) in
            switch StreamNumber(masking: record.stream) {
            case .attributes:
                current = AttributeRecord(decoding: bytes).map { String(decoding: $0.name, as: UTF8.self) } ?? "?"
                files[current] = []
            case .data: files[current]? += bytes.array(0..<bytes.count)
            default: break
            }
        } report: {
            problems.append($0.description)
        }
        return (files, problems)
    }

    @Test("A job that spans four volumes in the middle of a file comes back whole")
    func spanning() throws {
        let units = (1...4).map { Bootstrap.Unit(volumes: ["Sml-000\($0)"]) }
        let (files, problems) = try read(Bootstrap(units: units))
        #expect(problems.isEmpty)
        #expect(files["/tmp/vol-fix/source/numbers.txt"] == Array((1...4000).map { "\($0)\n" }.joined().utf8))
        #expect(
            files["/tmp/vol-fix/source/hello.txt"] == Array("hello volumes\n".utf8)
                || files["/tmp/vol-fix/source/hello.hard"] == Array("hello volumes\n".utf8))
        #expect(files.keys.contains("/tmp/vol-fix/source/dir/file with spaces"))
    }

    @Test("A volume missing in the sequence costs the file that went on there, and says so")
    func missingVolume() throws {
        let units = [1, 3, 4].map { Bootstrap.Unit(volumes: ["Sml-000\($0)"]) }
        let (files, problems) = try read(Bootstrap(units: units))
        #expect(!problems.isEmpty)
        #expect(files["/tmp/vol-fix/source/hello.hard"] != nil)
    }

    @Test("The volumes' labels say what the storage daemon wrote")
    func labels() throws {
        let device = FileDevice(name: "Fixtures", directory: Self.directory)
        for name in ["Sml-0001", "Sml-0002", "Sml-0003", "Sml-0004"] {
            try device.open(volume: name, for: .read, create: false)
            var buffer: [UInt8] = []
            let count = try device.readBlock(into: &buffer)
            let label = try VolumeLabel(decodingBlock: buffer.span.extracting(0..<count))
            #expect(label.volumeName == name && label.pool == "Small" && label.isInUse)
        }
    }
}
