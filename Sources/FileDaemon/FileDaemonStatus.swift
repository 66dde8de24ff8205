// What `status client` shows (bacula-wire 3.12, 7.7, 10.10).

import Platform
import Wire

/// Renders the daemon's state. Every line ends in a newline and a NUL, as consoles expect.
struct FileDaemonStatus {
    private let server: FileDaemonServer
    init(_ server: FileDaemonServer) { self.server = server }

    func sendFull(_ send: (String) throws(WireError) -> Void) throws(WireError) {
        try send("\n")
        for line in header { try send(line + "\n\0") }
        try send("\nRunning Jobs:\n\0")
        for line in running { try send(line + "\n\0") }
        try send("====\n\0")
        try send("\nTerminated Jobs:\n\0")
        for line in terminated { try send(line + "\n\0") }
        try send("====\n\0")
    }

    /// `.status header|running|terminated|current|last`. An unknown part gets an error line.
    func sendPart(_ part: String, _ send: (String) throws(WireError) -> Void) throws(WireError) {
        switch part {
        case "header": for line in header { try send(line + "\n\0") }
        case "running": for line in running { try send(line + "\n\0") }
        case "terminated": for line in terminated { try send(line + "\n\0") }
        case "current":
            try send("2000 OK .status\n")
            for job in server.runningJobs {
                let id = job.identity.withLock { $0.jobID }
                try send("JobId=\(id) JobStatus=R JobErrors=\(job.progress.errors.load(ordering: .relaxed))\n")
            }
        case "last":
            try send("2000 OK .status\n")
            if let job = server.endedJobs.last {
                try send("JobId=\(job.identity.jobID) JobStatus=\(job.status) JobErrors=\(job.errors)\n")
            }
        default: try send("2992 Bad .status command: \(part)\n")
        }
    }

    private var header: [String] {
        let settings = server.settings
        let jobs = server.runningJobs.count
        return [
            "\(settings.name) Version: \(ProgramVersion.text) (\(ProgramVersion.date))  \(ProgramVersion.host)",
            "Daemon started \(Self.time(server.startTime)). Jobs: run=\(server.jobsRun) running=\(jobs).",
            " Sizes: boffset_t=8 size_t=8 debug=0 trace=0 mode=0,0 bwlimit=\(settings.bandwidth / 1024)kB/s",
        ]
    }

    private var running: [String] {
        var lines: [String] = []
        for job in server.runningJobs {
            let identity = job.identity.withLock { $0 }
            let files = job.progress.files.load(ordering: .relaxed), bytes = job.progress.readBytes.load(ordering: .relaxed)
            let elapsed = max(1, WallTime.now.seconds - job.started.seconds)
            lines.append("JobId \(identity.jobID) Job \(identity.uniqueName) is running.")
            lines.append("    \(Self.word(of: identity)) Job started: \(Self.time(job.started))")
            lines.append(
                "    Files=\(Self.grouped(files)) Bytes=\(Self.grouped(bytes)) AveBytes/sec=\(Self.grouped(bytes / elapsed)) Errors=\(job.progress.errors.load(ordering: .relaxed))"
            )
            if job.bandwidth.current > 0 { lines.append("    Limited to \(Self.grouped(job.bandwidth.current)) bytes/sec") }
            let path = job.progress.current.withLock { $0 }
            if !path.isEmpty { lines.append("    Processing file: \(printable(path))") }
        }
        if lines.isEmpty { lines.append("No Jobs running.") }
        return lines
    }

    private var terminated: [String] {
        var lines = [
            " JobId  Level    Files      Bytes   Status   Finished        Name ",
            "===================================================================",
        ]
        for job in server.endedJobs {
            var codes = JobCodes()
            codes.uniqueName = job.identity.uniqueName
            let status: String =
                switch job.status {
                case "T": "OK"
                case "W": "OK -- with warnings"
                case "A": "Cancel"
                case "I": "Incomplete"
                default: "Error"
                }
            let fields = [
                Self.right("\(job.identity.jobID)", 6), Self.left(Self.word(of: job.identity), 4),
                Self.right(Self.grouped(job.files), 10),
                Self.right(Self.scaled(job.bytes), 10), Self.left(status, 7),
            ]
            lines.append(
                "\(fields[0])  \(fields[1]) \(fields[2]) \(fields[3])  \(fields[4])  \(Self.time(job.ended)) \(codes.jobName)")
        }
        return lines
    }

    private static func word(of identity: FileDaemonJob.Identity) -> String {
        switch (identity.type, identity.level) {
        case ("R", _): "Rest"
        case ("V", _): "Veri"
        case (_, "F"): "Full"
        case (_, "D"): "Diff"
        case (_, "I"): "Incr"
        default: ""
        }
    }

    private static func time(_ time: WallTime) -> String { time.formatted("%d-%b-%y %H:%M", local: true) }
    private static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// `1,357,504`.
    static func grouped(_ number: Int64) -> String {
        var digits = String(number.magnitude)
        var result = ""
        while digits.count > 3 {
            result = "," + digits.suffix(3) + result
            digits.removeLast(3)
        }
        return (number < 0 ? "-" : "") + digits + result
    }

    /// `1.357 M`, four digits and a unit.
    private static func scaled(_ bytes: Int64) -> String {
        if bytes < 1000 { return "\(bytes) " }
        var value = Double(bytes)
        for unit in ["K", "M", "G", "T", "P", "E"] {
            value /= 1000
            if value < 1000 {
                let places: Int64 = value >= 100 ? 10 : value >= 10 ? 100 : 1000
                let number = Int64(value * Double(places))
                let fraction = String(number % places + places).dropFirst()
                return "\(number / places).\(fraction) \(unit)"
            }
        }
        return "\(bytes)"
    }
}
