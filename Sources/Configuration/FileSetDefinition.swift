// A FileSet resource, ready to be sent to a file daemon.
//
//   I                 an Include begins            E         the Exclude begins
//   Z name            Exclude Dir Containing       F name    a name to leave out
//   O letters         an Options block             N
//   R RD RF W WD WF/WB B X XD G   its patterns     N
//   N                 ends the block
//   F name            a file or directory; no line feed ends this packet
//   N
//   P command         a plugin
//   N

import Platform

/// What a client reads.
package struct FileSetDefinition: Sendable, Hashable {
    /// Where one or more `F` lines come from.
    package enum Source: Sendable, Hashable {
        /// The path itself; also `|command` and `<file` for the client to run and read.
        case name(String)
        /// `|command`: the director runs it, each line it prints is a name.
        case program(String)
        /// `<file`: the director reads it, each line is a name.
        case listFile(String)

        /// Reads a File line. A leading `\` is taken off and the rest sent as it is.
        init(_ text: String) {
            switch text.first {
            case "|": self = .program(String(text.dropFirst()))
            case "<": self = .listFile(String(text.dropFirst()))
            case "\\": self = .name(String(text.dropFirst()))
            default: self = .name(text)
            }
        }
    }

    package struct Include: Sendable, Hashable {
        /// In the order of the file, which is the order in which they are tried; each entry's order kept too.
        package var options: [Block]
        package var files: [Source]
        package var plugins: [String]
        package var excludeDirContaining: [String]
    }

    /// One packet for the file daemon, or the place of some that the director must make first.
    package enum WireLine: Sendable, Hashable {
        case packet(String)
        /// A program or list file: one packet `F line\n` for each line it gives.
        case expand(Source)
    }

    package var name: String
    package var ignoresChanges: Bool
    package var enableVSS: Bool
    package var enableSnapshot: Bool
    package var includes: [Include]
    package var excludes: [[Source]]

    package init(_ resource: Resource) {
        precondition(resource.kind == .fileSet)
        func texts(_ block: Block, _ name: String) -> [String] { block.all(name).compactMap(\.asText) }
        name = resource.name
        ignoresChanges = resource.bool("IgnoreFilesetChanges")
        enableVSS = resource.bool("EnableVss")
        enableSnapshot = resource.bool("EnableSnapshot")
        includes = resource.blocks("Include").map { block in
            Include(
                options: block.all("Options").compactMap { if case .block(let options) = $0 { options } else { nil } },
                files: texts(block, "File").map { Source($0) }, plugins: texts(block, "Plugin"),
                excludeDirContaining: texts(block, "ExcludeDirContaining"))
        }
        excludes = resource.blocks("Exclude").map { texts($0, "File").map { Source($0) } }
    }

    /// The command that the packets follow: `fileset vss=1\n`.
    package var command: String { "fileset vss=\(enableVSS ? 1 : 0)\(enableSnapshot ? " snap=1" : "")\n" }

    /// The packets after `command`, up to the EOD.
    /// - Parameter allowCompression: false leaves the compression letters out (`AllowCompression = no` of the Storage).
    package func wireLines(allowCompression: Bool = true) -> [WireLine] {
        var lines: [WireLine] = []
        func add(_ text: String) { lines.append(.packet(text + "\n")) }
        func add(_ source: Source) {
            if case .name(let name) = source {
                lines.append(.packet("F \(name)"))
            } else {
                lines.append(.expand(source))
            }
        }
        for include in includes {
            add("I")
            for name in include.excludeDirContaining { add("Z \(name)") }
            for options in include.options {
                for line in Self.lines(of: options, allowCompression: allowCompression) { add(line) }
                add("N")
            }
            for file in include.files { add(file) }
            add("N")
            for plugin in include.plugins { add("P \(plugin)") }
            add("N")
        }
        for exclude in excludes {
            add("E")
            for file in exclude { add(file) }
            add("N")
            add("N")
        }
        return lines
    }

    /// The same with programs and list files expanded.
    /// - Parameter expand: Gives the lines of a program or list file, without their line feeds.
    package func wireLines<E: Error>(
        allowCompression: Bool = true, expanding expand: (Source) throws(E) -> [String]
    ) throws(E) -> [String] {
        var packets: [String] = []
        for line in wireLines(allowCompression: allowCompression) {
            switch line {
            case .packet(let text): packets.append(text)
            case .expand(let source):
                for name in try expand(source) { packets.append("F \(name)\n") }
            }
        }
        return packets
    }

    /// An Options block: its letters in the order written, then its patterns by kind.
    private static func lines(of options: Block, allowCompression: Bool) -> [String] {
        let letters = options.entries.filter { allowCompression || $0.name != "Compression" }.map {
            FileSetLetters.letters($0)
        }.joined()
        let hasEnhancedWild = options.last("EnhancedWild") == .bool(true)
        var lines = ["O \(letters)"]
        let kinds = [
            ("Regex", "R"), ("RegexDir", "RD"), ("RegexFile", "RF"), ("Wild", "W"), ("WildDir", "WD"),
            ("WildFile", "WF"), ("Base", "B"),
            ("FsType", "X"), ("DriveType", "XD"), ("Plugin", "G"),
        ]
        for (directive, letter) in kinds {
            for text in options.all(directive).compactMap(\.asText) {
                // A file pattern without a slash is compared with the base name where wild cards stop at slashes.
                let isBaseName = letter == "WF" && hasEnhancedWild && !text.contains("/")
                lines.append("\(isBaseName ? "WB" : letter) \(text)")
            }
        }
        return lines
    }

    /// The text by which the catalog tells a changed FileSet: 22 characters over options, names and plugins.
    package var md5: String {
        var text = ""
        for line in wireLines() {
            switch line {
            case .packet(let packet): text += packet.hasSuffix("\n") ? packet : packet + "\n"
            case .expand(.program(let command)): text += "F |\(command)\n"
            case .expand(.listFile(let path)), .expand(.name(let path)): text += "F <\(path)\n"
            }
        }
        return Self.base64(Digest.hash(Array(text.utf8), .md5))
    }

    /// Base64 without padding.
    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var result: [UInt8] = []
        var bits = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | Int(byte)
            count += 8
            while count >= 6 {
                count -= 6
                result.append(alphabet[bits >> count & 63])
            }
            bits &= (1 << count) - 1
        }
        if count > 0 { result.append(alphabet[bits << (6 - count) & 63]) }
        return String(decoding: result, as: UTF8.self)
    }
}
