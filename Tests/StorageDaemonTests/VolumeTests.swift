// Volumes that fill up, go missing, are recycled, or are not what the catalog says.

import Platform
import TestSupport
import Testing
import Volumes
import Wire

@testable import StorageDaemon

@Suite("Volumes") struct VolumeTests {
    @Test("A job goes on on the next volume in the middle of a file, and is restored from both") func change() async throws {
        try await blocking {
            let harness = try Harness()
            harness.catalog.state.withLock { $0.bytesMax = 300_000 }
            let sent = FakeFile.some(4, bytes: 400_000)
            let backup = try await harness.backUp(1, sent)
            #expect(backup.end.status == UInt8(ascii: "T"))
            let media = harness.catalog.state.read { $0.media }
            #expect(media.count >= 6)
            #expect(media.values.filter { $0.info.status == "Full" }.count == media.count - 1)
            #expect(media.values.allSatisfy { $0.info.bytes <= 300_000 })
            let restore = try await harness.restore(2, of: 1, session: backup.session)
            #expect(files(restore.records) == sent)
            #expect(restore.end.errors == 0)
            await harness.stop()
        }
    }

    @Test("A full medium ends the volume with its last whole block, and the job goes on where there is room") func noRoom()
        async throws
    {
        try await blocking {
            let medium = SimulatedMedium()
            medium.state.withLock { $0.room = 500_000 }
            let harness = try Harness(medium: medium, device: "LabelMedia = yes; Volume Poll Interval = 1")
            let sent = FakeFile.some(10, bytes: 90_000)
            async let backup = harness.backUp(1, sent)
            // The first volume is full; the second can't even be labelled: the job waits until there is room.
            let operators = try await harness.director()
            while try operators.command("status").first(where: { $0.contains("is waiting for an appendable Volume") }) == nil {}
            #expect(harness.catalog.media("Pool-0001")?.status == "Full")
            medium.state.withLock { $0.room = .max }
            let end = try await backup
            #expect(end.end.status == UInt8(ascii: "T"))
            #expect(end.director.statuses.contains(109))
            #expect(end.director.allMessages.contains("No space left on device"))
            let restore = try await harness.restore(2, of: 1, session: end.session)
            #expect(files(restore.records) == sent)
            #expect(harness.catalog.state.read { $0.media.count } == 2)
            await harness.stop()
        }
    }

    @Test("A recycled volume is emptied and labelled afresh") func recycle() async throws {
        try await blocking {
            let medium = SimulatedMedium()
            let harness = try Harness(medium: medium)
            try await harness.backUp(1, FakeFile.some(10, bytes: 90_000, seed: 1))
            harness.catalog.state.withLock { state in
                state.createsVolumes = false
                state.media["Pool-0001"]!.info.status = "Recycle"
                state.media["Pool-0001"]!.info.bytes = 1
            }
            let second = try await harness.backUp(2, FakeFile.some(1, bytes: 1000, seed: 2))
            #expect(second.end.status == UInt8(ascii: "T"))
            #expect(second.director.allMessages.contains("Recycled volume \"Pool-0001\""))
            #expect(medium.state.read { $0.volumes["Pool-0001"]!.count } < 10_000)
            #expect(try sessionLabels(medium.state.read { $0.volumes["Pool-0001"]! }).map(\.jobID) == [2, 2])
            #expect(harness.catalog.media("Pool-0001")?.jobs == 1)
            await harness.stop()
        }
    }

    enum Damage: String, CaseIterable, Sendable { case missing, shorter, wrongLabel, noLabel }

    @Test("A volume that is not what the catalog says goes into Error, and the job takes the next", arguments: Damage.allCases)
    func damaged(_ damage: Damage) async throws {
        try await blocking {
            let medium = SimulatedMedium()
            let harness = try Harness(medium: medium)
            try await harness.backUp(1, FakeFile.some(3, bytes: 90_000))
            medium.state.withLock { state in
                switch damage {
                case .missing: state.volumes["Pool-0001"] = nil
                case .shorter: state.volumes["Pool-0001"]!.removeLast(70_000)
                case .wrongLabel:
                    let label = VolumeLabel(
                        volumeName: "Other", isInUse: true, pool: "Pool", mediaType: "File", host: "h", program: "p",
                        programVersion: "v",
                        programDate: "d", labelTime: .now, writeTime: .now)
                    let block = label.block(session: SessionIdentity(id: 1, time: 1))
                    state.volumes["Pool-0001"] = block + [UInt8](repeating: 0, count: 300_000)
                case .noLabel: state.volumes["Pool-0001"]!.replaceSubrange(0..<100, with: [UInt8](repeating: 0xAA, count: 100))
                }
            }
            let second = try await harness.backUp(2, FakeFile.some(3, bytes: 90_000))
            #expect(second.end.status == UInt8(ascii: "T"))
            #expect(harness.catalog.media("Pool-0001")?.status == "Error")
            #expect(harness.catalog.media("Pool-0002")?.jobs == 1)
            #expect(second.director.allMessages.contains("Marking Volume \"Pool-0001\" in Error"))
            await harness.stop()
        }
    }

    @Test("What a crash left behind the last whole block is cut off, with a warning, and the earlier job is restored")
    func tornTail() async throws {
        try await blocking {
            let medium = SimulatedMedium()
            let harness = try Harness(medium: medium)
            let one = FakeFile.some(3, bytes: 90_000, seed: 1)
            let first = try await harness.backUp(1, one)
            medium.state.withLock { $0.volumes["Pool-0001"]! += [UInt8](repeating: 0x42, count: 777) }
            let two = FakeFile.some(3, bytes: 90_000, seed: 2)
            let second = try await harness.backUp(2, two)
            #expect(second.end.status == UInt8(ascii: "T"))
            #expect(second.director.allMessages.contains("777 bytes behind its last whole block were cut off"))
            #expect(files(try await harness.restore(3, of: 1, session: first.session).records) == one)
            #expect(files(try await harness.restore(4, of: 2, session: second.session).records) == two)
            await harness.stop()
        }
    }

    @Test("A damaged block is reported with volume and address; the rest is restored") func badBlock() async throws {
        try await blocking {
            let medium = SimulatedMedium()
            let harness = try Harness(medium: medium)
            let sent = FakeFile.some(20, bytes: 60_000)
            let backup = try await harness.backUp(1, sent)
            medium.state.withLock { $0.volumes["Pool-0001"]![400_000] ^= 0x55 }
            let restore = try await harness.restore(2, of: 1, session: backup.session)
            #expect(restore.end.errors > 0)
            #expect(restore.director.allMessages.contains("Damaged block on Volume \"Pool-0001\" at address"))
            let whole = files(restore.records).filter { sent.contains($0) }
            #expect(whole.count >= 17 && whole.count < 20)
            await harness.stop()
        }
    }

    @Test("A restore waits for a volume that is not there until it is brought and mounted") func waitsForMount() async throws {
        try await blocking {
            let medium = SimulatedMedium()
            let harness = try Harness(medium: medium)
            let sent = FakeFile.some(3, bytes: 60_000)
            let backup = try await harness.backUp(1, sent)
            let away = medium.state.withLock { $0.volumes.removeValue(forKey: "Pool-0001")! }
            async let restore = harness.restore(2, of: 1, session: backup.session)
            let operators = try await harness.director()
            while try operators.command("status").first(where: { $0.contains("is waiting for a mount") }) == nil {}
            medium.state.withLock { $0.volumes["Pool-0001"] = away }
            _ = try operators.command("mount Disk drive=-1 slot=0\n")
            #expect(files(try await restore.records) == sent)
            await harness.stop()
        }
    }

    @Test("Without a volume the job waits; a label command and a mount let it go on") func waitsForLabel() async throws {
        try await blocking {
            let harness = try Harness(device: "LabelMedia = no")
            harness.catalog.state.withLock { $0.createsVolumes = false }
            async let backup = harness.backUp(1, FakeFile.some(3, bytes: 60_000))
            let operators = try await harness.director()
            while try operators.command("status").first(where: { $0.contains("is waiting for an appendable Volume") }) == nil {}
            let answer = try operators.command("label Disk VolumeName=Hand-1 PoolName=Pool MediaType=File Slot=0 drive=-1")
            #expect(answer.first?.hasPrefix("3000 OK label. VolBytes=") == true)
            harness.catalog.add("Hand-1")
            _ = try operators.command("mount Disk drive=-1 slot=0")
            let end = try await backup
            #expect(end.end.status == UInt8(ascii: "T"))
            #expect(end.director.statuses.contains(109))
            #expect(end.director.allMessages.contains("Please use the \"label\" command"))
            #expect(end.director.allMessages.contains("Wrote label to prelabeled Volume \"Hand-1\""))
            await harness.stop()
        }
    }

    @Test("Maximum Volume Jobs: the next job gets the next volume") func volumeJobs() async throws {
        try await blocking {
            let harness = try Harness()
            harness.catalog.state.withLock { $0.jobsMax = 1 }
            try await harness.backUp(1, FakeFile.some(2, bytes: 10_000))
            try await harness.backUp(2, FakeFile.some(2, bytes: 10_000))
            #expect(harness.catalog.media("Pool-0001")?.jobs == 1)
            #expect(harness.catalog.media("Pool-0001")?.status == "Used")
            #expect(harness.catalog.media("Pool-0002")?.jobs == 1)
            await harness.stop()
        }
    }

    @Test("A medium that does not take the data fails the job, and nothing is reported as written") func syncFails() async throws {
        try await blocking {
            let medium = SimulatedMedium()
            let harness = try Harness(medium: medium)
            try await harness.backUp(1, FakeFile.some(1, bytes: 1000))
            let attributes = harness.catalog.state.read { $0.attributes.count }
            medium.state.withLock { $0.failsSync = true }
            let second = try await harness.backUp(2, FakeFile.some(1, bytes: 1000))
            #expect(second.end.status == UInt8(ascii: "E"))
            #expect(harness.catalog.state.read { $0.attributes.count } == attributes)
            #expect(harness.catalog.state.read { $0.ranges[2] } == nil)
            await harness.stop()
        }
    }
}
