// Dialling: finding the peer, with patience, then the dialogue of Handshake.swift.

import Platform

/// What a dialler needs to know.
package struct Destination: Sendable {
    package var host: String
    package var port: UInt16
    package var secret: SharedSecret
    package var tls: TLSPolicy
    /// Our own name in Hello and challenges.
    package var ownName: String
    /// Local address to dial from; nil: the kernel chooses.
    package var sourceAddress: String?
    /// How long to keep trying before giving up.
    package var connectLimit: Duration
    package var heartbeat: Duration?
    package init(
        host: String, port: UInt16, secret: SharedSecret, tls: TLSPolicy, ownName: String, sourceAddress: String? = nil,
        connectLimit: Duration = .seconds(180), heartbeat: Duration? = .seconds(30)
    ) {
        self.host = host
        self.port = port
        self.secret = secret
        self.tls = tls
        self.ownName = ownName
        self.sourceAddress = sourceAddress
        self.connectLimit = connectLimit
        self.heartbeat = heartbeat
    }
    var name: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// A dialled, authenticated connection.
package struct DialledConnection: Sendable {
    package let channel: MessageChannel
    /// The greeting line, without its newline: `3000 OK Hello 306`.
    package let greeting: String
    package let isAppliance: Bool
    /// The version number in the greeting, or 0.
    package let peerVersion: Int
}

/// How long a peer may take from Hello to greeting. Daemons keep a refused peer waiting for some seconds, and a busy one
/// may take longer.
private let handshakeLimit: Duration = .seconds(120)

/// Connects, says Hello, secures and authenticates. Blocks; cancelling the task ends it.
///
/// Peers that refuse the connection, are unreachable or don't answer are tried again until `connectLimit`; a peer that
/// answers and refuses us is not.
package func dial(_ destination: Destination, _ hello: Hello) async throws(WireError) -> DialledConnection {
    let result: Result<DialledConnection, WireError> = await withTaskExecutorPreference(ElasticExecutor.shared) {
        do throws(WireError) {
            let socket = try await reach(destination)
            return .success(try await introduce(socket, destination, hello))
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}

private func introduce(_ socket: StreamSocket, _ destination: Destination, _ hello: Hello) async throws(WireError)
    -> DialledConnection
{
    let channel = MessageChannel(socket, peer: destination.name)
    let result: Result<DialledConnection, WireError> = await withTaskCancellationHandler {
        do throws(WireError) {
            return .success(try converse(channel, destination, hello))
        } catch {
            channel.close()
            return .failure(error)
        }
    } onCancel: {
        channel.interrupt()
    }
    return try result.get()
}

private func converse(_ channel: MessageChannel, _ destination: Destination, _ hello: Hello) throws(WireError)
    -> DialledConnection
{
    channel.setLimits { limits in
        limits.deadline = .now + handshakeLimit
        limits.payloadMax = Listener.greetingMax
    }
    var handshake = Handshake(
        channel, ownName: destination.ownName, secret: destination.secret, policy: destination.tls)
    var greeting: String
    switch hello {
    case .ping:
        try channel.send("Ping")
        greeting = try channel.receiveLine()
    case .storageDaemonToFileDaemon:
        // The called file daemon answers with a Hello of its own, and from there on it is as if it had called.
        try channel.send(hello.words + ApplianceMarker.text + "\n")
        let line = try channel.receiveLine()
        guard let received = ReceivedHello(parsing: line), case .jobToStorageDaemon = received.hello else {
            throw WireError(
                .unexpected, peer: channel.peer, "the called file daemon answered \"\(Handshake.shown(line))\".")
        }
        handshake.isAppliance = received.isAppliance
        try handshake.accept(received)
        greeting = "3000 OK Hello \(ProtocolVersion.storageDaemon)"
        try channel.send(greeting + (received.isAppliance ? ApplianceMarker.text : "") + "\n")
        try channel.flush()
    default:
        try handshake.connect(hello, host: destination.host)
        greeting = try channel.receiveLine()
        guard ["1000 OK", "2000 OK", "3000 OK"].contains(where: greeting.hasPrefix) else {
            throw WireError(
                .authentication, peer: channel.peer, "the peer greeted us with \"\(Handshake.shown(greeting))\".",
                remedy: "Its log says why.")
        }
        if greeting.hasSuffix(ApplianceMarker.text) {
            handshake.isAppliance = true
            greeting.removeLast(ApplianceMarker.text.count)
        }
    }
    channel.setLimits { $0 = MessageChannel.Limits() }
    channel.setHeartbeat(every: destination.heartbeat)
    return DialledConnection(
        channel: channel, greeting: greeting, isAppliance: handshake.isAppliance, peerVersion: version(in: greeting))
}

/// The number in `1000 OK: 103 lab-dir Version: …`, `2000 OK Hello 214`, `3000 OK Hello 306`.
private func version(in greeting: String) -> Int {
    let fields =
        scan(greeting, "1000 OK: %d") ?? scan(greeting, "2000 OK Hello %d") ?? scan(greeting, "3000 OK Hello %d")
    return fields.flatMap { Int($0[0]) } ?? 0
}

// MARK: - Reaching the peer

/// Tries all addresses of the host in turn, again and again with growing pauses, until the limit.
private func reach(_ destination: Destination) async throws(WireError) -> StreamSocket {
    let deadline = ContinuousClock.now + destination.connectLimit
    var pause = Duration.milliseconds(100)
    while true {
        let failure: WireError
        do throws(WireError) {
            return try tryAddresses(of: destination, until: deadline)
        } catch {
            guard !error.isPermanent else { throw error }
            failure = error
        }
        // Jitter, so that the clients of a director that starts again don't all come at the same moment.
        let wait = pause * Double.random(in: 0.5...1)
        guard ContinuousClock.now + wait < deadline else { throw failure }
        do { try await Task.sleep(for: wait) } catch {
            throw WireError(.interrupted, peer: destination.name, "dialling was given up.")
        }
        pause = min(pause * 2, .seconds(10))
    }
}

private func tryAddresses(of destination: Destination, until deadline: ContinuousClock.Instant) throws(WireError)
    -> StreamSocket
{
    let name = destination.name
    let addresses: [SocketAddress]
    var source: [SocketAddress] = []
    do throws(SocketAddress.Unresolved) {
        addresses = try SocketAddress.resolve(destination.host, port: destination.port)
        if let address = destination.sourceAddress {
            source = try SocketAddress.resolve(address, port: 0, passive: true)
        }
    } catch {
        var failure = WireError(
            .resolve, peer: name, "a name has no address: \(error.reason).",
            remedy: "Check the Address and Source Address directives and the name service.")
        failure.isFinal = !error.isTemporary
        throw failure
    }
    var failure = WireError(.unreachable, peer: name, "the host has no address that we could dial.")
    for address in addresses {
        let from = source.first { $0.isIPv6 == address.isIPv6 }
        if !source.isEmpty, from == nil { continue }
        // One dead address must not use up the time of the others.
        let limit = min(.seconds(20), max(.milliseconds(1), ContinuousClock.now.duration(to: deadline)))
        do throws(SystemError) {
            return try StreamSocket.connect(to: address, from: from, within: limit) { Task.isCancelled }
        } catch {
            let place = "\(name) (\(address.host))"
            failure =
                if error.isCancellation {
                    WireError(.interrupted, peer: name, "dialling was given up.")
                } else if error.isRefusal {
                    WireError(
                        .refused, peer: place, "nobody listens on that port.",
                        remedy: "Start the daemon, or correct the port.")
                } else if error.isTimeout {
                    WireError(
                        .timedOut, peer: place, "the host did not answer.",
                        remedy: "Check the network and the firewalls between.")
                } else if error.isUnreachable {
                    WireError(
                        .unreachable, peer: place, "there is no way to the host (\(error.reason)).",
                        remedy: "Check the network.")
                } else {
                    WireError(.system, peer: place, error.what, remedy: error.remedy)
                }
            if failure.kind == .interrupted { break }
        }
    }
    throw failure
}
