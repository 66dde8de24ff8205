// `--file-list`: which files of a volume are wanted, by their paths.

import ArgumentParser
import Platform
import Volumes

/// A small text file named on the command line.
enum TextFile {
    static func read(_ path: String) throws -> String {
        do throws(SystemError) {
            let file = try OpenFile.regular(path, .read)
            let size = try file.size()
            guard size <= 64 << 20 else { throw SystemError("read", path, errno: 27) }  // EFBIG
            var bytes = [UInt8](repeating: 0, count: Int(size))
            let count = try file.fill(&bytes, 0..<Int(size), at: 0)
            return String(decoding: bytes[..<count], as: UTF8.self)
        } catch {
            throw ValidationError(error.what)
        }
    }
}

/// Paths that are wanted, each with everything below it.
struct PathSelection {
    private let paths: Set<[UInt8]>

    init(listedIn file: String) throws {
        let lines = try TextFile.read(file).utf8.split(separator: UInt8(ascii: "\n"))
        paths = Set(lines.map { Self.withoutSlash(Array($0)) }.filter { !$0.isEmpty })
        if paths.isEmpty { throw ValidationError("\(file) names no path.") }
    }

    /// The listed path that `name` is or lies beneath.
    func match(_ name: [UInt8]) -> [UInt8]? {
        var name = Self.withoutSlash(name)
        while !name.isEmpty {
            if paths.contains(name) { return name }
            guard let slash = name.lastIndex(of: UInt8(ascii: "/")) else { return nil }
            name.removeSubrange(slash...)
        }
        return nil
    }

    /// How many listed paths were not on the volumes; each is named.
    func unseen(by selected: SelectedFiles) -> Int {
        let missing = paths.subtracting(selected.matched)
        for path in missing { StandardStream.error.line("\(String(decoding: path, as: UTF8.self)) is not on these volumes.") }
        return missing.count
    }

    private static func withoutSlash(_ path: [UInt8]) -> [UInt8] {
        path.count > 1 && path.last == UInt8(ascii: "/") ? Array(path.dropLast()) : path
    }
}

/// Lets the records of wanted files pass: a file's attributes come first and decide for what follows.
struct SelectedFiles {
    private let selection: PathSelection?
    private var current: [SessionIdentity: (fileIndex: Int32, isWanted: Bool)] = [:]
    private(set) var matched: Set<[UInt8]> = []

    init(_ selection: PathSelection?) { self.selection = selection }

    mutating func takes(_ record: VolumeRecord, _ bytes: Span<UInt8>) -> Bool {
        guard let selection else { return true }
        if StreamNumber(masking: record.stream) == .attributes, let file = AttributeRecord(decoding: bytes) {
            let match = selection.match(file.name)
            if let match { matched.insert(match) }
            current[record.session] = (record.fileIndex, match != nil)
            return match != nil
        }
        guard let (fileIndex, isWanted) = current[record.session] else { return false }
        return isWanted && fileIndex == record.fileIndex
    }
}
