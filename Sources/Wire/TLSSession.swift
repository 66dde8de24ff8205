// One TLS connection by OpenSSL, between buffers instead of sockets.
//
// OpenSSL never sees the socket: it reads what `MessageChannel` received and writes what `MessageChannel` will send, both
// by a BIO of our own that copies from and to memory. So nothing here waits for the network, one thread may decrypt
// while another sends, and a batch of packets costs one send(2) instead of one per 16 KiB record.
//
// `lock` guards the SSL object and the BIO's ends; it is held while bytes are encrypted or decrypted and never longer.

import COpenSSL
import Platform

/// Why TLS could not be set up or broke, as a sentence for the operator.
struct TLSFailure: Error {
    var reason: String
    var remedy = ""
    /// The two sides' keys differ: to the operator that is a wrong password.
    var isWrongKey = false
}

/// Sendable although it owns an SSL object: every use of it happens with `lock` held. Safe although it holds pointers:
/// both objects are created in `init`, freed in `deinit` and never handed out.
@safe final class TLSSession: @unchecked Sendable {
    enum Kind: Sendable { case certificates, preSharedKey }

    private let ssl: OpaquePointer
    private let setup: TLSSetup  // keeps alive what the callbacks of `ssl` use
    private let pipe: CipherPipe
    private let lock = Monitor(())
    /// Output that was sent, kept for its storage. Used by the holder of the channel's sending turn only.
    private var spare: [UInt8] = []
    private var bytesUnderKey = 0
    private var isFinished = false

    /// AES-GCM keys are good for 2^24 full records (RFC 8446, 5.5), which is 256 GiB; a new one costs nothing.
    private static let bytesUnderKeyMax = 64 << 30

    init(_ setup: TLSSetup) throws(TLSFailure) {
        guard let ssl = unsafe SSL_new(setup.context), let bio = unsafe BIO_new(CipherPipe.method) else {
            throw TLSFailure(reason: "TLS can't be set up: \(OpenSSLError.take()).")
        }
        unsafe self.ssl = ssl
        self.setup = setup
        pipe = CipherPipe()
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(pipe).toOpaque())
        unsafe BIO_set_init(bio, 1)
        unsafe SSL_set_bio(ssl, bio, bio)
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(setup).toOpaque())
        if setup.isServer { unsafe SSL_set_accept_state(ssl) } else { unsafe SSL_set_connect_state(ssl) }
    }

    deinit { unsafe SSL_free(ssl) }  // frees the BIO too

    // MARK: - Handshake

    /// Takes from `sealed` and goes as far as that leads; what is to be sent is the output.
    ///
    /// - Returns: Whether the handshake is complete and its peer the right one; else more bytes are needed.
    func advanceHandshake(_ sealed: inout ReadBuffer) throws(TLSFailure) -> Bool {
        try lock.read { _ throws(TLSFailure) in
            ERR_clear_error()
            let result = offering(&sealed) { unsafe SSL_do_handshake(ssl) }
            if result == 1 {
                try unsafe setup.checkPeer(ssl)
                return true
            }
            let error = unsafe SSL_get_error(ssl, result)
            if error == SSL_ERROR_WANT_READ { return false }
            throw unsafe setup.handshakeFailure(ssl)
        }
    }

    /// `TLSv1.3 PSK (TLS_AES_128_GCM_SHA256)`.
    var description: String {
        lock.read { _ in
            let version = unsafe String(cString: SSL_get_version(ssl))
            let cipher = unsafe String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)))
            return "\(version) \(setup.kind == .preSharedKey ? "PSK" : "certificate") (\(cipher))"
        }
    }

    // MARK: - Data

    /// Encrypts `bytes` into the output.
    func encrypt(_ bytes: [UInt8]) throws(TLSFailure) {
        guard !bytes.isEmpty else { return }
        try lock.read { _ throws(TLSFailure) in
            ERR_clear_error()
            bytesUnderKey += bytes.count
            if bytesUnderKey > Self.bytesUnderKeyMax, unsafe SSL_version(ssl) == TLS1_3_VERSION {
                unsafe SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED)
                bytesUnderKey = 0
            }
            let written = unsafe bytes.withUnsafeBytes { unsafe SSL_write(ssl, $0.baseAddress, Int32($0.count)) }
            guard written == bytes.count else { throw TLSFailure(reason: "TLS can't encrypt: \(OpenSSLError.take()).") }
        }
    }

    /// Hands the output over and forgets it. Only the holder of the channel's sending turn calls this, so that records
    /// leave in the order in which they were numbered.
    func withOutput<E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {
        var output: [UInt8] = []
        lock.read { _ in
            swap(&output, &pipe.output)
            swap(&pipe.output, &spare)
        }
        if !output.isEmpty {
            try unsafe output.span.withUnsafeBufferPointer { bytes throws(E) in
                try unsafe body(UnsafeRawBufferPointer(bytes))
            }
        }
        output.removeAll(keepingCapacity: true)
        lock.read { _ in swap(&spare, &output) }
    }

    /// Decrypts from `sealed` into `plain` until either is used up.
    ///
    /// - Returns: The count of plain bytes; 0 when more sealed ones are needed; nil when the peer has said goodbye.
    func decrypt(_ sealed: inout ReadBuffer, into plain: UnsafeMutableRawBufferPointer) -> Result<Int?, TLSFailure> {
        lock.read { _ in
            ERR_clear_error()
            var total = 0
            var ending: Int32 = SSL_ERROR_NONE
            offering(&sealed) {
                while total < plain.count {
                    let count = unsafe SSL_read(ssl, plain.baseAddress! + total, Int32(plain.count - total))
                    if count <= 0 {
                        ending = unsafe SSL_get_error(ssl, count)
                        break
                    }
                    total += Int(count)
                }
                return 0
            }
            if total > 0 { return .success(total) }  // an error comes again at the next call
            switch ending {
            case SSL_ERROR_NONE, SSL_ERROR_WANT_READ: return .success(0)
            case SSL_ERROR_ZERO_RETURN: return .success(nil)
            default: return .failure(TLSFailure(reason: "the encrypted connection is damaged: \(OpenSSLError.take())."))
            }
        }
    }

    /// Makes the closing alert the output.
    func sayGoodbye() {
        lock.read { _ in
            ERR_clear_error()
            _ = unsafe SSL_shutdown(ssl)
        }
    }

    /// Runs `body` while the BIO reads from `sealed`. With `lock` held.
    @discardableResult
    private func offering(_ sealed: inout ReadBuffer, _ body: () -> Int32) -> Int32 {
        unsafe sealed.consume { bytes in
            unsafe pipe.input = bytes
            let result = body()
            unsafe bytes = pipe.input
            unsafe pipe.input = UnsafeRawBufferPointer(start: nil, count: 0)
            return result
        }
    }
}

/// The two ends of OpenSSL's BIO in our memory. Used only under the session's lock.
@safe private final class CipherPipe {
    /// What is left to read; points into the caller's buffer for the time of one call.
    var input = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    var output: [UInt8] = []

    /// How OpenSSL calls us. One for the process, never changed, never freed: a BIO_METHOD has no other owner.
    nonisolated(unsafe) static let method: OpaquePointer = {
        let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "appliance buffers")!
        unsafe BIO_meth_set_read(method) { bio, target, count in
            unsafe appliance_BIO_clear_retry(bio)
            let pipe = unsafe Unmanaged<CipherPipe>.fromOpaque(BIO_get_data(bio)).takeUnretainedValue()
            let take = unsafe min(Int(count), pipe.input.count)
            guard take > 0, let target = unsafe target else {
                unsafe appliance_BIO_ask_again_to_read(bio)
                return -1
            }
            unsafe UnsafeMutableRawPointer(target).copyMemory(from: pipe.input.baseAddress!, byteCount: take)
            unsafe pipe.input = UnsafeRawBufferPointer(rebasing: pipe.input[take...])
            return Int32(take)
        }
        unsafe BIO_meth_set_write(method) { bio, source, count in
            unsafe appliance_BIO_clear_retry(bio)
            guard let source = unsafe source, count > 0 else { return 0 }
            let pipe = unsafe Unmanaged<CipherPipe>.fromOpaque(BIO_get_data(bio)).takeUnretainedValue()
            unsafe pipe.output.append(contentsOf: UnsafeRawBufferPointer(start: source, count: Int(count)))
            return count
        }
        // Only a flush needs an answer; there is nothing to flush.
        unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in command == Int32(BIO_CTRL_FLUSH) ? 1 : 0 }
        return unsafe method
    }()
}

enum OpenSSLError {
    /// The newest reason in this thread's queue, in words, and an empty queue.
    static func take() -> String {
        var reason = "no reason given"
        while true {
            let code = ERR_get_error()
            guard code != 0 else { return reason }
            if let text = unsafe ERR_reason_error_string(code) { reason = unsafe String(cString: text) }
        }
    }
}
