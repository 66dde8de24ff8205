// Bacula's message framing over a byte stream: length-prefixed packets and signals (bacula-wire 1.1 to 1.3).
//
// Who holds what. No lock is held while a thread waits for the network, except the reader's own:
//
// | thread          | holds                                                                                         |
// |-----------------|-----------------------------------------------------------------------------------------------|
// | the receiver    | `reader`, also while it waits; nobody else needs it                                            |
// | any sender      | `writer` while it appends a packet                                                             |
// | the one sender that writes | the sending turn (`Writer.isSending`), while encrypting and in send(2); others append meanwhile, |
// |                 | and wait only when a whole batch is pending                                                    |
// | encrypting, decrypting | the TLS session's lock, for one batch                                                   |
//
// Lock order: reader, writer, TLS session. `interrupt` needs none of them to wake everybody.

import Platform
import Synchronization

/// A connection that carries packets both ways. One thread may receive while others send.
///
/// Sends are collected and written when the buffer is full, on `flush`, and before every blocking `receive`. All calls
/// block; `interrupt` from any thread makes the blocked ones throw. Heartbeats (-6) are swallowed here and never reach
/// the caller; polls (-5) are answered with `1000 OK\n`; an end of data that asks for an answer (-2) is answered and arrives
/// as `endOfData`; questions for the clock (-9) are answered.
package final class MessageChannel: Sendable {
    /// `host:port` or a name, for logs and errors.
    package let peer: String

    let socket: StreamSocket
    private let writer = Monitor(Writer())
    private let reader = Monitor(Reader())
    private let limits = Mutex(Limits())
    private let state = Atomic<State>(.open)
    private let sent = Atomic<Int64>(0)
    private let received = Atomic<Int64>(0)
    private let sends = Atomic<Int64>(0)  // counts writes, so that the heartbeat sees whether there was one
    private let heartbeat = Mutex<Task<Void, Never>?>(nil)
    private let description = Mutex("plain text")

    enum State: UInt8, AtomicRepresentable { case open, interrupted, closed, broken }

    /// What a peer may do to us before and after it is authenticated.
    struct Limits {
        /// For each wait.
        var receive: Duration? = .seconds(600)
        /// For everything until then: what a handshake may take in all.
        var deadline: ContinuousClock.Instant?
        var payloadMax = PacketHead.payloadMax
        /// Bytes from the wire, in all; nil: no bound.
        var receivedMax: Int64?
        var send: Duration?
    }

    private struct Writer {
        var pending: [UInt8] = []
        var spare: [UInt8] = []  // swapped with `pending`, so that appending goes on while a batch is written
        var isSending = false
        var flushWanted = false
        var tls: TLSSession?
    }

    private struct Reader {
        /// Plain bytes not yet given out are `bytes[head..<tail]`.
        var bytes: [UInt8] = []
        var head = 0
        var tail = 0
        /// Bytes from the wire not yet decrypted, likewise; unused without TLS.
        var sealed: [UInt8] = []
        var sealedHead = 0
        var sealedTail = 0
        var tls: TLSSession?
    }

    /// A batch is written when it holds this much: a few system calls per MiB, and still inside a core's cache.
    private static let batchBytes = 256 << 10
    /// Read buffers start small, for the many connections that say little, and grow once a read fills them.
    private static let readBytesMin = 4 << 10
    private static let readBytesMax = 256 << 10

    init(_ socket: StreamSocket, peer: String? = nil) {
        self.socket = socket
        self.peer = peer ?? socket.peer.description
    }

    deinit { heartbeat.withLock { $0?.cancel() } }

    // MARK: - Sending

    /// An empty payload is not sent: receivers take an empty packet for nothing at all.
    package func send(_ payload: Span<UInt8>) throws(WireError) {
        try unsafe payload.withUnsafeBufferPointer { bytes throws(WireError) in try unsafe enqueue(bytes) }
    }
    package func send(_ payload: [UInt8]) throws(WireError) { try send(payload.span) }
    /// Sends the UTF-8 of `text`; no newline or NUL is added.
    package func send(_ text: String) throws(WireError) { try send(Array(text.utf8)) }
    package func send(_ signal: Signal) throws(WireError) {
        try unsafe append(head: signal.rawValue, UnsafeBufferPointer(start: nil, count: 0))
    }

    private func enqueue(_ payload: UnsafeBufferPointer<UInt8>) throws(WireError) {
        guard payload.count > 0 else { return }
        guard payload.count <= PacketHead.payloadMax else {
            throw WireError(
                .protocolViolation, peer: peer,
                "a packet of \(payload.count) bytes can't be sent: receivers refuse more than \(PacketHead.payloadMax)."
            )
        }
        try unsafe append(head: Int32(payload.count), payload)
    }

    private func append(head: Int32, _ payload: UnsafeBufferPointer<UInt8>) throws(WireError) {
        let isFull = try writer.wait { writer throws(WireError) -> Bool? in
            try checkOpen()
            if writer.isSending, writer.pending.count >= Self.batchBytes { return nil }
            let word = UInt32(bitPattern: head)
            writer.pending.append(UInt8(truncatingIfNeeded: word >> 24))
            writer.pending.append(UInt8(truncatingIfNeeded: word >> 16))
            writer.pending.append(UInt8(truncatingIfNeeded: word >> 8))
            writer.pending.append(UInt8(truncatingIfNeeded: word))
            unsafe writer.pending.append(contentsOf: payload)
            return writer.pending.count >= Self.batchBytes && !writer.isSending
        }
        if isFull == true { try drain(everything: false) }
    }

    /// Writes everything sent so far. Where another thread is writing already, it is left to finish the job.
    package func flush() throws(WireError) {
        try checkOpen()
        try drain(everything: true)
    }

    /// Takes the sending turn, unless somebody has it, and writes batches until what was asked for is written.
    private func drain(everything: Bool) throws(WireError) {
        var batch: [UInt8] = []
        var tls = takeTurn(&batch, everything: everything)
        while !batch.isEmpty {
            do throws(WireError) {
                try write(batch, tls)
            } catch {
                writer.withLock { $0.isSending = false }
                throw error
            }
            tls = nextBatch(&batch)
        }
    }

    private func takeTurn(_ batch: inout [UInt8], everything: Bool) -> TLSSession? {
        writer.withLock { writer in
            if everything { writer.flushWanted = true }
            guard !writer.isSending else { return nil }  // its holder sees what is wanted when it is through
            writer.isSending = true
            return Self.continueTurn(&writer, &batch)
        }
    }

    private func nextBatch(_ batch: inout [UInt8]) -> TLSSession? {
        // One packet of the largest size may have made the buffer grow; it is not kept for that.
        batch.removeAll(keepingCapacity: batch.capacity <= 2 * Self.batchBytes)
        return writer.withLock { writer in
            swap(&writer.spare, &batch)
            return Self.continueTurn(&writer, &batch)
        }
    }

    /// Moves what is pending into `batch` where it is to be written now, else gives the turn back.
    private static func continueTurn(_ writer: inout Writer, _ batch: inout [UInt8]) -> TLSSession? {
        let isWanted = writer.flushWanted || writer.pending.count >= batchBytes
        writer.flushWanted = false
        guard isWanted, !writer.pending.isEmpty else {
            writer.isSending = false
            return nil
        }
        swap(&batch, &writer.pending)
        swap(&writer.pending, &writer.spare)
        return writer.tls
    }

    private func write(_ batch: [UInt8], _ tls: TLSSession?) throws(WireError) {
        if let tls {
            do throws(TLSFailure) {
                try tls.encrypt(batch)
            } catch {
                throw WireError(.tls, peer: peer, error.reason)
            }
            try unsafe tls.withOutput { bytes throws(WireError) in try unsafe writeRaw(bytes) }
        } else {
            try unsafe batch.span.withUnsafeBufferPointer { bytes throws(WireError) in
                try unsafe writeRaw(UnsafeRawBufferPointer(bytes))
            }
        }
    }

    private func writeRaw(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        let limits = self.limits.withLock { $0 }
        do throws(SystemError) {
            try unsafe socket.send(bytes, within: limits.rest(of: limits.send))
        } catch {
            throw failure(error)
        }
        sent.add(Int64(bytes.count), ordering: .relaxed)
        sends.add(1, ordering: .relaxed)
    }

    // MARK: - Receiving

    /// Blocks for the next packet. Throws `.closed` at an orderly end of the connection.
    package func receive() throws(WireError) -> Packet {
        var payload: [UInt8] = []
        if let signal = try receive(into: &payload) { return .signal(signal) }
        return .payload(payload)
    }

    /// As `receive`, reusing the caller's storage: on a payload `buffer` holds it and nil is returned.
    package func receive(into buffer: inout [UInt8]) throws(WireError) -> Signal? {
        while true {
            let head: PacketHead = try reader.withLock { reader throws(WireError) in
                let head = try readHead(&reader)
                if case .payload(let bytes, let isCompressed, let hasExtension) = head {
                    // The flag word of the extended header says nothing that community daemons act on.
                    if hasExtension { _ = try readWord(&reader, isFirst: false) }
                    if isCompressed {
                        var block: [UInt8] = []
                        try readPayload(bytes, into: &block, &reader)
                        try inflate(block, into: &buffer)
                    } else {
                        try readPayload(bytes, into: &buffer, &reader)
                    }
                }
                return head
            }
            switch head {
            case .payload: if !buffer.isEmpty { return nil }
            case .empty: continue
            case .nonsense: preconditionFailure("readHead throws instead")
            case .signal(let signal):
                switch signal {
                case .heartbeat, .heartbeatResponse, .isAlive: continue
                case .poll: try answer("1000 OK\n")
                case .clock: try answer("btime \(WallTime.now.microseconds)\n")
                case .endOfDataPoll:
                    try answer("1000 OK\n")
                    return .endOfData
                default: return signal
                }
            }
        }
    }

    private func answer(_ text: String) throws(WireError) {
        try send(text)
        try flush()
    }

    /// The next packet as text: invalid UTF-8 is replaced, one trailing NUL and one trailing newline are dropped.
    /// Throws `.unexpected` when a signal comes instead.
    package func receiveLine() throws(WireError) -> String {
        var bytes: [UInt8] = []
        if let signal = try receive(into: &bytes) {
            throw WireError(.unexpected, peer: peer, "signal \(signal.rawValue) came where a message was due.")
        }
        if bytes.last == 0 { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func readHead(_ reader: inout Reader) throws(WireError) -> PacketHead {
        let word = try readWord(&reader, isFirst: true)
        let head = PacketHead(Int32(bitPattern: word), payloadMax: limits.withLock { $0.payloadMax })
        guard head != .nonsense else {
            breakOff()
            let bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
            let text =
                bytes.allSatisfy { (32..<127).contains($0) } ? " (\"\(String(decoding: bytes, as: UTF8.self))\")" : ""
            throw WireError(
                .protocolViolation, peer: peer,
                "a packet of length 0x\(String(word, radix: 16))\(text) is no packet of this protocol, or too long.",
                remedy: "Check that the address and port are those of the right daemon.")
        }
        return head
    }

    private func readWord(_ reader: inout Reader, isFirst: Bool) throws(WireError) -> UInt32 {
        while reader.tail - reader.head < 4 { try fill(&reader, isFirst: isFirst && reader.head == reader.tail) }
        let at = reader.head
        reader.head += 4
        return UInt32(reader.bytes[at]) << 24 | UInt32(reader.bytes[at + 1]) << 16 | UInt32(reader.bytes[at + 2]) << 8
            | UInt32(reader.bytes[at + 3])
    }

    private func readPayload(_ count: Int, into payload: inout [UInt8], _ reader: inout Reader) throws(WireError) {
        payload.removeAll(keepingCapacity: true)
        payload.reserveCapacity(count)
        while true {
            let take = min(count - payload.count, reader.tail - reader.head)
            // One copy, straight from the read buffer; a slice of the array would be walked byte by byte in debug builds.
            unsafe reader.bytes.withUnsafeBufferPointer { bytes in
                unsafe payload.append(
                    contentsOf: UnsafeBufferPointer(rebasing: bytes[reader.head..<reader.head + take]))
            }
            reader.head += take
            if payload.count == count { return }
            try fill(&reader, isFirst: false)
        }
    }

    private func inflate(_ block: [UInt8], into payload: inout [UInt8]) throws(WireError) {
        let payloadMax = limits.withLock { $0.payloadMax } == PacketHead.payloadMax ? PacketHead.inflatedMax : 4096
        do throws(LZ4Block.Malformed) {
            try LZ4Block.decode(block.span, into: &payload, bytesMax: payloadMax)
        } catch {
            breakOff()
            throw WireError(.protocolViolation, peer: peer, "a compressed packet is damaged: \(error.reason).")
        }
    }

    /// Reads more plain bytes, at least one. Writes what is pending before it waits.
    private func fill(_ reader: inout Reader, isFirst: Bool) throws(WireError) {
        if reader.head == reader.tail {
            reader.head = 0
            reader.tail = 0
        } else if reader.head > 0, reader.tail == reader.bytes.count {
            reader.bytes.replaceSubrange(0..<reader.tail - reader.head, with: reader.bytes[reader.head..<reader.tail])
            reader.tail -= reader.head
            reader.head = 0
        }
        if reader.bytes.count < Self.readBytesMin || reader.tail == reader.bytes.count {
            Self.grow(&reader.bytes)
        }
        guard let tls = reader.tls else {
            let count = try receiveRaw(&reader.bytes, from: reader.tail, isFirst: isFirst)
            reader.tail += count
            if reader.tail == reader.bytes.count, reader.tail < Self.readBytesMax { Self.grow(&reader.bytes) }
            return
        }
        while true {
            // First what is here: OpenSSL may hold the rest of a record for which there was no room before.
            let plain: Int?
            do throws(TLSFailure) {
                plain = try tls.decrypt(
                    reader.sealed, &reader.sealedHead, reader.sealedTail, into: &reader.bytes, from: reader.tail)
            } catch {
                breakOff()
                throw WireError(.tls, peer: peer, error.reason)
            }
            guard let plain else { throw ended(isFirst: isFirst) }
            if plain > 0 {
                reader.tail += plain
                if reader.tail == reader.bytes.count, reader.tail < Self.readBytesMax { Self.grow(&reader.bytes) }
                return
            }
            try fillSealed(&reader, isFirst: isFirst)
        }
    }

    /// Reads more encrypted bytes behind those that are there.
    private func fillSealed(_ reader: inout Reader, isFirst: Bool) throws(WireError) {
        if reader.sealedHead == reader.sealedTail {
            reader.sealedHead = 0
            reader.sealedTail = 0
        }
        if reader.sealed.count < Self.readBytesMin || reader.sealedTail == reader.sealed.count {
            Self.grow(&reader.sealed)
        }
        reader.sealedTail += try receiveRaw(&reader.sealed, from: reader.sealedTail, isFirst: isFirst)
    }

    private static func grow(_ bytes: inout [UInt8]) {
        let count = max(readBytesMin, min(bytes.count * 4, max(readBytesMax, bytes.count)))
        bytes.append(contentsOf: repeatElement(0, count: max(readBytesMin, count - bytes.count)))
    }

    /// recv(2) into `bytes[from...]`.
    private func receiveRaw(_ bytes: inout [UInt8], from start: Int, isFirst: Bool) throws(WireError) -> Int {
        try flush()
        let limits = self.limits.withLock { $0 }
        if let most = limits.receivedMax, bytesReceived > most {
            breakOff()
            throw WireError(
                .protocolViolation, peer: peer, "more than \(most) bytes came before the peer was authenticated.")
        }
        let limit = limits.rest(of: limits.receive)
        let result: Result<Int, SystemError> = unsafe bytes.withUnsafeMutableBytes { buffer in
            do throws(SystemError) {
                return .success(
                    try unsafe socket.receive(
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]), within: limit))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(0): throw ended(isFirst: isFirst)
        case .success(let count):
            received.add(Int64(count), ordering: .relaxed)
            return count
        case .failure(let error): throw failure(error)
        }
    }

    /// How long `receive` waits for the next bytes before it throws `.timedOut`; nil: for ever.
    package func setReceiveLimit(_ limit: Duration?) { limits.withLock { $0.receive = limit } }

    func setLimits(_ change: (inout Limits) -> Void) { limits.withLock { change(&$0) } }

    // MARK: - TLS

    /// Performs the handshake; from here on everything travels encrypted. Only for the authentication dialogue, in which
    /// one thread does everything.
    func startTLS(_ session: TLSSession) throws(WireError) {
        try flush()
        try reader.withLock { reader throws(WireError) in
            // The peer may have sent its first handshake bytes together with its last plain packet.
            reader.sealed = Array(reader.bytes[reader.head..<reader.tail])
            reader.sealedHead = 0
            reader.sealedTail = reader.sealed.count
            reader.head = 0
            reader.tail = 0
            while true {
                let isDone: Bool
                do throws(TLSFailure) {
                    isDone = try session.advanceHandshake(reader.sealed, &reader.sealedHead, reader.sealedTail)
                } catch {
                    // The alert tells the peer why.
                    try? unsafe session.withOutput { bytes throws(WireError) in try unsafe writeRaw(bytes) }
                    close()
                    throw WireError(.tls, peer: peer, error.reason, remedy: error.remedy)
                }
                try unsafe session.withOutput { bytes throws(WireError) in try unsafe writeRaw(bytes) }
                if isDone { break }
                try fillSealed(&reader, isFirst: false)
            }
            reader.tls = session
        }
        writer.withLock { $0.tls = session }
        description.withLock { $0 = session.description }
    }

    /// Goes on in clear text after a TLS that was for the authentication only.
    func dropTLS() {
        reader.withLock { reader in
            reader.bytes = Array(
                reader.bytes[reader.head..<reader.tail] + reader.sealed[reader.sealedHead..<reader.sealedTail])
            reader.head = 0
            reader.tail = reader.bytes.count
            reader.sealed = []
            reader.tls = nil
        }
        writer.withLock { $0.tls = nil }
        description.withLock { $0 += ", for the authentication only" }
    }

    // MARK: - The connection as a whole

    /// Sends a heartbeat whenever nothing was sent for `interval`; nil stops it.
    package func setHeartbeat(every interval: Duration?) {
        let task = interval.map { interval in
            ElasticExecutor.shared.detach { [weak self] in
                var seen: Int64 = -1
                while (try? await Task.sleep(for: interval)) != nil {
                    guard let self, self.state.load(ordering: .acquiring) == .open else { return }
                    let sends = self.sends.load(ordering: .relaxed)
                    if sends == seen {
                        try? self.send(.heartbeat)
                        try? self.flush()
                    }
                    seen = self.sends.load(ordering: .relaxed)
                }
            }
        }
        heartbeat.withLock { current in
            current?.cancel()
            current = task
        }
        socket.setKeepAlive(every: interval)
    }

    /// Wakes every blocked call on this channel; they throw `.interrupted`. Safe from any thread, any number of times.
    package func interrupt() { end(as: .interrupted) }

    /// The peer can't be understood or reached any more: nothing else will be said or heard.
    private func breakOff() { end(as: .broken) }

    private func end(as ending: State) {
        guard state.compareExchange(expected: .open, desired: ending, ordering: .acquiringAndReleasing).exchanged else {
            return
        }
        socket.shutDown()
        writer.withLock { _ in }  // those who wait for room look again
    }

    /// Flushes, sends TERMINATE if asked, and shuts the connection down. Later calls throw `.closed`.
    package func close(terminate: Bool = false) {
        heartbeat.withLock { $0?.cancel() }
        guard state.load(ordering: .acquiring) == .open else { return }
        // A peer that takes nothing must not keep us: what it has not taken in a minute, it will not get.
        limits.withLock { $0.send = .seconds(60) }
        if terminate { try? send(.terminate) }
        try? flush()
        let tls: TLSSession?? = writer.wait(atMost: .seconds(60)) { writer in
            guard !writer.isSending else { return nil }
            writer.isSending = true  // for good: nobody sends after this
            return .some(writer.tls)
        }
        if let tls, let tls {
            tls.sayGoodbye()
            try? unsafe tls.withOutput { bytes throws(WireError) in try unsafe writeRaw(bytes) }
        }
        socket.finishSending()
        // Closing a socket with unread bytes resets the connection, and a reset may overtake our last message.
        unsafe withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 1) { scrap in
            var rounds = 0
            while rounds < 16, unsafe socket.receiveAvailable(into: scrap) > 0 { rounds += 1 }
        }
        end(as: .closed)
    }

    private func checkOpen() throws(WireError) {
        switch state.load(ordering: .acquiring) {
        case .open: return
        case .interrupted: throw WireError(.interrupted, peer: peer, "the connection was cut short on our side.")
        case .closed: throw WireError(.closed, peer: peer, "the connection is closed.")
        case .broken: throw WireError(.system, peer: peer, "the connection is broken.")
        }
    }

    /// The peer said that it is through.
    private func ended(isFirst: Bool) -> WireError {
        do throws(WireError) { try checkOpen() } catch { return error }
        if isFirst { return WireError(.closed, peer: peer, "the peer closed the connection.") }
        return WireError(.system, peer: peer, "the connection ended in the middle of a message.")
    }

    private func failure(_ error: SystemError) -> WireError {
        do throws(WireError) { try checkOpen() } catch { return error }
        if error.isTimeout {
            return WireError(.timedOut, peer: peer, "the peer neither sent nor took anything within the time allowed.")
        }
        breakOff()
        if error.isBrokenConnection {
            return WireError(.system, peer: peer, "the peer broke the connection (\(error.reason)).")
        }
        return WireError(.system, peer: peer, error.what)
    }

    /// Bytes on the wire below TLS, both ways, for CommBytes and status.
    package var bytesSent: Int64 { sent.load(ordering: .relaxed) }
    package var bytesReceived: Int64 { received.load(ordering: .relaxed) }
    /// `TLSv1.3 PSK (TLS_AES_128_GCM_SHA256)`, or `plain text`.
    package var security: String { description.withLock { $0 } }
}

extension MessageChannel.Limits {
    /// What is left for one wait of at most `limit`.
    func rest(of limit: Duration?) -> Duration? {
        guard let deadline else { return limit }
        let rest = max(.zero, ContinuousClock.now.duration(to: deadline))
        return limit.map { min($0, rest) } ?? rest
    }
}

/// Runs `body`; cancelling the task interrupts the channel, so that a blocked call ends.
package func withInterruption<R>(of channel: MessageChannel, _ body: () async throws -> R) async throws -> R {
    try await withTaskCancellationHandler(operation: body) { channel.interrupt() }
}
