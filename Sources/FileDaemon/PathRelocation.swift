// Rewriting the paths of a restore: `regexwhere` expressions, and the simple strip and add rules.

import Platform

/// Rules that turn a saved path into the path to restore to, before the restore's root is put in front.
package struct PathRelocation: Sendable {
    /// Reads `!pattern!replacement!flags` expressions, several separated by commas (`regexwhere=`). The first character
    /// separates; `\` protects it; flags are `i` (ignore case) and `g` (every match). `\1`…`\9`, `$1`… and `&` stand for
    /// what matched. Patterns are POSIX extended.
    package init(expressions: String) throws(RestoreError) { preconditionFailure("not built yet") }

    /// The directives Strip Prefix, Add Prefix and Add Suffix; empty ones do nothing.
    package init(stripPrefix: [UInt8], addPrefix: [UInt8], addSuffix: [UInt8]) { preconditionFailure("not built yet") }

    package func apply(to path: [UInt8]) -> [UInt8] { preconditionFailure("not built yet") }
}
