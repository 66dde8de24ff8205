// The letters in which a director tells a file daemon a FileSet's options.

/// Options as letters (bacula-wire 3.4).
package enum FileSetLetters {
    /// `Z6`, `Zo`, `Zs`; empty for `no`; nil for what is no compression.
    static func compression(_ text: String) -> String? {
        let word = text.uppercased()
        switch word {
        case "NO", "NONE", "OFF", "FALSE": return ""
        case "GZIP": return "Z6"
        case "LZO": return "Zo"
        case "ZSTD": return "Zs"
        default: break
        }
        if word.hasPrefix("GZIP"), let level = Int(word.dropFirst(4)), (1...9).contains(level) { return "Z\(level)" }
        if word.hasPrefix("ZSTD"), let level = Int(word.dropFirst(4)), (1...19).contains(level) {
            // The wire knows four levels: 1, the default 3, 10 and 19. Take the nearest.
            return level < 2 ? "Zr" : level < 7 ? "Zs" : level < 15 ? "Zu" : "Zt"
        }
        return nil
    }
}
