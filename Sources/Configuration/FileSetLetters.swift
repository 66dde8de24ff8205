// The letters in which a director tells a file daemon an Options block (bacula-wire 3.4).

/// Options as letters, concatenated without separators: `SZ6sAXCmcs:Vpins5:0K`.
enum FileSetLetters {
    /// What `yes` and `no` of an option send; `0` says nothing.
    private static let switches: [String: (yes: String, no: String)] = [
        "OneFs": ("0", "f"), "Recurse": ("0", "h"), "HardLinks": ("0", "H"), "Sparse": ("s", "0"),
        "Portable": ("p", "0"),
        "MtimeOnly": ("m", "0"), "KeepAtime": ("k", "0"), "NoAtime": ("K", "0"), "Exclude": ("e", "0"),
        "AclSupport": ("A", "0"),
        "XattrSupport": ("X", "0"), "IgnoreCase": ("i", "0"), "HfsPlusSupport": ("R", "0"), "EnhancedWild": ("W", "0"),
        "CheckFileChanges": ("c", "0"), "HonorNoDumpFlag": ("N", "0"), "ReadFifo": ("r", "0"),
    ]
    static let signatures = ["MD5": "M", "SHA1": "S", "SHA256": "S2", "SHA512": "S3"]
    private static let replacements = ["Always": "a", "IfNewer": "w", "Never": "n"]
    private static let lists = ["Accurate": "C", "Verify": "V", "BaseJob": "J"]

    /// The letters of one option, or none where it has no letters.
    static func letters(_ entry: Block.Entry) -> String {
        switch entry.value {
        case .bool(let isOn): switches[entry.name].map { isOn ? $0.yes : $0.no } ?? ""
        case .number(let number): entry.name == "StripPath" && number > 0 ? "P\(number):" : ""
        case .text(let text):
            switch entry.name {
            case "Compression": compression(text) ?? ""
            case "Signature": signatures[text] ?? ""
            case "Replace": replacements[text] ?? ""
            default: lists[entry.name].map { $0 + text + ":" } ?? ""
            }
        default: ""
        }
    }

    /// What counts as a change, letter by letter.
    static let comparisons = "pinugsamcMd5123A"

    /// `Z6`, `Zo`, `Zs`; empty for `no`; nil for what is no compression.
    ///
    /// The wire knows four levels of zstd: 1 (`Zr`), the default 3 (`Zs`), 10 (`Zu`) and 19 (`Zt`); others are sent as
    /// the nearest of these.
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
            return level < 2 ? "Zr" : level < 7 ? "Zs" : level < 15 ? "Zu" : "Zt"
        }
        return nil
    }
}
