// Resources, blocks, references, and what is said about mistakes.

import Testing

@testable import Configuration

@Suite("Checking a configuration")
struct GrammarTests {
    @Test("finds all mistakes in one run, each with its place, the reason, and what was probably meant")
    func mistakes() throws {
        let text = try Fixture.text(Fixture.path("mistakes.conf"))
        let found = ConfigurationLoader.examine(
            Array(text.utf8), path: "mistakes.conf", roles: [.director], sources: .none)
        try Golden.expect(
            found.diagnostics.map { $0.description + "\n" }.joined(),
            in: "Tests/ConfigurationTests/Fixtures/mistakes.expected")
    }

    @Test("goes on after a brace that was forgotten")
    func missingBrace() {
        let found = examine(
            "Pool {\n Name = a\n PoolType = Backup\nPool {\n Name = b\n PoolType = Backup\n}\n", [.director])
        #expect(found.resources.map(\.name) == ["a", "b"])
        #expect(
            found.errors.contains(
                "test.conf:4:1: error: `Pool {` begins inside `Pool {` of line 1. A `}` is missing before it."))
        let last = examine("Pool {\n Name = a\n PoolType = Backup\n", [.director])
        #expect(last.errors.contains { $0.hasPrefix("test.conf:1:1: error: `Pool {` is never closed.") })
    }

    @Test("says when a scalar directive is given twice, and takes the later one")
    func duplicates() {
        let found = examine(
            "Pool { Name = p\n PoolType = Backup\n MaximumVolumes = 1\n Maximum Volumes = 2 }", [.director])
        #expect(found.first(.pool)?.number("MaximumVolumes") == 2)
        #expect(
            found.warnings == [
                "test.conf:4:2: warning: `MaximumVolumes` is given twice; this one counts, not the one in line 3. Take one out."
            ])
    }

    @Test("completes jobs from JobDefs, which may have JobDefs of their own")
    func jobDefs() {
        let found = examine(
            """
            Job { Name = j; JobDefs = inner; Priority = 3; RunBeforeJob = mine }
            JobDefs { Name = inner; JobDefs = outer; Type = Backup; RunBeforeJob = theirs; Priority = 4 }
            JobDefs { Name = outer; Type = Restore; Level = Full; Client = c; Storage = a, b; Accurate = yes }
            """, [.director])
        let job = found.first(.job)
        #expect(job?.text("Type") == "Backup")
        #expect(job?.number("Priority") == 3)
        #expect(job?.text("Level") == "Full")
        #expect(job?.text("Client") == "c")
        #expect(job?.texts("Storage") == ["a", "b"])
        #expect(job?.bool("Accurate") == true)
        #expect(job?.texts("RunBeforeJob") == ["mine", "theirs"])
        #expect(job?.name == "j")
        // The missing Client is the JobDefs' mistake, reported once.
        #expect(found.errors.filter { $0.contains("Client \"c\"") }.count == 1)
    }

    @Test("finds JobDefs that go in a circle")
    func circle() {
        let found = examine(
            "JobDefs { Name = a; JobDefs = b }\nJobDefs { Name = b; JobDefs = a }\nJob { Name = j; JobDefs = a }",
            [.director])
        #expect(found.errors.contains { $0.contains("takes its defaults from itself") })
    }

    @Test("wants a Storage from the job or its pool")
    func storage() {
        let found = examine(
            "Job { Name = j; Type = Backup; Pool = p }\nPool { Name = p; PoolType = Backup }", [.director])
        #expect(found.errors.contains { $0.contains("Job \"j\" has no `Storage`, and neither has its Pool \"p\".") })
    }

    @Test("warns where connections are in plain text")
    func plainText() {
        let found = examine(
            "FileDaemon { Name = f; WorkingDirectory = /w }\nDirector { Name = d; Password = p; TLS Enable = no }",
            [.fileDaemon])
        #expect(
            found.warnings == [
                "test.conf:2:36: warning: Connections of Director \"d\" are in plain text. Only peers older than release 11 need that."
            ])
    }

    @Test("says whose file a resource belongs in")
    func foreign() {
        let found = examine("Device { Name = x }", [.director])
        #expect(
            found.errors.contains(
                "test.conf:1:1: error: `Device { … }` does not belong in the file of a director. It belongs in the file of a storage daemon."
            ))
    }

    @Test("resolves references, forward ones too")
    func references() throws {
        let (configuration, findings) = ConfigurationLoader.parse(
            DefaultSite.sample.filled.directorText, path: "d", roles: [.director])
        #expect(findings == [])
        let site = try #require(configuration)
        let job = try #require(site.named(.job, "Backup"))
        #expect(site.target(of: "Client", in: job)?.name == "appliance-fd")
        #expect(site.targets(of: "Storage", in: job).map(\.name) == ["Disk"])
        #expect(site.target(of: "NextPool", in: job) == nil)
    }
}

extension DefaultSite {
    /// With passwords in place of the sample's marks.
    var filled: DefaultSite {
        var site = self
        site.passwords = .random()
        return site
    }
}

@Suite("Resources of several roles in one file")
struct SortingTests {
    private func kinds(_ text: String, _ roles: Set<Role>) -> [ResourceKind] {
        examine(text, roles).resources.map(\.kind)
    }
    private let all: Set<Role> = [.director, .storageDaemon, .fileDaemon]

    @Test("belong to the only role there is, whatever they say")
    func oneRole() {
        #expect(kinds("Director { Name = d; Password = p }", [.director]) == [.director])
        #expect(kinds("Director { Name = d; Password = p }", [.fileDaemon]) == [.fileDirector])
        #expect(kinds("Director { Name = d; Password = p }", [.storageDaemon]) == [.storageDirector])
        #expect(kinds("Director { Name = d; Password = p }", [.console]) == [.consoleDirector])
        #expect(kinds("Storage { Name = s }", [.director]) == [.storage])
        #expect(kinds("Storage { Name = s }", [.storageDaemon]) == [.storageDaemon])
        #expect(kinds("Client { Name = c }\nFileDaemon { Name = f }", [.fileDaemon]) == [.fileDaemon, .fileDaemon])
    }

    @Test("are told apart by their directives")
    func severalRoles() {
        #expect(kinds("Director { Name = d; Password = p; WorkingDirectory = /w }", all) == [.director])
        #expect(kinds("Director { Name = d; Password = p }", all) == [.fileDirector, .storageDirector])
        #expect(kinds("Director { Name = d; Password = p; Monitor = yes }", all) == [.fileDirector, .storageDirector])
        #expect(
            kinds("Director { Name = d; Password = p; Address = h; DirPort = 1 }", [.director, .console]) == [
                .consoleDirector
            ])
        #expect(kinds("Storage { Name = s; Address = h; Device = d; MediaType = m; Password = p }", all) == [.storage])
        #expect(kinds("Storage { Name = s; WorkingDirectory = /w; SDPort = 1 }", all) == [.storageDaemon])
        #expect(
            kinds("Autochanger { Name = a; Device = d; ChangerDevice = /x; ChangerCommand = y }", all) == [.autochanger]
        )
        #expect(
            kinds("Autochanger { Name = a; Device = d; Address = h; Password = p; MediaType = m }", all) == [.storage])
        #expect(kinds("Client { Name = c; Address = h; Password = p; Catalog = k }", all) == [.client])
        #expect(kinds("Client { Name = c; WorkingDirectory = /w }", all) == [.fileDaemon])
        #expect(kinds("Messages { Name = m; console = all }", all) == [.messages])
    }

    @Test(
        "tell whose file it is, when nobody says",
        arguments: [
            ("etc/appliance/director.conf", Set([Role.director])), ("etc/appliance/fd.conf", [.fileDaemon]),
            ("etc/appliance/sd.conf", [.storageDaemon]), ("etc/appliance/console.conf", [.console]),
            ("etc/appliance/all.conf", [.director, .storageDaemon, .fileDaemon]),
            ("etc/examples/two-networks.conf", [.director, .storageDaemon]),
            ("Tests/ConfigurationTests/Fixtures/lab-console.conf", [.console]),
            ("Tests/ConfigurationTests/Fixtures/lab-director.conf", [.director]),
            ("Tests/ConfigurationTests/Fixtures/lab-fd.conf", [.fileDaemon]),
            ("Tests/ConfigurationTests/Fixtures/lab-sd.conf", [.storageDaemon]),
        ] as [(String, Set<Role>)])
    func likelyRoles(file: String, roles: Set<Role>) {
        #expect(ConfigurationLoader.likelyRoles(of: "\(Fixture.repository)/\(file)") == roles)
    }
}
