// What a TLS connection is set up from: a pre-shared key or certificates, and how the peer is checked (bacula-wire 2.5, 11.2).
//
// Pre-shared keys, between ours: TLS 1.3 only, identity `appliance`, key by HKDF from the secret, with an ephemeral
// Diffie-Hellman exchange (psk_dhe_ke), so that recorded traffic stays sealed when a password becomes known later. With
// programs of release 11 and later, which say nothing in their identity: TLS 1.3 or 1.2 with the secret's text as key.

import COpenSSL
import Platform

/// One connection's SSL_CTX with what its callbacks need.
///
/// Sendable and safe although it holds a pointer: the context is made in `init`, freed in `deinit`, and OpenSSL counts
/// references to it under locks of its own; all else is constant.
@safe final class TLSSetup: @unchecked Sendable {
    let context: OpaquePointer
    let kind: TLSSession.Kind
    let isServer: Bool
    private let host: String
    private let allowedCommonNames: [String]
    private let secret: SharedSecret
    /// The peer said that it is one of ours: then nothing older will do.
    private let isAppliance: Bool

    static let identity: StaticString = "appliance"
    /// A name is needed in the place: an empty identity is no valid one in TLS 1.3. The peers don't look at it.
    private static let foreignIdentity: StaticString = "bacula"

    /// - Parameter host: What the configuration calls the server; unused on the server's side.
    init(
        _ kind: TLSSession.Kind, isServer: Bool, policy: TLSPolicy, secret: SharedSecret, isAppliance: Bool,
        host: String
    ) throws(TLSFailure) {
        unsafe context = SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method())!
        self.kind = kind
        self.isServer = isServer
        self.host = host
        self.secret = secret
        self.isAppliance = isAppliance
        allowedCommonNames = policy.certificates?.allowedCommonNames ?? []
        unsafe appliance_SSL_CTX_harden(context)
        let dropsTLS = kind == .certificates && policy.certificates?.authenticateOnly == true
        unsafe appliance_SSL_CTX_set_min_proto_version(
            context, isAppliance && !dropsTLS ? TLS1_3_VERSION : TLS1_2_VERSION)
        // In TLS 1.3 a server may still speak after its client is through; clear text could not follow that.
        unsafe appliance_SSL_CTX_set_max_proto_version(context, dropsTLS ? TLS1_2_VERSION : TLS1_3_VERSION)
        // The fastest first where there are AES instructions. A pre-shared key goes with SHA-256 suites only.
        let suites =
            "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"
            + (kind == .certificates ? ":TLS_AES_256_GCM_SHA384" : "")
        unsafe SSL_CTX_set_ciphersuites(context, suites)
        switch kind {
        case .preSharedKey: usePreSharedKey()
        case .certificates:
            guard let certificates = policy.certificates else {
                throw TLSFailure(reason: "no TLS certificates are set up.")
            }
            try use(certificates)
        }
    }

    deinit { unsafe SSL_CTX_free(context) }

    // MARK: - Pre-shared key

    private func usePreSharedKey() {
        // A server that answers with a certificate instead fails at its client: there is no authority to accept it by. The
        // server itself has no certificate to answer with.
        unsafe SSL_CTX_set_verify(context, isServer ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set_cipher_list(context, "ECDHE-PSK-AES256-CBC-SHA384:PSK-AES256-GCM-SHA384:PSK-AES256-CBC-SHA")
        if isServer {
            unsafe SSL_CTX_set_psk_find_session_callback(context) { ssl, identity, count, session in
                let setup = unsafe TLSSetup.of(ssl)
                let name = unsafe UnsafeBufferPointer(start: identity, count: count)
                let isOurs = unsafe name.elementsEqual(TLSSetup.identity.bytes)
                unsafe session!.pointee = nil
                if isOurs || !setup.isAppliance {
                    unsafe session!.pointee = TLSSetup.session(
                        ssl, key: isOurs ? setup.secret.tlsKey : Array(setup.secret.key.utf8))
                }
                return 1
            }
            guard !isAppliance else { return }
            unsafe SSL_CTX_set_psk_server_callback(context) { ssl, _, key, keyMax in
                unsafe TLSSetup.of(ssl).giveText(key, keyMax)
            }
        } else {
            unsafe SSL_CTX_set_psk_use_session_callback(context) { ssl, digest, identity, count, session in
                // A digest is given when the server has chosen already; ours are all of one kind.
                if let digest = unsafe digest, unsafe EVP_MD_get_type(digest) != NID_sha256 { return 0 }
                let setup = unsafe TLSSetup.of(ssl)
                let name = setup.isAppliance ? TLSSetup.identity : TLSSetup.foreignIdentity
                unsafe identity!.pointee = name.utf8Start
                unsafe count!.pointee = name.utf8CodeUnitCount
                unsafe session!.pointee = TLSSetup.session(
                    ssl, key: setup.isAppliance ? setup.secret.tlsKey : Array(setup.secret.key.utf8))
                return unsafe session!.pointee == nil ? 0 : 1
            }
            guard !isAppliance else { return }
            unsafe SSL_CTX_set_psk_client_callback(context) { ssl, _, identity, identityMax, key, keyMax in
                let name = TLSSetup.foreignIdentity
                guard Int(identityMax) > name.utf8CodeUnitCount else { return 0 }
                for (index, byte) in name.bytes.enumerated() { unsafe identity![index] = CChar(bitPattern: byte) }
                unsafe identity![name.utf8CodeUnitCount] = 0
                return unsafe TLSSetup.of(ssl).giveText(key, keyMax)
            }
        }
    }

    /// The setup behind a callback's SSL object, which keeps it alive through its session.
    private static func of(_ ssl: OpaquePointer?) -> TLSSetup {
        unsafe Unmanaged<TLSSetup>.fromOpaque(SSL_get_ex_data(ssl, 0)).takeUnretainedValue()
    }

    /// TLS 1.2: copies the secret's text.
    private func giveText(_ key: UnsafeMutablePointer<UInt8>?, _ keyMax: UInt32) -> UInt32 {
        let text = Array(secret.key.utf8)
        guard let key = unsafe key, text.count <= Int(keyMax) else { return 0 }
        for (index, byte) in text.enumerated() { unsafe key[index] = byte }
        return UInt32(text.count)
    }

    /// TLS 1.3 wants an external key dressed as a session; its cipher names the digest that the key goes with.
    private static func session(_ ssl: OpaquePointer?, key: [UInt8]) -> OpaquePointer? {
        guard let session = unsafe SSL_SESSION_new() else { return nil }
        let number: [UInt8] = [0x13, 0x01]  // TLS_AES_128_GCM_SHA256
        guard unsafe SSL_SESSION_set1_master_key(session, key, key.count) == 1,
            let cipher = unsafe SSL_CIPHER_find(ssl, number),
            unsafe SSL_SESSION_set_cipher(session, cipher) == 1,
            unsafe SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1
        else {
            unsafe SSL_SESSION_free(session)
            return nil
        }
        return unsafe session
    }

    // MARK: - Certificates

    private func use(_ certificates: TLSPolicy.Certificates) throws(TLSFailure) {
        // Suites of TLS 1.2 for old peers, without those that have no forward secrecy or no encryption.
        unsafe SSL_CTX_set_cipher_list(
            context, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES:DHE+AES:!aNULL:!eNULL:!MD5")
        ERR_clear_error()
        if let file = certificates.certificateFile {
            guard unsafe SSL_CTX_use_certificate_chain_file(context, file) == 1 else {
                throw failure(of: "TLS Certificate", file)
            }
            let key = certificates.keyFile ?? file
            guard unsafe SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1,
                unsafe SSL_CTX_check_private_key(context) == 1
            else { throw failure(of: "TLS Key", key) }
        } else if isServer {
            throw TLSFailure(
                reason: "who accepts TLS connections needs a certificate, and TLS Certificate is not given.",
                remedy: "Give TLS Certificate and TLS Key.")
        }
        if let file = certificates.caFile {
            guard unsafe SSL_CTX_load_verify_file(context, file) == 1 else {
                throw failure(of: "TLS CA Certificate File", file)
            }
            if isServer, let names = unsafe SSL_load_client_CA_file(file) {
                unsafe SSL_CTX_set_client_CA_list(context, names)
            }
        }
        if let directory = certificates.caDirectory {
            guard unsafe SSL_CTX_load_verify_dir(context, directory) == 1 else {
                throw failure(of: "TLS CA Certificate Dir", directory)
            }
        }
        let verifies = !isServer || certificates.verifyPeer
        if verifies, certificates.caFile == nil, certificates.caDirectory == nil {
            throw TLSFailure(
                reason:
                    "the peer's certificate can't be verified: neither TLS CA Certificate File nor TLS CA Certificate Dir is given.",
                remedy: "Give one of them\(isServer ? ", or say TLS Verify Peer = no" : "").")
        }
        unsafe SSL_CTX_set_verify(
            context, verifies ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE, nil)
    }

    private func failure(of directive: String, _ file: String) -> TLSFailure {
        TLSFailure(
            reason: "\(directive) \(file) can't be used: \(OpenSSLError.take()).",
            remedy:
                "Check that the file is there, is readable for the daemon, is in PEM form, and that key and certificate belong together."
        )
    }

    // MARK: - After the handshake

    /// Throws unless the peer of a complete handshake is who it should be.
    func checkPeer(_ ssl: OpaquePointer) throws(TLSFailure) {
        guard kind == .certificates else {
            // In TLS 1.3 the key was used as a session; in 1.2 all suites that we offer use it.
            guard unsafe SSL_version(ssl) != TLS1_3_VERSION || SSL_session_reused(ssl) == 1 else {
                throw TLSFailure(reason: "the peer did not use the pre-shared key.")
            }
            return
        }
        guard let certificate = unsafe SSL_get1_peer_certificate(ssl) else {
            if !isServer { throw TLSFailure(reason: "the peer showed no certificate.") }
            return  // TLS Verify Peer = no; else the handshake would have failed
        }
        defer { unsafe X509_free(certificate) }
        let commonName = unsafe Self.commonName(certificate)
        if !allowedCommonNames.isEmpty {
            guard allowedCommonNames.contains(where: { $0.lowercased() == commonName.lowercased() }) else {
                throw TLSFailure(
                    reason:
                        "the peer's certificate is made out to \"\(commonName)\", which TLS Allowed CN does not list.",
                    remedy: "Add the name to TLS Allowed CN if the peer is to be let in.")
            }
        } else if !isServer {
            let flags = UInt32(X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
            guard
                unsafe X509_check_host(certificate, host, host.utf8.count, flags, nil) == 1
                    || X509_check_ip_asc(certificate, host, 0) == 1
            else {
                throw TLSFailure(
                    reason: "the peer's certificate is made out to \"\(commonName)\", not to \"\(host)\".",
                    remedy: "Use in Address the name of the certificate, or list its name in TLS Allowed CN.")
            }
        }
    }

    private static func commonName(_ certificate: OpaquePointer) -> String {
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
            let length = unsafe buffer.withMemoryRebound(to: CChar.self) { text in
                unsafe X509_NAME_get_text_by_NID(
                    X509_get_subject_name(certificate), NID_commonName, text.baseAddress, 256)
            }
            count = max(0, min(255, Int(length)))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What to say about a handshake that failed.
    func handshakeFailure(_ ssl: OpaquePointer) -> TLSFailure {
        let verification = unsafe SSL_get_verify_result(ssl)
        let reason = OpenSSLError.take()
        if kind == .preSharedKey {
            return TLSFailure(
                reason: "the peer has another password than we have: TLS by pre-shared key failed (\(reason)).",
                remedy: "Make the passwords of both sides' resources the same.", isWrongKey: true)
        }
        if verification != Int(X509_V_OK) {
            let text = unsafe String(cString: X509_verify_cert_error_string(verification))
            return TLSFailure(
                reason: "the peer's certificate was refused: \(text).",
                remedy: "Check that TLS CA Certificate File holds the authority that signed it.")
        }
        return TLSFailure(reason: "the TLS handshake failed: \(reason).")
    }
}

extension StaticString {
    fileprivate var bytes: [UInt8] { withUTF8Buffer { unsafe Array($0) } }
}
