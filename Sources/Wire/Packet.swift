// The packet head: a signed 32-bit big-endian length, which may be a signal or carry flags (bacula-wire 1.1 to 1.3).
//
//     value              meaning
//     > 0                that many payload bytes follow, after masking the flags
//     0                  an empty packet: skipped
//     < 0                a signal, without payload
//     bit 30             payload is one LZ4 block
//     bit 29             four more header bytes follow before the payload

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
    /// From release 11: is the connection up?
    package static let isAlive = Signal(rawValue: -31)
}

/// What arrived: a payload (never empty: empty packets are skipped) or a signal.
package enum Packet: Sendable, Hashable {
    case payload([UInt8])
    case signal(Signal)
}

/// The first four bytes of a packet, read.
enum PacketHead: Equatable {
    case empty
    case signal(Signal)
    case payload(bytes: Int, isCompressed: Bool, hasExtension: Bool)
    /// Not this protocol, or longer than a peer may send.
    case nonsense

    /// The most that a packet may carry, as the daemons' receivers enforce it.
    static let payloadMax = 1_000_000
    /// The most that one compressed packet may become.
    static let inflatedMax = 4_000_000

    init(_ value: Int32, payloadMax: Int) {
        if value == 0 {
            self = .empty
        } else if value < 0 {
            // The daemons' signals end at -31; room for a few more, but a random word is not a signal.
            self = value > -64 ? .signal(Signal(rawValue: value)) : .nonsense
        } else {
            let bytes = Int(value & ~(1 << 30 | 1 << 29))
            self =
                bytes > payloadMax || bytes == 0
                ? .nonsense
                : .payload(bytes: bytes, isCompressed: value & 1 << 30 != 0, hasExtension: value & 1 << 29 != 0)
        }
    }
}
