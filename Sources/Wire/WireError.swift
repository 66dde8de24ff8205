// What can go wrong between two daemons.

import Platform

/// A failed connection, handshake or dialogue, naming the peer.
package struct WireError: PresentableError {
    package enum Kind: String, Sendable {
        /// The peer ended the connection in an orderly way.
        case closed
        case timedOut = "timed-out"
        case interrupted
        case refused, unreachable, resolve
        case tls, authentication
        /// A frame longer than the limit, or framing that makes no sense.
        case protocolViolation = "protocol-violation"
        /// A well-formed packet that the dialogue doesn't allow here.
        case unexpected
        case system
    }
    package var kind: Kind
    package var peer: String
    package var detail: String
    package var remedy: String

    package init(_ kind: Kind, peer: String, _ detail: String, remedy: String = "") {
        self.kind = kind
        self.peer = peer
        self.detail = detail
        self.remedy = remedy
    }
    package var code: String { "wire-\(kind.rawValue)" }
    package var what: String { "\(peer): \(detail)" }
    /// Trying again won't help although the kind would let hope.
    var isFinal = false
    package var isPermanent: Bool {
        switch kind {
        case _ where isFinal: true
        case .closed, .timedOut, .refused, .unreachable, .system, .resolve: false
        default: true
        }
    }
}
