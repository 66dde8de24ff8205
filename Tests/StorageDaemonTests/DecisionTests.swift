// What needs no connection: reservations, messages, identities.

import Platform
import TestSupport
import Testing

@testable import StorageDaemon

@Suite("Reserving a drive") struct ReservationTests {
    func request(_ job: UInt32, append: Bool = true, pool: String = "A", on drives: [Int] = [0, 1]) -> ReservationRequest {
        ReservationRequest(job: job, isAppend: append, pool: pool, mediaType: "File", candidates: drives)
    }
    func drive(_ change: (inout DriveUse) -> Void = { _ in }) -> DriveUse {
        var use = DriveUse()
        use.mediaType = "File"
        change(&use)
        return use
    }

    @Test("A job joins the drive that writes to its pool") func joins() {
        let drives = [
            drive(),
            drive {
                $0.writers = [1]; $0.pool = "A"
            },
        ]
        #expect(decide(request(2), drives: drives, earlier: []) == .drive(1))
    }

    @Test("A job of another pool takes a free drive") func separates() {
        let drives = [
            drive {
                $0.writers = [1]; $0.pool = "A"
            }, drive(),
        ]
        #expect(decide(request(2, pool: "B"), drives: drives, earlier: []) == .drive(1))
    }

    @Test("The drive that has the wanted volume comes first") func wantedVolume() {
        var request = request(2)
        request.wantedVolume = "V2"
        let drives = [
            drive {
                $0.volume = "V1"; $0.pool = "A"
            },
            drive {
                $0.volume = "V2"; $0.pool = "A"
            },
        ]
        #expect(decide(request, drives: drives, earlier: []) == .drive(1))
    }

    @Test("A drive takes no more jobs than its Maximum Concurrent Jobs") func limit() {
        let full = drive {
            $0.writers = [1, 2]; $0.pool = "A"; $0.jobsMax = 2
        }
        #expect(decide(request(3, on: [0]), drives: [full], earlier: []) == .wait)
    }

    @Test("A volume whose Maximum Volume Jobs is reached is not joined") func volumeJobs() {
        let used = drive {
            $0.writers = [1]; $0.pool = "A"; $0.volumeTakesAnotherJob = false
        }
        #expect(decide(request(2, on: [0]), drives: [used], earlier: []) == .wait)
    }

    @Test("A job that has waited longer for a drive is not overtaken") func fairness() {
        let drives = [drive()]
        let waiting = request(1, pool: "B", on: [0])
        #expect(decide(request(2, on: [0]), drives: drives, earlier: [waiting]) == .wait)
        #expect(decide(waiting, drives: drives, earlier: []) == .drive(0))
    }

    @Test("On disk a restore runs beside backups; on tape it waits for the drive") func reading() {
        let disk = drive {
            $0.writers = [1]; $0.pool = "A"
        }
        let tape = drive {
            $0.writers = [1]; $0.pool = "A"; $0.isDisk = false
        }
        #expect(decide(request(2, append: false, on: [0]), drives: [disk], earlier: []) == .drive(0))
        #expect(decide(request(2, append: false, on: [0]), drives: [tape], earlier: []) == .wait)
    }

    @Test("What can never be served is refused at once, with the reason")
    func never() {
        #expect(decide(request(1, on: []), drives: [], earlier: []).isNever)
        #expect(decide(request(1, on: [0]), drives: [drive { $0.mediaType = "LTO" }], earlier: []).isNever)
        #expect(decide(request(1, on: [0]), drives: [drive { $0.isReadOnly = true }], earlier: []).isNever)
        #expect(decide(request(1, on: [0]), drives: [drive { $0.isEnabled = false }], earlier: []).isNever)
        #expect(decide(request(1, append: false, on: [0]), drives: [drive { $0.isReadOnly = true }], earlier: []) == .drive(0))
    }

    @Test("An unmounted drive, or one in an operator's command, is waited for") func blocked() {
        #expect(decide(request(1, on: [0]), drives: [drive { $0.isUnmounted = true }], earlier: []) == .wait)
        #expect(decide(request(1, on: [0]), drives: [drive { $0.inCommand = true }], earlier: []) == .wait)
    }

    @Test("PreferMountedVols=0 spreads jobs over free drives") func spread() {
        var request = request(2)
        request.prefersMountedVolumes = false
        let drives = [
            drive {
                $0.writers = [1]; $0.pool = "A"
            }, drive(),
        ]
        #expect(decide(request, drives: drives, earlier: []) == .drive(1))
    }
}

extension ReservationDecision {
    var isNever: Bool { if case .never = self { true } else { false } }
}

@Suite("Messages of directors and clients") struct MessageTests {
    static let jobCommand =
        "JobId=1 job=BackupPlain.2026-11-21_00.00.36_03 job_name=Rich\u{1}Set client_name=lab-fd type=66 level=70 FileSet=Plain NoAttr=0"
        + " SpoolAttr=1 FileSetMD5=/9+FbxRzug+GUhxHI4+mmD SpoolData=0 WritePartAfterJob=1 PreferMountedVols=1 SpoolSize=0 rerunning=0"
        + " VolSessionId=0 VolSessionTime=0 sd_client=0 Authorization=dummy"

    @Test("A real director's JobId command is understood") func jobId() throws {
        let request = try #require(JobRequest(command: Self.jobCommand))
        #expect(request.jobID == 1)
        #expect(request.jobName == "Rich Set")
        #expect(request.type == UInt8(ascii: "B") && request.level == UInt8(ascii: "F"))
        #expect(request.spoolsAttributes && request.sendsAttributes && !request.dialsStorageDaemon)
    }

    static let answer =
        "1000 OK VolName=Lab-0001 VolJobs=1 VolFiles=0 VolBlocks=22 VolBytes=1361025 VolABytes=0 VolHoleBytes=0 VolHoles=0 VolMounts=1"
        + " VolErrors=0 VolWrites=23 MaxVolBytes=2147483648 VolCapacityBytes=0 VolStatus=Append Slot=0 MaxVolJobs=0 MaxVolFiles=0"
        + " InChanger=0 VolReadTime=0 VolWriteTime=17 EndFile=0 EndBlock=1361024 VolType=1 LabelType=0 MediaId=1 ScratchPoolId=0"
        + " VolParts=0 VolCloudParts=0 LastPartBytes=0 Enabled=1 Recycle=1"

    @Test("A real director's volume answer is understood, and that of a later release") func volumeAnswer() throws {
        let info = try #require(VolumeInfo(answer: Self.answer))
        #expect(info.name == "Lab-0001" && info.bytes == 1_361_025 && info.bytesMax == 1 << 31 && info.mediaID == 1)
        let later = Self.answer.dropLast("Recycle=1".count) + "MaxPoolBytes=0 PoolBytes=7 Recycle=1 Protected=0 UseProtect=0"
        #expect(VolumeInfo(answer: String(later)) == info)
        #expect(VolumeInfo(answer: "1901 No Media.") == nil)
    }

    @Test("UpdateMedia has the fields of a real storage daemon in their order") func update() throws {
        let info = try #require(VolumeInfo(answer: Self.answer))
        #expect(
            info.update(jobID: 1, relabel: false, endTime: 1_795_219_239)
                == "CatReq JobId=1 UpdateMedia VolName=Lab-0001 VolJobs=1 VolFiles=0 VolBlocks=22 VolBytes=1361025 VolABytes=0 "
                + "VolHoleBytes=0 VolHoles=0 VolMounts=1 VolErrors=0 VolWrites=23 MaxVolBytes=2147483648 EndTime=1795219239 "
                + "VolStatus=Append Slot=0 relabel=0 InChanger=0 VolReadTime=0 VolWriteTime=17 VolFirstWritten=0 VolType=1 VolParts=0 "
                + "VolCloudParts=0 LastPartBytes=0 Enabled=1 Recycle=1\n")
    }

    @Test("Addresses of JobMedia are split into halves") func jobMedia() {
        let range = JobMediaRange(mediaID: 3, firstIndex: 1, lastIndex: 15, start: 208, end: 5 << 32 | 7)
        #expect(range.line == "1 15 0 5 208 7 3\n")
    }

    @Test(
        "A stream header is two positive numbers",
        arguments: [
            ("1 1 0", 1, 1), ("15 2 1359069", 15, 2), ("7 268435458", 7, 268_435_458), ("2147483647 1998 0", 2_147_483_647, 1998),
        ])
    func header(_ text: String, _ index: Int32, _ stream: Int32) {
        let header = AppendSession.StreamHeader(Array(text.utf8))
        #expect(header?.fileIndex == index && header?.stream == stream)
    }

    @Test(
        "Anything else is no stream header",
        arguments: ["", "1", "0 1 0", "1 0 0", "-1 1 0", "1 -1 0", "x", "2147483648 1 0", "1 99999999999 0"])
    func noHeader(_ text: String) { #expect(AppendSession.StreamHeader(Array(text.utf8)) == nil) }

    @Test("No text makes a decoder trap") func fuzz() {
        var random = SplitMix(state: 0x5D)
        for round in 0..<4000 {
            var bytes = Array((round % 3 == 0 ? Self.jobCommand : round % 3 == 1 ? Self.answer : "12 2 100").utf8)
            for _ in 0..<Int(random.next() % 6 + 1) {
                let at = Int(random.next() % UInt64(max(1, bytes.count)))
                switch random.next() % 3 {
                case 0 where at < bytes.count: bytes[at] = UInt8(truncatingIfNeeded: random.next())
                case 1 where at < bytes.count: bytes.remove(at: at)
                default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: min(at, bytes.count))
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            _ = JobRequest(command: text)
            _ = VolumeInfo(answer: text)
            _ = AppendSession.StreamHeader(bytes)
            _ = SessionNumbers.parse(text)
        }
    }

    @Test("Volume names can't leave the directory") func names() {
        for name in ["a/b", "..", ".hidden", "", "a b", "ü", String(repeating: "x", count: 128)] {
            #expect(!OperatorCommands.isLegalVolumeName(name))
        }
        #expect(OperatorCommands.isLegalVolumeName("Full-0001_a:b.c"))
    }

    @Test("Sizes and rates read as Bacula prints them") func texts() {
        #expect(scaled(1_359_069) == "1.359 M")
        #expect(scaled(999) == "999")
        #expect(rateText(1_359_069, .milliseconds(300)) == "Elapsed time=00:00:01, Transfer rate=1.359 M Bytes/second")
        #expect(grouped(1_361_025) == "1,361,025")
    }
}

struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite("The session identity") struct SessionNumbersTests {
    @Test("The session time never repeats or goes back, whatever the clock does") func neverBack() throws {
        let directory = TemporaryDirectory()
        func start(_ seconds: Int64) throws -> UInt32 {
            try SessionNumbers(workingDirectory: directory.path, name: "sd", now: WallTime(seconds: seconds)).time
        }
        #expect(try start(1_000_000) == 1_000_000)
        #expect(try start(1_000_000) == 1_000_001)
        #expect(try start(5) == 1_000_002)
        #expect(try start(2_000_000) == 2_000_000)
    }

    @Test("A damaged state file is replaced by the clock") func damaged() throws {
        let directory = TemporaryDirectory()
        try DurableText.replace(directory.file("sd.session"), with: "appliance session-time garbage")
        let numbers = try SessionNumbers(workingDirectory: directory.path, name: "sd", now: WallTime(seconds: 77))
        #expect(numbers.time == 77)
        #expect(numbers.nextID() == 1)
        #expect(numbers.nextID() == 2)
    }
}
