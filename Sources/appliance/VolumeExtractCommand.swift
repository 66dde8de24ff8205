// `appliance volume extract`: files back from volumes, with nothing but this program.

import ArgumentParser
import FileDaemon
import Modules
import Platform
import VolumeTools
import Volumes

struct VolumeExtractCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract", abstract: "Restore files from volumes into a directory.",
        discussion: """
            Without a selection everything is restored, the jobs in the order of the volumes, so that a full and the
            incrementals after it give the last state (files that were deleted in between come back).

              appliance volume extract --into /tmp/back /srv/volumes Full-0001 Inc-0001
              appliance volume extract --bootstrap /var/lib/appliance/Nightly.bsr --into /tmp/back /srv/volumes

            Exit statuses: 0 done, 1 failed, 2 usage, 3 something was damaged, missing or could not be restored.
            """)

    @Argument(help: "Files, or a directory and names in it, or names on --device.", completion: .file()) var volumes: [String] = []
    @OptionGroup var location: VolumeLocation
    @Option(help: "The directory to restore into; created if missing.", completion: .directory) var into: String
    @Option(help: "Restore what this bootstrap asks for.", completion: .file()) var bootstrap: String?
    @Option(name: .customLong("job"), parsing: .singleValue, help: "Restore this JobId. Repeatable.") var jobIDs: [UInt32] = []
    @Option(help: "Restore only the paths in this file, one per line; a directory stands for all in it.", completion: .file())
    var fileList: String?
    @Option(help: "What to do about files that exist: always, ifnewer, ifolder, never.") var replace = "always"
    @Flag(help: "One JSON object per line: problems and the summary.") var json = false

    func run() throws {
        let policies: [String: ReplacePolicy] = ["always": .always, "ifnewer": .ifNewer, "ifolder": .ifOlder, "never": .never]
        guard let policy = policies[replace] else { throw ValidationError("--replace is always, ifnewer, ifolder or never.") }
        var options = RestoreOptions()
        options.root = Array(into.utf8)
        options.replace = policy
        let paths = try fileList.map { try PathSelection(listedIn: $0) }
        let json = json
        let restorer: FileRestorer
        let wantedUnits = try bootstrap.map { try Bootstrap(parsing: TextFile.read($0)) }
        do {
            restorer = try FileRestorer(options) { message in
                StandardStream.error.line(message.text)
            }
        } catch {
            StandardStream.error.line("\(error)")
            throw ExitStatus.failed.code
        }
        let reading: any VolumeReading =
            if let wantedUnits {
                BootstrapReading(bootstrap: wantedUnits, volumes: try bootstrapVolumes(wantedUnits))
            } else {
                ScanReading(sources: try location.sources(volumes), jobs: Set(jobIDs))
            }
        try runVolumeTool(json: json) { () throws(VolumeToolError) in
            var chosen = SelectedFiles(paths)
            let problems = try reading.run { record, bytes in
                guard chosen.takes(record, bytes) else { return }
                restorer.accept(
                    session: UInt64(record.session.time) << 32 | UInt64(record.session.id), fileIndex: record.fileIndex,
                    stream: record.stream, data: bytes)
            } problem: { problem in
                StandardStream.error.line(problem)
            }
            let summary = restorer.finish()
            if json {
                let object: JSON = [
                    "type": "summary", "files": .integer(Int64(summary.files)), "bytes": .integer(summary.bytes),
                    "skipped": .integer(Int64(summary.skipped)), "errors": .integer(Int64(summary.errors)),
                    "problems": .integer(Int64(problems)),
                ]
                StandardStream.output.line(object.text)
            } else {
                StandardStream.output.line(
                    "\(summary.files) files restored, \(summary.bytes) bytes, \(summary.skipped) skipped, \(summary.errors) errors."
                )
            }
            return problems + summary.errors + (paths.map { $0.unseen(by: chosen) } ?? 0)
        }
    }

    /// Where the bootstrap's volumes are: among those named, or in the directory named.
    private func bootstrapVolumes(_ bootstrap: Bootstrap) throws -> [String: VolumeSource] {
        let sources =
            if let device = try location.configuredDevice() {
                bootstrap.volumes.map { VolumeSource(device: device, volume: $0) }
            } else if volumes.count == 1, Directory.exists(volumes[0]) {
                try location.sources(volumes + bootstrap.volumes)
            } else {
                try location.sources(volumes)
            }
        return Dictionary(sources.map { ($0.volume, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

/// Two ways through volumes: everything in order, or what a bootstrap says.
private protocol VolumeReading {
    /// - Returns: How many problems there were.
    func run(
        _ deliver: (VolumeRecord, Span<UInt8>) -> Void, problem: (String) -> Void
    ) throws(VolumeToolError) -> Int
}

private struct ScanReading: VolumeReading {
    var sources: [VolumeSource]
    var jobs: Set<UInt32>

    func run(_ deliver: (VolumeRecord, Span<UInt8>) -> Void, problem: (String) -> Void) throws(VolumeToolError) -> Int {
        var scan = VolumeScan(sources)
        var seen: Set<UInt32> = []
        try scan.run { event throws(VolumeToolError) in
            switch event {
            case .problem(let found): problem(found.description)
            case .start(_, let label): seen.insert(label.jobID)
            default: break
            }
        } record: { record, job, bytes throws(VolumeToolError) in
            if jobs.isEmpty || jobs.contains(job?.jobID ?? 0) { deliver(record, bytes) }
        }
        for job in jobs.subtracting(seen).sorted() {
            throw VolumeToolError(
                .noSuchJob, "No job \(job) begins on these volumes.",
                remedy: "List them with `appliance volume list --jobs`; give the volume that the job began on first.")
        }
        return scan.problems
    }
}

private struct BootstrapReading: VolumeReading {
    var bootstrap: Bootstrap
    var volumes: [String: VolumeSource]

    func run(_ deliver: (VolumeRecord, Span<UInt8>) -> Void, problem: (String) -> Void) throws(VolumeToolError) -> Int {
        var reader = VolumeReader(bootstrap)
        var problems = 0
        try reader.read { volume, _ throws(VolumeToolError) in
            guard let source = volumes[volume] else {
                throw VolumeToolError(
                    .noSuchVolume, "The bootstrap asks for volume \"\(volume)\", which was not named.",
                    remedy: "Name it, or the directory that holds all volumes.")
            }
            try source.open()
            return source.device
        } deliver: { record, bytes throws(VolumeToolError) in
            deliver(record, bytes)
        } report: { found in
            problems += 1
            problem(found.description)
        }
        return problems
    }
}
