// Reading the catalog by SQL, and the site's own queries from the QueryFile.

import Catalog
import Platform

struct SQLQueries {
    let dialogue: ConsoleDialogue
    init(_ dialogue: ConsoleDialogue) { self.dialogue = dialogue }

    /// `sqlquery`: one statement as its argument, or a dialogue.
    func run(_ command: CommandText) throws(ConsoleStop) {
        try refuseNamedConsoles()
        if !command.rest.isEmpty { return try show(command.rest) }
        try dialogue.announceCatalog()
        try dialogue.remark(
            "Entering SQL query mode.\nTerminate each query with a semicolon.\nTerminate query mode with a blank line.\n"
        )
        while true {
            let answer: String
            do { answer = try collect() } catch {
                guard case .cancelled = error else { throw error }
                break
            }
            if answer.isEmpty { break }
            // A mistake in one statement is no reason to leave.
            do { try show(answer) } catch {
                guard case .failed(let code, let what, let remedy) = error else { throw error }
                try dialogue.emit(.failure(code: code, what: what, remedy: remedy))
            }
        }
        try dialogue.remark("End query mode.\n")
    }

    private func collect() throws(ConsoleStop) -> String {
        var statement = try dialogue.ask(.text("Enter SQL query: "))
        while !statement.isEmpty, !statement.hasSuffix(";"), statement.utf8.count < 65536 {
            let more = try dialogue.ask(.text("Add to SQL query: "))
            if more.isEmpty { break }
            statement += " " + more
        }
        return statement
    }

    private func show(_ statement: String) throws(ConsoleStop) {
        let result = try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.query(statement) }
        try dialogue.table(ConsoleTable(kind: "row", result))
    }

    /// A named console may see some jobs only, and SQL can't be held to that.
    func refuseNamedConsoles() throws(ConsoleStop) {
        guard dialogue.rights.consoleName == nil || !dialogue.rights.limits(.catalog) && !dialogue.rights.limits(.job)
        else {
            throw .failure(.badRequest, "This console's access lists do not let it read the whole catalog.")
        }
    }

    // MARK: - The QueryFile

    /// A query of the file: `:title`, lines `*prompt` for %1, %2, …, then statements up to the next title. `#` starts a comment.
    struct Canned: Equatable {
        var title: String
        var questions: [String] = []
        var statement = ""
    }

    static func parse(_ text: String) -> [Canned] {
        var queries: [Canned] = []
        for line in text.split(whereSeparator: \.isNewline) {
            switch line.first {
            case "#": continue
            case ":": queries.append(Canned(title: line.dropFirst().trimmed))
            case "*" where !queries.isEmpty: queries[queries.count - 1].questions.append(line.dropFirst().trimmed)
            default: if !queries.isEmpty { queries[queries.count - 1].statement += line + "\n" }
            }
        }
        return queries
    }

    func runCanned(_ command: CommandText) throws(ConsoleStop) {
        try refuseNamedConsoles()
        guard let path = dialogue.services.director.text("QueryFile") else {
            throw .failure(
                .configuration, "The Director resource names no QueryFile.", remedy: "Use sqlquery, or add one.")
        }
        // 1 MiB of queries is more than anybody writes by hand.
        let bytes: [UInt8]
        do {
            guard let read = try BoundedReading.file(path, bytesMax: 1 << 20).bytes else {
                throw ConsoleStop.failure(.configuration, "The QueryFile \(path) is longer than 1 MiB.")
            }
            bytes = read
        } catch let error as SystemError { throw .failed(error) } catch { throw error as? ConsoleStop ?? .hungUp }
        let queries = Self.parse(String(decoding: bytes, as: UTF8.self))
        try dialogue.announceCatalog()
        let index: Int
        if let argument = command.arguments.first.map({ $0.value ?? $0.keyword }), let number = Int(argument),
            queries.indices.contains(number - 1)
        {
            index = number - 1
        } else {
            index = try dialogue.choose(title: "Available queries:\n", queries.map(\.title), prompt: "Choose a query")
        }
        var statement = queries[index].statement
        for (number, question) in queries[index].questions.enumerated().reversed() {
            let answer = try dialogue.ask(.text("\(question): "))
            // The answer stands inside the query's own quotes; doubling keeps it there.
            statement = statement.replacing("%\(number + 1)", with: answer.replacing("'", with: "''"))
        }
        try show(statement)
    }
}
