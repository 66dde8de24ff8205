import DiskRepository
import Modules
import Testing
import TestSupport
import Volumes

@Suite("Reading volumes by a bootstrap")
struct VolumeReaderTests {
    typealias Job = VolumeSet.Job

    @Test("Of two jobs side by side on several volumes, the wanted one comes back whole", arguments: [400, 1500, 64_512])
    func interleaved(blockBytesMax: Int) throws {
        let set = VolumeSet(SimulatedDevice(), volumeBytesMax: 700_000)
        let jobs = [1, 2].map { Job(id: $0, files: VolumeSet.files(40, seed: UInt64($0)), blockBytesMax: blockBytesMax) }
        try set.write(jobs)
        #expect(set.volumes.count >= 2)
        for job in jobs {
            let restored = try Restored(job.bootstrap(), from: set.device)
            #expect(restored.files == job.files)
            #expect(restored.digests == job.files.count)
            #expect(restored.problems.isEmpty)
        }
    }

    @Test("Only wanted files are delivered, and blocks of no interest are not read")
    func subset() throws {
        let device = SimulatedDevice()
        let set = VolumeSet(device, volumeBytesMax: 4_000_000)
        let jobs = [1, 2, 3].map { Job(id: $0, files: VolumeSet.files(60, seed: UInt64($0)), blockBytesMax: 64_512) }
        for job in jobs { try set.write([job]) }
        let restored = try Restored(jobs[1].bootstrap(fileIndexes: 10...12), from: device)
        #expect(restored.files == Array(jobs[1].files[9...11]))
        #expect(restored.problems.isEmpty)
        let own = jobs[1].parts.reduce(0) { $0 + $1.addresses.count } / 64_512 + 2
        #expect(device.blocksRead <= own / 2, "read \(device.blocksRead) of \(own)")
    }

    @Test("A bootstrap for several jobs is read volume by volume, each once")
    func onePassPerVolume() throws {
        let device = SimulatedDevice()
        let set = VolumeSet(device, volumeBytesMax: 600_000)
        let jobs = [1, 2].map { Job(id: $0, files: VolumeSet.files(50, seed: UInt64($0)), blockBytesMax: 4000) }
        try set.write(jobs)
        let bootstrap = Bootstrap(units: jobs.flatMap { $0.bootstrap().units })
        #expect(VolumeReader(bootstrap).volumes == set.volumes)
        let restored = try Restored(bootstrap, from: device)
        #expect(restored.problems.isEmpty)
        #expect(restored.digests == 100)
    }

    @Test("A filter by job, client and level works without session numbers")
    func byLabel() throws {
        let set = VolumeSet(SimulatedDevice())
        let jobs = [1, 2].map { Job(id: $0, files: VolumeSet.files(5, seed: UInt64($0), bytesMax: 3000), blockBytesMax: 1000) }
        try set.write(jobs)
        for text in ["JobId=2", "Client=client2-fd", "Job=Job2", "Job=\(jobs[1].label().job)\nJobLevel=F\nJobType=B"] {
            let restored = try Restored(try Bootstrap(parsing: "Volume=Test-0001\n\(text)"), from: set.device)
            #expect(restored.files.map(\.name) == jobs[1].files.map(\.name), "\(text)")
        }
    }

    @Test("A FileRegex lets the files pass whose names it matches, with all their records")
    func byName() throws {
        let set = VolumeSet(SimulatedDevice())
        let jobs = [1, 2].map { Job(id: $0, files: VolumeSet.files(12, seed: UInt64($0), bytesMax: 9000), blockBytesMax: 1000) }
        try set.write(jobs)
        let restored = try Restored(
            try Bootstrap(parsing: "Volume=Test-0001\nVolSessionId=2\nFileRegex=\"file 1[0-2]?$\""), from: set.device)
        #expect(restored.files == jobs[1].files.filter { ["1", "10", "11", "12"].contains($0.name.split(separator: " ").last) })
        #expect(restored.digests == 4)
    }

    @Test("A flipped bit costs the records in its block, is reported with volume and address, and nothing else", arguments: 1...25)
    func flippedBit(seed: UInt64) throws {
        let device = SimulatedDevice(seed: seed)
        let set = VolumeSet(device, volumeBytesMax: 300_000)
        let job = Job(id: 1, files: VolumeSet.files(30, seed: seed, bytesMax: 30_000), blockBytesMax: 4000)
        try set.write([job])
        try device.close()
        let volume = set.volumes[Int(seed) % set.volumes.count]
        let damaged = try #require(device.flipBit(in: volume))
        let restored = try Restored(job.bootstrap(), from: device)
        let blocks = restored.problems.filter { if case .damagedBlock = $0.kind { true } else { false } }
        #expect(blocks.map(\.address) == [damaged] && blocks.map(\.volume) == [volume], "seed \(seed)")
        let lost = job.files.filter { !restored.files.contains($0) }
        // A block of 4,000 bytes holds parts of at most a few of these files.
        #expect(lost.count <= 12, "seed \(seed)")
        #expect(restored.files.filter { job.files.contains($0) }.count == job.files.count - lost.count)
    }

    @Test("A block that can't be read is passed, with a report", arguments: 1...10)
    func readError(seed: UInt64) throws {
        let device = SimulatedDevice(seed: seed)
        let set = VolumeSet(device)
        let job = Job(id: 1, files: VolumeSet.files(30, seed: seed, bytesMax: 30_000), blockBytesMax: 4000)
        try set.write([job])
        try device.close()
        let damaged = try #require(device.failReading(in: "Test-0001"))
        let restored = try Restored(job.bootstrap(), from: device)
        #expect(restored.problems.contains { $0.address == damaged }, "seed \(seed)")
        #expect(job.files.filter { restored.files.contains($0) }.count >= 18, "seed \(seed)")
    }

    @Test("What was synced before a power cut comes back, and the next job goes behind it", arguments: 1...25)
    func powerCut(seed: UInt64) throws {
        let device = SimulatedDevice(seed: seed)
        let set = VolumeSet(device)
        let first = Job(id: 1, files: VolumeSet.files(10, seed: seed, bytesMax: 10_000), blockBytesMax: 1000)
        try set.write([first])
        for number in 0..<20 as Range<UInt32> { _ = try device.writeBlock(Bench.block(number).span) }
        device.losePower()
        try device.open(volume: "Test-0001", for: .append, create: false)
        let end = try device.seekToEndOfData()
        #expect(end.address.rawValue > first.parts[0].addresses.upperBound, "seed \(seed)")
        let second = Job(id: 2, files: VolumeSet.files(10, seed: seed &+ 100, bytesMax: 10_000), blockBytesMax: 1000)
        try set.write([second])
        for job in [first, second] {
            let restored = try Restored(job.bootstrap(), from: device)
            #expect(restored.files == job.files, "seed \(seed)")
            #expect(restored.problems.isEmpty, "seed \(seed)")
        }
    }

    @Test("An address in the middle of a block makes reading go on from where it was")
    func crookedAddress() throws {
        let directory = TemporaryDirectory()
        let set = VolumeSet(FileDevice(name: "Disk", directory: directory.path))
        let jobs = [1, 2].map { Job(id: $0, files: VolumeSet.files(10, seed: UInt64($0), bytesMax: 20_000), blockBytesMax: 2000) }
        for job in jobs { try set.write([job]) }
        try set.device.close()
        var bootstrap = jobs[1].bootstrap()
        let range = bootstrap.units[0].addresses[0]
        bootstrap.units[0].addresses = [range.lowerBound - 17...range.upperBound]
        let restored = try Restored(bootstrap, from: set.device)
        #expect(restored.files == jobs[1].files)
    }

    @Test("A unit that finds fewer files than its Count says so")
    func tooFew() throws {
        let set = VolumeSet(SimulatedDevice())
        let job = Job(id: 1, files: VolumeSet.files(5, seed: 1, bytesMax: 3000), blockBytesMax: 1000)
        try set.write([job])
        var bootstrap = job.bootstrap()
        bootstrap.units[0].fileIndexes = [1...9]
        bootstrap.units[0].count = 9
        let restored = try Restored(bootstrap, from: set.device)
        #expect(restored.files == job.files)
        #expect(restored.problems.map(\.description).contains { $0.contains("gave 5 of the 9 files") })
    }
}

private enum Bench {
    /// A block of a session that is never finished.
    static func block(_ number: UInt32) -> [UInt8] {
        var bytes = [UInt8](repeating: 1, count: 700)
        var header = BlockHeader(number: number, session: SessionIdentity(id: 99, time: 1), blockBytes: 700)
        header.write(into: &bytes)
        return bytes
    }
}
