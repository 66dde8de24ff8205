// A director and its catalog, as far as a storage daemon can see them.

import Configuration
import Platform
import Wire

@testable import StorageDaemon

/// The catalog of all fake directors of a test.
final class FakeCatalog: Sendable {
    struct Media: Sendable {
        var info = VolumeInfo()
        var pool = ""
        var mediaType = "File"
    }
    struct Attributes: Sendable, Hashable {
        var job: UInt32
        var sessionID: UInt32
        var fileIndex: UInt32
        var stream: UInt32
        var record: [UInt8]
    }
    struct State: Sendable {
        var media: [String: Media] = [:]
        var ranges: [UInt32: [JobMediaRange]] = [:]
        var attributes: [Attributes] = []
        /// New volumes are made with this limit, and so many at most.
        var bytesMax: UInt64 = 0
        var jobsMax: UInt32 = 0
        var volumesMax = 50
        var createsVolumes = true
        var updates: [VolumeInfo] = []
        /// Called with every attribute record as it comes.
        var onAttributes: (@Sendable () -> Void)?
    }
    let state = Monitor(State())

    func media(_ name: String) -> VolumeInfo? { state.read { $0.media[name]?.info } }
    func add(_ name: String, pool: String = "Pool", _ change: (inout VolumeInfo) -> Void = { _ in }) {
        state.withLock { state in
            var media = Media()
            media.info = VolumeInfo(name: name)
            media.info.mediaID = UInt64(state.media.count + 1)
            media.info.bytesMax = state.bytesMax
            media.info.jobsMax = state.jobsMax
            media.pool = pool
            change(&media.info)
            state.media[name] = media
        }
    }

    /// Answers one request that begins with `CatReq`.
    func answer(_ request: String) -> String {
        if let fields = scan(request, "CatReq JobId=%d FindMedia=%d pool_name=%s media_type=%s vol_type=%d") {
            return findMedia(Int(fields[1])!, pool: Bashed.decode(fields[2]))
        }
        if let fields = scan(request, "CatReq JobId=%d GetVolInfo VolName=%s write=%d") {
            return state.withLock { state in
                guard var media = state.media[Bashed.decode(fields[1])] else {
                    return "1997 Volume \"\(fields[1])\" not in catalog.\n"
                }
                if fields[2] == "1" {
                    if media.info.jobsMax > 0, media.info.jobs >= media.info.jobsMax, media.info.status == "Append" {
                        media.info.status = "Used"
                        state.media[media.info.name] = media
                    }
                    guard ["Append", "Recycle"].contains(media.info.status) else {
                        return "1998 Volume \"\(fields[1])\" catalog status is \(media.info.status), not in Append.\n"
                    }
                }
                return Self.line(media.info)
            }
        }
        if request.contains(" UpdateMedia ") {
            var text = request
            // The answer's reader knows these fields too.
            text = "1000 OK " + request[request.range(of: "VolName=")!.lowerBound...]
            guard let info = VolumeInfo(answer: text) else { return "1993 Update Media error\n" }
            return state.withLock { state in
                guard var media = state.media[info.name] else { return "1993 Update Media error\n" }
                let id = media.info.mediaID
                let jobsMax = media.info.jobsMax
                media.info = info
                media.info.mediaID = id
                media.info.jobsMax = jobsMax
                state.media[info.name] = media
                state.updates.append(info)
                return Self.line(media.info)
            }
        }
        return "1990 Invalid Catalog Request: \(request)\n"
    }

    private func findMedia(_ index: Int, pool: String) -> String {
        state.withLock { state in
            var offered = state.media.values.filter { $0.pool == pool && $0.info.status == "Append" }
                .sorted { ($0.info.jobs == 0 ? 1 : 0, $0.info.name) < ($1.info.jobs == 0 ? 1 : 0, $1.info.name) }
            offered += state.media.values.filter { $0.pool == pool && $0.info.status == "Recycle" }.sorted {
                $0.info.name < $1.info.name
            }
            if index <= offered.count { return Self.line(offered[index - 1].info) }
            guard state.createsVolumes, state.media.count < state.volumesMax else { return "1901 No Media.\n" }
            var media = Media()
            let number = String(state.media.count + 1)
            media.info = VolumeInfo(name: "\(pool)-" + String(repeating: "0", count: 4 - number.count) + number)
            media.info.mediaID = UInt64(state.media.count + 1)
            media.info.bytesMax = state.bytesMax
            media.info.jobsMax = state.jobsMax
            media.pool = pool
            state.media[media.info.name] = media
            return Self.line(media.info)
        }
    }

    static func line(_ info: VolumeInfo) -> String {
        "1000 OK VolName=\(Bashed.encode(info.name)) VolJobs=\(info.jobs) VolFiles=\(info.files) VolBlocks=\(info.blocks)"
            + " VolBytes=\(info.bytes) VolABytes=0 VolHoleBytes=0 VolHoles=0 VolMounts=\(info.mounts) VolErrors=\(info.errors)"
            + " VolWrites=\(info.writes) MaxVolBytes=\(info.bytesMax) VolCapacityBytes=0 VolStatus=\(Bashed.encode(info.status))"
            + " Slot=\(info.slot) MaxVolJobs=\(info.jobsMax) MaxVolFiles=0 InChanger=0 VolReadTime=0 VolWriteTime=\(info.writeTime)"
            + " EndFile=0 EndBlock=0 VolType=\(info.type) LabelType=0 MediaId=\(info.mediaID) ScratchPoolId=0 VolParts=0"
            + " VolCloudParts=0 LastPartBytes=0 Enabled=1 Recycle=1\n"
    }
}

extension StringProtocol {
    func range(of needle: String) -> Range<Index>? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(needle) { return at..<index(at, offsetBy: needle.count) }
            at = index(after: at)
        }
        return nil
    }
}

/// How a job ended, from its 3099 line.
struct JobEnd: Hashable, Sendable {
    var status: UInt8
    var files: Int
    var bytes: Int
    var errors: Int
    var message: String
}

/// One connection of a director.
final class FakeDirector: Sendable {
    let channel: MessageChannel
    let catalog: FakeCatalog
    struct State: Sendable {
        var messages: [String] = []
        var statuses: [UInt8] = []
        var end: JobEnd?
        var job: UInt32 = 0
        /// Says everything the storage daemon sent, in order, shortened.
        var heard: [String] = []
        var ended = false
    }
    let state = Monitor(State())

    init(_ channel: MessageChannel, _ catalog: FakeCatalog) {
        self.channel = channel
        self.catalog = catalog
        channel.setReceiveLimit(.seconds(60))
    }

    var messages: [String] { state.read { $0.messages } }
    var allMessages: String { messages.joined(separator: "\n") }
    var statuses: [UInt8] { state.read { $0.statuses } }
    var end: JobEnd? { state.read { $0.end } }

    func send(_ text: String) throws {
        try channel.send(text)
        try channel.flush()
    }

    /// Sends a command and gathers the lines of the answer up to EOD.
    func command(_ text: String) throws -> [String] {
        try send(text)
        var lines: [String] = []
        while case .payload(let bytes) = try channel.receive() { lines.append(DirectorLink.line(bytes)) }
        return lines
    }

    /// Opens a job and returns its authorization.
    func open(
        _ id: UInt32, _ name: String, type: Character = "B", level: Character = "F", spoolAttributes: Bool = true
    ) throws -> (authorization: String, sessionID: UInt32, sessionTime: UInt32) {
        state.withLock { $0.job = id }
        try send(
            "JobId=\(id) job=\(name) job_name=\(name) client_name=test-fd type=\(type.asciiValue!) level=\(level.asciiValue!)"
                + " FileSet=Set NoAttr=0 SpoolAttr=\(spoolAttributes ? 1 : 0) FileSetMD5=abc SpoolData=0 WritePartAfterJob=1"
                + " PreferMountedVols=1 SpoolSize=0 rerunning=0 VolSessionId=0 VolSessionTime=0 sd_client=0 Authorization=dummy\n")
        let line = try channel.receiveLine()
        guard let fields = scan(line, "3000 OK Job SDid=%d SDtime=%d Authorization=%s") else { throw Unexpected(line) }
        return (fields[2], UInt32(fields[0])!, UInt32(fields[1])!)
    }

    struct Unexpected: Error { var line: String; init(_ line: String) { self.line = line } }

    func use(append: Bool, device: String = "Disk", pool: String = "Pool", mediaType: String = "File") throws -> String {
        try channel.send(
            "use storage=Storage media_type=\(mediaType) pool_name=\(pool) pool_type=Backup append=\(append ? 1 : 0) copy=0 stripe=0\n"
        )
        for name in device.split(separator: ",") { try channel.send("use device=\(name)\n") }
        try channel.send(.endOfData)
        try channel.send(.endOfData)
        try channel.flush()
        return try serve { $0.hasPrefix("3") ? $0 : nil }
    }

    func bootstrap(_ text: String) throws -> String {
        try channel.send("bootstrap\n")
        for line in text.split(separator: "\n") { try channel.send("\(line)\n") }
        try channel.send(.endOfData)
        try channel.flush()
        return try channel.receiveLine()
    }

    /// Starts the job; the storage daemon waits for its client from then on.
    func run() throws {
        try send("run")
        _ = try serve { _ in state.read { $0.statuses.contains(UInt8(ascii: "F")) } ? "" : nil }
    }

    /// Serves the catalog until the job has ended.
    func finish() throws -> JobEnd {
        _ = try serve { $0.hasPrefix("3099") ? $0 : nil }
        return end!
    }

    /// Answers catalog requests and notes everything, until `stop` finds the line it wants.
    @discardableResult
    func serve(until stop: (String) -> String?) throws -> String {
        while true {
            guard case .payload(let bytes) = try channel.receive() else { continue }
            if bytes.starts(with: "UpdCat ".utf8) {
                note(attributes: bytes)
                continue
            }
            let line = DirectorLink.line(bytes)
            state.withLock { $0.heard.append(String(line.prefix(60))) }
            if line.hasPrefix("CatReq ") {
                if line.hasSuffix(" CreateJobMedia") {
                    try takeRanges()
                    try send("1000 OK CreateJobMedia\n")
                } else {
                    try send(catalog.answer(line))
                }
            } else if line.hasPrefix("Jmsg ") {
                state.withLock { $0.messages.append(line) }
            } else if let fields = scan(line, "Status JobId=%d JobStatus=%d") {
                state.withLock { $0.statuses.append(UInt8(fields[1])!) }
            } else if let fields = scan(line, "3099 Job %s end JobStatus=%d JobFiles=%d JobBytes=%d JobErrors=%d ErrMsg=%s") {
                state.withLock {
                    $0.end = JobEnd(
                        status: UInt8(fields[1])!, files: Int(fields[2])!, bytes: Int(fields[3])!, errors: Int(fields[4])!,
                        message: Bashed.decode(fields[5]))
                }
            }
            if let found = stop(line) { return found }
        }
    }

    private func takeRanges() throws {
        while case .payload(let bytes) = try channel.receive() {
            let numbers = DirectorLink.line(bytes).split(separator: " ").map { UInt64($0)! }
            let range = JobMediaRange(
                mediaID: numbers[6], firstIndex: UInt32(numbers[0]), lastIndex: UInt32(numbers[1]),
                start: numbers[2] << 32 | numbers[4], end: numbers[3] << 32 | numbers[5])
            let job = state.read { $0.job }
            if range.firstIndex > 0 { catalog.state.withLock { $0.ranges[job, default: []].append(range) } }
        }
    }

    private func note(attributes bytes: [UInt8]) {
        let start = bytes.firstIndex(of: UInt8(ascii: " "))!
        let text = bytes[(start + 1)...].firstIndex(of: UInt8(ascii: " "))!
        let binary = Array(bytes[(text + 1 + "FileAttributes ".utf8.count)...])
        func number(_ at: Int) -> UInt32 { binary[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) } }
        let job = state.read { $0.job }
        let action = catalog.state.withLock { state in
            state.attributes.append(
                FakeCatalog.Attributes(
                    job: job, sessionID: number(0), fileIndex: number(8), stream: number(12), record: Array(binary[20...])))
            precondition(Int(number(16)) == binary.count - 20)
            return state.onAttributes
        }
        action?()
    }
}
