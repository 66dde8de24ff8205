// Reading directives: the value given, else the table's default.


/// All resources of a file that passed its checks.
package struct Configuration: Sendable {
    package let path: String
    /// In the order of the file, JobDefs already applied to the jobs.
    package let resources: [Resource]
    package init(path: String, resources: [Resource]) {
        self.path = path
        self.resources = resources
    }

    package func all(_ kind: ResourceKind) -> [Resource] { resources.filter { $0.kind == kind } }
    package func first(_ kind: ResourceKind) -> Resource? { resources.first { $0.kind == kind } }
    package func named(_ kind: ResourceKind, _ name: String) -> Resource? {
        resources.first { $0.kind == kind && $0.name == name }
    }
    /// The resource that a reference directive of `resource` names, or nil where the directive is absent.
    package func target(of directive: String, in resource: Resource) -> Resource? { preconditionFailure("not built yet") }
    /// All resources that a reference-list directive names, in order.
    package func targets(of directive: String, in resource: Resource) -> [Resource] { preconditionFailure("not built yet") }
}

extension Resource {
    /// Text of a name, string, directory or address directive; nil where it is neither given nor defaulted.
    package func text(_ directive: String) -> String? { preconditionFailure("not built yet") }
    package func texts(_ directive: String) -> [String] { preconditionFailure("not built yet") }
    package func number(_ directive: String) -> Int { preconditionFailure("not built yet") }
    /// Bytes of a size directive, bytes per second of a speed directive.
    package func size(_ directive: String) -> Int64 { preconditionFailure("not built yet") }
    package func time(_ directive: String) -> Duration { preconditionFailure("not built yet") }
    package func bool(_ directive: String) -> Bool { preconditionFailure("not built yet") }
    package func password(_ directive: String) -> String? { preconditionFailure("not built yet") }
    package func blocks(_ directive: String) -> [Block] { preconditionFailure("not built yet") }
    /// Whether the file (or JobDefs) gave the directive.
    package func isGiven(_ directive: String) -> Bool { values[directive] != nil }
}

/// Reads configuration files.
package enum ConfigurationLoader {
    /// Loads `path` with its includes for the given roles (several where one process runs several) and checks everything.
    /// - Returns: The configuration, or nil where there are errors; and every finding, in file order.
    package static func load(_ path: String, roles: Set<Role>) -> (Configuration?, [Diagnostic]) {
        preconditionFailure("not built yet")
    }
    /// As `load`, from a text: for tests and embedded defaults. `path` is what locations call it.
    package static func parse(_ text: String, path: String, roles: Set<Role>) -> (Configuration?, [Diagnostic]) {
        preconditionFailure("not built yet")
    }
}
