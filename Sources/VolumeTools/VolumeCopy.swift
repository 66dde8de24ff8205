// Copies chosen jobs from volumes onto a new one.
//
// Sessions keep their identity and their JobIds, so that the catalog's or a bootstrap's session numbers find them on the copy too.
// Blocks are filled anew and numbered from the start; the label at the end of a session gets the addresses that are true here.

package import Modules
package import Volumes

/// A new volume in the making.
package struct VolumeCopy: ~Copyable {
    private final class Session {
        var writer: BlockWriter
        var firstBlock: BlockAddress?
        var lastBlock = BlockAddress.start
        init(_ writer: consuming BlockWriter) { self.writer = writer }
    }

    private let device: any VolumeDevice
    private let blockBytesMax: Int
    private var sessions: [SessionIdentity: Session] = [:]
    package private(set) var jobs = 0
    package private(set) var records = 0
    package private(set) var bytes: UInt64 = 0

    /// Labels the volume that `label` names, which must not exist or be empty.
    package init(
        onto device: any VolumeDevice, label: VolumeLabel, blockBytesMax: Int = BlockHeader.defaultBlockBytes
    ) throws(VolumeToolError) {
        self.device = device
        self.blockBytesMax = blockBytesMax
        try VolumeLabelling.label(device, label)
    }

    /// Begins a session. Records of sessions that were not begun are dropped.
    package mutating func begin(_ identity: SessionIdentity, _ label: SessionLabel) throws(VolumeToolError) {
        let session = Session(BlockWriter(session: identity, blockBytesMax: blockBytesMax))
        sessions[identity] = session
        jobs += 1
        let sink = sink(for: session)
        try session.writer.appendLabel(.startOfSession, jobID: Int32(bitPattern: label.jobID), data: label.encoded.span, to: sink)
    }

    package mutating func append(_ record: VolumeRecord, _ data: Span<UInt8>) throws(VolumeToolError) {
        guard let session = sessions[record.session] else { return }
        try session.writer.append(fileIndex: record.fileIndex, stream: record.stream, data: data, to: sink(for: session))
        records += 1
        bytes += UInt64(data.count)
    }

    package mutating func end(_ identity: SessionIdentity, _ label: SessionLabel) throws(VolumeToolError) {
        guard let session = sessions.removeValue(forKey: identity) else { return }
        let sink = sink(for: session)
        try session.writer.flush(to: sink)
        var label = label
        label.end?.begin = session.firstBlock ?? .start
        label.end?.end = session.lastBlock
        try session.writer.appendLabel(.endOfSession, jobID: Int32(bitPattern: label.jobID), data: label.encoded.span, to: sink)
        try session.writer.flush(to: sink)
    }

    /// Syncs and closes the new volume. Sessions whose end was not read keep what was read of them.
    package mutating func finish() throws(VolumeToolError) {
        for session in sessions.values { try session.writer.flush(to: sink(for: session)) }
        sessions = [:]
        do throws(DeviceError) {
            try device.sync()
            try device.close()
        } catch {
            throw VolumeToolError(error)
        }
    }

    private func sink(for session: Session) -> (FinishedBlock, Span<UInt8>) throws(VolumeToolError) -> Void {
        let device = device
        return { _, bytes throws(VolumeToolError) in
            do throws(DeviceError) {
                let address = try device.writeBlock(bytes)
                if session.firstBlock == nil { session.firstBlock = address }
                session.lastBlock = address
            } catch {
                throw VolumeToolError(error)
            }
        }
    }
}

/// Giving a volume its label without a storage daemon.
package enum VolumeLabelling {
    /// Creates the volume that `label` names and writes the label; leaves it open for append behind it.
    /// - Throws: `.volumeInUse` where the volume exists and holds anything.
    package static func label(_ device: any VolumeDevice, _ label: VolumeLabel) throws(VolumeToolError) {
        do throws(DeviceError) {
            try device.open(volume: label.volumeName, for: .append, create: true)
            guard try device.volumeBytes() == 0 else {
                try device.close()
                throw DeviceError(.unsupported, "")
            }
            // Session 0/0: nobody's. The first job that a storage daemon writes puts its own label in this one's place.
            let block = label.block(session: SessionIdentity(id: 0, time: UInt32(truncatingIfNeeded: label.writeTime.seconds)))
            try device.writeLabel(block.span)
        } catch {
            if error.kind == .unsupported {
                throw VolumeToolError(
                    .volumeInUse, "Volume \"\(label.volumeName)\" on device \(device.description) exists and is not empty.",
                    remedy: "Choose another name, or remove the file if nothing on it is needed.")
            }
            throw VolumeToolError(error)
        }
    }
}
