// One job as the storage daemon knows it, from the director's `JobId=` command to its end.

import Platform
import Volumes
import Wire

/// A job's letters in the catalog (bacula-wire 9.2) that a storage daemon uses.
enum JobStatus {
    static let created = UInt8(ascii: "C")
    static let running = UInt8(ascii: "R")
    static let done = UInt8(ascii: "T")
    static let failed = UInt8(ascii: "E")
    static let fatal = UInt8(ascii: "f")
    static let cancelled = UInt8(ascii: "A")
    static let incomplete = UInt8(ascii: "I")
    static let waitingForClient = UInt8(ascii: "F")
    static let waitingForMedia = UInt8(ascii: "m")
    static let waitingForMount = UInt8(ascii: "M")
    static let waitingForDevice = UInt8(ascii: "q")
    static let despoolingAttributes = UInt8(ascii: "a")
}

/// The kinds of lines in a job's log; the raw value travels in `Jmsg` (bacula-wire 8.6).
enum MessageKind: Int, Sendable { case fatal = 3, error = 4, warning = 5, info = 6, mount = 10 }

/// Why a job was told to stop.
enum Cancellation: Sendable, Hashable {
    case operatorCancel, operatorStop, directorLost(String), shutdown

    var error: StorageError {
        switch self {
        case .operatorCancel: StorageError(.cancelled, "The job was cancelled.")
        case .operatorStop: StorageError(.cancelled, "The job was stopped.")
        case .directorLost(let reason):
            StorageError(
                .directorLost, "The director's connection ended: \(reason.hasSuffix(".") ? reason : reason + ".")",
                remedy: "Look at the director's log.")
        case .shutdown: StorageError(.cancelled, "The storage daemon is shutting down.", remedy: "Run the job again.")
        }
    }
}

/// What the director said about the job.
struct JobRequest: Sendable {
    var jobID: UInt32
    /// The unique name: `Name.YYYY-MM-DD_HH.MM.SS_NN`.
    var name: String
    var jobName: String
    var clientName: String
    var type: UInt8
    var level: UInt8
    var fileSet: String
    var fileSetMD5: String
    var sendsAttributes: Bool
    var spoolsAttributes: Bool
    var prefersMountedVolumes: Bool
    /// This side of a copy dials the other storage daemon.
    var dialsStorageDaemon: Bool

    /// Reads the `JobId=` command; nil when it is not one.
    init?(command: String) {
        let format =
            "JobId=%d job=%s job_name=%s client_name=%s type=%d level=%d FileSet=%s NoAttr=%d SpoolAttr=%d FileSetMD5=%s"
            + " SpoolData=%d WritePartAfterJob=%d PreferMountedVols=%d SpoolSize=%s rerunning=%d VolSessionId=%d"
            + " VolSessionTime=%d sd_client=%d"
        guard let fields = scan(command, format), let id = UInt32(fields[0]), id > 0, !fields[1].isEmpty,
            let type = Int(fields[4]), (1...127).contains(type), let level = Int(fields[5]), (0...127).contains(level)
        else { return nil }
        jobID = id
        name = Bashed.decode(fields[1])
        jobName = Bashed.decode(fields[2])
        clientName = Bashed.decode(fields[3])
        self.type = UInt8(type)
        self.level = UInt8(level)
        fileSet = Bashed.decode(fields[6])
        sendsAttributes = fields[7] == "0"
        spoolsAttributes = fields[8] != "0"
        fileSetMD5 = Bashed.decode(fields[9])
        prefersMountedVolumes = fields[12] != "0"
        dialsStorageDaemon = fields[17] != "0"
        guard name.utf8.count <= 127, jobName.utf8.count <= 127, clientName.utf8.count <= 127, fileSet.utf8.count <= 127,
            fileSetMD5.utf8.count <= 127
        else { return nil }
    }

    /// Backups write; restores, verifies and the reading side of copies read.
    var levelText: String {
        switch level {
        case UInt8(ascii: "F"): "Full"
        case UInt8(ascii: "I"): "Incr"
        case UInt8(ascii: "D"): "Diff"
        default: ""
        }
    }
}

/// A job's shared state. Threads: the conversation runs it, writer and attribute tasks help, others look and cancel.
final class StorageJob: Sendable {
    enum ClientConnection: Sendable { case none, expected, attached(MessageChannel), over }

    struct State: Sendable {
        var status = JobStatus.created
        var files: UInt32 = 0
        var bytes: UInt64 = 0
        var errors: UInt32 = 0
        /// The first reason of failure, for 3099.
        var failure: String?
        var cancellation: Cancellation?
        var client: ClientConnection = .none
        var driveName: String?
        var volumeName: String?
        var poolName = ""
        var isWriting = false
        /// When data began to flow.
        var dataStart: ContinuousClock.Instant?
        /// Called once at cancellation, to wake what the job waits on.
        var wakers: [Int: @Sendable () -> Void] = [:]
        var wakerNext = 0
        var isFinished = false
    }

    let request: JobRequest
    let sessionID: UInt32
    let sessionTime: UInt32
    /// The key that the file daemon proves to know.
    let authorization: String
    let started = WallTime.now
    let state = Monitor(State())

    init(_ request: JobRequest, sessionID: UInt32, sessionTime: UInt32) {
        self.request = request
        self.sessionID = sessionID
        self.sessionTime = sessionTime
        authorization = Self.randomAuthorization()
    }

    var id: UInt32 { request.jobID }
    var session: SessionIdentity { SessionIdentity(id: sessionID, time: sessionTime) }

    /// Eight groups of four letters A–P: 128 random bits.
    private static func randomAuthorization() -> String {
        let letters = Array("ABCDEFGHIJKLMNOP".utf8)
        let digits = Randomness.bytes(16).flatMap { [letters[Int($0 >> 4)], letters[Int($0 & 15)]] }
        return stride(from: 0, to: digits.count, by: 4).map { String(decoding: digits[$0..<$0 + 4], as: UTF8.self) }
            .joined(separator: "-")
    }

    // MARK: - Cancelling

    /// Asks the job to end. The first reason counts. Returns at once; the job ends when its tasks have noticed.
    func cancel(_ reason: Cancellation) {
        let (wakers, client) = state.withLock { state -> ([@Sendable () -> Void], MessageChannel?) in
            guard state.cancellation == nil, !state.isFinished else { return ([], nil) }
            state.cancellation = reason
            defer { state.wakers = [:] }
            if case .attached(let channel) = state.client { return (Array(state.wakers.values), channel) }
            return (Array(state.wakers.values), nil)
        }
        client?.interrupt()
        for wake in wakers { wake() }
    }

    var isCancelled: Bool { state.read { $0.cancellation != nil } }

    func checkCancellation() throws(StorageError) {
        if let reason = state.read({ $0.cancellation }) { throw reason.error }
    }

    /// Runs `body`; a cancellation meanwhile calls `wake`, at once where it has already happened.
    func waking<R, E: Error>(by wake: @escaping @Sendable () -> Void, _ body: () throws(E) -> R) throws(E) -> R {
        let key: Int? = state.withLock { state in
            guard state.cancellation == nil else { return nil }
            state.wakerNext += 1
            state.wakers[state.wakerNext] = wake
            return state.wakerNext
        }
        if key == nil { wake() }
        defer { if let key { state.withLock { $0.wakers[key] = nil } } }
        return try body()
    }

    // MARK: - The client's connection

    /// Hands the job its client's connection; false when the job has one already or is over.
    ///
    /// A client may come before the job has begun to wait: the director sends `run` here and calls the client in the same breath,
    /// and nothing says which of the two arrives first.
    func attach(_ channel: MessageChannel) -> Bool {
        state.withLock { state in
            switch state.client {
            case .none, .expected: break
            case .attached, .over: return false
            }
            guard state.cancellation == nil else { return false }
            state.client = .attached(channel)
            return true
        }
    }

    /// Says that the job waits for its client from now on, unless the client is here already.
    func expectClient() {
        state.withLock { state in if case .none = state.client { state.client = .expected } }
    }

    /// Blocks until the client is here.
    func waitForClient(atMost limit: Duration) throws(StorageError) -> MessageChannel {
        let channel: MessageChannel? = try state.wait(atMost: limit) { state throws(StorageError) -> MessageChannel? in
            if let reason = state.cancellation { throw reason.error }
            if case .attached(let channel) = state.client { return channel }
            return nil
        }
        guard let channel else {
            throw StorageError(
                .clientLost, "The client \(request.clientName) did not connect within \(limit.components.seconds) s.",
                remedy: "Check that it can reach this storage daemon's address and port.")
        }
        return channel
    }

    /// Marks the job as over: its client's connection is given back to be closed.
    func finish() {
        state.withLock { state in
            state.client = .over
            state.isFinished = true
            state.wakers = [:]
        }
    }

    /// Blocks until `finish`.
    func waitUntilFinished() { _ = state.wait { $0.isFinished ? true : nil } }

    // MARK: - Accounting

    func setStatus(_ status: UInt8) { state.withLock { $0.status = status } }
    func countError() { state.withLock { $0.errors += 1 } }
    /// Records why the job fails; the first reason stays.
    func recordFailure(_ text: String) {
        state.withLock { state in
            state.errors += 1
            if state.failure == nil { state.failure = text }
        }
    }
}
