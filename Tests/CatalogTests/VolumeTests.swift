// Which volume is written next, what its name is, and what becomes of it.

import Platform
import TestSupport
import Testing
import Volumes

@testable import Catalog

@Suite("Choosing a volume")
struct VolumeSelectionTests {
    static func record(
        _ id: Int64, _ status: VolumeStatus = .append, written: Int64? = nil,
        change: (inout MediaRecord) -> Void = { _ in }
    ) -> MediaRecord {
        var volume = MediaRecord(volume: "V\(id)", poolID: 1, mediaType: "File")
        volume.mediaID = id
        volume.status = status
        volume.lastWritten = written.map { CatalogFixture.time($0) }
        change(&volume)
        return volume
    }

    @Test(
        "Append volumes come first, the last written one at their head, never-written ones at their end; then Recycle and Purged, oldest first"
    )
    func order() {
        let volumes = [
            Self.record(1, .purged, written: 5), Self.record(2), Self.record(3, .append, written: 10),
            Self.record(4, .append, written: 20),
            Self.record(5, .recycle, written: 9), Self.record(6, .recycle, written: 2),
            Self.record(7, .full, written: 50),
            Self.record(8, .used), Self.record(9, .error), Self.record(10, .purged), Self.record(11),
            Self.record(12, .archive),
            Self.record(13, .append) { $0.enabled = 0 }, Self.record(14, .append) { $0.enabled = 2 },
            Self.record(15, .recycle) { $0.recycle = false },
            Self.record(16, .readOnly), Self.record(17, .cleaning), Self.record(18, .disabled), Self.record(19, .busy),
        ]
        #expect(VolumeSelection.candidates(volumes).map(\.mediaID) == [4, 3, 2, 11, 6, 5, 10, 1])
        #expect(VolumeSelection.candidates(volumes, excluded: [4, 2]).map(\.mediaID) == [3, 11, 6, 5, 10, 1])
        #expect(VolumeSelection.candidates([]).isEmpty)
    }

    @Test("What is loaded in the autochanger goes before everything else")
    func changer() {
        let volumes = [
            Self.record(1, .append, written: 10),
            Self.record(2) {
                $0.inChanger = true; $0.storageID = 7
            },
            Self.record(3, .purged) {
                $0.inChanger = true; $0.storageID = 7
            },
            Self.record(4) {
                $0.inChanger = true; $0.storageID = 8
            },
        ]
        #expect(VolumeSelection.candidates(volumes, changer: 7).map(\.mediaID) == [2, 3, 1, 4])
    }

    @Test("A volume is used up by jobs, files, bytes, time or its first job; at the limit, not one before")
    func expiry() {
        func expiry(useOnce: Bool = false, _ change: (inout MediaRecord) -> Void) -> VolumeExpiry? {
            VolumeSelection.expiry(of: Self.record(1, change: change), useOnce: useOnce, now: CatalogFixture.time(100))
        }
        #expect(expiry { _ in } == nil)
        #expect(
            expiry {
                $0.jobs = 4; $0.jobsMax = 5
            } == nil)
        #expect(
            expiry {
                $0.jobs = 5; $0.jobsMax = 5
            } == .jobs(max: 5))
        #expect(
            expiry {
                $0.files = 5; $0.filesMax = 5
            } == .files(max: 5))
        #expect(
            expiry {
                $0.bytes = 499; $0.bytesMax = 500
            } == nil)
        #expect(
            expiry {
                $0.bytes = 500; $0.bytesMax = 500
            } == .bytes(max: 500))
        #expect(expiry { $0.useDuration = 100 } == nil)
        #expect(
            expiry {
                $0.useDuration = 100; $0.firstWritten = CatalogFixture.time(1)
            } == nil)
        #expect(
            expiry {
                $0.useDuration = 100; $0.firstWritten = CatalogFixture.time(0)
            } == .useDuration(seconds: 100))
        #expect(expiry(useOnce: true) { _ in } == nil)
        #expect(expiry(useOnce: true) { $0.jobs = 1 } == .usedOnce)
        #expect(VolumeExpiry.bytes(max: 1).status == .full)
        #expect(VolumeExpiry.jobs(max: 1).status == .used)
    }

    @Test("A pool's next volumes are offered one by one, then a new one is made by its Label Format")
    func nextVolume() throws {
        let fixture = try CatalogFixture()
        let pool = try fixture.pool {
            $0.labelFormat = "Vol-"; $0.bytesMax = 1000; $0.volumesMax = 4
        }
        _ = try fixture.volume("A", pool: pool) { $0.lastWritten = CatalogFixture.time(5) }
        _ = try fixture.volume("B", pool: pool, status: .purged) {
            $0.jobs = 9; $0.bytes = 77; $0.lastWritten = CatalogFixture.time(1)
        }
        _ = try fixture.volume("C", pool: pool) { $0.mediaType = "Tape" }
        var request = VolumeRequest(pool: pool, mediaType: "File")
        func offer() throws -> String {
            switch try fixture.catalog.nextVolume(request, now: CatalogFixture.time(100)) {
            case .volume(let volume, _): volume.volume
            case .none: "none"
            }
        }
        #expect(try offer() == "A")
        request.index = 2
        #expect(try offer() == "B")
        let recycled = try #require(try fixture.catalog.volume(named: "B"))
        #expect(
            recycled.status == .recycle && recycled.jobs == 0 && recycled.bytes == 1 && recycled.recycleCount == 1
                && recycled.lastWritten == nil)
        request.index = 3
        request.mayCreate = false
        #expect(try offer() == "none")
        request.mayCreate = true
        #expect(try offer() == "Vol-0004")
        #expect(try fixture.catalog.volume(named: "Vol-0004")?.bytesMax == 1000)
        #expect(try fixture.catalog.pool(named: "File")?.volumes == 4)
        request.index = 4
        #expect(try offer() == "none")
        request.index = 1
        request.excluded = [1]
        #expect(try offer() == "Vol-0004")
    }

    @Test("Volumes found used up on the way are set so, and the next one is offered")
    func usedUp() throws {
        let fixture = try CatalogFixture()
        let pool = try fixture.pool { $0.jobsMax = 1 }
        _ = try fixture.volume("A", pool: pool) {
            $0.jobs = 1; $0.lastWritten = CatalogFixture.time(9)
        }
        _ = try fixture.volume("B", pool: pool) {
            $0.bytesMax = 10; $0.bytes = 10; $0.jobsMax = 0; $0.lastWritten = CatalogFixture.time(8)
        }
        _ = try fixture.volume("C", pool: pool)
        guard case .volume(let volume, _) = try fixture.catalog.nextVolume(VolumeRequest(pool: pool, mediaType: "File"))
        else {
            Issue.record("none")
            return
        }
        #expect(volume.volume == "C")
        #expect(try fixture.catalog.volume(named: "A")?.status == .used)
        #expect(try fixture.catalog.volume(named: "B")?.status == .full)
    }

    @Test("A pool without volumes takes one from Scratch, with its own limits")
    func scratch() throws {
        let fixture = try CatalogFixture()
        let scratch = try fixture.pool("Scratch") { $0.type = "Scratch" }
        let pool = try fixture.pool {
            $0.jobsMax = 3; $0.volumeRetention = 99; $0.labelFormat = "Vol-"
        }
        _ = try fixture.volume("S", pool: scratch)
        guard
            case .volume(let volume, let note) = try fixture.catalog.nextVolume(
                VolumeRequest(pool: pool, mediaType: "File"))
        else {
            Issue.record("none")
            return
        }
        #expect(volume.volume == "S" && volume.jobsMax == 3 && volume.retention == 99 && note.contains("scratch"))
        #expect(try fixture.catalog.volumes(inPool: "File").map(\.volume) == ["S"])
        #expect(try fixture.catalog.pool(named: "Scratch")?.volumes == 0)
    }

    @Test(
        "A volume is refused for writing with the reason: unknown, wrong pool or media type, disabled, status, used up")
    func prepare() throws {
        let fixture = try CatalogFixture()
        let scratch = try fixture.pool("Scratch")
        let other = try fixture.pool("Other")
        let pool = try fixture.pool { $0.jobsMax = 2 }
        let request = VolumeRequest(pool: pool, mediaType: "File")
        _ = try fixture.volume("good", pool: pool)
        _ = try fixture.volume("scratch", pool: scratch)
        _ = try fixture.volume("purged", pool: pool, status: .purged)
        _ = try fixture.volume("other", pool: other)
        _ = try fixture.volume("tape", pool: pool) { $0.mediaType = "Tape" }
        _ = try fixture.volume("off", pool: pool) { $0.enabled = 0 }
        _ = try fixture.volume("full", pool: pool, status: .full)
        _ = try fixture.volume("spent", pool: pool) { $0.jobs = 2 }
        #expect(try fixture.catalog.prepareForWriting(volume: "good", request).status == .append)
        #expect(try fixture.catalog.prepareForWriting(volume: "scratch", request).poolID == pool.poolID)
        #expect(try fixture.catalog.prepareForWriting(volume: "purged", request).status == .recycle)
        for (name, word) in [
            ("other", "pool Other"), ("tape", "media type"), ("off", "disabled"), ("full", "Full"),
            ("spent", "Maximum Volume Jobs=2"), ("nowhere", "not in the catalog"),
        ] {
            do throws(CatalogError) {
                _ = try fixture.catalog.prepareForWriting(volume: name, request)
                Issue.record("\(name) was accepted")
            } catch {
                #expect(error.kind == (name == "nowhere" ? .notFound : .invalid))
                #expect(error.what.contains(word), "\(error)")
            }
        }
        // The refusal is thrown, what was found out is kept.
        #expect(try fixture.catalog.volume(named: "spent")?.status == .used)
    }

    @Test("Jobs that ask at the same time get different new volumes")
    func concurrentCreation() async throws {
        let fixture = try CatalogFixture()
        let pool = try fixture.pool {
            $0.labelFormat = "Vol-"; $0.useOnce = true
        }
        let catalog = fixture.catalog
        let names = try await withThrowingTaskGroup(of: String.self) { group in
            for index in 1...12 {
                group.addTask(executorPreference: ElasticExecutor.shared) {
                    var request = VolumeRequest(pool: pool, mediaType: "File")
                    request.index = index
                    guard case .volume(let volume, _) = try catalog.nextVolume(request) else { return "none" }
                    return volume.volume
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(!names.contains("none"))
        #expect(try catalog.volumes().count == Set(try catalog.volumes().map(\.volume)).count)
    }
}

@Suite("Names of volumes")
struct LabelFormatTests {
    static func name(_ format: String, number: Int64 = 7, change: (inout LabelVariables) -> Void = { _ in }) throws
        -> String
    {
        var pool = PoolRecord(name: "Daily", type: "Backup")
        pool.volumes = 3
        var variables = LabelVariables()
        variables.now = WallTime(localText: "2026-03-09 08:07:06")!
        variables.job = "Nightly"
        variables.jobName = "Nightly.2026-03-09_08.07.06_01"
        variables.client = "alpha"
        variables.level = "Full"
        variables.jobID = 42
        variables.environment = ["SITE": "attic", "EMPTY": ""]
        change(&variables)
        var counters: [String: Int64] = ["Tape": 9]
        return try LabelFormat.name(format, number: number, pool: pool, mediaType: "File", variables: variables) {
            name, grows in
            defer { if grows { counters[name]? += 1 } }
            return counters[name]
        }
    }

    @Test(
        "A Label Format expands",
        arguments: [
            ("Vol-", "Vol-0007"), ("x", "x0007"),
            ("${Pool}-${Year}-${Month:p/2/0/r}-${Day:p/2/0/r}", "Daily-2026-03-09"),
            ("$Client.$JobName", "alpha.Nightly"), ("${Tape+}-${Tape}", "9-10"),
            ("${SITE:u}_${NumVols:p/4/0/r}", "ATTIC_0003"),
            ("${NONE:-none}", "none"), ("${EMPTY:-e}${SITE:+s}", "es"), ("${Client:o1,3}", "lph"),
            ("${Client:o2}", "pha"), ("${JobId:p/6/0/l}", "420000"),
            ("${MediaType:l}", "file"), ("${Hour}:${Minute}:${Second}", "8:7:6"), ("${Level}${WeekDay}", "Full1"),
        ])
    func expands(format: String, name: String) throws { #expect(try Self.name(format) == name) }

    @Test(
        "A Label Format that can't be a name is refused",
        arguments: [
            "${NONE}", "a b", "Vol/", "${Client", "$", "${}", "${Client:zz}", "${Client:p/x}", "${Client:ox}", "é-",
            "${Job} x", "${EMPTY}", "${Client:p/999999999999/0/r}", "${Client:p/4//r}",
        ])
    func refused(format: String) { #expect(throws: CatalogError.self) { try Self.name(format) } }

    @Test("Numbers longer than four digits are not cut")
    func long() throws { #expect(try Self.name("Vol-", number: 123_456) == "Vol-123456") }

    @Test("A counter of the catalog grows with each volume and wraps into another")
    func counters() throws {
        let fixture = try CatalogFixture()
        try fixture.catalog.syncCounter("A", minimum: 1, maximum: 2, wrap: "B")
        try fixture.catalog.syncCounter("B", minimum: 0, maximum: 9, wrap: "A")
        let pool = try fixture.pool { $0.labelFormat = "T${B}-${A+}" }
        var names: [String] = []
        for index in 1...4 {
            var request = VolumeRequest(pool: pool, mediaType: "File")
            request.index = index
            if case .volume(let volume, _) = try fixture.catalog.nextVolume(request) { names.append(volume.volume) }
        }
        #expect(names == ["T0-1", "T0-2", "T1-1", "T1-2"])
        try fixture.catalog.syncCounter("A", minimum: 1, maximum: 50, wrap: nil)
        #expect(try fixture.value("SELECT CurrentValue FROM Counters WHERE Counter = 'A'") == "1")
    }

    @Test("No format, whatever bytes it has, ends the process", arguments: [5] as [UInt64])
    func fuzz(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "$", "{", "}", ":", "p", "/", "o", "-", "+", "Client", "0", "9", ",", "é", " ", "u", "${Year", "}}",
            "999999999999999999999",
        ]
        for _ in 0..<3000 {
            let format = (0..<Int.random(in: 0..<9, using: &generator)).map { _ in
                pieces.randomElement(using: &generator)!
            }.joined()
            _ = try? Self.name(format)
        }
    }
}

@Suite("Volumes in the catalog")
struct MediaTests {
    @Test("What a storage daemon reports is stored; limits and what it doesn't say stay")
    func update() throws {
        let fixture = try CatalogFixture()
        let pool = try fixture.pool { $0.bytesMax = 5000 }
        _ = try fixture.volume("V", pool: pool) { $0.slot = 4 }
        var update = VolumeUpdate(volume: "V")
        update.isRelabel = true
        update.bytes = 208
        var volume = try fixture.catalog.updateVolume(update, now: CatalogFixture.time(3))
        #expect(volume.labelDate == CatalogFixture.time(3) && volume.initialWrite == CatalogFixture.time(3))
        #expect(volume.firstWritten == nil && volume.slot == 4)
        update.isRelabel = false
        update.jobs = 1
        update.files = 2
        update.bytes = 1_361_025
        update.firstWritten = CatalogFixture.time(4)
        update.ended = CatalogFixture.time(9)
        update.status = .full
        update.bytesMax = 1
        update.slot = 2
        update.inChanger = true
        update.storageID = 3
        _ = try fixture.volume("Ghost", pool: pool) {
            $0.slot = 2; $0.inChanger = true; $0.storageID = 3
        }
        volume = try fixture.catalog.updateVolume(update)
        #expect(volume.status == .full && volume.jobs == 1 && volume.bytes == 1_361_025 && volume.bytesMax == 5000)
        #expect(volume.lastWritten == CatalogFixture.time(9) && volume.firstWritten == CatalogFixture.time(4))
        #expect(volume.labelDate == CatalogFixture.time(3) && volume.slot == 2)
        #expect(try fixture.catalog.volume(named: "V") == volume)
        #expect(try fixture.catalog.volume(volume.mediaID) == volume)
        #expect(try fixture.catalog.volume(named: "Ghost")?.inChanger == false)
        update.recycle = false
        #expect(try fixture.catalog.updateVolume(update).recycle == false)
        update.volume = "nowhere"
        JobTests.expect(.notFound) { () throws(CatalogError) in _ = try fixture.catalog.updateVolume(update) }
    }

    @Test("Every field of a volume's record comes back as it was stored")
    func roundTrip() throws {
        let fixture = try CatalogFixture()
        let pool = try fixture.pool()
        var volume = try fixture.volume("V", pool: pool)
        volume.status = .archive
        volume.enabled = 2
        volume.comment = "on the shelf"
        volume.bytes = Int64.max
        volume.useDuration = 7
        volume.recyclePoolID = 1
        volume.readTime = 5
        volume.writeTime = 6
        volume.endBlock = 8
        try fixture.catalog.updateVolume(volume)
        #expect(try fixture.catalog.volume(named: "V") == volume)
    }

    @Test("A volume's name is unique and has only letters, digits and :.-_")
    func names() throws {
        let fixture = try CatalogFixture()
        let pool = try fixture.pool()
        _ = try fixture.volume("V", pool: pool)
        JobTests.expect(.duplicate) { () throws(CatalogError) in
            _ = try fixture.catalog.createVolume(MediaRecord(volume: "V", poolID: 1, mediaType: "File"))
        }
        for name in ["", "a b", "../x", "ä", String(repeating: "x", count: 128)] {
            JobTests.expect(.invalid) { () throws(CatalogError) in
                _ = try fixture.catalog.createVolume(MediaRecord(volume: name, poolID: 1, mediaType: "File"))
            }
        }
    }

    @Test("Pools follow the configuration, resolve each other's names, and keep their volumes")
    func pools() throws {
        let fixture = try CatalogFixture()
        var daily = PoolRecord(name: "Daily", type: "Backup")
        daily.scratchPool = "Scratch"
        daily.recyclePool = "Scratch"
        daily.nextPool = "Missing"
        daily.labelFormat = "D-"
        let ids = try fixture.catalog.syncPools([daily, PoolRecord(name: "Scratch", type: "Scratch")])
        var stored = try #require(try fixture.catalog.pool(named: "Daily"))
        #expect(
            stored.scratchPool == "Scratch" && stored.recyclePool == "Scratch" && stored.nextPool == nil
                && stored.labelFormat == "D-")
        daily.volumesMax = 9
        #expect(try fixture.catalog.syncPools([daily]) == ids)
        stored = try #require(try fixture.catalog.pool(ids["Daily"]!))
        #expect(stored.volumesMax == 9)
        #expect(try fixture.catalog.pools().map(\.name) == ["Daily", "Scratch"])
        _ = try fixture.volume("V", pool: stored)
        JobTests.expect(.invalid) { () throws(CatalogError) in try fixture.catalog.deletePool("Daily") }
        try fixture.catalog.deletePool("Scratch")
        JobTests.expect(.notFound) { () throws(CatalogError) in try fixture.catalog.deletePool("Scratch") }
    }

    static func part(_ media: Int64, _ first: Int64 = 1, _ last: Int64 = 2) -> JobMediaRecord {
        JobMediaRecord(
            mediaID: media, firstIndex: first, lastIndex: last, startFile: 0, endFile: 0, startBlock: 100, endBlock: 200
        )
    }

    @Test("JobMedia rows are numbered on per job; dummies go when the job ends; unknown jobs and volumes are refused")
    func jobMedia() throws {
        let fixture = try CatalogFixture()
        let volume = try fixture.volume("V", pool: try fixture.pool())
        let job = try fixture.backup(at: 0)
        try fixture.catalog.addJobMedia([Self.part(1, 0, 0), Self.part(1, 1, 5)], toJob: job)
        try fixture.catalog.addJobMedia([Self.part(1, 5, 9)], toJob: job)
        #expect(try fixture.catalog.jobMedia(ofJob: job).map(\.volumeIndex) == [2, 3])
        #expect(try fixture.catalog.jobIDs(onVolume: "V") == [job])
        try fixture.catalog.endJob(job, JobEnd(status: "T", ended: CatalogFixture.time(50)))
        #expect(try fixture.value("SELECT count(*) FROM JobMedia") == "2")
        JobTests.expect(.notFound) { () throws(CatalogError) in
            try fixture.catalog.addJobMedia([Self.part(1)], toJob: 99)
        }
        JobTests.expect(.notFound) { () throws(CatalogError) in
            try fixture.catalog.addJobMedia([Self.part(1), Self.part(99)], toJob: job)
        }
        #expect(try fixture.value("SELECT count(*) FROM JobMedia") == "2")
        #expect(volume.mediaID == 1)
    }

    @Test("Purging a job's files keeps the job; deleting it takes everything that hangs on it and nothing else")
    func purgeJobs() throws {
        let fixture = try CatalogFixture()
        let volume = try fixture.volume("V", pool: try fixture.pool())
        let a = try fixture.backup("F", at: 0, files: ["/a", "/b/c"])
        let b = try fixture.backup("I", at: 100, files: ["/a"])
        for job in [a, b] {
            try fixture.catalog.addJobMedia([Self.part(volume.mediaID)], toJob: job)
            try fixture.catalog.appendLog(jobID: job, "line")
        }
        try fixture.catalog.purgeFiles(ofJob: a)
        #expect(try fixture.catalog.job(a)?.filesArePurged == true)
        #expect(try fixture.newest([a]) == [])
        #expect(try fixture.newest([b]) == ["/a@\(b)"])
        #expect(try fixture.catalog.jobMedia(ofJob: a).count == 1)
        try fixture.catalog.deleteJob(a)
        #expect(try fixture.catalog.job(a) == nil)
        for table in ["JobMedia", "Log", "FileRun", "FileEntry"] {
            #expect(try fixture.value("SELECT count(*) FROM \(table)") == "1", "\(table)")
        }
        let running = try fixture.catalog.createJob(
            JobCreation(uniqueName: "r", name: "r", type: "B", level: "F", scheduled: CatalogFixture.time(0)))
        JobTests.expect(.invalid) { () throws(CatalogError) in try fixture.catalog.deleteJob(running) }
        JobTests.expect(.invalid) { () throws(CatalogError) in try fixture.catalog.purgeFiles(ofJob: running) }
        JobTests.expect(.notFound) { () throws(CatalogError) in try fixture.catalog.deleteJob(a) }
    }

    @Test(
        "Purging a volume removes its jobs and moves it to the RecyclePool; deleting takes it away; neither while a job runs"
    )
    func purgeVolumes() throws {
        let fixture = try CatalogFixture()
        let scratch = try fixture.pool("Scratch")
        let pool = try fixture.pool { $0.recyclePool = "Scratch" }
        let volume = try fixture.volume("V", pool: pool, status: .full)
        let other = try fixture.volume("W", pool: pool)
        let job = try fixture.backup(at: 0, files: ["/a"])
        try fixture.catalog.addJobMedia([Self.part(volume.mediaID)], toJob: job)
        let running = try fixture.catalog.createJob(
            JobCreation(uniqueName: "r", name: "r", type: "B", level: "F", scheduled: CatalogFixture.time(0)))
        try fixture.catalog.addJobMedia([Self.part(other.mediaID)], toJob: running)

        #expect(try !fixture.catalog.markPurgedIfEmpty("V"))
        #expect(try fixture.catalog.purgeVolume("V") == [job])
        let purged = try #require(try fixture.catalog.volume(named: "V"))
        #expect(purged.status == .purged && purged.poolID == scratch.poolID)
        #expect(try fixture.catalog.job(job) == nil)
        JobTests.expect(.invalid) { () throws(CatalogError) in _ = try fixture.catalog.purgeVolume("W") }
        JobTests.expect(.invalid) { () throws(CatalogError) in _ = try fixture.catalog.deleteVolume("W") }
        #expect(try fixture.catalog.volume(named: "W")?.status == .append)
        try fixture.catalog.setStatus("A", ofJob: running)
        #expect(try fixture.catalog.deleteVolume("W") == [running])
        #expect(try fixture.catalog.volume(named: "W") == nil)
        #expect(try fixture.catalog.markPurgedIfEmpty("V"))
        JobTests.expect(.notFound) { () throws(CatalogError) in _ = try fixture.catalog.purgeVolume("W") }
        try fixture.catalog.setStatus(.used, ofVolume: "V")
        #expect(try fixture.catalog.markPurgedIfEmpty("V"))
    }
}
