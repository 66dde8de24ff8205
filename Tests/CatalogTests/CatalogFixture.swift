// A catalog of a test's own, and short words for what tests put into it.

import Platform
import TestSupport
import Volumes

@testable import Catalog

final class CatalogFixture {
    let directory = TemporaryDirectory()
    let catalog: CatalogDatabase
    var path: String { directory.file("catalog.db") }

    init(_ options: CatalogDatabase.Options = .init()) throws {
        catalog = try CatalogDatabase(path: directory.file("catalog.db"), options: options)
    }

    /// Seconds after an arbitrary moment.
    static func time(_ seconds: Int64) -> WallTime { WallTime(seconds: 1_795_219_200 + seconds) }

    /// A usable backup of client `alpha`, FileSet `Plain`, that took ten seconds.
    @discardableResult
    func backup(
        _ level: Character = "F", at seconds: Int64, status: Character = "T", name: String = "Nightly",
        client: String = "alpha", fileSet: String = "Plain", md5: String = "m1", files: [String] = []
    ) throws -> Int64 {
        let clientID = try catalog.syncClient(ClientRecord(name: client))
        let set = try catalog.fileSet(named: fileSet, md5: md5, now: Self.time(0))
        let unique =
            JobName.unique(for: name, at: Self.time(seconds), counter: Int.random(in: 0..<60))
            + "-\(seconds)-\(level)-\(client)-\(fileSet)"
        let job = try catalog.createJob(
            JobCreation(uniqueName: unique, name: name, type: "B", level: level, scheduled: Self.time(seconds)))
        var start = JobStart(started: Self.time(seconds), level: level)
        start.clientID = clientID
        start.fileSetID = set.fileSetID
        try catalog.startJob(job, start)
        try catalog.setSession(UInt32(job), 1_795_219_236, ofJob: job)
        try save(files, job: job)
        var end = JobEnd(status: status, ended: Self.time(seconds + 10))
        end.files = Int64(files.count)
        try catalog.endJob(job, end)
        return job
    }

    /// Stores files of a job: `+/a/b` saved, `-/a/b` deleted; a plain path is saved too. Index 1, 2, … in order; `/a/c=3` is a hard link to index 3.
    func save(_ files: [String], job: Int64) throws {
        let writer = catalog.attributeWriter(forJob: job)
        for (position, text) in files.enumerated() {
            let index = Int32(position + 1)
            var name = text
            var status = FileStatus()
            status.device = 64512
            status.inode = job * 1000 + Int64(index)
            status.mode = 0o100644
            status.links = 1
            status.size = Int64(index) * 100
            status.blockSize = 4096
            status.blocks = 8
            status.modifyTime = 1_700_000_000 + job
            status.accessTime = 1_700_000_100
            status.changeTime = status.modifyTime
            status.dataStream = 2
            var type = AttributeRecord.FileType.file
            if name.hasPrefix("-") {
                name.removeFirst()
                type = .deleted
                status = FileStatus()
                status.modifyTime = 1_700_000_000
                status.changeTime = 1_700_000_000
                status.dataStream = 2
            }
            if let equals = name.firstIndex(of: "=") {
                status.linkFileIndex = Int64(name[name.index(after: equals)...])!
                name = String(name[..<equals])
                type = .hardLink
            }
            if name.hasSuffix("/") { type = type == .deleted ? .deleted : .directory }
            let record = AttributeRecord(fileIndex: index, type: type, name: Array(name.utf8), status: status).encoded
            try writer.add(stream: .attributes, fileIndex: index, record: record.span)
            if type == .file {
                let digest = Digest.hash(Array(name.utf8), .md5)
                try writer.add(stream: .md5, fileIndex: index, record: digest.span)
            }
        }
        try writer.flush()
    }

    /// `name@job` of every file, sorted.
    func newest(_ jobs: [Int64]) throws -> [String] {
        var found: [String] = []
        try catalog.newestFiles(ofJobs: jobs) {
            found.append("\(String(decoding: $0.fullName, as: UTF8.self))@\($0.jobID)")
        }
        return found.sorted()
    }

    func value(_ sql: String) throws -> String? { try catalog.query(sql).rows.first?.first ?? nil }

    func volume(
        _ name: String, pool: PoolRecord, status: VolumeStatus = .append, change: (inout MediaRecord) -> Void = { _ in }
    ) throws -> MediaRecord {
        var record = catalog.newVolume(named: name, in: pool, mediaType: "File")
        record.status = status
        change(&record)
        return try catalog.createVolume(record)
    }

    func pool(_ name: String = "File", change: (inout PoolRecord) -> Void = { _ in }) throws -> PoolRecord {
        var pool = PoolRecord(name: name, type: "Backup")
        change(&pool)
        let ids = try catalog.syncPools([pool])
        pool.poolID = ids[name]!
        return pool
    }
}

/// SplitMix64: a failing run is replayed by its seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
