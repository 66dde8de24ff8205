// The director's conversation with a file daemon (bacula-wire 3): one command, one answer, notices in between.

import Configuration
import Platform
import Wire

/// How a client's part of a job ended (bacula-wire 3.8).
struct ClientEnd: Sendable, Equatable {
    var status: JobStatus
    var files: Int64
    var readBytes: Int64
    var bytes: Int64
    var errors: Int64
    var usedVSS = false
    var isEncrypted = false
    /// 0 where the client doesn't say.
    var lineBytes: Int64 = 0
    var compressedLineBytes: Int64 = 0

    init(status: JobStatus, files: Int64 = 0, readBytes: Int64 = 0, bytes: Int64 = 0, errors: Int64 = 0) {
        self.status = status
        self.files = files
        self.readBytes = readBytes
        self.bytes = bytes
        self.errors = errors
    }

    /// Reads `2800 End Job TermCode=…`; nil for anything else or numbers that can't be.
    init?(_ line: String) {
        guard line.hasPrefix("2800 ") else { return nil }
        let fields = LineFields(line)
        guard let code = fields.number("TermCode"), let scalar = UnicodeScalar(UInt32(truncatingIfNeeded: code)),
            let status = JobStatus(rawValue: Character(scalar)), status.isFinal, let files = fields.count("JobFiles"),
            let bytes = fields.count("JobBytes")
        else { return nil }
        self.init(
            status: status, files: files, readBytes: fields.count("ReadBytes") ?? 0, bytes: bytes,
            errors: fields.count("Errors") ?? 0)
        usedVSS = (fields.number("VSS") ?? 0) != 0
        isEncrypted = (fields.number("Encrypt") ?? 0) & 1 != 0
        lineBytes = fields.count("CommBytes") ?? 0
        compressedLineBytes = fields.count("CompressCommBytes") ?? 0
    }
}

/// One conversation. Used by one task; others may interrupt its channel.
struct ClientLink: Sendable {
    let channel: MessageChannel
    /// From the greeting: 214 for 9.6.
    let version: Int
    let isAppliance: Bool
    /// `Client "lab-fd"`, for messages.
    let name: String
    let notice: @Sendable (DaemonNotice) -> Void

    /// Answers to plain commands come at once; a client that thinks longer than this is lost.
    static let answerLimit: Duration = .seconds(600)

    init(_ connection: DialledConnection, name: String, notice: @escaping @Sendable (DaemonNotice) -> Void) {
        channel = connection.channel
        version = connection.peerVersion
        isAppliance = connection.isAppliance
        self.name = name
        self.notice = notice
    }

    enum Heard: Sendable, Equatable {
        case line(String)
        case signal(Signal)
    }

    func failure(_ error: WireError) -> DirectorError { DirectorError(error, daemon: name) }

    /// The next packet that isn't a notice. - Parameter limit: nil waits as long as the connection lives.
    func hear(limit: Duration? = answerLimit) throws(DirectorError) -> Heard {
        channel.setReceiveLimit(limit)
        while true {
            do {
                switch try channel.receive() {
                case .signal(let signal): return .signal(signal)
                case .payload(let bytes):
                    let line = Self.text(bytes)
                    guard let notice = DaemonNotice(line) else { return .line(line) }
                    self.notice(notice)
                }
            } catch { throw failure(error) }
        }
    }

    /// Invalid UTF-8 replaced, the NUL and newline at the end dropped.
    static func text(_ bytes: [UInt8]) -> String {
        var bytes = bytes[...]
        if bytes.last == 0 { bytes = bytes.dropLast() }
        if bytes.last == 10 { bytes = bytes.dropLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    func send(_ text: String) throws(DirectorError) {
        do {
            try channel.send(text)
            try channel.flush()
        } catch { throw failure(error) }
    }
    func send(_ signal: Signal) throws(DirectorError) {
        do {
            try channel.send(signal)
            try channel.flush()
        } catch { throw failure(error) }
    }

    /// Sends a command and returns its answer, which must begin with `prefix`.
    @discardableResult
    func command(_ text: String, expecting prefix: String, limit: Duration? = answerLimit) throws(DirectorError) -> String {
        try send(text)
        return try answer(to: text, expecting: prefix, limit: limit)
    }

    @discardableResult
    func answer(to text: String, expecting prefix: String, limit: Duration? = answerLimit) throws(DirectorError) -> String {
        switch try hear(limit: limit) {
        case .line(let line) where line.hasPrefix(prefix): return line
        case .line(let line): throw refusal(of: text, line)
        case .signal(let signal):
            throw DirectorError(
                .daemonConfused, "\(name) sent signal \(signal.rawValue) instead of an answer to \"\(Self.shown(text))\".")
        }
    }

    func refusal(of command: String, _ answer: String) -> DirectorError {
        DirectorError(.daemonRefused, "\(name) refused \"\(Self.shown(command))\": \(answer)", remedy: "Its log says more.")
    }

    /// A command without its key: what may stand in a message.
    static func shown(_ command: String) -> String {
        var text = command
        while text.last == "\n" { text.removeLast() }
        if let range = text.firstRange(of: "Authorization=") { text = String(text[..<range.upperBound]) + "…" }
        return text
    }

    // MARK: - The parts of every job

    /// - Returns: What the client says of itself, for the Client row's Uname.
    func identify(jobID: JobID, uniqueName: String, sessionID: UInt32 = 0, sessionTime: UInt32 = 0, authorization: String = "dummy")
        throws(DirectorError) -> String
    {
        let line = try command(
            "JobId=\(jobID) Job=\(Bashed.encode(uniqueName)) SDid=\(sessionID) SDtime=\(sessionTime) Authorization=\(authorization)\n",
            expecting: "2000 OK Job")
        return String(line.dropFirst("2000 OK Job".count).drop { $0 == " " })
    }

    /// Sends the level, and for one that builds on another job the clock dialogue (bacula-wire 3.3).
    func sendLevel(_ level: JobLevel, accurate: Bool, mtimeOnly: Bool, since: WallTime?, previousJob: String) throws(DirectorError)
    {
        let mtime = mtimeOnly ? 1 : 0
        guard level == .incremental || level == .differential || level == .since, let since else {
            try command("level = \(accurate ? "accurate_" : "")full  mtime_only=\(mtime) \n", expecting: "2000 OK level")
            return
        }
        let word = level == .differential ? "differential" : "incremental"
        try send("level = \(accurate ? "accurate_" : "")\(word)  mtime_only=\(mtime) \n")
        let question = "level = since_utime \(since.seconds) mtime_only=\(mtime) prev_job=\(Bashed.encode(previousJob))\n"
        try send(question)
        // The client asks for our clock until it has enough; a hundred answers are ten times what it needs.
        for _ in 0..<100 {
            switch try hear() {
            case .signal(.clock): try send("btime \(WallTime.now.microseconds)\n")
            case .signal(.endOfData):
                try answer(to: question, expecting: "2000 OK level")
                return
            case .signal: continue
            case .line(let line): throw refusal(of: question, line)
            }
        }
        throw DirectorError(.daemonConfused, "\(name) asks for the time without end.")
    }

    func sendStorage(host: String, port: Int, usesTLS: Int, authorization: String?) throws(DirectorError) {
        let key = authorization.map { " Authorization=\($0)" } ?? ""
        // The client connects to the storage daemon before it answers; both may wait for half an hour.
        try command(
            "storage address=\(host) port=\(port) ssl=\(usesTLS)\(key)\n", expecting: "2000 OK storage", limit: .seconds(1900))
    }

    /// Waits for `2800 End Job`, as long as the job runs.
    func awaitEnd() throws(DirectorError) -> ClientEnd {
        while true {
            switch try hear(limit: nil) {
            case .line(let line):
                if let end = ClientEnd(line) { return end }
                throw DirectorError(.daemonConfused, "\(name) ended the job with an unreadable line: \(line)")
            case .signal(.terminate): throw DirectorError(.daemonUnreachable, "\(name) hung up before the job's end.")
            case .signal: continue
            }
        }
    }

    func close() { channel.close(terminate: true) }
}
