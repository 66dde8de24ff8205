import Configuration
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Wire

@Suite("TLS by pre-shared key") struct PreSharedKeyTests {
    @Test("Between ours it is TLS 1.3, on by default, with forward secrecy")
    func ours() async throws {
        try await withListener(policy: .preSharedKeyRequired) { listener in
            let connection = try await dial(destination(listener, tls: .preSharedKeyRequired), directorHello)
            #expect(connection.channel.security == "TLSv1.3 PSK (TLS_AES_128_GCM_SHA256)")
            #expect(connection.isAppliance)
            try connection.channel.send("secret text")
            #expect(try connection.channel.receiveLine() == "secret text")
            let large = [UInt8]((0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            try connection.channel.send(large)
            #expect(try connection.channel.receive() == .payload(large))
            connection.channel.close(terminate: true)
        }
    }

    @Test("A wrong password fails in the handshake, on both sides, at once")
    func wrongPassword() async throws {
        try await withListener(policy: .preSharedKeyRequired) { listener in
            let error = await #expect(throws: WireError.self) {
                try await dial(destination(listener, password: "wrong", tls: .preSharedKeyRequired), directorHello)
            }
            #expect(error?.kind == .authentication)
            #expect(error?.remedy.contains("passwords") == true)
        }
    }

    @Test(
        "Both sides' needs decide: encrypted where both can, refused where one must and the other can't",
        arguments: [
            (TLSPolicy.PreSharedKey.off, TLSPolicy.PreSharedKey.off, "plain"), (.off, .offered, "plain"),
            (.offered, .off, "plain"),
            (.offered, .offered, "psk"), (.offered, .required, "psk"), (.required, .offered, "psk"),
            (.required, .required, "psk"),
            (.off, .required, "refused"), (.required, .off, "refused"),
        ])
    func needs(own: TLSPolicy.PreSharedKey, peer: TLSPolicy.PreSharedKey, outcome: String) async throws {
        try await withListener(policy: TLSPolicy(preSharedKey: peer)) { listener in
            do throws(WireError) {
                let connection = try await dial(destination(listener, tls: TLSPolicy(preSharedKey: own)), directorHello)
                #expect(outcome == (connection.channel.security == "plain text" ? "plain" : "psk"))
            } catch {
                #expect(outcome == "refused")
            }
        }
    }

    @Test("Stripping the offer on the way does not lead to clear text")
    func downgrade() async throws {
        // The attacker takes ` tlspsk=200` out of the Hello; the acceptor that requires TLS refuses.
        try await withListener(policy: .preSharedKeyRequired) { listener in
            let peer = MessageChannel(try RawPeer(port: listener.port).socket)
            try peer.send("Hello Director test-dir calling 103\n")
            #expect(try peer.receiveLine() == "2999 Authentication failed.")
        }
        // The attacker answers in the acceptor's place with a challenge instead of starttls; the dialler goes away.
        let listening = try ListeningSocket("127.0.0.1", port: 0)
        let attacker = ElasticExecutor.shared.detach {
            guard let socket = try? listening.accept() else { return }
            let channel = MessageChannel(socket)
            _ = try? channel.receiveLine()
            try? channel.send("auth cram-md5 <1.2@fd> ssl=0\n")
            try? channel.flush()
            #expect((try? channel.receive()) == nil, "no answer to a challenge in clear text")
        }
        let to = Destination(
            host: "127.0.0.1", port: listening.address.port, secret: SharedSecret(password: "right"),
            tls: .preSharedKeyRequired,
            ownName: "d", connectLimit: .seconds(5))
        let error = await #expect(throws: WireError.self) { try await dial(to, directorHello) }
        #expect(error?.kind == .tls)
        await attacker.value
    }

    @Test(
        "A peer of release 11, with the secret's text as key, is served in TLS 1.2 and 1.3",
        arguments: ["-tls1_2 -cipher PSK-AES256-CBC-SHA:@SECLEVEL=0", "-tls1_3"])
    func elevenAsConnector(options: String) async throws {
        let directory = TemporaryDirectory()
        try await withListener(policy: .preSharedKeyRequired) { listener in
            // openssl(1) speaks TLS, but not our frames: a relay goes through the frames before the handshake in its place.
            let relay = try ListeningSocket("127.0.0.1", port: 0)
            let port = listener.port
            let relaying = ElasticExecutor.shared.detach {
                guard let client = try? relay.accept(), let upstream = try? RawPeer(port: port) else { return }
                try? upstream.sendPacket("Hello Director test-dir calling 10002 tlspsk=100\n")
                guard let answer = try? upstream.read(), answer == frame(Array("starttls tlspsk=200\n".utf8)) else {
                    return
                }
                await join(RawPeer(client), upstream)
            }
            let key = SharedSecret(password: "right").key
            let hexadecimal = Digest.hexadecimal(Array(key.utf8))
            let program = try ChildProgram([
                "/bin/sh", "-c",
                "(for i in $(seq 200); do grep -aq 'auth cram' \(directory.file("out")) && exit; sleep 0.1; done) | openssl s_client -connect 127.0.0.1:\(relay.address.port) -psk \(hexadecimal) -psk_identity x \(options) >\(directory.file("out")) 2>&1",
            ])
            _ = program.wait()
            let output = try read(directory.file("out"))
            // The acceptor's first packet inside TLS is its challenge.
            #expect(output.contains("auth cram-md5 <"), "\(output)")
            _ = relaying
        }
    }
}

/// Copies both ways until both have ended.
func join(_ a: RawPeer, _ b: RawPeer) async {
    let back = ElasticExecutor.shared.detach {
        while let bytes = try? b.read(), !bytes.isEmpty { try? a.send(bytes) }
        a.socket.shutDown()
    }
    while let bytes = try? a.read(), !bytes.isEmpty { try? b.send(bytes) }
    b.socket.shutDown()
    await back.value
}

@Suite("TLS by certificates") struct CertificateTests {
    /// Made by openssl(1): an authority, a server's and a client's certificate of it, and a stranger.
    struct Authority {
        let directory = TemporaryDirectory()
        init() throws {
            let script = """
                set -e; cd \(directory.path)
                new() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -keyout $1.key -out $1.pem -subj "/CN=$2" "${@:3}" ; }
                sign() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $1.key -out $1.csr -subj "/CN=$2"
                  printf '%s' "$3" >$1.ext; openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile $1.ext -out $1.pem ; }
                new ca authority
                sign server 127.0.0.1 'subjectAltName=DNS:backup.example,DNS:*.wild.example'
                sign client client.example ''
                sign other other.example ''
                new stranger 127.0.0.1
                """
            try write(script, directory.file("make"))
            let program = try ChildProgram([
                "/bin/bash", "-c", "exec bash \(directory.file("make")) >\(directory.file("log")) 2>&1",
            ])
            guard program.wait() == 0 else { throw SystemError("openssl", directory.path, errno: 0) }
        }
        func policy(
            _ name: String?, required: Bool = true, ca: String = "ca.pem", allowed: [String] = [], verify: Bool = true,
            authenticateOnly: Bool = false, preSharedKey: TLSPolicy.PreSharedKey = .off
        ) -> TLSPolicy {
            TLSPolicy(
                preSharedKey: preSharedKey,
                certificates: .init(
                    required: required, verifyPeer: verify, caFile: directory.file(ca), caDirectory: nil,
                    certificateFile: name.map { directory.file($0 + ".pem") },
                    keyFile: name.map { directory.file($0 + ".key") },
                    allowedCommonNames: allowed, authenticateOnly: authenticateOnly))
        }
    }

    /// The text that came through, or the error.
    private func attempt(_ server: TLSPolicy, _ client: TLSPolicy, host: String = "127.0.0.1") async throws -> Result<
        String, WireError
    > {
        try await withListener(policy: server) { listener in
            var to = destination(listener, tls: client)
            to.host = host
            do throws(WireError) {
                let connection = try await dial(to, directorHello)
                try connection.channel.send("through")
                _ = try connection.channel.receiveLine()
                let security = connection.channel.security
                connection.channel.close(terminate: true)
                return .success(security)
            } catch {
                return .failure(error)
            }
        }
    }
    private func failed(_ result: Result<String, WireError>) -> String {
        if case .failure(let error) = result { error.description } else { "" }
    }

    @Test("Both sides' certificates are verified against the authority, the server's against the address")
    func certificates() async throws {
        let authority = try Authority()
        let server = authority.policy("server")
        let client = authority.policy("client")
        #expect(try await attempt(server, client).get() == "TLSv1.3 certificate (TLS_AES_128_GCM_SHA256)")
        // localhost resolves to the same address, but is not what the certificate says.
        let elsewhere = failed(try await attempt(server, client, host: "localhost"))
        #expect(elsewhere.contains("not to \"localhost\""))
        // A certificate of nobody we know.
        #expect(failed(try await attempt(authority.policy("stranger"), client)).contains("refused"))
        // A client without a certificate.
        #expect(failed(try await attempt(server, authority.policy(nil))) != "")
        #expect(
            try await attempt(authority.policy("server", verify: false), authority.policy(nil)).get().contains(
                "certificate"))
    }

    @Test("TLS Allowed CN lists who may come in")
    func allowedNames() async throws {
        let authority = try Authority()
        let server = authority.policy("server", allowed: ["Client.Example"])
        #expect(try await attempt(server, authority.policy("client")).get().contains("TLSv1.3"))
        #expect(failed(try await attempt(server, authority.policy("other"))) != "")
        // On the dialling side the list takes the place of the address.
        #expect(
            try await attempt(
                authority.policy("server"), authority.policy("client", allowed: ["127.0.0.1"]), host: "localhost"
            ).get() != "")
        #expect(
            failed(try await attempt(authority.policy("server"), authority.policy("client", allowed: ["x"]))).contains(
                "TLS Allowed CN"))
    }

    @Test("TLS Authenticate encrypts the authentication and then goes on in clear text")
    func authenticateOnly() async throws {
        let authority = try Authority()
        let result = try await attempt(
            authority.policy("server", authenticateOnly: true), authority.policy("client", authenticateOnly: true))
        #expect(try result.get().contains("for the authentication only"))
    }

    @Test("Certificates come before the pre-shared key, which serves peers that have none")
    func both() async throws {
        let authority = try Authority()
        let server = authority.policy("server", preSharedKey: .required)
        #expect(
            try await attempt(server, authority.policy("client", preSharedKey: .offered)).get().contains("certificate"))
        #expect(try await attempt(server, .preSharedKeyRequired).get().contains("PSK"))
        #expect(
            failed(try await attempt(authority.policy("server", preSharedKey: .offered), .preSharedKeyRequired)) != "")
    }

    @Test("An unusable file is named in the error")
    func files() async throws {
        let authority = try Authority()
        var client = authority.policy("client")
        client.certificates?.caFile = "/nowhere/ca.pem"
        #expect(
            failed(try await attempt(authority.policy("server"), client)).contains(
                "TLS CA Certificate File /nowhere/ca.pem"))
        client = authority.policy("client")
        client.certificates?.keyFile = authority.directory.file("server.key")
        #expect(failed(try await attempt(authority.policy("server"), client)).contains("TLS Key"))
    }
}

@Suite("TLS policies of resources") struct PolicyTests {
    private func policy(_ values: [String: Value]) -> TLSPolicy {
        TLSPolicy(
            Resource(kind: .client, name: "c", location: SourceLocation(file: "f", line: 1, column: 1), values: values))
    }

    @Test("Without directives the pre-shared key is required; TLS Enable = no is clear text")
    func defaults() {
        #expect(policy([:]) == .preSharedKeyRequired)
        #expect(policy(["TlsEnable": .bool(false)]) == .plainText)
        #expect(policy(["TlsPskEnable": .bool(false)]) == .plainText)
        #expect(policy(["TlsRequire": .bool(false)]) == TLSPolicy(preSharedKey: .offered))
        #expect(policy(["TlsEnable": .bool(true)]) == .preSharedKeyRequired)
    }

    @Test("Certificates are required, unless TLS Require = no")
    func certificates() {
        let files: [String: Value] = [
            "TlsEnable": .bool(true), "TlsCertificate": .text("/c"), "TlsAllowedCn": .list([.text("a"), .text("b")]),
        ]
        #expect(policy(files).certificates?.required == true)
        #expect(policy(files).certificates?.allowedCommonNames == ["a", "b"])
        #expect(policy(files).preSharedKey == .offered)
        #expect(policy(files.merging(["TlsRequire": .bool(false)]) { $1 }).certificates?.required == false)
        #expect(policy(files.merging(["TlsPskEnable": .bool(false)]) { $1 }).preSharedKey == .off)
        #expect(policy(files.merging(["TlsPskEnable": .bool(true)]) { $1 }).preSharedKey == .required)
    }
}
