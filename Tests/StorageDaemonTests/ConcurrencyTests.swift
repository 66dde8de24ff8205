// Several jobs at once, jobs that are cancelled, peers that vanish or lie.

import Platform
import TestSupport
import Testing
import Wire

@testable import StorageDaemon

@Suite("Several jobs, bad peers, cancelling") struct ConcurrencyTests {
    @Test("Four jobs write on one volume at once and each is restored whole") func fourJobs() async throws {
        try await blocking {
            let harness = try Harness()
            let sets = (1...4).map { FakeFile.some(12, bytes: 70_000, seed: UInt64($0)) }
            let sessions = try await withThrowingTaskGroup(of: (Int, UInt32).self) { group in
                for job in 1...4 {
                    group.addTask { (job, try await harness.backUp(UInt32(job), sets[job - 1]).session) }
                }
                var sessions: [Int: UInt32] = [:]
                for try await (job, session) in group { sessions[job] = session }
                return sessions
            }
            #expect(harness.catalog.state.read { $0.media.count } == 1)
            #expect(harness.catalog.media("Pool-0001")?.jobs == 4)
            for job in 1...4 {
                let restore = try await harness.restore(UInt32(10 + job), of: UInt32(job), session: sessions[job]!)
                #expect(files(restore.records) == sets[job - 1])
            }
            await harness.stop()
        }
    }

    @Test("Four jobs change volumes together and lose nothing") func changeTogether() async throws {
        try await blocking {
            let harness = try Harness()
            harness.catalog.state.withLock { $0.bytesMax = 400_000 }
            let sets = (1...4).map { FakeFile.some(12, bytes: 70_000, seed: UInt64($0)) }
            let sessions = try await withThrowingTaskGroup(of: (Int, UInt32).self) { group in
                for job in 1...4 {
                    group.addTask { (job, try await harness.backUp(UInt32(job), sets[job - 1]).session) }
                }
                var sessions: [Int: UInt32] = [:]
                for try await (job, session) in group { sessions[job] = session }
                return sessions
            }
            #expect(harness.catalog.state.read { $0.media.values.allSatisfy { $0.info.bytes <= 400_000 } })
            for job in 1...4 {
                let restore = try await harness.restore(UInt32(10 + job), of: UInt32(job), session: sessions[job]!)
                #expect(files(restore.records) == sets[job - 1])
                #expect(restore.end.errors == 0)
            }
            await harness.stop()
        }
    }

    @Test("Jobs of two pools share a device one after the other") func twoPools() async throws {
        try await blocking {
            let harness = try Harness()
            async let one = harness.backUp(1, FakeFile.some(5, bytes: 50_000), pool: "One")
            async let two = harness.backUp(2, FakeFile.some(5, bytes: 50_000), pool: "Two")
            #expect(try await one.end.status == UInt8(ascii: "T"))
            #expect(try await two.end.status == UInt8(ascii: "T"))
            await harness.stop()
        }
    }

    enum Lie: String, CaseIterable, Sendable { case indexSkips, indexBack, noHeader, negativeStream, signal, vanishes, startsAtTwo }

    @Test(
        "A client that lies or vanishes fails its job alone; the volume stays readable and takes the next job",
        arguments: Lie.allCases)
    func lies(_ lie: Lie) async throws {
        try await blocking {
            let harness = try Harness()
            let good = FakeFile.some(3, bytes: 60_000)
            let first = try await harness.backUp(1, good)
            let director = try await harness.director()
            let job = try director.open(2, "Bad.2026-11-21_00.00.00_02")
            _ = try director.use(append: true)
            try director.run()
            let client = try await harness.client("Bad.2026-11-21_00.00.00_02", job.authorization)
            let talk = Task.detached(executorPreference: ElasticExecutor.shared) {
                try client.beginAppend(job.sessionID)
                if lie == .startsAtTwo {
                    try client.stream(2, 1, [[1]])
                } else {
                    try client.send(FakeFile.some(3, bytes: 30_000))
                }
                switch lie {
                case .indexSkips: try client.stream(5, 1, [[1, 2, 3]])
                case .indexBack: try client.stream(2, 1, [[1, 2, 3]])
                case .noHeader: try client.send("what is this?")
                case .negativeStream: try client.send("4 -2 0")
                case .signal: try client.channel.send(.breakCommand)
                case .vanishes: client.channel.close()
                case .startsAtTwo: break
                }
                if lie != .vanishes { try client.channel.flush() }
            }
            let end = try director.finish()
            _ = try? await talk.value
            #expect(end.status == UInt8(ascii: "E"))
            #expect(end.errors > 0 && !end.message.isEmpty)
            let next = try await harness.backUp(3, good)
            #expect(next.end.status == UInt8(ascii: "T"))
            #expect(files(try await harness.restore(4, of: 1, session: first.session).records) == good)
            #expect(files(try await harness.restore(5, of: 3, session: next.session).records) == good)
            await harness.stop()
        }
    }

    @Test("A director that vanishes ends its job at once; the device is free for the next") func directorVanishes() async throws {
        try await blocking {
            let harness = try Harness()
            let director = try await harness.director()
            let job = try director.open(1, "Lost.2026-11-21_00.00.00_01")
            _ = try director.use(append: true)
            try director.run()
            let client = try await harness.client("Lost.2026-11-21_00.00.00_01", job.authorization)
            let talk = Task.detached(executorPreference: ElasticExecutor.shared) {
                try client.beginAppend(job.sessionID)
                try client.send(FakeFile.some(2, bytes: 30_000))
                try client.channel.flush()
                director.channel.close()
                // The storage daemon hangs up on us.
                _ = try client.channel.receive()
            }
            _ = try? director.serve { _ in nil }
            _ = try? await talk.value
            let next = try await harness.backUp(2, FakeFile.some(2, bytes: 30_000))
            #expect(next.end.status == UInt8(ascii: "T"))
            await harness.stop()
        }
    }

    enum Phase: String, CaseIterable, Sendable { case waitingForClient, waitingForMedia, waitingForDevice, data, restoring }

    @Test("A job can be cancelled in every phase, says so, and leaves the device free", arguments: Phase.allCases)
    func cancel(_ phase: Phase) async throws {
        try await blocking {
            let harness = try Harness(device: "LabelMedia = yes; Maximum Concurrent Jobs = 1")
            let good = FakeFile.some(3, bytes: 60_000)
            let first = try await harness.backUp(1, good)
            let operators = try await harness.director()
            let name = "Stop.2026-11-21_00.00.00_09"
            let director = try await harness.director()
            switch phase {
            case .waitingForDevice:
                let holder = try await harness.director()
                _ = try holder.open(8, "Holder.2026-11-21_00.00.00_08")
                _ = try holder.use(append: true)
                _ = try director.open(9, name)
                async let answer = Task.detached(executorPreference: ElasticExecutor.shared) { try director.use(append: true) }
                    .value
                while try operators.command("status").first(where: { $0.contains("JobId=9 pool=") }) == nil {}
                #expect(try operators.command("cancel Job=\(name)\n").first?.contains("marked to be canceled") == true)
                #expect(try await answer.hasPrefix("3926"))
                holder.channel.close()
                director.channel.close()
            case .waitingForClient:
                _ = try director.open(9, name)
                _ = try director.use(append: true)
                try director.run()
                _ = try operators.command("cancel Job=\(name)\n")
                #expect(try director.finish().status == UInt8(ascii: "A"))
            case .waitingForMedia, .data:
                harness.catalog.state.withLock { state in
                    if phase == .waitingForMedia {
                        state.createsVolumes = false
                        state.media["Pool-0001"]!.info.status = "Full"
                    }
                }
                let job = try director.open(9, name)
                _ = try director.use(append: true)
                try director.run()
                let client = try await harness.client(name, job.authorization)
                let talk = Task.detached(executorPreference: ElasticExecutor.shared) {
                    try client.beginAppend(job.sessionID)
                    try client.send(good)
                    try client.channel.flush()
                    _ = try operators.command("cancel Job=\(name)\n")
                    _ = try client.channel.receive()
                }
                if phase == .waitingForMedia {
                    _ = try director.serve { $0.contains("JobStatus=109") ? $0 : nil }
                    _ = try operators.command("stop Job=\(name)\n")
                }
                #expect(try director.finish().status == UInt8(ascii: "A"))
                _ = try? await talk.value
                harness.catalog.state.withLock { $0.media["Pool-0001"]!.info.status = "Append" }
            case .restoring:
                let job = try director.open(9, name, type: "R", level: " ")
                _ = try director.use(append: false)
                _ = try director.bootstrap(harness.bootstrap(1, session: first.session, time: job.sessionTime))
                try director.run()
                let client = try await harness.client(name, job.authorization)
                try client.send("read open session = DummyVolume \(job.sessionID) 1 0 0 0 0\n")
                _ = try client.channel.receiveLine()
                _ = try operators.command("cancel Job=\(name)\n")
                #expect(try director.finish().status == UInt8(ascii: "A"))
            }
            let next = try await harness.backUp(20, good)
            #expect(next.end.status == UInt8(ascii: "T"))
            #expect(files(try await harness.restore(21, of: 1, session: first.session).records) == good)
            await harness.stop()
        }
    }

    @Test("At shutdown running jobs are cancelled and say so") func shutdown() async throws {
        try await blocking {
            let harness = try Harness()
            let director = try await harness.director()
            let job = try director.open(1, "Long.2026-11-21_00.00.00_01")
            _ = try director.use(append: true)
            try director.run()
            let client = try await harness.client("Long.2026-11-21_00.00.00_01", job.authorization)
            async let end = Task.detached(executorPreference: ElasticExecutor.shared) { try director.finish() }.value
            try client.beginAppend(job.sessionID)
            try client.send(FakeFile.some(2, bytes: 30_000))
            try client.channel.flush()
            await harness.stop()
            let last = try await end
            #expect(last.status == UInt8(ascii: "A"))
            #expect(last.message.contains("shutting down"))
        }
    }

    @Test("A client with the wrong key, or for a job that nobody announced, is refused") func strangers() async throws {
        try await blocking {
            let harness = try Harness()
            let director = try await harness.director()
            _ = try director.open(1, "Job.2026-11-21_00.00.00_01")
            await #expect(throws: WireError.self) { _ = try await harness.client("Nobody.2026-11-21_00.00.00_01", "x") }
            await harness.stop()
        }
    }
}

@Suite("Operators' commands") struct OperatorTests {
    @Test("label, relabel, truncate, readlabel, mount, unmount, release, enable and disable answer in Bacula's words")
    func commands() async throws {
        try await blocking {
            let medium = SimulatedMedium()
            let harness = try Harness(medium: medium)
            let director = try await harness.director()
            let device = "\"\"Disk\" (\(harness.directory.path))\""
            #expect(
                try director.command("label Disk VolumeName=Man-0001 PoolName=Manual MediaType=File Slot=0 drive=-1").first?
                    .hasPrefix("3000 OK label. VolBytes=") == true)
            #expect(
                try director.command("label Disk VolumeName=Man-0001 PoolName=Manual MediaType=File Slot=0 drive=-1")
                    == ["3920 Cannot label Volume because it is already labeled: \"Man-0001\""])
            #expect(
                try director.command("label Disk VolumeName=../evil PoolName=Manual MediaType=File Slot=0 drive=-1").first?
                    .hasPrefix("3912") == true)
            #expect(
                try director.command(
                    "relabel Disk OldName=Man-0001 NewName=Man-0002 PoolName=Manual MediaType=File Slot=0 drive=-1"
                ).first?
                .hasPrefix("3000 OK label.") == true)
            #expect(medium.state.read { $0.volumes["Man-0001"] } == [])
            #expect(try director.command("mount Disk drive=-1 slot=0\n") == ["3906 File device \(device) is always mounted."])
            #expect(try director.command("unmount Disk drive=-1 slot=0\n") == ["3002 Device \(device) unmounted."])
            #expect(try director.command("unmount Disk drive=-1 slot=0\n") == ["3901 Device \(device) is already unmounted."])
            #expect(try director.command("mount Disk drive=-1 slot=0\n") == ["3002 Device \(device) is mounted."])
            #expect(try director.command("release Disk drive=-1 slot=0\n") == ["3921 Device \(device) already released."])
            #expect(try director.command("disable Disk drive=-1 slot=0\n") == ["3002 Device \(device) disabled."])
            #expect(try director.command("enable Disk drive=-1 slot=0\n") == ["3002 Device \(device) enabled."])
            #expect(try director.command("enable Disk drive=-1 slot=0\n") == ["3003 Device \(device) already enabled."])
            #expect(
                try director.command("mount Nowhere drive=-1 slot=0\n") == [
                    "3999 Device \"Nowhere\" not found or could not be opened."
                ])
            #expect(try director.command("cancel Job=nobody\n") == ["3904 Job nobody not found."])
            #expect(try director.command("bogus\n") == ["3900 Invalid command: bogus"])
            #expect(try director.command("autochanger list Disk \n").first?.hasPrefix("3995") == true)
            #expect(
                try director.command("setdebug=3 trace=0 hangup=-1 blowup=-1 options= tags=\n").first?.hasPrefix(
                    "3000 OK setdebug=3") == true)
            await harness.stop()
        }
    }

    @Test("truncate gives a volume's room back and keeps its label") func truncate() async throws {
        try await blocking {
            let medium = SimulatedMedium()
            let harness = try Harness(medium: medium)
            try await harness.backUp(1, FakeFile.some(3, bytes: 60_000))
            let director = try await harness.director()
            let answer = try director.command("truncate Disk VolumeName=Pool-0001 PoolName=Pool MediaType=File")
            #expect(answer.first?.hasPrefix("3000 OK truncate. VolBytes=") == true)
            #expect(medium.state.read { $0.volumes["Pool-0001"]!.count } < 500)
            await harness.stop()
        }
    }

    @Test("A monitor may ask for the status and nothing else") func monitor() async throws {
        try await blocking {
            let harness = try Harness()
            let watcher = try await harness.director(named: "watcher", password: "watching")
            #expect(try watcher.command("status").contains { $0.contains("Daemon started") })
            #expect(try watcher.command(".status devices api=1 api_opts=").contains { $0.contains("Device File: \"Disk\"") })
            #expect(
                try watcher.command("unmount Disk drive=-1 slot=0")
                    == ["3997 Invalid command for a Director with Monitor directive enabled."])
            #expect(
                try watcher.command(MessageTests.jobCommand)
                    == ["3997 Invalid command for a Director with Monitor directive enabled."])
            await harness.stop()
        }
    }

    @Test("The status shows running jobs with their bytes, waiting ones, and those that ended") func status() async throws {
        try await blocking {
            let harness = try Harness()
            try await harness.backUp(1, FakeFile.some(3, bytes: 60_000))
            let director = try await harness.director()
            _ = try director.open(2, "Shown.2026-11-21_00.00.00_02")
            _ = try director.use(append: true)
            let text = try await harness.director().command("status").joined(separator: "\n")
            for piece in [
                "Jobs: run=1, running=1", "Writing: Full Backup job", "JobId=2", "Files=0 Bytes=0", "Terminated Jobs:",
                "     1  Full", "OK", "Used Volume status:",
            ] { #expect(text.contains(piece), "\(piece)") }
            await harness.stop()
        }
    }
}
