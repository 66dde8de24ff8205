// The configuration that is made to measure, and the samples that are made from it.

import Platform
import Testing

@testable import Configuration

@Suite("The default site")
struct DefaultSiteTests {
    static let site = DefaultSite(root: "/srv/backup \"old\"", backup: ["/home", "/var/www/a b"], passwords: .random())

    @Test(
        "loads without a single finding, in every file of it",
        arguments: [
            (\DefaultSite.directorText, Set([Role.director])), (\.fileDaemonText, [.fileDaemon]),
            (\.storageDaemonText, [.storageDaemon]),
            (\.consoleText, [.console]), (\.allText, [.director, .storageDaemon, .fileDaemon]),
        ] as [(any KeyPath<DefaultSite, String> & Sendable, Set<Role>)])
    func loads(text: any KeyPath<DefaultSite, String> & Sendable, roles: Set<Role>) {
        let (configuration, findings) = ConfigurationLoader.parse(
            Self.site[keyPath: text], path: "site.conf", roles: roles)
        #expect(findings.isEmpty, "\(findings)")
        #expect(configuration != nil)
    }

    @Test("gives each pair of programs a password of its own, and the same one on both sides")
    func passwords() throws {
        let director = try #require(ConfigurationLoader.parse(Self.site.directorText, path: "d", roles: [.director]).0)
        let fd = try #require(ConfigurationLoader.parse(Self.site.fileDaemonText, path: "f", roles: [.fileDaemon]).0)
        let sd = try #require(
            ConfigurationLoader.parse(Self.site.storageDaemonText, path: "s", roles: [.storageDaemon]).0)
        let console = try #require(ConfigurationLoader.parse(Self.site.consoleText, path: "c", roles: [.console]).0)
        let pairs = [
            (director.first(.client), fd.first(.fileDirector)), (director.first(.storage), sd.first(.storageDirector)),
            (director.first(.director), console.first(.consoleDirector)),
        ]
        for (a, b) in pairs { #expect(a?.password("Password") == b?.password("Password")) }
        #expect(Set(pairs.compactMap { $0.0?.password("Password") }).count == 3)
        #expect(fd.first(.fileDirector)?.name == director.first(.director)?.name)
    }

    @Test("keeps odd paths as they are")
    func paths() throws {
        let director = try #require(ConfigurationLoader.parse(Self.site.directorText, path: "d", roles: [.director]).0)
        let files = FileSetDefinition(try #require(director.first(.fileSet))).includes.flatMap(\.files)
        #expect(files == [.name("/home"), .name("/var/www/a b")])
        #expect(director.first(.director)?.text("WorkingDirectory") == "/srv/backup \"old\"/director")
    }

    @Test("is what the samples in etc/appliance show", arguments: ["director", "fd", "sd", "console", "all"])
    func samples(name: String) throws {
        let site = DefaultSite.sample
        let text = [
            "director": site.directorText, "fd": site.fileDaemonText, "sd": site.storageDaemonText,
            "console": site.consoleText,
            "all": site.allText,
        ]
        try Golden.expect(try #require(text[name]), in: "etc/appliance/\(name).conf")
    }

    @Test(
        "gives samples that load without a finding once the marks are replaced, and not before",
        arguments: ["director", "fd", "sd", "console", "all"])
    func samplesLoad(name: String) throws {
        let roles: [String: Set<Role>] = [
            "director": [.director], "fd": [.fileDaemon], "sd": [.storageDaemon], "console": [.console],
            "all": [.director, .fileDaemon, .storageDaemon],
        ]
        let text = try Fixture.text("\(Fixture.repository)/etc/appliance/\(name).conf")
        let untouched = examine(text, roles[name]!)
        #expect(untouched.errors.allSatisfy { $0.contains("still the sample's mark") } && untouched.hasErrors)
        let filled = text.replacing("@PASSWORD_CONSOLE@", with: "a1").replacing("@PASSWORD_FD@", with: "b2").replacing(
            "@PASSWORD_SD@", with: "c3")
        #expect(examine(filled, roles[name]!).diagnostics == [])
    }
}

/// Files that are written from the code and looked at by people. `UPDATE_GOLDEN=1 swift test --filter ConfigurationTests`
/// writes them anew.
enum Golden {
    static func expect(_ text: String, in path: String) throws {
        let path = "\(Fixture.repository)/\(path)"
        if CurrentProcess.environment("UPDATE_GOLDEN") != nil {
            let file = try OpenFile(path, 0o1101, mode: 0o644)  // write only, create, truncate
            try file.write(Array(text.utf8).span)
        }
        let golden = try Fixture.text(path)
        #expect(
            golden == text, "\(path) is not what the code gives; look at the difference, then run with UPDATE_GOLDEN=1")
    }
}
