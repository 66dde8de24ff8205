// The commands of a director, read from their lines (bacula-wire 3.1). Pure, so that tests can feed them anything.

import Wire

/// One command with its fields.
enum DirectorCommand: Hashable, Sendable {
    case job(id: Int, name: String, sessionID: UInt32, sessionTime: UInt32, authorization: String)
    case level(Level)
    case fileSet
    case storage(address: String, port: Int, authorization: String?)
    case runBeforeJob(String)
    case runAfterJob(String)
    case runScript(JobScript)
    case runBeforeNow
    case accurate(files: Int)
    case backup(firstFileIndex: Int32)
    case estimate(listing: Bool)
    case verify(VerifyLevel)
    case restore(RestoreOrder)
    case endRestore
    case session
    case restoreObject(isEnd: Bool)
    case componentInfo
    case setBandwidth(limit: Int64, job: String)
    case setDebug(String)
    case status
    case dotStatus(String)
    case cancel(job: String)
    case stop(job: String)
    case memoryDump
    /// Known to the protocol, not to us.
    case unsupported(String)
    /// The keyword is known and the rest can't be read: the answer to give.
    case malformed(answer: String)
    case unknown

    /// What follows `level = `.
    enum Level: Hashable, Sendable {
        case full
        /// Incremental or differential: the time comes in a second message.
        case changed(word: String, isAccurate: Bool)
        case since(time: Int64, ignoresChangeTime: Bool, previousJob: String)
        case other(String)
    }

    enum VerifyLevel: String, Hashable, Sendable {
        case initialize = "init", catalog, volume, data, diskToCatalog = "disk_to_catalog"
    }

    struct RestoreOrder: Hashable, Sendable {
        var replace: ReplacePolicy
        var prefixesLinks: Bool
        var root: [UInt8]
        var relocation: String?
    }

    /// The words that Disable Command and Monitor go by, in the order they are tried: longer ones before their prefixes.
    private static let keywords = [
        "JobId=", "level = ", "fileset", "storage ", "RunBeforeJob", "RunAfterJob", "RunBeforeNow", "Run ", "accurate", "backup",
        "estimate", "verify", "restoreobject", "restore ", "endrestore", "session", "component", "snapshot", "setbandwidth=",
        "setdebug=", "status", ".status", "cancel", "stop", "proxy", "sm_dump", "testnetwork", "statistics",
    ]

    /// The keyword of a line, as a directive would spell it: `restore`, `jobid`.
    static func keyword(of line: [UInt8]) -> String? {
        let text = String(decoding: line.prefix(20), as: UTF8.self).lowercased()
        guard let keyword = keywords.first(where: { text.hasPrefix($0.lowercased()) }) else { return nil }
        return keyword.lowercased().filter { $0 != " " && $0 != "=" }
    }

    init(_ line: [UInt8]) {
        var line = line
        while let last = line.last, last == 0 || last == UInt8(ascii: "\n") { line.removeLast() }
        let text = String(decoding: line, as: UTF8.self)
        switch Self.keyword(of: line) {
        case "jobid":
            guard let fields = scan(text, "JobId=%s Job=%s SDid=%s SDtime=%s Authorization=%s"), let id = Int(fields[0]), id >= 0
            else {
                self = .malformed(answer: "2901 Bad Job\n")
                return
            }
            self = .job(
                id: id, name: Bashed.decode(fields[1]), sessionID: UInt32(fields[2]) ?? 0, sessionTime: UInt32(fields[3]) ?? 0,
                authorization: fields[4])
        case "level": self = Self.level(text)
        case "fileset": self = .fileSet
        case "storage":
            if let fields = scan(text, "storage address=%s port=%d ssl=%d Authorization=%s"), let port = Int(fields[1]),
                !fields[0].isEmpty
            {
                self = .storage(address: fields[0], port: port, authorization: fields[3])
            } else if let fields = scan(text, "storage address=%s port=%d"), let port = Int(fields[1]), !fields[0].isEmpty {
                self = .storage(address: fields[0], port: port, authorization: nil)
            } else {
                self = .malformed(answer: "2902 Bad storage\n")
            }
        case "runbeforejob":
            let command = Bashed.decode(text.dropFirst("RunBeforeJob ".count))
            self = command.isEmpty ? .malformed(answer: "2905 Bad RunBeforeJob command.\n") : .runBeforeJob(command)
        case "runafterjob":
            let command = Bashed.decode(text.dropFirst("RunAfterJob ".count))
            self = command.isEmpty ? .malformed(answer: "2905 Bad RunAfterJob command.\n") : .runAfterJob(command)
        case "runbeforenow": self = .runBeforeNow
        case "run": self = Self.script(text)
        case "accurate":
            guard let fields = scan(text, "accurate files=%d"), let files = Int(fields[0]), files >= 0 else {
                self = .malformed(answer: "2991 Bad accurate command\n")
                return
            }
            self = .accurate(files: files)
        case "backup":
            guard let fields = scan(text, "backup FileIndex=%d") else {
                self = .backup(firstFileIndex: 0)
                return
            }
            self = .backup(firstFileIndex: max(0, Int32(fields[0]) ?? 0))
        case "estimate": self = .estimate(listing: scan(text, "estimate listing=%d")?.first.map { $0 != "0" } ?? false)
        case "verify":
            guard let word = scan(text, "verify level=%s")?.first, let level = VerifyLevel(rawValue: word) else {
                self = .malformed(answer: "2994 Bad verify command: \(text)\n")
                return
            }
            self = .verify(level)
        case "restoreobject": self = .restoreObject(isEnd: text.hasPrefix("restoreobject end"))
        case "restore": self = Self.restore(line)
        case "endrestore": self = .endRestore
        case "session": self = .session
        case "component": self = .componentInfo
        case "setbandwidth":
            guard let fields = scan(text, "setbandwidth=%d Job=%s") ?? scan(text, "setbandwidth=%d").map({ $0 + [""] }),
                let limit = Int64(fields[0]), limit >= 0
            else {
                self = .malformed(answer: "2991 Bad setbandwidth command: \(text)\n")
                return
            }
            self = .setBandwidth(limit: limit, job: Bashed.decode(fields[1]))
        case "setdebug": self = .setDebug(text)
        case "status": self = .status
        case ".status": self = .dotStatus(scan(text, ".status %s")?.first ?? "")
        case "cancel": self = Self.named(text, "cancel Job=%s", "2902 Error scanning cancel command.\n") { .cancel(job: $0) }
        case "stop": self = Self.named(text, "stop Job=%s", "2902 Error scanning stop command.\n") { .stop(job: $0) }
        case "sm_dump": self = .memoryDump
        case "snapshot": self = .unsupported("Snapshots are")
        case "proxy": self = .unsupported("The proxy for consoles is")
        case "testnetwork": self = .unsupported("Network tests are")
        case "statistics": self = .unsupported("Statistics are")
        default: self = .unknown
        }
    }

    private static func named(_ text: String, _ format: String, _ answer: String, _ make: (String) -> DirectorCommand)
        -> DirectorCommand
    {
        guard let name = scan(text, format)?.first, !name.isEmpty else { return .malformed(answer: answer) }
        return make(Bashed.decode(name))
    }

    private static func level(_ text: String) -> DirectorCommand {
        let word = String(text.dropFirst("level = ".count).prefix { $0 != " " })
        if let fields = scan(text, "level = since_utime %d mtime_only=%d prev_job=%s")
            ?? scan(text, "level = since_utime %d mtime_only=%d").map({ $0 + [""] })
        {
            guard let time = Int64(fields[0]) else { return .malformed(answer: "2902 Bad level command: \(text)\n") }
            return .level(.since(time: time, ignoresChangeTime: fields[1] != "0", previousJob: fields[2]))
        }
        if word.contains("incremental") || word.contains("differential") {
            return .level(.changed(word: word, isAccurate: text.contains("accurate")))
        }
        if word.contains("full") || word.contains("base") { return .level(.full) }
        return word.isEmpty ? .malformed(answer: "2902 Bad level command: \(text)\n") : .level(.other(word))
    }

    private static func script(_ text: String) -> DirectorCommand {
        let answer = "2905 Bad RunScript command.\n"
        // Everything after Command= is the command, whatever it holds.
        guard let range = text.firstRange(ofText: "Command=") else { return .malformed(answer: answer) }
        let head = text[..<range.lowerBound], command = Bashed.decode(text[range.upperBound...])
        guard let fields = scan(head, "Run OnSuccess=%d OnFailure=%d AbortOnError=%d When=%d"), let when = Int(fields[3]),
            !command.isEmpty
        else {
            return .malformed(answer: answer)
        }
        // Ours say how long it may take.
        let limit = scan(head, "Run OnSuccess=%d OnFailure=%d AbortOnError=%d When=%d TimeOut=%d").flatMap { Int64($0[4]) } ?? 0
        return .runScript(
            JobScript(
                // 4 is after a snapshot was made: without snapshots that is before the job.
                command: command, when: JobScript.When(rawValue: when & 4 != 0 ? when | 2 : when), onSuccess: fields[0] != "0",
                onFailure: fields[1] != "0", abortsOnError: fields[2] != "0", timeLimit: limit > 0 ? .seconds(limit) : nil))
    }

    /// `where=` is a path and so any bytes; bashed spaces come back.
    private static func restore(_ line: [UInt8]) -> DirectorCommand {
        func unbashed(_ bytes: ArraySlice<UInt8>) -> [UInt8] { bytes.map { $0 == 1 ? 32 : $0 } }
        let answer = "2991 Bad restore command\n"
        let whereWord = Array(" where=".utf8), regexWord = Array(" regexwhere=".utf8)
        var head = line[...]
        var root: [UInt8] = []
        var relocation: String?
        if let at = position(of: regexWord, in: line) {
            head = line[..<at]
            relocation = String(decoding: unbashed(line[(at + regexWord.count)...]), as: UTF8.self)
        } else if let at = position(of: whereWord, in: line) {
            head = line[..<at]
            root = unbashed(line[(at + whereWord.count)...])
        } else {
            return .malformed(answer: answer)
        }
        while root.last == 32 { root.removeLast() }
        let text = String(decoding: head, as: UTF8.self)
        guard
            let fields = scan(text, "restore files=%d replace=%s prelinks=%d").map({ Array($0.dropFirst()) })
                ?? scan(text, "restore replace=%s prelinks=%d"),
            let letter = fields[0].first, let replace = ReplacePolicy(rawValue: letter)
        else { return .malformed(answer: answer) }
        return .restore(RestoreOrder(replace: replace, prefixesLinks: fields[1] != "0", root: root, relocation: relocation))
    }

    private static func position(of word: [UInt8], in line: [UInt8]) -> Int? {
        guard line.count >= word.count else { return nil }
        return (0...(line.count - word.count)).first { line[$0..<$0 + word.count].elementsEqual(word) }
    }
}

extension String {
    func firstRange(ofText word: String) -> Range<String.Index>? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(word) { return at..<index(at, offsetBy: word.count) }
            at = index(after: at)
        }
        return nil
    }
}
