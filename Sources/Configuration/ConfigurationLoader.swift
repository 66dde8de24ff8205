// Reading a configuration file: text, tables, JobDefs, references, and what must be there.

/// Reads configuration files.
package enum ConfigurationLoader {
    /// What a file holds, sound or not.
    package struct Examination: Sendable {
        /// Every resource that could be read, also where something else is wrong.
        package var resources: [Resource]
        /// Every finding, in file order.
        package var diagnostics: [Diagnostic]
        package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
    }

    /// Loads `path` with its includes for the given roles (several where one process runs several) and checks everything.
    /// - Returns: The configuration, or nil where there are errors; and every finding, in file order.
    package static func load(_ path: String, roles: Set<Role>) -> (Configuration?, [Diagnostic]) {
        configuration(path, examine(path, roles: roles))
    }

    /// As `load`, from a text: for tests and embedded defaults. `path` is what locations call it.
    package static func parse(_ text: String, path: String, roles: Set<Role>) -> (Configuration?, [Diagnostic]) {
        configuration(path, examine(Array(text.utf8), path: path, roles: roles, sources: .machine))
    }

    /// Everything that can be said about a file, also one that can't be used as it is.
    package static func examine(_ path: String, roles: Set<Role>) -> Examination {
        do throws(ConfigurationSources.Failure) {
            let text = try ConfigurationSources.machine.readFile(path)
            return examine(text, path: path, roles: roles, sources: .machine)
        } catch {
            let place = SourceLocation(file: path, line: 1, column: 1)
            return Examination(
                resources: [],
                diagnostics: [
                    Diagnostic(.error, place, "Can't read the configuration: \(error.reason).", hint: error.hint)
                ])
        }
    }

    private static func configuration(_ path: String, _ examination: Examination) -> (Configuration?, [Diagnostic]) {
        (
            examination.hasErrors ? nil : Configuration(path: path, resources: examination.resources),
            examination.diagnostics
        )
    }

    static func examine(_ bytes: [UInt8], path: String, roles: Set<Role>, sources: ConfigurationSources) -> Examination {
        examine(ConfigurationSources.Text(bytes: bytes, identity: nil), path: path, roles: roles, sources: sources)
    }

    private static func examine(
        _ text: ConfigurationSources.Text, path: String, roles: Set<Role>, sources: ConfigurationSources
    ) -> Examination {
        let problems = ProblemList()
        let raws = raws(of: text, path: path, sources: sources, problems: problems)
        let resources = resources(of: raws, path: path, roles: roles, variable: sources.variable, problems: problems)
        return Examination(resources: resources, diagnostics: problems.inFileOrder)
    }

    /// The text and its includes, taken apart.
    private static func raws(
        of text: ConfigurationSources.Text, path: String, sources: ConfigurationSources, problems: ProblemList
    ) -> [RawDirective] {
        problems.noteFile(path)
        guard text.bytes.count <= ConfigurationSources.fileBytesMax else {
            problems.error(
                SourceLocation(file: path, line: 1, column: 1),
                "The configuration is larger than \(ConfigurationSources.fileBytesMax >> 20) MiB.")
            return []
        }
        let lexer = Lexer(text.bytes, name: path, identity: text.identity, sources: sources, problems: problems)
        var parser = RawParser(lexer, problems: problems)
        return parser.resources()
    }

    /// The resources of `raws` as these roles read them, checked.
    private static func resources(
        of raws: [RawDirective], path: String, roles: Set<Role>, variable: @escaping (String) -> String?,
        problems: ProblemList
    ) -> [Resource] {
        let reader = ResourceReader(problems: problems, variable: variable)
        var resources: [Resource] = []
        for raw in raws {
            for kind in ResourceSorting.kinds(of: raw, roles: roles, problems: problems) {
                if let resource = reader.resource(raw, as: kind) { resources.append(resource) }
            }
        }
        reader.unimplemented.report(to: problems)
        let check = ConfigurationCheck(
            roles: roles, problems: problems, start: SourceLocation(file: path, line: 1, column: 1))
        check.duplicates(in: resources)
        resources = check.applyingJobDefs(resources)
        check.references(in: resources)
        check.requirements(of: resources)
        return resources
    }

    /// The roles that a file is probably for, when nobody says: those to which the fewest resources and directives are
    /// foreign, of these those that find the fewest errors. Ties go to the director, then sd, fd, console.
    package static func likelyRoles(of path: String) -> Set<Role> {
        let none: Set<Role> = [.director]
        guard let text = try? ConfigurationSources.machine.readFile(path) else { return none }
        return likelyRoles(raws(of: text, path: path, sources: .machine, problems: ProblemList()), path: path)
    }

    static func likelyRoles(_ raws: [RawDirective], path: String) -> Set<Role> {
        let candidates: [Set<Role>] = [
            [.director], [.storageDaemon], [.fileDaemon], [.console], [.storageDaemon, .fileDaemon],
            [.director, .storageDaemon], [.director, .storageDaemon, .fileDaemon],
        ]
        let scored = candidates.map { roles -> (roles: Set<Role>, score: [Int]) in
            let problems = ProblemList()
            var foreign = 0
            var unknown = 0
            for raw in raws {
                let kinds = ResourceSorting.kinds(of: raw, roles: roles, problems: problems)
                guard let kind = kinds.first else {
                    foreign += 1
                    continue
                }
                let table = ConfigurationTables.table(kind)
                unknown += (raw.block ?? []).count { table.directive($0.name) == nil }
            }
            _ = resources(of: raws, path: path, roles: roles, variable: { _ in nil }, problems: problems)
            return (roles, [foreign, unknown, problems.all.count { $0.severity == .error }])
        }
        return scored.min { $0.score.lexicographicallyPrecedes($1.score) }?.roles ?? [.director]
    }
}
