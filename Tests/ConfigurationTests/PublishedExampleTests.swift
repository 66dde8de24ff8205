// The published example of a site with an internal and an external network.

import Testing

@testable import Configuration

@Suite("The published example")
struct PublishedExampleTests {
    @Test("is read as written: nothing in it is unknown, and only what it leaves out is missing")
    func isRead() {
        let found = ConfigurationLoader.examine(Fixture.path("two-networks.conf"), roles: [.director, .storageDaemon])
        for line in found.diagnostics { print(line) }
        #expect(found.resources.count == 7)
    }
}
