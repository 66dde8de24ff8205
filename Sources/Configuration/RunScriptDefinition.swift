// Commands around a job: RunScript blocks and their short forms, in one shape.

/// One script of a job.
package struct RunScriptDefinition: Sendable, Hashable {
    package struct When: OptionSet, Sendable, Hashable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }
        /// The numbers of `Run … When=%u` (bacula-wire 3.6); 0 is never.
        package static let after = When(rawValue: 1)
        package static let before = When(rawValue: 2)
        package static let always: When = [.before, .after]
        /// After the client's snapshot.
        package static let afterSnapshot = When(rawValue: 4)
    }
    package enum Command: Sendable, Hashable {
        /// A program with its arguments (%-codes not yet replaced).
        case program(String)
        /// A line for the director's console.
        case console(String)
        package var text: String {
            switch self {
            case .program(let text), .console(let text): text
            }
        }
    }

    package var commands: [Command]
    package var when: When
    /// Empty: on the director. `%c`: on the job's client. Anything else: on the client of that name.
    package var target: String
    package var onSuccess: Bool
    package var onFailure: Bool
    package var failJobOnError: Bool
    /// Ended after that; zero: no limit.
    package var timeOut: Duration
    /// `ClientRunBeforeJob` and `ClientRunAfterJob`: they have wire messages of their own.
    package var shortForm: String?

    package var runsOnClient: Bool { !target.isEmpty }

    init(_ block: Block) {
        func text(_ name: String) -> String? { block.last(name)?.asText }
        func bool(_ name: String, _ otherwise: Bool) -> Bool {
            if case .bool(let bool)? = block.last(name) { bool } else { otherwise }
        }
        commands = block.entries.compactMap { entry in
            switch entry.name {
            case "Command": entry.value.asText.map { .program($0) }
            case "Console": entry.value.asText.map { .console($0) }
            default: nil
            }
        }
        when =
            switch text("RunsWhen") {
            case "Before"?: .before
            case "After"?: .after
            case "Always"?: .always
            case "AfterVSS"?, "AfterSnapshot"?: .afterSnapshot
            default: []
            }
        // Of RunsOnClient and Target the later one counts.
        target = "%c"
        for entry in block.entries {
            if entry.name == "RunsOnClient", case .bool(let onClient) = entry.value { target = onClient ? "%c" : "" }
            if entry.name == "Target", let name = entry.value.asText { target = name }
        }
        onSuccess = bool("RunsOnSuccess", true)
        onFailure = bool("RunsOnFailure", false)
        failJobOnError = bool("FailJobOnError", true)
        if case .time(let time)? = block.last("TimeOut") { timeOut = time } else { timeOut = .zero }
    }

    private init(shortForm: ShortForm, _ command: String) {
        commands = [shortForm.isConsole ? .console(command) : .program(command)]
        when = shortForm.when
        target = shortForm.isOnClient ? "%c" : ""
        onSuccess = shortForm.onSuccess
        onFailure = shortForm.onFailure
        failJobOnError = shortForm.when == .before
        timeOut = .zero
        self.shortForm = shortForm.isOnClient ? shortForm.name : nil
    }

    /// What a short form says without words. A failed script after the job doesn't fail the job.
    private struct ShortForm {
        var name: String
        var when: When
        var isOnClient = false
        var isConsole = false
        var onSuccess = true
        var onFailure = false
    }
    private static let shortForms = [
        ShortForm(name: "RunBeforeJob", when: .before),
        ShortForm(name: "ConsoleRunBeforeJob", when: .before, isConsole: true),
        ShortForm(name: "ClientRunBeforeJob", when: .before, isOnClient: true),
        ShortForm(name: "ClientRunAfterJob", when: .after, isOnClient: true),
        ShortForm(name: "RunAfterJob", when: .after),
        ShortForm(name: "RunAfterFailedJob", when: .after, onSuccess: false, onFailure: true),
        ShortForm(name: "ConsoleRunAfterJob", when: .after, isConsole: true),
    ]

    /// All scripts of a Job, those of its JobDefs included: short forms first, then the blocks in order.
    package static func all(of job: Resource) -> [RunScriptDefinition] {
        precondition(job.kind == .job || job.kind == .jobDefs)
        return shortForms.flatMap { form in job.texts(form.name).map { RunScriptDefinition(shortForm: form, $0) } }
            + job.blocks("RunScript").map { RunScriptDefinition($0) }
    }
}
