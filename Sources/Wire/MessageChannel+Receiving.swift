// The receiving half of a channel: bytes from the network, decrypted where TLS runs, cut into packets.

import Platform

/// What the receiver holds.
struct Reader {
    /// Plain bytes, not yet given out.
    var plain = ReadBuffer()
    /// Bytes from the network, not yet decrypted; unused without TLS.
    var sealed = ReadBuffer()
    var tls: TLSSession?
}

extension MessageChannel {
    /// Blocks for the next packet. Throws `.closed` at an orderly end of the connection.
    package func receive() throws(WireError) -> Packet {
        var payload: [UInt8] = []
        if let signal = try receive(into: &payload) { return .signal(signal) }
        return .payload(payload)
    }

    /// As `receive`, reusing the caller's storage: on a payload `buffer` holds it and nil is returned.
    package func receive(into buffer: inout [UInt8]) throws(WireError) -> Signal? {
        while true {
            let head: PacketHead = try reader.withLock { reader throws(WireError) in
                let head = try readHead(&reader)
                if case .payload(let bytes, let isCompressed, let hasExtension) = head {
                    // The flag word of the extended header says nothing that community daemons act on.
                    if hasExtension { _ = try readWord(&reader, startsPacket: false) }
                    if isCompressed {
                        var block: [UInt8] = []
                        try readPayload(bytes, into: &block, &reader)
                        try inflate(block, into: &buffer)
                    } else {
                        try readPayload(bytes, into: &buffer, &reader)
                    }
                }
                return head
            }
            switch head {
            case .payload: if !buffer.isEmpty { return nil }
            case .empty: continue
            case .nonsense: preconditionFailure("readHead throws instead")
            case .signal(let signal):
                switch signal {
                case .heartbeat, .heartbeatResponse, .isAlive: continue
                case .poll: try answer("1000 OK\n")
                case .clock: try answer("btime \(WallTime.now.microseconds)\n")
                case .endOfDataPoll:
                    try answer("1000 OK\n")
                    return .endOfData
                default: return signal
                }
            }
        }
    }

    private func answer(_ text: String) throws(WireError) {
        try send(text)
        try flush()
    }

    /// The next packet as text: invalid UTF-8 is replaced, one trailing NUL and one trailing newline are dropped.
    /// Throws `.unexpected` when a signal comes instead.
    package func receiveLine() throws(WireError) -> String {
        var bytes: [UInt8] = []
        if let signal = try receive(into: &bytes) {
            throw WireError(.unexpected, peer: peer, "signal \(signal.rawValue) came where a message was due.")
        }
        if bytes.last == 0 { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func readHead(_ reader: inout Reader) throws(WireError) -> PacketHead {
        let word = try readWord(&reader, startsPacket: true)
        let head = PacketHead(Int32(bitPattern: word), payloadMax: limits.withLock { $0.payloadMax })
        guard head != .nonsense else {
            breakOff()
            let bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
            let isText = bytes.allSatisfy { (32..<127).contains($0) }
            let text = isText ? " (\"\(String(decoding: bytes, as: UTF8.self))\")" : ""
            throw WireError(
                .protocolViolation, peer: peer,
                "a packet of length 0x\(String(word, radix: 16))\(text) is no packet of this protocol, or too long.",
                remedy: "Check that the address and port are those of the right daemon.")
        }
        return head
    }

    private func readWord(_ reader: inout Reader, startsPacket: Bool) throws(WireError) -> UInt32 {
        while true {
            if let word = reader.plain.takeWord() { return word }
            try fill(&reader, isBetweenPackets: startsPacket && reader.plain.isEmpty)
        }
    }

    private func readPayload(_ count: Int, into payload: inout [UInt8], _ reader: inout Reader) throws(WireError) {
        // The caller's storage is not cleared where it has the right size already, as in a stream of data packets.
        if payload.count > count { payload.removeLast(payload.count - count) }
        if payload.count < count { payload.append(contentsOf: repeatElement(0, count: count - payload.count)) }
        var done = 0
        while true {
            done += unsafe payload.withUnsafeMutableBytes { target in
                unsafe reader.plain.take(into: UnsafeMutableRawBufferPointer(rebasing: target[done...]))
            }
            if done == count { return }
            if let tls = reader.tls, count - done >= Self.directBytesMin {
                done += try decrypt(tls, &reader.sealed, isBetweenPackets: false) { tls, sealed in
                    unsafe payload.withUnsafeMutableBytes { target in
                        unsafe tls.decrypt(&sealed, into: UnsafeMutableRawBufferPointer(rebasing: target[done...]))
                    }
                }
            } else {
                try fill(&reader, isBetweenPackets: false)
            }
        }
    }

    /// From here on the rest of a payload is decrypted to where it belongs, instead of by way of the read buffer.
    private static var directBytesMin: Int { 8 << 10 }

    private func inflate(_ block: [UInt8], into payload: inout [UInt8]) throws(WireError) {
        let isStranger = limits.withLock { $0.payloadMax } < PacketHead.payloadMax
        do throws(LZ4Block.Malformed) {
            try LZ4Block.decode(block.span, into: &payload, bytesMax: isStranger ? 4096 : PacketHead.inflatedMax)
        } catch {
            breakOff()
            throw WireError(.protocolViolation, peer: peer, "a compressed packet is damaged: \(error.reason).")
        }
    }

    /// Reads more plain bytes, at least one.
    private func fill(_ reader: inout Reader, isBetweenPackets: Bool) throws(WireError) {
        guard let tls = reader.tls else {
            return try receive(into: &reader.plain, isBetweenPackets: isBetweenPackets)
        }
        _ = try decrypt(tls, &reader.sealed, isBetweenPackets: isBetweenPackets) { tls, sealed in
            Result { () throws(TLSFailure) -> Int? in
                try unsafe reader.plain.fill {
                    unsafe tls.decrypt(&sealed, into: $0)
                } count: {
                    $0 ?? 0
                }
            }
        }
    }

    /// Calls `step` until it yields bytes, with more from the network each time. First with what is here: OpenSSL may
    /// hold the rest of a record for which there was no room before.
    private func decrypt(
        _ tls: TLSSession, _ sealed: inout ReadBuffer, isBetweenPackets: Bool,
        _ step: (TLSSession, inout ReadBuffer) -> Result<Int?, TLSFailure>
    ) throws(WireError) -> Int {
        while true {
            switch step(tls, &sealed) {
            case .success(nil): throw ended(isBetweenPackets: isBetweenPackets)
            case .success(0?): try receive(into: &sealed, isBetweenPackets: isBetweenPackets)
            case .success(let count?): return count
            case .failure(let error):
                breakOff()
                throw WireError(.tls, peer: peer, error.reason)
            }
        }
    }

    /// recv(2). Writes what is pending before it waits.
    func receive(into buffer: inout ReadBuffer, isBetweenPackets: Bool) throws(WireError) {
        try checkOpen()
        try flushAside()
        let limits = self.limits.withLock { $0 }
        if let most = limits.receivedMax, bytesReceived > most {
            breakOff()
            throw WireError(
                .protocolViolation, peer: peer, "more than \(most) bytes came before the peer was authenticated.")
        }
        let limit = limits.rest(of: limits.receive)
        let count: Int
        do throws(SystemError) {
            count = try unsafe buffer.fill(
                { space in
                    Result { () throws(SystemError) -> Int in try unsafe socket.receive(into: space, within: limit) }
                }, count: { $0 })
        } catch {
            throw failure(error, isHarmless: isBetweenPackets)
        }
        if count == 0 { throw ended(isBetweenPackets: isBetweenPackets) }
        received.add(Int64(count), ordering: .relaxed)
    }
}
