// What all conversations of a file daemon share: settings, the jobs that run, and those that have ended.

import Logging
import Platform
import Wire

/// Shared state of the daemon; every access goes through its monitor.
final class FileDaemonServer: Sendable {
    let logger: Logger
    let startTime = WallTime.now

    private struct State {
        var settings: FileDaemonSettings
        var jobs: [ObjectIdentifier: FileDaemonJob] = [:]
        var ended: [EndedJob] = []
        var jobsRun = 0
        var isClosing = false
        /// Jobs that wait for their storage daemon's call, by unique name, and the channel once it has come.
        var expectedCalls: [String: ExpectedCall] = [:]
    }
    private struct ExpectedCall {
        var secret: SharedSecret
        var tls: TLSPolicy
        var channel: MessageChannel?
        var isOver = false
    }
    private let state: Monitor<State>

    init(_ settings: FileDaemonSettings, logger: Logger) {
        self.logger = logger
        state = Monitor(State(settings: settings))
    }

    var settings: FileDaemonSettings { state.read { $0.settings } }
    func replaceSettings(_ settings: FileDaemonSettings) { state.withLock { $0.settings = settings } }

    // MARK: - Connections

    /// Decides by the Hello whom to authenticate, and with what.
    func admit(_ hello: Hello) -> Admission {
        switch hello {
        case .directorToFileDaemon(let name, _):
            let settings = self.settings
            guard let director = settings.director(named: name) else {
                return .refuse(reason: "no Director resource is named \(name)", line: "2999 Authentication failed.\n")
            }
            if state.read({ $0.isClosing }) {
                return .refuse(reason: "the daemon is ending", line: "2999 The file daemon is ending.\n")
            }
            return .authenticate(director.secret, director.tls, greeting: "2000 OK Hello \(ProtocolVersion.fileDaemon)\n")
        case .storageDaemonToFileDaemon(let name, _):
            guard let call = state.read({ $0.expectedCalls[name] }) else {
                return .refuse(reason: "no job named \(name) waits for its storage daemon", line: "")
            }
            return .authenticate(call.secret, call.tls, greeting: "")
        default:
            return .refuse(reason: "a file daemon serves directors only", line: "2999 Authentication failed.\n")
        }
    }

    /// Serves one authenticated connection until it ends.
    func serve(_ connection: AcceptedConnection) async {
        switch connection.hello {
        case .directorToFileDaemon(let name, _):
            guard let director = settings.director(named: name) else { return }
            await DirectorConversation(server: self, director: director, connection: connection).run()
        case .storageDaemonToFileDaemon(let name, _):
            let isWanted = state.withLock { state in
                guard state.expectedCalls[name] != nil else { return false }
                state.expectedCalls[name]?.channel = connection.channel
                return true
            }
            // The job's own task talks on it; the connection is kept until the job lets go.
            if isWanted { _ = state.wait { $0.expectedCalls[name]?.isOver ?? true ? () : nil } }
        default: break
        }
    }

    /// Waits for the storage daemon to call for `job`; nil when it didn't in time.
    func waitForCall(_ name: String, _ secret: SharedSecret, job: FileDaemonJob) -> MessageChannel? {
        let settings = self.settings
        state.withLock { $0.expectedCalls[name] = ExpectedCall(secret: secret, tls: settings.tls) }
        let deadline = ContinuousClock.now + settings.storageConnectLimit
        while !job.progress.isStopping, ContinuousClock.now < deadline {
            if let channel = state.wait(atMost: .milliseconds(500), until: { $0.expectedCalls[name]?.channel }) { return channel }
        }
        endCall(name)
        return nil
    }

    func endCall(_ name: String) {
        state.withLock { $0.expectedCalls[name]?.isOver = true }
        state.withLock { $0.expectedCalls[name] = nil }
    }

    // MARK: - Jobs

    /// Counts a conversation that carries a job from now on. - Returns: false when there are too many, or the daemon ends.
    func enter(_ job: FileDaemonJob) -> Bool {
        state.withLock { state in
            guard !state.isClosing, state.jobs.count < state.settings.jobsMax else { return false }
            state.jobs[ObjectIdentifier(job)] = job
            state.jobsRun += 1
            return true
        }
    }

    func leave(_ job: FileDaemonJob, status: Character) {
        let ended = EndedJob(
            identity: job.identity.withLock { $0 }, files: job.progress.files.load(ordering: .relaxed),
            bytes: job.progress.readBytes.load(ordering: .relaxed), errors: job.progress.errors.load(ordering: .relaxed),
            status: status, ended: .now)
        state.withLock { state in
            guard state.jobs.removeValue(forKey: ObjectIdentifier(job)) != nil else { return }
            state.ended.append(ended)
            // As many as a status shows.
            if state.ended.count > 10 { state.ended.removeFirst() }
        }
    }

    var runningJobs: [FileDaemonJob] { state.read { Array($0.jobs.values) } }
    var endedJobs: [EndedJob] { state.read { $0.ended } }
    var jobsRun: Int { state.read { $0.jobsRun } }
    func job(named name: String) -> FileDaemonJob? { runningJobs.first { $0.identity.withLock { $0.uniqueName } == name } }

    func close() { state.withLock { $0.isClosing = true } }
    func waitForJobs(atMost limit: Duration) { _ = state.wait(atMost: limit) { $0.jobs.isEmpty ? () : nil } }
}
