// The director's end of a conversation: commands that arrive, and the catalog requests that we send in between.
//
// A director may hang up at any moment, also while a job writes for hours without asking anything. So one task does
// nothing but receive (`pump`); everybody else takes packets from the inbox.
//
// | who                    | does                                               | holds       |
// |------------------------|----------------------------------------------------|-------------|
// | the pump task          | receives into the inbox, ends it                    | inbox       |
// | the conversation       | takes commands from the inbox                       | inbox       |
// | job, writer, attributes| send; a request waits for its answer from the inbox | turn, inbox |

import Platform
import Wire

/// One director connection. Sends of several threads don't mix: each takes the turn.
final class DirectorLink: Sendable {
    let channel: MessageChannel
    private struct Inbox {
        var packets: [Packet] = []
        var head = 0
        var bytes = 0
        var ended: WireError?
        var onEnd: (@Sendable (WireError) -> Void)?
    }
    private let inbox = Monitor(Inbox())
    /// The exclusive right to send: a request with its answer, or a batch of attributes, is not torn apart.
    private let turn = Monitor(())
    /// Bound of the inbox; a director that sends faster than we take waits in TCP.
    private static let inboxBytesMax = 4 << 20
    /// A director whose database is locked for long may take its time.
    private static let answerLimit: Duration = .seconds(1800)

    init(_ channel: MessageChannel) { self.channel = channel }

    /// Receives until the connection ends. Run by a task of its own.
    func pump() {
        var end = WireError(.closed, peer: channel.peer, "the conversation is over")
        receiving: while true {
            do throws(WireError) {
                let packet = try channel.receive()
                if packet == .signal(.terminate) { break receiving }
                let size = Self.weight(packet)
                let alive: Bool? = inbox.wait { inbox in
                    if inbox.ended != nil { return false }
                    guard inbox.bytes < Self.inboxBytesMax else { return nil }
                    inbox.packets.append(packet)
                    inbox.bytes += size
                    return true
                }
                if alive != true { break receiving }
            } catch {
                end = error
                break receiving
            }
        }
        finish(end)
    }

    /// Ends the inbox: every waiter gets `error`.
    private func finish(_ error: WireError) {
        let action = inbox.withLock { inbox in
            if inbox.ended == nil { inbox.ended = error }
            return inbox.onEnd
        }
        action?(error)
    }

    /// Calls `action` once when the connection ends, at once where it already has.
    func whenEnded(_ action: (@Sendable (WireError) -> Void)?) {
        let ended = inbox.withLock { inbox in
            inbox.onEnd = action
            return inbox.ended
        }
        if let ended, let action { action(ended) }
    }

    /// The next packet, in order; throws what ended the connection once all have been taken.
    func next(atMost limit: Duration? = nil) throws(WireError) -> Packet {
        let result: Result<Packet, WireError>? = inbox.wait(atMost: limit) { inbox in
            if inbox.head < inbox.packets.count {
                let packet = inbox.packets[inbox.head]
                inbox.head += 1
                inbox.bytes -= Self.weight(packet)
                if inbox.head == inbox.packets.count {
                    inbox.packets.removeAll(keepingCapacity: true)
                    inbox.head = 0
                }
                return .success(packet)
            }
            return inbox.ended.map { .failure($0) }
        }
        guard let result else { throw WireError(.timedOut, peer: channel.peer, "no answer from the director") }
        return try result.get()
    }

    /// Sends one packet at once.
    func send(_ text: String) throws(WireError) {
        try withTurn { () throws(WireError) in
            try channel.send(text)
            try channel.flush()
        }
    }

    func send(_ signal: Signal) throws(WireError) {
        try withTurn { () throws(WireError) in
            try channel.send(signal)
            try channel.flush()
        }
    }

    /// Runs `body` with the exclusive right to send.
    func withTurn<R>(_ body: () throws(WireError) -> R) throws(WireError) -> R {
        try turn.withLock { (_: inout ()) throws(WireError) -> R in try body() }
    }

    /// Sends a request and returns the line that answers it.
    func request(_ packets: [String], endOfData: Bool = false) throws(WireError) -> String {
        try withTurn { () throws(WireError) in
            for packet in packets { try channel.send(packet) }
            if endOfData { try channel.send(.endOfData) }
            try channel.flush()
            while true {
                if case .payload(let bytes) = try next(atMost: Self.answerLimit) { return Self.line(bytes) }
            }
        }
    }

    /// What a packet counts in the inbox.
    private static func weight(_ packet: Packet) -> Int {
        if case .payload(let bytes) = packet { bytes.count + 32 } else { 32 }
    }

    /// A payload as a line: one trailing NUL and one newline dropped.
    static func line(_ bytes: [UInt8]) -> String {
        var count = bytes.count
        if count > 0, bytes[count - 1] == 0 { count -= 1 }
        if count > 0, bytes[count - 1] == 10 { count -= 1 }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
