// CRAM-MD5 as the daemons speak it: challenges, responses, and the two ways to write one (bacula-wire 2.2).

import Platform
import Synchronization

/// A challenge: `auth cram-md5 <number.time@name> ssl=need`.
struct Challenge: Equatable {
    /// From `<` to `>` inclusive: what is signed.
    var text: String
    /// The challenger's TLS need; nil from programs so old that they don't say.
    var tlsNeed: Int?
    /// `cram-md5c`: answer in standard base64.
    var wantsStandard = false

    init(text: String, tlsNeed: Int?, wantsStandard: Bool = false) {
        self.text = text
        self.tlsNeed = tlsNeed
        self.wantsStandard = wantsStandard
    }

    /// A challenge nobody has seen before, in the name of `name`.
    init(from name: String, tlsNeed: Int) {
        let number = Randomness.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        self.init(text: "<\(number).\(WallTime.now.seconds)@\(Bashed.encode(name))>", tlsNeed: tlsNeed)
    }

    /// Reads a challenge packet; nil where it is none.
    init?(parsing line: String) {
        if let fields = scan(line, "auth cram-md5 %s ssl=%d") {
            self.init(text: fields[0], tlsNeed: Int(fields[1]))
        } else if let fields = scan(line, "auth cram-md5c %s ssl=%d") {
            self.init(text: fields[0], tlsNeed: Int(fields[1]), wantsStandard: true)
        } else if let fields = scan(line, "auth cram-md5 %s") {
            self.init(text: fields[0], tlsNeed: nil)
        } else {
            return nil
        }
        guard text.hasPrefix("<"), text.hasSuffix(">"), text.utf8.count > 2 else { return nil }
    }

    var line: String { "auth cram-md5 \(text) ssl=\(tlsNeed ?? 0)\n" }

    private func code(_ secret: SharedSecret) -> [UInt8] {
        Digest.hmac(.md5, key: Array(secret.key.utf8), message: Array(text.utf8))
    }

    /// The response packet, with its NUL.
    func response(_ secret: SharedSecret) -> [UInt8] {
        let code = code(secret)
        return Array((wantsStandard ? Base64.standard(code) : Base64.legacy(code)).utf8) + [0]
    }

    /// Whether `response`, without NUL and newline, shows knowledge of the secret; either writing of it will do.
    func isAnswered(by response: String, _ secret: SharedSecret) -> Bool {
        let code = code(secret)
        let given = Array(response.utf8)
        // Both comparisons always run, and each looks at every byte: the time taken tells nothing about the code.
        let standard = isEqual(given, Array(Base64.standard(code).utf8))
        let legacy = isEqual(given, Array(Base64.legacy(code).utf8))
        return standard || legacy
    }

    private func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for index in a.indices { difference |= a[index] ^ b[index] }
        return difference == 0
    }
}

/// The challenges that this process has sent and whose answer it still awaits.
///
/// Who mirrors our own challenge back at us, in another connection, wants us to compute the answer for it. A connector
/// answers acceptors and the other way round, so a challenge that was sent from the same end as the one that is to answer
/// it is a mirrored one; two roles in one process that talk to each other are at different ends.
enum OutstandingChallenges {
    enum End: Hashable, Sendable { case connector, acceptor }
    private struct Key: Hashable, Sendable {
        var text: String
        var end: End
    }
    private static let all = Mutex<Set<Key>>([])

    static func insert(_ challenge: Challenge, from end: End) {
        all.withLock { _ = $0.insert(Key(text: challenge.text, end: end)) }
    }
    static func remove(_ challenge: Challenge, from end: End) {
        all.withLock { _ = $0.remove(Key(text: challenge.text, end: end)) }
    }
    static func isMirrored(_ challenge: Challenge, to end: End) -> Bool {
        all.withLock { $0.contains(Key(text: challenge.text, end: end)) }
    }
}

/// Two writings of bytes in base 64, both with the usual alphabet and without padding.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// RFC 4648 without padding.
    static func standard(_ bytes: [UInt8]) -> String { encode(bytes, extendsSign: false, shiftsLast: true) }

    /// What 9.6 programs write: a byte of 0x80 and more overwrites the waiting bits with ones, as a signed char does in
    /// C, and the last digit holds the left-over bits at its low end.
    static func legacy(_ bytes: [UInt8]) -> String { encode(bytes, extendsSign: true, shiftsLast: false) }

    private static func encode(_ bytes: [UInt8], extendsSign: Bool, shiftsLast: Bool) -> String {
        var text: [UInt8] = []
        var register: UInt32 = 0
        var waiting: UInt32 = 0  // bits of `register` not yet written
        for byte in bytes {
            register = register << 8 | (extendsSign ? UInt32(bitPattern: Int32(Int8(bitPattern: byte))) : UInt32(byte))
            waiting += 8
            while waiting >= 6 {
                waiting -= 6
                text.append(alphabet[Int(register >> waiting & 63)])
            }
        }
        if waiting > 0 {
            let rest = register & (1 << waiting - 1)
            text.append(alphabet[Int(shiftsLast ? rest << (6 - waiting) : rest)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
