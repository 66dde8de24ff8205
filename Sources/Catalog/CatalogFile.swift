// A file as the catalog remembers it, and how it is put together from its compact row.

import GRDB
package import Volumes

/// One version of one file, as a job saved it.
package struct CatalogFile: Sendable, Hashable {
    package var jobID: Int64
    /// Real index in the job, for deleted entries too.
    package var fileIndex: Int32
    package var pathID: Int64
    /// Directory with its trailing `/`, as bytes.
    package var path: [UInt8]
    /// Empty for the directory itself.
    package var name: [UInt8]
    package var status: FileStatus
    /// The LStat where it isn't simply the text of `status`: an old client's or a Windows client's.
    var oddLStat: [UInt8]?
    /// Raw bytes; nil where the file has none.
    package var digest: [UInt8]?
    /// Gone since the previous job (accurate mode).
    package var isDeleted: Bool

    package var isDirectory: Bool { name.isEmpty }
    package var fullName: [UInt8] { path + name }
    /// The LStat text exactly as the file daemon sent it.
    package var lstat: [UInt8] { oddLStat ?? status.lstat }
    /// FileIndex, in the same job, of the file that this hard link repeats; nil for others.
    package var linkFileIndex: Int32? {
        status.linkFileIndex > 0 && status.linkFileIndex <= Int64(Int32.max) ? Int32(status.linkFileIndex) : nil
    }
    /// The digest in base64 without padding, or `0`: the MD5 column, and the word of an accurate list.
    package var digestText: [UInt8] {
        guard let digest else { return [UInt8(ascii: "0")] }
        var text: [UInt8] = []
        text.reserveCapacity((digest.count * 4 + 2) / 3)
        var pending = 0
        var bits = 0
        for byte in digest {
            pending = (pending << 8 | Int(byte)) & 0xFFFF
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(Self.base64Digits[pending >> bits & 63])
            }
        }
        if bits > 0 { text.append(Self.base64Digits[pending << (6 - bits) & 63]) }
        return text
    }
    private static let base64Digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}

/// Puts files together from rows of `columns`; remembers shapes and paths, so that a row costs about a microsecond.
struct FileDecoder {
    /// What a statement must select, first and in this order, from `FileEntry AS f`.
    static let columns = """
        f.FileId, f.PathId, f.ShapeId, f.Name, f.Inode, f.Size, f.Blocks, f.AccessTime, f.ModifyTime, f.ChangeTime, f.LinkFI, f.Digest
        """
    static let columnCount: Int32 = 12

    /// A shape's own numbers, the rest 0.
    private struct Shape {
        var status: FileStatus
        var isDeleted: Bool
        /// The LStat is in FileExtra.
        var isOdd: Bool
        /// Not the sixteen plain fields: the texts to build the LStat from.
        var texts: [[UInt8]]?
    }
    /// 65,536 paths are about 8 MiB; then it starts anew. Shapes are few: a hundred on a Debian /usr.
    private static let cachedMax = 65_536

    private let db: Database
    private var shapes: [Int64: Shape] = [:]
    private var paths: [Int64: [UInt8]] = [:]
    private var lastPath: (id: Int64, path: [UInt8]) = (0, [])

    init(_ db: Database) { self.db = db }

    mutating func file(_ row: borrowing RawStatement) throws -> CatalogFile {
        let fileID = row.integer(0)
        let pathID = row.integer(1)
        let shape = try shape(row.integer(2))
        if lastPath.id != pathID { lastPath = (pathID, try path(pathID)) }
        var status = shape.status
        status.inode = row.integer(4)
        status.size = row.integer(5)
        status.blocks = row.optionalInteger(6) ?? FileStorage.usualBlocks(size: status.size) ?? 0
        status.changeTime = row.integer(9)
        status.accessTime = row.optionalInteger(7) ?? status.changeTime
        status.modifyTime = row.optionalInteger(8) ?? status.changeTime
        status.linkFileIndex = row.integer(10)
        var odd: [UInt8]?
        if shape.isOdd {
            let extra = try RawStatement(db, "SELECT LStat FROM FileExtra WHERE FileId = ?")
            extra.bind(1, fileID)
            let text = try extra.step() ? extra.bytes(0) : []
            status = FileStatus(lstat: text.span) ?? FileStatus()
            odd = text
        } else if let texts = shape.texts {
            odd = Self.lstat(status, texts)
        }
        let digest = row.bytes(11)
        return CatalogFile(
            jobID: fileID >> 32, fileIndex: Int32(truncatingIfNeeded: fileID), pathID: pathID, path: lastPath.path,
            name: row.bytes(3), status: status, oddLStat: odd, digest: digest.isEmpty ? nil : digest,
            isDeleted: shape.isDeleted)
    }

    /// Whether the row marks a deletion, without putting the file together.
    mutating func isDeleted(_ row: borrowing RawStatement) throws -> Bool { try shape(row.integer(2)).isDeleted }

    private mutating func shape(_ id: Int64) throws -> Shape {
        if let shape = shapes[id] { return shape }
        if shapes.count >= Self.cachedMax { shapes.removeAll() }
        let row = try RawStatement(
            db, "SELECT Device, Middle, BlockSize, Tail, Deleted FROM StatShape WHERE ShapeId = ?")
        row.bind(1, id)
        guard try row.step() else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "StatShape \(id) is missing")
        }
        let texts = [row.bytes(0), row.bytes(1), row.bytes(2), row.bytes(3)]
        let assembled = Self.lstat(FileStatus(), texts)
        let status = FileStatus(lstat: assembled.span) ?? FileStatus()
        let shape = Shape(
            status: status, isDeleted: row.integer(4) != 0, isOdd: texts[0].isEmpty,
            texts: status.lstat == assembled ? nil : texts)
        shapes[id] = shape
        return shape
    }

    /// The LStat of seven numbers and a shape's texts, as the view File builds it.
    private static func lstat(_ status: FileStatus, _ texts: [[UInt8]]) -> [UInt8] {
        var text = texts[0]
        func add(_ number: Int64) {
            text.append(UInt8(ascii: " "))
            NumberText.append(number, to: &text)
        }
        add(status.inode)
        text += [UInt8(ascii: " ")] + texts[1]
        add(status.size)
        text += [UInt8(ascii: " ")] + texts[2]
        add(status.blocks)
        add(status.accessTime)
        add(status.modifyTime)
        add(status.changeTime)
        add(status.linkFileIndex)
        return text + texts[3]
    }

    /// The text of a directory, from its ancestors.
    private mutating func path(_ id: Int64) throws -> [UInt8] {
        var missing: [(id: Int64, name: [UInt8])] = []
        var parent = id
        var text: [UInt8] = []
        let find = try RawStatement(db, "SELECT ParentId, Name FROM PathEntry WHERE PathId = ?")
        while parent != 0 {
            if let known = paths[parent] {
                text = known
                break
            }
            find.bind(1, parent)
            guard try find.step() else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "PathEntry \(parent) is missing")
            }
            missing.append((parent, find.bytes(1)))
            parent = find.integer(0)
            find.reset()
            // A damaged file could hold a circle of parents.
            guard missing.count <= 65_536 else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "PathEntry \(id) is its own ancestor")
            }
        }
        if paths.count + missing.count > Self.cachedMax { paths.removeAll(keepingCapacity: true) }
        for (id, name) in missing.reversed() {
            text += name
            paths[id] = text
        }
        return text
    }
}
