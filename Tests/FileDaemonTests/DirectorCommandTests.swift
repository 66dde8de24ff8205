// The director's commands: what captured lines mean, and that no line traps.

@testable import FileDaemon
import Testing

@Suite("Commands of a director") struct DirectorCommandTests {
    private func command(_ line: String) -> DirectorCommand { DirectorCommand(Array(line.utf8)) }

    @Test("A job's opening line") func job() {
        #expect(
            command("JobId=1 Job=BackupPlain.2026-11-21_00.00.36_03 SDid=1 SDtime=1795219236 Authorization=BFCM-GMLK\n")
                == .job(
                    id: 1, name: "BackupPlain.2026-11-21_00.00.36_03", sessionID: 1, sessionTime: 1_795_219_236,
                    authorization: "BFCM-GMLK"))
        #expect(command("JobId=x Job=") == .malformed(answer: "2901 Bad Job\n"))
    }

    @Test("Levels") func levels() {
        #expect(command("level = full  mtime_only=0 \n") == .level(.full))
        #expect(command("level = incremental  mtime_only=0 \n") == .level(.changed(word: "incremental", isAccurate: false)))
        #expect(
            command("level = accurate_differential  mtime_only=0 \n")
                == .level(.changed(word: "accurate_differential", isAccurate: true)))
        #expect(
            command("level = since_utime 1795219239 mtime_only=1 prev_job=B.2026-11-21_00.00.36_03\n")
                == .level(.since(time: 1_795_219_239, ignoresChangeTime: true, previousJob: "B.2026-11-21_00.00.36_03")))
    }

    @Test("Storage, with and without its key") func storage() {
        #expect(
            command("storage address=127.0.0.1 port=19113 ssl=0\n")
                == .storage(address: "127.0.0.1", port: 19113, authorization: nil))
        #expect(
            command("storage address=h port=1 ssl=0 Authorization=KEY\n") == .storage(address: "h", port: 1, authorization: "KEY"))
        #expect(command("storage nonsense") == .malformed(answer: "2902 Bad storage\n"))
    }

    @Test("A restore's place may be empty, hold spaces, or bytes that are no UTF-8") func restore() {
        let plain = DirectorCommand.RestoreOrder(
            replace: .always, prefixesLinks: false, root: Array("/lab/restored".utf8), relocation: nil)
        #expect(command("restore files=15 replace=a prelinks=0 where=/lab/restored\n") == .restore(plain))
        #expect(command("restore replace=a prelinks=0 where=/lab/restored\n") == .restore(plain))
        #expect(
            command("restore files=1 replace=n prelinks=1 where=\n")
                == .restore(.init(replace: .never, prefixesLinks: true, root: [], relocation: nil)))
        var odd = Array("restore files=1 replace=w prelinks=0 where=/a".utf8)
        odd += [1, 0xFF, 0x0A]
        let oddRoot: [UInt8] = [0x2F, 0x61, 0x20, 0xFF]
        #expect(
            DirectorCommand(odd)
                == .restore(DirectorCommand.RestoreOrder(replace: .ifNewer, prefixesLinks: false, root: oddRoot, relocation: nil)))
        #expect(
            command("restore files=1 replace=o prelinks=0 regexwhere=!a!b\u{1}c!,!d!e!g\n")
                == .restore(.init(replace: .ifOlder, prefixesLinks: false, root: [], relocation: "!a!b c!,!d!e!g")))
        #expect(command("restore files=1 replace=x prelinks=0 where=/\n") == .malformed(answer: "2991 Bad restore command\n"))
    }

    @Test("Scripts, with the time limit that ours add") func scripts() {
        #expect(command("RunBeforeJob /bin/echo\u{1}before\n") == .runBeforeJob("/bin/echo before"))
        #expect(command("RunAfterJob /bin/true\n") == .runAfterJob("/bin/true"))
        #expect(
            command("Run OnSuccess=1 OnFailure=0 AbortOnError=1 When=2 Command=/bin/echo\u{1}Command=x\n")
                == .runScript(
                    JobScript(command: "/bin/echo Command=x", when: .before, onSuccess: true, onFailure: false, abortsOnError: true)
                ))
        #expect(
            command("Run OnSuccess=0 OnFailure=1 AbortOnError=0 When=3 TimeOut=60 Command=x\n")
                == .runScript(
                    JobScript(
                        command: "x", when: [.before, .after], onSuccess: false, onFailure: true, abortsOnError: false,
                        timeLimit: .seconds(60))))
        #expect(command("Run nonsense") == .malformed(answer: "2905 Bad RunScript command.\n"))
        #expect(command("RunBeforeNow\n") == .runBeforeNow)
    }

    @Test("The rest of the vocabulary") func others() {
        #expect(command("backup FileIndex=17\n") == .backup(firstFileIndex: 17))
        #expect(command("estimate listing=1\n") == .estimate(listing: true))
        #expect(command("verify level=disk_to_catalog\n") == .verify(.diskToCatalog))
        #expect(command("verify level=x\n") == .malformed(answer: "2994 Bad verify command: verify level=x\n"))
        #expect(command("accurate files=12\n") == .accurate(files: 12))
        #expect(command("endrestore") == .endRestore)
        #expect(command("setbandwidth=1000 Job=\n") == .setBandwidth(limit: 1000, job: ""))
        #expect(command("cancel Job=A.b\n") == .cancel(job: "A.b"))
        #expect(command("stop Job=A.b\n") == .stop(job: "A.b"))
        #expect(command("status") == .status)
        #expect(command(".status header api=1 api_opts=") == .dotStatus("header"))
        #expect(command("STATUS") == .status)
        #expect(command("snapshot list") == .unsupported("Snapshots are"))
        #expect(command("frobnicate") == .unknown)
        #expect(command("") == .unknown)
    }

    @Test("No line makes the parser trap") func fuzz() {
        var random = SeededGenerator(seed: 0xC0DE)
        let lines = [
            "JobId=1 Job=B SDid=1 SDtime=2 Authorization=K", "level = since_utime 99999999999999999999 mtime_only=0 prev_job=x",
            "storage address=a port=99999999999 ssl=0",
            "restore files=1 replace=a prelinks=0 where=/x",
            "Run OnSuccess=1 OnFailure=0 AbortOnError=1 When=9223372036854775807 TimeOut=99 Command=x",
            "setbandwidth=123 Job=x", "backup FileIndex=-5", "accurate files=-1", "setdebug=1 trace=2",
        ].map { Array($0.utf8) }
        for _ in 0..<30_000 {
            var line = lines[random.next(below: lines.count)]
            for _ in 0..<random.next(below: 6) {
                switch random.next(below: 3) {
                case 0 where !line.isEmpty: line[random.next(below: line.count)] = UInt8(random.next(below: 256))
                case 1 where !line.isEmpty: line.removeSubrange(random.next(below: line.count)...)
                default: line.insert(UInt8(random.next(below: 256)), at: random.next(below: line.count + 1))
                }
            }
            _ = DirectorCommand(line)
        }
    }

    @Test("%-codes stand for what the client knows, unknown ones stay") func codes() {
        var codes = JobCodes()
        codes.jobID = 7
        codes.uniqueName = "Nightly.run.2026-11-21_00.00.36_03"
        codes.level = "Full"
        #expect(codes.expand("%i %n %j %l %% %q %") == "7 Nightly.run Nightly.run.2026-11-21_00.00.36_03 Full % %q %")
    }
}
