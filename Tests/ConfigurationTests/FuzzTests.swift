// Whatever is in a file, reading it returns, with findings.

import Testing

@testable import Configuration

@Suite("Any bytes at all")
struct FuzzTests {
    /// A small generator with a seed, so that a failure can be replayed.
    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private let roleSets: [Set<Role>] = [
        [.director], [.storageDaemon], [.fileDaemon], [.console], [.director, .storageDaemon, .fileDaemon], [.gateway],
        Set(Role.allCases),
    ]

    private func check(_ bytes: [UInt8], _ generator: inout Generator) {
        let roles = roleSets.randomElement(using: &generator)!
        let found = ConfigurationLoader.examine(bytes, path: "fuzz", roles: roles, sources: .none)
        #expect(found.diagnostics.count <= ProblemList.problemsMax + 1)
        // What was read must be usable: no accessor may meet a value of another type than its table says.
        for resource in found.resources {
            for directive in ConfigurationTables.table(resource.kind).directives where resource.isGiven(directive.name) {
                switch directive.type {
                case .number, .integer, .port: _ = resource.number(directive.name)
                case .size, .speed: _ = resource.size(directive.name)
                case .time: _ = resource.time(directive.name)
                case .bool, .nameOrBool: _ = resource.bool(directive.name)
                default: _ = resource.list(directive.name)
                }
            }
            switch resource.kind {
            case .fileSet: _ = FileSetDefinition(resource).md5
            case .messages: _ = MessagesDefinition(resource)
            case .schedule: _ = ScheduleDefinition(resource)
            case .job, .jobDefs: _ = RunScriptDefinition.all(of: resource)
            default: break
            }
        }
        _ = PortMap(Configuration(path: "fuzz", resources: found.resources), roles: roles)
    }

    @Test("are read to the end", arguments: [1, 2, 3, 4])
    func random(seed: UInt64) {
        var generator = Generator(state: seed)
        let alphabet = Array("{}=;,#@\"\\ \n\tNameJobDirector{}{}=1hk%|<\u{E4}".utf8)
        for _ in 0..<60 {
            let count = Int.random(in: 0...600, using: &generator)
            let raw = seed % 2 == 0
            check(
                (0..<count).map { _ in
                    raw ? UInt8.random(in: 0...255, using: &generator) : alphabet.randomElement(using: &generator)!
                }, &generator)
        }
    }

    @Test("that were a configuration before some were changed, are read to the end", arguments: [11, 12, 13, 14])
    func mutated(seed: UInt64) throws {
        var generator = Generator(state: seed)
        let texts = [
            DefaultSite.sample.filled.allText, try Fixture.text(Fixture.path("mistakes.conf")),
            try Fixture.text(Fixture.path("two-networks.conf")),
            "Schedule { Name = s; Run = Level=Full Pool=p 1st-3rd sun w01-w05 jan at 23:05; Run = hourly at 0:05 }",
            "FileDaemon { Name = f; FDAddresses = { ip = { addr = 1.2.3.4; port = 5 } } }\nMessages { Name = m; append = \"/x\" = all, !info }",
        ].map { Array($0.utf8) }
        for _ in 0..<40 {
            var bytes = texts.randomElement(using: &generator)!
            for _ in 0..<Int.random(in: 1...12, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(Array("{}=\";,\\@#\n".utf8).randomElement(using: &generator)!, at: place)
                default:
                    bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...200, using: &generator)))
                }
            }
            check(bytes, &generator)
        }
    }

    @Test("in large heaps of one kind are read in bounded time and depth")
    func heaps() {
        var generator = Generator(state: 99)
        for piece in [
            "{", "}", "a{", "a={", "\"", "=", ",", "a ", "@x\n", "\\\n", "Job{", "Job{Name=a\n", "a=b\n",
            "Job { Run = \"x\" }\n", "Include {",
        ] {
            let count = 20000 / piece.utf8.count
            check(Array(String(repeating: piece, count: count).utf8), &generator)
        }
    }
}
