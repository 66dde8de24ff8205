// The labels that this daemon writes, and reading the one in front of it.

import Modules
import Platform
import Volumes

/// A volume's label as found, with the length of the block that holds it.
struct FoundLabel: Sendable {
    var label: VolumeLabel
    var blockBytes: Int
}

/// What volume labels say about the writing program.
enum ProgramIdentity {
    static let version = "Appliance 0.1"
    static let date = "2026-11-21"
}

/// A volume's first block.
func volumeLabelBlock(
    isInUse: Bool, volume: String, pool: String, mediaType: String, daemonName: String, session: SessionIdentity,
    isChecksummed: Bool
) -> [UInt8] {
    let now = WallTime.now
    return VolumeLabel(
        volumeName: volume, isInUse: isInUse, pool: pool, mediaType: mediaType, host: HostName.current, program: daemonName,
        programVersion: ProgramIdentity.version, programDate: ProgramIdentity.date, labelTime: now, writeTime: now
    ).block(session: session, isChecksummed: isChecksummed)
}

/// Reads the label of the volume that `driver` has open, and leaves the head behind it.
func readVolumeLabel(_ driver: any VolumeDevice) throws(StorageError) -> FoundLabel {
    var block: [UInt8] = []
    let count: Int
    do throws(DeviceError) {
        try driver.rewind()
        count = try driver.readBlock(into: &block)
    } catch { throw StorageError(.wrongVolume, "Its label can't be read: \(error.what)") }
    do {
        return FoundLabel(label: try VolumeLabel(decodingBlock: block.span.extracting(0..<count)), blockBytes: count)
    } catch {
        throw StorageError(.wrongVolume, "Its first block is no volume label: \(error.what)", remedy: error.remedy)
    }
}

extension StorageJob {
    /// The label that begins or ends this job's session on volumes.
    func label(pool: String, end: SessionLabel.End? = nil) -> SessionLabel {
        SessionLabel(
            jobID: id, time: .now, pool: pool, poolType: "Backup", jobName: request.jobName, client: request.clientName,
            job: request.name, fileSet: request.fileSet, type: request.type, level: request.level,
            fileSetDigest: request.fileSetMD5, end: end)
    }
}
