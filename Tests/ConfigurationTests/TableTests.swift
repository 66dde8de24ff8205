// The tables: defaults, aliases, accessors.

import Testing

@testable import Configuration

@Suite("The tables")
struct TableTests {
    @Test("give defaults of the directive's own type", arguments: ResourceKind.allCases)
    func defaults(kind: ResourceKind) {
        for directive in ConfigurationTables.table(kind).directives {
            guard let value = directive.defaultValue else { continue }
            let fits =
                switch (directive.type, value) {
                case (.number, .number), (.integer, .number), (.port, .number), (.size, .size), (.speed, .speed),
                    (.time, .time), (.bool, .bool),
                    (.string, .text):
                    true
                case (.word(let words), .text(let text)): words.contains(text)
                default: false
                }
            #expect(fits, "\(kind).\(directive.name)")
        }
    }

    @Test("have a Name that is required in every resource", arguments: ResourceKind.allCases)
    func names(kind: ResourceKind) {
        let name = ConfigurationTables.table(kind).directive("name")
        #expect(name?.isRequired == true && name?.type == .name)
    }

    @Test("answer every accessor with the default where the file says nothing", arguments: ResourceKind.allCases)
    func accessors(kind: ResourceKind) {
        let resource = Resource(kind: kind, name: "r", location: SourceLocation(file: "t", line: 1, column: 1))
        for directive in ConfigurationTables.table(kind).directives {
            #expect(!resource.isGiven(directive.name))
            switch (directive.type, directive.defaultValue) {
            case (.number, let value), (.integer, let value), (.port, let value):
                #expect(value == nil || value == .number(Int64(resource.number(directive.name))))
            case (.size, let value), (.speed, let value):
                #expect(
                    value == nil || value == .size(resource.size(directive.name))
                        || value == .speed(resource.size(directive.name)))
            case (.time, let value): #expect((value ?? .noTime) == .time(resource.time(directive.name)))
            case (.bool, let value): #expect((value ?? .no) == .bool(resource.bool(directive.name)))
            case (_, let value):
                #expect(resource.text(directive.name) == value?.asText)
                #expect(resource.blocks(directive.name).isEmpty)
                #expect(resource.password(directive.name) == nil)
            }
        }
    }

    @Test("have the defaults of the original")
    func wellKnownDefaults() {
        func empty(_ kind: ResourceKind) -> Resource {
            Resource(kind: kind, name: "r", location: .init(file: "t", line: 1, column: 1))
        }
        #expect(empty(.director).number("DirPort") == 9101)
        #expect(empty(.client).number("FdPort") == 9102)
        #expect(empty(.storageDaemon).number("SdPort") == 9103)
        #expect(empty(.director).time("FdConnectTimeout") == .seconds(180))
        #expect(empty(.director).time("StatisticsRetention") == .seconds(5 * 365 * 86400))
        #expect(empty(.job).number("Priority") == 10)
        #expect(empty(.job).text("Replace") == "Always")
        #expect(empty(.job).number("MaximumConcurrentJobs") == 1)
        #expect(empty(.pool).time("VolumeRetention") == .seconds(365 * 86400))
        #expect(empty(.device).size("MaximumFileSize") == 1_000_000_000)
        #expect(empty(.device).bool("BlockChecksum"))
        #expect(!empty(.device).bool("LabelMedia"))
        #expect(empty(.client).bool("TlsEnable"))
        #expect(empty(.client).bool("TlsPskEnable"))
    }

    @Test("know other spellings of a directive, and take all of them in accessors")
    func aliases() {
        let found = examine(
            "Client { Name = c; FD Address = h; FDPassword = p; Catalog = k }\nCatalog { Name = k; dbname = x; user = u }\nDirector { Name = d; Password = p; WorkingDirectory = /w }",
            [.director])
        #expect(found.errors == [])
        let client = found.first(.client)
        #expect(client?.text("Address") == "h")
        #expect(client?.text("FdAddress") == "h")
        #expect(client?.password("Password") == "p")
        #expect(client?.isGiven("fdaddress") == true)
        #expect(found.first(.catalog)?.text("DbUser") == "u")
        #expect(found.first(.catalog)?.text("DbName") == "x")
    }

    @Test("name what is known but has no effect yet, once each")
    func planned() {
        let found = examine(
            """
            Pool { Name = p; PoolType = Backup; CacheRetention = 1 }
            Pool { Name = q; PoolType = Backup; CacheRetention = 2
              MigrationTime = 3 days }
            """, [.director])
        #expect(
            found.warnings == [
                "test.conf:1:37: warning: `CacheRetention` of Pool is known, but has no effect yet. It occurs at one more place.",
                "test.conf:3:3: warning: `MigrationTime` of Pool is known, but has no effect yet.",
            ])
    }
}
