// The report at the end of a job: labelled lines, as operators and their scripts know them.

import Platform

enum JobReport {
    /// All lines, the first with the program's name and version.
    static func text(_ lines: [(label: String, value: String)], termination: String, build: String) -> String {
        let all = [(label: "Build OS", value: build)] + lines + [(label: "Termination", value: termination)]
        return "\(Appliance.name) \(Appliance.version):\n"
            + all.map { line in
                "  " + padded(line.label + ":", to: 24) + line.value
            }.joined(separator: "\n")
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    /// `1,357,496`.
    static func grouped(_ number: Int64) -> String {
        let digits = String(number.magnitude)
        var result = ""
        for (offset, digit) in digits.enumerated() {
            if offset > 0, (digits.count - offset) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return (number < 0 ? "-" : "") + result
    }

    /// `1.357 M`: four significant digits and a decimal unit.
    static func scaled(_ number: Int64) -> String {
        let units = ["", "K", "M", "G", "T", "P", "E"]
        var value = Double(number)
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        if unit == 0 { return "\(number) " }
        let decimals = value < 10 ? 3 : value < 100 ? 2 : 1
        return "\(fixed(value, decimals)) \(units[unit])"
    }

    /// `1,357,496 (1.357 MB)`.
    static func bytes(_ number: Int64) -> String { "\(grouped(number)) (\(scaled(number))B)" }

    static func fixed(_ value: Double, _ decimals: Int) -> String {
        var factor: Int64 = 1
        for _ in 0..<decimals { factor *= 10 }
        guard value.isFinite, abs(value) < 9e15 / Double(factor) else { return "0" }
        let scaled = Int64((value * Double(factor)).rounded())
        guard decimals > 0 else { return "\(scaled)" }
        let fraction = String(abs(scaled % factor))
        return "\(scaled / factor)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }

    /// `1 hour 2 mins 3 secs`.
    static func elapsed(_ seconds: Int64) -> String {
        var parts: [String] = []
        for (name, size) in [("day", 86400), ("hour", 3600), ("min", 60)] as [(String, Int64)] {
            let count = parts.isEmpty ? seconds / size : seconds / size % (name == "hour" ? 24 : 60)
            if count > 0 { parts.append("\(count) \(name)\(count == 1 ? "" : "s")") }
        }
        let rest = seconds % 60
        if rest > 0 || parts.isEmpty { parts.append("\(rest) sec\(rest == 1 ? "" : "s")") }
        return parts.joined(separator: " ")
    }

    static func moment(_ time: WallTime?) -> String { time?.formatted("%d-%b-%Y %H:%M:%S", local: true) ?? "" }

    /// `Backup OK`, `*** Backup Error ***`, `Backup Canceled`, …
    static func termination(_ type: JobType, _ status: JobStatus) -> String {
        switch status {
        case .ok: "\(type.word) OK"
        case .warnings: "\(type.word) OK -- with warnings"
        case .differences: "*** \(type.word) Differences ***"
        case .cancelled: "\(type.word) Canceled"
        case .incomplete: "\(type.word) Incomplete"
        default: "*** \(type.word) Error ***"
        }
    }
}

/// What the program calls itself in reports and greetings.
package enum Appliance {
    package static let name = "Appliance"
    package static let version = "0.1"
}

extension Appliance {
    /// What we run on: the report's `Build OS`.
    static var build: String {
        #if arch(x86_64)
            "x86_64-linux"
        #elseif arch(arm64)
            "aarch64-linux"
        #else
            "linux"
        #endif
    }
}
