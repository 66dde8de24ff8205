// docs/configuration.md

import Testing

@testable import Configuration

@Suite("The reference of the configuration language")
struct ReferenceDocumentTests {
    @Test("is written from the tables")
    func isCurrent() throws { try Golden.expect(ConfigurationTables.markdown(), in: "docs/configuration.md") }

    @Test("explains every directive in one line")
    func meanings() {
        let tables =
            ResourceKind.allCases.map { ConfigurationTables.table($0) }
            + BlockKind.allCases.map { ConfigurationTables.table($0) }
        for table in tables {
            for directive in table.directives {
                #expect(
                    !directive.meaning.isEmpty && !directive.meaning.contains("\n"), "\(table.title).\(directive.name)")
            }
        }
    }
}
