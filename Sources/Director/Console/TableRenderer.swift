// Tables and records as operators of Bacula know them (bacula-wire 7.7, 10.15).

import Platform

extension ConsoleTable {
    /// Rules, header, rows; columns left aligned, as wide as their widest cell.
    package var horizontalText: String {
        guard !rows.isEmpty else { return "No results to list.\n" }
        let cells = rows.map { $0.map { Self.oneLine($0.shown) } }
        var widths = columns.map { TextWidth.columns($0) }
        for row in cells {
            for (index, cell) in row.enumerated() where index < widths.count {
                widths[index] = max(widths[index], TextWidth.columns(cell))
            }
        }
        let rule = "+" + widths.map { String(repeating: "-", count: $0 + 2) + "+" }.joined() + "\n"
        func line(_ row: [String]) -> String {
            var line = "|"
            for (cell, width) in zip(row, widths) {
                line += " " + cell + String(repeating: " ", count: width - TextWidth.columns(cell)) + " |"
            }
            return line + "\n"
        }
        return rule + line(columns) + rule + cells.map(line).joined() + rule
    }

    /// One field per line, the names right aligned; a blank line after each row.
    package var verticalText: String {
        guard !rows.isEmpty else { return "No results to list.\n" }
        let width = (columns.map { TextWidth.columns($0) }.max() ?? 0) + 1
        var text = ""
        for row in rows {
            for (name, value) in zip(columns, row) {
                text +=
                    String(repeating: " ", count: width - TextWidth.columns(name)) + name + ": " + value.shown + "\n"
            }
            text += "\n"
        }
        return text
    }

    /// Control characters would break the frame (or worse, command the terminal): names of files may hold any byte.
    static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) else {
            return text
        }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default:
                if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                    result += "\\x" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }
}
