// The directory of all tables: which resource has which directives.

/// The configuration language as data. Parsing, checking, docs/configuration.md and completion all read it here.
package enum ConfigurationTables {
    /// The table of a kind of resource.
    package static func table(_ kind: ResourceKind) -> DirectiveTable {
        switch kind {
        case .director: director
        case .console: console
        case .client: client
        case .storage: storage
        case .catalog: catalog
        case .job: job
        case .jobDefs: jobDefs
        case .fileSet: fileSet
        case .schedule: schedule
        case .pool: pool
        case .messages: messages
        case .counter: counter
        case .statistics: statistics
        case .storageDaemon: storageDaemon
        case .storageDirector: storageDirector
        case .device: device
        case .autochanger: autochanger
        case .cloud: cloud
        case .fileDaemon: fileDaemon
        case .fileDirector: fileDirector
        case .consoleDirector: consoleDirector
        case .consoleConsole: consoleConsole
        }
    }

    /// The table of a kind of nested block.
    package static func table(_ kind: BlockKind) -> DirectiveTable {
        switch kind {
        case .include: include
        case .exclude: exclude
        case .options: options
        case .runScript: runScript
        }
    }

    // MARK: - Lines that several tables share

    static let nameLine = Directive("Name", .name, required: true, "its name")
    static let descriptionLine = Directive("Description", .string, "free text, shown to operators")

    /// The TLS directives of a resource that stands for a connection, or for a daemon's own side of all its connections.
    static let tls: [Directive] = [
        Directive(
            "TlsEnable", .bool, default: .yes,
            "no: plain text, which peers older than release 11 without certificates need"),
        Directive(
            "TlsPskEnable", .bool, default: .yes,
            "TLS by the key that the two resources' passwords make; no certificates needed"),
        Directive("TlsRequire", .bool, default: .no, "refuse peers that can't do TLS by certificates"),
        Directive("TlsAuthenticate", .bool, default: .no, "encrypt the authentication only"),
        Directive("TlsVerifyPeer", .bool, default: .yes, "ask callers for a certificate and verify it"),
        Directive("TlsCaCertificateFile", .directory, "file of CA certificates, PEM"),
        Directive("TlsCaCertificateDir", .directory, "directory of CA certificates with hashed names"),
        Directive("TlsCertificate", .directory, "our certificate, PEM"),
        Directive("TlsKey", .directory, "the key of our certificate, PEM"),
        Directive("TlsDhFile", .directory, support: .unneeded, "Diffie-Hellman parameters; the library has good ones"),
        Directive("TlsAllowedCn", .texts, "common names that a caller's certificate may have"),
        Directive("FipsRequire", .bool, default: .no, support: .planned, "refuse to run without a FIPS library"),
    ]

    static let labelTypes = ["Bacula", "ANSI", "IBM"]
    static let pruneNote = "pruning"
}
