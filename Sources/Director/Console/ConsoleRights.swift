// What a console may see and do: everything for the default console, the lists of its Console resource for a named one.

package import Configuration

/// A console's access lists. `*all*` in a list allows everything, an absent list nothing (bacula-wire 8.3).
package struct ConsoleRights: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case job, client, storage, pool, fileSet, catalog, schedule, command, whereDirectory

        var directive: String {
            switch self {
            case .job: "JobAcl"
            case .client: "ClientAcl"
            case .storage: "StorageAcl"
            case .pool: "PoolAcl"
            case .fileSet: "FilesetAcl"
            case .catalog: "CatalogAcl"
            case .schedule: "ScheduleAcl"
            case .command: "CommandAcl"
            case .whereDirectory: "WhereAcl"
            }
        }
        var resourceKind: ResourceKind {
            switch self {
            case .job: .job
            case .client: .client
            case .storage: .storage
            case .pool: .pool
            case .fileSet: .fileSet
            case .catalog: .catalog
            case .schedule: .schedule
            case .command, .whereDirectory: .console
            }
        }
        package var noun: String {
            switch self {
            case .fileSet: "FileSet"
            case .whereDirectory: "Where"
            default: rawValue.prefix(1).uppercased() + rawValue.dropFirst()
            }
        }
        var prompt: String {
            switch self {
            case .client: "Select Client (File daemon) resource"
            default: "Select \(noun) resource"
            }
        }
        var showCommand: String {
            "show \(self == .fileSet ? "filesets" : self == .storage ? "storages" : rawValue + "s")"
        }
    }

    /// Name of the Console resource; nil for the default console.
    package let consoleName: String?
    private let lists: [Kind: Set<String>]

    /// The default console, which may do everything.
    package static let unlimited = ConsoleRights()
    private init() {
        consoleName = nil
        lists = [:]
    }

    package init(_ console: Resource) {
        consoleName = console.name
        var lists: [Kind: Set<String>] = [:]
        for kind in Kind.allCases {
            // Lists may be repeated, and each may hold several names between commas.
            let names = console.texts(kind.directive).flatMap { $0.split(separator: ",").map { $0.trimmed } }
            lists[kind] = Set(kind == .command ? names.map { $0.lowercased() } : names)
        }
        self.lists = lists
    }

    package func allows(_ kind: Kind, _ name: String) -> Bool {
        guard consoleName != nil else { return true }
        guard let list = lists[kind] else { return false }
        return list.contains(kind == .command ? name.lowercased() : name) || list.contains("*all*")
    }

    /// Whether some names are hidden, so that listings must be filtered.
    package func limits(_ kind: Kind) -> Bool { consoleName != nil && lists[kind]?.contains("*all*") != true }
}
