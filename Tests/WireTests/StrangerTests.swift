// Peers that a listener must bear: garbage, slowness, floods. An honest peer comes through meanwhile.

import Configuration
import Platform
import Synchronization
import Testing

@testable import Wire

@Suite("Strangers at a listener") struct StrangerTests {
    static let garbage: [(String, [UInt8])] = [
        ("a web browser", Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)),
        ("a TLS client", [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC]),
        ("an SSH client", Array("SSH-2.0-OpenSSH_9.2\r\n".utf8)),
        ("an oversized frame", [0x00, 0x0F, 0x42, 0x40] + [UInt8](repeating: 65, count: 5000)),
        ("a frame over the limit of strangers", frame([UInt8](repeating: 65, count: 2000))),
        ("a negative length that is no signal", [0x80, 0, 0, 0]),
        ("a signal", [255, 255, 255, 255]),
        ("a message that is no Hello", frame(Array("status all\n".utf8))),
        (
            "a compressed bomb",
            frame([0x1F, 9, 1, 0] + [UInt8](repeating: 255, count: 900) + [0, 0x00], flags: 1 << 30)
        ),
        ("zeros", [UInt8](repeating: 0, count: 200_000)),
        ("heartbeats without end", (0..<50_000).flatMap { _ in [255, 255, 255, 250] as [UInt8] }),
        ("nothing", []),
    ]

    @Test("Garbage is refused and the connection closed", arguments: garbage)
    func refused(what: String, bytes: [UInt8]) async throws {
        try await withListener(authenticationLimit: .seconds(10)) { listener in
            let peer = try RawPeer(port: listener.port)
            try? peer.send(bytes)
            if bytes.isEmpty || what == "a signal" || what == "zeros" { peer.socket.finishSending() }
            let answer = peer.readAll()
            #expect(answer.isEmpty || answer == frame(Array("2999 Authentication failed.\n".utf8)), "\(what)")
            let honest = try await dial(destination(listener), directorHello)
            try honest.channel.send("still here")
            #expect(try honest.channel.receiveLine() == "still here")
        }
    }

    @Test("Who says nothing, or speaks a byte at a time, is cut off when the time is up")
    func slow() async throws {
        try await withListener(authenticationLimit: .milliseconds(400)) { listener in
            let silent = try RawPeer(port: listener.port)
            let dripping = try RawPeer(port: listener.port)
            let drip = ElasticExecutor.shared.detach {
                for byte in frame(Array("Hello Director test-dir calling 103\n".utf8)) {
                    guard (try? dripping.send([byte])) != nil else { return }
                    try? await Task.sleep(for: .milliseconds(100))
                }
            }
            #expect(silent.readAll().isEmpty)
            #expect(dripping.readAll().isEmpty)
            drip.cancel()
        }
    }

    @Test("When all places for strangers are taken, an honest peer still comes through")
    func fullHouse() async throws {
        try await withListener(authenticationLimit: .seconds(30), unauthenticatedMax: 8) { listener in
            let silent = try (0..<40).map { _ in try RawPeer(port: listener.port) }
            var to = destination(listener)
            to.connectLimit = .seconds(60)
            let honest = try await dial(to, directorHello)
            try honest.channel.send("through")
            #expect(try honest.channel.receiveLine() == "through")
            withExtendedLifetime(silent) {}
        }
    }

    @Test("Two hundred connections at once are all served", arguments: [TLSPolicy.plainText, .preSharedKeyRequired])
    func many(policy: TLSPolicy) async throws {
        let served = Tally()
        try await withListener(policy: policy) { listener in
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask(executorPreference: ElasticExecutor.shared) {
                        do {
                            let connection = try await dial(destination(listener, tls: policy), directorHello)
                            try connection.channel.send("number \(number)")
                            let echoed = try connection.channel.receiveLine()
                            if echoed == "number \(number)" { served.add() }
                            connection.channel.close(terminate: true)
                        } catch {
                            Issue.record(error)
                        }
                    }
                }
            }
        }
        #expect(served.count == 200)
    }

    @Test("Above the limit of connections further ones are turned away, and let in when others have gone")
    func connectionLimit() async throws {
        try await withListener(connectionsMax: 2) { listener in
            let first = try await dial(destination(listener), directorHello)
            let second = try await dial(destination(listener), directorHello)
            await #expect(throws: WireError.self) { try await dial(destination(listener), directorHello) }
            first.channel.close(terminate: true)
            second.channel.close(terminate: true)
            // The places are free as soon as the handlers have seen the end.
            var third: DialledConnection?
            for _ in 0..<50 where third == nil {
                third = try? await dial(destination(listener), directorHello)
                if third == nil { try await Task.sleep(for: .milliseconds(20)) }
            }
            #expect(third != nil)
        }
    }

    @Test("A peer that mirrors our challenge learns nothing")
    func reflection() async throws {
        try await withListener { listener in
            let peer = MessageChannel(try RawPeer(port: listener.port).socket)
            try peer.send("Hello Director test-dir calling 103\n")
            let challenge = try #require(Challenge(parsing: try peer.receiveLine()))
            // Instead of an answer, its own challenge; the listener takes it for a wrong answer.
            try peer.send(challenge.line)
            #expect(try peer.receiveLine() == "1999 Authorization failed.")
        }
        // At a dialler: a second connection's challenge is the first one's.
        let listening = try ListeningSocket("127.0.0.1", port: 0)
        let ours = Challenge(from: "test-dir", tlsNeed: 0)
        OutstandingChallenges.insert(ours, from: .connector)
        defer { OutstandingChallenges.remove(ours, from: .connector) }
        let attacker = ElasticExecutor.shared.detach {
            guard let socket = try? listening.accept() else { return }
            let channel = MessageChannel(socket)
            _ = try? channel.receiveLine()
            try? channel.send(ours.line)
            try? channel.flush()
            #expect((try? channel.receive()) == nil)
        }
        let to = Destination(
            host: "127.0.0.1", port: listening.address.port, secret: SharedSecret(password: "right"), tls: .plainText,
            ownName: "test-dir", connectLimit: .seconds(5))
        #expect(await #expect(throws: WireError.self) { try await dial(to, directorHello) }?.kind == .authentication)
        await attacker.value
    }

    @Test("A listener that stops accepting lets its connections finish")
    func stopping() async throws {
        let entry = PortMap.Listener(role: .fileDaemon, address: "127.0.0.1", port: 0, purpose: "test", connectors: [])
        let listener = try Listener(entry)
        let serving = ElasticExecutor.shared.detach {
            await listener.serve(
                name: "d",
                admit: { _ in .authenticate(SharedSecret(password: "right"), .plainText, greeting: "2000 OK Hello 214")
                },
                handler: echo)
        }
        let connection = try await dial(destination(listener), directorHello)
        listener.stopAccepting()
        try connection.channel.send("one more")
        #expect(try connection.channel.receiveLine() == "one more")
        connection.channel.close(terminate: true)
        await serving.value
    }

    @Test("Cancelling the service wakes every connection")
    func cancelling() async throws {
        let entry = PortMap.Listener(role: .fileDaemon, address: "127.0.0.1", port: 0, purpose: "test", connectors: [])
        let listener = try Listener(entry)
        let serving = ElasticExecutor.shared.detach {
            await listener.serve(
                name: "d",
                admit: { _ in .authenticate(SharedSecret(password: "right"), .plainText, greeting: "2000 OK Hello 214")
                },
                handler: echo)
        }
        let connection = try await dial(destination(listener), directorHello)
        let silent = try RawPeer(port: listener.port)
        serving.cancel()
        await serving.value
        #expect(throws: WireError.self) { try connection.channel.receive() }
        #expect(silent.readAll().isEmpty)
    }
}
