// Bacula's message framing over a byte stream: length-prefixed packets and signals (bacula-wire 1.1 to 1.3).
//
// Who holds what. No lock is held while a thread waits for the network, except the reader's own:
//
// | thread          | holds                                                                                         |
// |-----------------|-----------------------------------------------------------------------------------------------|
// | the receiver    | `reader`, also while it waits; nobody else needs it                                            |
// | any sender      | `writer` while it appends a packet                                                             |
// | one of them     | the sending turn (`Writer.isSending`), while it encrypts and is in send(2); others append         |
// |                 | meanwhile, and wait only when a whole batch is pending                                         |
// | who encrypts or decrypts | the TLS session's lock, for one batch                                                 |
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
    let writer = Monitor(Writer())
    let reader = Monitor(Reader())
    let limits = Mutex(Limits())
    private let state = Atomic<State>(.open)
    let sent = Atomic<Int64>(0)
    let received = Atomic<Int64>(0)
    let sends = Atomic<Int64>(0)  // counts writes, so that the heartbeat sees whether there was one
    private let heartbeat = Mutex<Task<Void, Never>?>(nil)
    let description = Mutex("plain text")

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

    init(_ socket: StreamSocket, peer: String? = nil) {
        self.socket = socket
        self.peer = peer ?? socket.peer.description
    }

    deinit { heartbeat.withLock { $0?.cancel() } }

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
    func breakOff() { end(as: .broken) }

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

    func checkOpen() throws(WireError) {
        switch state.load(ordering: .acquiring) {
        case .open: return
        case .interrupted: throw WireError(.interrupted, peer: peer, "the connection was cut short on our side.")
        case .closed: throw WireError(.closed, peer: peer, "the connection is closed.")
        case .broken: throw WireError(.system, peer: peer, "the connection is broken.")
        }
    }

    /// The peer said that it is through.
    func ended(isBetweenPackets: Bool) -> WireError {
        do throws(WireError) { try checkOpen() } catch { return error }
        if isBetweenPackets { return WireError(.closed, peer: peer, "the peer closed the connection.") }
        return WireError(.system, peer: peer, "the connection ended in the middle of a message.")
    }

    /// - Parameter isHarmless: A passed time limit leaves the stream of packets whole, so the channel may go on.
    func failure(_ error: SystemError, isHarmless: Bool) -> WireError {
        do throws(WireError) { try checkOpen() } catch { return error }
        if error.isTimeout {
            if !isHarmless { breakOff() }
            return WireError(.timedOut, peer: peer, "the peer neither sent nor took anything within the time allowed.")
        }
        breakOff()
        if error.isBrokenConnection {
            return WireError(.system, peer: peer, "the peer broke the connection (\(error.reason)).")
        }
        return WireError(.system, peer: peer, error.what)
    }

    /// How long `receive` waits for the next bytes before it throws `.timedOut`; nil: for ever.
    package func setReceiveLimit(_ limit: Duration?) { limits.withLock { $0.receive = limit } }

    func setLimits(_ change: (inout Limits) -> Void) { limits.withLock { change(&$0) } }

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
