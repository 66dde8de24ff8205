// `Run = …` of a Schedule.

/// One Run line.
package struct ScheduleRun: Sendable, Hashable {
    /// As written, in one form: what `show` prints and what is kept in the resource.
    package var text: String
    package init(_ text: String) { self.text = text }
    var references: [(String, Value)] { [] }
    static func read(_ tokens: [Token], at location: SourceLocation, problems: ProblemList) -> (ScheduleRun, Bool) {
        (ScheduleRun(tokens.map { $0.kind == .equals ? "=" : $0.text }.joined(separator: " ")), true)
    }
}
