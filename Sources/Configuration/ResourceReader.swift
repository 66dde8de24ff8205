// From raw directives to checked resources and blocks, by the tables.

/// Reads one resource or block against its table.
struct ResourceReader {
    let problems: ProblemList
    let values: ValueReader
    /// Known directives without effect, each reported once with the number of places.
    let unimplemented: UnimplementedList

    init(problems: ProblemList, variable: @escaping (String) -> String?) {
        self.problems = problems
        values = ValueReader(problems: problems, variable: variable)
        unimplemented = UnimplementedList()
    }

    func resource(_ raw: RawDirective, as kind: ResourceKind) -> Resource? {
        let table = ConfigurationTables.table(kind)
        var values: [String: Value] = [:]
        var locations: [String: SourceLocation] = [:]
        if table.support == .planned { unimplemented.note("The resource `\(table.title)`", at: raw.location) }
        for entry in raw.block ?? [] {
            guard let directive = directive(entry, in: table, called: raw.name) else { continue }
            // `dbuser = ""` asks for nothing.
            let asksNothing = entry.values.count == 1 && entry.values[0].kind == .string && entry.values[0].text.isEmpty
            if directive.support == .planned, table.support != .planned, !asksNothing {
                unimplemented.note("`\(directive.name)` of \(table.title)", at: entry.location)
            }
            guard let value = value(of: directive, entry) else {
                // Reported; noted as given, so that it isn't reported as missing too.
                locations[directive.name] = locations[directive.name] ?? entry.location
                continue
            }
            store(value, of: directive, at: entry.location, in: &values, &locations)
        }
        guard case .text(let name)? = values["Name"] else {
            if locations["Name"] == nil {
                problems.error(raw.location, "This \(raw.name) has no name.", hint: "Give it one: `Name = …`.")
            }
            return nil
        }
        if kind == .storage, Words.key(raw.name) == "autochanger", values["Autochanger"] == nil {
            values["Autochanger"] = .text(name)  // an Autochanger is the Storage that is its own changer
        }
        return Resource(kind: kind, name: name, location: raw.location, values: values, locations: locations)
    }

    /// Finds the directive, or reports that there is none.
    private func directive(_ entry: RawDirective, in table: DirectiveTable, called title: String) -> Directive? {
        if let directive = table.directive(entry.name) { return directive }
        var hint = Suggestion.hint(entry.name, in: table.spellings)
        if hint.isEmpty {
            let others = ResourceKind.allCases.filter { ConfigurationTables.table($0).directive(entry.name) != nil }
            if let other = others.first {
                hint = "`\(entry.name)` belongs in a \(ConfigurationTables.table(other).title)."
            }
        }
        problems.error(entry.location, "\(title) has no directive `\(entry.name)`.", hint: hint)
        return nil
    }

    private func store(
        _ value: Value, of directive: Directive, at location: SourceLocation, in values: inout [String: Value],
        _ locations: inout [String: SourceLocation]
    ) {
        let name = directive.name
        if directive.isRepeatable {
            var list: [Value] = []
            if case .list(let before)? = values[name] { list = before }
            if case .list(let more) = value { list += more } else { list.append(value) }
            values[name] = .list(list)
            // Each occurrence has its place, the first one under the directive's own name.
            if locations[name] == nil {
                locations[name] = location
            } else {
                locations["\(name)#\(list.count - 1)"] = location
            }
        } else {
            if let before = locations[name], values[name] != nil {
                problems.warning(
                    location, "`\(name)` is given twice; this one counts, not the one in line \(before.line).",
                    hint: "Take one out.")
            }
            values[name] = value
            locations[name] = location
        }
    }

    private func value(of directive: Directive, _ entry: RawDirective) -> Value? {
        switch directive.type {
        case .block(let kind):
            guard let inner = entry.block else {
                problems.error(
                    entry.location, "`\(directive.name)` needs a block.", hint: "Write `\(directive.name) { … }`.")
                return nil
            }
            if entry.hasEquals {
                problems.error(entry.location, "`\(directive.name)` has no `=` before its `{`.")
                return nil
            }
            return .block(block(inner, kind, called: directive.name, at: entry.location))
        case .addresses:
            guard let inner = entry.block else {
                problems.error(
                    entry.location, "`\(directive.name)` needs a block.",
                    hint: "Write `\(directive.name) = { ip = { addr = 192.0.2.1; port = 9101 } }`.")
                return nil
            }
            return addresses(inner, directive.name)
        default: break
        }
        guard entry.block == nil else {
            problems.error(entry.location, "`\(directive.name)` takes a value, not a block.")
            return nil
        }
        switch directive.type {
        case .scheduleRun:
            guard !entry.values.isEmpty else {
                problems.error(entry.location, "`Run` has no value.")
                return nil
            }
            let (run, fine) = ScheduleRun.read(entry.values, at: entry.location, problems: problems)
            return fine ? .text(run.text) : nil
        case .destination(let targeted):
            return MessageDestination.read(
                directive.name, entry.values, targeted: targeted, at: entry.location, problems: problems)?
                .value(at: entry.location)
        default:
            return values.read(directive.type, of: directive.name, entry.values, at: entry.location)
        }
    }

    /// A nested block, its entries in the order written.
    private func block(_ raw: [RawDirective], _ kind: BlockKind, called title: String, at location: SourceLocation)
        -> Block
    {
        let table = ConfigurationTables.table(kind)
        var entries: [Block.Entry] = []
        var wasGiven: Set<String> = []
        for entry in raw {
            guard let directive = directive(entry, in: table, called: title) else { continue }
            if directive.support == .planned {
                unimplemented.note("`\(directive.name)` of \(table.title)", at: entry.location)
            }
            guard let value = value(of: directive, entry) else { continue }
            if !directive.isRepeatable, !wasGiven.insert(directive.name).inserted {
                problems.warning(
                    entry.location, "`\(directive.name)` is given twice; this one counts.", hint: "Take one out.")
            }
            if case .list(let many) = value {
                entries += many.map { .init(name: directive.name, value: $0, location: entry.location) }
            } else {
                entries.append(.init(name: directive.name, value: value, location: entry.location))
            }
        }
        let block = Block(entries: entries)
        check(block, kind, at: location)
        return block
    }

    /// What a block's table can't say.
    private func check(_ block: Block, _ kind: BlockKind, at location: SourceLocation) {
        switch kind {
        case .include:
            if block.all("File").isEmpty && block.all("Plugin").isEmpty {
                problems.warning(location, "This Include names no files.", hint: "Add `File = /path`.")
            }
        case .options:
            for entry in block.entries {
                guard case .text(let text) = entry.value else { continue }
                switch entry.name {
                case "Compression" where FileSetLetters.compression(text) == nil:
                    problems.error(
                        entry.location, "`Compression` doesn't know `\(text)`.",
                        hint: "It takes GZIP, GZIP1 to GZIP9, LZO, ZSTD, ZSTD1 to ZSTD19 or no.")
                case "Accurate", "Verify", "BaseJob":
                    if let odd = text.first(where: { !FileSetLetters.comparisons.contains($0) }) {
                        problems.error(
                            entry.location, "`\(entry.name)` doesn't know the letter `\(odd)`.",
                            hint: "Letters are \(FileSetLetters.comparisons.map(String.init).joined(separator: " ")).")
                    }
                case "Signature" where FileSetLetters.signatures[text] == nil:
                    unimplemented.note("`Signature = \(text)`", at: entry.location)
                default: break
                }
            }
        case .runScript:
            if block.all("Command").isEmpty && block.all("Console").isEmpty {
                problems.error(location, "This RunScript runs nothing.", hint: "Add `Command = \"…\"`.")
            }
            if block.last("RunsWhen") == nil || block.last("RunsWhen") == .text("Never") {
                problems.warning(location, "This RunScript never runs.", hint: "Add `RunsWhen = Before` or `After`.")
            }
        case .exclude: break
        }
    }

    /// `{ ip = { addr = …; port = … } … }`.
    private func addresses(_ raw: [RawDirective], _ title: String) -> Value? {
        var result: [Block.Entry] = []
        for family in raw {
            let key = Words.key(family.name)
            guard ["ip", "ipv4", "ipv6"].contains(key), let inner = family.block else {
                problems.error(
                    family.location, "`\(title)` takes `ip`, `ipv4` or `ipv6` blocks, not `\(family.name)`.",
                    hint: "Write `ip = { addr = 192.0.2.1; port = 9101 }`.")
                continue
            }
            var entries: [Block.Entry] = []
            for line in inner {
                let name = Words.key(line.name)
                let type: ValueType? = ["addr": .string, "port": .port][name]
                guard let type, line.block == nil else {
                    problems.error(line.location, "`\(title)` knows `addr` and `port`, not `\(line.name)`.")
                    continue
                }
                if let value = values.read(type, of: name, line.values, at: line.location) {
                    entries.append(.init(name: name, value: value, location: line.location))
                }
            }
            result.append(.init(name: key, value: .block(Block(entries: entries)), location: family.location))
        }
        return result.isEmpty ? nil : .block(Block(entries: result))
    }
}

/// Known directives that have no effect yet, gathered so that each is one warning however often it is used.
final class UnimplementedList {
    private var places: [String: [SourceLocation]] = [:]
    private var order: [String] = []

    func note(_ what: String, at location: SourceLocation) {
        if places[what] == nil { order.append(what) }
        places[what, default: []].append(location)
    }

    func report(to problems: ProblemList) {
        for what in order {
            guard let all = places[what], let first = all.first else { continue }
            let others = Set(all).count - 1
            problems.warning(
                first, "\(what) is known, but has no effect yet.",
                hint: others == 0
                    ? "" : others == 1 ? "It occurs at one more place." : "It occurs at \(others) more places.")
        }
    }
}
