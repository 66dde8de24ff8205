// The dialogue between Hello and greeting, from both sides (bacula-wire 2.1, 2.5, 11.2, 11.4).
//
//     connector                               acceptor
//     Hello … tlspsk=N                    →
//                                         ←   sdcaps: …                         (only to 11+ file daemons)
//     fdcaps: …                           →
//                                         ←   starttls tlspsk=M                 (both can do the same kind of TLS)
//     [TLS handshake, the acceptor is the server]
//                                         ←   auth cram-md5 <challenge> ssl=n
//     response                            →
//                                         ←   1000 OK auth
//     auth cram-md5 <challenge> ssl=m     →
//                                         ←   response
//     1000 OK auth                        →
//     [TLS handshake here, by certificates, with peers older than release 11]
//                                         ←   greeting

import Platform

/// One side's half of the dialogue over one channel.
struct Handshake {
    let channel: MessageChannel
    /// Our resource's name, for challenges.
    let ownName: String
    let secret: SharedSecret
    let policy: TLSPolicy
    /// The peer is one of ours, as far as it has said so.
    var isAppliance = false
    private var isEncrypted = false
    private var needs: TLSNeeds { TLSNeeds(policy) }

    init(_ channel: MessageChannel, ownName: String, secret: SharedSecret, policy: TLSPolicy, isAppliance: Bool = false) {
        self.channel = channel
        self.ownName = ownName
        self.secret = secret
        self.policy = policy
        self.isAppliance = isAppliance
    }

    // MARK: - The connecting side

    /// Says Hello and goes through the dialogue up to, not including, the greeting.
    ///
    /// - Parameter host: What the configuration calls the peer: a server's certificate must be made out to it.
    mutating func connect(_ hello: Hello, host: String) throws(WireError) {
        // A policy of clear text is for old peers, so they get the Hello that they know.
        let offers = needs.number == 0 ? "" : " tlspsk=\(needs.number)"
        try channel.send(hello.words + offers + ApplianceMarker.text + "\n")
        var line = try firstAnswer()
        if line.hasPrefix("sdcaps:") {
            try channel.send("fdcaps: dedup=0 rehydration=0 proxy=0\n")
            line = try channel.receiveLine()
        }
        if let fields = scan(line, "starttls tlspsk=%d") {
            isAppliance = line.hasSuffix(ApplianceMarker.text)
            try startTLS(TLSNeeds(number: Int(fields[0]) ?? 0), asServer: false, host: host)
            line = try channel.receiveLine()
        }
        guard let challenge = Challenge(parsing: line) else {
            throw WireError(
                .authentication, peer: channel.peer, "the peer answered our Hello with \"\(Self.shown(line))\".",
                remedy:
                    "Check that its configuration knows us by the name \"\(ownName)\", and that the port is its own.")
        }
        if policy.requiresEncryption, !isEncrypted, policy.certificates == nil || (challenge.tlsNeed ?? 0) == 0 {
            throw WireError(
                .tls, peer: channel.peer, "the peer offers no TLS, which is required here.",
                remedy: "Give the peer TLS, or say TLS Enable = no in our resource for it if clear text is acceptable.")
        }
        try answer(challenge, as: .connector)
        line = try authenticationAnswer()
        guard line.hasPrefix("1000 OK auth") else {
            throw WireError(
                .authentication, peer: channel.peer, "the peer does not accept our password (\"\(Self.shown(line))\").",
                remedy: "Make the passwords of both sides' resources the same.")
        }
        let peerNeed = challenge.tlsNeed ?? 0
        try verifyPeer()
        try channel.send("1000 OK auth\n")
        try startLateTLS(peerNeed: peerNeed, asServer: false, host: host)
    }

    /// A peer that hangs up right after Hello does not know us.
    private func firstAnswer() throws(WireError) -> String {
        do throws(WireError) { return try channel.receiveLine() } catch {
            guard error.kind == .closed else { throw error }
            throw WireError(
                .closed, peer: channel.peer, "the peer hung up after our Hello.",
                remedy: "Check that its configuration knows us by the name \"\(ownName)\".")
        }
    }

    private func authenticationAnswer() throws(WireError) -> String {
        do throws(WireError) { return try channel.receiveLine() } catch {
            guard error.kind == .closed else { throw error }
            throw WireError(
                .authentication, peer: channel.peer, "the peer hung up during the authentication.",
                remedy: "Make the passwords of both sides' resources the same.")
        }
    }

    // MARK: - The accepting side

    /// Goes through the dialogue from after the Hello up to, not including, the greeting.
    mutating func accept(_ received: ReceivedHello) throws(WireError) {
        if case .jobToStorageDaemon(_, let version, let storage) = received.hello {
            if storage == nil, version >= 12, version != 213, version != 214 {
                try channel.send("sdcaps: dedup=0 hash=0 dedup_block=0 min_dedup_block=0 max_dedup_block=0\n")
                let line = try channel.receiveLine()
                guard line.hasPrefix("fdcaps:") else {
                    throw WireError(
                        .unexpected, peer: channel.peer, "\"\(Self.shown(line))\" came where fdcaps were due.")
                }
            }
        }
        if let peer = received.needs, Self.earlyTLS(needs, peer) != nil {
            try channel.send("starttls tlspsk=\(needs.number)\(isAppliance ? ApplianceMarker.text : "")\n")
            try startTLS(peer, asServer: true, host: "")
        } else if policy.requiresEncryption, policy.certificates == nil {
            throw WireError(
                .tls, peer: channel.peer, "\(received.hello.caller) offers no TLS, which is required here.",
                remedy: "Give it TLS, or say TLS Enable = no in our resource for it if clear text is acceptable.")
        }
        let challenge = Challenge(from: ownName, tlsNeed: needs.certificates.rawValue)
        try check(challenge, as: .acceptor)
        try channel.send("1000 OK auth\n")
        let line = try channel.receiveLine()
        guard let theirs = Challenge(parsing: line) else {
            throw WireError(.unexpected, peer: channel.peer, "\"\(Self.shown(line))\" came where a challenge was due.")
        }
        try answer(theirs, as: .acceptor)
        let verdict = try channel.receiveLine()
        guard verdict.hasPrefix("1000 OK auth") else {
            throw WireError(
                .authentication, peer: channel.peer,
                "\(received.hello.caller) does not accept our answer (\"\(Self.shown(verdict))\").",
                remedy: "Make the passwords of both sides' resources the same.")
        }
        try startLateTLS(peerNeed: theirs.tlsNeed ?? 0, asServer: true, host: "")
    }

    // MARK: - Both

    private func verifyPeer() throws(WireError) {
        try check(Challenge(from: ownName, tlsNeed: needs.certificates.rawValue), as: .connector)
    }

    /// Challenges the peer and throws unless it knows the secret.
    private func check(_ challenge: Challenge, as end: OutstandingChallenges.End) throws(WireError) {
        OutstandingChallenges.insert(challenge, from: end)
        defer { OutstandingChallenges.remove(challenge, from: end) }
        try channel.send(challenge.line)
        let response = try channel.receiveLine()
        guard challenge.isAnswered(by: response, secret) else {
            throw WireError(
                .authentication, peer: channel.peer, "the peer has another password than we have.",
                remedy: "Make the passwords of both sides' resources the same.")
        }
    }

    private func answer(_ challenge: Challenge, as end: OutstandingChallenges.End) throws(WireError) {
        guard !OutstandingChallenges.isMirrored(challenge, to: end) else {
            throw WireError(.authentication, peer: channel.peer, "the peer sent our own challenge back to us.")
        }
        try channel.send(challenge.response(secret))
    }

    /// The kind of TLS that starts before the authentication, from both sides' needs; nil: none.
    static func earlyTLS(_ own: TLSNeeds, _ peer: TLSNeeds) -> TLSSession.Kind? {
        if own.certificates > .no, peer.certificates > .no { return .certificates }
        guard own.preSharedKey > .no, peer.preSharedKey > .no else { return nil }
        return .preSharedKey
    }

    private mutating func startTLS(_ peer: TLSNeeds, asServer: Bool, host: String) throws(WireError) {
        guard let kind = Self.earlyTLS(needs, peer) else {
            throw WireError(.tls, peer: channel.peer, "the peer starts a TLS that we did not offer.")
        }
        if kind == .preSharedKey, needs.certificates == .required, needs.preSharedKey != .required {
            throw WireError(
                .tls, peer: channel.peer, "the peer has no TLS certificate set up, which is required here.",
                remedy: "Give the peer TLS Certificate and TLS Key, or say TLS PSK Enable = yes in our resource for it."
            )
        }
        try performTLS(kind, asServer: asServer, host: host)
    }

    /// Certificate TLS in the place where programs before release 11 have it.
    private mutating func startLateTLS(peerNeed: Int, asServer: Bool, host: String) throws(WireError) {
        guard !isEncrypted else { return }
        if needs.certificates > .no, peerNeed > 0 {
            try performTLS(.certificates, asServer: asServer, host: host)
        } else if policy.requiresEncryption {
            throw WireError(
                .tls, peer: channel.peer, "the peer offers no TLS, which is required here.",
                remedy: "Give the peer TLS, or say TLS Enable = no in our resource for it if clear text is acceptable.")
        } else if peerNeed >= 2 {
            throw WireError(
                .tls, peer: channel.peer, "the peer requires TLS, which is off here.",
                remedy: "Set up TLS in our resource for it as in the peer's.")
        }
    }

    private mutating func performTLS(_ kind: TLSSession.Kind, asServer: Bool, host: String) throws(WireError) {
        let session: TLSSession
        do throws(TLSFailure) {
            session = try TLSSession(
                TLSSetup(kind, isServer: asServer, policy: policy, secret: secret, isAppliance: isAppliance, host: host)
            )
        } catch {
            throw WireError(.tls, peer: channel.peer, error.reason, remedy: error.remedy)
        }
        try channel.startTLS(session)
        isEncrypted = true
        if kind == .certificates, policy.certificates?.authenticateOnly == true { channel.dropTLS() }
    }

    /// What a peer sent, fit for a log line: short, and without control characters.
    static func shown(_ line: String) -> String {
        String(line.unicodeScalars.prefix(120).map { $0.value < 32 || $0.value == 127 ? "?" : Character($0) })
    }
}
