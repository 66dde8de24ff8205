// The storage daemon's end of a job: sessions that append and sessions that read (bacula-wire 5.1, 5.9).

import Platform
import Wire

/// A storage daemon that said no, or broke off.
struct StorageRefusal: Error {
    var text: String
}

/// The dialogue with a storage daemon. For one thread; `channel.interrupt` from others ends it.
struct StorageLink: Sendable {
    let channel: MessageChannel

    /// Runs a call on the channel; its failure becomes a refusal that says when it happened.
    private func calling<R>(_ moment: @autoclosure () -> String, _ body: () throws(WireError) -> R) throws(StorageRefusal) -> R {
        do throws(WireError) {
            return try body()
        } catch {
            throw StorageRefusal(text: "Lost the storage daemon at \(channel.peer) \(moment()): \(error.detail)")
        }
    }

    /// Asks and expects an answer that begins with `prefix`.
    func ask(_ question: String, _ prefix: String) throws(StorageRefusal) -> String {
        try calling("while sending \"\(trimmed(question))\"") { () throws(WireError) in
            try channel.send(question)
            try channel.flush()
        }
        return try expect(prefix, after: question)
    }

    func expect(_ prefix: String, after question: String) throws(StorageRefusal) -> String {
        while true {
            switch try calling("after \"\(trimmed(question))\"", { () throws(WireError) in try channel.receive() }) {
            case .signal(.terminate):
                throw StorageRefusal(text: "Storage daemon \(channel.peer) ended the conversation after \"\(trimmed(question))\".")
            case .signal: continue
            case .payload(let bytes):
                let line = trimmed(String(decoding: bytes, as: UTF8.self))
                guard line.hasPrefix(prefix) else {
                    throw StorageRefusal(
                        text:
                            "Storage daemon \(channel.peer) answered \"\(line)\" to \"\(trimmed(question))\"; \"\(prefix)\" was expected."
                    )
                }
                return line
            }
        }
    }

    private func trimmed(_ text: String) -> String {
        String(text.prefix { $0 != "\n" && $0 != "\0" })
    }

    /// Opens a session to append to; afterwards the device is ready. - Returns: the ticket.
    func openForAppending() throws(StorageRefusal) -> String {
        let ticket = try self.ticket(of: ask("append open session\n", "3000 OK open"))
        _ = try ask("append data \(ticket)\n", "3000 OK data")
        return ticket
    }

    /// After the last stream: ends and closes the session.
    func closeAppending(_ ticket: String) throws(StorageRefusal) {
        try calling("at the end of the data") { () throws(WireError) in
            try channel.send(.endOfData)
            try channel.flush()
        }
        _ = try expect("3000 OK append data", after: "end of data")
        _ = try ask("append end session \(ticket)\n", "3000 OK end")
        let answer = try ask("append close session \(ticket)\n", "3000 OK close")
        let status = scan(answer, "3000 OK close Status = %d")?.first.flatMap { Int($0) } ?? 84
        // T, or W with warnings of its own.
        guard status == 84 || status == 87 else {
            let letter = UInt8(exactly: status).map { String(Unicode.Scalar($0)) } ?? String(status)
            throw StorageRefusal(text: "Storage daemon \(channel.peer) closed the session with status \(letter).")
        }
    }

    /// Opens a session to read what the director's bootstrap has chosen. - Returns: the ticket.
    func openForReading(sessionID: UInt32, sessionTime: UInt32) throws(StorageRefusal) -> String {
        let ticket = try self.ticket(
            of: ask("read open session = DummyVolume \(sessionID) \(sessionTime) 0 0 0 0\n", "3000 OK open"))
        _ = try ask("read data \(ticket)\n", "3000 OK data")
        return ticket
    }

    /// Calls `body` with every record until the end of the data.
    func readRecords(
        _ body: (_ session: UInt64, _ fileIndex: Int32, _ stream: Int32, _ data: Span<UInt8>) -> Void
    ) throws(StorageRefusal) {
        var buffer: [UInt8] = []
        let nothing: [UInt8] = []
        while true {
            if let signal = try receive(&buffer) {
                if signal == .endOfData { return }
                if signal == .terminate {
                    throw StorageRefusal(text: "Storage daemon \(channel.peer) ended the conversation in the middle of the data.")
                }
                continue
            }
            guard let header = RecordHeader(buffer.span) else {
                let line = trimmed(String(decoding: buffer.prefix(200), as: UTF8.self))
                throw StorageRefusal(text: "Storage daemon \(channel.peer) sent \"\(line)\" in place of a record.")
            }
            if header.length == 0 {
                body(header.session, header.fileIndex, header.stream, nothing.span)
                continue
            }
            while let signal = try receive(&buffer) {
                if signal == .endOfData || signal == .terminate {
                    throw StorageRefusal(text: "Storage daemon \(channel.peer) broke off in the middle of a record.")
                }
            }
            guard buffer.count == header.length else {
                throw StorageRefusal(
                    text: "Storage daemon \(channel.peer) announced a record of \(header.length) bytes and sent \(buffer.count).")
            }
            body(header.session, header.fileIndex, header.stream, buffer.span)
        }
    }

    private func receive(_ buffer: inout [UInt8]) throws(StorageRefusal) -> Signal? {
        try calling("in the middle of the data") { () throws(WireError) in try channel.receive(into: &buffer) }
    }

    func closeReading(_ ticket: String) throws(StorageRefusal) { _ = try ask("read close session \(ticket)\n", "3000 OK close") }

    private func ticket(of answer: String) throws(StorageRefusal) -> String {
        guard let ticket = scan(answer, "3000 OK open ticket = %d")?.first else {
            throw StorageRefusal(text: "Storage daemon \(channel.peer) gave no ticket: \"\(answer)\".")
        }
        return ticket
    }
}

/// `rechdr VolSessionId VolSessionTime FileIndex Stream length`.
struct RecordHeader: Hashable {
    var session: UInt64
    var fileIndex: Int32
    var stream: Int32
    var length: Int

    init?(_ bytes: Span<UInt8>) {
        let keyword = Array("rechdr ".utf8)
        guard bytes.count > keyword.count, bytes.count < 100 else { return nil }
        for index in keyword.indices where bytes[index] != keyword[index] { return nil }
        var numbers: [Int64] = []
        var at = keyword.count
        while at < bytes.count {
            if bytes[at] == 32 || (9...13).contains(bytes[at]) || bytes[at] == 0 {
                at += 1
                continue
            }
            let negative = bytes[at] == UInt8(ascii: "-")
            if negative { at += 1 }
            var value: Int64 = 0
            let start = at
            while at < bytes.count, bytes[at] &- 48 < 10, at - start < 12 {
                value = value * 10 + Int64(bytes[at] - 48)
                at += 1
            }
            guard at > start else { return nil }
            numbers.append(negative ? -value : value)
        }
        guard numbers.count >= 5, let id = UInt32(exactly: numbers[0]), let time = UInt32(exactly: numbers[1]),
            let index = Int32(exactly: numbers[2]), let stream = Int32(exactly: numbers[3]), (0...(1 << 30)).contains(numbers[4])
        else { return nil }
        session = UInt64(time) << 32 | UInt64(id)
        fileIndex = index
        self.stream = stream
        length = Int(numbers[4])
    }
}
