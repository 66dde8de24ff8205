// Listeners and flows of a configuration.

import Testing

@testable import Configuration

@Suite("The port map")
struct PortMapTests {
    @Test("has the listeners and flows of a whole site")
    func wholeSite() throws {
        let text = DefaultSite(root: "/r", backup: ["/a"], directorPort: 1, fileDaemonPort: 2, storageDaemonPort: 3)
            .allText
        let roles: Set<Role> = [.director, .fileDaemon, .storageDaemon]
        let map = PortMap(try #require(ConfigurationLoader.parse(text, path: "a", roles: roles).0), roles: roles)
        #expect(
            map.listeners.map { "\($0.role.rawValue) \($0.address):\($0.port)" } == [
                "director 127.0.0.1:1", "fd 127.0.0.1:2", "sd 127.0.0.1:3",
            ])
        #expect(
            map.flows.map { "\($0.from.rawValue) > \($0.to.rawValue) \($0.host):\($0.port) \($0.resource)" } == [
                "director > fd 127.0.0.1:2 Client \"demo-fd\"", "director > sd 127.0.0.1:3 Storage \"Disk\"",
                "fd > sd 127.0.0.1:3 Storage \"Disk\"",
            ])
    }

    @Test("shows the addresses that file daemons see, and leaves out what is disabled")
    func addresses() throws {
        let found = examine(
            """
            Client { Name = a; Address = a.example; Password = p; Catalog = k; FdStorageAddress = sd.inside }
            Client { Name = b; Address = b.example; Password = p; Catalog = k; FdPort = 99; Enabled = no }
            Storage { Name = s; Address = s.example; Password = p; Device = d; MediaType = m; FdStorageAddress = sd.outside; SDPort = 77 }
            """, [.director])
        let map = PortMap(Configuration(path: "t", resources: found.resources), roles: [.director])
        #expect(map.listeners.isEmpty)
        #expect(
            map.flows.map { "\($0.from.rawValue) > \($0.to.rawValue) \($0.host):\($0.port) \($0.resource)" } == [
                "director > fd a.example:9102 Client \"a\"", "director > sd s.example:77 Storage \"s\"",
                "fd > sd sd.outside:77 Storage \"s\"",
                "fd > sd sd.inside:77 Client \"a\"",
            ])
    }

    @Test("listens on every address where the file names none, and knows what the console dials")
    func console() throws {
        let found = examine(
            "Director { Name = d; Password = p; WorkingDirectory = /w }\nDirector { Name = d2; Password = p; Address = h; DirPort = 5 }",
            [.director, .console])
        let map = PortMap(Configuration(path: "t", resources: found.resources), roles: [.director, .console])
        #expect(map.listeners.map { "\($0.address):\($0.port)" } == [":9101"])
        #expect(
            map.flows.map { "\($0.from.rawValue) > \($0.to.rawValue) \($0.host):\($0.port)" } == [
                "console > director h:5"
            ])
    }
}
