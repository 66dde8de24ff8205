// Saved files on their way to the storage daemon: attribute records, packets, digests, in the framing of bacula-wire 5.2.

import Platform
import Volumes
import Wire

/// Where streams go: a storage daemon, or, in tests and measurements, somewhere without a network.
protocol StreamSink: AnyObject {
    func send(_ payload: Span<UInt8>) throws(WireError)
    func send(_ signal: Signal) throws(WireError)
}

extension MessageChannel: StreamSink {}

/// Numbers the files and sends their streams. For one thread.
final class StreamSender {
    private let channel: any StreamSink
    private let progress: JobProgress
    private let bandwidth: BandwidthLimit
    /// Reads what has to be read after all: a link whose first name wasn't saved.
    private let makeReader: (@escaping @Sendable (ReadPiece) -> Void) -> FileReader
    private let recycle: (PacketBuffer) -> Void
    private(set) var fileIndex: Int32
    /// The large file whose packets are coming.
    private var open: WalkedItem?
    /// Pieces come from this thread's own reader, whose buffers the pipeline doesn't know.
    private var isReadingInstead = false

    init(
        _ channel: any StreamSink, _ progress: JobProgress, _ bandwidth: BandwidthLimit, firstIndex: Int32,
        makeReader: @escaping (@escaping @Sendable (ReadPiece) -> Void) -> FileReader, recycle: @escaping (PacketBuffer) -> Void
    ) {
        self.channel = channel
        self.progress = progress
        self.bandwidth = bandwidth
        self.makeReader = makeReader
        self.recycle = recycle
        fileIndex = firstIndex
    }

    func send(_ piece: ReadPiece) throws(WireError) {
        switch piece {
        case .whole(let files, let buffer):
            for (item, result) in files { try sendWhole(item, result, buffer) }
            if let buffer, !isReadingInstead { recycle(buffer) }
        case .begin(let item, let result):
            open = item
            try begin(item, result)
            try header(result.dataStream, result.metadata.size)
        case .data(let buffer):
            try sendPackets(buffer, 0..<buffer.packets)
            if !isReadingInstead { recycle(buffer) }
        case .end(let result):
            guard let item = open else { preconditionFailure("a file ends that never began") }
            open = nil
            try channel.send(.endOfData)
            try end(item, result)
        }
    }

    private func sendWhole(_ item: WalkedItem, _ result: FileResult, _ buffer: PacketBuffer?) throws(WireError) {
        guard result.outcome == .ready else { return }
        if let group = item.group, !item.leadsGroup {
            if group.fileIndex > 0 { return try sendLink(item, result, group) }
            return try sendInstead(item)
        }
        try begin(item, result)
        if !result.packets.isEmpty, let buffer {
            try header(result.dataStream, result.metadata.size)
            try sendPackets(buffer, result.packets)
            try channel.send(.endOfData)
        }
        try end(item, result)
    }

    /// Numbers the file and sends its attribute record.
    private func begin(_ item: WalkedItem, _ result: FileResult, link: [UInt8]? = nil, linkFileIndex: Int32 = 0) throws(WireError) {
        fileIndex += 1
        progress.current.withLock { $0 = item.path }
        var status = FileStatus(result.metadata)
        status.linkFileIndex = Int64(linkFileIndex)
        status.dataStream = Int64(
            result.dataStream != 0 ? result.dataStream : item.options.dataStream(sparse: item.options.values.findsHoles))
        let name = item.savedName
        let record = AttributeRecord(
            fileIndex: fileIndex, type: result.type, name: name, status: status, link: link ?? result.linkTarget,
            nanoseconds: AttributeRecord.Nanoseconds(result.metadata))
        try stream(StreamNumber.attributes.rawValue, record.encoded)
        if let group = item.group, link == nil {
            group.fileIndex = fileIndex
            group.name = name
        }
    }

    /// What follows the contents: lists, attributes, digest.
    private func end(_ item: WalkedItem, _ result: FileResult) throws(WireError) {
        if !result.accessACL.isEmpty { try stream(StreamNumber.aclAccess.rawValue, result.accessACL) }
        if !result.defaultACL.isEmpty { try stream(StreamNumber.aclDefault.rawValue, result.defaultACL) }
        if !result.extendedAttributes.isEmpty { try stream(StreamNumber.xattr.rawValue, result.extendedAttributes) }
        var digest = result.digest
        if let group = item.group {
            if result.type == .hardLink { digest = group.digest } else { group.digest = digest }
        }
        if !digest.isEmpty, let algorithm = item.options.values.digest, digest.count == algorithm.byteCount {
            try stream(algorithm.stream.rawValue, digest)
        }
        progress.files.add(1, ordering: .relaxed)
        progress.readBytes.add(result.bytesRead, ordering: .relaxed)
    }

    private func sendLink(_ item: WalkedItem, _ result: FileResult, _ group: LinkGroup) throws(WireError) {
        var result = result
        result.type = .hardLink
        try begin(item, result, link: group.name, linkFileIndex: group.fileIndex)
        try end(item, result)
    }

    /// The first name of this file wasn't saved (it vanished, or is unchanged): this one is read in its place.
    private func sendInstead(_ item: WalkedItem) throws(WireError) {
        var item = item
        item.leadsGroup = true
        let pieces = Monitor<[ReadPiece]>([])
        let reader = makeReader { piece in pieces.withLock { $0.append(piece) } }
        // A large file doesn't fit into memory: it is sent while it is read, piece by piece, on this thread.
        var failure: WireError?
        reader.drain = { [self] in
            let ready = pieces.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            do throws(WireError) {
                if failure == nil { for piece in ready { try send(piece) } }
            } catch {
                failure = error
            }
        }
        isReadingInstead = true
        reader.read([item])
        reader.drain = nil
        isReadingInstead = false
        if let failure { throw failure }
    }

    /// A record of a file that is gone since the last job (bacula-wire 5.4).
    func sendDeleted(_ name: [UInt8], _ then: FileStatus) throws(WireError) {
        fileIndex += 1
        var status = FileStatus()
        status.modifyTime = then.modifyTime
        status.changeTime = then.changeTime
        status.dataStream = 2
        let record = AttributeRecord(fileIndex: fileIndex, type: .deleted, name: name, status: status)
        try stream(StreamNumber.attributes.rawValue, record.encoded)
        progress.files.add(1, ordering: .relaxed)
    }

    // MARK: - Framing

    private func header(_ stream: Int32, _ size: Int64) throws(WireError) {
        var line: [UInt8] = []
        line.reserveCapacity(40)
        DecimalText.append(Int64(fileIndex), to: &line)
        line.append(UInt8(ascii: " "))
        DecimalText.append(Int64(stream), to: &line)
        line.append(UInt8(ascii: " "))
        DecimalText.append(size, to: &line)
        try channel.send(line.span)
    }

    private func stream(_ number: Int32, _ data: [UInt8]) throws(WireError) {
        try header(number, 0)
        try channel.send(data.span)
        try channel.send(.endOfData)
    }

    private func sendPackets(_ buffer: PacketBuffer, _ packets: Range<Int>) throws(WireError) {
        var bytes: Int64 = 0
        for index in packets {
            let count = try buffer.withPacket(index) { packet throws(WireError) in
                try channel.send(packet)
                return packet.count
            }
            bytes += Int64(count)
            bandwidth.pace(count) { progress.isStopping }
        }
        progress.jobBytes.add(bytes, ordering: .relaxed)
    }
}

extension FileStatus {
    init(_ metadata: FileMetadata) {
        self.init()
        device = Int64(bitPattern: metadata.device)
        inode = Int64(bitPattern: metadata.inode)
        mode = Int64(metadata.mode)
        links = Int64(bitPattern: metadata.links)
        user = Int64(metadata.user)
        group = Int64(metadata.group)
        specialDevice = Int64(bitPattern: metadata.specialDevice)
        size = metadata.size
        blockSize = metadata.blockSize
        blocks = metadata.blocks
        accessTime = metadata.accessTime.seconds
        modifyTime = metadata.modifyTime.seconds
        changeTime = metadata.changeTime.seconds
    }
}

extension AttributeRecord.Nanoseconds {
    init(_ metadata: FileMetadata) {
        self.init(
            access: metadata.accessTime.nanosecondPart, modify: metadata.modifyTime.nanosecondPart,
            change: metadata.changeTime.nanosecondPart)
    }
}

extension DigestAlgorithm {
    /// The stream that carries its digests.
    var stream: StreamNumber {
        switch self {
        case .md5: .md5
        case .sha1: .sha1
        case .sha256: .sha256
        case .sha512: .sha512
        }
    }

    init?(stream: StreamNumber) {
        switch stream {
        case .md5: self = .md5
        case .sha1: self = .sha1
        case .sha256: self = .sha256
        case .sha512: self = .sha512
        default: return nil
        }
    }

    /// As verify packets call it.
    var verifyName: String {
        switch self {
        case .md5: "MD5"
        case .sha1: "SHA1"
        case .sha256: "SHA256"
        case .sha512: "SHA512"
        }
    }
}

/// Numbers in decimal, without the detour of a String: a backup writes several for every file.
enum DecimalText {
    static func append(_ number: Int64, to bytes: inout [UInt8]) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        let start = bytes.count
        repeat {
            bytes.append(UInt8(48 + rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }
}
