// Numbers of directories and of stat shapes while a job's files are stored: found, or given, once.

import Foundation
import GRDB

/// Directories whose PathId is known. Bounded: at most 65,536 paths (about 8 MiB), then it starts anew.
struct PathCache {
    private static let pathsMax = 65_536
    private var known: [[UInt8]: Int64] = [:]
    private var last: (path: [UInt8], id: Int64) = ([], 0)

    /// The PathId of a directory text, which ends in `/` or is empty. Its components become rows where they are new.
    mutating func id(of path: UnsafeBufferPointer<UInt8>, _ db: Database) throws -> Int64 {
        // Files come directory by directory: nearly always the one of the file before.
        if last.id != 0, unsafe path.elementsEqual(last.path) { return last.id }
        let path = unsafe Array(path)
        last = (path, try id(of: path, db))
        return last.id
    }

    private mutating func id(of path: [UInt8], _ db: Database) throws -> Int64 {
        if let id = known[path] { return id }
        if known.count >= Self.pathsMax { known.removeAll(keepingCapacity: true) }
        let components = PathText.components(of: path)
        // From the longest ancestor that is known, downwards. No recursion: a path can have two thousand components.
        var next = components.count - 1
        var id: Int64 = 0
        while next > 0 {
            if let found = known[Array(path[..<components[next - 1].upperBound])] {
                id = found
                break
            }
            next -= 1
        }
        let find = try RawStatement(db, "SELECT PathId FROM PathEntry WHERE ParentId = ? AND Name = ?")
        let insert = try RawStatement(db, "INSERT INTO PathEntry (ParentId, Name) VALUES (?, ?)")
        for component in components[next...] {
            let parent = id
            id = try unsafe path[component].withUnsafeBufferPointer { name in
                defer {
                    find.reset()
                    insert.reset()
                }
                find.bind(1, parent)
                unsafe find.bindText(2, name)
                if try find.step() { return find.integer(0) }
                insert.bind(1, parent)
                unsafe insert.bindText(2, name)
                _ = try insert.step()
                return db.lastInsertedRowID
            }
            known[Array(path[..<component.upperBound])] = id
        }
        return id
    }
}

/// Texts of directories.
enum PathText {
    /// The components, each with its `/`: `/usr/lib/` has `/`, `usr/`, `lib/`. The empty path is one empty component, so
    /// that a name without any `/` has a directory too.
    static func components(of path: [UInt8]) -> [Range<Int>] {
        var components: [Range<Int>] = []
        var start = 0
        for index in path.indices where path[index] == UInt8(ascii: "/") {
            components.append(start..<index + 1)
            start = index + 1
        }
        if start < path.count || path.isEmpty { components.append(start..<path.count) }
        return components
    }

    /// Directory and name in it: `/etc/passwd` is `/etc/` and `passwd`, `/etc/` is itself and nothing.
    static func split(_ name: [UInt8]) -> (path: [UInt8], name: [UInt8]) {
        let slash = name.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return (Array(name[..<slash]), Array(name[slash...]))
    }
}

/// Stat shapes met by one writer, by position; their ShapeIds once known.
struct ShapeCache {
    private struct Shape {
        var device: [UInt8]
        var middle: [UInt8]
        var blockSize: [UInt8]
        var tail: [UInt8]
        var deleted: Bool
        var number: Int64 = 0
    }
    private var positions: [[UInt8]: Int] = [:]
    private var shapes: [Shape] = []

    var count: Int { shapes.count }
    func number(at index: Int) -> Int64 { shapes[index].number }

    mutating func index(of text: LStatText, in record: Span<UInt8>, deleted: Bool) -> Int {
        // Key: the texts with NULs between; none of them can hold one.
        var key: [UInt8] = []
        key.reserveCapacity(text.device.count + text.middle.count + text.blockSize.count + text.tail.count + 4)
        for part in [text.device, text.middle, text.blockSize, text.tail] {
            for index in part { key.append(record[index]) }
            key.append(0)
        }
        key.append(deleted ? 1 : 0)
        return index(of: key, deleted)
    }

    /// The shape of files whose LStat is kept as text.
    mutating func oddIndex(deleted: Bool) -> Int { index(of: [0, 0, 0, 0, deleted ? 1 : 0], deleted) }

    private mutating func index(of key: [UInt8], _ deleted: Bool) -> Int {
        if let position = positions[key] { return position }
        let parts = key.dropLast().split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
        shapes.append(Shape(device: parts[0], middle: parts[1], blockSize: parts[2], tail: parts[3], deleted: deleted))
        positions[key] = shapes.count - 1
        return shapes.count - 1
    }

    /// Finds or gives the numbers that are missing.
    mutating func resolve(_ db: Database) throws {
        for index in shapes.indices where shapes[index].number == 0 {
            let shape = shapes[index]
            let arguments: StatementArguments = [
                Data(shape.device), Data(shape.middle), Data(shape.blockSize), Data(shape.tail), shape.deleted,
            ]
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO StatShape (Device, Middle, BlockSize, Tail, Deleted)
                    VALUES (CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), ?)
                    """, arguments: arguments)
            shapes[index].number = try Int64.fetchOne(
                db,
                sql: """
                    SELECT ShapeId FROM StatShape WHERE Device = CAST(? AS TEXT) AND Middle = CAST(? AS TEXT)
                        AND BlockSize = CAST(? AS TEXT) AND Tail = CAST(? AS TEXT) AND Deleted = ?
                    """, arguments: arguments)!
        }
    }

    mutating func forgetNumbers() { for index in shapes.indices { shapes[index].number = 0 } }
}

/// Writes FileRun: neighbouring FileIndexes of one directory become one row.
struct RunWriter: ~Copyable {
    private let insert: RawStatement
    private let jobID: Int64
    private var pathID: Int64 = 0
    private var first: Int32 = 0
    private var last: Int32 = 0

    init(_ db: Database, jobID: Int64) throws {
        insert = try RawStatement(
            db, "INSERT OR REPLACE INTO FileRun (JobId, PathId, FirstIndex, LastIndex) VALUES (?, ?, ?, ?)")
        self.jobID = jobID
    }

    mutating func add(_ pathID: Int64, _ index: Int32) throws {
        // A gap (a restore object, an index that wasn't sent) may lie inside a run: readers look at each row's PathId.
        if pathID == self.pathID, index > last {
            last = index
            return
        }
        try finish()
        self.pathID = pathID
        first = index
        last = index
    }

    mutating func finish() throws {
        guard pathID != 0 else { return }
        insert.bind(1, jobID)
        insert.bind(2, pathID)
        insert.bind(3, Int64(first))
        insert.bind(4, Int64(last))
        try insert.run()
        pathID = 0
    }
}
