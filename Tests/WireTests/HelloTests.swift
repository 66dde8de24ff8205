import TestSupport
import Testing

@testable import Wire

@Suite("Hello") struct HelloTests {
    static let captured: [(String, Hello)] = [
        ("Hello *UserAgent* calling 100", .console(name: "*UserAgent*", version: 100)),
        ("Hello lab\u{1}console calling 100", .console(name: "lab console", version: 100)),
        ("Hello Director lab-dir calling 103", .directorToFileDaemon(name: "lab-dir", version: 103)),
        ("Hello SD: Bacula Director lab-dir calling 103", .directorToStorageDaemon(name: "lab-dir", version: 103)),
        (
            "Hello Bacula SD: Start Job BackupPlain.2026-11-21_00.00.36_03 214",
            .jobToStorageDaemon(job: "BackupPlain.2026-11-21_00.00.36_03", version: 214, storageVersion: nil)
        ),
        (
            "Hello Bacula SD: Start Job Copy.2026-11-21_00.00.36_03 214 306",
            .jobToStorageDaemon(job: "Copy.2026-11-21_00.00.36_03", version: 214, storageVersion: 306)
        ),
        (
            "Hello FD: Bacula Storage calling Start Job B.2026-11-21_00.00.36_03 306",
            .storageDaemonToFileDaemon(job: "B.2026-11-21_00.00.36_03", version: 306)
        ),
        ("Ping", .ping),
    ]

    @Test("Every form is read and written as captured", arguments: captured)
    func forms(line: String, hello: Hello) {
        let received = ReceivedHello(parsing: line)
        #expect(received?.hello == hello)
        #expect(received?.needs == nil)
        #expect(received?.isAppliance == false)
        #expect(hello.words == line)
    }

    @Test("Every form may carry the needs of release 11, and our marker", arguments: captured.dropLast())
    func appended(line: String, hello: Hello) {
        let eleven = ReceivedHello(parsing: line + " tlspsk=100")
        #expect(eleven?.hello == hello)
        #expect(eleven?.needs == TLSNeeds(certificates: .no, preSharedKey: .welcome))
        #expect(eleven?.isAppliance == false)
        let ours = ReceivedHello(parsing: line + " tlspsk=201 appliance=1")
        #expect(ours?.hello == hello)
        #expect(ours?.needs == TLSNeeds(certificates: .welcome, preSharedKey: .required))
        #expect(ours?.isAppliance == true)
        let plain = ReceivedHello(parsing: line + " appliance=1")
        #expect(plain?.hello == hello)
        #expect(plain?.needs == nil)
        #expect(plain?.isAppliance == true)
    }

    @Test("A missing version counts as none")
    func noVersion() {
        #expect(ReceivedHello(parsing: "Hello *UserAgent* calling")?.hello == .console(name: "*UserAgent*", version: 0))
        #expect(
            ReceivedHello(parsing: "Hello Director d calling")?.hello == .directorToFileDaemon(name: "d", version: 0))
        #expect(
            ReceivedHello(parsing: "Hello Director d calling tlspsk=100")?.hello
                == .directorToFileDaemon(name: "d", version: 0))
    }

    @Test("What is no Hello is refused")
    func refused() {
        let long = String(repeating: "x", count: 128)
        for line in [
            "", "Hello", "Hello ", "hello Director d calling 1", "GET / HTTP/1.1", "Hello  calling 1",
            "Hello Director \(long) calling 103", "Hello x fdcallsdir 14 tlspsk=100", "Pong",
        ] {
            #expect(ReceivedHello(parsing: line) == nil, "\(line)")
        }
    }

    @Test("Numbers that don't fit are no version and no need")
    func numbers() {
        let huge = "99999999999999999999"
        #expect(
            ReceivedHello(parsing: "Hello Director d calling \(huge)")?.hello
                == .directorToFileDaemon(name: "d", version: 0))
        #expect(TLSNeeds(number: -5) == TLSNeeds(certificates: .no, preSharedKey: .no))
        #expect(TLSNeeds(number: 999) == TLSNeeds(certificates: .required, preSharedKey: .required))
        for number in [0, 1, 2, 100, 101, 102, 200, 201, 202] { #expect(TLSNeeds(number: number).number == number) }
    }

    @Test("Mutated Hellos are read or refused, never more")
    func fuzz() {
        var generator = SeededGenerator(seed: 20_261_121)
        for round in 0..<4000 {
            var bytes = Array((Self.captured[round % 8].0 + [" tlspsk=100", "", " appliance=1"][round % 3]).utf8)
            for _ in 0...Int.random(in: 0..<4, using: &generator) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: at)
                default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: at)
                }
            }
            _ = ReceivedHello(parsing: String(decoding: bytes, as: UTF8.self))
            _ = Challenge(parsing: String(decoding: bytes, as: UTF8.self))
        }
    }
}
