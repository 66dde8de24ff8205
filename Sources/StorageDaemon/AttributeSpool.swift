// Attribute records on their way to the catalog, kept until the volume durably holds the files they describe.
//
// The receiving thread appends records; the writing thread says up to which offset the files are on the medium
// (`commit`); a task of its own sends the committed ones to the director, pipelined, as fast as it takes them. So a slow
// catalog never holds up the data, and memory is bounded: what has not been sent lies in a nameless file.
//
// An entry: i32 FileIndex, i32 stream, u32 length, the record, big-endian.

import Platform
import Wire

/// The attributes of one job.
final class AttributeSpool: Sendable {
    private struct State: ~Copyable {
        var file: OpenFile?
        /// The newest entries, not yet in the file.
        var tail: [UInt8] = []
        /// Offset of the tail's first byte; everything before is in the file.
        var tailStart: UInt64 = 0
        var committed: UInt64 = 0
        var sent: UInt64 = 0
        var isComplete = false
        var isAbandoned = false
    }
    /// `Monitor` holds copyable state, so the file is behind this box, touched with the monitor's lock held only.
    private final class Box {
        var state = State()
    }
    private let monitor = Monitor(Box())
    private let workingDirectory: String
    /// Entries move to the file in pieces of this size, and are sent in batches of it.
    private static let tailBytesMax = 256 << 10
    private static let headerBytes = 12

    init(workingDirectory: String) {
        self.workingDirectory = workingDirectory
    }

    /// Bytes appended so far: the offset to commit once what was received until now is on the medium.
    var end: UInt64 { monitor.read { $0.state.tailStart + UInt64($0.state.tail.count) } }
    /// Bytes that wait: for the status text.
    var pending: UInt64 { monitor.read { $0.state.tailStart + UInt64($0.state.tail.count) - $0.state.sent } }
    /// Something is there that `commit` could free.
    var hasUncommitted: Bool {
        monitor.read { $0.state.tailStart + UInt64($0.state.tail.count) > $0.state.committed }
    }

    /// Appends one record and returns the new end.
    func append(fileIndex: Int32, stream: Int32, _ record: Span<UInt8>) throws(StorageError) -> UInt64 {
        do throws(SystemError) {
            return try monitor.withLock { box throws(SystemError) in
                Self.putBigEndian(UInt32(bitPattern: fileIndex), &box.state.tail)
                Self.putBigEndian(UInt32(bitPattern: stream), &box.state.tail)
                Self.putBigEndian(UInt32(record.count), &box.state.tail)
                for index in record.indices { box.state.tail.append(record[index]) }
                if box.state.tail.count >= Self.tailBytesMax {
                    if box.state.file == nil {
                        box.state.file = try OpenFile.scratch(in: workingDirectory, purpose: "attributes")
                    }
                    let tail = box.state.tail
                    try box.state.file?.write(tail.span, at: Int64(box.state.tailStart))
                    box.state.tailStart += UInt64(box.state.tail.count)
                    box.state.tail.removeAll(keepingCapacity: true)
                }
                return box.state.tailStart + UInt64(box.state.tail.count)
            }
        } catch { throw StorageError(error) }
    }

    /// Everything before `offset` describes files that the medium holds durably.
    func commit(upTo offset: UInt64) {
        monitor.withLock { $0.state.committed = max($0.state.committed, offset) }
    }

    /// Nothing more will be appended or committed: `sendAll` ends when the committed ones have gone.
    func complete() { monitor.withLock { $0.state.isComplete = true } }

    /// Nothing more shall be sent.
    func abandon() { monitor.withLock { $0.state.isAbandoned = true } }

    /// Sends committed entries until the spool is complete. Run by a task of its own.
    func sendAll(_ catalog: CatalogConversation) throws(StorageError) {
        var batch: [UInt8] = []
        var packet: [UInt8] = []
        let prefix = Array("UpdCat JobId=\(catalog.job.id) FileAttributes ".utf8)
        while true {
            do throws(SystemError) {
                guard try nextBatch(&batch) else { return }
            } catch { throw StorageError(error) }
            var sent = 0
            do throws(WireError) {
                try catalog.link.withTurn { () throws(WireError) in
                    while let length = Self.entryBytes(batch, at: sent) {
                        packet.removeAll(keepingCapacity: true)
                        packet += prefix
                        Self.putBigEndian(catalog.job.sessionID, &packet)
                        Self.putBigEndian(catalog.job.sessionTime, &packet)
                        Self.putBigEndian(Self.get(batch, sent), &packet)
                        Self.putBigEndian(Self.get(batch, sent + 4), &packet)
                        Self.putBigEndian(Self.get(batch, sent + 8), &packet)
                        packet += batch[(sent + Self.headerBytes)..<(sent + length)]
                        try catalog.link.channel.send(packet.span)
                        sent += length
                    }
                    try catalog.link.channel.flush()
                }
            } catch { throw StorageError(director: error) }
            let done = UInt64(sent)
            monitor.withLock { $0.state.sent += done }
        }
    }

    /// Waits for committed entries and copies some, whole ones, into `batch`; false when none will come.
    private func nextBatch(_ batch: inout [UInt8]) throws(SystemError) -> Bool {
        var copy: [UInt8] = []
        swap(&copy, &batch)  // reuse its storage inside the closure
        copy.removeAll(keepingCapacity: true)
        let more: Bool? = try monitor.wait { box throws(SystemError) -> Bool? in
            if box.state.isAbandoned { return false }
            guard box.state.committed > box.state.sent else { return box.state.isComplete ? false : nil }
            if box.state.sent >= box.state.tailStart {
                let from = Int(box.state.sent - box.state.tailStart)
                let until = Int(box.state.committed - box.state.tailStart)
                copy += box.state.tail[from..<until]
                return true
            }
            let inFile = Int(min(box.state.committed, box.state.tailStart) - box.state.sent)
            var count = min(inFile, Self.tailBytesMax)
            while true {
                copy = [UInt8](repeating: 0, count: count)
                var window = copy.mutableSpan
                // A regular file gives all that is asked for, and this much was written.
                let got = try box.state.file?.read(into: &window, at: Int64(box.state.sent)) ?? 0
                guard got == count else { throw SystemError("pread", "the attribute spool", errno: 5) }
                // At least one whole entry; an entry is at most a packet long.
                if Self.entryBytes(copy, at: 0) != nil || count == inFile { return true }
                count = inFile
            }
        }
        batch = copy
        return more ?? false
    }

    /// Length of the entry at `offset` with its header, or nil when it is not whole.
    private static func entryBytes(_ bytes: [UInt8], at offset: Int) -> Int? {
        guard offset + headerBytes <= bytes.count else { return nil }
        let length = headerBytes + Int(get(bytes, offset + 8))
        return offset + length <= bytes.count ? length : nil
    }

    private static func get(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        UInt32(bytes[offset]) << 24 | UInt32(bytes[offset + 1]) << 16 | UInt32(bytes[offset + 2]) << 8 | UInt32(bytes[offset + 3])
    }
    private static func putBigEndian(_ number: UInt32, _ bytes: inout [UInt8]) {
        bytes.append(UInt8(truncatingIfNeeded: number >> 24))
        bytes.append(UInt8(truncatingIfNeeded: number >> 16))
        bytes.append(UInt8(truncatingIfNeeded: number >> 8))
        bytes.append(UInt8(truncatingIfNeeded: number))
    }
}
