// Colours, where the terminal and its owner want them.

package struct Palette: Sendable {
    package let isOn: Bool
    package init(isOn: Bool) { self.isOn = isOn }
    package func error(_ text: String) -> String { paint("31;1", text) }
    package func warning(_ text: String) -> String { paint("33", text) }
    package func information(_ text: String) -> String { paint("36", text) }
    package func quiet(_ text: String) -> String { paint("2", text) }
    package func good(_ text: String) -> String { paint("32", text) }
    package func prompt(_ text: String) -> String { paint("1", text) }

    /// Colours each line by itself, so that a newline never carries a colour on.
    private func paint(_ code: String, _ text: String) -> String {
        guard isOn else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "" : "\u{1B}[\(code)m\($0)\u{1B}[0m" }.joined(separator: "\n")
    }
}
