// What the catalog knows about a volume, as the director's answers carry it (bacula-wire 4.4).

import Wire

/// One `1000 OK VolName=…` answer, and what UpdateMedia sends back.
struct VolumeInfo: Hashable, Sendable {
    var name = ""
    var jobs: UInt32 = 0
    var files: UInt32 = 0
    var blocks: UInt32 = 0
    /// Absolute size in bytes. A purged volume that is to be recycled has 1.
    var bytes: UInt64 = 0
    var mounts: UInt32 = 0
    var errors: UInt32 = 0
    var writes: UInt64 = 0
    var bytesMax: UInt64 = 0
    var capacityBytes: UInt64 = 0
    var status = "Append"
    var slot: Int32 = 0
    var jobsMax: UInt32 = 0
    var filesMax: UInt32 = 0
    var inChanger: Int32 = 0
    /// Microseconds spent reading and writing.
    var readTime: UInt64 = 0
    var writeTime: UInt64 = 0
    var endFile: UInt32 = 0
    var endBlock: UInt32 = 0
    var type: UInt32 = 0
    var labelType: Int32 = 0
    var mediaID: UInt64 = 0
    var enabled: Int32 = 1
    var recycle: Int32 = 1
    /// Unix seconds of the first write of this life of the volume; 0 leaves the catalog's value.
    var firstWritten: Int64 = 0

    init(name: String = "") { self.name = name }

    /// Reads an answer field by field by their names, so that those that later releases added are skipped.
    init?(answer: String) {
        guard answer.hasPrefix("1000 OK ") else { return nil }
        var fields: [Substring: Substring] = [:]
        for word in answer.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            guard let equals = word.firstIndex(of: "=") else { continue }
            fields[word[..<equals]] = word[word.index(after: equals)...]
        }
        guard let name = fields["VolName"], !name.isEmpty else { return nil }
        func number<N: FixedWidthInteger>(_ field: Substring) -> N { fields[field].flatMap { N($0) } ?? 0 }
        self.name = Bashed.decode(name)
        jobs = number("VolJobs")
        files = number("VolFiles")
        blocks = number("VolBlocks")
        bytes = number("VolBytes")
        mounts = number("VolMounts")
        errors = number("VolErrors")
        writes = number("VolWrites")
        bytesMax = number("MaxVolBytes")
        capacityBytes = number("VolCapacityBytes")
        status = Bashed.decode(fields["VolStatus"] ?? "")
        slot = number("Slot")
        jobsMax = number("MaxVolJobs")
        filesMax = number("MaxVolFiles")
        inChanger = number("InChanger")
        readTime = number("VolReadTime")
        writeTime = number("VolWriteTime")
        endFile = number("EndFile")
        endBlock = number("EndBlock")
        type = number("VolType")
        labelType = number("LabelType")
        mediaID = number("MediaId")
        enabled = fields["Enabled"].flatMap { Int32($0) } ?? 1
        recycle = number("Recycle")
    }

    /// The UpdateMedia request.
    func update(jobID: UInt32, relabel: Bool, endTime: Int64) -> String {
        "CatReq JobId=\(jobID) UpdateMedia VolName=\(Bashed.encode(name)) VolJobs=\(jobs) VolFiles=\(files) VolBlocks=\(blocks)"
            + " VolBytes=\(bytes) VolABytes=0 VolHoleBytes=0 VolHoles=0 VolMounts=\(mounts) VolErrors=\(errors) VolWrites=\(writes)"
            + " MaxVolBytes=\(bytesMax) EndTime=\(endTime) VolStatus=\(Bashed.encode(status)) Slot=\(slot) relabel=\(relabel ? 1 : 0)"
            + " InChanger=\(inChanger) VolReadTime=\(readTime) VolWriteTime=\(writeTime) VolFirstWritten=\(firstWritten)"
            + " VolType=\(type) VolParts=0 VolCloudParts=0 LastPartBytes=0 Enabled=\(enabled) Recycle=\(recycle)\n"
    }
}

/// Which files of a job lie in which range of a volume: one CreateJobMedia record.
struct JobMediaRange: Hashable, Sendable {
    var mediaID: UInt64
    var firstIndex: UInt32
    var lastIndex: UInt32
    /// Address of the range's first block.
    var start: UInt64
    /// Disk: address of the last byte. Tape: address of the last block.
    var end: UInt64

    var line: String {
        "\(firstIndex) \(lastIndex) \(start >> 32) \(end >> 32) \(start & 0xFFFF_FFFF) \(end & 0xFFFF_FFFF) \(mediaID)\n"
    }
}
