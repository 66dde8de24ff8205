// Whose is it? `Director { … }` means four different things in four programs' files.
//
// One role: the word decides alone. Several roles in one file: of the tables that the roles have for the word, the one
// that knows most of the directives given; where several know equally many, the one that misses the fewest required
// directives; and where that is equal too (a Director with Name and Password, for a file daemon and a storage daemon),
// the resource counts for all of them. So
//
//   Director { Name Password }              the director that fd and sd obey
//   Director { … WorkingDirectory … }       the director itself
//   Director { Name Address Password }      the director that a console calls
//   Storage { … Address Device MediaType }  a director's Storage; with WorkingDirectory the storage daemon itself
//   Client { … Address … }                  a director's Client; with WorkingDirectory the file daemon itself
//   Autochanger { … ChangerCommand … }      a storage daemon's; with Address and Password a director's

enum ResourceSorting {
    /// What `word { … }` can be for each role.
    private static func candidates(_ word: String, _ roles: Set<Role>) -> [ResourceKind] {
        var result: [ResourceKind] = []
        func add(_ role: Role, _ kind: ResourceKind) { if roles.contains(role) { result.append(kind) } }
        switch word {
        case "director":
            add(.director, .director)
            add(.fileDaemon, .fileDirector)
            add(.storageDaemon, .storageDirector)
            add(.console, .consoleDirector)
        case "console":
            add(.director, .console)
            add(.console, .consoleConsole)
        case "client":
            add(.director, .client)
            add(.fileDaemon, .fileDaemon)
        case "filedaemon": add(.fileDaemon, .fileDaemon)
        case "storage":
            add(.director, .storage)
            add(.storageDaemon, .storageDaemon)
        case "autochanger":
            add(.director, .storage)
            add(.storageDaemon, .autochanger)
        case "device": add(.storageDaemon, .device)
        case "cloud": add(.storageDaemon, .cloud)
        case "messages", "statistics":
            if !roles.isDisjoint(with: [.director, .fileDaemon, .storageDaemon]) {
                result.append(word == "messages" ? .messages : .statistics)
            }
        case "catalog": add(.director, .catalog)
        case "job": add(.director, .job)
        case "jobdefs": add(.director, .jobDefs)
        case "fileset": add(.director, .fileSet)
        case "schedule": add(.director, .schedule)
        case "pool": add(.director, .pool)
        case "counter": add(.director, .counter)
        default: break
        }
        return result
    }

    static let words = [
        "Director", "Console", "Client", "FileDaemon", "Storage", "Autochanger", "Device", "Cloud", "Messages",
        "Statistics",
        "Catalog", "Job", "JobDefs", "FileSet", "Schedule", "Pool", "Counter",
    ]
    /// Resources of later releases, or of programs that this one doesn't replace.
    private static let known: Set<String> = ["tenant", "dedupengine", "collector", "monitor", "font", "consolefont"]

    /// The kinds that `raw` counts as; empty after an error or a warning, which has been reported.
    static func kinds(of raw: RawDirective, roles: Set<Role>, problems: ProblemList) -> [ResourceKind] {
        let word = Words.key(raw.name)
        let candidates = candidates(word, roles)
        if candidates.isEmpty {
            if known.contains(word) || (word == "console" && roles.contains(.fileDaemon)) {
                problems.warning(raw.location, "The resource `\(raw.name)` is known, but has no effect yet.")
            } else if words.contains(where: { Words.key($0) == word }) {
                let owners = Role.allCases.filter { !Self.candidates(word, [$0]).isEmpty }.map(\.fileOwner)
                problems.error(
                    raw.location, "`\(raw.name) { … }` does not belong in the file of \(Role.names(roles)).",
                    hint: "It belongs in the file of \(ValueReader.enumeration(owners)).")
            } else {
                problems.error(
                    raw.location, "There is no resource called `\(raw.name)`.",
                    hint: Suggestion.hint(raw.name, in: words))
            }
            return []
        }
        if candidates.count == 1 { return candidates }
        let names = (raw.block ?? []).map(\.name)
        let scores = candidates.map { kind -> [Int] in
            let table = ConfigurationTables.table(kind)
            let given = Set(names.compactMap { table.directive($0)?.name })
            return [
                names.count { table.directive($0) == nil },
                table.directives.count { $0.isRequired && !given.contains($0.name) },
            ]
        }
        guard let best = scores.min(by: { $0.lexicographicallyPrecedes($1) }) else { return [] }
        return zip(candidates, scores).filter { $0.1 == best }.map(\.0)
    }
}

extension Role {
    /// Who reads a file of this role, in a sentence.
    var fileOwner: String {
        switch self {
        case .director: "a director"
        case .fileDaemon: "a file daemon"
        case .storageDaemon: "a storage daemon"
        case .gateway: "a gateway"
        case .console: "the console"
        }
    }

    static func names(_ roles: Set<Role>) -> String {
        let names = allCases.filter { roles.contains($0) }.map(\.fileOwner)
        return names.count < 2
            ? names.joined() : names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
    }
}
