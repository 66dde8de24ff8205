// What a request means under a configuration: every resource a job uses, looked up and checked before the job is queued.

package import Configuration
import Platform

/// A job request with its resources. Immutable: a reload doesn't touch jobs that are queued or running.
package struct JobPlan: Sendable {
    package let configuration: Configuration
    package let request: JobRequest
    package let job: Resource
    package let type: JobType
    /// As asked for; the level that is really run may be promoted.
    package let level: JobLevel
    /// For restores: the client the files go to.
    package let client: Resource?
    package let fileSet: Resource?
    /// Candidates, in the order they are tried.
    package let storages: [Resource]
    /// Before the choice by level.
    package let pool: Resource?
    package let messages: Resource?
    package let priority: Int
    package let accurate: Bool

    package init(_ request: JobRequest, under configuration: Configuration) throws(DirectorError) {
        guard let job = configuration.named(.job, request.job) else {
            throw DirectorError(.notFound, "Job resource \"\(request.job)\" does not exist.", remedy: "\"show jobs\" lists them.")
        }
        func find(_ kind: ResourceKind, _ name: String?, _ directive: String) throws(DirectorError) -> Resource? {
            guard let name else { return configuration.target(of: directive, in: job) }
            guard let resource = configuration.named(kind, name) else {
                throw DirectorError(.notFound, "\(directive) resource \"\(name)\" does not exist.")
            }
            return resource
        }
        self.configuration = configuration
        self.request = request
        self.job = job
        guard let word = job.text("Type"), let type = JobType(word: word) else {
            throw DirectorError(
                .configuration, "Job \"\(job.name)\" has no Type that is known.", remedy: "Give it one, then reload.")
        }
        self.type = type
        switch type {
        case .restore, .admin: level = .none
        default:
            level = request.level ?? job.text("Level").flatMap { JobLevel(word: $0) } ?? (type == .verify ? .verifyCatalog : .full)
        }
        let clientName =
            request.restore?.restoreClient ?? (type == .restore ? request.client ?? job.text("RestoreClient") : request.client)
        client = try find(.client, clientName, "Client")
        if let client, !client.bool("Enabled") {
            throw DirectorError(.badRequest, "Client \"\(client.name)\" is disabled.", remedy: "Enable it first.")
        }
        fileSet = try find(.fileSet, request.fileSet, "FileSet")
        pool = try find(.pool, request.pool, "Pool")
        messages = try find(.messages, request.messages, "Messages")
        if let name = request.storage {
            guard let storage = configuration.named(.storage, name) else {
                throw DirectorError(.notFound, "Storage resource \"\(name)\" does not exist.")
            }
            storages = [storage]
        } else {
            let own = configuration.targets(of: "Storage", in: job)
            storages = own.isEmpty ? pool.map { configuration.targets(of: "Storage", in: $0) } ?? [] : own
        }
        priority = request.priority ?? job.number("Priority")
        accurate = request.accurate ?? job.bool("Accurate")
        if type == .backup {
            guard client != nil, fileSet != nil, pool != nil else {
                throw DirectorError(
                    .configuration, "Job \"\(job.name)\" lacks a Client, FileSet or Pool.", remedy: "Complete it, then reload.")
            }
        }
        if type == .backup || type == .restore, storages.isEmpty {
            throw DirectorError(
                .configuration, "Neither Job \"\(job.name)\" nor its Pool names a Storage.",
                remedy: "Add Storage to one of them, then reload.")
        }
        if type == .restore, request.restore == nil {
            throw DirectorError(.badRequest, "A restore needs to know what to restore.", remedy: "Use the restore command.")
        }
    }

    /// What the queue's decision needs.
    func waiting(jobID: JobID) -> WaitingJob {
        WaitingJob(
            jobID: jobID, name: job.name, client: type == .admin ? nil : client?.name,
            storages: type == .backup || type == .restore || level == .verifyVolume || level == .verifyData
                ? storages.map(\.name) : [],
            reads: type == .restore || type == .verify, priority: priority, allowMixedPriority: job.bool("AllowMixedPriority"),
            notBefore: request.when ?? WallTime(seconds: 0))
    }

    /// The pool of a level: FullBackupPool and its sisters before Pool, unless the operator named one.
    package func pool(for level: JobLevel) -> Resource? {
        if request.pool != nil { return pool }
        let directive: String? =
            switch level {
            case .full: "FullBackupPool"
            case .incremental: "IncrementalBackupPool"
            case .differential: "DifferentialBackupPool"
            case .virtualFull: "VirtualFullBackupPool"
            default: nil
            }
        return directive.flatMap { configuration.target(of: $0, in: job) } ?? pool
    }
}

extension ConcurrencyLimits {
    /// The limits that a configuration's resources set.
    package init(_ configuration: Configuration) {
        self.init()
        if let own = configuration.first(.director) { director = own.number("MaximumConcurrentJobs") }
        for job in configuration.all(.job) { jobs[job.name] = job.number("MaximumConcurrentJobs") }
        for client in configuration.all(.client) { clients[client.name] = client.number("MaximumConcurrentJobs") }
        for storage in configuration.all(.storage) {
            storages[storage.name] = storage.number("MaximumConcurrentJobs")
            storageReads[storage.name] = storage.number("MaximumConcurrentReadJobs")
        }
    }
}
