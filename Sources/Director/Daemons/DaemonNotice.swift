// What a daemon says unasked while a job runs (bacula-wire 3.9): messages, progress, status.

import Platform
import Wire

/// An unsolicited packet of a file or storage daemon.
enum DaemonNotice: Sendable, Equatable {
    case message(Message)
    case progress(files: Int64, bytes: Int64)
    case status(JobStatus)

    /// nil where the line is none of these: an answer to a command.
    init?(_ line: String) {
        if line.hasPrefix("Jmsg ") {
            self = .message(
                Message(jmsg: line) ?? Message(.info, time: .now, text: String(line.dropFirst(5)), jobID: 0))
        } else if line.hasPrefix("Progress ") {
            let fields = LineFields(line)
            self = .progress(files: fields.count("files") ?? 0, bytes: fields.count("bytes") ?? 0)
        } else if line.hasPrefix("Status ") {
            guard let number = LineFields(line).count("JobStatus"), let scalar = UnicodeScalar(UInt32(truncatingIfNeeded: number)),
                let status = JobStatus(rawValue: Character(scalar))
            else {
                self = .status(.running)
                return
            }
            self = .status(status)
        } else {
            return nil
        }
    }
}

/// The `key=value` words of a line. Later daemons add fields and change their order, so reading is by name.
struct LineFields: Sendable {
    private var values: [Substring: Substring] = [:]

    init(_ line: some StringProtocol) {
        for word in Substring(line).split(whereSeparator: { $0 == " " || $0 == "\n" || $0 == "\t" }) {
            guard let equals = word.firstIndex(of: "=") else { continue }
            values[word[..<equals]] = word[word.index(after: equals)...]
        }
    }

    /// The value with bashed spaces restored; nil where the word is missing.
    func text(_ key: String) -> String? { values[Substring(key)].map { Bashed.decode($0) } }
    /// A number; nil where it is missing or none.
    func number(_ key: String) -> Int64? { values[Substring(key)].flatMap { Int64($0) } }
    /// A number that counts something: nil also where it is negative or larger than anything can be.
    func count(_ key: String) -> Int64? {
        guard let number = number(key), (0...Self.countMax).contains(number) else { return nil }
        return number
    }
    /// 2^60: an exabyte. What is larger is a lie or a bug, and would overflow sums.
    static let countMax: Int64 = 1 << 60
}
