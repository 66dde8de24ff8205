// What jobs and consoles share: the configuration in force, the catalog, the queue, the messages, and ways to the daemons.

package import Configuration
package import Logging
package import Platform

/// The director behind its console port.
package final class DirectorServices: Sendable {
    private let configurations: Monitor<Configuration>
    package let messages: MessageCenter
    package let jobs: JobQueue
    package let logger: Logger
    package let startedAt = WallTime.now

    init(configuration: Configuration, messages: MessageCenter, jobs: JobQueue, logger: Logger) {
        configurations = Monitor(configuration)
        self.messages = messages
        self.jobs = jobs
        self.logger = logger
    }

    /// The configuration in force; a reload replaces it, jobs keep the one they were queued under.
    package var configuration: Configuration { configurations.read { $0 } }
    /// The Director resource.
    package var director: Resource { configuration.first(.director)! }
    package var name: String { director.name }

    // MARK: - Jobs

    /// Queues a job under the configuration in force.
    package func submit(_ request: JobRequest) throws(DirectorError) -> JobID {
        try jobs.submit(request, under: configuration)
    }

    /// Reads the configuration file again and takes it over, as SIGHUP does. Throws with every finding when it has errors.
    package func reload() async throws(DirectorError) { throw DirectorError(.notBuiltYet, "Reloading is not built yet.") }

    // MARK: - Daemons, on a console's behalf

    /// The status text of a client's daemon, in lines without newlines. `keyword` is one of `.status`'s: header, running, …
    package func clientStatus(_ client: String, keyword: String? = nil) async throws(DirectorError) -> [String] {
        throw DirectorError(.notBuiltYet, "Status of clients is not built yet.")
    }
    /// The status text of a storage daemon. `keyword` may be `devices`, `header`, `running`, …
    package func storageStatus(_ storage: String, keyword: String? = nil) async throws(DirectorError) -> [String] {
        throw DirectorError(.notBuiltYet, "Status of storages is not built yet.")
    }
    /// Sends one command of bacula-wire 4.7, complete but for its newline (names bashed by `Bashed.encode`), and returns
    /// the answer's lines: `label FileStor VolumeName=A-1 PoolName=P MediaType=File Slot=0 drive=-1`. `onLine` gets each
    /// line as it comes, since changers are slow. A refusal (39nn) is a line, not an error.
    package func storageCommand(
        _ storage: String, _ command: String, onLine: @Sendable (String) -> Void = { _ in }
    ) async throws(DirectorError) -> [String] {
        throw DirectorError(.notBuiltYet, "Commands to storages are not built yet.")
    }
    /// What a job would back up. With `listing`, `onFile` gets one `ls -l` line per file.
    package func estimate(
        _ request: JobRequest, listing: Bool, onFile: @Sendable (String) -> Void = { _ in }
    ) async throws(DirectorError) -> Estimate {
        throw DirectorError(.notBuiltYet, "Estimates are not built yet.")
    }
}

package struct Estimate: Sendable {
    package var files: Int64
    package var bytes: Int64
    /// The client's line: `2000 OK estimate files=15 bytes=1,357,504`.
    package var line: String
}
