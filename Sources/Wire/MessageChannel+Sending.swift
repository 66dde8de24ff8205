// The sending half of a channel: packets are appended to a batch, and one thread at a time writes batches.

import Platform

/// What senders share.
struct Writer {
    /// A batch is written when it holds this much: a few system calls per MiB, and still inside a core's cache.
    static let batchBytes = 256 << 10

    var pending: [UInt8] = []
    var spare: [UInt8] = []  // swapped with `pending`, so that appending goes on while a batch is written
    /// Somebody has the sending turn.
    var isSending = false
    var flushWanted = false
    var tls: TLSSession?
}

extension MessageChannel {
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
            if writer.isSending, writer.pending.count >= Writer.batchBytes { return nil }
            let word = UInt32(bitPattern: head)
            writer.pending.append(UInt8(truncatingIfNeeded: word >> 24))
            writer.pending.append(UInt8(truncatingIfNeeded: word >> 16))
            writer.pending.append(UInt8(truncatingIfNeeded: word >> 8))
            writer.pending.append(UInt8(truncatingIfNeeded: word))
            unsafe writer.pending.append(contentsOf: payload)
            return writer.pending.count >= Writer.batchBytes && !writer.isSending
        }
        if isFull == true { try drain(everything: false) }
    }

    /// Writes everything sent so far. Where another thread is writing already, it is left to finish the job.
    package func flush() throws(WireError) {
        try checkOpen()
        try drain(everything: true)
    }

    /// As `flush`, for a receiver that is about to wait: what the network does not take at once is left to another thread.
    /// Two peers that both wait for room to send, and read nothing meanwhile, would wait for ever.
    func flushAside() throws(WireError) {
        var batch: [UInt8] = []
        var tls = takeTurn(&batch, everything: true)
        while !batch.isEmpty {
            let rest: [UInt8]
            do throws(WireError) {
                rest = try write(batch, tls, waits: false)
            } catch {
                writer.withLock { $0.isSending = false }
                throw error
            }
            guard rest.isEmpty else {
                // The turn goes with the rest. An error ends the connection, so that nobody misses it.
                ElasticExecutor.shared.detach { [self] in try? keepTurn(for: rest, nil) }
                return
            }
            tls = nextBatch(&batch)
        }
    }

    /// Takes the sending turn, unless somebody has it, and writes batches until what was asked for is written.
    private func drain(everything: Bool) throws(WireError) {
        var batch: [UInt8] = []
        let tls = takeTurn(&batch, everything: everything)
        if !batch.isEmpty { try keepTurn(for: batch, tls) }
    }

    /// With the sending turn: writes `batch` and what follows it.
    private func keepTurn(for batch: consuming [UInt8], _ tls: TLSSession?) throws(WireError) {
        var batch = batch
        var tls = tls
        while !batch.isEmpty {
            do throws(WireError) {
                _ = try write(batch, tls, waits: true)
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
        batch.removeAll(keepingCapacity: batch.capacity <= 2 * Writer.batchBytes)
        return writer.withLock { writer in
            swap(&writer.spare, &batch)
            return Self.continueTurn(&writer, &batch)
        }
    }

    /// Moves what is pending into `batch` where it is to be written now, else gives the turn back.
    private static func continueTurn(_ writer: inout Writer, _ batch: inout [UInt8]) -> TLSSession? {
        let isWanted = writer.flushWanted || writer.pending.count >= Writer.batchBytes
        writer.flushWanted = false
        guard isWanted, !writer.pending.isEmpty else {
            writer.isSending = false
            return nil
        }
        swap(&batch, &writer.pending)
        swap(&writer.pending, &writer.spare)
        return writer.tls
    }

    /// - Returns: What was not written, ready for the network; empty where `waits`.
    private func write(_ batch: [UInt8], _ tls: TLSSession?, waits: Bool) throws(WireError) -> [UInt8] {
        var rest: [UInt8] = []
        if let tls {
            do throws(TLSFailure) {
                try tls.encrypt(batch)
            } catch {
                throw WireError(.tls, peer: peer, error.reason)
            }
            try unsafe tls.withOutput { bytes throws(WireError) in rest = try unsafe writeRaw(bytes, waits: waits) }
        } else {
            try unsafe batch.span.withUnsafeBufferPointer { bytes throws(WireError) in
                rest = try unsafe writeRaw(UnsafeRawBufferPointer(bytes), waits: waits)
            }
        }
        return rest
    }

    @discardableResult
    func writeRaw(_ bytes: UnsafeRawBufferPointer, waits: Bool = true) throws(WireError) -> [UInt8] {
        let limits = self.limits.withLock { $0 }
        var count = bytes.count
        do throws(SystemError) {
            if waits {
                try unsafe socket.send(bytes, within: limits.rest(of: limits.send))
            } else {
                count = try unsafe socket.sendAvailable(bytes)
            }
        } catch {
            throw failure(error, isHarmless: false)
        }
        sent.add(Int64(count), ordering: .relaxed)
        sends.add(1, ordering: .relaxed)
        return unsafe count == bytes.count ? [] : Array(bytes[count...])
    }
}
