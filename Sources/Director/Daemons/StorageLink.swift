// The director's conversation with a storage daemon for one job (bacula-wire 4).
//
// The daemon speaks whenever it wants: catalog requests come before, between and after its answers. So one task does
// nothing but read (`serve`), answers the requests itself, and puts everything else where the job waits for it.
//
// | who           | does                                                         |
// |---------------|--------------------------------------------------------------|
// | the reader    | receives, serves the catalog, sends its answers               |
// | the job's task| sends commands, waits for `answers` and the end                |
// | cancellation  | interrupts the channel                                        |

import Configuration
import Platform
import Wire

/// How a storage daemon's part of a job ended.
struct StorageEnd: Sendable, Equatable {
    var status: JobStatus
    var files: Int64
    var bytes: Int64
    var errors: Int64
    var message: String

    init(status: JobStatus, files: Int64 = 0, bytes: Int64 = 0, errors: Int64 = 0, message: String = "") {
        self.status = status
        self.files = files
        self.bytes = bytes
        self.errors = errors
        self.message = message
    }

    /// Reads `3099 Job … end JobStatus=84 JobFiles=…`.
    init?(_ line: String) {
        guard line.hasPrefix("3099 ") else { return nil }
        let fields = LineFields(line)
        guard let code = fields.number("JobStatus"), let scalar = UnicodeScalar(UInt32(truncatingIfNeeded: code)),
            let status = JobStatus(rawValue: Character(scalar))
        else { return nil }
        self.init(
            status: status, files: fields.count("JobFiles") ?? 0, bytes: fields.count("JobBytes") ?? 0,
            errors: fields.count("JobErrors") ?? 0, message: fields.text("ErrMsg") ?? "")
    }
}

/// The session that a storage daemon has opened for a job.
struct StorageSession: Sendable, Equatable {
    var sessionID: UInt32
    var sessionTime: UInt32
    /// The key between client and storage daemon. Never printed.
    var authorization: String

    init?(_ line: String) {
        guard line.hasPrefix("3000 OK Job") else { return nil }
        let fields = LineFields(line)
        guard let id = fields.number("SDid"), let time = fields.number("SDtime"), let key = fields.text("Authorization"),
            let sessionID = UInt32(exactly: id), let sessionTime = UInt32(exactly: time), !key.isEmpty, key.utf8.count <= 256
        else { return nil }
        self.sessionID = sessionID
        self.sessionTime = sessionTime
        authorization = key
    }
}

/// What the reader asks of the catalog. Called by the reader alone, in order.
protocol StorageRequests {
    /// The session is known now: attribute records must carry it.
    mutating func begin(_ session: StorageSession)
    /// A `CatReq` line; `receive` reads the packets that belong to it.
    /// - Returns: The answer, with its newline.
    mutating func answer(_ request: String, receive: () throws(WireError) -> Packet) throws(DirectorError) -> String
    /// An `UpdCat` packet. Throws to end the job.
    mutating func take(attributes packet: Span<UInt8>) throws(DirectorError)
    /// Everything has come: what is held back must be stored.
    mutating func finish() throws(DirectorError)
}

final class StorageLink: Sendable {
    private struct State {
        var answers: [String] = []
        var session: StorageSession?
        /// `run` was sent: from then on the daemon works by itself.
        var isRunning = false
        var end: StorageEnd?
        var failure: DirectorError?
        var isOver = false
        var lastHeard = ContinuousClock.now
    }
    let channel: MessageChannel
    let name: String
    let version: Int
    let isAppliance: Bool
    private let state = Monitor(State())
    private let notice: @Sendable (DaemonNotice) -> Void

    init(_ connection: DialledConnection, name: String, notice: @escaping @Sendable (DaemonNotice) -> Void) {
        channel = connection.channel
        self.name = name
        version = connection.peerVersion
        isAppliance = connection.isAppliance
        self.notice = notice
    }

    // MARK: - The reader

    /// Reads until the daemon has ended the conversation. Blocks; whatever happens is in the state afterwards.
    /// - Parameter onFailure: Called when the conversation broke before its end, so that the client can be told.
    func serve(_ requests: consuming some StorageRequests, onFailure: (DirectorError) -> Void) {
        var failure: DirectorError?
        do throws(DirectorError) {
            try read(&requests)
            try requests.finish()
        } catch {
            failure = error
            // What has arrived is on the medium: keep it, the job is shown as failed all the same.
            try? requests.finish()
        }
        let end = state.withLock { state -> StorageEnd? in
            state.isOver = true
            if let failure, state.failure == nil { state.failure = failure }
            return state.end
        }
        if let failure {
            channel.interrupt()
            onFailure(failure)
        } else if end == nil {
            onFailure(DirectorError(.daemonUnreachable, "\(name) hung up before the job's end."))
        } else if let end, !end.status.isSuccess {
            onFailure(
                DirectorError(.daemonRefused, "\(name) ended the job: \(end.message.isEmpty ? end.status.text : end.message)"))
        }
    }

    private func read(_ requests: inout some StorageRequests) throws(DirectorError) {
        var buffer: [UInt8] = []
        while true {
            do throws(WireError) {
                if let signal = try channel.receive(into: &buffer) {
                    if signal == .terminate { return }
                    continue
                }
            } catch {
                if error.kind == .closed, state.read({ $0.end != nil }) { return }
                throw DirectorError(error, daemon: name)
            }
            state.withLock { $0.lastHeard = .now }
            if buffer.starts(with: Self.attributesPrefix) {
                try requests.take(attributes: buffer.span)
                continue
            }
            let line = ClientLink.text(buffer)
            if line.hasPrefix("CatReq") {
                let channel = channel
                let answer = try requests.answer(line) { () throws(WireError) in try channel.receive() }
                try send(answer)
            } else if line.hasPrefix("BlastAttr ") {
                // We don't read other daemons' files; the records come over the line then (bacula-wire 4.6).
                try send("1990 ERROR BlastAttr\n")
            } else if let notice = DaemonNotice(line) {
                self.notice(notice)
            } else if line.hasPrefix("3010 ") {
                continue  // the client has connected
            } else if line.hasPrefix("3099 ") {
                guard let end = StorageEnd(line) else {
                    throw DirectorError(.daemonConfused, "\(name) ended the job with an unreadable line: \(line)")
                }
                state.withLock { $0.end = end }
            } else {
                let session = StorageSession(line)
                if let session { requests.begin(session) }
                let tooMany = state.withLock { state in
                    if let session { state.session = session }
                    state.answers.append(line)
                    return state.answers.count > 1000
                }
                if tooMany { throw DirectorError(.daemonConfused, "\(name) floods us with answers that nobody asked for.") }
            }
        }
    }

    private static let attributesPrefix = Array("UpdCat ".utf8)

    // MARK: - The job's task

    func send(_ text: String) throws(DirectorError) {
        do {
            try channel.send(text)
            try channel.flush()
        } catch { throw state.read { $0.failure } ?? DirectorError(error, daemon: name) }
    }
    func send(_ signal: Signal) throws(DirectorError) {
        do {
            try channel.send(signal)
            try channel.flush()
        } catch { throw state.read { $0.failure } ?? DirectorError(error, daemon: name) }
    }

    /// Waits for the next answer. - Parameter limit: nil waits as long as the connection lives.
    func answer(to command: String, expecting prefix: String, limit: Duration? = ClientLink.answerLimit) throws(DirectorError)
        -> String
    {
        let line: Result<String, DirectorError>? = state.wait(atMost: limit) { state in
            if !state.answers.isEmpty { return .success(state.answers.removeFirst()) }
            if let failure = state.failure { return .failure(failure) }
            if state.isOver { return .failure(DirectorError(.daemonUnreachable, "\(name) hung up.")) }
            return nil
        }
        guard let line else {
            throw DirectorError(
                .timedOut, "\(name) did not answer \"\(ClientLink.shown(command))\".", remedy: "Look at its status.")
        }
        let text = try line.get()
        guard text.hasPrefix(prefix) else {
            throw DirectorError(
                .daemonRefused, "\(name) refused \"\(ClientLink.shown(command))\": \(text)", remedy: "Its log says more.")
        }
        return text
    }

    var isRunning: Bool { state.read { $0.isRunning } }
    func noteRunning() { state.withLock { $0.isRunning = true } }
    var session: StorageSession? { state.read { $0.session } }
    var end: StorageEnd? { state.read { $0.end } }
    var failure: DirectorError? { state.read { $0.failure } }

    /// Waits until the conversation is over and everything it brought is stored.
    /// - Returns: false when the limit passed first.
    func awaitOver(limit: Duration?) -> Bool { state.wait(atMost: limit) { $0.isOver ? true : nil } ?? false }

    /// As `awaitOver`, but patient as long as the daemon says something at least every `silence`.
    func awaitOver(silence: Duration) -> Bool {
        while true {
            let heard = state.read { $0.lastHeard }
            let patience = silence - heard.duration(to: .now)
            if patience <= .zero { return awaitOver(limit: .zero) }
            if awaitOver(limit: patience) { return true }
        }
    }
}
