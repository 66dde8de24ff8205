// How fast blocks are filled, summed, written and read: GB/s of the wall clock and CPU seconds per GB.
//
//     swift run -c release volume-throughput [DIRECTORY [GIGABYTES]]
//
// Records are 64 KiB, as a file daemon sends them. Writing to the page cache measures our own cost; the last line adds fsync.

import DiskRepository
import Glibc
import Modules
import Volumes

@main
enum VolumeThroughput {
    static let record = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
        for index in 0..<65_536 { unsafe buffer[index] = UInt8(truncatingIfNeeded: index &* 31 &+ index >> 8) }
        count = 65_536
    }

    static func main() throws {
        let directory = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "/tmp"
        let gigabytes = CommandLine.arguments.count > 2 ? Double(CommandLine.arguments[2]) ?? 1 : 1
        let records = Int(gigabytes * 1e9) / record.count
        let total = records * record.count

        var crc: UInt32 = 0
        measure("CRC-32 alone, 64,512-byte pieces", bytes: total) {
            for _ in 0..<records { crc ^= Checksum.crc32(record.span.extracting(0..<64_512)) }
        }
        var blocks = 0
        measure("filling and summing blocks, not written", bytes: total) {
            write(records) { _ in blocks += 1 }
        }

        let device = FileDevice(name: "Benchmark", directory: directory)
        let name = "throughput-\(getpid())"
        defer { unsafe unlink("\(directory)/\(name)") }
        try device.open(volume: name, for: .append, create: true)
        _ = try device.seekToEndOfData()
        try measure("writing a volume, page cache", bytes: total) {
            try write(records) { block in _ = try device.writeBlock(block) }
        }
        try measure("sync", bytes: total) { try device.sync() }
        try device.rewind()

        var bootstrap = Bootstrap.Unit(volumes: [name])
        bootstrap.sessionIDs = [1...1]
        var delivered = 0
        try measure("reading, checking and reassembling records", bytes: total) {
            var reader = VolumeReader(Bootstrap(units: [bootstrap]))
            try reader.read { _, _ throws(DeviceError) in
                device
            } deliver: { _, bytes throws(DeviceError) in
                delivered += bytes.count
            } report: {
                print($0)
            }
        }
        print("\(blocks) blocks, \(delivered) bytes delivered, crc \(crc)")
        try device.close()
    }

    static func write(_ records: Int, _ sink: (Span<UInt8>) throws -> Void) rethrows {
        var writer = BlockWriter(session: SessionIdentity(id: 1, time: 1))
        for index in 0..<records {
            try writer.append(fileIndex: Int32(1 + index / 16), stream: 2, data: record.span) { _, block in try sink(block) }
        }
        try writer.flush { _, block in try sink(block) }
    }

    static func measure(_ what: String, bytes: Int, _ body: () throws -> Void) rethrows {
        let (wall, cpu) = (clock(CLOCK_MONOTONIC), clock(CLOCK_PROCESS_CPUTIME_ID))
        try body()
        let (seconds, busy) = (clock(CLOCK_MONOTONIC) - wall, clock(CLOCK_PROCESS_CPUTIME_ID) - cpu)
        let gigabytes = Double(bytes) / 1e9
        print(
            "\(what): \(rounded(gigabytes / seconds)) GB/s, \(rounded(busy / gigabytes)) CPU s/GB (\(rounded(seconds)) s for \(rounded(gigabytes)) GB)"
        )
    }

    static func clock(_ id: clockid_t) -> Double {
        var time = timespec()
        unsafe clock_gettime(id, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
