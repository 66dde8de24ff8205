// From the storage daemon's UpdCat packets to rows: batches of attributes, one transaction each.
//
// Records are taken apart when they come and collected; the writer connection is held only while a batch of rows is
// bound and stepped (30 ms for 10,000), so that several jobs and the console share it.

import Foundation
import GRDB
package import Volumes

/// Takes one job's attribute and digest records in the order they arrive and stores them in batches.
///
/// Used by one task. `flush` before the job ends: what is not flushed is not in the catalog. A flush that throws has
/// stored nothing of its batch and keeps it, so that it can be tried again.
package final class AttributeWriter {
    package let jobID: Int64
    /// Attribute records taken so far, deletions included.
    package private(set) var files: Int64 = 0
    /// Those among them that mark deletions.
    package private(set) var deleted: Int64 = 0

    /// A batch ends at whichever comes first. 10,000 rows keep the share of the commit (one fsync, about 5 ms) small; a
    /// name can have 4 KiB, so bytes are bounded too.
    static let batchRowsMax = 10_000
    static let batchBytesMax = 4 << 20

    private let catalog: CatalogDatabase
    /// Names, odd LStats and digests of the batch, one after the other.
    private var bytes: [UInt8] = []
    private var batch: [PendingFile] = []
    /// Digests whose attributes are in the database already.
    private var lateDigests: [(fileIndex: Int32, digest: [UInt8])] = []
    private var objects: [RestoreObject] = []
    private var shapes = ShapeCache()
    private var paths = PathCache()

    init(catalog: CatalogDatabase, jobID: Int64) {
        self.catalog = catalog
        self.jobID = jobID
    }

    /// Takes one record: stream 1 or 5 (attributes), 3, 10, 17, 18 (digest of the attributes with the same FileIndex that
    /// came before), 28 (restore object). Stores a batch when enough has come together.
    ///
    /// - Throws: `.invalid` for a malformed record, which should end the job; else what the database says.
    package func add(stream: StreamNumber, fileIndex: Int32, record: Span<UInt8>) throws(CatalogError) {
        guard fileIndex > 0 else { throw malformed("its FileIndex is \(fileIndex)") }
        switch stream {
        case .attributes, .windowsAttributes:
            // Before, not after: so the newest attributes wait for their digest.
            if batch.count >= Self.batchRowsMax || bytes.count >= Self.batchBytesMax { try flush() }
            try addAttributes(fileIndex, record)
        case .restoreObject: objects.append(try restoreObject(fileIndex, record))
        case _ where stream.isDigest: try addDigest(fileIndex, record)
        default: throw malformed("stream \(stream.rawValue) is nothing for the catalog")
        }
    }

    private func malformed(_ why: String) -> CatalogError {
        CatalogError(.invalid, "The storage daemon sent a malformed attribute record for job \(jobID): \(why).")
    }

    /// `FileIndex type name␀LStat␀link␀extra␀delta␀`, see Volumes/AttributeRecord.swift.
    private func addAttributes(_ fileIndex: Int32, _ record: Span<UInt8>) throws(CatalogError) {
        var position = 0
        guard Self.decimal(record, &position, endedBy: UInt8(ascii: " ")) != nil,
            let type = Self.decimal(record, &position, endedBy: UInt8(ascii: " "))
        else { throw malformed("it doesn't begin with FileIndex and type") }
        let name = Self.field(record, &position)
        let lstat = Self.field(record, &position)
        guard !name.isEmpty, name.count <= 65_535, !lstat.isEmpty, lstat.count <= 1024 else {
            throw malformed("its name has \(name.count) bytes and its LStat \(lstat.count)")
        }
        _ = Self.field(record, &position)
        _ = Self.field(record, &position)
        let isDeleted = type == Int64(AttributeRecord.FileType.deleted.rawValue)
        var file = PendingFile(fileIndex: fileIndex)
        file.deltaSequence = Self.decimal(record, &position, endedBy: 0) ?? 0
        file.nameStart = bytes.count
        file.nameCount = name.count
        var index = name.upperBound
        while index > name.lowerBound, record[index - 1] != UInt8(ascii: "/") { index -= 1 }
        file.pathCount = index - name.lowerBound
        for index in name { bytes.append(record[index]) }
        if let text = LStatText(record, lstat) {
            file.lstat = text
            file.shape = shapes.index(of: text, in: record, deleted: isDeleted)
        } else {
            file.oddCount = lstat.count
            for index in lstat { bytes.append(record[index]) }
            file.shape = shapes.oddIndex(deleted: isDeleted)
        }
        batch.append(file)
        files += 1
        if isDeleted { deleted += 1 }
    }

    private func addDigest(_ fileIndex: Int32, _ record: Span<UInt8>) throws(CatalogError) {
        guard (1...64).contains(record.count) else { throw malformed("a digest of \(record.count) bytes") }
        if let last = batch.indices.last, batch[last].fileIndex == fileIndex {
            batch[last].digestStart = bytes.count
            batch[last].digestCount = record.count
            for index in record.indices { bytes.append(record[index]) }
        } else {
            var digest: [UInt8] = []
            for index in record.indices { digest.append(record[index]) }
            lateDigests.append((fileIndex, digest))
            if lateDigests.count >= Self.batchRowsMax { try flush() }
        }
    }

    // MARK: - Storing

    /// Stores what has come so far; it is on the medium when this returns.
    package func flush() throws(CatalogError) {
        guard !batch.isEmpty || !lateDigests.isEmpty || !objects.isEmpty else { return }
        do {
            try catalog.write { db in try store(db) }
        } catch {
            // Numbers learned in the transaction that was undone may be given to others.
            shapes.forgetNumbers()
            paths = PathCache()
            throw error
        }
        bytes.removeAll(keepingCapacity: true)
        batch.removeAll(keepingCapacity: true)
        lateDigests.removeAll()
        objects.removeAll()
        if shapes.count > 50_000 { shapes = ShapeCache() }
    }

    private func store(_ db: Database) throws {
        guard try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM Job WHERE JobId = ?)", arguments: [jobID])!
        else {
            throw CatalogDatabase.noSuchJob(jobID)
        }
        try shapes.resolve(db)
        // A file sent twice, after a connection was taken up again, is stored once.
        let insert = try RawStatement(
            db,
            """
            INSERT OR REPLACE INTO FileEntry (FileId, PathId, ShapeId, Name, Inode, Size, Blocks, AccessTime, ModifyTime,
                ChangeTime, LinkFI, Digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        var runs = try RunWriter(db, jobID: jobID)
        // The bytes stay in place until the last statement that was bound to them has been reset, inside this closure.
        try unsafe bytes.withUnsafeBufferPointer { bytes in
            for file in batch {
                let path = unsafe UnsafeBufferPointer(rebasing: bytes[file.nameStart..<file.nameStart + file.pathCount])
                let name = unsafe UnsafeBufferPointer(
                    rebasing: bytes[file.nameStart + file.pathCount..<file.nameStart + file.nameCount])
                let pathID = try unsafe paths.id(of: path, db)
                let id = FileStorage.fileID(job: jobID, index: file.fileIndex)
                let lstat = file.lstat
                insert.bind(1, id)
                insert.bind(2, pathID)
                insert.bind(3, shapes.number(at: file.shape))
                unsafe insert.bindText(4, name)
                insert.bind(5, lstat.inode)
                insert.bind(6, lstat.size)
                insert.bind(7, FileStorage.usualBlocks(size: lstat.size) == lstat.blocks ? nil : lstat.blocks)
                insert.bind(8, lstat.accessTime == lstat.changeTime ? nil : lstat.accessTime)
                insert.bind(9, lstat.modifyTime == lstat.changeTime ? nil : lstat.modifyTime)
                insert.bind(10, lstat.changeTime)
                insert.bind(11, lstat.linkFileIndex)
                unsafe insert.bindBlob(
                    12, UnsafeBufferPointer(rebasing: bytes[file.digestStart..<file.digestStart + file.digestCount]))
                try insert.run()
                try runs.add(pathID, file.fileIndex)
                if file.oddCount > 0 || file.deltaSequence != 0 {
                    let odd = unsafe bytes[
                        file.nameStart + file.nameCount..<file.nameStart + file.nameCount + file.oddCount]
                    try db.execute(
                        sql:
                            "INSERT OR REPLACE INTO FileExtra (FileId, LStat, DeltaSeq) VALUES (?, CAST(? AS TEXT), ?)",
                        arguments: unsafe [id, odd.isEmpty ? nil : Data(odd), file.deltaSequence])
                }
            }
        }
        try runs.finish()
        for late in lateDigests {
            try db.execute(
                sql: "UPDATE FileEntry SET Digest = ? WHERE FileId = ?",
                arguments: [Data(late.digest), FileStorage.fileID(job: jobID, index: late.fileIndex)])
            guard db.changesCount == 1 else {
                throw malformed("a digest for FileIndex \(late.fileIndex), which has no attributes")
            }
        }
        for object in objects { try object.insert(db, jobID: jobID) }
    }

    // MARK: - Reading records

    /// A decimal number and the byte that must follow it.
    private static func decimal(_ record: Span<UInt8>, _ position: inout Int, endedBy end: UInt8) -> Int64? {
        var value: Int64 = 0
        let start = position
        while position < record.count, position - start < 18, record[position] &- 48 < 10 {
            value = value * 10 + Int64(record[position] - 48)
            position += 1
        }
        guard position > start, position < record.count, record[position] == end else { return nil }
        position += 1
        return value
    }

    /// The bytes up to the next NUL, which is passed, or to the end of the record.
    private static func field(_ record: Span<UInt8>, _ position: inout Int) -> Range<Int> {
        let start = position
        while position < record.count, record[position] != 0 { position += 1 }
        let end = position
        if position < record.count { position += 1 }
        return start..<end
    }

    /// `FileIndex type index length fullLength compression plugin␀name␀bytes` (bacula-wire 5.10).
    private func restoreObject(_ fileIndex: Int32, _ record: Span<UInt8>) throws(CatalogError) -> RestoreObject {
        var position = 0
        var numbers: [Int64] = []
        while numbers.count < 6, let number = Self.decimal(record, &position, endedBy: UInt8(ascii: " ")) {
            numbers.append(number)
        }
        let plugin = Self.field(record, &position)
        let name = Self.field(record, &position)
        guard numbers.count == 6, !name.isEmpty else { throw malformed("a restore object without its numbers or name") }
        func text(_ range: Range<Int>) -> String { String(decoding: range.map { record[$0] }, as: UTF8.self) }
        return RestoreObject(
            fileIndex: fileIndex, type: numbers[1], index: numbers[2], length: numbers[3], fullLength: numbers[4],
            compression: numbers[5], plugin: text(plugin), name: text(name),
            content: (position..<record.count).map { record[$0] })
    }
}

extension CatalogDatabase {
    package func attributeWriter(forJob jobID: Int64) -> AttributeWriter {
        AttributeWriter(catalog: self, jobID: jobID)
    }
}

/// A file of the batch; offsets are into the batch's bytes: name, then an LStat that is kept as text.
private struct PendingFile {
    var fileIndex: Int32
    var nameStart = 0
    var nameCount = 0
    /// The part of the name up to and including its last `/`.
    var pathCount = 0
    var oddCount = 0
    var digestStart = 0
    var digestCount = 0
    var shape = 0
    var deltaSequence: Int64 = 0
    var lstat = LStatText()
    init(fileIndex: Int32) { self.fileIndex = fileIndex }
}

private struct RestoreObject {
    var fileIndex: Int32
    var type: Int64
    var index: Int64
    var length: Int64
    var fullLength: Int64
    var compression: Int64
    var plugin: String
    var name: String
    var content: [UInt8]

    func insert(_ db: Database, jobID: Int64) throws {
        try db.execute(
            sql: """
                INSERT INTO RestoreObject (ObjectName, RestoreObject, PluginName, ObjectLength, ObjectFullLength, ObjectIndex,
                    ObjectType, FileIndex, ObjectCompression, JobId) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                name, Data(content), plugin, length, fullLength, index, type, fileIndex, compression, jobID,
            ])
    }
}
