// One console's conversation with the director.

package import Wire

/// Serves one console until it quits or hangs up.
package struct ConsoleSession: Sendable {
    let services: DirectorServices
    let connection: AcceptedConnection

    package init(services: DirectorServices, connection: AcceptedConnection) {
        self.services = services
        self.connection = connection
    }

    /// Blocks; cancelling the task interrupts the channel and ends it.
    package func run() async {
        while let packet = try? connection.channel.receive() {
            guard case .payload = packet else { break }
            do {
                try connection.channel.send("The console's commands are not built yet.\n")
                try connection.channel.send(.endOfData)
            } catch { break }
        }
    }
}
