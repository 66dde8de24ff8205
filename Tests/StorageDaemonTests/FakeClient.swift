// A file daemon, as far as a storage daemon can see it.

import Platform
import Volumes
import Wire

/// A file as the fake client sends it.
struct FakeFile: Hashable, Sendable {
    var name: String
    var data: [UInt8]

    /// The packets of its data stream.
    var packets: [[UInt8]] { stride(from: 0, to: data.count, by: 65_536).map { Array(data[$0..<min($0 + 65_536, data.count)]) } }
    var attributes: [UInt8] { Array("\(name)".utf8) }
    var digest: [UInt8] { Digest.hash(data, .md5) }

    static func some(_ count: Int, bytes: Int, seed: UInt64 = 1) -> [FakeFile] {
        var state = seed
        return (0..<count).map { index in
            var data: [UInt8] = []
            data.reserveCapacity(bytes)
            while data.count < bytes {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                withUnsafeBytesOf(state, &data)
            }
            return FakeFile(name: "/file/\(index)", data: Array(data.prefix(bytes)))
        }
    }

    private static func withUnsafeBytesOf(_ value: UInt64, _ data: inout [UInt8]) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { data.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}

/// A record that came back in a restore.
struct RestoredRecord: Hashable, Sendable {
    var sessionID: UInt32
    var fileIndex: Int32
    var stream: Int32
    var data: [UInt8]
}

struct FakeClient: Sendable {
    let channel: MessageChannel

    func send(_ text: String) throws {
        try channel.send(text)
        try channel.flush()
    }

    func expect(_ start: String) throws {
        let line = try channel.receiveLine()
        guard line.hasPrefix(start) else { throw FakeDirector.Unexpected(line) }
    }

    func beginAppend(_ session: UInt32) throws {
        try send("append open session\n")
        try expect("3000 OK open ticket = \(session)")
        try send("append data \(session)\n")
        try expect("3000 OK data")
    }

    func stream(_ index: Int, _ stream: Int, _ packets: [[UInt8]]) throws {
        try channel.send("\(index) \(stream) 0")
        for packet in packets { try channel.send(packet) }
        try channel.send(.endOfData)
    }

    func send(_ files: [FakeFile], from first: Int = 1) throws {
        for (offset, file) in files.enumerated() {
            try stream(first + offset, 1, [file.attributes])
            if !file.data.isEmpty { try stream(first + offset, 2, file.packets) }
            try stream(first + offset, 3, [file.digest])
        }
    }

    func endAppend(_ session: UInt32) throws {
        try channel.send(.endOfData)
        try channel.flush()
        try expect("3000 OK append data")
        try send("append end session \(session)\n")
        try expect("3000 OK end")
        try send("append close session \(session)\n")
        try expect("3000 OK close Status = 84")
        guard case .signal(.endOfData) = try channel.receive() else { throw FakeDirector.Unexpected("no EOD") }
        channel.close(terminate: true)
    }

    func backUp(_ files: [FakeFile], session: UInt32) throws {
        try beginAppend(session)
        try send(files)
        try endAppend(session)
    }

    func restore(session: UInt32, time: UInt32) throws -> [RestoredRecord] {
        try send("read open session = DummyVolume \(session) \(time) 0 0 0 0\n")
        try expect("3000 OK open ticket = \(session)")
        try send("read data \(session)\n")
        try expect("3000 OK data")
        var records: [RestoredRecord] = []
        while true {
            guard case .payload(let header) = try channel.receive() else { break }
            guard let fields = scan(String(decoding: header, as: UTF8.self), "rechdr %d %d %d %d %d"),
                case .payload(let data) = try channel.receive(), data.count == Int(fields[4])
            else { throw FakeDirector.Unexpected(String(decoding: header, as: UTF8.self)) }
            records.append(
                RestoredRecord(sessionID: UInt32(fields[0])!, fileIndex: Int32(fields[2])!, stream: Int32(fields[3])!, data: data))
        }
        try send("read close session \(session)\n")
        try expect("3000 OK close")
        channel.close(terminate: true)
        return records
    }
}

/// The files in restored records.
func files(_ records: [RestoredRecord]) -> [FakeFile] {
    var files: [FakeFile] = []
    for record in records {
        switch record.stream {
        case 1: files.append(FakeFile(name: String(decoding: record.data, as: UTF8.self), data: []))
        case 2: files[files.count - 1].data += record.data
        default: break
        }
    }
    return files
}
