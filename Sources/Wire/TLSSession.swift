// stub
import Platform

struct TLSFailure: Error { var reason: String; var remedy = "" }

final class TLSSession: Sendable {
    func encrypt(_ bytes: [UInt8]) throws(TLSFailure) {}
    func withOutput<E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {}
    /// nil: orderly end. 0: needs more.
    func decrypt(_ sealed: inout [UInt8], _ head: inout Int, _ tail: Int, into plain: inout [UInt8], from: Int) throws(TLSFailure) -> Int? { nil }
    func advanceHandshake(_ sealed: inout [UInt8], _ head: inout Int, _ tail: Int) throws(TLSFailure) -> Bool { throw TLSFailure(reason: "TLS is not built yet.") }
    func sayGoodbye() {}
    var description: String { "" }
    var usedApplianceIdentity: Bool { false }
    init(serverFor policy: TLSPolicy, kind: Kind, secret: SharedSecret, isAppliance: Bool) throws(TLSFailure) {}
    init(clientFor policy: TLSPolicy, kind: Kind, secret: SharedSecret, isAppliance: Bool, host: String) throws(TLSFailure) {}
    enum Kind { case certificates, preSharedKey }
}
