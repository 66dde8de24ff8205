import Configuration
import Platform
import Synchronization
import Testing

@testable import Wire

@Suite("Connections in clear text") struct ConnectionTests {
    @Test("A dialled connection is authenticated both ways, greeted and usable")
    func dialling() async throws {
        try await withListener { listener in
            let connection = try await dial(destination(listener), directorHello)
            #expect(connection.greeting == "2000 OK Hello 214")
            #expect(connection.peerVersion == 214)
            #expect(connection.isAppliance)
            #expect(connection.channel.security == "plain text")
            try connection.channel.send("status")
            #expect(try connection.channel.receiveLine() == "status")
            try connection.channel.send(.endOfData)
            #expect(try connection.channel.receive() == .signal(.endOfData))
            connection.channel.close(terminate: true)
            #expect(throws: WireError.self) { try connection.channel.send("more") }
        }
    }

    @Test("A wrong password is refused, and the connection is not retried")
    func wrongPassword() async throws {
        try await withListener { listener in
            let error = await #expect(throws: WireError.self) {
                try await dial(destination(listener, password: "wrong"), directorHello)
            }
            #expect(error?.kind == .authentication)
            #expect(error?.isPermanent == true)
        }
    }

    @Test("A caller at another role's port is told so by that role's refusal")
    func wrongRole() async throws {
        try await withListener(role: .director, greeting: "1000 OK: 103 d Version: 1") { listener in
            let error = await #expect(throws: WireError.self) { try await dial(destination(listener), directorHello) }
            #expect(error?.kind == .authentication)
            #expect(error?.detail.contains("1999 You are not authorized.") == true)
        }
    }

    @Test("Ping is answered without authentication")
    func ping() async throws {
        try await withListener { listener in
            let connection = try await dial(destination(listener, password: "wrong"), .ping)
            #expect(connection.greeting == "2000 Ping OK")
        }
    }

    @Test("A storage daemon that calls a file daemon is authenticated as if the file daemon had called")
    func storageCallsClient() async throws {
        let key = SharedSecret(authorization: "AAAA-BBBB")
        try await withListener(secret: key) { listener in
            var to = destination(listener)
            to.secret = key
            let connection = try await dial(
                to, .storageDaemonToFileDaemon(job: "J.2026-11-21_00.00.36_03", version: 306))
            try connection.channel.send("hello")
            #expect(try connection.channel.receiveLine() == "hello")
        }
    }

    @Test("A port without a listener is tried until the limit, and the error says what to do")
    func nobodyListens() async throws {
        let socket = try ListeningSocket("127.0.0.1", port: 0)
        let port = socket.address.port
        socket.shutDown()
        let error = await #expect(throws: WireError.self) {
            try await dial(
                Destination(
                    host: "127.0.0.1", port: port, secret: SharedSecret(password: "x"), tls: .plainText, ownName: "x",
                    connectLimit: .milliseconds(400)), directorHello)
        }
        #expect(error?.kind == .refused)
        #expect(error?.isPermanent == false)
    }

    @Test("A listener on every address takes IPv4 and IPv6 callers")
    func dualStack() async throws {
        let listening = try ListeningSocket("", port: 0)
        for host in ["127.0.0.1", "::1"] {
            guard let address = try? SocketAddress.resolve(host, port: listening.address.port).first,
                let dialled = try? StreamSocket.connect(to: address, within: .seconds(5), isCancelled: { false })
            else {
                #expect(host == "::1", "IPv4 must work everywhere")
                continue
            }
            let accepted = try listening.accept()
            #expect(accepted.peer.host == host)
            withExtendedLifetime(dialled) {}
        }
    }

    @Test("An 11+ file daemon gets the capabilities packet before its challenge")
    func capabilities() async throws {
        try await withListener(role: .storageDaemon, greeting: "3000 OK Hello 306") { listener in
            let channel = MessageChannel(try RawPeer(port: listener.port).socket)
            try channel.send("Hello Bacula SD: Start Job J.2026-11-21_00.00.36_03 15 tlspsk=100\n")
            #expect(try channel.receiveLine().hasPrefix("sdcaps: dedup=0 hash=0"))
            try channel.send("fdcaps: dedup=0 rehydration=0 proxy=0\n")
            let challenge = try #require(Challenge(parsing: try channel.receiveLine()))
            let secret = SharedSecret(password: "right")
            try channel.send(challenge.response(secret))
            #expect(try channel.receiveLine() == "1000 OK auth")
            let ours = Challenge(from: "fd", tlsNeed: 0)
            try channel.send(ours.line)
            #expect(ours.isAnswered(by: try channel.receiveLine(), secret))
            try channel.send("1000 OK auth\n")
            #expect(try channel.receiveLine() == "3000 OK Hello 306")
        }
    }
}
