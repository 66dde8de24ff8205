// Comparing two trees in everything that a restore promises to give back.

package import Platform

/// Compares a tree with its restored copy, entry by entry, without following symbolic links.
///
/// Compared: content, type, permission bits, owner and group, modification time to the nanosecond, targets of symbolic
/// links, which names are hard links of one file, device numbers, access and default ACLs, extended attributes, and
/// whether holes are still holes. Not compared: access and change times, inode numbers.
package struct TreeComparison: Sendable {
    /// What differs; the raw value is stable.
    package enum Aspect: String, Sendable, CaseIterable {
        /// In the source only.
        case missing
        /// In the target only.
        case unexpected
        case type, mode, owner, modifyTime = "mtime", size, content
        case linkTarget = "link-target"
        case hardLinks = "hard-links"
        case deviceNumber = "device-number"
        case acl
        case extendedAttributes = "xattr"
        /// The target takes noticeably more blocks than the source, although the contents are the same.
        case sparseness
        /// One side couldn't be read; the values say why.
        case unreadable
    }

    package struct Difference: Sendable, Hashable, CustomStringConvertible {
        /// Relative to the two roots; empty for the roots themselves.
        package var path: [UInt8]
        package var aspect: Aspect
        package var source: String
        package var target: String
        package var description: String {
            let name = path.isEmpty ? "." : printable(path)
            return switch aspect {
            case .missing: "\(name): missing"
            case .unexpected: "\(name): not in the source"
            default: "\(name): \(aspect.rawValue) is \(target), was \(source)"
            }
        }
    }

    package struct Options: Sendable {
        /// Paths relative to the roots that are left out with everything below them.
        package var ignoredPaths: Set<[UInt8]> = []
        /// Aspects that are not looked at.
        package var ignoredAspects: Set<Aspect> = []
        /// Blocks of 512 bytes that the target may take more than the source: extents are rounded and metadata differs.
        package var sparseToleranceBlocks = 128
        /// Compare modification times by whole seconds: all that a volume written by Bacula's own client has.
        package var wholeSeconds = false
        /// Ends the comparison after so many differences.
        package var differencesMax = 10_000
        package init() {}
    }

    package struct Report: Sendable {
        /// Entries compared, and bytes of content read on one side.
        package var entries = 0
        package var bytes: Int64 = 0
        package var differences: [Difference] = []
    }

    /// Compares the trees at `source` and `target`. Blocks; reads all contents.
    /// - Throws: When a root can't be opened. Trouble below is a difference.
    package static func compare(source: String, target: String, _ options: Options = Options()) throws(SystemError) -> Report {
        var walk = PairWalk(options)
        try walk.run(Self.open(source), Self.open(target))
        return walk.report
    }

    private static func open(_ path: String) throws(SystemError) -> OpenDirectory {
        do throws(Errno) { return try OpenDirectory.open(Array(path.utf8)) } catch {
            throw SystemError("open", path, errno: error.code)
        }
    }
}

/// Walks two trees side by side, names in the order of their bytes.
private struct PairWalk {
    typealias Aspect = TreeComparison.Aspect
    private let options: TreeComparison.Options
    private(set) var report = TreeComparison.Report()
    /// The first name of every file with several, on each side.
    private var sourceGroups: [FileMetadata.Identity: [UInt8]] = [:]
    private var targetGroups: [FileMetadata.Identity: [UInt8]] = [:]
    private var sourceBuffer = [UInt8](repeating: 0, count: 256 << 10)
    private var targetBuffer = [UInt8](repeating: 0, count: 256 << 10)

    private struct Frame {
        // nil while closed to save descriptors; `..` of the directory within leads back.
        var source: OpenDirectory?
        var target: OpenDirectory?
        /// Names of both sides, merged.
        var names: [(name: [UInt8], inSource: Bool, inTarget: Bool)]
        var next = 0
        var path: [UInt8]
    }
    private static let openFramesMax = 32

    init(_ options: TreeComparison.Options) { self.options = options }

    private var isFull: Bool { report.differences.count >= options.differencesMax }

    private mutating func differ(_ path: [UInt8], _ aspect: Aspect, _ source: String = "", _ target: String = "") {
        guard !options.ignoredAspects.contains(aspect), !isFull else { return }
        report.differences.append(TreeComparison.Difference(path: path, aspect: aspect, source: source, target: target))
    }

    mutating func run(_ source: OpenDirectory, _ target: OpenDirectory) {
        let dot = [UInt8(ascii: ".")]
        do throws(Errno) {
            compareAttributes([], try source.metadata(), try target.metadata(), dot, source, dot, target)
        } catch {
            return differ([], .unreadable, error.text, error.text)
        }
        var stack: [Frame] = []
        enter([], source, target, &stack)
        while var frame = stack.popLast(), !isFull {
            guard frame.next < frame.names.count else {
                leave(frame, &stack)
                continue
            }
            let entry = frame.names[frame.next]
            frame.next += 1
            stack.append(frame)
            guard let source = frame.source, let target = frame.target else {
                preconditionFailure("the innermost pair is always open")
            }
            let path = frame.path.isEmpty ? entry.name : frame.path + [UInt8(ascii: "/")] + entry.name
            if options.ignoredPaths.contains(path) { continue }
            if !entry.inTarget {
                differ(path, .missing, "there", "missing")
            } else if !entry.inSource {
                differ(path, .unexpected, "missing", "there")
            } else {
                compare(path, entry.name, source, target, &stack)
            }
        }
    }

    private mutating func leave(_ left: Frame, _ stack: inout [Frame]) {
        guard var outer = stack.popLast() else { return }
        if outer.source == nil { outer.source = try? left.source?.parent() }
        if outer.target == nil { outer.target = try? left.target?.parent() }
        if outer.source == nil || outer.target == nil {
            differ(outer.path, .unreadable, "moved during the comparison", "moved during the comparison")
            stack.removeAll()
            return
        }
        stack.append(outer)
    }

    private mutating func enter(_ path: [UInt8], _ source: OpenDirectory, _ target: OpenDirectory, _ stack: inout [Frame]) {
        do throws(Errno) {
            var ours = try source.entries(), theirs = try target.entries()
            ours.sort()
            theirs.sort()
            var names: [(name: [UInt8], inSource: Bool, inTarget: Bool)] = []
            var i = 0, j = 0
            while i < ours.count || j < theirs.count {
                let a = i < ours.count ? ours.name(i) : nil, b = j < theirs.count ? theirs.name(j) : nil
                if let a, let b, a == b {
                    names.append((a, true, true))
                    i += 1
                    j += 1
                } else if let a, b == nil || a.lexicographicallyPrecedes(b!) {
                    names.append((a, true, false))
                    i += 1
                } else if let b {
                    names.append((b, false, true))
                    j += 1
                }
            }
            stack.append(Frame(source: source, target: target, names: names, path: path))
            if stack.count > Self.openFramesMax {
                stack[stack.count - 1 - Self.openFramesMax].source = nil
                stack[stack.count - 1 - Self.openFramesMax].target = nil
            }
        } catch {
            differ(path, .unreadable, error.text, error.text)
        }
    }

    // MARK: - One pair

    private mutating func compare(
        _ path: [UInt8], _ name: [UInt8], _ source: OpenDirectory, _ target: OpenDirectory, _ stack: inout [Frame]
    ) {
        report.entries += 1
        do throws(Errno) {
            let a = try source.metadata(of: name), b = try target.metadata(of: name)
            guard a.kind == b.kind else { return differ(path, .type, "\(a.kind)", "\(b.kind)") }
            compareAttributes(path, a, b, name, source, name, target)
            switch a.kind {
            case .directory:
                let ours = try source.directory(name, keepingAccessTime: true),
                    theirs = try target.directory(name, keepingAccessTime: true)
                return enter(path, ours, theirs, &stack)
            case .symbolicLink:
                let ours = try source.linkTarget(name), theirs = try target.linkTarget(name)
                if ours != theirs { differ(path, .linkTarget, printable(ours), printable(theirs)) }
            case .characterDevice, .blockDevice:
                if a.specialDevice != b.specialDevice { differ(path, .deviceNumber, Self.device(a), Self.device(b)) }
            case .regular: try compareContents(path, name, a, b, source, target)
            case .fifo, .socket, .unknown: break
            }
            compareLinks(path, a, b)
        } catch {
            differ(path, .unreadable, error.text, error.text)
        }
    }

    private static func device(_ metadata: FileMetadata) -> String {
        "\(DeviceNumber.major(metadata.specialDevice)):\(DeviceNumber.minor(metadata.specialDevice))"
    }

    /// Two trees link alike when every file's first name is the same on both sides.
    private mutating func compareLinks(_ path: [UInt8], _ a: FileMetadata, _ b: FileMetadata) {
        let first = a.links > 1 ? sourceGroups[a.identity] ?? path : path
        let other = b.links > 1 ? targetGroups[b.identity] ?? path : path
        if a.links > 1 { sourceGroups[a.identity] = first }
        if b.links > 1 { targetGroups[b.identity] = other }
        guard first != other else { return }
        func say(_ name: [UInt8]) -> String { name == path ? "a file of its own" : "a link to \(printable(name))" }
        differ(path, .hardLinks, say(first), say(other))
    }

    private mutating func compareAttributes(
        _ path: [UInt8], _ a: FileMetadata, _ b: FileMetadata, _ nameA: [UInt8], _ source: OpenDirectory, _ nameB: [UInt8],
        _ target: OpenDirectory
    ) {
        // Links have no mode of their own on Linux.
        if a.kind != .symbolicLink, a.permissions != b.permissions {
            differ(path, .mode, String(a.permissions, radix: 8), String(b.permissions, radix: 8))
        }
        if a.user != b.user || a.group != b.group { differ(path, .owner, "\(a.user):\(a.group)", "\(b.user):\(b.group)") }
        let isSameTime = options.wholeSeconds ? a.modifyTime.seconds == b.modifyTime.seconds : a.modifyTime == b.modifyTime
        if !isSameTime {
            differ(path, .modifyTime, "\(Self.time(a.modifyTime))", "\(Self.time(b.modifyTime))")
        }
        do throws(Errno) {
            let ours = try Self.attributes(nameA, source), theirs = try Self.attributes(nameB, target)
            guard ours != theirs else { return }
            for name in Set(ours.keys).union(theirs.keys).sorted(by: { $0.lexicographicallyPrecedes($1) })
            where ours[name] != theirs[name] {
                let isACL = name == PosixACL.accessAttribute || name == PosixACL.defaultAttribute
                func say(_ value: [UInt8]?) -> String {
                    guard let value else { return "\(printable(name)) missing" }
                    let text = isACL ? PosixACL(attribute: value)?.text.split(separator: "\n").joined(separator: ",") : nil
                    return "\(printable(name))=\(text ?? printable(value.prefix(80)))"
                }
                differ(path, isACL ? .acl : .extendedAttributes, say(ours[name]), say(theirs[name]))
            }
        } catch {
            differ(path, .unreadable, error.text, error.text)
        }
    }

    private static func time(_ time: WallTime) -> String {
        let part = String(time.nanosecondPart)
        return "\(time.seconds)." + String(repeating: "0", count: 9 - part.count) + part
    }

    private static func attributes(_ name: [UInt8], _ directory: OpenDirectory) throws(Errno) -> [[UInt8]: [UInt8]] {
        let attributes = ExtendedAttributes(of: name, in: directory)
        var values: [[UInt8]: [UInt8]] = [:]
        for name in try attributes.names() { values[name] = try attributes.value(name) }
        return values
    }

    private mutating func compareContents(
        _ path: [UInt8], _ name: [UInt8], _ a: FileMetadata, _ b: FileMetadata, _ source: OpenDirectory, _ target: OpenDirectory
    ) throws(Errno) {
        guard a.size == b.size else { return differ(path, .size, "\(a.size)", "\(b.size)") }
        if b.blocks > a.blocks + Int64(options.sparseToleranceBlocks) {
            differ(path, .sparseness, "\(a.blocks) blocks", "\(b.blocks) blocks")
        }
        guard a.size > 0, !options.ignoredAspects.contains(.content) else { return }
        let ours = try source.fileForReading(name, keepingAccessTime: true),
            theirs = try target.fileForReading(name, keepingAccessTime: true)
        var position: Int64 = 0
        while position < a.size {
            let count = try Self.fill(&sourceBuffer, ours, position), other = try Self.fill(&targetBuffer, theirs, position)
            report.bytes += Int64(count)
            let isSame =
                count == sourceBuffer.count && other == count
                ? sourceBuffer == targetBuffer : sourceBuffer[..<count] == targetBuffer[..<other]
            if !isSame {
                let common = min(count, other)
                let first = (0..<common).first { sourceBuffer[$0] != targetBuffer[$0] } ?? common
                return differ(
                    path, .content, "byte \(position + Int64(first)) is \(first < count ? String(sourceBuffer[first]) : "missing")",
                    first < other ? String(targetBuffer[first]) : "missing")
            }
            if count == 0 { return }
            position += Int64(count)
        }
    }

    private static func fill(_ buffer: inout [UInt8], _ file: borrowing FileDescriptor, _ position: Int64) throws(Errno) -> Int {
        var span = buffer.mutableSpan
        return try file.readFully(into: &span, at: position)
    }
}
