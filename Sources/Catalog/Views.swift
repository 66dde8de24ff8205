// Bacula's File, Filename and Path over the compact tables, in SQL that any SQLite program runs.
//
// The texts that Bacula stores are put together again: LStat from the shape and seven numbers, MD5 from the raw digest.
// Both are exactly what the file daemon sent. It costs time only for the columns a query asks for: about 15 µs per LStat
// and 40 µs per MD5.
//
// What differs from Bacula's tables: FilenameId is the FileId, so that `JOIN Filename USING (FilenameId)` gives the name,
// but equal names of different rows have different ids; compare names. File also has the newer column Filename.

enum FileViews {
    static let definitions = """
        CREATE VIEW Path AS
        SELECT e.PathId AS PathId, (
            WITH RECURSIVE up (ParentId, Text) AS (
                SELECT e.ParentId, e.Name
                UNION ALL SELECT p.ParentId, p.Name || up.Text FROM up JOIN PathEntry AS p ON p.PathId = up.ParentId
            ) SELECT Text FROM up WHERE ParentId = 0
        ) AS Path FROM PathEntry AS e;
        CREATE VIEW PathHierarchy AS SELECT PathId, ParentId AS PPathId FROM PathEntry;
        CREATE VIEW Filename AS SELECT FileId AS FilenameId, Name FROM FileEntry;
        CREATE VIEW File AS
        SELECT f.FileId AS FileId, CASE s.Deleted WHEN 0 THEN f.FileId & 4294967295 ELSE 0 END AS FileIndex,
            f.FileId >> 32 AS JobId, f.PathId AS PathId, f.FileId AS FilenameId, coalesce(x.DeltaSeq, 0) AS DeltaSeq, 0 AS MarkId,
            coalesce(x.LStat,
                s.Device || ' ' || \(number("f.Inode"))
                || ' ' || s.Middle || ' ' || \(number("f.Size"))
                || ' ' || s.BlockSize || ' ' || \(number("coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8)"))
                || ' ' || \(number("coalesce(f.AccessTime, f.ChangeTime)"))
                || ' ' || \(number("coalesce(f.ModifyTime, f.ChangeTime)"))
                || ' ' || \(number("f.ChangeTime"))
                || ' ' || \(number("f.LinkFI")) || s.Tail
            ) AS LStat,
            \(base64("f.Digest")) AS MD5, f.Name AS Filename
        FROM FileEntry AS f JOIN StatShape AS s USING (ShapeId) LEFT JOIN FileExtra AS x USING (FileId)
        CROSS JOIN (SELECT 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/' AS Digits) AS d;
        """

    /// The private base 64 of LStat (bacula-wire 5.4): most significant digit first, no leading `A`, zero is `A`.
    ///
    /// Three lengths, because nearly all numbers are below 64 or below 2^36. The most negative number has no positive
    /// counterpart and is never stored as a number.
    private static func number(_ n: String) -> String {
        """
        CASE WHEN \(n) BETWEEN 0 AND 63 THEN substr(d.Digits, \(n) + 1, 1)
                    WHEN \(n) BETWEEN 64 AND 68719476735 THEN \(digits(n, count: 6))
                    WHEN \(n) < 0 THEN '-' || \(digits("-\(n)", count: 11))
                    ELSE \(digits(n, count: 11)) END
        """
    }

    private static func digits(_ n: String, count: Int) -> String {
        let each = (0..<count).reversed().map { "substr(d.Digits, (\(n) >> \(6 * $0) & 63) + 1, 1)" }
        return "ltrim(\(each.joined(separator: " || ")), 'A')"
    }

    /// Standard base64 (RFC 4648) without padding, `0` for NULL. Three hexadecimal digits at a time are two digits of
    /// base 64; zeros are appended to fill the last group, and what they add is cut off.
    private static func base64(_ blob: String) -> String {
        func hex(_ n: String) -> String { "instr('123456789ABCDEF', substr(Hex, \(n), 1))" }
        return """
            CASE WHEN \(blob) IS NULL THEN '0' ELSE (
                WITH RECURSIVE part (n, Hex, Text) AS (
                    SELECT 1, hex(\(blob)) || '00', ''
                    UNION ALL SELECT n + 3, Hex, Text
                        || substr(d.Digits, \(hex("n")) * 4 + \(hex("n + 1")) / 4 + 1, 1)
                        || substr(d.Digits, \(hex("n + 1")) % 4 * 16 + \(hex("n + 2")) + 1, 1)
                    FROM part WHERE n + 2 <= length(Hex)
                ) SELECT substr(Text, 1, (length(\(blob)) * 4 + 2) / 3) FROM part ORDER BY n DESC LIMIT 1
            ) END
            """
    }
}
