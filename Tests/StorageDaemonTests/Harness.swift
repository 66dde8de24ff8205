// A storage daemon in this process, with everything a test needs to talk to it.

import Configuration
import DiskRepository
import Modules
import Platform
import TestSupport
import Wire

@testable import StorageDaemon

final class Harness: Sendable {
    let directory: TemporaryDirectory
    let medium: SimulatedMedium?
    let catalog: FakeCatalog
    let role: StorageDaemonRole
    private let serving: Task<Void, Never>

    /// - Parameter medium: nil uses real files under the test's directory.
    init(
        directory: TemporaryDirectory = TemporaryDirectory(), medium: SimulatedMedium? = SimulatedMedium(),
        catalog: FakeCatalog = FakeCatalog(), storage: String = "", device: String = "LabelMedia = yes", more: String = ""
    ) throws {
        self.directory = directory
        self.medium = medium
        self.catalog = catalog
        let text = """
            Storage { Name = test-sd; SDPort = 9103; SDAddress = 127.0.0.1; TLS Enable = no
              WorkingDirectory = "\(directory.path)"; Pid Directory = "\(directory.path)"
              \(storage)
            }
            Director { Name = test-dir; Password = "secret"; TLS Enable = no }
            Director { Name = watcher; Password = "watching"; Monitor = yes; TLS Enable = no }
            Device { Name = Disk; Media Type = File; Device Type = File; Archive Device = "\(directory.path)"
              \(device)
            }
            \(more)
            """
        let (parsed, diagnostics) = ConfigurationLoader.parse(text, path: "test.conf", roles: [.storageDaemon])
        guard let parsed else { throw FakeDirector.Unexpected("\(diagnostics)") }
        // Port 0, which a file can't ask for: the kernel chooses a free one.
        let resources = parsed.resources.map { resource in
            var resource = resource
            if resource.kind == .storageDaemon { resource.values["SdPort"] = .number(0) }
            return resource
        }
        let role = try StorageDaemonRole(
            configuration: Configuration(path: "test.conf", resources: resources),
            modules: ModuleRegistry([medium?.module ?? .diskRepository]))
        self.role = role
        serving = ElasticExecutor.shared.detach { try? await role.run() }
    }

    func stop() async {
        await role.shutDown(grace: .milliseconds(1))
        await serving.value
    }

    func director(named name: String = "test-dir", password: String = "secret") async throws -> FakeDirector {
        let dialled = try await dial(
            Destination(
                host: "127.0.0.1", port: role.port, secret: SharedSecret(password: password), tls: .plainText, ownName: name,
                connectLimit: .seconds(10)),
            .directorToStorageDaemon(name: name, version: ProtocolVersion.director))
        return FakeDirector(dialled.channel, catalog)
    }

    func client(_ job: String, _ authorization: String) async throws -> FakeClient {
        let dialled = try await dial(
            Destination(
                host: "127.0.0.1", port: role.port, secret: SharedSecret(authorization: authorization), tls: .plainText,
                ownName: "test-fd", connectLimit: .seconds(10)),
            .jobToStorageDaemon(job: job, version: ProtocolVersion.fileDaemon, storageVersion: nil))
        dialled.channel.setReceiveLimit(.seconds(60))
        return FakeClient(channel: dialled.channel)
    }

    /// A whole backup job; `send` talks as the client once the device is ready.
    @discardableResult
    func backUp(
        _ id: UInt32, _ files: [FakeFile], pool: String = "Pool", device: String = "Disk", spoolAttributes: Bool = true
    ) async throws -> (end: JobEnd, director: FakeDirector, session: UInt32) {
        let director = try await director()
        let name = "Job.2026-11-21_00.00.00_\(id)"
        let job = try director.open(id, name, spoolAttributes: spoolAttributes)
        let answer = try director.use(append: true, device: device, pool: pool)
        guard answer.hasPrefix("3000 OK use device device=") else { throw FakeDirector.Unexpected(answer) }
        try director.run()
        let client = try await client(name, job.authorization)
        async let sent: Void = Task.detached(executorPreference: ElasticExecutor.shared) {
            try client.backUp(files, session: job.sessionID)
        }.value
        let end = try director.finish()
        try? await sent
        return (end, director, job.sessionID)
    }

    /// Restores a job by what the fake catalog knows of it.
    func restore(_ id: UInt32, of job: UInt32, session: UInt32, files: ClosedRange<Int>? = nil) async throws -> (
        end: JobEnd, director: FakeDirector, records: [RestoredRecord]
    ) {
        let director = try await director()
        let name = "Restore.2026-11-21_00.00.00_\(id)"
        let opened = try director.open(id, name, type: "R", level: " ")
        let answer = try director.use(append: false)
        guard answer.hasPrefix("3000 OK use device") else { throw FakeDirector.Unexpected(answer) }
        _ = try director.bootstrap(bootstrap(job, session: session, time: opened.sessionTime, files: files))
        try director.run()
        let client = try await client(name, opened.authorization)
        async let restored = Task.detached(executorPreference: ElasticExecutor.shared) {
            try client.restore(session: opened.sessionID, time: opened.sessionTime)
        }.value
        let end = try director.finish()
        return (end, director, (try? await restored) ?? [])
    }

    func bootstrap(_ job: UInt32, session: UInt32, time: UInt32, files: ClosedRange<Int>? = nil) -> String {
        catalog.state.read { state in
            (state.ranges[job] ?? []).compactMap { range -> String? in
                let first = max(Int(range.firstIndex), files?.lowerBound ?? 1)
                let last = min(Int(range.lastIndex), files?.upperBound ?? .max)
                guard first <= last else { return nil }
                let volume = state.media.values.first { $0.info.mediaID == range.mediaID }!.info.name
                return "Storage=\"Storage\"\nVolume=\"\(volume)\"\nMediaType=\"File\"\nVolSessionId=\(session)\n"
                    + "VolSessionTime=\(time)\nVolAddr=\(range.start)-\(range.end)\nFileIndex=\(first)-\(last)\nCount=\(last - first + 1)\n"
            }.joined()
        }
    }
}

/// Runs a test's body where blocking calls are fine.
func blocking<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
    try await Task.detached(executorPreference: ElasticExecutor.shared) { try await body() }.value
}
