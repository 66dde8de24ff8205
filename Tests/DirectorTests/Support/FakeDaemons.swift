// Scripted file and storage daemons on loopback: what a peer may say, and in which wrong ways.

import Configuration
import Platform
import TestSupport
import Wire

/// A daemon that answers connections by a script. The port is bound when it is made.
final class FakeDaemon: Sendable {
    private let listener: Listener
    private let task: Task<Void, Never>
    var port: UInt16 { listener.port }

    init(
        role: Role, password: String, greeting: String, _ script: @escaping @Sendable (MessageChannel) throws -> Void
    ) throws {
        let listener = try Listener(
            PortMap.Listener(role: role, address: "127.0.0.1", port: 0, purpose: "a test", connectors: [.director]))
        self.listener = listener
        task = ElasticExecutor.shared.detach {
            await listener.serve(
                name: "fake", admit: { _ in .authenticate(SharedSecret(password: password), .plainText, greeting: greeting) },
                handler: { connection in
                    // A script that throws hangs up, as a daemon that dies does.
                    try? script(connection.channel)
                })
        }
    }
    deinit { task.cancel() }
}

/// The usual words of a storage daemon, and hooks to say others.
struct FakeStorage: Sendable {
    var sessionLine = "3000 OK Job SDid=1 SDtime=1795219236 Authorization=AAAA-BBBB\n"
    var deviceLine = "3000 OK use device device=FileStor\n"
    /// After `run`: until the end of the conversation.
    var body: @Sendable (MessageChannel, JobFacts) throws -> Void = { channel, job in
        try Self.end(channel, job)
    }
    /// What the job command said.
    struct JobFacts: Sendable {
        var jobID: String
        var name: String
        var isRestore: Bool
        var bootstrap: [String]
    }
    /// Asked between reservation and its answer.
    var beforeDevice: @Sendable (MessageChannel, JobFacts) throws -> Void = { _, _ in }

    static func end(_ channel: MessageChannel, _ job: JobFacts, status: Int = 84, files: Int = 1) throws {
        try channel.send("3099 Job \(job.name) end JobStatus=\(status) JobFiles=\(files) JobBytes=10 JobErrors=0 ErrMsg=\n")
        try channel.send(.endOfData)
        try channel.send(.terminate)
        try channel.flush()
    }

    func serve(_ channel: MessageChannel) throws {
        let command = try channel.receiveLine()
        if command.hasPrefix("cancel") {
            try channel.send("3000 JobId=1 Job=\"x\" marked to be canceled.\n")
            try channel.send(.endOfData)
            try channel.flush()
            return
        }
        if !command.hasPrefix("JobId=") {
            try channel.send("3900 Invalid command: \(command)\n")
            try channel.send(.endOfData)
            try channel.flush()
            return
        }
        let fields = scan(command, "JobId=%d job=%s")!
        var job = JobFacts(jobID: fields[0], name: fields[1], isRestore: command.contains("type=82"), bootstrap: [])
        try channel.send(sessionLine)
        var ends = 0
        while ends < 2 { if case .signal(.endOfData) = try channel.receive() { ends += 1 } }
        try beforeDevice(channel, job)
        try channel.send(deviceLine)
        while true {
            let line = try channel.receiveLine()
            if line == "bootstrap" {
                while case .payload(let bytes) = try channel.receive() {
                    job.bootstrap.append(String(decoding: bytes, as: UTF8.self))
                }
                try channel.send("3000 OK bootstrap\n")
            } else if line == "run" {
                break
            }
        }
        try channel.send("Status JobId=\(job.jobID) JobStatus=70\n")
        try channel.send("3010 Job \(job.name) start\n")
        try channel.flush()
        try body(channel, job)
        _ = try? channel.receive()
    }

    /// Asks and returns the answer.
    static func ask(_ channel: MessageChannel, _ request: String, then packets: [String] = []) throws -> String {
        try channel.send(request)
        for packet in packets { try channel.send(packet) }
        if !packets.isEmpty { try channel.send(.endOfData) }
        return try channel.receiveLine()
    }

    /// Everything a storage daemon says for one small file on one volume.
    static func writeOneFile(_ channel: MessageChannel, _ job: JobFacts) throws {
        let found = try ask(channel, "CatReq JobId=\(job.jobID) FindMedia=1 pool_name=File media_type=File vol_type=1\n")
        guard let volume = scan(found, "1000 OK VolName=%s")?[0] else { throw WireError(.unexpected, peer: "director", found) }
        let media = found.split(separator: " ").first { $0.hasPrefix("MediaId=") }!.dropFirst(8)
        _ = try ask(channel, "CatReq JobId=\(job.jobID) GetVolInfo VolName=\(volume) write=1\n")
        _ = try ask(channel, "CatReq JobId=\(job.jobID) CreateJobMedia\n", then: ["1 1 0 0 200 999 \(media)\n"])
        _ = try ask(channel, updateMedia(job, volume: volume, bytes: 1000))
        let record = "1 3 /tmp/a\0P4A FmQX IGk C A A A V BAA I BrAN8r BrAN8q BrAN8q A A C\0\0\u{0}0\0"
        try channel.send(attributes(job, fileIndex: 1, stream: 1, Array(record.utf8)))
        try channel.send(attributes(job, fileIndex: 1, stream: 3, Array(repeating: 7, count: 16)))
    }

    static func updateMedia(_ job: JobFacts, volume: String, bytes: Int, status: String = "Append") -> String {
        "CatReq JobId=\(job.jobID) UpdateMedia VolName=\(volume) VolJobs=1 VolFiles=0 VolBlocks=1 VolBytes=\(bytes) VolABytes=0 "
            + "VolHoleBytes=0 VolHoles=0 VolMounts=1 VolErrors=0 VolWrites=1 MaxVolBytes=0 EndTime=1795219239 VolStatus=\(status) "
            + "Slot=0 relabel=0 InChanger=0 VolReadTime=0 VolWriteTime=0 VolFirstWritten=1795219239 VolType=1 VolParts=0 "
            + "VolCloudParts=0 LastPartBytes=0 Enabled=1 Recycle=1\n"
    }

    static func attributes(_ job: JobFacts, session: UInt32 = 1, fileIndex: Int32, stream: Int32, _ record: [UInt8]) -> [UInt8] {
        var packet = Array("UpdCat JobId=\(job.jobID) FileAttributes ".utf8)
        for number in [session, 1_795_219_236, UInt32(bitPattern: fileIndex), UInt32(bitPattern: stream), UInt32(record.count)] {
            packet += [
                UInt8(truncatingIfNeeded: number >> 24), UInt8(truncatingIfNeeded: number >> 16),
                UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number),
            ]
        }
        return packet + record
    }
}

/// The usual words of a file daemon.
struct FakeClient: Sendable {
    var endLine = "2800 End Job TermCode=84 JobFiles=1 ReadBytes=10 JobBytes=10 Errors=0 VSS=0 Encrypt=0\n"
    /// Before the end line.
    var beforeEnd: @Sendable (MessageChannel) throws -> Void = { _ in }
    /// Answers that differ from the usual, by the command's first word.
    var answers: [String: String] = [:]
    /// Everything it was told, in order.
    let heard = Monitor<[String]>([])

    func serve(_ channel: MessageChannel) throws {
        while true {
            guard case .payload(let bytes) = try channel.receive() else { return }
            let line = String(decoding: bytes, as: UTF8.self)
            heard.withLock { $0.append(line) }
            let word = String(line.prefix { $0 != " " && $0 != "=" && $0 != "\n" })
            if let answer = answers[word] {
                try channel.send(answer)
                continue
            }
            switch word {
            case "JobId": try channel.send("2000 OK Job fake 1.0")
            case "level":
                if line.contains("since_utime") {
                    for _ in 0..<10 {
                        try channel.send(.clock)
                        let reply = try channel.receiveLine()
                        heard.withLock { $0.append(String(reply.prefix(5))) }
                    }
                    try channel.send(.endOfData)
                    try channel.send("2000 OK level\n")
                } else if line.contains("full") {
                    try channel.send("2000 OK level\n")
                }
            case "fileset":
                while case .payload(let bytes) = try channel.receive() {
                    heard.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
                }
                try channel.send("2000 OK include\n")
            case "accurate":
                while case .payload(let bytes) = try channel.receive() {
                    heard.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
                }
            case "storage": try channel.send("2000 OK storage\n")
            case "RunBeforeJob": try channel.send("2000 OK RunBefore\n")
            case "RunAfterJob": try channel.send("2000 OK RunAfter\n")
            case "Run": try channel.send("2000 OK RunScript\n")
            case "RunBeforeNow": try channel.send("2000 OK RunBeforeNow\n")
            case "backup":
                try channel.send("2000 OK backup\n")
                try channel.flush()
                try beforeEnd(channel)
                try channel.send(endLine)
                try channel.send(.terminate)
                try channel.flush()
                return
            case "restore":
                try channel.send("2000 OK restore\n")
                try channel.flush()
                try beforeEnd(channel)
                try channel.send("2000 OK storage end\n")
            case "endrestore":
                try channel.send(endLine)
                try channel.send(.terminate)
                try channel.flush()
                return
            case "cancel":
                try channel.send("2001 Job \"x\" marked to be canceled.\n")
                try channel.send(.endOfData)
            case "status":
                try channel.send("\n")
                try channel.send("fake-fd Version: 1.0\n\0")
                try channel.send(.endOfData)
            case "estimate":
                try channel.send("-rw-r--r-- 1 root root 21 2026-11-21 00:00:42  /tmp/a\n")
                try channel.send("2000 OK estimate files=15 bytes=1,357,504\n")
                try channel.send(.endOfData)
            default: try channel.send("2999 Invalid command\n")
            }
        }
    }
}
