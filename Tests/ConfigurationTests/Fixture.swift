// Where the fixtures are, and short ways to parse.

import Platform
import Testing

@testable import Configuration

enum Fixture {
    static let directory = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Fixtures"
    static let repository = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    static func path(_ name: String) -> String { "\(directory)/\(name)" }

    static func text(_ path: String) throws -> String {
        let (bytes, _) = try BoundedReading.file(path, bytesMax: 1 << 20)
        return String(decoding: try #require(bytes), as: UTF8.self)
    }
}

/// Reads a text without touching files or running commands.
func examine(_ text: String, _ roles: Set<Role>) -> ConfigurationLoader.Examination {
    ConfigurationLoader.examine(Array(text.utf8), path: "test.conf", roles: roles, sources: .none)
}

extension ConfigurationLoader.Examination {
    func first(_ kind: ResourceKind) -> Resource? { resources.first { $0.kind == kind } }
    var errors: [String] { diagnostics.filter { $0.severity == .error }.map(\.description) }
    var warnings: [String] { diagnostics.filter { $0.severity == .warning }.map(\.description) }
}
