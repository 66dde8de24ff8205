// Results to standard output, everything else to standard error.

import Platform

/// Writes whole texts. A reader that has gone away is a normal end.
enum StandardStream {
    case output, error

    func write(_ text: String) {
        let file = OpenFile(adopting: self == .output ? 1 : 2, name: self == .output ? "standard output" : "standard error")
        try? file.write(Array(text.utf8).span)
        _ = file.relinquish()
    }

    func line(_ text: String) { write(text + "\n") }
}
