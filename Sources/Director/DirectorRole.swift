// The director as a role of the binary: opens its catalog and port, runs jobs and consoles, and ends in order.

package import Configuration
import Logging
import Modules
import Platform
import Wire

/// `appliance --role director`.
package final class DirectorRole: RoleDaemon {
    package let services: DirectorServices

    /// Opens the catalog and brings it up to date; nothing listens yet.
    package init(_ configuration: Configuration) throws(DirectorError) {
        throw DirectorError(.notBuiltYet, "The director is not built yet.")
    }

    package func run() async throws {}
    package func reload(_ configuration: Configuration) async throws {}
    package func shutDown(grace: Duration) async {}
}
