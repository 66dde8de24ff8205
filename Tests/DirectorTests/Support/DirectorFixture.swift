// A director under test: its own directory, catalog and configuration, with daemons of the test's choice.

import Catalog
import Configuration
import Platform
import TestSupport
import Testing

@testable import Director

/// Runs a director inside the test. Ends it when released.
final class DirectorFixture: Sendable {
    let directory = TemporaryDirectory()
    let role: DirectorRole
    private let task: Task<Void, Never>
    var services: DirectorServices { role.services }

    /// - Parameter more: Resources beyond the usual ones; `@DIR@` stands for the fixture's directory.
    init(
        clientPort: UInt16, storagePort: UInt16, more: String = "", jobDefaults: String = "",
        pool: String = "Label Format = \"Vol-\""
    ) throws {
        let text = Self.text(
            directory: directory.path, clientPort: clientPort, storagePort: storagePort, more: more, jobDefaults: jobDefaults,
            pool: pool)
        let (configuration, findings) = ConfigurationLoader.parse(text, path: "test.conf", roles: [.director])
        let errors = findings.filter { $0.severity == .error }
        try #require(errors.isEmpty, "\(errors)")
        let role = try DirectorRole(#require(configuration))
        self.role = role
        task = ElasticExecutor.shared.detach { try? await role.run() }
    }

    deinit { task.cancel() }

    static func text(directory: String, clientPort: UInt16, storagePort: UInt16, more: String, jobDefaults: String, pool: String)
        -> String
    {
        """
        Director {
          Name = lab-dir; DirPort = \((try? LoopbackPort.free()) ?? 9101); DirAddress = 127.0.0.1
          WorkingDirectory = "\(directory)"; Maximum Concurrent Jobs = 10
          Password = "console-secret"; Messages = Standard; TLS Enable = no
          SD Connect Timeout = 5 seconds; FD Connect Timeout = 5 seconds
        }
        Catalog { Name = Cat; dbname = "catalog" }
        Messages { Name = Standard; console = all; catalog = all, !skipped, !saved }
        Client {
          Name = lab-fd; Address = 127.0.0.1; FDPort = \(clientPort); Catalog = Cat; Password = "fd-secret"; TLS Enable = no
          Maximum Concurrent Jobs = 10
        }
        Storage {
          Name = LabFile; Address = 127.0.0.1; SDPort = \(storagePort); Password = "sd-secret"; Device = FileStor
          Media Type = File; TLS Enable = no; Maximum Concurrent Jobs = 10
        }
        Pool { Name = File; Pool Type = Backup; \(pool) }
        FileSet { Name = Plain; Include { Options { signature = MD5 } File = "\(directory)/source" } }
        JobDefs {
          Name = Defaults; Type = Backup; Level = Incremental; Client = lab-fd; FileSet = Plain; Storage = LabFile
          Messages = Standard; Pool = File; Write Bootstrap = "\(directory)/%n.bsr"; Maximum Concurrent Jobs = 10
          \(jobDefaults)
        }
        Job { Name = Backup; JobDefs = Defaults }
        Job {
          Name = Restore; Type = Restore; Client = lab-fd; FileSet = Plain; Storage = LabFile; Pool = File; Messages = Standard
          Where = "\(directory)/restored"
        }
        \(more.replacing("@DIR@", with: directory))
        """
    }

    /// Runs a job to its end.
    func run(_ request: JobRequest, atMost limit: Duration = .seconds(120)) throws -> (job: RunningJob, log: [String]) {
        let jobID = try services.submit(request)
        let ended = try #require(services.jobs.wait(for: jobID, atMost: limit), "JobId \(jobID) did not end")
        return (ended, try log(jobID))
    }

    func log(_ jobID: JobID) throws -> [String] { try services.catalog.log(ofJob: jobID).map(\.text) }
    func row(_ jobID: JobID) throws -> JobRecord { try #require(try services.catalog.job(jobID)) }
}
