// "Did you mean …?"

/// Finds the known word that a mistyped one was probably meant to be.
enum Suggestion {
    /// The nearest of `candidates` to `text`: the one that `text` begins with or that begins with `text`, or else the
    /// one with the fewest letters changed; nil when none is near.
    static func nearest(to text: String, in candidates: [String]) -> String? {
        let key = Array(Words.key(text).utf8.prefix(200))
        guard !key.isEmpty else { return nil }
        var best: (distance: Int, word: String)?
        for candidate in candidates.prefix(2000) {
            let other = Array(Words.key(candidate).utf8.prefix(200))
            // Half of it typed, or something hung on: `Maximum Concurrent`, `autochanger1-int`.
            let shorter = min(key.count, other.count)
            let isPrefix = shorter >= 4 && key.prefix(shorter) == other.prefix(shorter)
            let limit = max(1, min(key.count, other.count) / 3)
            guard isPrefix || abs(key.count - other.count) <= limit else { continue }
            let distance = isPrefix ? 1 : distance(key, other)
            if isPrefix || distance <= limit, distance < (best?.distance ?? Int.max) { best = (distance, candidate) }
        }
        return best?.word
    }

    /// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1] + [Int](repeating: 0, count: b.count)
            for j in 0..<b.count {
                row[j + 1] = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    row[j + 1] = min(row[j + 1], beforeLast[j - 1] + 1)
                }
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }

    static func hint(_ text: String, in candidates: [String]) -> String {
        nearest(to: text, in: candidates).map { "Did you mean `\($0)`?" } ?? ""
    }
}
