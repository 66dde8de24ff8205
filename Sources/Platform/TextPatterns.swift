// Shell patterns and POSIX regular expressions over bytes, by the C library: what FileSets are written in.

import CSystem
import Glibc

/// fnmatch(3) in the C locale: bytes, not characters.
package func matchesShellPattern(
    _ pattern: [UInt8], _ text: [UInt8], ignoringCase: Bool = false, slashIsSpecial: Bool = false
) -> Bool {
    unsafe withCPath(pattern) { pattern in
        unsafe withCPath(text) { unsafe csystem_fnmatch(pattern, $0, ignoringCase ? 1 : 0, slashIsSpecial ? 1 : 0) != 0 }
    }
}

/// A compiled POSIX extended regular expression.
///
/// Sendable and safe: the compiled form is never changed after `init`, regexec(3) locks what it needs inside, and the
/// pointer is freed once, in `deinit`.
@safe package final class RegularExpression: @unchecked Sendable {
    private let compiled: UnsafeMutableRawPointer

    /// The C library's complaint about a pattern.
    package struct Malformed: Error { package var reason: String }

    package init(_ pattern: [UInt8], ignoringCase: Bool = false) throws(Malformed) {
        var reason = [CChar](repeating: 0, count: 200)
        guard
            let compiled = unsafe withCPath(
                pattern, { unsafe csystem_regex_compile($0, ignoringCase ? 1 : 0, &reason, reason.count) })
        else {
            throw Malformed(reason: String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
        unsafe self.compiled = compiled
    }

    deinit { unsafe csystem_regex_free(compiled) }

    package func matches(_ text: [UInt8]) -> Bool {
        unsafe withCPath(text) { unsafe csystem_regex_match(compiled, $0, nil, 0, 0) != 0 }
    }

    /// The first match in `text`: the whole of it, then up to nine groups, nil for groups that took no part.
    /// `continuing`: `text` is the rest of something longer, so `^` doesn't match at its start.
    package func firstMatch(in text: [UInt8], continuing: Bool = false) -> [Range<Int>?]? {
        var pairs = [Int64](repeating: -1, count: 20)
        let found = unsafe withCPath(text) { unsafe csystem_regex_match(compiled, $0, &pairs, 10, continuing ? 1 : 0) != 0 }
        guard found else { return nil }
        return (0..<10).map { pairs[2 * $0] < 0 ? nil : Int(pairs[2 * $0])..<Int(pairs[2 * $0 + 1]) }
    }
}
