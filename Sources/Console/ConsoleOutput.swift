// Where a console writes: results to standard output, everything else to standard error.

import Platform

/// The two streams, and what each of them understands. A reader that has gone away is a normal end.
package struct ConsoleOutput: Sendable {
    package let palette: Palette
    package let errorPalette: Palette
    /// A line on standard error may be drawn again and again.
    package let canDraw: Bool

    package init() {
        palette = Palette(isOn: Terminal.allowsColour(1))
        errorPalette = Palette(isOn: Terminal.allowsColour(2))
        canDraw = Terminal.understandsEscapes(2)
    }

    package func result(_ text: String) { Self.write(1, text) }
    package func notice(_ text: String) { Self.write(2, text) }

    private static func write(_ descriptor: Int32, _ text: String) {
        guard !text.isEmpty else { return }
        let stream = OpenFile(adopting: descriptor, name: descriptor == 1 ? "standard output" : "standard error")
        try? stream.write(Array(text.utf8).span)
        _ = stream.relinquish()
    }
}
