// Messages resources: which types of message go where.

/// The types of message, by their numbers in `Jmsg type=` (release 9 to 11).
package enum MessageType: Int, Sendable, CaseIterable, Hashable {
    case abort = 1, debug, fatal, error, warning, info, saved, notSaved, skipped, mount, errorTerm, terminate, restored
    case security, alert, volMgmt

    /// The word in configuration files: `notsaved`.
    package var word: String { "\(self)".lowercased() }
    package init?(word: String) {
        guard let type = Self.allCases.first(where: { $0.word == Words.key(word) }) else { return nil }
        self = type
    }
    /// `all`, as the language means it: everything but debug and saved.
    package static let all: Set<MessageType> = Set(allCases).subtracting([.debug, .saved])
}

/// One destination line of a Messages resource.
package struct MessageDestination: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable, Hashable {
        case console = "Console", catalog = "Catalog", stdout = "Stdout", stderr = "Stderr", syslog = "Syslog"
        case append = "Append", file = "File", mail = "Mail", mailOnError = "MailOnError", mailOnSuccess =
            "MailOnSuccess"
        case `operator` = "Operator", director = "Director"
    }
    package var kind: Kind
    /// The file, the addresses, or the directors' names; empty for the kinds that have no target.
    package var targets: [String]
    package var types: Set<MessageType>
    package init(kind: Kind, targets: [String], types: Set<MessageType>) {
        self.kind = kind
        self.targets = targets
        self.types = types
    }

    /// Kept in a resource as a block: `Target` texts and `Type` numbers.
    init?(kind: Kind, _ value: Value) {
        guard case .block(let block) = value else { return nil }
        self.kind = kind
        targets = block.all("Target").compactMap { if case .text(let text) = $0 { text } else { nil } }
        types = Set(
            block.all("Type").compactMap {
                if case .number(let number) = $0 { MessageType(rawValue: Int(number)) } else { nil }
            })
    }

    func value(at location: SourceLocation) -> Value {
        .block(
            Block(
                entries: targets.map { .init(name: "Target", value: .text($0), location: location) }
                    + types.map(\.rawValue).sorted().map {
                        .init(name: "Type", value: .number(Int64($0)), location: location)
                    }))
    }

    /// Reads `= types` or `= target, target = types` (the first `=` is taken already).
    static func read(
        _ name: String, _ tokens: [Token], targeted: Bool, at location: SourceLocation, problems: ProblemList
    ) -> MessageDestination? {
        guard let kind = Kind(rawValue: name) else { return nil }
        let parts = tokens.split(maxSplits: 1, omittingEmptySubsequences: false) { $0.kind == .equals }
        guard parts.count == (targeted ? 2 : 1) else {
            problems.error(
                location, targeted ? "`\(name)` needs a target and types." : "`\(name)` has no target.",
                hint: targeted ? "Write `\(name) = target = all, !skipped`." : "Write `\(name) = all, !skipped`.")
            return nil
        }
        var targets: [String] = []
        if targeted {
            for var part in parts[0].split(whereSeparator: { $0.kind == .comma }) {
                if let word = Words.take(&part) { targets.append(word.text) }
            }
            guard !targets.isEmpty else {
                problems.error(location, "`\(name)` has no target before the second `=`.")
                return nil
            }
        }
        var types: Set<MessageType> = []
        var isEmpty = true
        for var part in parts[targeted ? 1 : 0].split(whereSeparator: { $0.kind == .comma }) {
            guard let word = Words.take(&part) else {
                problems.error(
                    part[part.startIndex].location, "Expected a type of message, found \(part[part.startIndex].shown).")
                continue
            }
            isEmpty = false
            if let stray = part.first {
                problems.warning(
                    stray.location, "\(stray.shown) is ignored.", hint: "Types of message are separated by commas.")
            }
            let excludes = word.text.hasPrefix("!")
            let key = Words.key(excludes ? String(word.text.dropFirst()) : word.text)
            let these: Set<MessageType>
            if key == "all" {
                these = excludes ? Set(MessageType.allCases) : MessageType.all
            } else if let type = MessageType(word: key) {
                these = [type]
            } else {
                let known = MessageType.allCases.map(\.word) + ["all"]
                let hint = Suggestion.hint(key, in: known)
                problems.error(
                    word.location, "There is no type of message called `\(key)`.",
                    hint: hint.isEmpty ? "Types are \(ValueReader.enumeration(known))." : hint)
                continue
            }
            if excludes { types.subtract(these) } else { types.formUnion(these) }
        }
        if isEmpty {
            problems.error(location, "`\(name)` has no types.", hint: "Write `all`, or types such as `error, warning`.")
            return nil
        }
        return MessageDestination(kind: kind, targets: targets, types: types)
    }
}

/// A Messages resource, ready to route by.
package struct MessagesDefinition: Sendable, Hashable {
    package var name: String
    package var mailCommand: String?
    package var operatorCommand: String?
    package var destinations: [MessageDestination]

    package init(_ resource: Resource) {
        precondition(resource.kind == .messages)
        name = resource.name
        mailCommand = resource.text("MailCommand")
        operatorCommand = resource.text("OperatorCommand")
        destinations = MessageDestination.Kind.allCases.flatMap { kind in
            resource.list(kind.rawValue).compactMap { MessageDestination(kind: kind, $0) }
        }
    }

    /// The destinations that take messages of this type.
    package func destinations(for type: MessageType) -> [MessageDestination] {
        destinations.filter { $0.types.contains(type) }
    }
    /// The same by the number in `Jmsg type=`; numbers that we don't know go nowhere.
    package func destinations(forNumber number: Int) -> [MessageDestination] {
        MessageType(rawValue: number).map { destinations(for: $0) } ?? []
    }
}
