// One message of a job or a daemon: its type, and the forms it is shown and stored in (bacula-wire 3.9, 7.9, 8.6).

package import Configuration
package import Platform

extension MessageType {
    /// What stands before the text of an own message: `Error: `, `Fatal error: `, `Warning: `.
    var label: String {
        switch self {
        case .error: "Error: "
        case .fatal, .abort: "Fatal error: "
        case .warning: "Warning: "
        case .security: "Security violation: "
        default: ""
        }
    }
    /// Whether it counts as an error of the job.
    var isError: Bool { self == .error || self == .fatal || self == .abort }
}

/// A message on its way to its destinations.
package struct Message: Sendable, Hashable {
    package var type: MessageType
    package var time: WallTime
    /// `lab-sd JobId 4: text`, perhaps of several lines, without the last newline.
    package var text: String
    /// 0 where no job is meant.
    package var jobID: JobID

    package init(_ type: MessageType, time: WallTime, text: String, jobID: JobID) {
        self.type = type
        self.time = time
        var text = text
        while text.last == "\n" { text.removeLast() }
        self.text = text
        self.jobID = jobID
    }

    /// `21-Nov 01:04 lab-dir JobId 4: text`: console, files and mail.
    package var stamped: String { "\(time.formatted("%d-%b %H:%M", local: true)) \(text)" }

    /// Reads `Jmsg JobId=%d type=%d level=%d text`. An unknown type is shown as info; absurd times are replaced by now.
    package init?(jmsg line: String, now: WallTime = .now) {
        guard line.hasPrefix("Jmsg ") else { return nil }
        // The text begins after the first blank behind `level=`; it may hold anything.
        let fields = line.dropFirst(5).split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count >= 3, fields[0].hasPrefix("JobId="), fields[1].hasPrefix("type="), fields[2].hasPrefix("level="),
            let jobID = Int64(fields[0].dropFirst(6)), let type = Int(fields[1].dropFirst(5))
        else { return nil }
        let seconds = Int64(fields[2].dropFirst(6)) ?? 0
        let isPlausible = seconds > 0 && seconds < now.seconds + 10 * 365 * 86400
        self.init(
            MessageType(rawValue: type) ?? .info, time: isPlausible ? WallTime(seconds: seconds) : now,
            text: fields.count > 3 ? String(fields[3]) : "", jobID: jobID)
    }
}
