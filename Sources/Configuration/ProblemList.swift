// Findings are collected while reading goes on, so that one run reports them all.

/// The findings of one run, each once, at most `problemsMax` of them.
final class ProblemList {
    /// Enough for the worst file a person wrote; a file of random bytes ends here.
    static let problemsMax = 1000

    private(set) var all: [Diagnostic] = []
    private var seen: Set<Diagnostic> = []
    private var order: [String: Int] = [:]

    var hasErrors: Bool { all.contains { $0.severity == .error } }
    var isFull: Bool { all.count >= Self.problemsMax }

    func add(_ problem: Diagnostic) {
        guard !isFull, seen.insert(problem).inserted else { return }
        all.append(problem)
        if isFull {
            all.append(
                Diagnostic(
                    .error, problem.location, "There are more than \(Self.problemsMax) findings.",
                    hint: "The rest is left out."))
        }
    }

    func error(_ location: SourceLocation, _ message: String, hint: String = "") {
        add(Diagnostic(.error, location, message, hint: hint))
    }

    func warning(_ location: SourceLocation, _ message: String, hint: String = "") {
        add(Diagnostic(.warning, location, message, hint: hint))
    }

    /// Remembers the order in which files were first met, which is the order of the report.
    func noteFile(_ name: String) {
        if order[name] == nil { order[name] = order.count }
    }

    /// By file in the order of reading, then by line and column; findings of one place stay in the order they were made.
    var inFileOrder: [Diagnostic] {
        let numbered = all.enumerated().map { (number: $0.offset, problem: $0.element) }
        return numbered.sorted { a, b in
            let (x, y) = (a.problem.location, b.problem.location)
            return (order[x.file] ?? Int.max, x.line, x.column, a.number) < (
                order[y.file] ?? Int.max, y.line, y.column, b.number
            )
        }.map(\.problem)
    }
}
