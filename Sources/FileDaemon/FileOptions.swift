// The option letters of a FileSet (bacula-wire 3.4): how the files that an Options block chose are saved.

package import Platform

/// How data are compressed, packet by packet.
package enum Compression: Hashable, Sendable {
    case none
    case gzip(level: Int32)
    case zstd(level: Int32)
}

/// The options of one Options block. Immutable and shared by reference: every file of a walk points to one.
package final class FileOptions: Sendable {
    /// The parsed letters; a value, so that blocks can be united.
    package struct Values: Sendable, Equatable {
        package var excludes = false
        package var crossesFileSystems = false
        package var recurses = true
        package var detectsHardLinks = true
        package var ignoresCase = false
        package var slashIsSpecial = false
        package var keepsAccessTime = false
        package var ignoresChangeTime = false
        package var readsFIFOs = false
        package var findsHoles = false
        package var checksChanges = false
        package var savesACLs = false
        package var savesExtendedAttributes = false
        package var digest: DigestAlgorithm?
        package var compression = Compression.none
        /// LZO was asked for, which this build doesn't have: such files are saved uncompressed, and a warning says so.
        package var asksForLZO = false
        /// Leading path components left out of saved names.
        package var strippedComponents = 0
        package var replace: ReplacePolicy?
        package var verifyLetters = ""
        package var accurateLetters = ""
        package var baseJobLetters = ""
        /// Only files of these sizes; nil: all.
        package var size: SizeRule?
        /// Only these file system types; empty: all.
        package var fileSystemTypes: [String] = []
        /// Letters nobody here knows, for a warning.
        package var unknownLetters = ""
        package init() {}
    }

    /// `z…:`, a rule on the size of regular files: `a-b`, `<b`, `>a` or `~a` (within a hundredth), in bytes.
    package struct SizeRule: Hashable, Sendable {
        package var atLeast: Int64
        package var atMost: Int64

        package init?(_ text: String) {
            func number(_ text: Substring) -> Int64? { Int64(text.filter { $0 != " " }) }
            switch text.first {
            case "<": guard let limit = number(text.dropFirst()) else { return nil }; (atLeast, atMost) = (0, limit - 1)
            case ">":
                guard let limit = number(text.dropFirst()), limit < .max else { return nil }; (atLeast, atMost) = (limit + 1, .max)
            case "~":
                guard let size = number(text.dropFirst()), size >= 0 else { return nil }
                (atLeast, atMost) = (size - size / 100, size.addingReportingOverflow(size / 100).partialValue)
            default:
                let ends = text.split(separator: "-", maxSplits: 1)
                guard ends.count == 2, let low = number(ends[0]), let high = number(ends[1]) else { return nil }
                (atLeast, atMost) = (low, high)
            }
        }
        package func allows(_ size: Int64) -> Bool { atLeast <= size && size <= atMost }
    }

    package let values: Values
    package init(_ values: Values = Values()) { self.values = values }

    /// What a data stream is called for these options.
    package func dataStream(sparse: Bool) -> Int32 {
        switch values.compression {
        case .none: sparse ? 6 : 2
        case .gzip: sparse ? 7 : 4
        case .zstd: sparse ? 30 : 29
        }
    }
}

extension FileOptions.Values {
    /// Reads the text of an `O` line.
    package init(letters text: some Sequence<UInt8>) {
        self.init()
        var letters = Array(text)[...]
        func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
        /// What stands up to the next colon, which is passed.
        func untilColon() -> String {
            let value = letters.prefix { $0 != UInt8(ascii: ":") }
            letters = letters.dropFirst(value.count + 1)
            return String(decoding: value, as: UTF8.self)
        }
        while let letter = letters.popFirst() {
            switch letter {
            case UInt8(ascii: "0"), UInt8(ascii: "a"), UInt8(ascii: " "), UInt8(ascii: "\n"), 0: break
            case UInt8(ascii: "e"): excludes = true
            case UInt8(ascii: "f"): crossesFileSystems = true
            case UInt8(ascii: "h"): recurses = false
            case UInt8(ascii: "H"): detectsHardLinks = false
            case UInt8(ascii: "i"): ignoresCase = true
            case UInt8(ascii: "W"): slashIsSpecial = true
            // Both leave the access time alone: reading is done without touching it where the system allows that.
            case UInt8(ascii: "k"), UInt8(ascii: "K"): keepsAccessTime = true
            case UInt8(ascii: "m"): ignoresChangeTime = true
            case UInt8(ascii: "r"): readsFIFOs = true
            case UInt8(ascii: "s"): findsHoles = true
            case UInt8(ascii: "c"): checksChanges = true
            case UInt8(ascii: "A"): savesACLs = true
            case UInt8(ascii: "X"): savesExtendedAttributes = true
            case UInt8(ascii: "M"): digest = .md5
            case UInt8(ascii: "S"):
                switch letters.first {
                case UInt8(ascii: "2"): digest = .sha256; letters.removeFirst()
                case UInt8(ascii: "3"): digest = .sha512; letters.removeFirst()
                case UInt8(ascii: "1"): digest = .sha1; letters.removeFirst()
                case UInt8(ascii: "5"), UInt8(ascii: "6"), UInt8(ascii: "7"):
                    unknownLetters += "S" + String(Unicode.Scalar(letters.removeFirst()))
                default: digest = .sha1
                }
            case UInt8(ascii: "Z"):
                switch letters.popFirst() {
                case UInt8(ascii: "o"): (compression, asksForLZO) = (.none, true)
                case UInt8(ascii: "s"): compression = .zstd(level: 3)
                case UInt8(ascii: "r"): compression = .zstd(level: 1)
                case UInt8(ascii: "u"): compression = .zstd(level: 10)
                case UInt8(ascii: "t"): compression = .zstd(level: 19)
                case UInt8(ascii: "0"): compression = .none
                case let level? where isDigit(level): compression = .gzip(level: Int32(level - 48))
                default: unknownLetters += "Z"
                }
            case UInt8(ascii: "P"): strippedComponents = Int(untilColon()) ?? 0
            case UInt8(ascii: "V"): verifyLetters = untilColon()
            case UInt8(ascii: "C"): accurateLetters = untilColon()
            case UInt8(ascii: "J"): baseJobLetters = untilColon()
            case UInt8(ascii: "z"):
                let rule = untilColon()
                size = FileOptions.SizeRule(rule)
                if size == nil { unknownLetters += "z" }
            case UInt8(ascii: "n"): replace = .never
            case UInt8(ascii: "w"): replace = .ifNewer
            // Mean something on other systems only: portable, HFS+, nodump.
            case UInt8(ascii: "p"), UInt8(ascii: "R"), UInt8(ascii: "N"): break
            case UInt8(ascii: "d"): if let next = letters.first, isDigit(next) { letters.removeFirst() }
            default: unknownLetters.unicodeScalars.append(Unicode.Scalar(letter))
            }
        }
    }

    /// The options of a name given directly in `F`: all blocks together, a later value over an earlier one.
    package mutating func unite(_ other: FileOptions.Values) {
        crossesFileSystems = crossesFileSystems || other.crossesFileSystems
        recurses = recurses && other.recurses
        detectsHardLinks = detectsHardLinks && other.detectsHardLinks
        ignoresCase = ignoresCase || other.ignoresCase
        slashIsSpecial = slashIsSpecial || other.slashIsSpecial
        keepsAccessTime = keepsAccessTime || other.keepsAccessTime
        ignoresChangeTime = ignoresChangeTime || other.ignoresChangeTime
        readsFIFOs = readsFIFOs || other.readsFIFOs
        findsHoles = findsHoles || other.findsHoles
        checksChanges = checksChanges || other.checksChanges
        savesACLs = savesACLs || other.savesACLs
        savesExtendedAttributes = savesExtendedAttributes || other.savesExtendedAttributes
        digest = other.digest ?? digest
        asksForLZO = asksForLZO || other.asksForLZO
        if other.compression != .none { compression = other.compression }
        if other.strippedComponents > 0 { strippedComponents = other.strippedComponents }
        replace = other.replace ?? replace
        verifyLetters += other.verifyLetters
        accurateLetters += other.accurateLetters
        baseJobLetters += other.baseJobLetters
        fileSystemTypes += other.fileSystemTypes
    }
}
