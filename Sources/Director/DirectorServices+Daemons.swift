// Talking to daemons on a console's behalf: status, device commands, estimates. Each order is a connection of its own.

import Configuration
import Platform
import Wire

/// What a client would back up.
package struct Estimate: Sendable {
    package var level: JobLevel
    package var files: Int64
    package var bytes: Int64
    /// The client's line: `2000 OK estimate files=15 bytes=1,357,504`.
    package var line: String
}

extension DirectorServices {
    /// Consoles don't wait for half an hour as jobs do.
    private static let connectLimit: Duration = .seconds(5)

    private func client(named name: String) throws(DirectorError) -> Resource {
        guard let client = configuration.named(.client, name) else {
            throw DirectorError(.notFound, "Client resource \"\(name)\" does not exist.", remedy: "\"show clients\" lists them.")
        }
        return client
    }

    private func storage(named name: String) throws(DirectorError) -> Resource {
        guard let storage = configuration.named(.storage, name) else {
            throw DirectorError(.notFound, "Storage resource \"\(name)\" does not exist.", remedy: "\"show storages\" lists them.")
        }
        return storage
    }

    /// The lines up to the EOD, or to the end of the connection.
    private func lines(
        _ link: ClientLink, limit: Duration, onLine: (String) -> Void = { _ in }
    ) throws(DirectorError) -> [String] {
        var lines: [String] = []
        var bytes = 0
        while case .line(let text) = try link.hear(limit: limit) {
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                lines.append(String(line))
                onLine(String(line))
            }
            bytes += text.utf8.count
            guard bytes < 16 << 20 else { throw DirectorError(.daemonConfused, "\(link.name) answers without end.") }
        }
        return lines
    }

    /// The status text of a client's daemon, in lines without newlines. `keyword` is one of `.status`'s: header, running, …
    package func clientStatus(_ client: String, keyword: String? = nil) async throws(DirectorError) -> [String] {
        let resource = try self.client(named: client)
        let connection = try await DaemonDialler(configuration: configuration).dialClient(resource, limit: Self.connectLimit)
        let link = ClientLink(connection, name: "Client \"\(client)\"") { _ in }
        defer { link.close() }
        _ = try link.identify(jobID: 0, uniqueName: ConsoleName.make())
        try link.send(keyword.map { ".status \($0) api=0 api_opts=" } ?? "status")
        return try lines(link, limit: .seconds(60))
    }

    /// The status text of a storage daemon. `keyword` may be `devices`, `header`, `running`, …
    package func storageStatus(_ storage: String, keyword: String? = nil) async throws(DirectorError) -> [String] {
        let resource = try self.storage(named: storage)
        let connection = try await DaemonDialler(configuration: configuration).dialStorage(resource, limit: Self.connectLimit)
        let link = ClientLink(connection, name: "Storage \"\(storage)\"") { _ in }
        defer { link.close() }
        try link.send(keyword.map { ".status \($0) api=0 api_opts=" } ?? "status")
        return try lines(link, limit: .seconds(60))
    }

    /// Sends one command of bacula-wire 4.7, complete but for its newline (names bashed by `Bashed.encode`), and returns
    /// the answer's lines: `label FileStor VolumeName=A-1 PoolName=P MediaType=File Slot=0 drive=-1`. `onLine` gets each
    /// line as it comes, since changers are slow. A refusal (39nn) is a line, not an error.
    package func storageCommand(
        _ storage: String, _ command: String, onLine: @Sendable (String) -> Void = { _ in }
    ) async throws(DirectorError) -> [String] {
        let resource = try self.storage(named: storage)
        let connection = try await DaemonDialler(configuration: configuration).dialStorage(resource, limit: Self.connectLimit)
        let link = ClientLink(connection, name: "Storage \"\(storage)\"") { _ in }
        defer { link.close() }
        try link.send(command + "\n")
        return try lines(link, limit: .seconds(1800), onLine: onLine)
    }

    /// What a job would back up. With `listing`, `onFile` gets one `ls -l` line per file.
    package func estimate(
        _ request: JobRequest, listing: Bool, onFile: @Sendable (String) -> Void = { _ in }
    ) async throws(DirectorError) -> Estimate {
        let plan = try JobPlan(request, under: configuration)
        guard plan.type == .backup, let client = plan.client, let fileSet = plan.fileSet else {
            throw DirectorError(.badRequest, "Job \"\(plan.job.name)\" is no backup.", remedy: "Estimate a backup job.")
        }
        let definition = FileSetDefinition(fileSet)
        let basis = try BackupBasis(plan, definition: definition, catalog: catalog)
        let connection = try await DaemonDialler(configuration: configuration).dialClient(client, limit: Self.connectLimit)
        let link = ClientLink(connection, name: "Client \"\(client.name)\"") { _ in }
        defer { link.close() }
        _ = try link.identify(jobID: 0, uniqueName: ConsoleName.make())
        let level = basis.choice.level, since = basis.choice.since
        let isAccurate = plan.accurate && level != .full
        try link.sendLevel(
            level, accurate: isAccurate, mtimeOnly: false, since: since?.started, previousJob: since?.uniqueName ?? "")
        try definition.send(to: link, storage: nil)
        if isAccurate { try link.sendAccurateList(of: basis.accurateJobs, from: catalog, withDigests: definition.comparesDigests) }
        try link.send("estimate listing=\(listing ? 1 : 0)\n")
        while true {
            // A client walks its whole FileSet before it answers.
            guard case .line(let line) = try link.hear(limit: .seconds(3600)) else {
                throw DirectorError(.daemonConfused, "\(link.name) ended the estimate without a result.")
            }
            if line.hasPrefix("2000 OK estimate") {
                let fields = LineFields(line.filter { $0 != "," })
                return Estimate(level: level, files: fields.count("files") ?? 0, bytes: fields.count("bytes") ?? 0, line: line)
            }
            if line.hasPrefix("29") { throw link.refusal(of: "estimate", line) }
            if listing { onFile(line) }
        }
    }
}
