// One line of a table: what a directive is called, what it takes, and what it means.

/// What a directive's value is, and so how it is read.
package enum ValueType: Sendable, Hashable {
    /// A resource's name: at most 127 characters.
    case name
    case string
    /// A path; `$VARIABLE` and a leading `~/` are replaced.
    case directory
    case password
    case number
    /// A number that may be negative.
    case integer
    case port
    case size, speed, time, bool
    /// One of these words, without regard to case; the value is the word as spelled here.
    case word([String])
    case reference(ResourceKind)
    /// Names of resources, with commas or in repeated directives.
    case references(ResourceKind)
    /// Texts, with commas or in repeated directives.
    case texts
    /// One text per directive, repeated as often as needed: a comma belongs to it.
    case strings
    /// `yes`, `no`, or a name.
    case nameOrBool
    /// `{ ip = { addr = …; port = … } … }`.
    case addresses
    /// `Run = …` of a Schedule.
    case scheduleRun
    /// A destination of Messages; `targeted`: `append = "/file" = all`.
    case destination(targeted: Bool)
    /// A nested block whose directives these are.
    case block(BlockKind)
}

/// The nested blocks of the language; each has a table of its own.
package enum BlockKind: String, Sendable, CaseIterable, Hashable {
    case include = "Include", exclude = "Exclude", options = "Options", runScript = "RunScript"
}

/// What this program does with a directive that it reads.
package enum Support: Sendable, Hashable {
    case implemented
    /// Known, but it has no effect yet: named in a warning.
    case planned
    /// Accepted in silence, because nothing is missing without it.
    case unneeded
}

/// One directive of one resource or block.
package struct Directive: Sendable {
    /// The canonical spelling: `MaximumConcurrentJobs`.
    package let name: String
    package let type: ValueType
    /// What it means, in one line.
    package let meaning: String
    package let defaultValue: Value?
    package let aliases: [String]
    package let isRequired: Bool
    package let support: Support

    init(
        _ name: String, _ type: ValueType, default defaultValue: Value? = nil, aliases: [String] = [],
        required: Bool = false,
        support: Support = .implemented, _ meaning: String
    ) {
        self.name = name
        self.type = type
        self.meaning = meaning
        self.defaultValue = defaultValue
        self.aliases = aliases
        self.isRequired = required
        self.support = support
    }

    /// Whether every occurrence adds a value, so that the resource holds a `.list`.
    package var isRepeatable: Bool {
        switch type {
        case .references, .texts, .strings, .scheduleRun, .destination, .block: true
        default: false
        }
    }
}

/// All directives of one kind of resource, or of one kind of block.
package struct DirectiveTable: Sendable {
    /// How the file names it: `Director`, `Options`.
    package let title: String
    /// What it describes, in one line.
    package let summary: String
    package let directives: [Directive]
    /// False: the resource as a whole has no effect yet.
    package let support: Support
    private let index: [String: Int]

    init(_ title: String, _ summary: String, support: Support = .implemented, _ directives: [Directive]) {
        self.title = title
        self.summary = summary
        self.support = support
        self.directives = directives
        var index: [String: Int] = [:]
        for (number, directive) in directives.enumerated() {
            for name in [directive.name] + directive.aliases {
                let isNew = index.updateValue(number, forKey: Words.key(name)) == nil
                precondition(isNew, "\(title) has two directives called \(name)")
            }
        }
        self.index = index
    }

    /// The directive of that name or alias; case and spaces don't matter.
    package func directive(_ name: String) -> Directive? {
        // Canonical spellings have no spaces, so the common look-up is one lower-casing.
        index[Words.key(name)].map { directives[$0] }
    }

    /// All spellings, for suggestions and completion.
    package var spellings: [String] { directives.flatMap { [$0.name] + $0.aliases } }
}

extension Value {
    /// A default of so many seconds.
    static func seconds(_ seconds: Int) -> Value { .time(.seconds(seconds)) }
    static func days(_ days: Int) -> Value { .time(.seconds(days * 86400)) }
    static let yes = Value.bool(true)
    static let no = Value.bool(false)
    static let noTime = Value.time(.zero)
}
