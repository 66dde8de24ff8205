// Bacula's message framing over a byte stream: length-prefixed packets and signals (bacula-wire 1.1 to 1.3).

import Platform

/// The negative packet lengths (bacula-wire 1.3).
package struct Signal: RawRepresentable, Hashable, Sendable {
    package var rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }
    package static let endOfData = Signal(rawValue: -1)
    package static let endOfDataPoll = Signal(rawValue: -2)
    package static let status = Signal(rawValue: -3)
    package static let terminate = Signal(rawValue: -4)
    package static let poll = Signal(rawValue: -5)
    package static let heartbeat = Signal(rawValue: -6)
    package static let heartbeatResponse = Signal(rawValue: -7)
    package static let clock = Signal(rawValue: -9)
    package static let breakCommand = Signal(rawValue: -10)
    package static let startSelect = Signal(rawValue: -11)
    package static let endSelect = Signal(rawValue: -12)
    package static let invalidCommand = Signal(rawValue: -13)
    package static let commandFailed = Signal(rawValue: -14)
    package static let commandOK = Signal(rawValue: -15)
    package static let commandBegin = Signal(rawValue: -16)
    package static let messagesPending = Signal(rawValue: -17)
    package static let mainPrompt = Signal(rawValue: -18)
    package static let selectInput = Signal(rawValue: -19)
    package static let warningMessage = Signal(rawValue: -20)
    package static let errorMessage = Signal(rawValue: -21)
    package static let infoMessage = Signal(rawValue: -22)
    package static let runCommand = Signal(rawValue: -23)
    package static let yesNo = Signal(rawValue: -24)
    package static let startRestoreTree = Signal(rawValue: -25)
    package static let endRestoreTree = Signal(rawValue: -26)
    package static let subPrompt = Signal(rawValue: -27)
    package static let textInput = Signal(rawValue: -28)
}

/// What arrived: a payload (never empty: empty packets are skipped) or a signal.
package enum Packet: Sendable, Hashable {
    case payload([UInt8])
    case signal(Signal)
}

/// A connection that carries packets both ways. One thread may receive while others send.
///
/// Sends are collected and written when the buffer is full, on `flush`, and before every blocking `receive`. All calls
/// block; `interrupt` from any thread makes the blocked ones throw. Heartbeats (-6) are answered or swallowed here and
/// never reach the caller; polls (-5) are answered with `1000 OK\n`.
package final class MessageChannel: Sendable {
    /// `host:port` or a name, for logs and errors.
    package let peer: String

    init(peer: String) { self.peer = peer }

    package func send(_ payload: Span<UInt8>) throws(WireError) { preconditionFailure("not built yet") }
    package func send(_ payload: [UInt8]) throws(WireError) { preconditionFailure("not built yet") }
    /// Sends the UTF-8 of `text`; no newline or NUL is added.
    package func send(_ text: String) throws(WireError) { preconditionFailure("not built yet") }
    package func send(_ signal: Signal) throws(WireError) { preconditionFailure("not built yet") }
    package func flush() throws(WireError) { preconditionFailure("not built yet") }
    /// Blocks for the next packet. Throws `.closed` at an orderly end of the connection.
    package func receive() throws(WireError) -> Packet { preconditionFailure("not built yet") }
    /// As `receive`, reusing the caller's storage: on a payload `buffer` holds it and nil is returned.
    package func receive(into buffer: inout [UInt8]) throws(WireError) -> Signal? { preconditionFailure("not built yet") }
    /// The next packet as text: invalid UTF-8 is replaced, one trailing NUL and one trailing newline are dropped.
    /// Throws `.unexpected` when a signal comes instead.
    package func receiveLine() throws(WireError) -> String { preconditionFailure("not built yet") }
    /// How long `receive` waits for the first byte of a packet before it throws `.timedOut`; nil: for ever.
    package func setReceiveLimit(_ limit: Duration?) { preconditionFailure("not built yet") }
    /// Sends a heartbeat whenever nothing was sent for `interval`; nil stops it.
    package func setHeartbeat(every interval: Duration?) { preconditionFailure("not built yet") }
    /// Wakes every blocked call on this channel; they throw `.interrupted`. Safe from any thread, any number of times.
    package func interrupt() { preconditionFailure("not built yet") }
    /// Flushes, sends TERMINATE if asked, and shuts the connection down. Later calls throw `.closed`.
    package func close(terminate: Bool = false) { preconditionFailure("not built yet") }
    /// Bytes on the wire below TLS, both ways, for CommBytes and status.
    package var bytesSent: Int64 { 0 }
    package var bytesReceived: Int64 { 0 }
    /// `TLSv1.3 PSK (TLS_AES_128_GCM_SHA256)`, or `plain text`.
    package var security: String { "plain text" }
}

/// Runs `body`; cancelling the task interrupts the channel, so that a blocked call ends.
package func withInterruption<R>(of channel: MessageChannel, _ body: () async throws -> R) async throws -> R {
    try await withTaskCancellationHandler(operation: body) { channel.interrupt() }
}
