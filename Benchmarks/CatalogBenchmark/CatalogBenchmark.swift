// What a file costs in the catalog: bytes, and time to store, select and report.
//
//     swift run -c release catalog-benchmark [DIRECTORY] [ROUNDS]        default: /usr 1
//
// Walks DIRECTORY, makes the attribute records that a file daemon would send (with an MD5 per file), and stores them
// ROUNDS times as a job of its own each, under another directory, so that paths are new. Then a chain of that full, a
// differential of a tenth and an incremental of a twentieth of the files is selected from.

import Catalog
import Foundation
import Platform
import Volumes

@main
struct CatalogBenchmark {
    static func main() throws {
        let arguments = CommandLine.arguments
        let root = arguments.count > 1 ? arguments[1] : "/usr"
        let rounds = arguments.count > 2 ? Int(arguments[2]) ?? 1 : 1
        var records: [(record: [UInt8], digest: [UInt8]?)] = []
        var seen: [Int64: Int32] = [:]
        collect(root, &records, &seen)
        print("\(records.count) files under \(root)")

        let folder = NSTemporaryDirectory() + "catalog-benchmark-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/catalog.db"
        let catalog = try CatalogDatabase(path: path)
        let client = try catalog.syncClient(ClientRecord(name: "bench"))
        let fileSet = try catalog.fileSet(named: "All", md5: "x")

        func job(_ level: Character, keeping every: Int, prefix: String) throws -> Int64 {
            let now = WallTime.now
            let id = try catalog.createJob(
                JobCreation(
                    uniqueName: "bench-\(level)-\(every)-\(prefix)", name: "bench", type: "B", level: level,
                    scheduled: now))
            var start = JobStart(started: now, level: level)
            start.clientID = client
            start.fileSetID = fileSet.fileSetID
            try catalog.startJob(id, start)
            let writer = catalog.attributeWriter(forJob: id)
            for (position, entry) in records.enumerated() where position % every == 0 {
                let index = Int32(position + 1)
                if prefix.isEmpty {
                    try writer.add(stream: .attributes, fileIndex: index, record: entry.record.span)
                } else {
                    let name = entry.record.firstIndex(of: UInt8(ascii: "/"))!
                    try writer.add(
                        stream: .attributes, fileIndex: index,
                        record: (Array(entry.record[..<name]) + Array(prefix.utf8) + Array(entry.record[name...])).span)
                }
                if let digest = entry.digest { try writer.add(stream: .md5, fileIndex: index, record: digest.span) }
            }
            try writer.flush()
            try catalog.endJob(id, JobEnd(status: "T", ended: .now))
            return id
        }

        var fulls: [Int64] = []
        let stored = try measure("store", records.count * rounds) {
            for round in 0..<rounds {
                fulls.append(try job("F", keeping: 1, prefix: round == 0 ? "" : "/round\(round)"))
            }
        }
        _ = stored
        try catalog.close()
        let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        print("\(bytes) bytes, \(oneDecimal(Double(bytes) / Double(records.count * rounds))) per file")

        let again = try CatalogDatabase(path: path)
        try measure("select one job", records.count) { try again.newestFiles(ofJobs: [fulls[0]]) { _ in } }
        try measure("select all fulls merged", records.count * rounds) { try again.newestFiles(ofJobs: fulls) { _ in } }
        try measure("count one job", records.count) { _ = try again.newestFileCount(ofJobs: [fulls[0]]) }
        try again.close()
        let more = try CatalogDatabase(path: path)
        let chain = try [
            fulls[0], Self.partial(more, client, fileSet.fileSetID, records, "D", 10),
            Self.partial(more, client, fileSet.fileSetID, records, "I", 20),
        ]
        try measure("select full + differential + incremental", records.count) {
            try more.newestFiles(ofJobs: chain) { _ in }
        }
        try measure("list one directory, of \(chain.count) jobs", 1) {
            _ = try more.directory(Array("/usr/bin/".utf8), inJobs: chain)
        }
        try measure("LStat through the view", records.count) {
            _ = try more.query(
                "SELECT sum(length(LStat)) FROM File WHERE FileId BETWEEN \(fulls[0] << 32) AND \(fulls[0] << 32 | 0xFFFF_FFFF)"
            )
        }
        try measure("MD5 through the view", records.count) {
            _ = try more.query(
                "SELECT sum(length(MD5)) FROM File WHERE FileId BETWEEN \(fulls[0] << 32) AND \(fulls[0] << 32 | 0xFFFF_FFFF)"
            )
        }
        try measure("quick check while opening", records.count * rounds) { try CatalogDatabase(path: path).close() }
        try measure("purge one job's files", records.count) { try more.purgeFiles(ofJob: fulls[0]) }
    }

    static func partial(
        _ catalog: CatalogDatabase, _ client: Int64, _ fileSet: Int64, _ records: [(record: [UInt8], digest: [UInt8]?)],
        _ level: Character, _ every: Int
    ) throws -> Int64 {
        let id = try catalog.createJob(
            JobCreation(uniqueName: "part-\(level)", name: "bench", type: "B", level: level, scheduled: .now))
        let writer = catalog.attributeWriter(forJob: id)
        for (position, entry) in records.enumerated() where position % every == 0 {
            try writer.add(stream: .attributes, fileIndex: Int32(position / every + 1), record: entry.record.span)
        }
        try writer.flush()
        try catalog.endJob(id, JobEnd(status: "T", ended: .now))
        return id
    }

    @discardableResult
    static func measure(_ what: String, _ rows: Int, _ body: () throws -> Void) rethrows -> Duration {
        let processor = clock()
        let time = try ContinuousClock().measure(body)
        let busy = Double(clock() - processor) / Double(CLOCKS_PER_SEC)
        let (seconds, attoseconds) = time.components
        let elapsed = Double(seconds) + Double(attoseconds) / 1e18
        // Of the processor's seconds too: on a machine with other work, those are the fair figure.
        let rate =
            rows > 1 ? ", \(Int(Double(rows) / elapsed)) rows/s, \(Int(Double(rows) / busy)) per processor second" : ""
        print("\(what): \(Int(elapsed * 1000)) ms, \(Int(busy * 1000)) ms of processor\(rate)")
        return time
    }

    static func oneDecimal(_ number: Double) -> Double { (number * 10).rounded() / 10 }

    /// Depth first, a directory after its contents, as a file daemon walks.
    static func collect(
        _ directory: String, _ records: inout [(record: [UInt8], digest: [UInt8]?)], _ seen: inout [Int64: Int32]
    ) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] {
            let path = directory + "/" + name
            var status = stat()
            guard unsafe lstat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                collect(path, &records, &seen)
            } else {
                add(path, status, &records, &seen)
            }
        }
        var status = stat()
        if unsafe lstat(directory, &status) == 0 { add(directory + "/", status, &records, &seen) }
    }

    static func add(
        _ path: String, _ from: stat, _ records: inout [(record: [UInt8], digest: [UInt8]?)],
        _ seen: inout [Int64: Int32]
    ) {
        let index = Int32(records.count + 1)
        var status = FileStatus()
        status.device = Int64(from.st_dev)
        status.inode = Int64(from.st_ino)
        status.mode = Int64(from.st_mode)
        status.links = Int64(from.st_nlink)
        status.user = Int64(from.st_uid)
        status.group = Int64(from.st_gid)
        status.specialDevice = Int64(from.st_rdev)
        status.size = Int64(from.st_size)
        status.blockSize = Int64(from.st_blksize)
        status.blocks = Int64(from.st_blocks)
        status.accessTime = Int64(from.st_atim.tv_sec)
        status.modifyTime = Int64(from.st_mtim.tv_sec)
        status.changeTime = Int64(from.st_ctim.tv_sec)
        status.dataStream = 2
        let isFile = from.st_mode & S_IFMT == S_IFREG
        var type: AttributeRecord.FileType = isFile ? .file : path.hasSuffix("/") ? .directory : .symbolicLink
        if isFile, from.st_nlink > 1 {
            if let first = seen[status.inode] {
                status.linkFileIndex = Int64(first)
                type = .hardLink
            } else {
                seen[status.inode] = index
            }
        }
        let record = AttributeRecord(
            fileIndex: index, type: type, name: Array(path.utf8), status: status,
            nanoseconds: .init(
                access: Int64(from.st_atim.tv_nsec), modify: Int64(from.st_mtim.tv_nsec),
                change: Int64(from.st_ctim.tv_nsec)))
        records.append((record.encoded, isFile ? Digest.hash(Array(path.utf8), .md5) : nil))
    }
}
