// A FileSet as the director sends it, and the question which options a path is saved with (bacula-wire 3.4).

package import Platform

/// What to save: Include blocks in order, and names to leave out.
package struct FileSet: Sendable {
    /// What a pattern applies to.
    package enum Scope: Sendable { case all, directories, files, baseNames }

    package struct Pattern: Sendable {
        package enum Matcher: Sendable { case wild([UInt8]), regex(RegularExpression) }
        package var matcher: Matcher
        package var scope: Scope
    }

    /// One Options block: letters and the patterns that choose files for it.
    package struct OptionsBlock: Sendable {
        package var options = FileOptions()
        package var patterns: [Pattern] = []
        package var baseJobs: [String] = []
    }

    package struct Include: Sendable {
        package var blocks: [OptionsBlock] = []
        /// Directories that hold an entry of such a name are left out.
        package var markerNames: [[UInt8]] = []
        /// Names, and `|command` and `<file` entries that are resolved on this machine.
        package var entries: [[UInt8]] = []
        package var plugins: [String] = []

        /// The options of names given directly: all blocks united.
        package var topOptions: FileOptions {
            if blocks.count == 1 { return blocks[0].options }
            var united = FileOptions.Values()
            for block in blocks { united.unite(block.options.values) }
            return FileOptions(united)
        }
    }

    package var includes: [Include] = []
    /// fnmatch patterns of Exclude blocks.
    package var excludes: [[UInt8]] = []
    package init() {}

    /// Whether any Options block wants digests compared in accurate mode.
    package var comparesDigests: Bool {
        includes.contains { $0.blocks.contains { $0.options.values.accurateLetters.contains { $0 == "5" || $0 == "1" } } }
    }

    // MARK: - Matching

    /// The options to save `path` with, or nil when it is to be left out. `path` is absolute and has no slash at its end.
    ///
    /// The blocks are tried in order; in a block the shell patterns for this kind of entry, then those for all, then the
    /// regular expressions likewise. The first match decides. Without a match the last block's options hold, unless an
    /// Exclude name matches.
    package func options(for path: [UInt8], isDirectory: Bool, in include: Include) -> FileOptions? {
        var last: FileOptions?
        for block in include.blocks {
            let values = block.options.values
            last = block.options
            if block.patterns.isEmpty {
                if values.excludes { return nil }
                continue
            }
            if block.matches(path, isDirectory: isDirectory) { return values.excludes ? nil : block.options }
        }
        for pattern in excludes where matchesShellPattern(pattern, path, ignoringCase: last?.values.ignoresCase ?? false) {
            return nil
        }
        return last ?? Self.plainOptions
    }

    /// What holds where an Include has no Options block.
    private static let plainOptions = FileOptions()
}

extension FileSet.OptionsBlock {
    func matches(_ path: [UInt8], isDirectory: Bool) -> Bool {
        let ignoringCase = options.values.ignoresCase
        let slashIsSpecial = options.values.slashIsSpecial
        var baseName: [UInt8]?
        func wild(_ scope: FileSet.Scope) -> Bool {
            patterns.contains { pattern in
                guard pattern.scope == scope, case .wild(let text) = pattern.matcher else { return false }
                if scope == .baseNames {
                    if baseName == nil { baseName = Array(path[((path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]) }
                    return matchesShellPattern(text, baseName!, ignoringCase: ignoringCase, slashIsSpecial: slashIsSpecial)
                }
                return matchesShellPattern(text, path, ignoringCase: ignoringCase, slashIsSpecial: slashIsSpecial)
            }
        }
        func regex(_ scope: FileSet.Scope) -> Bool {
            patterns.contains { pattern in
                guard pattern.scope == scope, case .regex(let expression) = pattern.matcher else { return false }
                return expression.matches(path)
            }
        }
        if isDirectory {
            return wild(.directories) || wild(.all) || regex(.directories) || regex(.all)
        }
        return wild(.files) || wild(.baseNames) || wild(.all) || regex(.files) || regex(.all)
    }
}

/// Reads the lines between `fileset` and the end-of-data signal.
package struct FileSetParser {
    private var fileSet = FileSet()
    private enum Place { case outside, include, exclude }
    private var place = Place.outside
    private var openBlock: Int?
    private var values = FileOptions.Values()
    /// What couldn't be taken over; each is worth a warning.
    package private(set) var complaints: [String] = []

    package init() {}

    package mutating func take(_ line: [UInt8]) {
        var line = line[...]
        if line.last == 0 { line.removeLast() }
        if line.last == UInt8(ascii: "\n") { line.removeLast() }
        let keyword = line.prefix { $0 != UInt8(ascii: " ") }
        let argument = Array(line.dropFirst(keyword.count + 1))
        switch String(decoding: keyword, as: UTF8.self) {
        case "I":
            fileSet.includes.append(FileSet.Include())
            place = .include
            openBlock = nil
        case "E":
            place = .exclude
            openBlock = nil
        case "N": openBlock = nil
        case "Z": withInclude { $0.markerNames.append(argument) }
        case "O":
            values = FileOptions.Values(letters: argument)
            if !values.unknownLetters.isEmpty {
                complain("Options letters \(values.unknownLetters) are not known here; they are ignored.")
            }
            withInclude { $0.blocks.append(FileSet.OptionsBlock()) }
            openBlock = place == .include ? fileSet.includes[fileSet.includes.count - 1].blocks.count - 1 : nil
            withBlock { [values] in $0.options = FileOptions(values) }
        case "R": addRegex(argument, .all)
        case "RD": addRegex(argument, .directories)
        case "RF": addRegex(argument, .files)
        case "W": addWild(argument, .all)
        case "WD": addWild(argument, .directories)
        case "WF": addWild(argument, .files)
        case "WB": addWild(argument, .baseNames)
        case "B": withBlock { $0.baseJobs.append(String(decoding: argument, as: UTF8.self)) }
        case "X":
            values.fileSystemTypes.append(String(decoding: argument, as: UTF8.self))
            withBlock { [values] in $0.options = FileOptions(values) }
        case "XD": break  // Windows drives
        case "F":
            var name = argument
            while name.count > 1, name.last == UInt8(ascii: "/") { name.removeLast() }
            guard !name.isEmpty else { return }
            switch place {
            case .include: withInclude { $0.entries.append(name) }
            case .exclude: fileSet.excludes.append(name)
            case .outside: complain("A file name came before any Include block: \(printable(name)).")
            }
        case "P", "G":
            complain("Plugins are not supported: \(printable(argument)) is not saved.")
        case "D", "T": complain("Reader and writer programs are not supported: \(printable(argument)) is ignored.")
        case "": break
        default: complain("The FileSet line \(printable(line)) is not understood; it is ignored.")
        }
    }

    package consuming func finish() -> FileSet { fileSet }

    private mutating func complain(_ text: String) { if complaints.count < 20 { complaints.append(text) } }

    private mutating func addWild(_ pattern: [UInt8], _ scope: FileSet.Scope) {
        withBlock { $0.patterns.append(FileSet.Pattern(matcher: .wild(pattern), scope: scope)) }
    }

    private mutating func addRegex(_ pattern: [UInt8], _ scope: FileSet.Scope) {
        do throws(RegularExpression.Malformed) {
            let expression = try RegularExpression(pattern, ignoringCase: values.ignoresCase)
            withBlock { $0.patterns.append(FileSet.Pattern(matcher: .regex(expression), scope: scope)) }
        } catch {
            complain("The regular expression \(printable(pattern)) is malformed (\(error.reason)); it is ignored.")
        }
    }

    private mutating func withInclude(_ change: (inout FileSet.Include) -> Void) {
        guard place == .include, !fileSet.includes.isEmpty else { return }
        change(&fileSet.includes[fileSet.includes.count - 1])
    }

    private mutating func withBlock(_ change: (inout FileSet.OptionsBlock) -> Void) {
        guard let openBlock else { return }
        withInclude { change(&$0.blocks[openBlock]) }
    }
}

/// `path` without its first `count` components; as it was when it has no more than that.
package func stripPath(_ path: [UInt8], components count: Int) -> [UInt8] {
    guard count > 0, path.first == UInt8(ascii: "/") else { return path }
    var position = 1
    for _ in 0..<count {
        guard let slash = path[position...].firstIndex(of: UInt8(ascii: "/")), slash + 1 < path.count else { return path }
        position = slash + 1
    }
    return [UInt8(ascii: "/")] + path[position...]
}
