// Volumes in memory whose medium misbehaves on request.

import Configuration
import Modules
import Platform
import Volumes

@testable import StorageDaemon

/// The medium: what all drivers of one simulated device share.
final class SimulatedMedium: Sendable {
    struct State {
        var volumes: [String: [UInt8]] = [:]
        /// Bytes that all volumes together may have.
        var room = Int.max
        /// Blocks that can't be read, by volume and address.
        var unreadable: Set<String> = []
        var syncs = 0
        /// How much of each volume the last sync has made last.
        var durable: [String: Int] = [:]
        /// Every write waits this long.
        var writeDelay: Duration = .zero
        var failsSync = false
    }
    let state = Monitor(State())
    var used: Int { state.read { $0.volumes.values.reduce(0) { $0 + $1.count } } }

    var module: Module {
        Module(name: "simulated", summary: "Volumes in memory.", deviceTypes: ["File"]) { _ throws(DeviceError) in
            SimulatedDevice(self)
        }
    }
}

/// A driver on a medium. One owner at a time, as the contract says.
final class SimulatedDevice: VolumeDevice, @unchecked Sendable {
    // Used by one thread at a time (the contract of VolumeDevice); what is shared lives in the medium's monitor.
    let medium: SimulatedMedium
    private(set) var openVolume: String?
    private var head = 0

    init(_ medium: SimulatedMedium) { self.medium = medium }

    var kind: DeviceKind { .file }
    var description: String { "simulated" }
    var position: BlockAddress { BlockAddress(rawValue: UInt64(head)) }

    func open(volume: String, for access: VolumeAccess, create: Bool) throws(DeviceError) {
        try medium.state.withLock { state throws(DeviceError) in
            if state.volumes[volume] == nil {
                guard create else { throw DeviceError(.noSuchVolume, "There is no volume \(volume).") }
                state.volumes[volume] = []
            }
        }
        openVolume = volume
        head = 0
    }

    func close() throws(DeviceError) {
        if openVolume != nil { try sync() }
        openVolume = nil
    }

    private func bytes() -> [UInt8] { medium.state.read { $0.volumes[openVolume ?? ""] ?? [] } }

    func readBlock(into buffer: inout [UInt8]) throws(DeviceError) -> Int {
        let bytes = bytes()
        guard head < bytes.count else { throw DeviceError(.endOfData, "The end.") }
        if medium.state.read({ $0.unreadable.contains("\(openVolume ?? ""):\(head)") }) {
            throw DeviceError(.mediaError, "Block at \(head) can't be read.")
        }
        guard let header = try? BlockHeader(decoding: bytes.span.extracting(head..<bytes.count)),
            head + header.blockBytes <= bytes.count
        else { throw DeviceError(.mediaError, "No block at \(head).") }
        buffer = Array(bytes[head..<head + header.blockBytes])
        head += header.blockBytes
        return header.blockBytes
    }

    func resynchronise(behind address: BlockAddress) throws(DeviceError) -> BlockAddress {
        let bytes = bytes()
        var at = Int(address.rawValue) + 1
        while at + 24 <= bytes.count {
            if (try? BlockHeader(checking: bytes.span.extracting(at..<bytes.count))) != nil,
                !medium.state.read({ $0.unreadable.contains("\(openVolume ?? ""):\(at)") })
            {
                head = at
                return position
            }
            at += 1
        }
        throw DeviceError(.endOfData, "The end.")
    }

    func writeBlock(_ block: Span<UInt8>) throws(DeviceError) -> BlockAddress {
        let copy = block.array(0..<block.count)
        let (volume, at) = (openVolume ?? "", head)
        let delay = medium.state.read { $0.writeDelay }
        if delay > .zero { _ = Monitor(0).wait(atMost: delay) { _ -> Bool? in nil } }
        try medium.state.withLock { state throws(DeviceError) in
            let used = state.volumes.values.reduce(0) { $0 + $1.count }
            guard used + copy.count <= state.room else { throw DeviceError(.endOfMedium, "No space left on device.") }
            if state.volumes[volume]!.count > at { state.volumes[volume]!.removeSubrange(at...) }
            state.volumes[volume]! += copy
        }
        head += copy.count
        return BlockAddress(rawValue: UInt64(at))
    }

    func writeLabel(_ block: Span<UInt8>) throws(DeviceError) {
        try truncate(at: .start)
        head = 0
        _ = try writeBlock(block)
        try sync()
    }

    func writeFilemark() throws(DeviceError) {}
    func seek(to address: BlockAddress) throws(DeviceError) { head = Int(address.rawValue) }
    func seekToEndOfData() throws(DeviceError) -> EndOfData {
        let bytes = bytes()
        var at = 0
        while at < bytes.count, let header = try? BlockHeader(checking: bytes.span.extracting(at..<bytes.count)) {
            at += header.blockBytes
        }
        head = at
        if at < bytes.count { try truncate(at: position) }
        return EndOfData(address: position, tornBytes: UInt64(bytes.count - at))
    }
    func rewind() throws(DeviceError) { head = 0 }
    func sync() throws(DeviceError) {
        try medium.state.withLock { state throws(DeviceError) in
            if state.failsSync { throw DeviceError(.mediaError, "The medium does not take the data.") }
            state.syncs += 1
            for (name, bytes) in state.volumes { state.durable[name] = bytes.count }
        }
    }
    func truncate(at address: BlockAddress) throws(DeviceError) {
        let volume = openVolume ?? ""
        medium.state.withLock { $0.volumes[volume]!.removeSubrange(Int(address.rawValue)...) }
    }
    func volumeBytes() throws(DeviceError) -> UInt64 { UInt64(bytes().count) }
    func freeBytes() -> UInt64? { nil }
    func volumeNames() throws(DeviceError) -> [String]? { medium.state.read { $0.volumes.keys.sorted() } }
}
