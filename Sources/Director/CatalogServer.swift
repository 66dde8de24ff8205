// Answers a storage daemon's catalog requests for one job (bacula-wire 4.4, 4.5), and stores the attributes it sends.
//
// Everything in a request is checked before it is believed: the job's number, names, every number's range. A request that
// makes no sense gets an error line; attribute records that make none end the job, because what the catalog says about a
// job's files must be right or absent.

import Catalog
import Logging
import Platform
import Volumes
import Wire

/// What a catalog server knows of its job.
struct CatalogServerJob: Sendable {
    var jobID: JobID
    /// The pool that is written to, with the rules the catalog doesn't hold; nil for jobs that only read.
    var pool: PoolRecord?
    /// Names for Label Format.
    var labels: LabelVariables
    /// CatalogFiles = no in the pool: attributes are counted, not stored.
    var storesFiles = true
}

struct CatalogServer: StorageRequests {
    let job: CatalogServerJob
    let catalog: CatalogDatabase
    let desk: MessageDesk
    let live: LiveJob
    private var session: StorageSession?
    private let writer: AttributeWriter
    private var isFinished = false

    init(job: CatalogServerJob, catalog: CatalogDatabase, desk: MessageDesk, live: LiveJob) {
        self.job = job
        self.catalog = catalog
        self.desk = desk
        self.live = live
        writer = catalog.attributeWriter(forJob: job.jobID)
    }

    mutating func begin(_ session: StorageSession) { self.session = session }

    // MARK: - Requests

    mutating func answer(_ request: String, receive: () throws(WireError) -> Packet) throws(DirectorError) -> String {
        let fields = LineFields(request)
        let words = request.split(separator: " ", maxSplits: 3)
        // The verb is the third word: `CatReq JobId=1 FindMedia=1 …`.
        let verb = words.count > 2 ? words[2].prefix { $0 != "=" && $0 != "\n" } : ""
        if verb == "CreateJobMedia" { return try createJobMedia(isOurs: fields.number("JobId") == job.jobID, receive) }
        guard fields.number("JobId") == job.jobID else { return invalid(request) }
        do throws(CatalogError) {
            switch verb {
            case "FindMedia": return try findVolume(fields) ?? invalid(request)
            case "GetVolInfo": return try volumeInfo(fields) ?? invalid(request)
            case "UpdateMedia": return try updateVolume(fields) ?? invalid(request)
            default: return invalid(request)
            }
        } catch {
            desk.error("Catalog: \(error.what) \(error.remedy)")
            return
                "1991 Catalog Request for vol=\(Bashed.encode(fields.text("VolName") ?? "")) failed: \(Bashed.encode(error.what))\n"
        }
    }

    private func invalid(_ request: String) -> String {
        desk.warning("The storage daemon sent a catalog request that makes no sense: \(request.prefix(200))")
        return "1990 Invalid Catalog Request: \(request.prefix(200))\n"
    }

    private func volumeRequest(_ pool: PoolRecord, mediaType: String) -> VolumeRequest {
        var request = VolumeRequest(pool: pool, mediaType: mediaType)
        request.variables = job.labels
        request.variables.now = .now
        return request
    }

    /// The pool a request names: ours with all its rules, or the catalog's idea of another.
    private func pool(_ name: String) throws(CatalogError) -> PoolRecord? {
        if let pool = job.pool, pool.name == name { return pool }
        return try catalog.pool(named: name)
    }

    private mutating func findVolume(_ fields: LineFields) throws(CatalogError) -> String? {
        guard let index = fields.count("FindMedia"), (1...1000).contains(index), let poolName = fields.text("pool_name"),
            let mediaType = fields.text("media_type")
        else { return nil }
        guard let pool = try pool(poolName) else { return "1901 No Media. Pool \"\(poolName)\" is not in the catalog.\n" }
        var request = volumeRequest(pool, mediaType: mediaType)
        request.index = Int(index)
        switch try catalog.nextVolume(request) {
        case .volume(let volume, let note):
            if !note.isEmpty { desk.send(.volMgmt, note) }
            return Self.line(volume)
        case .none(let reason): return "1901 No Media. \(reason)\n"
        }
    }

    private mutating func volumeInfo(_ fields: LineFields) throws(CatalogError) -> String? {
        guard let name = fields.text("VolName"), !name.isEmpty, let write = fields.number("write") else { return nil }
        guard let volume = try catalog.volume(named: name) else { return "1997 Volume \"\(name)\" not in catalog.\n" }
        live.state.withLock { $0.volume = name }
        guard write != 0 else { return Self.line(volume) }
        guard let pool = job.pool else {
            return "1998 Volume \"\(name)\" catalog status is \(volume.status.rawValue), this job only reads.\n"
        }
        do {
            return Self.line(try catalog.prepareForWriting(volume: name, volumeRequest(pool, mediaType: volume.mediaType)))
        } catch {
            guard error.kind == .invalid || error.kind == .notFound else { throw error }
            return "1998 Volume \"\(name)\" catalog status is \(volume.status.rawValue), \(error.what)\n"
        }
    }

    private mutating func updateVolume(_ fields: LineFields) throws(CatalogError) -> String? {
        guard let name = fields.text("VolName"), !name.isEmpty, let update = Self.volumeUpdate(fields, name: name) else {
            return "1993 Update Media error\n"
        }
        do {
            return Self.line(try catalog.updateVolume(update))
        } catch {
            guard error.kind == .notFound || error.kind == .invalid else { throw error }
            return error.kind == .notFound ? "1997 Volume \"\(name)\" not in catalog.\n" : "1993 Update Media error\n"
        }
    }

    /// nil where a number is missing, negative or absurd, or the status is unknown.
    static func volumeUpdate(_ fields: LineFields, name: String) -> VolumeUpdate? {
        var update = VolumeUpdate(volume: name)
        let numbers: [(String, WritableKeyPath<VolumeUpdate, Int64>)] = [
            ("VolJobs", \.jobs), ("VolFiles", \.files), ("VolBlocks", \.blocks), ("VolBytes", \.bytes),
            ("VolABytes", \.adataBytes), ("VolHoleBytes", \.holeBytes), ("VolHoles", \.holes), ("VolMounts", \.mounts),
            ("VolErrors", \.errors), ("VolWrites", \.writes), ("VolReadTime", \.readTime),
            ("VolWriteTime", \.writeTime),
        ]
        for (key, path) in numbers {
            guard let number = fields.count(key) else { return nil }
            update[keyPath: path] = number
        }
        guard let status = fields.text("VolStatus").flatMap({ VolumeStatus(rawValue: $0) }) else { return nil }
        update.status = status
        let optional: [(String, WritableKeyPath<VolumeUpdate, Int64>)] = [
            ("VolParts", \.parts), ("VolCloudParts", \.cloudParts), ("LastPartBytes", \.lastPartBytes),
        ]
        for (key, path) in optional { update[keyPath: path] = fields.count(key) ?? 0 }
        func time(_ key: String) -> WallTime? {
            // Before the year 9999, so that it fits the catalog's text.
            guard let seconds = fields.count(key), seconds > 0, seconds < 253_000_000_000 else { return nil }
            return WallTime(seconds: seconds)
        }
        update.ended = time("EndTime")
        update.firstWritten = time("VolFirstWritten")
        update.slot = Int(min(fields.count("Slot") ?? 0, 1 << 20))
        update.isRelabel = (fields.number("relabel") ?? 0) != 0
        update.inChanger = (fields.number("InChanger") ?? 0) != 0
        update.volumeType = Int(min(fields.count("VolType") ?? 0, 255))
        return update
    }

    /// The good answer to all three volume requests: 31 fields, in this order.
    static func line(_ volume: MediaRecord) -> String {
        "1000 OK VolName=\(Bashed.encode(volume.volume)) VolJobs=\(volume.jobs) VolFiles=\(volume.files)"
            + " VolBlocks=\(volume.blocks) VolBytes=\(volume.bytes) VolABytes=\(volume.adataBytes)"
            + " VolHoleBytes=\(volume.holeBytes) VolHoles=\(volume.holes) VolMounts=\(volume.mounts)"
            + " VolErrors=\(volume.errors) VolWrites=\(volume.writes) MaxVolBytes=\(volume.bytesMax)"
            + " VolCapacityBytes=\(volume.capacityBytes) VolStatus=\(Bashed.encode(volume.status.rawValue)) Slot=\(volume.slot)"
            + " MaxVolJobs=\(volume.jobsMax) MaxVolFiles=\(volume.filesMax) InChanger=\(volume.inChanger ? 1 : 0)"
            + " VolReadTime=\(volume.readTime) VolWriteTime=\(volume.writeTime) EndFile=\(volume.endFile)"
            + " EndBlock=\(volume.endBlock) VolType=\(volume.volumeType) LabelType=\(volume.labelType)"
            + " MediaId=\(volume.mediaID) ScratchPoolId=\(volume.scratchPoolID) VolParts=\(volume.parts)"
            + " VolCloudParts=\(volume.cloudParts) LastPartBytes=\(volume.lastPartBytes) Enabled=\(volume.enabled)"
            + " Recycle=\(volume.recycle ? 1 : 0)\n"
    }

    // MARK: - JobMedia

    /// Reads the records to the end whatever is wrong with them, so that the conversation goes on.
    private mutating func createJobMedia(
        isOurs: Bool, _ receive: () throws(WireError) -> Packet
    ) throws(DirectorError) -> String {
        var records: [JobMediaRecord] = []
        var isGood = isOurs
        var count = 0
        while true {
            let packet: Packet
            do { packet = try receive() } catch { throw DirectorError(error, daemon: "The storage daemon") }
            guard case .payload(let bytes) = packet else { break }
            count += 1
            // A record stands for a gigabyte or a volume: more of them at once than this is no honest list.
            guard count <= 100_000 else {
                throw DirectorError(.daemonConfused, "The storage daemon sends JobMedia records without end.")
            }
            guard let record = Self.jobMedia(ClientLink.text(bytes)) else {
                isGood = false
                continue
            }
            records.append(record)
        }
        guard isGood, !records.isEmpty else {
            desk.error("The storage daemon sent JobMedia records that make no sense; the job may not be restorable.")
            return "1992 Create JobMedia error\n"
        }
        do {
            try catalog.addJobMedia(records, toJob: job.jobID)
            return "1000 OK CreateJobMedia\n"
        } catch {
            desk.error("Catalog: \(error.what) \(error.remedy)")
            return "1992 Create JobMedia error\n"
        }
    }

    /// `FirstIndex LastIndex StartFile EndFile StartBlock EndBlock MediaId`.
    static func jobMedia(_ line: String) -> JobMediaRecord? {
        let numbers = line.split(separator: " ").map { Int64($0) }
        guard numbers.count >= 7, numbers.allSatisfy({ $0 != nil }) else { return nil }
        let n = numbers.map { $0! }
        guard n[0...1].allSatisfy({ (0...Int64(Int32.max)).contains($0) }),
            n[2...5].allSatisfy({ (0...Int64(UInt32.max)).contains($0) }),
            n[6] > 0, n[0] <= n[1], (n[2], n[4]) <= (n[3], n[5])
        else { return nil }
        return JobMediaRecord(
            mediaID: n[6], firstIndex: n[0], lastIndex: n[1], startFile: n[2], endFile: n[3], startBlock: n[4], endBlock: n[5])
    }

    // MARK: - Attributes

    mutating func take(attributes packet: Span<UInt8>) throws(DirectorError) {
        guard let head = AttributePacket(packet), head.jobID == job.jobID else {
            throw DirectorError(.daemonConfused, "The storage daemon sent an attribute packet that can't be read.")
        }
        guard let session, head.sessionID == session.sessionID, head.sessionTime == session.sessionTime else {
            throw DirectorError(.daemonConfused, "The storage daemon sent attributes of another session.")
        }
        guard job.storesFiles else { return }
        do {
            try writer.add(
                stream: StreamNumber(masking: head.stream), fileIndex: head.fileIndex, record: packet.extracting(head.record))
        } catch { throw DirectorError(error) }
    }

    mutating func finish() throws(DirectorError) {
        guard !isFinished else { return }
        isFinished = true
        do { try writer.flush() } catch { throw DirectorError(error) }
    }
}

/// The head of an `UpdCat` packet: `UpdCat JobId=%ld FileAttributes ` and five big-endian numbers.
struct AttributePacket: Sendable, Equatable {
    var jobID: JobID
    var sessionID: UInt32
    var sessionTime: UInt32
    var fileIndex: Int32
    var stream: Int32
    /// Where the record is in the packet.
    var record: Range<Int>

    init?(_ packet: Span<UInt8>) {
        var at = 0
        func literal(_ text: StaticString) -> Bool {
            let text = Array(text.description.utf8)
            guard packet.count - at >= text.count else { return false }
            for (offset, byte) in text.enumerated() where packet[at + offset] != byte { return false }
            at += text.count
            return true
        }
        func big32() -> UInt32? {
            guard packet.count - at >= 4 else { return nil }
            var value: UInt32 = 0
            for offset in 0..<4 { value = value << 8 | UInt32(packet[at + offset]) }
            at += 4
            return value
        }
        guard literal("UpdCat JobId=") else { return nil }
        var number: Int64 = 0
        let start = at
        while at < packet.count, at - start < 18, packet[at] &- 48 < 10 {
            number = number * 10 + Int64(packet[at] - 48)
            at += 1
        }
        guard at > start, literal(" FileAttributes ") else { return nil }
        guard let sessionID = big32(), let sessionTime = big32(), let index = big32(), let stream = big32(), let length = big32(),
            Int(length) <= packet.count - at
        else { return nil }
        jobID = number
        self.sessionID = sessionID
        self.sessionTime = sessionTime
        fileIndex = Int32(bitPattern: index)
        self.stream = Int32(bitPattern: stream)
        record = at..<at + Int(length)
    }
}

extension DirectorError {
    /// A failed catalog operation, with its own remedy.
    init(_ error: CatalogError) {
        let kind: Kind = error.kind == .notFound ? .notFound : .catalog
        self.init(kind, error.what, remedy: error.remedy)
    }
}
