// Two ends of a connection for a test: a listener of ours on a port of its own, and raw sockets that misbehave.

import Configuration
import Glibc
import Platform
import Synchronization
import Testing

@testable import Wire

/// A listener that serves until the test's closure returns.
func withListener<R: Sendable>(
    role: Role = .fileDaemon, secret: SharedSecret = SharedSecret(password: "right"), policy: TLSPolicy = .plainText,
    greeting: String = "2000 OK Hello 214\n", authenticationLimit: Duration = .seconds(20),
    unauthenticatedMax: Int = 64,
    connectionsMax: Int = 1024, admit: (@Sendable (Hello) -> Admission)? = nil,
    handler: @escaping @Sendable (AcceptedConnection) async -> Void = echo,
    _ body: @Sendable (Listener) async throws -> R
) async throws -> R {
    let entry = PortMap.Listener(role: role, address: "127.0.0.1", port: 0, purpose: "test", connectors: [])
    let listener = try Listener(entry)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask(executorPreference: ElasticExecutor.shared) {
            await listener.serve(
                name: "test-daemon", authenticationLimit: authenticationLimit, unauthenticatedMax: unauthenticatedMax,
                connectionsMax: connectionsMax,
                admit: admit ?? { _ in .authenticate(secret, policy, greeting: greeting) }, handler: handler)
        }
        defer { group.cancelAll() }
        return try await withTaskExecutorPreference(ElasticExecutor.shared) { try await body(listener) }
    }
}

/// Answers every packet with itself, until the peer is through.
@Sendable func echo(_ connection: AcceptedConnection) async {
    do {
        while true {
            switch try connection.channel.receive() {
            case .payload(let bytes): try connection.channel.send(bytes)
            case .signal(.terminate): return
            case .signal(let signal): try connection.channel.send(signal)
            }
        }
    } catch {}
}

func destination(
    _ listener: Listener, password: String = "right", tls: TLSPolicy = .plainText, name: String = "test-dir"
) -> Destination {
    Destination(
        host: "127.0.0.1", port: listener.port, secret: SharedSecret(password: password), tls: tls, ownName: name,
        connectLimit: .seconds(10))
}

let directorHello = Hello.directorToFileDaemon(name: "test-dir", version: ProtocolVersion.director)

/// Two channels over one loopback connection, without any dialogue.
func channelPair() throws -> (MessageChannel, MessageChannel) {
    let (a, b) = try socketPair()
    return (MessageChannel(a, peer: "a"), MessageChannel(b, peer: "b"))
}

func socketPair() throws -> (StreamSocket, StreamSocket) {
    let listening = try ListeningSocket("127.0.0.1", port: 0)
    let dialled = try StreamSocket.connect(to: listening.address, within: .seconds(10)) { false }
    return (dialled, try listening.accept())
}

/// A connection that says what the test wants, byte by byte.
struct RawPeer {
    let socket: StreamSocket
    init(port: UInt16) throws {
        let address = try SocketAddress.resolve("127.0.0.1", port: port)[0]
        socket = try StreamSocket.connect(to: address, within: .seconds(10)) { false }
    }
    init(_ socket: StreamSocket) { self.socket = socket }

    func send(_ bytes: [UInt8]) throws {
        try unsafe bytes.withUnsafeBytes { try unsafe socket.send($0, within: .seconds(10)) }
    }
    func sendPacket(_ text: String) throws { try send(frame(Array(text.utf8))) }

    /// Everything until the peer closes; what came before where it breaks the connection or the limit passes.
    func readAll(within limit: Duration = .seconds(20)) -> [UInt8] {
        var all: [UInt8] = []
        while let some = try? read(within: limit), !some.isEmpty { all += some }
        return all
    }

    func read(within limit: Duration = .seconds(20)) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe socket.receive(into: $0, within: limit) }
        return Array(buffer[..<count])
    }
}

func frame(_ payload: [UInt8], flags: UInt32 = 0) -> [UInt8] {
    let head = UInt32(payload.count) | flags
    return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: head >> $0) } + payload
}

/// A count that several tasks add to.
final class Tally: Sendable {
    private let value = Mutex(0)
    func add(_ more: Int = 1) { value.withLock { $0 += more } }
    var count: Int { value.withLock { $0 } }
}
