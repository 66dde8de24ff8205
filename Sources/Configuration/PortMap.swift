// Every port the house listens on and every path it dials, computed from the loaded configuration.

/// Who listens and who dials. A listener can only be opened by handing an entry of this map to `Wire.Listener`, so that
/// what the map says cannot drift from what is open.
package struct PortMap: Sendable {
    package enum Transport: String, Sendable { case tcp, udp }

    /// One address and port a role listens on.
    package struct Listener: Sendable, Hashable {
        package var role: Role
        /// Address to bind; empty means every address, IPv4 and IPv6.
        package var address: String
        package var port: UInt16
        package var transport: Transport
        /// What for, and who connects; a phrase for the operator's table.
        package var purpose: String
        package var connectors: [Role]
        package init(
            role: Role, address: String, port: UInt16, transport: Transport = .tcp, purpose: String, connectors: [Role]
        ) {
            self.role = role
            self.address = address
            self.port = port
            self.transport = transport
            self.purpose = purpose
            self.connectors = connectors
        }
    }

    /// One path that is dialled.
    package struct Flow: Sendable, Hashable {
        package var from: Role
        package var to: Role
        package var host: String
        package var port: UInt16
        /// The resource that says so: `Storage "File1"`.
        package var resource: String
        package var purpose: String
        package init(from: Role, to: Role, host: String, port: UInt16, resource: String, purpose: String) {
            self.from = from
            self.to = to
            self.host = host
            self.port = port
            self.resource = resource
            self.purpose = purpose
        }
    }

    package var listeners: [Listener]
    package var flows: [Flow]
    package init(listeners: [Listener] = [], flows: [Flow] = []) {
        self.listeners = listeners
        self.flows = flows
    }
}
