// One line per event, key=value, the message first: what our daemons write to stderr or the journal.

import Glibc
package import Logging

/// A swift-log handler that writes `msg="volume full" job=142 volume=WORM-0042` lines to standard error.
///
/// Sizes are bytes, times are UTC. Secrets, keys and file contents never appear: nothing here can know them, so nobody
/// may hand them in.
package struct KeyValueLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let label: String

    package init(label: String, level: Logger.Level) {
        self.label = label
        self.logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = "\(WallTime.now.utcText) \(event.level.rawValue) \(label) msg=\(Self.quoted(event.message.description))"
        var all = metadata
        if let more = event.metadata { all.merge(more) { _, new in new } }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(Self.quoted(value.description))" }
        line += "\n"
        // One write(2) per line, so that lines of several threads or processes don't mix.
        var bytes = Array(line.utf8)
        unsafe bytes.withUnsafeMutableBytes { buffer in _ = unsafe Glibc.write(2, buffer.baseAddress, buffer.count) }
    }

    /// The value as it stands where that is unambiguous, else in quotes with control characters escaped.
    static func quoted(_ text: String) -> String {
        let plain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D && $0 != 0x7F }
        if plain { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\x" + (digits.count < 2 ? "0" : "") + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}
