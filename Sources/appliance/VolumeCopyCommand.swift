// `appliance volume copy` and `appliance volume label`: new volumes without a storage daemon.

import ArgumentParser
import DiskRepository
import Modules
import Platform
import VolumeTools
import Volumes

/// What a new volume's label says beside its name.
struct NewVolumeOptions: ParsableArguments {
    @Option(help: "Pool in the label.") var pool = "Default"
    @Option(help: "Media type in the label; a storage daemon mounts only its device's.") var mediaType = "File"

    func label(_ name: String, isInUse: Bool) -> VolumeLabel {
        VolumeLabel(
            volumeName: name, isInUse: isInUse, pool: pool, mediaType: mediaType, host: HostName.current,
            program: "appliance volume",
            programVersion: Appliance.version, programDate: "", labelTime: .now, writeTime: .now)
    }
}

struct VolumeCopyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copy jobs from volumes onto a new volume.",
        discussion: """
            Sessions and JobIds stay the same; blocks are filled and numbered anew.

              appliance volume copy --job 42 --onto /mnt/usb/Offsite-1 /srv/volumes Full-0001 Full-0002

            Exit statuses: 0 done, 1 failed, 2 usage, 3 something was damaged or missing.
            """)

    @Argument(help: "Files, or a directory and names in it, or names on --device.", completion: .file()) var volumes: [String] = []
    @OptionGroup var location: VolumeLocation
    @Option(help: "The new volume's file.", completion: .file()) var onto: String
    @OptionGroup var newVolume: NewVolumeOptions
    @Option(name: .customLong("job"), parsing: .singleValue, help: "Copy this JobId; all without. Repeatable.") var jobIDs:
        [UInt32] = []
    @Option(help: "Largest block in bytes, 256…20000000.") var blockSize = BlockHeader.defaultBlockBytes

    func validate() throws {
        guard (256...BlockHeader.blockBytesMax).contains(blockSize) else { throw ValidationError("--block-size is 256…20000000.") }
    }

    func run() throws {
        let sources = try location.sources(volumes)
        let target = VolumeLocation.source(path: onto)
        let wanted = Set(jobIDs)
        try runVolumeTool { () throws(VolumeToolError) in
            var copy = try VolumeCopy(
                onto: target.device, label: newVolume.label(target.volume, isInUse: true), blockBytesMax: blockSize)
            var scan = VolumeScan(sources)
            try scan.run { event throws(VolumeToolError) in
                switch event {
                case .volume: break
                case .start(let session, let label):
                    if wanted.isEmpty || wanted.contains(label.jobID) { try copy.begin(session, label) }
                case .end(let session, let label): try copy.end(session, label)
                case .problem(let problem): StandardStream.error.line(problem.description)
                }
            } record: { record, _, bytes throws(VolumeToolError) in
                try copy.append(record, bytes)
            }
            try copy.finish()
            StandardStream.output.line(
                "\(copy.jobs) jobs copied onto \(onto): \(copy.records) records, \(copy.bytes) bytes.")
            return scan.problems
        }
    }
}

struct VolumeLabelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "label", abstract: "Create an empty volume with a label.",
        discussion: """
            The volume must not exist or be empty. A director has to be told of it (`add` or `label` in the console).

              appliance volume label --pool Monthly --media-type File /srv/volumes/Monthly-0001

            Exit statuses: 0 done, 1 failed, 2 usage.
            """)

    @Argument(help: "The new volume's file, or its name on --device.", completion: .file()) var volume: String
    @OptionGroup var location: VolumeLocation
    @OptionGroup var newVolume: NewVolumeOptions

    func run() throws {
        let target =
            if let device = try location.configuredDevice() {
                VolumeSource(device: device, volume: volume)
            } else {
                VolumeLocation.source(path: volume)
            }
        try runVolumeTool { () throws(VolumeToolError) in
            try VolumeLabelling.label(target.device, newVolume.label(target.volume, isInUse: false))
            do throws(DeviceError) { try target.device.close() } catch { throw VolumeToolError(error) }
            StandardStream.output.line("Volume \(target.volume) labelled for pool \(newVolume.pool).")
            return 0
        }
    }
}
