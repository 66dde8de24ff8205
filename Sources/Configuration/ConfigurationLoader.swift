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
                resources: [], diagnostics: [Diagnostic(.error, place, "Can't read the configuration: \(error.reason).", hint: error.hint)])
        }
    }

    private static func configuration(_ path: String, _ examination: Examination) -> (Configuration?, [Diagnostic]) {
        (examination.hasErrors ? nil : Configuration(path: path, resources: examination.resources), examination.diagnostics)
    }

    static func examine(_ bytes: [UInt8], path: String, roles: Set<Role>, sources: ConfigurationSources) -> Examination {
        examine(ConfigurationSources.Text(bytes: bytes, identity: nil), path: path, roles: roles, sources: sources)
    }

    private static func examine(
        _ text: ConfigurationSources.Text, path: String, roles: Set<Role>, sources: ConfigurationSources
    ) -> Examination {
        let problems = ProblemList()
        problems.noteFile(path)
        let start = SourceLocation(file: path, line: 1, column: 1)
        guard text.bytes.count <= ConfigurationSources.fileBytesMax else {
            problems.error(start, "The configuration is larger than \(ConfigurationSources.fileBytesMax >> 20) MiB.")
            return Examination(resources: [], diagnostics: problems.all)
        }
        var parser = RawParser(
            Lexer(text.bytes, name: path, identity: text.identity, sources: sources, problems: problems), problems: problems)
        let reader = ResourceReader(problems: problems, variable: sources.variable)
        var resources: [Resource] = []
        for raw in parser.resources() {
            for kind in ResourceSorting.kinds(of: raw, roles: roles, problems: problems) {
                if let resource = reader.resource(raw, as: kind) { resources.append(resource) }
            }
        }
        reader.unimplemented.report(to: problems)
        let check = ConfigurationCheck(roles: roles, problems: problems, start: start)
        check.duplicates(in: resources)
        resources = check.applyingJobDefs(resources)
        check.references(in: resources)
        check.requirements(of: resources)
        return Examination(resources: resources, diagnostics: problems.inFileOrder)
    }
}
