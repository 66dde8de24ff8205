// What the binary asks of a role.

package import Configuration

/// A running role. The binary creates it from a checked configuration, runs it, reloads it on SIGHUP and ends it on SIGTERM.
package protocol RoleDaemon: Sendable {
    /// Serves until `shutDown` has ended it. Runs on the elastic executor, so it may block.
    func run() async throws
    /// Takes a new configuration over. Running jobs go on under the old one. A configuration that can't be taken over
    /// (another role's, a changed port) throws and leaves everything as it was.
    func reload(_ configuration: Configuration) async throws
    /// Accepts nothing new, gives running jobs `grace` to finish, then cancels them; returns when all have ended and
    /// `run` is about to return.
    func shutDown(grace: Duration) async
}
