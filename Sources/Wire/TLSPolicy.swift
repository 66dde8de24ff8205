// What a resource says about the protection of its connections, and the secret behind them.

package import Configuration
import Platform

/// How a connection is protected, from a resource's TLS directives.
package struct TLSPolicy: Sendable, Hashable {
    package enum PreSharedKey: Sendable { case off, offered, required }
    package var preSharedKey: PreSharedKey
    package struct Certificates: Sendable, Hashable {
        package var required: Bool
        package var verifyPeer: Bool
        package var caFile: String?
        package var caDirectory: String?
        package var certificateFile: String?
        package var keyFile: String?
        package var allowedCommonNames: [String]
        /// Encrypt only the authentication (`TLS Authenticate`).
        package var authenticateOnly: Bool
        package init(
            required: Bool, verifyPeer: Bool, caFile: String?, caDirectory: String?, certificateFile: String?,
            keyFile: String?, allowedCommonNames: [String], authenticateOnly: Bool
        ) {
            self.required = required
            self.verifyPeer = verifyPeer
            self.caFile = caFile
            self.caDirectory = caDirectory
            self.certificateFile = certificateFile
            self.keyFile = keyFile
            self.allowedCommonNames = allowedCommonNames
            self.authenticateOnly = authenticateOnly
        }
    }
    package var certificates: Certificates?
    package init(preSharedKey: PreSharedKey, certificates: Certificates? = nil) {
        self.preSharedKey = preSharedKey
        self.certificates = certificates
    }
    /// The default of the house: TLS by pre-shared key or nothing.
    package static let preSharedKeyRequired = TLSPolicy(preSharedKey: .required)
    /// `TLS Enable = no`: what 9.6 peers without certificates need.
    package static let plainText = TLSPolicy(preSharedKey: .off)

    /// Clear text will not do.
    var requiresEncryption: Bool { preSharedKey == .required || certificates?.required == true }

    /// Reads TlsEnable, TlsPskEnable, TlsRequire, TlsCertificate, … of a resource.
    ///
    /// | directives                                   | protection                                                    |
    /// |----------------------------------------------|---------------------------------------------------------------|
    /// | none                                         | pre-shared key, required                                       |
    /// | `TLS Enable = no`, or `TLS PSK Enable = no` without certificates | clear text                                 |
    /// | `TLS Enable = yes` and certificate files     | certificates; the key too, for peers that have no certificate, where it is not switched off |
    ///
    /// `TLS Require = no` makes either optional: clear text where the peer has neither.
    package init(_ resource: Resource) {
        func bool(_ name: String) -> Bool? {
            if case .bool(let value) = resource.values[name] { value } else { nil }
        }
        func text(_ name: String) -> String? {
            if case .text(let value) = resource.values[name], !value.isEmpty { value } else { nil }
        }
        func texts(_ name: String) -> [String] {
            switch resource.values[name] {
            case .text(let value): [value]
            case .list(let values): values.compactMap { if case .text(let value) = $0 { value } else { nil } }
            default: []
            }
        }
        let isRequired = bool("TlsRequire") ?? true
        let authenticateOnly = bool("TlsAuthenticate") ?? false
        if bool("TlsEnable") == false, !authenticateOnly {
            self = .plainText
            return
        }
        let files = ["TlsCertificate", "TlsKey", "TlsCaCertificateFile", "TlsCaCertificateDir"]
        let hasCertificates = (bool("TlsEnable") == true || authenticateOnly) && files.contains { text($0) != nil }
        let mayUseKey = bool("TlsPskEnable")
        guard hasCertificates else {
            self.init(preSharedKey: mayUseKey == false ? .off : isRequired ? .required : .offered)
            return
        }
        self.init(
            preSharedKey: mayUseKey == false ? .off : mayUseKey == true && isRequired ? .required : .offered,
            certificates: Certificates(
                required: isRequired, verifyPeer: bool("TlsVerifyPeer") ?? true, caFile: text("TlsCaCertificateFile"),
                caDirectory: text("TlsCaCertificateDir"), certificateFile: text("TlsCertificate"),
                keyFile: text("TlsKey"),
                allowedCommonNames: texts("TlsAllowedCn"), authenticateOnly: authenticateOnly))
    }
}

/// The secret of a connection: the text that is CRAM-MD5's key and the root of the TLS key. Never printed.
package struct SharedSecret: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    let key: String
    /// A resource's clear password: the key is its MD5 in hexadecimal.
    package init(password: String) { key = Digest.md5Hex(password) }
    /// A job's Authorization string, used as it is between file and storage daemon.
    package init(authorization: String) { key = authorization }
    package var description: String { "<secret>" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// The TLS key between ours: HKDF-SHA256 (RFC 5869) of the text, so that what CRAM-MD5 signs with and what TLS is keyed
    /// with are never the same bytes.
    var tlsKey: [UInt8] {
        let extracted = Digest.hmac(.sha256, key: Array("appliance tls".utf8), message: Array(key.utf8))
        return Digest.hmac(.sha256, key: extracted, message: Array("external psk 1".utf8) + [1])
    }
}
