import DiskRepository
import Modules
import Platform
import Testing
import TestSupport
import Volumes
import VolumeTools

@Suite("Tools for volumes, without daemon and catalog")
struct VolumeToolTests {
    let device = SimulatedDevice(seed: 5)

    struct Scanned {
        var names: [String] = []
        var ends: [UInt32] = []
        var labels: [String] = []
        var problems = 0

        init(_ device: any VolumeDevice, _ volumes: [String]) throws {
            var (names, ends, labels): ([String], [UInt32], [String]) = ([], [], [])
            var scan = VolumeScan(volumes.map { VolumeSource(device: device, volume: $0) })
            try scan.run { event in
                switch event {
                case .volume(_, let label): labels.append(label.volumeName)
                case .end(_, let label): ends.append(label.jobID)
                default: break
                }
            } record: { record, job, bytes in
                if record.stream == 1, let file = AttributeRecord(decoding: bytes), job?.jobID != nil {
                    names.append(String(decoding: file.name, as: UTF8.self))
                }
            }
            self.names = names
            self.ends = ends
            self.labels = labels
            problems = scan.problems
        }
    }

    func volumes() throws -> (VolumeSet, [VolumeSet.Job]) {
        let set = VolumeSet(device, volumeBytesMax: 400_000)
        let jobs = [1, 2].map {
            VolumeSet.Job(id: $0, files: VolumeSet.files(30, seed: UInt64($0), bytesMax: 60_000), blockBytesMax: 3000)
        }
        try set.write(jobs)
        return (set, jobs)
    }

    @Test("A scan shows every label, job and file of all volumes in the order given")
    func scan() throws {
        let (set, jobs) = try volumes()
        let found = try Scanned(device, set.volumes)
        #expect(found.labels == set.volumes)
        #expect(found.ends == [1, 2])
        #expect(Set(found.names) == Set(jobs.flatMap(\.files).map(\.name)))
        #expect(found.problems == 0)
    }

    @Test("Damage is counted, and what is whole is shown all the same")
    func damaged() throws {
        let (set, jobs) = try volumes()
        try device.close()
        _ = device.flipBit(in: set.volumes[0])
        let found = try Scanned(device, set.volumes)
        #expect(found.problems > 0)
        #expect(found.names.count >= jobs.flatMap(\.files).count - 12)
    }

    @Test("A job copied onto a new volume is whole, with true addresses in its end label")
    func copy() throws {
        let (set, jobs) = try volumes()
        let target = SimulatedDevice()
        var copy = try VolumeCopy(
            onto: target,
            label: VolumeLabel(
                volumeName: "Copy", isInUse: true, pool: "P", mediaType: "File", host: "h", program: "p", programVersion: "1",
                programDate: "", labelTime: .now, writeTime: .now),
            blockBytesMax: 1500)
        var scan = VolumeScan(set.volumes.map { VolumeSource(device: device, volume: $0) })
        try scan.run { event throws(VolumeToolError) in
            switch event {
            case .start(let session, let label): if label.jobID == 2 { try copy.begin(session, label) }
            case .end(let session, let label): try copy.end(session, label)
            default: break
            }
        } record: { record, _, bytes throws(VolumeToolError) in
            try copy.append(record, bytes)
        }
        try copy.finish()
        let found = try Scanned(target, ["Copy"])
        #expect(found.labels == ["Copy"])
        #expect(found.ends == [2])
        let restored = try Restored(try Bootstrap(parsing: "Volume=Copy\nJobId=2"), from: target)
        #expect(restored.files == jobs[1].files)
        #expect(restored.problems.isEmpty)
    }

    @Test("A volume that holds anything is not labelled over")
    func label() throws {
        let label = VolumeLabel(
            volumeName: "New", isInUse: false, pool: "P", mediaType: "File", host: "h", program: "p", programVersion: "1",
            programDate: "", labelTime: .now, writeTime: .now)
        try VolumeLabelling.label(device, label)
        try device.close()
        #expect { try VolumeLabelling.label(device, label) } throws: { ($0 as? VolumeToolError)?.kind == .volumeInUse }
        #expect(try Scanned(device, ["New"]).labels == ["New"])
    }

    @Test("What is no volume is refused with its name")
    func notAVolume() throws {
        let directory = TemporaryDirectory()
        try DurableText.replace(directory.file("letter"), with: "Dear all,\n")
        let disk = FileDevice(name: "Disk", directory: directory.path)
        #expect { try Scanned(disk, ["letter"]) } throws: { ($0 as? VolumeToolError)?.kind == .notAVolume }
        #expect { try Scanned(disk, ["missing"]) } throws: { ($0 as? VolumeToolError)?.kind == .noSuchVolume }
    }

    @Test("A file is shown as ls -l shows it, with nothing that could confuse a terminal")
    func listing() throws {
        var status = FileStatus()
        status.mode = 0o104755
        status.size = 42
        status.modifyTime = 0
        let name = Array("/bin/".utf8) + [0x1B, 0x5B, 0xFF, 0x0A]
        let line = FileListing.line(AttributeRecord(fileIndex: 1, type: .file, name: name, status: status))
        #expect(line.hasPrefix("-rwsr-xr-x "))
        #expect(line.hasSuffix("/bin/\\033[\\377\\012"))
        #expect(FileListing.printable(Array("/tmp/Grüße".utf8)) == "/tmp/Grüße")
        status.modifyTime = .max
        #expect(!FileListing.line(AttributeRecord(fileIndex: 1, type: .deleted, name: name, status: status)).isEmpty)
    }
}
