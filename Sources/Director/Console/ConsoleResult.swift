// What a command answers, before anybody decides how it looks.

package import Platform

/// One field of an answer.
package enum ConsoleValue: Sendable, Hashable {
    case null
    case text(String)
    case integer(Int64)
    case flag(Bool)

    package init(_ text: String) { self = .text(text) }
    package init(_ number: some BinaryInteger) { self = .integer(Int64(clamping: number)) }

    /// As tables show it.
    package var shown: String {
        switch self {
        case .null: ""
        case .text(let text): text
        case .integer(let number): String(number)
        case .flag(let flag): flag ? "yes" : "no"
        }
    }
    package var json: JSON {
        switch self {
        case .null: .null
        case .text(let text): .string(text)
        case .integer(let number): .integer(number)
        case .flag(let flag): .bool(flag)
        }
    }
}

/// Rows under column names. `kind` names one row (`job`, `volume`) and is the `type` of its JSON object.
package struct ConsoleTable: Sendable, Equatable {
    package var kind: String
    package var columns: [String]
    package var rows: [[ConsoleValue]]
    package init(kind: String, columns: [String], rows: [[ConsoleValue]]) {
        self.kind = kind
        self.columns = columns
        self.rows = rows
    }
}

/// One named thing with its fields.
package struct ConsoleRecord: Sendable, Equatable {
    package var kind: String
    package var fields: [(name: String, value: ConsoleValue)]
    package init(kind: String, fields: [(name: String, value: ConsoleValue)]) {
        self.kind = kind
        self.fields = fields
    }
    package static func == (a: Self, b: Self) -> Bool {
        a.kind == b.kind && a.fields.elementsEqual(b.fields) { $0.name == $1.name && $0.value == $1.value }
    }
}

/// A piece of an answer. Commands make these; `ConsoleRenderer` turns them into packets for the mode the console is in.
package enum ConsoleResult: Sendable, Equatable {
    /// Lines for a person, complete with their newlines. In JSON one `text` object.
    case text(String)
    /// A table with rules; `long` gives one field per line (llist).
    case table(ConsoleTable, long: Bool)
    /// Something that has both a text for people and a structure for programs.
    case record(ConsoleRecord, text: String)
    /// Lines of which only people have need: headings, hints. Nothing in JSON.
    case remark(String)
    case information(String)
    case warning(String)
    case failure(code: String, what: String, remedy: String)
    /// A log line for the operator, from `messages`.
    case message(String)
}

/// A question and how it may be answered.
package enum ConsolePrompt: Sendable, Equatable {
    /// Free text; `sub` marks the restore tree's prompt, which API programs treat as a command prompt.
    case text(String)
    case tree(String)
    case yesNo(String)
    /// One of `items`, by number.
    case select(title: String, items: [String], prompt: String)
    /// The parameters of a job, then yes, mod or no. `block` is the plain text, `fields` the same for programs.
    case run(title: String, fields: [(name: String, value: String)], prompt: String)

    package static func == (a: Self, b: Self) -> Bool { "\(a)" == "\(b)" }
}
