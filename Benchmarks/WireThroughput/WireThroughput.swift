// Throughput of a message channel over loopback, in packets of 64 KiB, as file data travels: both ends in this process.
//
//     swift build -c release --product wire-throughput && .build/release/wire-throughput [GiB]

import Configuration
import Glibc
import Platform
import Wire

@main struct WireThroughput {
    static func main() async throws {
        let gibibytes = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 4
        let only = CommandLine.arguments.dropFirst(2).first
        for (name, policy) in [("plain text", TLSPolicy.plainText), ("TLS 1.3 PSK", .preSharedKeyRequired)] {
            if let only, !name.lowercased().contains(only) { continue }
            for round in 1...3 { try await measure(name, policy, bytes: gibibytes << 30, round) }
        }
    }

    static func measure(_ name: String, _ policy: TLSPolicy, bytes: Int, _ round: Int) async throws {
        let secret = SharedSecret(password: "benchmark")
        let listener = try Listener(
            PortMap.Listener(role: .fileDaemon, address: "127.0.0.1", port: 0, purpose: "benchmark", connectors: []))
        let serving = ElasticExecutor.shared.detach {
            await listener.serve(
                name: "b", admit: { _ in .authenticate(secret, policy, greeting: "2000 OK Hello 214") },
                handler: { connection in
                    var total = 0
                    var buffer: [UInt8] = []
                    while (try? connection.channel.receive(into: &buffer)) == .some(.none) { total += buffer.count }
                    try? connection.channel.send("\(total)")
                    try? connection.channel.flush()
                })
        }
        let connection = try await dial(
            Destination(host: "127.0.0.1", port: listener.port, secret: secret, tls: policy, ownName: "b"),
            .directorToFileDaemon(name: "b", version: 103))
        let payload = [UInt8]((0..<65536).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let start = ContinuousClock.now
        let cpuStart = cpuSeconds()
        let sending = ElasticExecutor.shared.detach {
            do {
                for _ in 0..<bytes / payload.count { try connection.channel.send(payload) }
                try connection.channel.send(.endOfData)
                guard try connection.channel.receiveLine() == String(bytes) else { fatalError("bytes were lost") }
            } catch {
                fatalError("\(error)")
            }
        }
        await sending.value
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let cpu = cpuSeconds() - cpuStart
        let gigabytes = Double(bytes) / 1e9
        print(
            "\(name), round \(round): \((gigabytes / seconds * 100).rounded() / 100) GB/s, "
                + "\((cpu / gigabytes * 100).rounded() / 100) CPU s/GB (both ends), \(connection.channel.security)")
        connection.channel.close()
        serving.cancel()
        await serving.value
    }

    /// User and system time of this process.
    static func cpuSeconds() -> Double {
        var usage = rusage()
        unsafe getrusage(0 /* RUSAGE_SELF */, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
