import Catalog
import Configuration
import Platform
import TestSupport
import Testing

@testable import Director

@Suite struct DirectorRoleTests {
    private static func configuration(_ directory: String, port: UInt16, more: String = "") throws -> Configuration {
        var text = DirectorFixture.text(directory: directory, clientPort: 1, storagePort: 1, more: more, jobDefaults: "", pool: "")
        let start = try #require(text.firstRange(of: "DirPort = ")).upperBound
        let end = text[start...].firstIndex(of: ";")!
        text.replaceSubrange(start..<end, with: "\(port)")
        let (configuration, findings) = ConfigurationLoader.parse(text, path: "test.conf", roles: [.director])
        return try #require(configuration, "\(findings)")
    }

    @Test("Jobs that a dead director left open are marked as failed at the next start, and operators are told")
    func crashRecovery() throws {
        let directory = TemporaryDirectory()
        let configuration = try Self.configuration(directory.path, port: try LoopbackPort.free())
        let catalog = try CatalogDatabase(path: directory.file("catalog.db"))
        let id = try catalog.createJob(JobCreation(uniqueName: "Backup.x", name: "Backup", type: "B", level: "F", scheduled: .now))
        try catalog.startJob(id, JobStart(started: .now, level: "F"))
        try catalog.close()
        let role = try DirectorRole(configuration)
        #expect(try role.services.catalog.job(id)?.status == "f")
        #expect(role.services.messages.take().contains { $0.contains("JobId \(id)") })
    }

    @Test("A second director on the same port is refused in words")
    func portTaken() throws {
        let (first, second) = (TemporaryDirectory(), TemporaryDirectory())
        let port = try LoopbackPort.free()
        let running = try DirectorRole(try Self.configuration(first.path, port: port))
        let error = #expect(throws: DirectorError.self) { _ = try DirectorRole(try Self.configuration(second.path, port: port)) }
        #expect(error?.what.contains("\(port)") == true)
        withExtendedLifetime(running) {}
    }

    @Test("A reload brings new resources to new jobs and refuses another port")
    func reload() async throws {
        let directory = TemporaryDirectory()
        let port = try LoopbackPort.free()
        let role = try DirectorRole(try Self.configuration(directory.path, port: port))
        #expect(throws: DirectorError.self) { _ = try role.services.submit(JobRequest(job: "Added")) }
        try await role.reload(
            try Self.configuration(
                directory.path, port: port,
                more: "Pool { Name = New; Pool Type = Backup } Job { Name = Added; JobDefs = Defaults; Pool = New }"))
        #expect(try role.services.catalog.pool(named: "New") != nil)
        _ = try role.services.submit(JobRequest(job: "Added"))
        let other = try Self.configuration(directory.path, port: try LoopbackPort.free())
        await #expect(throws: DirectorError.self) { try await role.reload(other) }
        #expect(role.services.configuration.named(.job, "Added") != nil)
    }

    @Test("Shutting down cancels what is queued and ends the role")
    func shutDown() async throws {
        let directory = TemporaryDirectory()
        let role = try DirectorRole(try Self.configuration(directory.path, port: try LoopbackPort.free()))
        let running = Task(executorPreference: ElasticExecutor.shared) { try await role.run() }
        var request = JobRequest(job: "Backup")
        request.when = WallTime(seconds: WallTime.now.seconds + 3600)
        let id = try role.services.submit(request)
        await role.shutDown(grace: .seconds(1))
        try await running.value
        #expect(role.services.jobs.snapshot(of: id)?.status == .cancelled)
        #expect(throws: DirectorError.self) { _ = try role.services.submit(JobRequest(job: "Backup")) }
    }
}
