// Running jobs as a line that is drawn again and again: files, bytes, rate, time left.

package import Platform

/// One job, as `.progress` tells it.
package struct JobProgress: Sendable, Equatable {
    package var jobID: Int64
    package var name: String
    /// The catalog's letter.
    package var status: String
    package var statusText: String
    package var reason: String
    package var files: Int64
    package var bytes: Int64
    package var errors: Int64
    /// Bytes per second.
    package var rate: Int64
    package var filesExpected: Int64?
    package var bytesExpected: Int64?
    /// Seconds since it started.
    package var elapsed: Int64?
    /// Seconds it will still take; nil where nothing is known.
    package var remaining: Int64?
    package var hasEnded: Bool

    /// Nil where the object is something else.
    package init?(_ json: JSON) {
        guard json["type"]?.stringValue == "progress", let jobID = json["jobid"]?.integerValue else { return nil }
        self.jobID = jobID
        name = json["name"]?.stringValue ?? ""
        status = json["status"]?.stringValue ?? ""
        statusText = json["statustext"]?.stringValue ?? ""
        reason = json["reason"]?.stringValue ?? ""
        files = json["files"]?.integerValue ?? 0
        bytes = json["bytes"]?.integerValue ?? 0
        errors = json["errors"]?.integerValue ?? 0
        rate = json["rate"]?.integerValue ?? 0
        filesExpected = json["filesexpected"]?.integerValue
        bytesExpected = json["bytesexpected"]?.integerValue
        elapsed = json["elapsed"]?.integerValue
        remaining = json["eta"]?.integerValue
        hasEnded = json["ended"]?.boolValue ?? false
    }

    /// How far it is, 0 to 1, where something is known about the whole; never quite 1 before the end.
    var fraction: Double? {
        if let all = bytesExpected, all > 0 { return min(0.99, Double(bytes) / Double(all)) }
        if let all = filesExpected, all > 0 { return min(0.99, Double(files) / Double(all)) }
        return nil
    }
}

/// Pure: the jobs and the width in, one line out.
package enum ProgressBar {
    /// One line of at most `columns - 1` columns, so that the terminal never wraps it.
    package static func line(_ jobs: [JobProgress], columns: Int, tick: Int) -> String {
        let width = max(20, columns - 1)
        guard let job = jobs.first(where: { !$0.hasEnded }) ?? jobs.first else { return "" }
        var lead = "job \(job.jobID) \(job.name) "
        let others = jobs.count { !$0.hasEnded } - 1
        if others > 0 { lead = "(+\(others)) " + lead }
        let waits = job.bytes == 0 && job.files == 0 && job.status != "R"
        if waits {
            let why = job.reason.isEmpty ? job.statusText : "\(job.statusText): \(job.reason)"
            return clipped("\(lead)\(spinner(tick)) \(why)", width)
        }
        var tail = " \(count(job.files)) files  \(size(job.bytes))  \(size(job.rate))/s"
        if job.errors > 0 { tail += "  \(job.errors) errors" }
        if let left = job.remaining {
            tail += "  ETA \(time(left))"
        } else if let spent = job.elapsed {
            tail += "  \(time(spent))"
        }
        let room = width - TextWidth.columns(lead) - TextWidth.columns(tail)
        guard let fraction = job.fraction, room >= 12 else { return clipped(lead + spinner(tick) + tail, width) }
        let bar = min(room - 7, 40)
        let filled = Int(Double(bar) * fraction)
        let percent = Int(fraction * 100)
        let number = String(repeating: " ", count: percent < 10 ? 2 : percent < 100 ? 1 : 0) + "\(percent)%"
        return clipped(
            "\(lead)[\(String(repeating: "#", count: filled))\(String(repeating: "-", count: bar - filled))] \(number)\(tail)",
            width)
    }

    /// What is left on the screen when a job has ended.
    package static func summary(_ job: JobProgress) -> String {
        "job \(job.jobID) \(job.name): \(job.statusText), \(count(job.files)) files, \(size(job.bytes))"
            + (job.elapsed.map { " in \(time($0))" } ?? "") + (job.errors > 0 ? ", \(job.errors) errors" : "")
    }

    static func spinner(_ tick: Int) -> String { ["|", "/", "-", "\\"][((tick % 4) + 4) % 4] }

    /// `1,234,567`
    static func count(_ number: Int64) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + text
    }

    /// `1.36 MB`: three digits, decimal units, as Bacula counts.
    package static func size(_ bytes: Int64) -> String {
        var value = Double(bytes)
        var unit = 0
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        while value >= 999.5, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        guard unit > 0 else { return "\(bytes) B" }
        let decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
        return "\(fixed(value, decimals)) \(units[unit])"
    }

    private static func fixed(_ value: Double, _ decimals: Int) -> String {
        let scale = decimals == 2 ? 100 : decimals == 1 ? 10 : 1
        let scaled = Int((value * Double(scale)).rounded())
        guard decimals > 0 else { return "\(scaled)" }
        let fraction = "\(scaled % scale)"
        return "\(scaled / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }

    /// `0:07`, `12:34`, `3:02:01`, `2 d 03:00`
    package static func time(_ seconds: Int64) -> String {
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let seconds = max(0, seconds)
        if seconds < 3600 { return "\(seconds / 60):\(two(seconds % 60))" }
        if seconds < 86400 { return "\(seconds / 3600):\(two(seconds / 60 % 60)):\(two(seconds % 60))" }
        return "\(seconds / 86400) d \(two(seconds / 3600 % 24)):\(two(seconds / 60 % 60))"
    }

    private static func clipped(_ text: String, _ width: Int) -> String {
        var result = ""
        var used = 0
        for character in text {
            let columns = TextWidth.columns(character)
            if used + columns > width { break }
            used += columns
            result.append(character)
        }
        return result
    }
}
