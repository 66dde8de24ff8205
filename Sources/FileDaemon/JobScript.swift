// Programs that run before and after a job on this machine (bacula-wire 3.6, 8.7, 8.8).

import Platform

/// One remembered RunScript.
struct JobScript: Sendable, Hashable {
    /// When it runs; the numbers of the message are bits.
    struct When: OptionSet, Hashable, Sendable {
        let rawValue: Int
        static let after = When(rawValue: 1)
        static let before = When(rawValue: 2)
    }
    var command: String
    var when: When
    var onSuccess: Bool
    var onFailure: Bool
    /// A failure fails the job.
    var abortsOnError: Bool
    /// nil: as long as it takes.
    var timeLimit: Duration?
}

/// What %-codes stand for on a client (bacula-wire 8.8).
struct JobCodes: Sendable {
    var daemonName = ""
    var directorName = ""
    var jobID = 0
    var uniqueName = ""
    var level = ""
    var type = "Backup"
    var status = "OK"
    var since = ""
    var previousJob = ""
    var clientName = ""
    var files: Int64 = 0
    var bytes: Int64 = 0
    var readBytes: Int64 = 0
    var errors: Int64 = 0

    /// The Job resource's name: the unique name without its date and number.
    var jobName: String {
        let parts = uniqueName.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count > 3 ? parts.dropLast(3).joined(separator: ".") : uniqueName
    }

    /// `command` with every known code replaced; unknown ones stay.
    func expand(_ command: String) -> String {
        var result = ""
        var characters = command.makeIterator()
        while let character = characters.next() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            guard let code = characters.next() else {
                result.append("%")
                break
            }
            switch code {
            case "%": result.append("%")
            case "c": result += clientName
            case "d": result += daemonName
            case "D": result += directorName
            case "e": result += status
            case "E": result += String(errors)
            case "i": result += String(jobID)
            case "j": result += uniqueName
            case "l": result += level
            case "n": result += jobName
            case "s": result += since
            case "t": result += type
            case "F": result += String(files)
            case "b": result += String(bytes)
            case "R": result += String(readBytes)
            case "P": result += String(CurrentProcess.identifier)
            case "S": result += previousJob
            default: result += "%\(code)"
            }
        }
        return result
    }
}

extension JobScript {
    /// Bytes of one run's output that become messages; the rest is dropped with a note.
    private static let outputBytesMax = 256 << 10

    /// Runs a command and sends its lines as messages under `label`.
    /// - Returns: whether it succeeded.
    static func run(
        _ command: String, label: String, timeLimit: Duration?, codes: JobCodes, shouldStop: () -> Bool,
        report: (JobMessage) -> Void
    ) -> Bool {
        let expanded = codes.expand(command)
        report(JobMessage(.info, "shell command: run \(label) \"\(expanded)\""))
        var options = ChildProcess.Options()
        options.mergesErrors = true
        options.outputBytesMax = outputBytesMax
        options.timeLimit = timeLimit
        var lines = OutputLines(label: label)
        do throws(SystemError) {
            let result = try ChildProcess.run(commandWords(expanded), options, shouldStop: shouldStop) { piece in
                lines.take(piece, report)
            }
            lines.finish(report)
            if result.succeeded { return true }
            report(JobMessage(.error, "Runscript: \(label) returned non-zero status. ERR=\(result.endingText)"))
        } catch {
            report(JobMessage(.error, "Runscript: \(label) could not be run. ERR=\(error.reason)"))
        }
        return false
    }

    /// Cuts what a script prints into messages, a line each, as it comes.
    private struct OutputLines {
        let label: String
        var line: [UInt8] = []
        var reported = 0

        init(label: String) { self.label = label }

        mutating func take(_ piece: ArraySlice<UInt8>, _ report: (JobMessage) -> Void) {
            for byte in piece {
                if byte == UInt8(ascii: "\n") { finish(report) } else if line.count < 4096 { line.append(byte) }
            }
        }

        mutating func finish(_ report: (JobMessage) -> Void) {
            defer { line.removeAll(keepingCapacity: true) }
            guard !line.isEmpty else { return }
            reported += line.count
            if reported - line.count < outputBytesMax {
                report(JobMessage(.info, "\(label): \(printable(line))"))
                if reported >= outputBytesMax { report(JobMessage(.warning, "\(label): more was printed; it is left out.")) }
            }
        }
    }
}
