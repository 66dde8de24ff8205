// Reading one file: contents into packets, digest, access control lists and extended attributes.

import Platform
import Volumes

/// What reading a file gave, beside its packets.
struct FileResult: Sendable {
    enum Outcome: Sendable {
        /// To be saved.
        case ready
        /// Can't be saved; a message has said why.
        case failed
        /// Accurate mode: its digest is the one that is saved already.
        case unchanged
    }
    var outcome = Outcome.ready
    var metadata: FileMetadata
    var type: AttributeRecord.FileType
    /// Stream number of the contents; 0 when there are none.
    var dataStream: Int32 = 0
    /// Packets in the buffer that came with the result.
    var packets = 0..<0
    var bytesRead: Int64 = 0
    var digest: [UInt8] = []
    var linkTarget: [UInt8] = []
    /// Data of streams 1008, 1007 and 1998; empty: none.
    var accessACL: [UInt8] = []
    var defaultACL: [UInt8] = []
    var extendedAttributes: [UInt8] = []
}

/// What a reader passes on, in this order for each file: `.whole`, or `.begin`, any number of `.data`, and `.end`.
enum ReadPiece: Sendable {
    /// Complete files with all their packets in one buffer (nil when none of them has any).
    case whole([(WalkedItem, FileResult)], PacketBuffer?)
    /// A file too large for that begins.
    case begin(WalkedItem, FileResult)
    /// More packets of it.
    case data(PacketBuffer)
    /// It is complete: digest and attributes are final, packets have all been sent.
    case end(FileResult)
}

/// Reads files one after the other for a pipeline, on one thread.
///
/// Not Sendable on purpose: each reader thread makes its own, with its own digest and compression contexts.
final class FileReader {
    /// What the reader needs from around it.
    struct Surroundings: Sendable {
        /// Only digests are wanted, no packets: verify jobs.
        var digestsOnly = false
        /// Gives an empty buffer, after waiting for one; nil: the job is over, stop.
        var buffer: @Sendable () -> PacketBuffer?
        var emit: @Sendable (ReadPiece) -> Void
        var report: @Sendable (JobMessage) -> Void
        var isCancelled: @Sendable () -> Bool
    }

    /// Bytes of a plain data packet, and of a sparse one without its offset (bacula-wire 5.5).
    private static let packetBytes = 65_536
    private static let sparsePacketBytes = 65_528
    /// Files up to here are passed on whole, several to a buffer.
    static let wholeBytesMax: Int64 = 512 << 10

    private let surroundings: Surroundings
    /// Called after every piece where the reader's own thread has to send it, too.
    var drain: (() -> Void)?
    private let compressor = PacketCompressor()
    private var digest: Digest?
    /// Raw bytes of a packet that will be compressed; never holds an ended packet.
    private let scratch = PacketBuffer()
    private var buffer: PacketBuffer?
    private var pending: [(WalkedItem, FileResult)] = []
    /// Devices whose file system keeps no extended attributes: said once, then not asked again.
    private var devicesWithoutAttributes: Set<UInt64> = []

    init(_ surroundings: Surroundings) { self.surroundings = surroundings }

    /// Reads `items` in order and emits everything about them.
    func read(_ items: [WalkedItem]) {
        for item in items {
            if surroundings.isCancelled() { break }
            read(item)
        }
        flush()
    }

    private func flush() {
        guard !pending.isEmpty else { return }
        if let full = buffer, full.packets > 0 {
            emit(.whole(pending, full))
            buffer = nil
        } else {
            emit(.whole(pending, nil))
        }
        pending.removeAll(keepingCapacity: true)
    }

    private func emit(_ piece: ReadPiece) {
        surroundings.emit(piece)
        drain?()
    }

    private func fail(_ result: inout FileResult, _ message: JobMessage) {
        surroundings.report(message)
        result.outcome = .failed
    }

    private func read(_ item: WalkedItem) {
        var result = FileResult(metadata: item.metadata, type: item.type)
        switch item.type {
        case _ where item.group != nil && !item.leadsGroup: break
        case .file: return readRegular(item, &result)
        case .fifo, .blockDevice: return readStream(item, &result)
        case .symbolicLink:
            do throws(Errno) {
                result.linkTarget = try item.parent.linkTarget(item.name)
            } catch {
                fail(&result, JobMessage(.notSaved, "     Could not read link \(printable(item.path)): ERR=\(error.text)"))
            }
        default: break
        }
        if result.outcome == .ready { readAttributes(item, &result) }
        pending.append((item, result))
    }

    // MARK: - Contents

    private func readRegular(_ item: WalkedItem, _ result: inout FileResult) {
        let options = item.options.values
        do throws(Errno) {
            let file = try item.parent.fileForReading(item.name, keepingAccessTime: options.keepsAccessTime)
            let metadata = try file.metadata()
            guard metadata.kind == .regular else {
                fail(
                    &result,
                    JobMessage(
                        .notSaved, "     \(printable(item.path)) was replaced by something else while the job ran; it is not saved."
                    ))
                pending.append((item, result))
                return
            }
            result.metadata = metadata
            result.type = metadata.size == 0 ? .emptyFile : .file
            if let previous = item.previousDigest, let algorithm = options.digest, metadata.size > 0 {
                prepareDigest(algorithm)
                try digestContents(file, metadata.size, &result)
                if DigestText.encode(result.digest) == previous {
                    result.outcome = .unchanged
                    pending.append((item, result))
                    return
                }
                result.digest = []
            }
            if let algorithm = options.digest { prepareDigest(algorithm) } else { digest = nil }
            if surroundings.digestsOnly {
                if digest != nil { try digestContents(file, metadata.size, &result) }
                pending.append((item, result))
                return
            }
            result.dataStream = item.options.dataStream(sparse: options.findsHoles)
            if metadata.size > Self.wholeBytesMax {
                flush()
                emit(.begin(item, result))
                do throws(Errno) {
                    try file.adviseIfLarge(metadata.size)
                    try readContents(file, item, &result, streaming: true)
                } catch {
                    // What was read is saved; restoring says that it is short.
                    surroundings.report(JobMessage(.error, "Read error on file \(printable(item.path)): ERR=\(error.text)"))
                }
                if let last = buffer, last.packets > 0 {
                    emit(.data(last))
                    buffer = nil
                }
                result.digest = digest?.finish() ?? []
                checkForChanges(file, item, result)
                readAttributes(item, &result)
                emit(.end(result))
                return
            }
            // Room for all packets, and what compression may add to each.
            let room = Int(metadata.size) + (Int(metadata.size) / Self.sparsePacketBytes + 2) * 1024
            guard let buffer = bufferWithRoom(room) else { return }
            let first = buffer.packets
            do throws(Errno) {
                try readContents(file, item, &result, streaming: false)
            } catch {
                buffer.rewind(toPackets: first)
                throw error
            }
            result.packets = first..<buffer.packets
            result.digest = digest?.finish() ?? []
            checkForChanges(file, item, result)
        } catch {
            fail(&result, JobMessage(.notSaved, "     Cannot open \(printable(item.path)): ERR=\(error.text)."))
        }
        if result.outcome == .ready { readAttributes(item, &result) }
        pending.append((item, result))
    }

    private func bufferWithRoom(_ room: Int) -> PacketBuffer? {
        if let buffer, buffer.free >= room { return buffer }
        flush()
        if buffer == nil { buffer = surroundings.buffer() }
        return buffer
    }

    /// The current buffer, or, when it can't take another packet, the next one.
    private func streamingBuffer() -> PacketBuffer? {
        if let buffer, buffer.free >= Self.packetBytes + 16 { return buffer }
        if let full = buffer { emit(.data(full)) }
        buffer = surroundings.buffer()
        return buffer
    }

    /// Reads up to the size that fstat(2) gave, so that a file that grows for ever comes to an end.
    private func readContents(_ file: borrowing FileDescriptor, _ item: WalkedItem, _ result: inout FileResult, streaming: Bool)
        throws(Errno)
    {
        let sparse = item.options.values.findsHoles
        let size = result.metadata.size
        let usesHoleMap = sparse && result.metadata.blocks * 512 < size
        var position: Int64 = 0
        var dataEnd: Int64 = usesHoleMap ? 0 : size
        while position < size {
            if usesHoleMap, position >= dataEnd {
                let data = try file.nextData(from: position).map { min($0, size) } ?? size
                hashZeros(data - position)
                result.bytesRead += data - position
                position = data
                if position == size {
                    // A hole at the end: its last byte gives the restored file its size.
                    guard let buffer = streaming ? streamingBuffer() : buffer else { return }
                    putPacket(buffer, 1, at: size - 1, item, zeros: true)
                    break
                }
                dataEnd = min(try file.nextHole(from: position), size)
            }
            guard let buffer = streaming ? streamingBuffer() : buffer else { return }
            if surroundings.isCancelled() { return }
            let isLast: Bool
            let want = Int(min(Int64(sparse ? Self.sparsePacketBytes : Self.packetBytes), dataEnd - position))
            isLast = position + Int64(want) == size
            let got = try readPacket(file, into: buffer, item, want: want, at: position, lookingBeyond: isLast)
            if got == 0 {
                surroundings.report(
                    JobMessage(.warning, "\(printable(item.path)) shrank from \(size) to \(position) bytes while it was read."))
                break
            }
            let count = min(got, want)
            if got > want {
                surroundings.report(
                    JobMessage(.info, "\(printable(item.path)) grew while it was read; its first \(size) bytes are saved."))
            }
            result.bytesRead += Int64(count)
            putPacket(buffer, count, at: position, item, maySkip: sparse && position + Int64(count) < size)
            position += Int64(count)
        }
    }

    /// Fills one packet's raw bytes: into the buffer itself where they stay as they are, else into `scratch`.
    private func readPacket(
        _ file: borrowing FileDescriptor, into buffer: PacketBuffer, _ item: WalkedItem, want: Int, at position: Int64,
        lookingBeyond: Bool
    ) throws(Errno) -> Int {
        // One byte more than wanted tells in the same call whether the file has grown.
        let ask = lookingBeyond ? want + 1 : want
        let direct = item.options.values.compression == .none
        let target = direct ? buffer : scratch
        let offset = direct && item.options.values.findsHoles ? 8 : 0
        var got = 0
        while got < ask {
            let count = try target.withFreeSpace(after: offset + got, count: ask - got) { span throws(Errno) in
                try file.read(into: &span, at: position + Int64(got))
            }
            got += count
            if count == 0 || got >= want { break }
        }
        return got
    }

    /// Hashes the packet's raw bytes and, unless they are skipped as zeros, ends the packet.
    private func putPacket(
        _ buffer: PacketBuffer, _ count: Int, at position: Int64, _ item: WalkedItem, maySkip: Bool = false, zeros: Bool = false
    ) {
        let compression = item.options.values.compression
        let offset = item.options.values.findsHoles ? 8 : 0
        let source = compression == .none ? buffer : scratch
        let start = compression == .none ? offset : 0
        if zeros { source.withFreeSpace(after: start, count: 1) { $0[0] = 0 } }
        var skip = false
        source.withFresh(after: start, count: count) { bytes in
            // A hole's bytes were hashed when it was passed.
            if !zeros { digest?.update(bytes) }
            skip = maySkip && holdsOnlyZeros(bytes)
        }
        if skip { return }
        if offset == 8 {
            buffer.withFreeSpace(count: 8) { span in
                for index in 0..<8 {
                    span[index] = UInt8(truncatingIfNeeded: UInt64(bitPattern: position) >> UInt64(56 - 8 * index))
                }
            }
        }
        if compression == .none { return buffer.endPacket(offset + count) }
        let written = buffer.withFreeSpace(after: offset, count: PacketCompressor.bound(count)) { span in
            scratch.withFresh(count: count) { compressor.compress($0, compression, into: &span) }
        }
        buffer.endPacket(offset + written)
    }

    private static let zeros = [UInt8](repeating: 0, count: 64 << 10)

    private func hashZeros(_ count: Int64) {
        guard digest != nil else { return }
        var rest = count
        while rest > 0, !surroundings.isCancelled() {
            let step = Int(min(rest, Int64(Self.zeros.count)))
            digest?.update(Self.zeros.span.extracting(0..<step))
            rest -= Int64(step)
        }
    }

    private func prepareDigest(_ algorithm: DigestAlgorithm) {
        if digest?.algorithm == algorithm { _ = digest?.finish() } else { digest = Digest(algorithm) }
    }

    /// Only the digest of the first `size` bytes.
    private func digestContents(_ file: borrowing FileDescriptor, _ size: Int64, _ result: inout FileResult) throws(Errno) {
        var position: Int64 = 0
        while position < size, !surroundings.isCancelled() {
            let want = Int(min(Int64(Self.packetBytes), size - position))
            let got = try scratch.withFreeSpace(count: want) { span throws(Errno) in try file.read(into: &span, at: position) }
            if got == 0 { break }
            scratch.withFresh(count: got) { digest?.update($0) }
            position += Int64(got)
        }
        result.bytesRead += position
        result.digest = digest?.finish() ?? []
    }

    private func checkForChanges(_ file: borrowing FileDescriptor, _ item: WalkedItem, _ result: FileResult) {
        guard item.options.values.checksChanges, let now = try? file.metadata() else { return }
        let then = result.metadata
        if now.modifyTime != then.modifyTime {
            surroundings.report(JobMessage(.error, "\(printable(item.path)) mtime changed during backup."))
        } else if now.size != then.size {
            surroundings.report(JobMessage(.error, "\(printable(item.path)) size changed during backup."))
        } else if now.changeTime != then.changeTime {
            surroundings.report(JobMessage(.warning, "\(printable(item.path)) ctime changed during backup."))
        }
    }

    /// A FIFO or raw device: what comes until its end.
    private func readStream(_ item: WalkedItem, _ result: inout FileResult) {
        flush()
        if let algorithm = item.options.values.digest { prepareDigest(algorithm) } else { digest = nil }
        var options = item.options.values
        options.findsHoles = false
        var item = item
        item.options = FileOptions(options)
        result.dataStream = item.options.dataStream(sparse: false)
        do throws(Errno) {
            let file = try item.parent.fileForReading(item.name)
            // A FIFO that nobody writes to must not hold the job for ever.
            guard item.type != .fifo || waitForWriter(file) else {
                fail(
                    &result,
                    JobMessage(.notSaved, "     Nobody wrote to the FIFO \(printable(item.path)) for a minute; it is not saved."))
                pending.append((item, result))
                return
            }
            emit(.begin(item, result))
            var position: Int64 = 0
            reading: while !surroundings.isCancelled(), let buffer = streamingBuffer() {
                if item.type == .fifo {
                    while !file.waitUntilReadable(atMost: .milliseconds(500)) { if surroundings.isCancelled() { break reading } }
                }
                let target = options.compression == .none ? buffer : scratch
                let got = try target.withFreeSpace(count: Self.packetBytes) { span throws(Errno) in try file.read(into: &span) }
                if got == 0 { break }
                putPacket(buffer, got, at: position, item)
                position += Int64(got)
            }
            result.bytesRead = position
        } catch {
            surroundings.report(JobMessage(.error, "Read error on \(printable(item.path)): ERR=\(error.text)"))
        }
        if let last = buffer, last.packets > 0 {
            emit(.data(last))
            buffer = nil
        }
        result.digest = digest?.finish() ?? []
        emit(.end(result))
    }

    private func waitForWriter(_ file: borrowing FileDescriptor) -> Bool {
        for _ in 0..<120 {
            if file.waitUntilReadable(atMost: .milliseconds(500)) { return true }
            if surroundings.isCancelled() { return false }
        }
        return false
    }

    // MARK: - Attributes beyond stat

    private func readAttributes(_ item: WalkedItem, _ result: inout FileResult) {
        let options = item.options.values
        guard options.savesACLs || options.savesExtendedAttributes, !devicesWithoutAttributes.contains(item.metadata.device) else {
            return
        }
        let attributes = ExtendedAttributes(of: item.name, in: item.parent)
        do throws(Errno) {
            var records: [XattrRecord] = []
            for name in try attributes.names() {
                let isACL = name == PosixACL.accessAttribute || name == PosixACL.defaultAttribute
                if options.savesACLs, isACL {
                    guard let value = try attributes.value(name), let list = PosixACL(attribute: value) else { continue }
                    // Three entries say no more than the permission bits; a default list always says something.
                    if name == PosixACL.accessAttribute {
                        if list.isExtended { result.accessACL = Array(list.text.utf8) + [0] }
                    } else {
                        result.defaultACL = Array(list.text.utf8) + [0]
                    }
                } else if options.savesExtendedAttributes, let value = try attributes.value(name) {
                    records.append(XattrRecord(name: name, value: value))
                }
            }
            result.extendedAttributes = XattrRecord.encode(records)
        } catch  where error == .unsupported {
            devicesWithoutAttributes.insert(item.metadata.device)
        } catch {
            // A vanished file has been reported already, or was saved before it vanished.
            if error != .noEntry {
                surroundings.report(
                    JobMessage(.warning, "Extended attributes of \(printable(item.path)) can't be read: ERR=\(error.text)"))
            }
        }
    }
}

extension FileDescriptor {
    /// Asks for deep read-ahead where it pays.
    fileprivate borrowing func adviseIfLarge(_ size: Int64) throws(Errno) { if size > 4 << 20 { adviseSequential() } }
}

/// Digests as the catalog has them: standard base64 without padding.
enum DigestText {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 4 / 3 + 2)
        var register: UInt32 = 0
        var bits = 0
        for byte in bytes {
            register = register << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[Int(register >> UInt32(bits)) & 63])
            }
        }
        if bits > 0 { text.append(alphabet[Int(register << UInt32(6 - bits)) & 63]) }
        return String(decoding: text, as: UTF8.self)
    }
}
