// `appliance volume list`: labels, jobs and files.

import ArgumentParser
import Modules
import Platform
import VolumeTools
import Volumes

struct VolumeListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show what volumes hold: labels, jobs and files.",
        discussion: """
            Labels, jobs and files go to standard output, damage to standard error.

              appliance volume list --jobs /srv/volumes
              appliance volume list --long --job 42 /srv/volumes/Full-0001 /srv/volumes/Full-0002

            Exit statuses: 0 done, 1 failed, 2 usage, 3 something was damaged or missing.
            """)

    @Argument(help: "Files, or a directory and names in it, or names on --device.", completion: .file()) var volumes: [String] = []
    @OptionGroup var location: VolumeLocation
    @Flag(name: .shortAndLong, help: "Files as `ls -l` shows them.") var long = false
    @Flag(name: .shortAndLong, help: "Labels and jobs only, no files.") var jobs = false
    @Option(name: .customLong("job"), parsing: .singleValue, help: "Only this JobId. Repeatable.") var jobIDs: [UInt32] = []
    @Flag(help: "One JSON object per line.") var json = false

    func run() throws {
        let sources = try location.sources(volumes)
        let wanted = Set(jobIDs)
        try runVolumeTool(json: json) { () throws(VolumeToolError) in
            var output = OutputLines()
            defer { output.flush() }
            var scan = VolumeScan(sources)
            try scan.run { event throws(VolumeToolError) in
                show(event, wanted, &output)
            } record: { record, job, bytes throws(VolumeToolError) in
                guard !jobs, StreamNumber(masking: record.stream) == .attributes else { return }
                if !wanted.isEmpty, !wanted.contains(job?.jobID ?? 0) { return }
                guard let file = AttributeRecord(decoding: bytes) else { return }
                output.add(json ? Self.json(file, record, job) : long ? FileListing.line(file) : FileListing.printable(file.name))
            }
            return scan.problems
        }
    }

    private func show(_ event: VolumeScan.Event, _ wanted: Set<UInt32>, _ output: inout OutputLines) {
        switch event {
        case .volume(let name, let label): output.add(json ? Self.json(name, label) : Self.text(name, label))
        case .start(let session, let label):
            if wanted.isEmpty || wanted.contains(label.jobID) {
                output.add(json ? Self.json(session, label) : Self.text(session, label))
            }
        case .end(let session, let label):
            if wanted.isEmpty || wanted.contains(label.jobID) {
                output.add(json ? Self.json(session, label) : Self.text(session, label))
            }
        case .problem(let problem):
            if json {
                let object: JSON = [
                    "type": "problem", "volume": .string(problem.volume),
                    "address": .integer(Int64(clamping: problem.address.rawValue)),
                    "message": .string(problem.description),
                ]
                output.add(object.text)
            } else {
                output.flush()
                StandardStream.error.line(problem.description)
            }
        }
    }

    private static func text(_ name: String, _ label: VolumeLabel) -> String {
        let kind = label.isInUse ? "" : ", never written"
        let other = label.volumeName == name ? "" : " in file \(name)"
        return "Volume \(label.volumeName)\(other): pool \(label.pool), media type \(label.mediaType), labelled "
            + "\(label.labelTime.localText) by \(label.program) on \(label.host)\(kind)"
    }

    private static func text(_ session: SessionIdentity, _ label: SessionLabel) -> String {
        guard let end = label.end else {
            return
                "Job \(label.jobID) \(label.job): client \(label.client), fileset \(label.fileSet), level \(letter(label.level)), "
                + "began \(label.time.localText), session \(session)"
        }
        return
            "End of job \(label.jobID): \(end.files) files, \(end.bytes) bytes, \(end.errors) errors, status \(letter(end.status)), "
            + "\(label.time.localText)"
    }

    private static func letter(_ byte: UInt8) -> String { byte > 32 && byte < 127 ? String(UnicodeScalar(byte)) : "?" }

    private static func json(_ name: String, _ label: VolumeLabel) -> String {
        let object: JSON = [
            "type": "volume", "file": .string(name), "volume": .string(label.volumeName), "inUse": .bool(label.isInUse),
            "pool": .string(label.pool), "poolType": .string(label.poolType), "mediaType": .string(label.mediaType),
            "host": .string(label.host), "program": .string(label.program), "labelled": .string(label.labelTime.utcText),
            "written": .string(label.writeTime.utcText),
        ]
        return object.text
    }

    private static func json(_ session: SessionIdentity, _ label: SessionLabel) -> String {
        var members: [JSON.Member] = [
            .init("type", .string(label.end == nil ? "jobStart" : "jobEnd")), .init("jobId", .integer(Int64(label.jobID))),
            .init("job", .string(label.job)), .init("jobName", .string(label.jobName)), .init("client", .string(label.client)),
            .init("fileSet", .string(label.fileSet)), .init("jobType", .string(letter(label.type))),
            .init("level", .string(letter(label.level))), .init("pool", .string(label.pool)),
            .init("sessionId", .integer(Int64(session.id))), .init("sessionTime", .integer(Int64(session.time))),
            .init("time", .string(label.time.utcText)),
        ]
        if let end = label.end {
            members += [
                .init("files", .integer(Int64(end.files))), .init("bytes", .integer(Int64(clamping: end.bytes))),
                .init("errors", .integer(Int64(end.errors))), .init("status", .string(letter(end.status))),
            ]
        }
        return JSON.object(members).text
    }

    private static func json(_ file: AttributeRecord, _ record: VolumeRecord, _ job: SessionLabel?) -> String {
        var members: [JSON.Member] = [
            .init("type", "file"), .init("jobId", job.map { .integer(Int64($0.jobID)) } ?? .null),
            .init("fileIndex", .integer(Int64(file.fileIndex))), .init("fileType", .integer(Int64(file.type.rawValue))),
            .init("name", .string(FileListing.printable(file.name))), .init("mode", .integer(file.status.mode)),
            .init("links", .integer(file.status.links)), .init("user", .integer(file.status.user)),
            .init("group", .integer(file.status.group)), .init("size", .integer(file.status.size)),
            .init("modified", .integer(file.status.modifyTime)),
        ]
        if !file.link.isEmpty { members.append(.init("link", .string(FileListing.printable(file.link)))) }
        return JSON.object(members).text
    }
}
