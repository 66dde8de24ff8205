// Messages for operators at a console, kept until somebody reads them.

import Platform

/// The console messages of a director: one queue for all consoles, as operators of Bacula know it. Reading takes them out.
///
/// Bounded: 1 MiB of text, some ten thousand lines. When nobody reads, the oldest go and a line says how many.
package final class MessageCenter: Sendable {
    private struct State {
        var lines: [String] = []
        var bytes = 0
        var dropped = 0
    }
    private let state = Monitor(State())
    private let bytesMax: Int

    package init(bytesMax: Int = 1 << 20) { self.bytesMax = bytesMax }

    /// Keeps a message. `text` is complete, prefix and all (`21-Nov 01:04 lab-dir JobId 4: text`), without a last newline.
    package func post(_ text: String) {
        state.withLock { state in
            state.lines.append(text)
            state.bytes += text.utf8.count
            guard state.bytes > bytesMax else { return }
            // A quarter at a time, so that a full queue doesn't pay for every line.
            var index = 0
            while state.bytes > bytesMax / 4 * 3, index < state.lines.count - 1 {
                state.bytes -= state.lines[index].utf8.count
                index += 1
            }
            state.lines.removeFirst(index)
            state.dropped += index
        }
    }

    package var hasMessages: Bool { state.read { !$0.lines.isEmpty } }
    package var count: Int { state.read { $0.lines.count } }

    /// All pending messages, oldest first; they are gone from here afterwards.
    package func take() -> [String] {
        state.withLock { state in
            var lines = state.lines
            if state.dropped > 0 { lines.insert("(\(state.dropped) older messages were dropped: nobody read them in time)", at: 0) }
            state.lines = []
            state.bytes = 0
            state.dropped = 0
            return lines
        }
    }
}
