// Files as existing sites have them.

import Testing

@testable import Configuration

@Suite("Files of an existing site")
struct ExistingSiteTests {
    private func load(_ name: String, _ role: Role) throws -> Configuration {
        let (configuration, findings) = ConfigurationLoader.load(Fixture.path(name), roles: [role])
        // Nothing but: no effect yet; connections in plain text.
        #expect(
            findings.allSatisfy { $0.message.contains("no effect yet") || $0.message.contains("plain text") },
            "\(findings)")
        return try #require(configuration)
    }

    @Test("load in a director")
    func director() throws {
        let site = try load("lab-director.conf", .director)
        #expect(
            site.all(.job).map(\.name) == [
                "BackupPlain", "BackupRich", "RestoreFiles", "VerifyDisk", "AdminJob", "CopyJob",
            ])
        let rich = try #require(site.named(.job, "BackupRich"))
        #expect(site.target(of: "FileSet", in: rich)?.name == "Rich Set")
        #expect(site.target(of: "Pool", in: rich)?.size("MaximumVolumeBytes") == 2 << 30)
        #expect(rich.text("WriteBootstrap") == "/work/dir/%n.bsr")
        #expect(rich.text("Type") == "Backup" && rich.bool("Accurate"))
        #expect(RunScriptDefinition.all(of: rich).count == 2)
        let client = try #require(site.target(of: "Client", in: rich))
        #expect(client.time("JobRetention") == .seconds(180 * 86400) && !client.bool("TlsEnable"))
        let changer = try #require(site.named(.storage, "LabChanger"))
        #expect(site.target(of: "Autochanger", in: changer)?.name == "LabChanger")
        #expect(changer.bool("Autochanger") && !site.named(.storage, "LabFile")!.bool("Autochanger"))
        #expect(
            site.first(.console)?.texts("CommandAcl") == ["status", ".status", "list", "llist", "messages", "version"])
        #expect(site.first(.console)?.texts("JobAcl") == ["*all*"])
        let messages = MessagesDefinition(try #require(site.named(.messages, "Standard")))
        #expect(
            messages.mailCommand == "/usr/sbin/bsmtp -h localhost -f \"(Bacula) <%r>\" -s \"Bacula: %t %e of %c %l\" %r"
        )
        #expect(
            ScheduleDefinition(try #require(site.first(.schedule))).runs.map(\.level) == [
                "Full", "Differential", "Incremental",
            ])
    }

    @Test("load in a storage daemon")
    func storageDaemon() throws {
        let site = try load("lab-sd.conf", .storageDaemon)
        let changer = try #require(site.first(.autochanger))
        #expect(site.targets(of: "Device", in: changer).map { $0.number("DriveIndex") } == [0, 1])
        #expect(site.all(.storageDirector).map { $0.bool("Monitor") } == [false, true])
        #expect(site.named(.device, "FileStor")?.bool("AlwaysOpen") == false)
    }

    @Test("load in a file daemon")
    func fileDaemon() throws {
        let site = try load("lab-fd.conf", .fileDaemon)
        #expect(site.first(.fileDaemon)?.text("FdAddress") == "127.0.0.1")
        #expect(site.first(.fileDirector)?.password("Password") == "fd-secret")
    }

    @Test("load in the console")
    func console() throws {
        let site = try load("lab-console.conf", .console)
        #expect(site.first(.consoleConsole)?.name == "lab console")
        #expect(site.first(.consoleDirector)?.number("DirPort") == 9101)
    }
}
