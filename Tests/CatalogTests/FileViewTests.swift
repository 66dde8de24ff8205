// Bacula's File, Filename and Path, read through the views, give back exactly what the file daemon sent.

import Foundation
import GRDB
import Platform
import TestSupport
import Testing
import Volumes

@testable import Catalog

@Suite("The view File")
struct FileViewTests {
    /// What went in: name bytes, LStat bytes, digest.
    struct Saved {
        var name: [UInt8]
        var lstat: [UInt8]
        var digest: [UInt8]
        var isDeleted = false
    }

    static func record(_ index: Int32, _ type: Int, _ name: [UInt8], _ lstat: [UInt8], delta: String = "0") -> [UInt8] {
        Array("\(index) \(type) ".utf8) + name + [0] + lstat + [0, 0, 0] + Array(delta.utf8) + [0]
    }

    static func base64(_ bytes: [UInt8]) -> String {
        bytes.isEmpty ? "0" : Data(bytes).base64EncodedString().replacingOccurrences(of: "=", with: "")
    }

    /// Stores the files, reads them back through a connection that knows nothing of ours, and by our own reader.
    static func check(_ files: [Saved], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0)
        let writer = fixture.catalog.attributeWriter(forJob: job)
        for (position, file) in files.enumerated() {
            let index = Int32(position + 1)
            try writer.add(
                stream: .attributes, fileIndex: index,
                record: record(index, file.isDeleted ? 23 : 3, file.name, file.lstat).span)
            if !file.digest.isEmpty { try writer.add(stream: .md5, fileIndex: index, record: file.digest.span) }
        }
        try writer.flush()

        let plain = try DatabaseQueue(path: fixture.path)
        let rows = try plain.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT File.FileIndex, CAST(Path.Path AS BLOB) AS Path, CAST(Filename.Name AS BLOB) AS Name, CAST(LStat AS BLOB) AS LStat, MD5
                    FROM File JOIN Path USING (PathId) JOIN Filename USING (FilenameId) WHERE JobId = ? ORDER BY FileId
                    """, arguments: [job])
        }
        try #require(rows.count == files.count, sourceLocation: sourceLocation)
        let ours = try fixture.catalog.files(ofJob: job, indexes: (1...Int32(max(1, files.count))).map { $0 })
        for (position, file) in files.enumerated() {
            let row = rows[position]
            let comment = Comment(rawValue: String(decoding: file.lstat, as: UTF8.self))
            #expect(row["FileIndex"] == (file.isDeleted ? 0 : position + 1), sourceLocation: sourceLocation)
            #expect(
                [UInt8](row["Path"] as Data) + [UInt8](row["Name"] as Data) == file.name, sourceLocation: sourceLocation
            )
            #expect([UInt8](row["LStat"] as Data) == file.lstat, comment, sourceLocation: sourceLocation)
            #expect(row["MD5"] as String == base64(file.digest), sourceLocation: sourceLocation)
            #expect(ours[position].fullName == file.name, sourceLocation: sourceLocation)
            #expect(ours[position].lstat == file.lstat, comment, sourceLocation: sourceLocation)
            #expect(
                String(decoding: ours[position].digestText, as: UTF8.self) == base64(file.digest),
                sourceLocation: sourceLocation)
            #expect(ours[position].isDeleted == file.isDeleted, sourceLocation: sourceLocation)
            if let status = FileStatus(lstat: file.lstat.span) {
                #expect(ours[position].status == status, comment, sourceLocation: sourceLocation)
            }
        }
    }

    static let edges: [Int64] = [
        0, 1, 63, 64, 65, 4095, 4096, 33188, 1_795_221_876, 68_719_476_735, 68_719_476_736, 1 << 59, 1 << 60,
        Int64.max - 4096, Int64.max - 4095,
        Int64.max, -1, -64, -68_719_476_736, Int64.min + 1, Int64.min,
    ]

    @Test("Every number an LStat can hold comes back as it was: zero, negative, 64 bits, in every position")
    func numbers() throws {
        var files: [Saved] = []
        for edge in Self.edges {
            for field in 0..<16 {
                var numbers = [Int64](repeating: 7, count: 16)
                numbers[field] = edge
                var text: [UInt8] = []
                for (position, number) in numbers.enumerated() {
                    if position > 0 { text.append(32) }
                    NumberText.append(number, to: &text)
                }
                files.append(Saved(name: Array("/edge/\(files.count)".utf8), lstat: text, digest: []))
            }
        }
        try Self.check(files)
    }

    @Test("Whatever numbers, names and digests come, the texts come back", arguments: [1, 2, 3] as [UInt64])
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var files: [Saved] = []
        for index in 0..<1500 {
            var text: [UInt8] = []
            for position in 0..<16 {
                if position > 0 { text.append(32) }
                let number = Int64(truncatingIfNeeded: generator.next()) >> Int64.random(in: 0..<64, using: &generator)
                NumberText.append(number, to: &text)
            }
            var name: [UInt8] = [47]
            for _ in 0..<Int.random(in: 0..<5, using: &generator) {
                for _ in 0..<Int.random(in: 0..<4, using: &generator) {
                    name.append(UInt8.random(in: 1...255, using: &generator))
                }
                name.append(47)
            }
            if index % 4 != 0 { name += Array("f\(index)".utf8) + [0xFF, 0x0A] }
            let digest = [0, 16, 16, 20, 32, 64, 1, 2].randomElement(using: &generator)!
            files.append(
                Saved(
                    name: name, lstat: text,
                    digest: (0..<digest).map { _ in UInt8.random(in: 0...255, using: &generator) },
                    isDeleted: index % 17 == 0))
        }
        try Self.check(files)
    }

    @Test(
        "An LStat that isn't sixteen of our numbers is kept as it is",
        arguments: [
            "P4A FmQX IGk C A A A V BAA I BrAN8r BrAN8q BrAN8q",  // an old client stops at ctime
            "P4A FmQX IGk C A A A V BAA I BrAN8r BrAN8q BrAN8q B",  // or at LinkFI
            "P4A FmQX IGk C A A A V BAA I BrAN8r BrAN8q BrAN8q B A",
            "P4A FmQX IGk C A A A V BAA I BrAN8r BrAN8q BrAN8q B A C BAAC",  // Windows adds its attributes
            "P4A AFmQX IGk C A A A V BAA I BrAN8r BrAN8q BrAN8q B A C",  // a leading zero digit
            "P4A FmQX  IGk C A A A V BAA I BrAN8r BrAN8q BrAN8q B A C",  // two spaces
            "P4A FmQX IGk C A A A -A BAA I BrAN8r BrAN8q BrAN8q B A C",  // minus zero
            "P4A ////////////// IGk C A A A V BAA I A A A A A C",  // more than 64 bits
            "what is this", "A", "-", " ", "A A A A A A A A A A A A A A A A ",
        ])
    func oddTexts(lstat: String) throws {
        try Self.check([
            Saved(name: Array("/odd/a".utf8), lstat: Array(lstat.utf8), digest: Array(repeating: 255, count: 16)),
            Saved(
                name: Array("/odd/b".utf8), lstat: Array("P4A FmQX IGk C A A A V BAA I A A A A A C".utf8), digest: []),
            Saved(name: Array("/odd/c".utf8), lstat: Array(lstat.utf8), digest: [], isDeleted: true),
        ])
    }

    @Test("Digests of every length come back in base64 without padding")
    func digests() throws {
        try Self.check(
            (0...64).map { count in
                Saved(
                    name: Array("/d/\(count)".utf8), lstat: Array("A A A A A A A A A A A A A A A C".utf8),
                    digest: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 250) })
            })
    }

    @Test(
        "Names of every kind are split into Path and Filename as Bacula does, and come back byte for byte",
        arguments: [
            "/", "/a", "/a/", "//", "//a//b/", "C:/Windows/x", "C:/", "noslash", "@plugin/one", "/new\nline/\u{1}",
            "/ü/é/", "/'quoted\"/%",
        ])
    func names(name: String) throws {
        try Self.check([Saved(name: Array(name.utf8), lstat: Array("A A A A A A A A A A A A A A A C".utf8), digest: [])]
        )
    }

    @Test("A path of two thousand components is stored and found")
    func deepPath() throws {
        let name = Array(("/" + String(repeating: "d/", count: 2000) + "file").utf8)
        try Self.check([Saved(name: name, lstat: Array("A A A A A A A A A A A A A A A C".utf8), digest: [])])
    }

    @Test("Attributes and digests of every file under a real tree come back")
    func realTree() throws {
        var files: [Saved] = []
        let root = "/usr/include"
        guard let walker = FileManager.default.enumerator(atPath: root) else { return }
        while let name = walker.nextObject() as? String, files.count < 6000 {
            var buffer = stat()
            guard unsafe lstat(root + "/" + name, &buffer) == 0 else { continue }
            var status = FileStatus()
            status.device = Int64(buffer.st_dev)
            status.inode = Int64(buffer.st_ino)
            status.mode = Int64(buffer.st_mode)
            status.links = Int64(buffer.st_nlink)
            status.user = Int64(buffer.st_uid)
            status.group = Int64(buffer.st_gid)
            status.specialDevice = Int64(buffer.st_rdev)
            status.size = Int64(buffer.st_size)
            status.blockSize = Int64(buffer.st_blksize)
            status.blocks = Int64(buffer.st_blocks)
            status.accessTime = Int64(buffer.st_atim.tv_sec)
            status.modifyTime = Int64(buffer.st_mtim.tv_sec)
            status.changeTime = Int64(buffer.st_ctim.tv_sec)
            status.dataStream = 2
            files.append(
                Saved(
                    name: Array("\(root)/\(name)".utf8), lstat: status.lstat,
                    digest: Digest.hash(Array(name.utf8), .md5)))
        }
        try Self.check(files)
    }

    @Test("Reports written for either generation of Bacula's File table run unchanged")
    func reports() throws {
        let fixture = try CatalogFixture()
        let job = try fixture.backup(at: 0, files: ["/etc/passwd", "/etc/", "-/etc/gone"])
        let old =
            "SELECT Path.Path || Filename.Name FROM File JOIN Path ON File.PathId = Path.PathId JOIN Filename ON File.FilenameId = Filename.FilenameId WHERE File.JobId = \(job) AND FileIndex > 0 ORDER BY FileIndex"
        let new =
            "SELECT Path.Path || File.Filename FROM File, Path WHERE File.PathId = Path.PathId AND File.JobId = \(job) AND FileIndex > 0 ORDER BY FileIndex"
        for sql in [old, new] {
            #expect(try fixture.catalog.query(sql).rows == [["/etc/passwd"], ["/etc/"]])
        }
        #expect(try fixture.value("SELECT count(*) FROM File WHERE FileIndex = 0") == "1")
        #expect(
            try fixture.value(
                "SELECT a.Path FROM Path AS a JOIN PathHierarchy AS h ON h.PPathId = a.PathId JOIN Path AS b ON b.PathId = h.PathId WHERE b.Path = '/etc/'"
            ) == "/")
    }
}
