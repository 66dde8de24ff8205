import Platform
import Synchronization
import TestSupport
import Testing

@testable import Wire

@Suite("Packets") struct FramingTests {
    @Test("Packets and signals are the bytes of the protocol")
    func golden() throws {
        let (a, b) = try socketPair()
        let channel = MessageChannel(a)
        try channel.send("2000 OK Hello 214\n")
        try channel.send(.endOfData)
        try channel.send([UInt8]())
        try channel.send([0, 255])
        try channel.send(.terminate)
        channel.close()
        let expected: [UInt8] =
            [0, 0, 0, 18] + Array("2000 OK Hello 214\n".utf8) + [255, 255, 255, 255] + [0, 0, 0, 2, 0, 255] + [
                255, 255, 255, 252,
            ]
        #expect(RawPeer(b).readAll() == expected)
        #expect(channel.bytesSent == Int64(expected.count))
    }

    @Test("Packets are read however the bytes are cut")
    func cuts() throws {
        let stream = frame(Array("one".utf8)) + [0, 0, 0, 0] + [255, 255, 255, 255] + frame(Array("three".utf8))
        for cut in 1..<stream.count {
            let (a, b) = try socketPair()
            let channel = MessageChannel(a)
            let peer = RawPeer(b)
            try peer.send(Array(stream[..<cut]))
            try peer.send(Array(stream[cut...]))
            #expect(try channel.receive() == .payload(Array("one".utf8)))
            #expect(try channel.receive() == .signal(.endOfData))
            #expect(try channel.receiveLine() == "three")
        }
    }

    @Test("Heartbeats are swallowed, polls and questions for the clock answered")
    func housekeeping() throws {
        let (a, b) = try channelPair()
        for signal in [Signal.heartbeat, .poll, .heartbeatResponse, .clock, .isAlive, .endOfDataPoll] {
            try b.send(signal)
        }
        try b.send("text")
        try b.flush()
        #expect(try a.receive() == .signal(.endOfData))
        #expect(try a.receiveLine() == "text")
        #expect(try b.receiveLine() == "1000 OK")
        #expect(try b.receiveLine().hasPrefix("btime 1"))
        #expect(try b.receiveLine() == "1000 OK")
    }

    @Test("A line loses one NUL and one newline, and bytes that are not UTF-8 are replaced")
    func lines() throws {
        let (a, b) = try channelPair()
        for bytes: [UInt8] in [[65, 10, 0], [65, 10], [65], [65, 10, 10], [0xFF]] { try a.send(bytes) }
        try a.send(.endOfData)
        try a.flush()
        #expect(try b.receiveLine() == "A")
        #expect(try b.receiveLine() == "A")
        #expect(try b.receiveLine() == "A")
        #expect(try b.receiveLine() == "A\n")
        #expect(try b.receiveLine() == "\u{FFFD}")
        let error = #expect(throws: WireError.self) { try b.receiveLine() }
        #expect(error?.kind == .unexpected)
    }

    @Test("A packet may have the extended header, and none may be longer than a million bytes")
    func limits() throws {
        let (a, b) = try socketPair()
        let channel = MessageChannel(a)
        let peer = RawPeer(b)
        try peer.send([0x20, 0, 0, 2, 0x10, 0, 0, 0, 7, 8])
        #expect(try channel.receive() == .payload([7, 8]))
        try peer.send([0x00, 0x0F, 0x42, 0x41])  // 1,000,001
        let error = #expect(throws: WireError.self) { try channel.receive() }
        #expect(error?.kind == .protocolViolation)
        #expect(throws: WireError.self) { try channel.send([UInt8](repeating: 0, count: 1_000_001)) }
    }

    @Test("The end of the connection is told from its break")
    func endings() throws {
        let (a, b) = try channelPair()
        try a.send("last")
        a.close()
        #expect(try b.receiveLine() == "last")
        #expect(#expect(throws: WireError.self) { try b.receive() }?.kind == .closed)

        let (c, d) = try socketPair()
        try RawPeer(c).send([0, 0, 0, 9, 1, 2])
        c.finishSending()
        #expect(#expect(throws: WireError.self) { try MessageChannel(d).receive() }?.kind == .system)
    }

    @Test("A receiver that waits in vain times out, and may go on")
    func timeLimit() throws {
        let (a, b) = try channelPair()
        b.setReceiveLimit(.milliseconds(50))
        #expect(#expect(throws: WireError.self) { try b.receive() }?.kind == .timedOut)
        try a.send("late")
        try a.flush()
        #expect(try b.receiveLine() == "late")
    }

    @Test("Packets of several threads never mix, while the peer sends as well")
    func threads() async throws {
        let (a, b) = try channelPair()
        a.setReceiveLimit(.seconds(60))
        b.setReceiveLimit(.seconds(60))
        let senders = 4
        let rounds = 300
        await withTaskGroup(of: Void.self) { group in
            for channel in [a, b] {
                for sender in 0..<senders {
                    group.addTask(executorPreference: ElasticExecutor.shared) {
                        for round in 0..<rounds {
                            let count = 1 + (round * 7919 + sender * 104_729) % 20_000
                            try? channel.send([UInt8](repeating: UInt8(sender), count: count))
                        }
                        try? channel.send([UInt8(sender), 255])
                        try? channel.flush()
                    }
                }
                group.addTask(executorPreference: ElasticExecutor.shared) {
                    var finished = 0
                    var packets = 0
                    while finished < senders, case .payload(let bytes)? = try? channel.receive() {
                        if bytes.count == 2, bytes[1] == 255 {
                            finished += 1
                        } else {
                            packets += 1
                            #expect(bytes.allSatisfy { $0 == bytes[0] })
                        }
                    }
                    #expect(packets == senders * rounds)
                }
            }
        }
    }

    @Test("An interruption wakes blocked receivers and senders")
    func interruption() async throws {
        let (a, b) = try channelPair()
        a.setReceiveLimit(nil)
        let receiver = ElasticExecutor.shared.detach {
            #expect(#expect(throws: WireError.self) { try a.receive() }?.kind == .interrupted)
        }
        let senders = (0..<2).map { _ in
            ElasticExecutor.shared.detach {
                // Nobody reads, so the socket and the batch fill up.
                let error = #expect(throws: WireError.self) {
                    while true { try a.send([UInt8](repeating: 1, count: 60_000)) }
                }
                #expect(error?.kind == .interrupted)
            }
        }
        try await Task.sleep(for: .milliseconds(200))
        for _ in 0..<3 { a.interrupt() }
        await receiver.value
        for sender in senders { await sender.value }
        withExtendedLifetime(b) {}
    }

    @Test("A cancelled task's receive ends")
    func cancellation() async throws {
        let (a, b) = try channelPair()
        a.setReceiveLimit(nil)
        let task = ElasticExecutor.shared.detach {
            await #expect(throws: WireError.self) { try await withInterruption(of: a) { try a.receive() } }
        }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        await task.value
        withExtendedLifetime(b) {}
    }

    @Test("A heartbeat is sent while nothing else is")
    func heartbeats() throws {
        let (a, b) = try socketPair()
        let channel = MessageChannel(a)
        channel.setHeartbeat(every: .milliseconds(20))
        #expect(try RawPeer(b).read().prefix(4) == [255, 255, 255, 250])
        channel.setHeartbeat(every: nil)
        channel.close()
    }

    @Test("Any bytes at all are packets or an error, and memory stays bounded")
    func fuzz() throws {
        var generator = SeededGenerator(seed: 4)
        for round in 0..<150 {
            let (a, b) = try socketPair()
            let channel = MessageChannel(a)
            channel.setReceiveLimit(.seconds(5))
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1..<20, using: &generator) {
                let size = Int.random(in: 0..<200, using: &generator)
                let payload = (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
                let flags = [0, 0, 1 << 30, 1 << 29, 3 << 29].randomElement(using: &generator)!
                bytes += frame(payload, flags: UInt32(flags))
            }
            if round % 2 == 0 {
                for _ in 0..<3 {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
            }
            try RawPeer(b).send(bytes)
            b.finishSending()
            while let packet = try? channel.receive() {
                if case .payload(let payload) = packet { #expect(payload.count <= PacketHead.inflatedMax) }
            }
        }
    }
}

@Suite("LZ4 blocks") struct LZ4Tests {
    private func decode(_ block: [UInt8], max: Int = 4_000_000) throws -> [UInt8] {
        var output: [UInt8] = []
        try LZ4Block.decode(block.span, into: &output, bytesMax: max)
        return output
    }

    @Test("Packets that a real storage daemon and director compressed are read")
    func captured() throws {
        // A 9.6.7 director to its console.
        let line = [0x9D] + Array("  Where: ".utf8) + [0x01, 0x00, 0xF0, 0x09]
        #expect(
            try decode(line + Array("/tmp/wirelab/b/restored\n".utf8))
                == Array(("  Where: " + String(repeating: " ", count: 17) + "/tmp/wirelab/b/restored\n").utf8))
        // A 9.6.7 storage daemon to its client: an attribute record in a restore.
        let record: [UInt8] =
            [0xF3, 0x21] + Array("8 2 /tmp/wirelab/b/source/empty\0P4A 98Sx IGk B A".utf8) + [0x02, 0x00]
            + Array(" BA\n\0kBrARtt".utf8) + [0x07, 0x00, 0xA0] + Array("A A C\0\0\00\0".utf8)
        #expect(record.count == 77)
        #expect(
            try decode(record)
                == Array(
                    "8 2 /tmp/wirelab/b/source/empty\0P4A 98Sx IGk B A A A A BAA A BrARtt BrARtt BrARtt A A C\0\0\00\0"
                        .utf8))
    }

    @Test("Literals, matches, overlaps and long lengths")
    func forms() throws {
        #expect(try decode([0x00]) == [])
        #expect(try decode([0x30, 1, 2, 3]) == [1, 2, 3])
        // One literal, then a match of 4 + 15 + 255 + 10 bytes at distance 1, then an empty last sequence.
        #expect(try decode([0x1F, 9, 1, 0, 255, 10, 0x00]) == [UInt8](repeating: 9, count: 1 + 284))
        let literals = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        #expect(try decode([0xF0, 255, 30] + literals) == literals)
        #expect(try decode([0x22, 1, 2, 2, 0, 0x10, 7]) == [1, 2, 1, 2, 1, 2, 1, 2, 7])
    }

    @Test("Damaged blocks are refused, and so are bombs")
    func refused() {
        for block: [UInt8] in [
            [], [0x10], [0xF0], [0xF0, 255], [0x10, 1, 1], [0x10, 1, 0, 0, 0], [0x10, 1, 2, 0, 0], [0x1F, 1, 1, 0],
            [0x1F, 1, 1, 0, 255],
            [0x10, 1, 1, 0],
        ] {
            #expect(throws: LZ4Block.Malformed.self, "\(block)") { try decode(block) }
        }
        #expect(throws: LZ4Block.Malformed.self) {
            try decode([0x1F, 9, 1, 0] + [UInt8](repeating: 255, count: 20_000) + [0, 0x00])
        }
    }

    @Test("What a small compressor packs comes out again, and mutations of it end in bytes or an error")
    func roundTripAndFuzz() throws {
        var generator = SeededGenerator(seed: 64)
        for round in 0..<400 {
            let alphabet = [2, 4, 200][round % 3]
            let original = (0..<Int.random(in: 0..<600, using: &generator)).map { _ in
                UInt8(Int.random(in: 0..<alphabet, using: &generator))
            }
            var block = pack(original)
            #expect(try decode(block) == original)
            for _ in 0..<20 {
                let at = Int.random(in: 0..<block.count, using: &generator)
                block[at] = UInt8.random(in: 0...255, using: &generator)
                if Bool.random(using: &generator), block.count > 1 { block.removeLast() }
                _ = try? decode(block, max: 100_000)
            }
        }
    }

    /// A greedy compressor by brute force: enough to make every form of sequence.
    private func pack(_ bytes: [UInt8]) -> [UInt8] {
        var block: [UInt8] = []
        var literals: [UInt8] = []
        func emit(match: Int?, offset: Int) {
            func extend(_ length: Int) -> [UInt8] {
                length < 15 ? [] : [UInt8](repeating: 255, count: (length - 15) / 255) + [UInt8((length - 15) % 255)]
            }
            let matchCode = match.map { $0 - 4 } ?? 0
            block.append(UInt8(min(15, literals.count) << 4 | min(15, matchCode)))
            block += extend(literals.count) + literals
            if match != nil { block += [UInt8(offset & 255), UInt8(offset >> 8)] + extend(matchCode) }
            literals = []
        }
        var at = 0
        while at < bytes.count {
            var best = (length: 0, offset: 0)
            for start in max(0, at - 64)..<at {
                var length = 0
                while at + length < bytes.count, bytes[start + length] == bytes[at + length] { length += 1 }
                if length > best.length { best = (length, at - start) }
            }
            if best.length >= 4 {
                emit(match: best.length, offset: best.offset)
                at += best.length
            } else {
                literals.append(bytes[at])
                at += 1
            }
        }
        emit(match: nil, offset: 0)
        return block
    }
}
