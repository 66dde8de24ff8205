// The port map of a loaded configuration.

extension PortMap {
    /// Ports of the house where a file says nothing.
    package enum DefaultPort {
        package static let director: UInt16 = 9101
        package static let fileDaemon: UInt16 = 9102
        package static let storageDaemon: UInt16 = 9103
        package static let gateway: UInt16 = 6180
    }

    /// Everything that these roles listen on and dial with this configuration. Disabled resources are left out.
    package init(_ configuration: Configuration, roles: Set<Role>) {
        self.init()
        if roles.contains(.director), let own = configuration.first(.director) {
            listeners += Self.listeners(
                of: own, "Dir", role: .director, purpose: "consoles give commands", connectors: [.console])
        }
        if roles.contains(.fileDaemon), let own = configuration.first(.fileDaemon) {
            listeners += Self.listeners(
                of: own, "Fd", role: .fileDaemon, purpose: "directors start backups and restores",
                connectors: [.director])
        }
        if roles.contains(.storageDaemon), let own = configuration.first(.storageDaemon) {
            listeners += Self.listeners(
                of: own, "Sd", role: .storageDaemon, purpose: "directors start jobs, file daemons send and fetch data",
                connectors: [.director, .fileDaemon])
        }
        if roles.contains(.director) { addDirectorFlows(configuration) }
        for director in roles.contains(.console) ? configuration.all(.consoleDirector) : [] {
            flows.append(
                Flow(
                    from: .console, to: .director, host: director.text("Address") ?? "", port: director.port("DirPort"),
                    resource: director.shown, purpose: "the console gives commands"))
        }
    }

    private mutating func addDirectorFlows(_ configuration: Configuration) {
        let clients = configuration.all(.client).filter { $0.bool("Enabled") }
        let storages = configuration.all(.storage).filter { $0.bool("Enabled") }
        for client in clients {
            flows.append(
                Flow(
                    from: .director, to: .fileDaemon, host: client.text("Address") ?? "", port: client.port("FdPort"),
                    resource: client.shown, purpose: "the director starts backups and restores"))
        }
        func addOnce(_ flow: Flow) { if !flows.contains(flow) { flows.append(flow) } }
        for storage in storages {
            let address = storage.text("Address") ?? ""
            let port = storage.port("SdPort")
            flows.append(
                Flow(
                    from: .director, to: .storageDaemon, host: address, port: port, resource: storage.shown,
                    purpose: "the director starts jobs"))
            addOnce(
                Flow(
                    from: .fileDaemon, to: .storageDaemon, host: storage.text("FdStorageAddress") ?? address,
                    port: port,
                    resource: storage.shown, purpose: "file daemons send and fetch data"))
            // A client may see the storage daemon under an address of its own.
            for client in clients {
                guard let seen = client.text("FdStorageAddress") else { continue }
                addOnce(
                    Flow(
                        from: .fileDaemon, to: .storageDaemon, host: seen, port: port, resource: client.shown,
                        purpose: "this file daemon sends and fetches data"))
            }
        }
    }

    /// The listeners of a daemon: its addresses block, else its one address and port.
    private static func listeners(
        of own: Resource, _ prefix: String, role: Role, purpose: String, connectors: [Role]
    ) -> [Listener] {
        let port = own.port("\(prefix)Port")
        func listener(_ address: String, _ port: UInt16) -> Listener {
            Listener(role: role, address: address, port: port, purpose: purpose, connectors: connectors)
        }
        guard let families = own.blocks("\(prefix)Addresses").first else {
            return [listener(own.text("\(prefix)Address") ?? "", port)]
        }
        return families.entries.compactMap { family in
            guard case .block(let block) = family.value else { return nil }
            let everywhere = family.name == "ipv4" ? "0.0.0.0" : family.name == "ipv6" ? "::" : ""
            var ownPort = port
            if case .number(let number)? = block.last("port") { ownPort = UInt16(clamping: number) }
            return listener(block.last("addr")?.asText ?? everywhere, ownPort)
        }
    }
}

extension Resource {
    /// A port directive.
    package func port(_ directive: String) -> UInt16 { UInt16(clamping: number(directive)) }
    /// `Client "web1-fd"`: how messages call it.
    package var shown: String { "\(title) \"\(name)\"" }
}
