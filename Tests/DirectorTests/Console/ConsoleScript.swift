// A console that reads its lines from the test and keeps what it is told.

import Catalog
import Configuration
import Platform
import TestSupport
import Testing
import Volumes
import Wire

@testable import Director

/// A director in the test, with a catalog to fill, and consoles to call it.
struct ConsoleScript {
    let fixture: DirectorFixture
    var services: DirectorServices { fixture.services }
    var catalog: CatalogDatabase { fixture.services.catalog }

    /// Nothing listens on the daemons' ports: jobs stay queued or fail, which is all that a console's tests need.
    init(more: String = "") throws {
        fixture = try DirectorFixture(
            clientPort: try LoopbackPort.free(), storagePort: try LoopbackPort.free(), more: more)
    }

    /// What the director says to these lines; signals as `<-27>`. The console hangs up after the last.
    func transcript(_ lines: String..., mode: ConsoleMode = .plain, rights: ConsoleRights = .unlimited) async -> String {
        let answers = Monitor<String>("")
        let inputs = Monitor<[String]>(lines)
        let line = ConsoleLine(
            send: { (packets) throws(WireError) in
                answers.withLock { text in
                    for packet in packets {
                        switch packet {
                        case .payload(let bytes): text += String(decoding: bytes, as: UTF8.self)
                        case .signal(let signal): text += "<\(signal.rawValue)>\n"
                        }
                    }
                }
            },
            receive: { () throws(WireError) in
                let next = inputs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                guard let next else { throw WireError(.closed, peer: "test", "the script is over") }
                return .payload(Array(next.utf8))
            })
        await Self.serve(services, line, rights, mode)
        return answers.read { $0 }
    }

    private static func serve(
        _ services: DirectorServices, _ line: ConsoleLine, _ rights: ConsoleRights, _ mode: ConsoleMode
    ) async {
        let dialogue = ConsoleDialogue(services: services, line: line, rights: rights)
        dialogue.renderer.mode = mode
        await ConsoleSession.serve(dialogue)
    }

    /// As `transcript`, without the announcement of the catalog and the signals: what a person reads.
    func text(_ lines: String..., mode: ConsoleMode = .plain, rights: ConsoleRights = .unlimited) async -> String {
        var text = ""
        let answers = Monitor<String>("")
        let inputs = Monitor<[String]>(lines)
        let line = ConsoleLine(
            send: { (packets) throws(WireError) in
                answers.withLock { text in
                    for case .payload(let bytes) in packets { text += String(decoding: bytes, as: UTF8.self) }
                }
            },
            receive: { () throws(WireError) in
                let next = inputs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                guard let next else { throw WireError(.closed, peer: "test", "the script is over") }
                return .payload(Array(next.utf8))
            })
        await Self.serve(services, line, rights, mode)
        text = answers.read { $0 }
        for line in ["Automatically selected Catalog: Cat\n", "Using Catalog \"Cat\"\n", "You have messages.\n"] {
            while let range = text.firstRange(of: line) { text.removeSubrange(range) }
        }
        return text
    }

    // MARK: - Content

    static let start = WallTime(localText: "2026-11-21 01:28:45")!

    /// A finished backup in the catalog, with one volume and files: `/a/b`, `/a/` a directory, `/a/c=1` a hard link to the first.
    @discardableResult
    func backup(
        _ level: Character = "F", after seconds: Int64 = 0, job name: String = "Backup", status: Character = "T",
        files: [String], volume: String = "Vol-0001"
    ) throws -> Int64 {
        let clientID = try catalog.syncClient(ClientRecord(name: "lab-fd"))
        let set = try catalog.fileSet(named: "Plain", md5: "m1", now: Self.start)
        let pool = try #require(try catalog.pool(named: "File"))
        let began = WallTime(seconds: Self.start.seconds + seconds)
        let jobID = try catalog.createJob(
            JobCreation(
                uniqueName: JobName.unique(for: name, at: began, counter: 5), name: name, type: "B", level: level,
                scheduled: began))
        var start = JobStart(started: began, level: level)
        start.clientID = clientID
        start.fileSetID = set.fileSetID
        start.poolID = pool.poolID
        try catalog.startJob(jobID, start)
        try catalog.setSession(UInt32(jobID), 1_795_224_523, ofJob: jobID)
        let media: MediaRecord
        if let known = try catalog.volume(named: volume) {
            media = known
        } else {
            media = try catalog.createVolume(catalog.newVolume(named: volume, in: pool, mediaType: "File"))
        }
        let writer = catalog.attributeWriter(forJob: jobID)
        var bytes: Int64 = 0
        for (position, text) in files.enumerated() {
            let index = Int32(position + 1)
            var name = text
            var status = FileStatus()
            status.mode = name.hasSuffix("/") ? 0o040755 : 0o100644
            status.links = 1
            status.size = 100 * Int64(index)
            status.modifyTime = began.seconds
            status.dataStream = 2
            var type = name.hasSuffix("/") ? AttributeRecord.FileType.directory : .file
            if let equals = name.lastIndex(of: "=") {
                status.linkFileIndex = Int64(name[name.index(after: equals)...])!
                name = String(name[..<equals])
                type = .hardLink
            }
            if type == .file { bytes += status.size }
            let record = AttributeRecord(fileIndex: index, type: type, name: Array(name.utf8), status: status).encoded
            try writer.add(stream: .attributes, fileIndex: index, record: record.span)
        }
        try writer.flush()
        if !files.isEmpty {
            try catalog.addJobMedia(
                [
                    JobMediaRecord(
                        mediaID: media.mediaID, firstIndex: 1, lastIndex: Int64(files.count), startFile: 0, endFile: 0,
                        startBlock: jobID * 10_000,
                        endBlock: jobID * 10_000 + 5000)
                ], toJob: jobID)
        }
        var end = JobEnd(status: status, ended: WallTime(seconds: began.seconds + 1))
        end.files = Int64(files.count)
        end.bytes = bytes
        try catalog.endJob(jobID, end)
        return jobID
    }
}
