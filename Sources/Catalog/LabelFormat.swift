// Names of volumes that a pool's LabelFormat makes (bacula-wire 9.5).
//
// A format without special characters is a prefix: `Vol-` makes `Vol-0001`, `Vol-0002`. Otherwise it is expanded:
//
//     ${Name}            a built-in, a counter of the catalog, or an environment variable
//     ${Counter+}        the counter's value, which then grows by one
//     ${Name:-text}      text where the variable is unknown or empty;  ${Name:+text}  text where it is not
//     ${Name:p/4/0/r}    padded to 4 characters with 0, so that the value ends up on the right (l: left, c: centre)
//     ${Name:u}          upper case;  ${Name:l}  lower case
//     ${Name:o2,3}       three characters from the third on;  ${Name:o2}  all from there

package import Platform

/// Names that a LabelFormat may use as `${Name}`; empty ones expand to nothing.
package struct LabelVariables: Sendable {
    package var job = ""
    package var jobName = ""
    package var director = ""
    package var level = ""
    package var type = ""
    package var jobID: Int64 = 0
    package var client = ""
    package var storage = ""
    package var catalog = ""
    package var now = WallTime.now
    package var environment: [String: String] = [:]
    package init() {}
}

/// A parsed question of what a format needs, and its expansion.
package enum LabelFormat {
    /// Characters a volume's name may have.
    package static func isValid(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 127
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: ":"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// The name that `format` gives to a volume numbered `number` (highest MediaId + 1).
    ///
    /// - Parameters:
    ///   - poolVolumes: `${NumVols}`.
    ///   - counter: Value of a catalog counter, and with `true` its growth; nil where there is none of that name.
    /// - Throws: `.invalid` for a format that can't be expanded, or a result with characters that names may not have.
    package static func name(
        _ format: String, number: Int64, pool: PoolRecord, mediaType: String, variables: LabelVariables,
        counter: (String, Bool) throws -> Int64? = { _, _ in nil }
    ) throws -> String {
        let name: String
        if format.contains(where: { "${}[]()|\\`".contains($0) }) {
            name = try expand(format) { variable, grows in
                if grows { return try counter(variable, true).map(String.init) }
                if let value = builtIn(variable, pool, mediaType, variables) { return value }
                return try counter(variable, false).map(String.init) ?? variables.environment[variable]
            }
        } else {
            name = format + padded(String(number), to: 4, with: "0", side: "r")
        }
        guard isValid(name) else {
            throw CatalogError(
                .invalid,
                "Label Format \"\(format)\" of pool \(pool.name) makes \"\(name)\", which can't be a volume's name.",
                remedy: "Use letters, digits and :.-_ only.")
        }
        return name
    }

    private static func builtIn(_ name: String, _ pool: PoolRecord, _ mediaType: String, _ variables: LabelVariables)
        -> String?
    {
        func time(_ format: String) -> String { variables.now.formatted(format, local: true) }
        switch name {
        case "Year": return time("%Y")
        case "Month": return time("%-m")
        case "Day": return time("%-d")
        case "Hour": return time("%-H")
        case "Minute": return time("%-M")
        case "Second": return time("%-S")
        case "WeekDay": return time("%w")
        case "Job": return variables.jobName
        case "JobName": return variables.job
        case "Dir": return variables.director
        case "Level": return variables.level
        case "Type": return variables.type
        case "JobId": return String(variables.jobID)
        case "Client": return variables.client
        case "NumVols": return String(pool.volumes)
        case "Pool": return pool.name
        case "Storage": return variables.storage
        case "Catalog": return variables.catalog
        case "MediaType": return mediaType
        default: return nil
        }
    }

    /// Replaces `${…}` and `$Name`; everything else stays.
    private static func expand(_ format: String, _ value: (String, Bool) throws -> String?) throws -> String {
        var result = ""
        var rest = format[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            let body: Substring
            if rest.first == "{" {
                guard let end = rest.firstIndex(of: "}") else {
                    throw CatalogError(.invalid, "Label Format \"\(format)\" has a { without its }.")
                }
                body = rest[rest.index(after: rest.startIndex)..<end]
                rest = rest[rest.index(after: end)...]
            } else {
                body = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                rest = rest[body.endIndex...]
            }
            result += try expandOne(body, in: format, value)
        }
        return result + rest
    }

    private static func expandOne(
        _ body: Substring, in format: String, _ value: (String, Bool) throws -> String?
    ) throws -> String {
        let parts = body.split(separator: ":", omittingEmptySubsequences: false)
        guard var name = parts.first, !name.isEmpty else {
            throw CatalogError(.invalid, "Label Format \"\(format)\" has a $ without a name.")
        }
        let grows = name.last == "+"
        if grows { name.removeLast() }
        let found = try value(String(name), grows)
        var text = found ?? ""
        var isKnown = found != nil
        for operation in parts.dropFirst() {
            let argument = String(operation.dropFirst())
            switch operation.first {
            case "-":
                if text.isEmpty { text = argument }
                isKnown = true
            case "+":
                if !text.isEmpty { text = argument }
                isKnown = true
            case "u": text = text.uppercased()
            case "l": text = text.lowercased()
            case "p":
                let fields = argument.split(separator: "/", omittingEmptySubsequences: false)
                guard fields.count >= 3, let width = Int(fields[1]), (0...127).contains(width), fields[2].count == 1
                else {
                    throw CatalogError(
                        .invalid, "Label Format \"\(format)\" has a padding that isn't p/width/character/side.")
                }
                text = padded(
                    text, to: width, with: fields[2].first!, side: fields.count > 3 ? fields[3].first ?? "r" : "r")
            case "o":
                let fields = argument.split { $0 == "," || $0 == "-" }.map { Int($0) }
                guard let start = fields.first ?? nil, start >= 0 else {
                    throw CatalogError(.invalid, "Label Format \"\(format)\" has an offset that isn't ostart,length.")
                }
                text = String(text.dropFirst(start))
                if fields.count > 1, let length = fields[1] { text = String(text.prefix(max(0, length))) }
            default:
                throw CatalogError(
                    .invalid, "Label Format \"\(format)\" has an operator :\(operation) that isn't known.")
            }
        }
        guard isKnown else {
            throw CatalogError(
                .invalid,
                "Label Format \"\(format)\" uses \(name), which is neither a built-in, a counter nor in the environment."
            )
        }
        return text
    }

    private static func padded(_ text: String, to width: Int, with character: Character, side: Character) -> String {
        let missing = max(0, width - text.count)
        let left = side == "l" ? 0 : side == "c" ? missing / 2 : missing
        return String(repeating: character, count: left) + text + String(repeating: character, count: missing - left)
    }
}
