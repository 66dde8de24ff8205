// Rewriting the paths of a restore: `regexwhere` expressions, and the simple strip and add rules.

import Platform

/// Rules that turn a saved path into the path to restore to, before the restore's root is put in front.
package struct PathRelocation: Sendable {
    private struct Expression: Sendable {
        var pattern: RegularExpression
        var replacement: [UInt8]
        var isGlobal: Bool
    }
    private var expressions: [Expression] = []
    private var stripPrefix: [UInt8] = []
    private var addPrefix: [UInt8] = []
    private var addSuffix: [UInt8] = []

    /// Reads `!pattern!replacement!flags` expressions, several separated by commas (`regexwhere=`). The first character
    /// separates; `\` protects it; flags are `i` (ignore case) and `g` (every match). `\1`…`\9`, `$1`… and `\0`, `&` stand
    /// for what matched. Patterns are POSIX extended.
    package init(expressions text: String) throws(RestoreError) {
        var rest = Array(text.utf8)[...]
        func malformed(_ why: String) -> RestoreError {
            RestoreError(
                .badRelocation, "The file relocation \"\(text)\" can't be read: \(why).",
                remedy: "Write it as !pattern!replacement!.")
        }
        while let separator = rest.popFirst() {
            if separator == UInt8(ascii: ",") || separator == UInt8(ascii: " ") { continue }
            /// Up to the separator, which is passed; `\` before the separator protects it, other escapes stay.
            func field(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
                var field: [UInt8] = []
                while let byte = rest.popFirst() {
                    if byte == separator { return field }
                    if byte == UInt8(ascii: "\\"), let next = rest.first {
                        rest.removeFirst()
                        if next != separator { field.append(byte) }
                        field.append(next)
                    } else {
                        field.append(byte)
                    }
                }
                return nil
            }
            guard let pattern = field(&rest), let replacement = field(&rest), !pattern.isEmpty else {
                throw malformed("it has no three separators \(Unicode.Scalar(separator))")
            }
            var isGlobal = false, ignoresCase = false
            flags: while let flag = rest.first {
                switch flag {
                case UInt8(ascii: "g"): isGlobal = true
                case UInt8(ascii: "i"): ignoresCase = true
                default: break flags
                }
                rest.removeFirst()
            }
            do throws(RegularExpression.Malformed) {
                let regex = try RegularExpression(pattern, ignoringCase: ignoresCase)
                expressions.append(Expression(pattern: regex, replacement: replacement, isGlobal: isGlobal))
            } catch {
                throw malformed(error.reason)
            }
        }
    }

    /// The directives Strip Prefix, Add Prefix and Add Suffix; empty ones do nothing.
    package init(stripPrefix: [UInt8], addPrefix: [UInt8], addSuffix: [UInt8]) {
        self.stripPrefix = stripPrefix
        self.addPrefix = addPrefix
        self.addSuffix = addSuffix
    }

    package func apply(to path: [UInt8]) -> [UInt8] {
        var path = path
        for expression in expressions { path = Self.replace(in: path, expression) }
        if !stripPrefix.isEmpty, path.starts(with: stripPrefix) { path.removeFirst(stripPrefix.count) }
        if !addSuffix.isEmpty {
            // A directory's slash stays at the end.
            if path.last == UInt8(ascii: "/") {
                path = path.dropLast() + addSuffix + [UInt8(ascii: "/")]
            } else {
                path += addSuffix
            }
        }
        return addPrefix + path
    }

    private static func replace(in path: [UInt8], _ expression: Expression) -> [UInt8] {
        var result: [UInt8] = []
        var rest = path
        var continuing = false
        while let groups = expression.pattern.firstMatch(in: rest, continuing: continuing), let whole = groups[0] {
            result += rest[..<whole.lowerBound]
            result += substitute(expression.replacement, groups, rest)
            if whole.isEmpty {
                // An empty match makes no way: take a byte along.
                guard whole.upperBound < rest.count else { return result }
                result.append(rest[whole.upperBound])
                rest = Array(rest[(whole.upperBound + 1)...])
            } else {
                rest = Array(rest[whole.upperBound...])
            }
            continuing = true
            if !expression.isGlobal || rest.isEmpty { break }
        }
        return result + rest
    }

    private static func substitute(_ replacement: [UInt8], _ groups: [Range<Int>?], _ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < replacement.count {
            let byte = replacement[index]
            let next = index + 1 < replacement.count ? replacement[index + 1] : 0
            if byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "$"), next &- 48 < 10 {
                if let range = groups[Int(next - 48)] { result += text[range] }
                index += 2
            } else if byte == UInt8(ascii: "\\"), next != 0 {
                result.append(next)
                index += 2
            } else if byte == UInt8(ascii: "&") {
                if let range = groups[0] { result += text[range] }
                index += 1
            } else {
                result.append(byte)
                index += 1
            }
        }
        return result
    }
}
