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
    package func target(of directive: String, in resource: Resource) -> Resource? {
        targets(of: directive, in: resource).first
    }
    /// All resources that a reference or reference-list directive names, in order.
    package func targets(of directive: String, in resource: Resource) -> [Resource] {
        resource.list(directive).compactMap { value in
            switch value {
            case .reference(let kind, let name): named(kind, name)
            // `Autochanger = name` of a Storage.
            case .text(let name) where resource.kind == .storage: named(.storage, name)
            default: nil
            }
        }
    }
}

extension Resource {
    /// The directive's line of the table. Asking for one that the table doesn't have is a programming error.
    private func line(_ directive: String) -> Directive {
        guard let line = ConfigurationTables.table(kind).directive(directive) else {
            preconditionFailure("\(kind) has no directive \(directive)")
        }
        return line
    }

    /// The value given, else the table's default. `directive` may be any spelling that the language takes.
    package func value(_ directive: String) -> Value? {
        let line = line(directive)
        return values[line.name] ?? line.defaultValue
    }

    /// All values of a repeatable directive, or the one of another; empty where there is none.
    package func list(_ directive: String) -> [Value] {
        switch value(directive) {
        case .list(let values)?: values
        case let value?: [value]
        case nil: []
        }
    }

    /// Text of a name, string, directory, word, reference or address directive; nil where it is neither given nor defaulted.
    /// The first of several.
    package func text(_ directive: String) -> String? { texts(directive).first }
    /// All texts of a directive that takes several.
    package func texts(_ directive: String) -> [String] { list(directive).compactMap(\.asText) }
    /// A number or port; 0 where it is neither given nor defaulted.
    package func number(_ directive: String) -> Int {
        switch value(directive) {
        case nil: 0
        case .number(let number)?: Int(number)
        case let other?: preconditionFailure("\(kind).\(directive) is no number: \(other)")
        }
    }
    /// Bytes of a size directive, bytes per second of a speed directive; 0 where it is neither given nor defaulted.
    package func size(_ directive: String) -> Int64 {
        switch value(directive) {
        case nil: 0
        case .size(let size)?, .speed(let size)?: size
        case let other?: preconditionFailure("\(kind).\(directive) is no size: \(other)")
        }
    }
    /// Zero where it is neither given nor defaulted.
    package func time(_ directive: String) -> Duration {
        switch value(directive) {
        case nil: .zero
        case .time(let time)?: time
        case let other?: preconditionFailure("\(kind).\(directive) is no time: \(other)")
        }
    }
    /// False where it is neither given nor defaulted. `Autochanger = name` of a Storage counts as yes.
    package func bool(_ directive: String) -> Bool {
        switch value(directive) {
        case nil: false
        case .bool(let bool)?: bool
        case .text? where line(directive).type == .nameOrBool: true
        case let other?: preconditionFailure("\(kind).\(directive) is no yes or no: \(other)")
        }
    }
    /// The clear text. Never log it.
    package func password(_ directive: String) -> String? {
        if case .password(let password)? = value(directive) { return password }
        return nil
    }
    /// Nested blocks in order: Include, Exclude, RunScript; the families of an addresses directive.
    package func blocks(_ directive: String) -> [Block] {
        list(directive).compactMap { if case .block(let block) = $0 { block } else { nil } }
    }
    /// Whether the file (or JobDefs) gave the directive.
    package func isGiven(_ directive: String) -> Bool { values[line(directive).name] != nil }
}

extension Value {
    /// The text of a text or reference.
    package var asText: String? {
        switch self {
        case .text(let text), .reference(_, let text): text
        default: nil
        }
    }
}
