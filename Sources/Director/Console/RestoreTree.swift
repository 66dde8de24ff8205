// The files of a restore as a tree in memory, small enough for millions of them.
//
// One node is 31 bytes in parallel arrays, plus its name without a terminator:
//
//     bytes  array          what
//     4      nameOffsets    where the name begins in `names`; it ends where the next node's begins
//     4      parents        node, -1 for the root
//     4      firstChild     node, -1 for none; children are chained newest first and sorted when they are shown
//     4      nextSibling
//     4      fileIndexes    FileIndex in its job; 0 for a directory that no job saved and is only on somebody's path
//     2      jobs           index into `jobIDs`
//     1      flags          directory, marked, symbolic link, hard link
//     8      sizes          bytes, from the LStat
//
// A million files of 20-byte names are 51 MB; growing by doubling may briefly need half as much again.

package import Catalog

package struct RestoreTree: Sendable {
    package typealias Node = Int32

    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        static let directory = Flags(rawValue: 1)
        static let marked = Flags(rawValue: 2)
        static let symbolicLink = Flags(rawValue: 4)
        /// Repeats another file of its job; see `links`.
        static let hardLink = Flags(rawValue: 8)
    }

    /// Oldest first.
    package let jobIDs: [Int64]
    private var names: [UInt8] = []
    private var nameOffsets: [UInt32] = [0]
    private var parents: [Node] = []
    private var firstChild: [Node] = []
    private var nextSibling: [Node] = []
    private var fileIndexes: [Int32] = []
    private var jobs: [UInt16] = []
    private var flags: [Flags] = []
    private var sizes: [Int64] = []
    /// What a hard link repeats: the FileIndex, in the same job.
    private var links: [Node: Int32] = [:]
    /// The nodes that are repeated, by job and FileIndex; made by `finish`.
    private var linkTargets: [LinkKey: Node] = [:]
    /// Entries that jobs saved, directories included; and those that are no directories.
    package private(set) var entryCount = 0
    package private(set) var fileCount = 0

    private struct LinkKey: Hashable {
        var job: UInt16
        var fileIndex: Int32
    }

    // Only while it is built: directories by their path, so that a file finds its own at once.
    private var directories: [[UInt8]: Node] = [:]
    private var lastDirectory: (path: [UInt8], node: Node)?

    package static let root: Node = 0

    /// - Parameter jobIDs: At most 65,535.
    package init(jobIDs: [Int64]) {
        self.jobIDs = jobIDs
        _ = append(name: [], parent: -1, isDirectory: true)
        directories[[]] = Self.root
    }

    /// Heap bytes held, for the tests and for status.
    package var memoryBytes: Int {
        names.capacity + nameOffsets.capacity * 4 + parents.capacity * 4 + firstChild.capacity * 4 + nextSibling
            .capacity * 4
            + fileIndexes.capacity * 4 + jobs.capacity * 2 + flags.capacity + sizes.capacity * 8 + links.capacity * 16
            + linkTargets.capacity * 24
    }

    // MARK: - Building

    /// Adds one file. Every name may come once; of directories the entry and their place in others' paths are the same node.
    package mutating func insert(_ file: CatalogFile) {
        insert(
            path: file.path, name: file.name, jobID: file.jobID, fileIndex: file.fileIndex, mode: file.status.mode,
            size: file.status.size,
            linkFileIndex: file.linkFileIndex)
    }

    package mutating func insert(
        path: [UInt8], name: [UInt8], jobID: Int64, fileIndex: Int32, mode: Int64, size: Int64,
        linkFileIndex: Int32? = nil
    ) {
        guard let job = jobIDs.firstIndex(of: jobID) else { return }
        let directory = directory(path)
        let node: Node
        if name.isEmpty {
            node = directory
        } else {
            node = append(name: name, parent: directory, isDirectory: false)
            fileCount += 1
            if mode & 0o170000 == 0o120000 { flags[Int(node)].insert(.symbolicLink) }
            if let linkFileIndex {
                flags[Int(node)].insert(.hardLink)
                links[node] = linkFileIndex
            }
        }
        fileIndexes[Int(node)] = fileIndex
        jobs[Int(node)] = UInt16(truncatingIfNeeded: job)
        // What stat(2) says of a directory's size is not restored.
        sizes[Int(node)] = mode & 0o170000 == 0o100000 ? max(0, size) : 0
        entryCount += 1
    }

    /// Ends the building: the indexes that only it needed go, those for hard links are made.
    package mutating func finish() {
        directories = [:]
        lastDirectory = nil
        var wanted: Set<LinkKey> = []
        for (node, fileIndex) in links { wanted.insert(LinkKey(job: jobs[Int(node)], fileIndex: fileIndex)) }
        guard !wanted.isEmpty else { return }
        for node in fileIndexes.indices where fileIndexes[node] > 0 && !flags[node].contains(.directory) {
            let key = LinkKey(job: jobs[node], fileIndex: fileIndexes[node])
            if wanted.contains(key) { linkTargets[key] = Node(node) }
        }
    }

    private mutating func append(name: some Collection<UInt8>, parent: Node, isDirectory: Bool) -> Node {
        let node = Node(parents.count)
        names.append(contentsOf: name)
        nameOffsets.append(UInt32(names.count))
        parents.append(parent)
        firstChild.append(-1)
        nextSibling.append(-1)
        fileIndexes.append(0)
        jobs.append(0)
        flags.append(isDirectory ? .directory : [])
        sizes.append(0)
        if parent >= 0 {
            nextSibling[Int(node)] = firstChild[Int(parent)]
            firstChild[Int(parent)] = node
        }
        return node
    }

    /// The node of a directory given by its path with the trailing `/`; made with its parents where it is new.
    private mutating func directory(_ path: [UInt8]) -> Node {
        if let lastDirectory, lastDirectory.path == path { return lastDirectory.node }
        var key = path[...]
        while key.last == UInt8(ascii: "/") { key.removeLast() }
        let node = directoryNode(Array(key))
        lastDirectory = (path, node)
        return node
    }

    private mutating func directoryNode(_ key: [UInt8]) -> Node {
        if let node = directories[key] { return node }
        // Walk up to the deepest directory that is known, then down again. A loop: paths may be 4,096 levels deep.
        var missing: [Int] = []  // ends of the prefixes that have no node yet
        var end = key.count
        var parent = Self.root
        while end > 0 {
            if let known = directories[Array(key[..<end])] {
                parent = known
                break
            }
            missing.append(end)
            end = key[..<end].lastIndex(of: UInt8(ascii: "/")) ?? 0
        }
        for end in missing.reversed() {
            let start = (key[..<end].lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
            // "/" itself, and doubled slashes, are no directory of their own.
            guard start < end else { continue }
            parent = append(name: key[start..<end], parent: parent, isDirectory: true)
            directories[Array(key[..<end])] = parent
        }
        return parent
    }

    // MARK: - Looking

    package var nodeCount: Int { parents.count }
    package func name(_ node: Node) -> ArraySlice<UInt8> {
        names[Int(nameOffsets[Int(node)])..<Int(nameOffsets[Int(node) + 1])]
    }
    package func nameText(_ node: Node) -> String { String(decoding: name(node), as: UTF8.self) }
    package func parent(_ node: Node) -> Node { max(0, parents[Int(node)]) }
    package func isDirectory(_ node: Node) -> Bool { flags[Int(node)].contains(.directory) }
    package func isSymbolicLink(_ node: Node) -> Bool { flags[Int(node)].contains(.symbolicLink) }
    /// A job saved it; false for directories that only stand on a path.
    package func isSaved(_ node: Node) -> Bool { fileIndexes[Int(node)] > 0 }
    package func isMarked(_ node: Node) -> Bool { flags[Int(node)].contains(.marked) }
    package func size(_ node: Node) -> Int64 { sizes[Int(node)] }
    package func jobID(_ node: Node) -> Int64 { jobIDs[Int(jobs[Int(node)])] }
    package func fileIndex(_ node: Node) -> Int32 { fileIndexes[Int(node)] }

    /// Bytes of the path, with a trailing `/` for directories. `C:/` paths of Windows keep their form.
    package func path(_ node: Node) -> [UInt8] {
        guard node != Self.root else { return [UInt8(ascii: "/")] }
        var chain: [Node] = []
        var at = node
        while at != Self.root {
            chain.append(at)
            at = parents[Int(at)]
        }
        var path: [UInt8] = name(chain.last!).last == UInt8(ascii: ":") ? [] : [UInt8(ascii: "/")]
        for (index, part) in chain.reversed().enumerated() {
            if index > 0 { path.append(UInt8(ascii: "/")) }
            path += name(part)
        }
        if isDirectory(node) { path.append(UInt8(ascii: "/")) }
        return path
    }
    package func pathText(_ node: Node) -> String { String(decoding: path(node), as: UTF8.self) }

    /// In the order of their bytes.
    package func children(_ node: Node) -> [Node] {
        var children: [Node] = []
        var child = firstChild[Int(node)]
        while child >= 0 {
            children.append(child)
            child = nextSibling[Int(child)]
        }
        return children.sorted { name($0).lexicographicallyPrecedes(name($1)) }
    }

    package func child(_ node: Node, named wanted: some Collection<UInt8>) -> Node? {
        var child = firstChild[Int(node)]
        while child >= 0 {
            if name(child).elementsEqual(wanted) { return child }
            child = nextSibling[Int(child)]
        }
        return nil
    }

    /// The node at a path, absolute or from `base`; `.` and `..` as usual.
    package func node(at path: [UInt8], from base: Node) -> Node? {
        var node = path.first == UInt8(ascii: "/") ? Self.root : base
        for part in path.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) {
                node = parent(node)
                continue
            }
            guard isDirectory(node), let next = child(node, named: part) else { return nil }
            node = next
        }
        return node
    }

    /// Visits `node` and everything below it. Without recursion: trees may be deeper than a thread's stack.
    package func visit(_ node: Node, _ body: (Node) -> Void) {
        var stack = [node]
        while let at = stack.popLast() {
            body(at)
            var child = firstChild[Int(at)]
            while child >= 0 {
                stack.append(child)
                child = nextSibling[Int(child)]
            }
        }
    }

    // MARK: - Patterns

    /// Nodes that a pattern chooses: each part between slashes may hold `*`, `?` and `[…]`, none of which crosses a slash.
    package func match(_ pattern: [UInt8], from base: Node) -> [Node] {
        var found: [Node] = [pattern.first == UInt8(ascii: "/") ? Self.root : base]
        let parts = pattern.split(separator: UInt8(ascii: "/"))
        for part in parts {
            var next: [Node] = []
            let glob = Glob(part)
            for node in found {
                if part.elementsEqual(".".utf8) {
                    next.append(node)
                } else if part.elementsEqual("..".utf8) {
                    next.append(parent(node))
                } else if glob.isLiteral {
                    if let child = child(node, named: glob.literal) { next.append(child) }
                } else {
                    next += children(node).filter { glob.matches(name($0)) }
                }
            }
            found = next
        }
        return parts.isEmpty && pattern.first != UInt8(ascii: "/") ? [] : found
    }

    // MARK: - Marking

    /// Marks or unmarks `node`, and below a directory everything.
    ///
    /// A hard link brings the file it repeats along, because that one's place on the volume holds the content; unmarking
    /// leaves it, since another link may need it.
    /// - Returns: How many saved entries changed, links' targets not counted.
    @discardableResult
    package mutating func setMarked(_ marked: Bool, _ node: Node, recursive: Bool = true) -> Int {
        var count = 0
        var stack = [node]
        while let at = stack.popLast() {
            if isSaved(at) {
                if isMarked(at) != marked { count += 1 }
                if marked {
                    flags[Int(at)].insert(.marked)
                    if let link = links[at], let target = linkTargets[LinkKey(job: jobs[Int(at)], fileIndex: link)] {
                        flags[Int(target)].insert(.marked)
                    }
                } else {
                    flags[Int(at)].remove(.marked)
                }
            }
            guard recursive else { break }
            var child = firstChild[Int(at)]
            while child >= 0 {
                stack.append(child)
                child = nextSibling[Int(child)]
            }
        }
        return count
    }

    /// Something below the directory is marked.
    package func hasMarkedBelow(_ node: Node) -> Bool {
        var stack = [node]
        while let at = stack.popLast() {
            if at != node, isMarked(at) { return true }
            var child = firstChild[Int(at)]
            while child >= 0 {
                stack.append(child)
                child = nextSibling[Int(child)]
            }
        }
        return false
    }

    /// Marked entries, and the bytes of those that hold content of their own.
    package var selection: (entries: Int64, bytes: Int64) {
        var entries: Int64 = 0
        var bytes: Int64 = 0
        for node in flags.indices where flags[node].contains(.marked) {
            entries += 1
            if !flags[node].contains(.hardLink) { bytes &+= sizes[node] }
        }
        return (entries, bytes)
    }

    /// FileIndexes per job of everything marked.
    package var selected: [Int64: Set<Int32>] {
        var selected: [Int64: Set<Int32>] = [:]
        for node in flags.indices where flags[node].contains(.marked) {
            selected[jobIDs[Int(jobs[node])], default: []].insert(fileIndexes[node])
        }
        return selected
    }
}

/// A pattern of one name: `*` any bytes, `?` one, `[a-z]` and `[!a-z]` sets, `\` takes the next as it is; see glob(7).
package struct Glob: Sendable {
    private let pattern: [UInt8]
    /// Nothing in it is special.
    package let isLiteral: Bool
    /// The name it stands for, where it is literal.
    package let literal: [UInt8]

    package init(_ pattern: some Collection<UInt8>) {
        self.pattern = Array(pattern)
        isLiteral = !pattern.contains { "*?[".utf8.contains($0) }
        var literal: [UInt8] = []
        var escaped = false
        for byte in pattern {
            if !escaped, byte == UInt8(ascii: "\\") {
                escaped = true
            } else {
                literal.append(byte)
                escaped = false
            }
        }
        self.literal = literal
    }

    package func matches(_ name: ArraySlice<UInt8>) -> Bool {
        let name = Array(name)
        var p = 0
        var n = 0
        // The last star and where its match ended: enough for globs, and linear in practice.
        var star = -1
        var mark = 0
        while n < name.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = p
                mark = n
                p += 1
            } else if let next = step(p, name[n]) {
                p = next
                n += 1
            } else if star >= 0 {
                p = star + 1
                mark += 1
                n = mark
            } else {
                return false
            }
        }
        while p < pattern.count, pattern[p] == UInt8(ascii: "*") { p += 1 }
        return p == pattern.count
    }

    /// The pattern's position after it has matched `byte`; nil where it doesn't.
    private func step(_ p: Int, _ byte: UInt8) -> Int? {
        guard p < pattern.count else { return nil }
        switch pattern[p] {
        case UInt8(ascii: "?"): return p + 1
        case UInt8(ascii: "\\") where p + 1 < pattern.count: return pattern[p + 1] == byte ? p + 2 : nil
        case UInt8(ascii: "["): return set(p, byte) ?? (pattern[p] == byte && closing(p) == nil ? p + 1 : nil)
        default: return pattern[p] == byte ? p + 1 : nil
        }
    }

    private func closing(_ p: Int) -> Int? {
        var at = p + 1
        if at < pattern.count, pattern[at] == UInt8(ascii: "!") || pattern[at] == UInt8(ascii: "^") { at += 1 }
        if at < pattern.count, pattern[at] == UInt8(ascii: "]") { at += 1 }
        while at < pattern.count, pattern[at] != UInt8(ascii: "]") { at += 1 }
        return at < pattern.count ? at : nil
    }

    private func set(_ p: Int, _ byte: UInt8) -> Int? {
        guard let end = closing(p) else { return nil }
        var at = p + 1
        let negated = pattern[at] == UInt8(ascii: "!") || pattern[at] == UInt8(ascii: "^")
        if negated { at += 1 }
        var found = false
        while at < end {
            if at + 2 < end, pattern[at + 1] == UInt8(ascii: "-") {
                if pattern[at] <= byte, byte <= pattern[at + 2] { found = true }
                at += 3
            } else {
                if pattern[at] == byte { found = true }
                at += 1
            }
        }
        return found != negated ? end + 1 : nil
    }
}
