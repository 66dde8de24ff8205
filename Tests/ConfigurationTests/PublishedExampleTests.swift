// The published example of a site with an internal and an external network.

import Testing

@testable import Configuration

@Suite("The published example")
struct PublishedExampleTests {
    static let path = Fixture.path("two-networks.conf")

    @Test("is read as written: nothing in it is unknown, and every value is there")
    func isRead() throws {
        let found = ConfigurationLoader.examine(Self.path, roles: [.director, .storageDaemon])
        #expect(
            found.resources.map { "\($0.kind) \($0.name)" } == [
                "autochanger autochanger1", "device Drive0", "storage autochanger1", "client private1-fd",
                "client public1-fd",
                "job Private1-Backup", "job Public1-Backup",
            ])
        #expect(
            !found.diagnostics.contains { $0.message.contains("has no directive") || $0.message.contains("is ignored") }
        )
        let device = try #require(found.first(.device))
        #expect(device.text("MediaType") == "AIT-1")
        #expect(device.bool("BsfAtEom") && !device.bool("HardwareEndOfMedium") && device.bool("Autochanger"))
        #expect(found.first(.autochanger)?.text("ChangerCommand") == "/usr/local/sbin/chio-bacula %c %o %S %a")
        #expect(found.first(.storage)?.number("SdPort") == 9103)
        #expect(found.first(.storage)?.bool("Autochanger") == true)
        let job = try #require(found.resources.last)
        #expect(job.text("WriteBootstrap") == "/var/db/bacula/Public1-Backup.bsr")
        #expect(job.number("Priority") == 13)
    }

    @Test("has two broken references, and the check says what was meant")
    func brokenReferences() {
        let errors = ConfigurationLoader.examine(Self.path, roles: [.director, .storageDaemon]).errors
        for (line, name, job) in [(49, "int", "Private1"), (61, "ext", "Public1")] {
            #expect(
                errors.contains(
                    "\(Self.path):\(line):3: error: Storage \"autochanger1-\(name)\" is not defined (`Storage` of Job \"\(job)-Backup\"). Did you mean `autochanger1`?"
                ))
        }
    }

    @Test(
        "leaves out Director, Pool, Catalog, Messages, FileSet and Schedule, and the check names each reference to them"
    )
    func missing() {
        let found = ConfigurationLoader.examine(Self.path, roles: [.director, .storageDaemon])
        for (title, name) in [
            ("Pool", "Weekly"), ("Catalog", "MyCatalog"), ("Messages", "Standard"), ("FileSet", "Private1"),
            ("FileSet", "Public1"), ("Schedule", "WeeklyCycle"),
        ] {
            #expect(
                found.errors.contains {
                    $0.contains("\(title) \"\(name)\" is not defined")
                        && $0.contains("There is no \(title) resource at all.")
                })
        }
        #expect(
            found.errors.contains { $0.contains("There is no Director resource that describes the director itself.") })
        #expect(found.errors.count == 15)
    }

    @Test("loads in halves too, each for its own role")
    func halves() throws {
        let text = try Fixture.text(Self.path)
        let border = try #require(text.firstRange(of: "Storage {"))
        let storage = examine(String(text[..<border.lowerBound]), [.storageDaemon])
        #expect(storage.resources.map(\.kind) == [.autochanger, .device])
        #expect(storage.errors.allSatisfy { $0.contains("There is no ") } && storage.errors.count == 2)
        let director = examine(String(text[border.lowerBound...]), [.director])
        #expect(director.resources.map(\.kind) == [.storage, .client, .client, .job, .job])
        #expect(director.errors.allSatisfy { $0.contains("is not defined") || $0.contains("There is no Director") })
    }

    @Test("loads without errors once what it leaves out is there and the references are right")
    func completed() throws {
        let text = try Fixture.text(Self.path).replacing("autochanger1-int", with: "autochanger1").replacing(
            "autochanger1-ext", with: "autochanger1")
        let rest = """
            Director { Name = dir; Password = x; WorkingDirectory = /w }
            Director { Name = dir; Password = mysecretpassword }
            Storage { Name = sd; WorkingDirectory = /w }
            Catalog { Name = MyCatalog; DbName = c }
            Pool { Name = Weekly; PoolType = Backup }
            Messages { Name = Standard; console = all }
            FileSet { Name = Private1; Include { File = / } }
            FileSet { Name = Public1; Include { File = / } }
            Schedule { Name = WeeklyCycle; Run = Full sun at 23:05 }
            """
        let (configuration, findings) = ConfigurationLoader.parse(
            text + rest, path: "t", roles: [.director, .storageDaemon])
        #expect(configuration != nil, "\(findings)")
        #expect(findings.allSatisfy { $0.severity == .warning && $0.message.contains("no effect yet") }, "\(findings)")
    }

    @Test("is in etc/examples as it is in the tests")
    func copy() throws {
        #expect(try Fixture.text(Self.path) == Fixture.text("\(Fixture.repository)/etc/examples/two-networks.conf"))
    }
}
