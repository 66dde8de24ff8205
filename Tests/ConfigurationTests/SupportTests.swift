// Whether the tables tell the truth about what has an effect.

import Platform
import Testing

@testable import Configuration

@Suite("Directives that the tables call implemented")
struct SupportTests {
    /// Names that the loader itself or the port map reads, which puts them together from pieces.
    private static let ownUse: Set<String> = [
        "Name", "Description", "JobDefs", "DirAddress", "DirAddresses", "FdAddress", "FdAddresses", "SdAddress",
        "SdAddresses",
    ]

    /// For whoever finishes a role: `CHECK_SUPPORT=1 swift test --filter SupportTests` lists what to implement or to
    /// mark as planned.
    @Test("are read somewhere in the sources", .enabled(if: CurrentProcess.environment("CHECK_SUPPORT") != nil))
    func areRead() throws {
        let command =
            #"grep -rhoE '"[A-Z][A-Za-z]+"' Sources Plugins --include='*.swift' --exclude='*Tables.swift' | sort -u"#
        var options = ChildProcess.Options()
        options.directory = Fixture.repository
        let found = try ChildProcess.run(["/bin/sh", "-c", command], options)
        let words = Set(
            String(decoding: found.output, as: UTF8.self).split(separator: "\n").map {
                $0.dropFirst().dropLast().lowercased()
            })
        for kind in ResourceKind.allCases where kind != .jobDefs {
            let table = ConfigurationTables.table(kind)
            for line in table.directives
            where table.support == .implemented && line.support == .implemented && !Self.ownUse.contains(line.name) {
                let isRead = ([line.name] + line.aliases).contains { words.contains($0.lowercased()) }
                #expect(isRead, "\(table.title).\(line.name) is read nowhere")
            }
        }
    }
}
