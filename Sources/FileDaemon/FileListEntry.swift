// Names of a FileSet that stand for lists of names: `|command` and `<file`, resolved on this machine (bacula-wire 3.4).

import Platform

enum FileListEntry {
    /// Bytes a list may have: some hundred thousand names.
    private static let listBytesMax = 16 << 20
    /// How long a command may take to print its list.
    private static let commandLimit = Duration.seconds(600)

    /// The entries with every list replaced by its lines. A list that can't be had is reported as an error.
    static func resolve(_ entries: [[UInt8]], report: (JobMessage) -> Void) -> [[UInt8]] {
        entries.flatMap { entry in
            switch entry.first {
            case UInt8(ascii: "|"): lines(ofCommand: String(decoding: trimmed(entry.dropFirst()), as: UTF8.self), report)
            case UInt8(ascii: "<"): lines(ofFile: trimmed(entry.dropFirst()), report)
            default: [entry]
            }
        }
    }

    private static func lines(ofCommand command: String, _ report: (JobMessage) -> Void) -> [[UInt8]] {
        var options = ChildProcess.Options()
        options.outputBytesMax = listBytesMax
        options.timeLimit = commandLimit
        do throws(SystemError) {
            let result = try ChildProcess.run(commandWords(command), options)
            if !result.succeeded {
                report(JobMessage(.error, "Cannot run program: \(command). ERR=\(result.endingText)"))
            }
            if result.wasTruncated {
                report(
                    JobMessage(
                        .error, "The list that \(command) printed is longer than \(listBytesMax) bytes; the rest is not saved."))
            }
            return names(result.output)
        } catch {
            report(JobMessage(.error, "Cannot run program: \(command). ERR=\(error.reason)"))
            return []
        }
    }

    private static func lines(ofFile path: [UInt8], _ report: (JobMessage) -> Void) -> [[UInt8]] {
        do throws(Errno) {
            let slash = path.lastIndex(of: UInt8(ascii: "/"))
            let holder = try OpenDirectory.open(
                slash.map { $0 == 0 ? [UInt8(ascii: "/")] : Array(path[..<$0]) } ?? [UInt8(ascii: ".")])
            let file = try holder.fileForReading(slash.map { Array(path[($0 + 1)...]) } ?? path)
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 64 << 10)
            while bytes.count < listBytesMax {
                var span = chunk.mutableSpan
                let count = try file.read(into: &span)
                if count == 0 { return names(bytes) }
                bytes += chunk[..<count]
            }
            report(
                JobMessage(.error, "The list in \(printable(path)) is longer than \(listBytesMax) bytes; the rest is not saved."))
            return names(bytes)
        } catch {
            report(JobMessage(.error, "Cannot open included file: \(printable(path)). ERR=\(error.text)"))
            return []
        }
    }

    private static func names(_ text: [UInt8]) -> [[UInt8]] {
        text.split(separator: UInt8(ascii: "\n")).map { line in
            var name = trimmed(line)
            while name.count > 1, name.last == UInt8(ascii: "/") { name.removeLast() }
            return name
        }.filter { !$0.isEmpty }
    }

    private static func trimmed(_ text: some BidirectionalCollection<UInt8>) -> [UInt8] {
        var result = Array(text)
        while let last = result.last, last == 32 || (9...13).contains(last) { result.removeLast() }
        return result
    }
}
