// Whole conversations with a director and its catalog: what the operator types, and what he reads.

import Catalog
import Configuration
import Platform
import Testing
import TestSupport

@testable import Director

@Suite("A console") struct DialogueTests {
    @Test("is told of an unknown or ambiguous command, and goes on")
    func unknown() async throws {
        let script = try ConsoleScript()
        let text = await script.text("foo", "re", "version")
        #expect(text.hasPrefix("foo: is an invalid command.\nre: is an invalid command.\nIt may mean "))
        #expect(text.hasSuffix("lab-dir Version: \(Appliance.name) \(Appliance.version)\n"))
    }

    @Test("lists jobs in Bacula's table, one by number, and says when there is none")
    func listJobs() async throws {
        let script = try ConsoleScript()
        try script.backup(files: ["/a/b"])
        try script.backup("I", after: 60, files: [])
        #expect(
            await script.text("list jobs") == """
                +-------+--------+---------------------+------+-------+----------+----------+-----------+
                | JobId | Name   | StartTime           | Type | Level | JobFiles | JobBytes | JobStatus |
                +-------+--------+---------------------+------+-------+----------+----------+-----------+
                | 1     | Backup | 2026-11-21 01:28:45 | B    | F     | 1        | 100      | T         |
                | 2     | Backup | 2026-11-21 01:29:45 | B    | I     | 0        | 0        | T         |
                +-------+--------+---------------------+------+-------+----------+----------+-----------+

                """)
        #expect(await script.text("list jobid=9") == "No results to list.\n")
        #expect(await script.text("list nosuch").hasPrefix("Unknown list keyword: nosuch"))
        let long = await script.text("llist jobid=1")
        #expect(
            long.contains(
                "           JobId: 1\n             Job: Backup.2026-11-21_01.28.45_05\n            Name: Backup\n"))
        #expect(long.hasSuffix("         Comment: \n\n"))
    }

    @Test("lists volumes pool by pool, files, media, clients, pools and totals")
    func listOthers() async throws {
        let script = try ConsoleScript()
        try script.backup(files: ["/a/b", "/a/"])
        #expect(await script.text("list volumes").contains("Pool: File\n+---------+"))
        #expect(await script.text("list volume=Nope") == "No results to list.\n")
        #expect(await script.text("list volume=Vol-0001").contains("| 1       | Vol-0001   | Append    | 1       |"))
        #expect(await script.text("list files jobid=1").contains("| /a/b     |\n| /a/      |"))
        #expect(await script.text("list jobmedia jobid=1").contains("| 1     | Vol-0001   | 1          | 2         |"))
        #expect(await script.text("list clients").contains("| 1        | lab-fd |"))
        #expect(await script.text("list pools").contains("| Vol-        |"))
        #expect(await script.text("list jobtotals").contains("| 1    | 2     | 100   | Backup |"))
        #expect(
            await script.text("list nextvol job=Backup")
                == "The next Volume to be used by Job \"Backup\" will be Vol-0001\n")
    }

    @Test("reads the catalog by SQL, but never writes it")
    func sql() async throws {
        let script = try ConsoleScript()
        try script.backup(files: [])
        #expect(await script.text("sqlquery SELECT JobId, Name FROM Job").contains("| 1     | Backup |"))
        #expect(await script.transcript(".sql query=\"select JobId, Name from Job\"") == "1\tBackup\t<-1>\n")
        let refused = await script.text("sqlquery DELETE FROM Job", "list jobs")
        #expect(refused.contains("The query failed") && refused.contains("| 1     | Backup |"))
        let dialogue = await script.text("sqlquery", "select 1 as One;", "nonsense;", "", "version")
        #expect(
            dialogue.contains("| One |") && dialogue.contains("The query failed")
                && dialogue.contains("End query mode."))
    }

    // MARK: - run

    @Test("shows a job's parameters before it runs, lets them be changed by menu, and runs nothing on no or a period")
    func runDialogue() async throws {
        let script = try ConsoleScript()
        let when = "2030-01-01 00:00:00"
        let text = await script.transcript(
            "run job=Backup when=\"\(when)\"", "mod", "1", "1", "mod", "7", "11", "what", "no")
        #expect(
            text == """
                Automatically selected Catalog: Cat
                Using Catalog "Cat"
                Run Backup job
                JobName:  Backup
                Level:    Incremental
                Client:   lab-fd
                FileSet:  Plain
                Pool:     File (From Job resource)
                Storage:  LabFile (From Job resource)
                When:     2030-01-01 00:00:00
                Priority: 10
                OK to run? (yes/mod/no): <-27>
                Parameters to modify:
                     1: Level
                     2: Storage
                     3: Job
                     4: FileSet
                     5: Client
                     6: When
                     7: Priority
                     8: Pool
                     9: Plugin Options
                Select parameter to modify (1-9): <-27>
                Levels:
                     1: Full
                     2: Incremental
                     3: Differential
                     4: Since
                     5: VirtualFull
                Select level (1-5): <-27>
                Run Backup job
                JobName:  Backup
                Level:    Full
                Client:   lab-fd
                FileSet:  Plain
                Pool:     File (From Job resource)
                Storage:  LabFile (From Job resource)
                When:     2030-01-01 00:00:00
                Priority: 10
                OK to run? (yes/mod/no): <-27>
                Parameters to modify:
                     1: Level
                     2: Storage
                     3: Job
                     4: FileSet
                     5: Client
                     6: When
                     7: Priority
                     8: Pool
                     9: Plugin Options
                Select parameter to modify (1-9): <-27>
                Enter new Priority: <-27>
                Run Backup job
                JobName:  Backup
                Level:    Full
                Client:   lab-fd
                FileSet:  Plain
                Pool:     File (From Job resource)
                Storage:  LabFile (From Job resource)
                When:     2030-01-01 00:00:00
                Priority: 11
                OK to run? (yes/mod/no): <-27>
                Bad response: what. You must answer yes, mod, or no.

                Run Backup job
                JobName:  Backup
                Level:    Full
                Client:   lab-fd
                FileSet:  Plain
                Pool:     File (From Job resource)
                Storage:  LabFile (From Job resource)
                When:     2030-01-01 00:00:00
                Priority: 11
                OK to run? (yes/mod/no): <-27>
                Job not run.
                <-1>

                """)
        #expect(await script.text("run job=Backup", ".").hasSuffix("OK to run? (yes/mod/no): Job not run.\n"))
        #expect(script.services.jobs.snapshot().isEmpty)
    }

    @Test("queues a job with yes, sees it in status, cancels it, and learns how it ended")
    func runAndCancel() async throws {
        let script = try ConsoleScript()
        #expect(
            await script.text("run job=Backup level=Full when=\"2030-01-01 00:00:00\" yes") == "Job queued. JobId=1\n")
        let status = await script.text("status director")
        #expect(status.contains("     1  Back Full          0         0  Backup            is waiting"))
        #expect(await script.text(".status dir current").hasPrefix("1000 OK .status\nJobId=1 JobStatus="))
        #expect(await script.text(".progress").hasPrefix("{\"type\":\"progress\",\"jobid\":1,"))
        #expect(await script.text("wait jobid=1 timeout=0").contains("Job 1 has not ended within 0 seconds."))
        #expect(await script.text("cancel jobid=7") == "Warning Job JobId=7 is not running.\n")
        let name = try script.fixture.row(1).uniqueName
        #expect(
            await script.text("cancel", "yes")
                == "Automatically selected Job: JobId=1 Job=\(name)\nJobId=1 Job=\(name)\nConfirm cancel of 1 Job (yes/no): JobId 1, Job \(name) marked to be canceled.\n"
        )
        #expect(await script.text("wait jobid=1") == "JobId=1\nJobStatus=Canceled (A)\n")
        #expect(await script.text("cancel") == "No Jobs running.\n")
    }

    @Test("of ours fails a wait for a job that failed, and warns of one with warnings")
    func waitOutcome() async throws {
        let script = try ConsoleScript()
        try script.backup(status: "E", files: [])
        try script.backup(after: 60, status: "W", files: [])
        let failed = await script.transcript("wait jobid=1", mode: .framed)
        #expect(failed.contains("<-21>\nJob 1 (Backup) ended: Error.") && failed.contains("<-14>\n"))
        let warned = await script.transcript("wait jobid=2", mode: .framed)
        #expect(warned.contains("<-20>\nJob 2 (Backup) ended with warnings") && warned.contains("<-15>\n"))
    }

    @Test(
        "is refused what makes no sense, with the reason",
        arguments: [
            ("run job=Backup level=Huge yes", "\"Huge\" is no level."),
            ("run job=Backup when=soon yes", "\"soon\" is no time."),
            ("run job=Backup priority=0 yes", "\"0\" is no priority."),
            ("run job=Restore yes", "A restore needs to know what to restore."),
            ("wait jobid=a", "\"a\" is no list of JobIds."),
            ("restore jobid=99 all done yes", "No job 99 is in the catalog."),
            ("restore client=lab-fd current all done yes", "No full backup of client \"lab-fd\" is in the catalog."),
            ("delete volume=Nope yes", "Volume \"Nope\" is not in the catalog."),
            ("label storage=LabFile volume=a/b pool=File", "Illegal character \"/\" in a volume name."),
            ("update volume=Nope volstatus=Used", "Volume \"Nope\" is not in the catalog."),
            ("prune", "not available in this release"),
            ("show nonsense", "is unknown"), ("help nonsense", "There is no command"), ("setdebug", "Which level?"),
        ])
    func refusals(line: String, answer: String) async throws {
        let script = try ConsoleScript()
        let text = await script.transcript(line, mode: .framed)
        #expect(text.contains("<-21>\n") && text.contains(answer) && text.hasSuffix("<-14>\n<-1>\n"), "\(text)")
    }

    // MARK: - restore

    @Test(
        "restores by tree: moves, marks with wildcards, brings hard links along, sees the volumes, and queues the job")
    func restoreByTree() async throws {
        let script = try ConsoleScript()
        try script.backup(files: [
            "/src/first", "/src/again=1", "/src/sub dir/x.txt", "/src/sub dir/y.txt", "/src/sub dir/", "/src/",
        ])
        try script.backup("I", after: 60, files: ["/src/sub dir/y.txt"])
        let text = await script.transcript(
            "restore client=lab-fd fileset=Plain where=/tmp/back select current", "cd src", "ls", "mark again",
            "lsmark", "cd sub dir", "mark *.txt",
            "estimate", "done", "no")
        let working = script.fixture.directory.path
        #expect(
            text.replacingBootstrap(in: working) == """
                Automatically selected Catalog: Cat
                Using Catalog "Cat"
                +-------+-------+----------+----------+---------------------+------------+
                | JobId | Level | JobFiles | JobBytes | StartTime           | VolumeName |
                +-------+-------+----------+----------+---------------------+------------+
                | 1     | F     | 6        | 800      | 2026-11-21 01:28:45 | Vol-0001   |
                | 2     | I     | 1        | 100      | 2026-11-21 01:29:45 | Vol-0001   |
                +-------+-------+----------+----------+---------------------+------------+
                You have selected the following JobIds: 1,2

                Building directory tree for JobId(s) 1,2 ...  
                4 files inserted into the tree.

                You are now entering file selection mode where you add (mark) and
                remove (unmark) files to be restored. No files are initially added, unless
                you used the "all" keyword on the command line.
                Enter "done" to leave this mode.

                cwd is: /
                $ <-27>
                cwd is: /src/
                $ <-27>
                again
                first
                sub dir/
                $ <-27>
                1 file marked.
                $ <-27>
                *again
                *first
                $ <-27>
                cwd is: /src/sub dir/
                $ <-27>
                2 files marked.
                $ <-27>
                6 total files; 4 marked to be restored; 500 bytes.
                $ <-27>
                Bootstrap records written to BOOTSTRAP

                The Job will require the following (*=>InChanger):
                   Volume(s)                 Storage(s)                SD Device(s)
                ===========================================================================
                   
                    Vol-0001                  LabFile                   FileStor                 

                Volumes marked with "*" are in the Autochanger.


                4 files selected to be restored.

                Run Restore job
                JobName:         Restore
                Bootstrap:       BOOTSTRAP
                Where:           /tmp/back
                Replace:         Always
                FileSet:         Plain
                Backup Client:   lab-fd
                Restore Client:  lab-fd
                Storage:         LabFile
                When:            NOW
                Catalog:         Cat
                Priority:        10
                Plugin Options:  *None*
                OK to run? (yes/mod/no): <-27>
                Job not run.
                <-1>

                """)
    }

    @Test("restores without a question by select current all done yes, and the bootstrap names what is needed")
    func restoreWithoutQuestions() async throws {
        let script = try ConsoleScript()
        try script.backup(files: ["/src/a", "/src/b"])
        try script.backup("I", after: 60, files: ["/src/b"], volume: "Vol-0002")
        let text = await script.text("restore client=lab-fd where=/ select current all done yes")
        #expect(
            text.contains("2 files inserted into the tree and marked for extraction.\n")
                && text.hasSuffix("Job queued. JobId=3\n"), "\(text)")
        let path = try #require(
            text.split(separator: "\n").first { $0.hasPrefix("Bootstrap records written to ") }.map {
                String($0.dropFirst(29))
            })
        let bootstrap = String(
            decoding: try #require(try BoundedReading.file(path, bytesMax: 1 << 20).bytes), as: UTF8.self)
        #expect(
            bootstrap.contains("Volume=\"Vol-0001\"") && bootstrap.contains("FileIndex=1\n")
                && bootstrap.contains("Volume=\"Vol-0002\""), "\(bootstrap)")
        #expect(!bootstrap.contains("FileIndex=1-2"), "the newer version of b is in the second job: \(bootstrap)")
    }

    @Test("restores files and directories by name, and says which it doesn't find")
    func restoreByName() async throws {
        let script = try ConsoleScript()
        try script.backup(files: ["/src/a", "/src/d/x", "/src/d/y", "/src/d/"])
        let text = await script.text("restore client=lab-fd file=/src/a file=/src/d file=/nope done yes")
        #expect(
            text.contains("No backup of \"/nope\" was found in these jobs.\n")
                && text.contains("\n4 files selected to be restored.\n"), "\(text)")
        #expect(
            await script.text("restore client=lab-fd file=/nope done yes").hasSuffix(
                "No files selected to be restored.\n"))
    }

    @Test("restores as it was before a date, and chosen jobs alone")
    func restoreBefore() async throws {
        let script = try ConsoleScript()
        try script.backup(files: ["/a"])
        try script.backup("I", after: 3600, files: ["/b"])
        #expect(
            await script.text("restore client=lab-fd before=\"2026-11-21 02:00:00\" all done yes").contains(
                "the following JobId: 1\n"))
        #expect(await script.text("restore jobid=2 all done yes").contains("\n1 file selected to be restored.\n"))
    }

    @Test(
        "chooses by the menu: looks at jobs first, then restores the most recent backup, then leaves the tree with nothing done"
    )
    func restoreMenu() async throws {
        let script = try ConsoleScript()
        try script.backup(files: ["/a"])
        let text = await script.text("restore", "1", "99", "5", "quit", "version")
        #expect(
            text.contains("    13: Cancel\nSelect item:  (1-13): ")
                && text.contains("Please enter a number between 1 and 13\n"), "\(text)")
        #expect(text.contains("Automatically selected Client: lab-fd\nAutomatically selected FileSet: Plain\n"))
        #expect(text.contains("$ Selection aborted, nothing done.\nlab-dir Version"))
    }

    @Test("restores whole jobs whose files are no longer in the catalog, after asking")
    func restorePurged() async throws {
        let script = try ConsoleScript()
        let job = try script.backup(files: ["/a", "/b"])
        try script.catalog.purgeFiles(ofJob: job)
        let text = await script.text("restore jobid=\(job)", "yes", "no")
        #expect(
            text.contains("file selection is not possible") && text.contains("\n2 files selected to be restored.\n"),
            "\(text)")
    }

    // MARK: - Volumes

    @Test("updates a volume by arguments and by menu")
    func updateVolume() async throws {
        let script = try ConsoleScript()
        try script.backup(files: ["/a"])
        #expect(
            await script.text("update volume=Vol-0001 volstatus=used volretention=\"1 year\" slot=3 maxvolbytes=10g")
                == """
                New Volume status is: Used
                New retention period is: 1 year
                New Max bytes is: 10737418240
                New Slot is: 3

                """)
        let volume = try #require(try script.catalog.volume(named: "Vol-0001"))
        #expect(
            volume.status == .used && volume.retention == 365 * 86400 && volume.slot == 3 && volume.bytesMax == 10 << 30
        )
        let menu = await script.text("update volume=Vol-0001", "4", "x", "4", "5", "13")
        #expect(
            menu.contains("maxvoljobs=x is no number.") && menu.contains("New max jobs is: 5\n")
                && menu.hasSuffix("Selection terminated.\n"), "\(menu)")
    }

    @Test("deletes and purges only after a yes")
    func removals() async throws {
        let script = try ConsoleScript()
        try script.backup(files: ["/a"])
        #expect(
            await script.text("delete volume=Vol-0001", "no").hasSuffix(
                "Are you sure you want to delete Volume \"Vol-0001\"? (yes/no): "))
        #expect(try script.catalog.volume(named: "Vol-0001") != nil)
        #expect(await script.text("purge volume=Vol-0001", mode: .plain).hasSuffix("Marking it purged.\n"))
        #expect(try script.catalog.volume(named: "Vol-0001")?.status == .purged)
        #expect(
            await script.text("delete volume=Vol-0001 yes").hasSuffix(
                "Volume \"Vol-0001\" and 0 Jobs deleted from the catalog.\n"))
        let job = try script.backup(after: 9, files: [])
        #expect(
            await script.text("delete jobid=\(job)")
                == "JobId=\(job) and associated records deleted from the catalog.\n")
    }

    // MARK: - Resources

    @Test("sees every resource, and never a password")
    func show() async throws {
        let script = try ConsoleScript()
        let text = await script.text("show all")
        #expect(
            text.contains("Job: name=Backup\n") && text.contains("Client: name=lab-fd\n")
                && text.contains("FileSet: name=Plain\n"))
        for secret in ["console-secret", "fd-secret", "sd-secret"] { #expect(!text.contains(secret)) }
        #expect(await script.text("show pool=File").hasPrefix("Pool: name=File\n"))
    }

    @Test("disables a client so that no job runs on it, and enables it again")
    func enableDisable() async throws {
        let script = try ConsoleScript()
        #expect(await script.text("disable client=lab-fd") == "Client \"lab-fd\" disabled\n")
        #expect(await script.text("run job=Backup yes").contains("Client \"lab-fd\" is disabled."))
        #expect(
            await script.text("enable client=lab-fd", "run job=Backup when=\"2030-01-01 00:00:00\" yes").hasSuffix(
                "Job queued. JobId=1\n"))
        #expect(await script.text("disable job=Nope").contains("not found"))
    }

    @Test("gets names, defaults and its messages by dot commands")
    func dotCommands() async throws {
        let script = try ConsoleScript()
        #expect(await script.text(".jobs") == "Backup\nRestore\n")
        #expect(await script.text(".jobs type=R") == "Restore\n")
        #expect(await script.text(".clients") == "lab-fd\n")
        #expect(await script.text(".levels") == "Incremental\nFull\nDifferential\nVirtualFull\n")
        #expect(await script.text(".volstatus").hasPrefix("Append\nFull\n"))
        #expect(
            await script.text(".defaults job=Backup").hasPrefix("job=Backuppool=Filemessages=Standardclient=lab-fd"),
            "packet boundaries separate them")
        #expect(await script.text(".messages") == "")
        script.services.messages.post("21-Nov 01:04 lab-dir JobId 4: text")
        #expect(await script.transcript("version").hasSuffix("You have messages.\n<-1>\n"))
        #expect(
            await script.text("messages", "messages") == "21-Nov 01:04 lab-dir JobId 4: text\nYou have no messages.\n")
        #expect(await script.transcript("quit").hasSuffix("<-4>\n"))
    }

    // MARK: - Modes

    @Test("in API mode gets the frames that programs expect")
    func apiMode() async throws {
        let script = try ConsoleScript()
        let text = await script.transcript(
            ".api 1", "list volume=Nope", "nosuch", ".clients", "run job=Backup", "no", ".api 0")
        #expect(
            text.split(separator: "\n", omittingEmptySubsequences: false).map {
                $0.hasPrefix("When:     ") ? "When:     NOW" : $0
            }.joined(separator: "\n") == """
                <-15>
                <-18>
                <-16>
                Automatically selected Catalog: Cat
                Using Catalog "Cat"
                No results to list.
                <-15>
                <-18>
                <-21>
                nosuch: is an invalid command.
                <-18>
                <-16>
                lab-fd
                <-15>
                <-18>
                <-16>
                <-23>
                Type: Backup
                Title: Run Backup Job
                JobName:  Backup
                Level:    Incremental
                Client:   lab-fd
                FileSet:  Plain
                Pool:     File
                Storage:  LabFile
                When:     NOW
                Priority: 10
                <-28>
                OK to run? (yes/mod/no): Job not run.
                <-14>
                <-18>
                <-1>

                """)
    }

    @Test("in JSON mode gets nothing but JSON, as the golden file says")
    func jsonMode() async throws {
        let script = try ConsoleScript()
        try script.backup(files: ["/src/a", "/src/"])
        script.services.messages.post("21-Nov 01:04 lab-dir JobId 4: text")
        let text = await script.transcript(
            "list jobs", "llist jobid=1", "list volumes", "list pools", "list clients", "list files jobid=1",
            "list jobmedia jobid=1", "list jobtotals",
            "status director", "messages", "nosuch", "delete volume=Nope",
            "run job=Backup when=\"2030-01-01 00:00:00\"", "no",
            "run job=Backup when=\"2030-01-01 00:00:00\" yes", ".progress", "cancel jobid=2", "wait jobid=2",
            "restore jobid=1", "ls", "mark *", "lsmark",
            "estimate", "done", "no", ".clients", "update volume=Vol-0001 volstatus=Used", "help wait", mode: .json)
        var lines: [String] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("<") {
            let object = try JSON(parsing: String(line))
            #expect(object["type"]?.stringValue != nil, "\(line)")
            lines.append(Self.steady(object).text)
        }
        try Self.compare(lines.joined(separator: "\n") + "\n", "console.jsonl")
    }

    /// `UPDATE_GOLDEN=1 swift test --filter DirectorTests` writes it anew.
    private static func compare(_ text: String, _ name: String) throws {
        let path = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Golden/" + name
        if CurrentProcess.environment("UPDATE_GOLDEN") != nil { try DurableText.replace(path, with: text) }
        let golden = (try DurableText.read(path) ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (number, (line, expected)) in zip(lines, golden).enumerated() {
            #expect(line == expected, "line \(number + 1)")
        }
        #expect(lines.count == golden.count)
    }

    /// What differs from run to run is replaced by its type.
    private static func steady(_ json: JSON) -> JSON {
        let changing: Set<String> = [
            "started", "JobTDate", "SchedTime", "LastWritten", "ExpiresIn", "LabelDate", "When", "Bootstrap", "Where",
            "ended", "elapsed", "job", "Job", "jobid_time", "statustext", "reason", "status", "messages", "UseDate",
            "CreateTime", "RealEndTime",
        ]
        switch json {
        case .object(let members):
            return .object(
                members.map { member in
                    guard changing.contains(member.name) else { return JSON.Member(member.name, steady(member.value)) }
                    switch member.value {
                    case .string: return JSON.Member(member.name, "…")
                    case .integer, .null: return JSON.Member(member.name, 0)
                    default: return JSON.Member(member.name, member.value)
                    }
                })
        case .array(let values): return .array(values.map(steady))
        default: return json
        }
    }

    // MARK: - Rights

    @Test("that is named sees and does only what its lists allow")
    func namedConsole() async throws {
        let script = try ConsoleScript(
            more: """
                Console {
                  Name = limited; Password = "x"; CommandACL = list, run, show, .jobs; JobACL = Backup; ClientACL = *all*; PoolACL = Nothing
                }
                """)
        try script.backup(files: [])
        try script.backup(after: 60, job: "Secret", files: [])
        let rights = ConsoleRights(try #require(script.services.configuration.named(.console, "limited")))
        let jobs = await script.text("list jobs", rights: rights)
        #expect(jobs.contains("| Backup |") && !jobs.contains("Secret"))
        #expect(await script.text("cancel all", rights: rights).contains("this console may not use that command"))
        #expect(await script.text(".jobs", rights: rights) == "Backup\n")
        #expect(
            await script.text("list volumes pool=File", rights: rights).contains(
                "does not exist, or this console may not use it"))
        #expect(await script.text("list joblog jobid=2", rights: rights).contains("No job 2 is in the catalog."))
        #expect(await script.text("run job=Restore yes", rights: rights).contains("not found"))
        #expect(!(await script.text("show all", rights: rights)).contains("Director:"))
        #expect(await script.text("version", rights: rights).hasPrefix("lab-dir Version"))
    }

    @Test("that sends anything at all never brings the director down")
    func fuzz() async throws {
        let script = try ConsoleScript()
        try script.backup(files: ["/a/b", "/a/"])
        var generator = SeededGenerator(seed: 4242)
        let words =
            DirectorCommand.all.map(\.name) + DirectorCommand.dotCommands.map(\.name) + [
                "jobid=1", "jobid=", "job=Backup", "client=lab-fd", "yes", "no", "mod", ".", "1", "2", "13", "-1",
                "all", "done", "select", "current", "pool=File",
                "volume=Vol-0001", "ls", "mark *", "\"", "=", "level=Full", "when=2030-01-01", "storage=LabFile",
                "file=/a/b", "json", "0", "timeout=0", "", "\u{0}", "é=ü",
            ]
        // Commands that wait or dial would only make this slow; they have tests of their own.
        let slow: Set<String> = [
            "wait", "estimate", "label", "mount", "unmount", "umount", "release", "status", ".status", "reload",
            "setdebug", "quit", "exit", ".quit", ".exit", "update", "truncate",
        ]
        for _ in 0..<60 {
            var lines: [String] = []
            for _ in 0..<6 {
                let count = Int.random(in: 1...4, using: &generator)
                lines.append(
                    (0..<count).map { _ in words.filter { !slow.contains($0) }.randomElement(using: &generator)! }
                        .joined(separator: " "))
            }
            _ = await script.transcriptOf(lines)
        }
        #expect(await script.text("version").hasPrefix("lab-dir Version"))
    }
}

extension ConsoleScript {
    func transcriptOf(_ lines: [String]) async -> String {
        switch lines.count {
        case 6: await transcript(lines[0], lines[1], lines[2], lines[3], lines[4], lines[5])
        default: ""
        }
    }
}

extension String {
    /// Without the restore's own file name and time.
    func replacingBootstrap(in directory: String) -> String {
        split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            if line.hasPrefix("When:            ") { return "When:            NOW" }
            guard let range = line.firstRange(of: directory) else { return String(line) }
            return line[..<range.lowerBound] + "BOOTSTRAP"
        }.joined(separator: "\n")
    }
}
