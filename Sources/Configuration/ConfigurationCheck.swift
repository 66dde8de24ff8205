// What can only be checked once all resources are read: names, JobDefs, references, and what is missing.

struct ConfigurationCheck {
    let roles: Set<Role>
    let problems: ProblemList
    /// Where findings go that belong to no line.
    let start: SourceLocation

    // MARK: - Names

    func duplicates(in resources: [Resource]) {
        struct Key: Hashable {
            var kind: ResourceKind
            var name: String
        }
        var first: [Key: Resource] = [:]
        for resource in resources {
            let key = Key(kind: resource.kind, name: resource.name)
            if let before = first[key] {
                problems.error(
                    resource.location, "There are two \(resource.title) resources called \"\(resource.name)\".",
                    hint: "The other one is at \(before.location).")
            } else {
                first[key] = resource
            }
        }
    }

    // MARK: - JobDefs

    /// The resources with every Job completed by its JobDefs, and every JobDefs by its own.
    func applyingJobDefs(_ resources: [Resource]) -> [Resource] {
        var sources: [String: Resource] = [:]
        for resource in resources where resource.kind == .jobDefs {
            sources[resource.name] = sources[resource.name] ?? resource
        }
        return resources.map { resource in
            resource.kind == .job || resource.kind == .jobDefs ? completed(resource, from: sources) : resource
        }
    }

    private func completed(_ resource: Resource, from sources: [String: Resource]) -> Resource {
        var result = resource
        var visited: Set<String> = resource.kind == .jobDefs ? [resource.name] : []
        var next = resource.values["JobDefs"]
        while case .reference(_, let name)? = next, let source = sources[name] {
            guard visited.insert(name).inserted else {
                problems.error(
                    source.locations["JobDefs"] ?? source.location,
                    "JobDefs \"\(name)\" takes its defaults from itself in the end.",
                    hint: "Take one of the `JobDefs` lines out.")
                return result
            }
            for (directive, value) in source.values
            where directive != "Name" && directive != "JobDefs" && directive != "Description" {
                if Self.addUp.contains(directive), case .list(let own)? = result.values[directive],
                    case .list(let more) = value
                {
                    result.values[directive] = .list(own + more)
                } else if result.values[directive] == nil {
                    result.values[directive] = value
                    for (key, place) in source.locations where key == directive || key.hasPrefix("\(directive)#") {
                        result.locations[key] = place
                    }
                }
            }
            next = source.values["JobDefs"]
        }
        return result
    }

    /// Scripts of a Job run beside those of its JobDefs, not in their place.
    private static let addUp: Set<String> = [
        "RunScript", "RunBeforeJob", "RunAfterJob", "RunAfterFailedJob", "ClientRunBeforeJob", "ClientRunAfterJob",
        "ConsoleRunBeforeJob", "ConsoleRunAfterJob",
    ]

    // MARK: - References

    func references(in resources: [Resource]) {
        var names: [ResourceKind: [String]] = [:]
        for resource in resources { names[resource.kind, default: []].append(resource.name) }
        let sets = names.mapValues { Set($0) }
        struct Finding: Hashable {
            var value: Value
            var place: SourceLocation
        }
        var reported: Set<Finding> = []
        func check(_ value: Value, _ directive: String, of resource: Resource, at place: SourceLocation) {
            switch value {
            case .reference(let kind, let name):
                if sets[kind]?.contains(name) == true || !reported.insert(Finding(value: value, place: place)).inserted {
                    return
                }
                let title = ConfigurationTables.table(kind).title
                let known = names[kind] ?? []
                var hint = known.isEmpty ? "There is no \(title) resource at all." : Suggestion.hint(name, in: known)
                if hint.isEmpty, known.count <= 8 {
                    hint = "Defined: \(known.map { "`\($0)`" }.joined(separator: ", "))."
                }
                problems.error(
                    place,
                    "\(title) \"\(name)\" is not defined (`\(directive)` of \(resource.title) \"\(resource.name)\").",
                    hint: hint)
            case .list(let values):
                for (number, value) in values.enumerated() {
                    check(value, directive, of: resource, at: resource.locations["\(directive)#\(number)"] ?? place)
                }
            default: break
            }
        }
        // What a Job has from its JobDefs is reported once, for the JobDefs.
        for resource in resources.filter({ $0.kind == .jobDefs }) + resources.filter({ $0.kind != .jobDefs }) {
            for (directive, value) in resource.values.sorted(by: { $0.key < $1.key }) {
                let place = resource.locations[directive] ?? resource.location
                check(value, directive, of: resource, at: place)
            }
            switch resource.kind {
            case .schedule:
                for (number, run) in resource.texts("Run").enumerated() {
                    let place = resource.locations["Run#\(number)"] ?? resource.locations["Run"] ?? resource.location
                    for (directive, reference) in ScheduleRun(run).references {
                        check(reference, directive, of: resource, at: place)
                    }
                }
            case .storage:
                // `Autochanger = name` is a reference where it isn't yes or no.
                if case .text(let name)? = resource.values["Autochanger"] {
                    check(
                        .reference(.storage, name), "Autochanger", of: resource,
                        at: resource.locations["Autochanger"] ?? resource.location)
                }
            default: break
            }
        }
    }

    // MARK: - What must be there

    func requirements(of resources: [Resource]) {
        for resource in resources {
            let table = ConfigurationTables.table(resource.kind)
            let missing = table.directives.filter {
                $0.isRequired && resource.values[$0.name] == nil && resource.locations[$0.name] == nil
                    && !isExcused($0.name, resource)
            }
            guard !missing.isEmpty else { continue }
            let names = missing.map { "`\($0.name)`" }
            problems.error(
                resource.location, "\(resource.title) \"\(resource.name)\" lacks \(Self.and(names)).",
                hint: resource.kind == .job ? "Give it to the Job or to its JobDefs." : "")
        }
        func need(_ role: Role, _ kind: ResourceKind, _ what: String, exactlyOne: Bool) {
            guard roles.contains(role) else { return }
            let found = resources.filter { $0.kind == kind }
            if found.isEmpty {
                problems.error(
                    start, "There is no \(what).", hint: "Add `\(ConfigurationTables.table(kind).title) { … }`.")
            }
            if exactlyOne, found.count > 1, found[1].name != found[0].name {
                problems.error(
                    found[1].location, "There can be only one \(what).",
                    hint: "The other one is at \(found[0].location).")
            }
        }
        need(.director, .director, "Director resource that describes the director itself", exactlyOne: true)
        need(.fileDaemon, .fileDaemon, "FileDaemon resource that describes the file daemon itself", exactlyOne: true)
        need(.fileDaemon, .fileDirector, "Director resource for the file daemon to obey", exactlyOne: false)
        need(
            .storageDaemon, .storageDaemon, "Storage resource that describes the storage daemon itself",
            exactlyOne: true)
        need(.storageDaemon, .storageDirector, "Director resource for the storage daemon to obey", exactlyOne: false)
        need(.storageDaemon, .device, "Device resource", exactlyOne: false)
        need(.console, .consoleDirector, "Director resource for the console to call", exactlyOne: false)
        for resource in resources where resource.values["TlsEnable"] == .bool(false) {
            problems.warning(
                resource.locations["TlsEnable"] ?? resource.location,
                "Connections of \(resource.title) \"\(resource.name)\" are in plain text.",
                hint: "Only peers older than release 11 need that.")
        }
        // A daemon's messages can only go to a director that it knows.
        let directors = Set(
            resources.filter { [.director, .fileDirector, .storageDirector].contains($0.kind) }.map(\.name))
        for messages in resources where messages.kind == .messages && !directors.isEmpty {
            for destination in MessagesDefinition(messages).destinations where destination.kind == .director {
                for name in destination.targets where !directors.contains(name) {
                    problems.warning(
                        messages.locations["Director"] ?? messages.location,
                        "\(messages.shown) goes to the director \"\(name)\", which is not defined.",
                        hint: Suggestion.hint(name, in: directors.sorted()))
                }
            }
        }
        for resource in resources {
            for (directive, value) in resource.values.sorted(by: { $0.key < $1.key }) {
                if case .password(let password) = value, password.hasPrefix(DefaultSite.placeholderPrefix) {
                    problems.error(
                        resource.locations[directive] ?? resource.location,
                        "`\(directive)` of \(resource.shown) is still the sample's mark.",
                        hint: "Put in a long random text, or let `appliance quickstart` write the files.")
                }
            }
        }
        storages(of: resources)
    }

    /// Directives that a Job of some types can do without.
    private func isExcused(_ directive: String, _ resource: Resource) -> Bool {
        guard resource.kind == .job, case .text(let type)? = resource.values["Type"] else { return false }
        switch (type, directive) {
        case ("Admin", "Client"), ("Admin", "FileSet"), ("Admin", "Pool"): return true
        case ("Copy", "Client"), ("Copy", "FileSet"), ("Migrate", "Client"), ("Migrate", "FileSet"): return true
        case ("Restore", "FileSet"), ("Restore", "Pool"), ("Restore", "Client"): return true
        default: return false
        }
    }

    /// A backup needs a Storage of its own or of its Pool.
    private func storages(of resources: [Resource]) {
        guard roles.contains(.director) else { return }
        var pools: [String: Resource] = [:]
        for resource in resources where resource.kind == .pool { pools[resource.name] = resource }
        for job in resources where job.kind == .job && job.values["Type"] == .text("Backup") && !job.isGiven("Storage") {
            guard case .reference(_, let name)? = job.values["Pool"], let pool = pools[name], !pool.isGiven("Storage")
            else { continue }
            problems.error(
                job.location, "Job \"\(job.name)\" has no `Storage`, and neither has its Pool \"\(name)\".",
                hint: "Give it to the Job, to its JobDefs or to the Pool.")
        }
    }

    static func and(_ words: [String]) -> String {
        words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " and " + words[words.count - 1]
    }
}

extension Resource {
    /// How the file calls this kind of resource: `Job`.
    package var title: String { ConfigurationTables.table(kind).title }
}
