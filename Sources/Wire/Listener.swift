// Accepting: the listening socket, the peers that are not authenticated yet, and what they may cost.
//
// A peer without authentication has one task, a few KiB of buffers, a bound on the bytes it may send and a moment by
// which it must be through; and there is only a bounded number of such peers. When all places are taken the next
// connections wait in the kernel; a place whose peer has had it for longer than a dialogue takes is then taken away. So
// honest peers come through, a little later, even while somebody holds hundreds of silent connections open.

package import Configuration
import Logging
import Platform
import Synchronization

/// An accepted, authenticated connection.
package struct AcceptedConnection: Sendable {
    package let channel: MessageChannel
    package let hello: Hello
    /// The peer announced itself as one of ours, so our extensions may be used.
    package let isAppliance: Bool
}

/// How an acceptor answers a Hello.
package enum Admission: Sendable {
    /// Authenticate with this secret, introduce ourselves under this name, then send this greeting.
    case authenticate(SharedSecret, TLSPolicy, greeting: String)
    /// Refuse: the reason goes to the log, the line (may be empty) to the peer after a delay.
    case refuse(reason: String, line: String)
}

/// A listening socket of the port map.
///
/// `serve` accepts until the task is cancelled. Every connection gets its own child task on the elastic executor; before
/// it is authenticated it may hold at most a few KiB and `authenticationLimit` of time, and there may be at most
/// `unauthenticatedMax` of them, so that garbage and slow peers disturb nobody.
package final class Listener: Sendable {
    package let entry: PortMap.Listener
    private let socket: ListeningSocket
    private let log: Logger
    private let refusals = RefusalLog()

    /// Hellos end at 500 bytes; challenges and capabilities are shorter.
    static let greetingMax = 1024
    /// A TLS handshake with a chain of certificates each way takes some 10 KiB.
    private static let unauthenticatedBytesMax: Int64 = 64 << 10
    /// How long a peer keeps its place when others wait for one.
    private static let placeKept: Duration = .seconds(3)
    /// How long a refused peer waits for its answer, so that passwords can't be tried quickly.
    private static let refusalDelay: Duration = .seconds(5)
    private static let delayedRefusalsMax = 64

    package init(_ entry: PortMap.Listener) throws(WireError) {
        self.entry = entry
        log = Logger(label: entry.role.rawValue)
        do throws(SystemError) {
            socket = try ListeningSocket(entry.address, port: entry.port)
        } catch {
            let address = entry.address.isEmpty ? "port \(entry.port)" : "\(entry.address):\(entry.port)"
            throw WireError(
                .system, peer: address, "can't listen: \(error.reason).",
                remedy: "Free the port, or give the \(entry.role.rawValue) another address or port.")
        }
    }

    /// The port really bound, where the entry says 0.
    package var port: UInt16 { socket.address.port }

    /// Accepts no more; `serve` returns when the connections there are have ended.
    package func stopAccepting() { socket.shutDown() }

    /// - Parameters:
    ///   - name: Our resource's name, used in challenges.
    ///   - admit: Decides by the Hello; called before any secret is exchanged.
    ///   - handler: Gets the authenticated connection; the channel is closed when it returns. Cancelling the task that
    ///     serves interrupts the channel.
    package func serve(
        name: String, authenticationLimit: Duration = .seconds(60), unauthenticatedMax: Int = 64,
        connectionsMax: Int = 1024,
        admit: @escaping @Sendable (Hello) -> Admission, handler: @escaping @Sendable (AcceptedConnection) async -> Void
    ) async {
        let places = Places(unauthenticatedMax: unauthenticatedMax, connectionsMax: connectionsMax)
        await withTaskCancellationHandler {
            await withTaskExecutorPreference(ElasticExecutor.shared) {
                await withDiscardingTaskGroup { group in
                    while let channel = await self.acceptNext(places) {
                        group.addTask(executorPreference: ElasticExecutor.shared) {
                            await withTaskCancellationHandler {
                                await self.attend(
                                    channel, name: name, limit: authenticationLimit, places: places, admit: admit,
                                    handler: handler)
                            } onCancel: {
                                channel.interrupt()
                            }
                        }
                    }
                }
            }
        } onCancel: {
            socket.shutDown()
            places.wake()
        }
    }

    /// The next connection for which there is a place; nil when the listener was stopped.
    private func acceptNext(_ places: Places) async -> MessageChannel? {
        while true {
            let evicted = places.waitForPlace(keptFor: Self.placeKept)
            evicted?.interrupt()
            if Task.isCancelled { return nil }
            do throws(SystemError) {
                let accepted = try socket.accept()
                if places.isFull {
                    refused(accepted.peer.description, "too many connections")
                    continue  // dropping the socket closes it
                }
                let channel = MessageChannel(accepted)
                places.enter(channel)
                return channel
            } catch {
                guard error.isShortage else { return nil }
                log.error(
                    "can't accept connections for now", metadata: ["reason": "\(error.reason)", "port": "\(port)"])
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private func attend(
        _ channel: MessageChannel, name: String, limit: Duration, places: Places,
        admit: @Sendable (Hello) -> Admission, handler: @Sendable (AcceptedConnection) async -> Void
    ) async {
        defer { places.leave(channel) }
        channel.setLimits { limits in
            limits.deadline = .now + limit
            limits.payloadMax = Self.greetingMax
            limits.receivedMax = Self.unauthenticatedBytesMax
            limits.send = limit
        }
        var caller: String?
        let connection: AcceptedConnection?
        var answer = ""
        do throws(WireError) {
            connection = try authenticate(channel, name: name, admit: admit, caller: &caller, answer: &answer)
        } catch {
            // An interruption is either the end of the service or the loss of the place to somebody else.
            let reason = error.kind == .interrupted ? "held a place too long while others waited" : error.detail
            if !Task.isCancelled { refused(channel.peer, reason, caller: caller, code: error.code) }
            if error.kind == .closed || error.kind == .interrupted || error.kind == .system { answer = "" }
            connection = nil
            places.leave(channel)
            if !answer.isEmpty, places.beginDelay(atMost: Self.delayedRefusalsMax) {
                try? await Task.sleep(for: Self.refusalDelay)
                places.endDelay()
                channel.setLimits { limits in
                    limits.deadline = .now + .seconds(5)
                }
                try? channel.send(answer)
            }
        }
        guard let connection else {
            channel.close()
            return
        }
        places.promote(channel)
        channel.setLimits { $0 = MessageChannel.Limits() }
        channel.setHeartbeatOfAcceptor()
        await handler(connection)
        channel.close()
    }

    /// - Returns: nil where the caller got what it wanted without authentication.
    private func authenticate(
        _ channel: MessageChannel, name: String, admit: @Sendable (Hello) -> Admission, caller: inout String?,
        answer: inout String
    ) throws(WireError) -> AcceptedConnection? {
        let line = try channel.receiveLine()
        answer = refusalLine
        guard let received = ReceivedHello(parsing: line) else {
            throw WireError(
                .protocolViolation, peer: channel.peer, "the first message is no Hello: \"\(Handshake.shown(line))\".")
        }
        let hello = received.hello
        caller = hello.caller
        if hello == .ping {
            try channel.send("\(entry.role == .director ? 1 : entry.role == .fileDaemon ? 2 : 3)000 Ping OK\n")
            return nil
        }
        if let addressee = hello.addressee, addressee != entry.role {
            throw WireError(
                .authentication, peer: channel.peer,
                "wanted the \(addressee.rawValue), but this is the port of the \(entry.role.rawValue).")
        }
        let secret: SharedSecret
        let policy: TLSPolicy
        let greeting: String
        switch admit(hello) {
        case .refuse(let reason, let line):
            answer = line
            throw WireError(.authentication, peer: channel.peer, reason)
        case .authenticate(let ownSecret, let ownPolicy, let ownGreeting):
            secret = ownSecret
            policy = ownPolicy
            greeting = ownGreeting
        }
        var handshake = Handshake(
            channel, ownName: name, secret: secret, policy: policy, isAppliance: received.isAppliance)
        if case .storageDaemonToFileDaemon(let job, _) = hello {
            answer = ""
            try handshake.connect(
                .jobToStorageDaemon(job: job, version: ProtocolVersion.fileDaemon, storageVersion: nil),
                host: channel.peer)
            _ = try channel.receiveLine()  // the storage daemon's greeting
            return AcceptedConnection(channel: channel, hello: hello, isAppliance: received.isAppliance)
        }
        do throws(WireError) { try handshake.accept(received) } catch {
            // A wrong answer to our challenge has an answer of its own, before the daemon's.
            if error.kind == .authentication { answer = "1999 Authorization failed.\n" }
            throw error
        }
        if greets(hello), !greeting.isEmpty {
            let line = greeting.hasSuffix("\n") ? String(greeting.dropLast()) : greeting
            try channel.send(line + (received.isAppliance ? ApplianceMarker.text : "") + "\n")
            try channel.flush()
        }
        return AcceptedConnection(channel: channel, hello: hello, isAppliance: received.isAppliance)
    }

    /// File daemons of some old versions don't expect a greeting.
    private func greets(_ hello: Hello) -> Bool {
        if case .jobToStorageDaemon(_, let version, nil) = hello { version >= 9 || version == 5 } else { true }
    }

    private var refusalLine: String {
        switch entry.role {
        case .director: "1999 You are not authorized.\n"
        case .fileDaemon: "2999 Authentication failed.\n"
        case .storageDaemon: "3999 No go\n"
        case .gateway, .console: ""
        }
    }

    private func refused(_ peer: String, _ reason: String, caller: String? = nil, code: String = "wire-busy") {
        guard let unlogged = refusals.admit() else { return }
        var metadata: Logger.Metadata = [
            "peer": "\(peer)", "port": "\(port)", "reason": "\(reason)", "code": "\(code)",
        ]
        if let caller { metadata["caller"] = "\(caller)" }
        if unlogged > 0 { metadata["unlogged"] = "\(unlogged)" }
        log.warning("connection refused", metadata: metadata)
    }
}

extension MessageChannel {
    /// Acceptors probe their peers by TCP, and leave the heartbeats of the protocol to the dialogues that have them.
    fileprivate func setHeartbeatOfAcceptor() { socket.setKeepAlive(every: .seconds(60)) }
}

/// Who is inside, and who is not authenticated yet.
private final class Places: Sendable {
    private struct State {
        /// In the order of arrival.
        var unauthenticated: [(channel: MessageChannel, since: ContinuousClock.Instant)] = []
        var authenticated: Set<ObjectIdentifier> = []
        var delayed = 0
        var isStopping = false
    }
    private let state = Monitor(State())
    private let unauthenticatedMax: Int
    private let connectionsMax: Int

    init(unauthenticatedMax: Int, connectionsMax: Int) {
        self.unauthenticatedMax = unauthenticatedMax
        self.connectionsMax = connectionsMax
    }

    /// Waits until an unauthenticated place is free, or its longest holder has had it for `limit`: that one is given back,
    /// to be sent away.
    func waitForPlace(keptFor limit: Duration) -> MessageChannel? {
        while true {
            let next: MessageChannel?? = state.wait(atMost: .milliseconds(100)) { state in
                if state.isStopping || state.unauthenticated.count < unauthenticatedMax { return .some(nil) }
                guard let oldest = state.unauthenticated.first, oldest.since + limit <= .now else { return nil }
                state.unauthenticated.removeFirst()
                return .some(oldest.channel)
            }
            if let next { return next }
        }
    }

    var isFull: Bool { state.read { $0.authenticated.count >= connectionsMax } }
    func wake() { state.withLock { $0.isStopping = true } }
    func enter(_ channel: MessageChannel) { state.withLock { $0.unauthenticated.append((channel, .now)) } }

    func promote(_ channel: MessageChannel) {
        state.withLock { state in
            state.unauthenticated.removeAll { $0.channel === channel }
            state.authenticated.insert(ObjectIdentifier(channel))
        }
    }

    func leave(_ channel: MessageChannel) {
        state.withLock { state in
            state.unauthenticated.removeAll { $0.channel === channel }
            state.authenticated.remove(ObjectIdentifier(channel))
        }
    }

    func beginDelay(atMost most: Int) -> Bool {
        state.withLock { state in
            guard state.delayed < most else { return false }
            state.delayed += 1
            return true
        }
    }
    func endDelay() { state.withLock { $0.delayed -= 1 } }
}

/// Keeps a flood of refusals from filling the log: twenty lines in ten seconds, then only their number.
private final class RefusalLog: Sendable {
    private struct State {
        var since = ContinuousClock.now
        var logged = 0
        var unlogged = 0
    }
    private let state = Mutex(State())

    /// How many lines were left out since the last one, or nil where this one is to be left out too.
    func admit() -> Int? {
        state.withLock { state in
            if state.since + .seconds(10) < .now {
                state.since = .now
                state.logged = 0
            }
            guard state.logged < 20 else {
                state.unlogged += 1
                return nil
            }
            state.logged += 1
            defer { state.unlogged = 0 }
            return state.unlogged
        }
    }
}
