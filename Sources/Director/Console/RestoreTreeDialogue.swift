// Choosing files in the tree: cd, ls, find, mark and the rest, until done (bacula-wire 7.6, 10.16).

import Catalog
import Platform
import Volumes
import Wire

/// The dialogue between "You are now entering file selection mode" and `done`.
struct RestoreTreeDialogue {
    let dialogue: ConsoleDialogue
    private(set) var tree: RestoreTree
    private var here = RestoreTree.root
    /// `find` and `ls` print at most so many lines; a person doesn't read more, and a program can ask more narrowly.
    private let linesMax = 100_000

    init(_ dialogue: ConsoleDialogue, _ tree: RestoreTree) {
        self.dialogue = dialogue
        self.tree = tree
    }

    private static let commands: [(name: String, help: String)] = [
        ("cd", "change current directory"), ("count", "count marked files in and below the current directory"),
        ("dir", "long list of the current directory"),
        ("done", "leave file selection mode and restore what is marked"),
        ("estimate", "estimate the size of what is marked"),
        ("exit", "as done"), ("find", "find files by name, with wildcards"), ("help", "print help"),
        ("ls", "list the current directory, with wildcards"),
        ("lsmark", "list the marked files in and below the current directory"),
        ("dirmark", "long list of the marked files"),
        ("mark", "mark files or directories (and what is below) to be restored"),
        ("markdir", "mark a directory entry only, not what is in it"),
        ("pwd", "print the current directory"), ("unmark", "unmark files or directories"),
        ("unmarkdir", "unmark a directory entry only"),
        ("quit", "leave file selection mode and restore nothing"),
    ]
    private static let aliases = [
        "add": "mark", "delete": "unmark", "?": "help", "ldirmark": "dirmark", ".pwd": "pwd", ".ls": "ls",
        ".dir": "dir", ".quit": "quit",
    ]

    /// - Returns: Whether the operator wants the marked files (`done`), rather than nothing (`quit`).
    mutating func run() throws(ConsoleStop) -> Bool {
        try dialogue.remark(
            """

            You are now entering file selection mode where you add (mark) and
            remove (unmark) files to be restored. No files are initially added, unless
            you used the "all" keyword on the command line.
            Enter "done" to leave this mode.


            """)
        if dialogue.renderer.mode == .api { try dialogue.send([.signal(.startRestoreTree)]) }
        try pwd()
        defer { if dialogue.renderer.mode == .api { try? dialogue.send([.signal(.endRestoreTree)]) } }
        while true {
            try dialogue.send(dialogue.renderer.packets(.tree("$ ")))
            let line = try dialogue.receive()
            let command = CommandText(line)
            if command.verb.isEmpty { continue }
            if command.verb == "." { return false }
            let typed = Self.aliases[command.verb.lowercased()] ?? command.verb
            if dialogue.renderer.mode == .api { try dialogue.send([.signal(.commandBegin)]) }
            var leave: Bool?
            switch Abbreviation.resolve(typed, among: Self.commands.map(\.name)) {
            case .one(let name): leave = try perform(name, command)
            case .several(let names):
                try dialogue.emit(.warning("\(command.verb) may mean \(names.joined(separator: ", ")).\n"))
            case .none:
                try dialogue.emit(
                    .warning(
                        "Invalid command \"\(command.verb)\". Enter \"done\" to exit, \"help\" for the commands.\n"))
            }
            if dialogue.renderer.mode == .api { try dialogue.send([.signal(.commandOK)]) }
            if let leave { return leave }
        }
    }

    /// - Returns: Non-nil leaves the tree.
    private mutating func perform(_ name: String, _ command: CommandText) throws(ConsoleStop) -> Bool? {
        // Names may hold `=`; an argument is then one word again.
        let arguments = command.arguments.map { argument in
            argument.value.map { "\(argument.keyword)=\($0)" } ?? argument.keyword
        }
        switch name {
        case "cd": try cd(arguments, rest: command.rest)
        case "pwd": try pwd()
        case "ls": try ls(arguments, long: false)
        case "dir": try ls(arguments, long: true)
        case "lsmark": try lsmark(long: false)
        case "dirmark": try lsmark(long: true)
        case "find": try find(arguments)
        case "mark": try mark(true, arguments, recursive: true)
        case "unmark": try mark(false, arguments, recursive: true)
        case "markdir": try mark(true, arguments, recursive: false)
        case "unmarkdir": try mark(false, arguments, recursive: false)
        case "count", "estimate": try summary(name)
        case "help":
            for command in Self.commands { try dialogue.remark("  \(command.name.padded(to: 10)) \(command.help)\n") }
        case "quit": return false
        default: return true  // done, exit
        }
        return nil
    }

    private func pwd() throws(ConsoleStop) {
        let path = tree.pathText(here)
        try dialogue.emit(
            .record(
                ConsoleRecord(kind: "cwd", fields: [("path", .init(path))]),
                text: "cwd is: \(ConsoleTable.oneLine(path))\n"))
    }

    private mutating func cd(_ arguments: [String], rest: String) throws(ConsoleStop) {
        guard let first = arguments.first else {
            here = RestoreTree.root
            return try pwd()
        }
        // A directory whose name has spaces, typed without quotes, is what was meant.
        let candidates = [first, rest.filter { $0 != "\"" }]
        for path in candidates {
            if let node = tree.node(at: Array(path.utf8), from: here), tree.isDirectory(node) {
                here = node
                return try pwd()
            }
        }
        let matches = tree.match(Array(first.utf8), from: here).filter { tree.isDirectory($0) }
        if matches.count == 1 {
            here = matches[0]
        } else {
            try dialogue.emit(
                .warning(
                    matches.isEmpty
                        ? "Invalid path given: \(first)\n" : "\(first) may mean \(matches.count) directories.\n"))
        }
        try pwd()
    }

    private func tag(_ node: RestoreTree.Node) -> String {
        tree.isMarked(node) ? "*" : tree.isDirectory(node) && tree.hasMarkedBelow(node) ? "+" : ""
    }

    /// What a listing shows: the directory's content, or what the patterns choose.
    private func listed(_ patterns: [String]) -> [RestoreTree.Node] {
        guard !patterns.isEmpty else { return tree.children(here) }
        return patterns.flatMap { pattern in
            let found = tree.match(Array(pattern.utf8), from: here)
            // `ls DIR` shows what is in it, as the shell's does.
            if found.count == 1, tree.isDirectory(found[0]), !pattern.contains(where: { "*?[".contains($0) }) {
                return tree.children(found[0])
            }
            return found
        }
    }

    private func ls(_ patterns: [String], long: Bool) throws(ConsoleStop) {
        let nodes = listed(patterns).prefix(linesMax)
        let details = long ? try self.details(of: nodes) : [:]
        for node in nodes { try show(node, details: details, long: long, indent: 0) }
    }

    private func lsmark(long: Bool) throws(ConsoleStop) {
        var shown: [RestoreTree.Node] = []
        var stack: [(node: RestoreTree.Node, depth: Int)] = tree.children(here).reversed().map { ($0, 0) }
        var depths: [Int] = []
        while let (node, depth) = stack.popLast(), shown.count < linesMax {
            let below = tree.isDirectory(node)
            guard tree.isMarked(node) || below && tree.hasMarkedBelow(node) else { continue }
            shown.append(node)
            depths.append(depth)
            if below { stack += tree.children(node).reversed().map { ($0, depth + 1) } }
        }
        let details = long ? try self.details(of: shown[...]) : [:]
        for (node, depth) in zip(shown, depths) { try show(node, details: details, long: long, indent: depth * 2) }
    }

    private func show(_ node: RestoreTree.Node, details: [RestoreTree.Node: FileStatus], long: Bool, indent: Int)
        throws(ConsoleStop)
    {
        let mark = tag(node)
        var text = String(repeating: " ", count: indent)
        if long { text += Self.longPrefix(details[node]) + " " }
        let name = ConsoleTable.oneLine(tree.nameText(node)) + (tree.isDirectory(node) ? "/" : "")
        text += mark + (long ? ConsoleTable.oneLine(tree.pathText(node)) : name) + "\n"
        let record = ConsoleRecord(
            kind: "entry",
            fields: [
                ("path", .init(tree.pathText(node))), ("directory", .flag(tree.isDirectory(node))),
                ("marked", .flag(mark == "*")),
                ("size", .init(tree.size(node))),
            ])
        try dialogue.emit(.record(record, text: text))
    }

    /// What stat(2) said, from the catalog: the tree doesn't keep it. Asked directory by directory.
    private func details(of nodes: ArraySlice<RestoreTree.Node>) throws(ConsoleStop) -> [RestoreTree.Node: FileStatus] {
        var details: [RestoreTree.Node: FileStatus] = [:]
        for (parent, children) in Dictionary(grouping: nodes, by: { tree.parent($0) }) {
            let path = tree.path(parent)
            let files = try dialogue.catalog { (catalog) throws(CatalogError) in
                try catalog.directory(path, inJobs: tree.jobIDs)
            }
            var byName: [[UInt8]: FileStatus] = [:]
            for file in files { byName[file.fullName] = file.status }
            for child in children { details[child] = byName[tree.path(child)] }
        }
        return details
    }

    /// `-rw-r--r--   2 0        0                21 2026-11-21 00:00:42`
    static func longPrefix(_ status: FileStatus?) -> String {
        guard let status else { return "d" + String(repeating: "?", count: 9) + String(repeating: " ", count: 57) }
        let type: Character =
            switch status.mode & 0o170000 {
            case 0o040000: "d"
            case 0o120000: "l"
            case 0o010000: "p"
            case 0o140000: "s"
            case 0o020000: "c"
            case 0o060000: "b"
            default: "-"
            }
        var text = String(type)
        for shift in [6, 3, 0] as [Int64] {
            let bits = status.mode >> shift & 7
            text += bits & 4 != 0 ? "r" : "-"
            text += bits & 2 != 0 ? "w" : "-"
            let special = status.mode & (shift == 6 ? 0o4000 : shift == 3 ? 0o2000 : 0o1000) != 0
            let letter = shift == 0 ? ("t", "T") : ("s", "S")
            text += special ? (bits & 1 != 0 ? letter.0 : letter.1) : (bits & 1 != 0 ? "x" : "-")
        }
        return
            "\(text) \(status.links.padded(to: 3)) \("\(status.user)".padded(to: 8)) \("\(status.group)".padded(to: 8)) \(status.size.padded(to: 14)) "
            + WallTime(seconds: status.modifyTime).localText + " "
    }

    private func find(_ patterns: [String]) throws(ConsoleStop) {
        guard !patterns.isEmpty else { return try dialogue.emit(.warning("No file specification given.\n")) }
        let globs = patterns.map { Glob(Array($0.utf8)) }
        var found: [RestoreTree.Node] = []
        tree.visit(here) { node in
            guard node != here, found.count < linesMax else { return }
            if globs.contains(where: { $0.matches(tree.name(node)) }) { found.append(node) }
        }
        let lines = found.map { (path: tree.path($0), node: $0) }.sorted { $0.path.lexicographicallyPrecedes($1.path) }
        for (path, node) in lines {
            let text = String(decoding: path, as: UTF8.self)
            let record = ConsoleRecord(
                kind: "entry",
                fields: [
                    ("path", .init(text)), ("directory", .flag(tree.isDirectory(node))),
                    ("marked", .flag(tree.isMarked(node))), ("size", .init(tree.size(node))),
                ])
            try dialogue.emit(.record(record, text: tag(node) + ConsoleTable.oneLine(text) + "\n"))
        }
    }

    private mutating func mark(_ marked: Bool, _ patterns: [String], recursive: Bool) throws(ConsoleStop) {
        var count = 0
        for pattern in patterns {
            for node in tree.match(Array(pattern.utf8), from: here) {
                if !recursive, !tree.isDirectory(node) { continue }
                count += tree.setMarked(marked, node, recursive: recursive)
            }
        }
        let verb = marked ? "marked" : "unmarked"
        let noun = recursive ? (count == 1 ? "file" : "files") : (count == 1 ? "directory" : "directories")
        let text =
            count == 0
            ? "No \(recursive ? "files" : "directories") \(verb).\n"
            : "\(JobReport.grouped(Int64(count))) \(noun) \(verb).\n"
        try dialogue.emit(.record(ConsoleRecord(kind: verb, fields: [("count", .init(count))]), text: text))
    }

    private func summary(_ verb: String) throws(ConsoleStop) {
        let (entries, bytes) = tree.selection
        let text =
            verb == "count"
            ? "\(JobReport.grouped(Int64(tree.entryCount))) total files/dirs. \(JobReport.grouped(entries)) marked to be restored.\n"
            : "\(JobReport.grouped(Int64(tree.entryCount))) total files; \(JobReport.grouped(entries)) marked to be restored; \(JobReport.grouped(bytes)) bytes.\n"
        let record = ConsoleRecord(
            kind: "selection",
            fields: [("total", .init(tree.entryCount)), ("marked", .init(entries)), ("bytes", .init(bytes))])
        try dialogue.emit(.record(record, text: text))
    }
}
