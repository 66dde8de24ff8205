// Finding what a FileSet names: one thread goes through the trees by directory descriptors.
//
// The walk keeps a stack of its own, so depth costs heap and never stack; of the open directories only the innermost stay
// open, so depth costs no descriptors either. Contents come before their directory's own record (bacula-wire 5.4).

import Platform
import Volumes

/// What a walk found and passed over, for messages and reports.
struct WalkCounts: Sendable {
    var entries = 0
    var excluded = 0
    var unchanged = 0
}

/// Walks the trees of a FileSet. For one thread.
final class TreeWalker {
    private let fileSet: FileSet
    private let selection: Selection
    private let report: (JobMessage) -> Void
    private let isCancelled: () -> Bool
    private let emit: (WalkedItem) -> Void
    private let fileSystems = MountedFileSystems()
    private(set) var counts = WalkCounts()

    /// Files with several names that have been met, until all of them were.
    private struct KnownGroup {
        var group: LinkGroup
        var unseen: UInt64
    }
    private var groups: [FileMetadata.Identity: KnownGroup] = [:]

    /// Directories open at a time; further out they are closed and opened again on the way back.
    private static let openDirectoriesMax = 64

    /// One directory being walked.
    private struct Frame {
        var directory: OpenDirectory?  // nil while closed to save descriptors
        var identity: FileMetadata.Identity
        var entries: DirectoryEntries
        var next = 0
        /// Bytes of `path` that are this directory's own path.
        var pathLength: Int
        /// The directory's record, sent when its contents are through; nil where the level doesn't want it.
        var record: WalkedItem?
        var device: UInt64
    }

    init(
        _ fileSet: FileSet, _ selection: Selection, report: @escaping (JobMessage) -> Void,
        isCancelled: @escaping () -> Bool, emit: @escaping (WalkedItem) -> Void
    ) {
        self.fileSet = fileSet
        self.selection = selection
        self.report = report
        self.isCancelled = isCancelled
        self.emit = emit
    }

    func walk() {
        for include in fileSet.includes {
            let top = include.topOptions
            for entry in FileListEntry.resolve(include.entries, report: report) {
                if isCancelled() { return }
                walk(from: entry, top, include)
            }
        }
    }

    // MARK: - One tree

    private func walk(from path: [UInt8], _ options: FileOptions, _ include: FileSet.Include) {
        guard path.first == UInt8(ascii: "/") else {
            report(JobMessage(.notSaved, "     \(printable(path)) is not an absolute path; it is not saved."))
            return
        }
        var stack: [Frame] = []
        let slash = path.lastIndex(of: UInt8(ascii: "/"))!
        let name = slash == path.count - 1 ? [UInt8(ascii: ".")] : Array(path[(slash + 1)...])
        do throws(Errno) {
            let parent = try OpenDirectory.open(slash == 0 ? [UInt8(ascii: "/")] : Array(path[..<slash]))
            visit(path, name, parent, try parent.metadata(of: name), options, include, parentDevice: nil, &stack)
        } catch {
            report(JobMessage(.notSaved, "     Could not stat \"\(printable(path))\": ERR=\(error.text)"))
            return
        }
        var path = path
        if path.count == 1 { path = [] }  // children of / are /name, not //name
        while var frame = stack.popLast() {
            if isCancelled() { return }
            guard frame.next < frame.entries.count else {
                leave(frame, &stack, path)
                continue
            }
            let name = frame.entries.name(frame.next)
            frame.next += 1
            guard let directory = frame.directory else { preconditionFailure("the innermost directory is always open") }
            path.removeSubrange(frame.pathLength...)
            path.append(UInt8(ascii: "/"))
            path += name
            stack.append(frame)
            do throws(Errno) {
                let metadata = try directory.metadata(of: name)
                let isDirectory = metadata.kind == .directory
                guard let options = fileSet.options(for: path, isDirectory: isDirectory, in: include) else {
                    counts.excluded += 1
                    continue
                }
                visit(path, name, directory, metadata, options, include, parentDevice: frame.device, &stack)
            } catch {
                report(JobMessage(.notSaved, "     Could not stat \"\(printable(path))\": ERR=\(error.text)"))
            }
        }
    }

    /// The contents of `frame` are through: its own record is next, and the walk goes on in the directory around it.
    private func leave(_ left: Frame, _ stack: inout [Frame], _ path: [UInt8]) {
        if let record = left.record { emit(record) }
        var inner = left.directory
        while var outer = stack.popLast() {
            if outer.directory == nil { outer.directory = reopen(outer, from: inner, path) }
            if outer.directory != nil {
                stack.append(outer)
                return
            }
            report(
                JobMessage(
                    .notSaved,
                    "     Directory \"\(printable(path[..<outer.pathLength]))\" was moved while the job ran; the rest of it is not saved."
                ))
            inner = nil
        }
    }

    /// Opens a directory that was closed to save descriptors: through `..` of the one we come from, else by its path; nil
    /// when neither leads to the same directory any more.
    private func reopen(_ frame: Frame, from inner: OpenDirectory?, _ path: [UInt8]) -> OpenDirectory? {
        if let parent = try? inner?.parent(), (try? parent.metadata().identity) == frame.identity { return parent }
        let again = try? OpenDirectory.open(
            frame.pathLength == 0 ? [UInt8(ascii: "/")] : Array(path[..<frame.pathLength]), followingLinks: false)
        if let again, (try? again.metadata().identity) == frame.identity { return again }
        return nil
    }

    /// Takes one entry in: emits it, or, if it is a directory to be entered, puts it on the stack.
    private func visit(
        _ path: [UInt8], _ name: [UInt8], _ parent: OpenDirectory, _ metadata: FileMetadata, _ options: FileOptions,
        _ include: FileSet.Include, parentDevice: UInt64?, _ stack: inout [Frame]
    ) {
        counts.entries += 1
        let isTop = parentDevice == nil
        var item = WalkedItem(
            path: path, name: name, parent: parent, metadata: metadata, type: .file, options: options)
        switch metadata.kind {
        case .directory: return enter(&item, include, parentDevice, &stack)
        case .regular:
            if let rule = options.values.size, !rule.allows(metadata.size) {
                counts.excluded += 1
                return
            }
            guard wanted(&item) else { return }
        case .symbolicLink:
            item.type = .symbolicLink
            guard wanted(&item) else { return }
        case .fifo:
            item.type = isTop && options.values.readsFIFOs ? .fifo : .special
            guard wanted(&item) else { return }
        case .blockDevice:
            // A device named directly is read, one that is met on the way is a node.
            item.type = isTop ? .blockDevice : .special
            guard wanted(&item) else { return }
        case .characterDevice:
            item.type = .special
            guard wanted(&item) else { return }
        case .socket:
            report(JobMessage(.skipped, "     Socket file skipped: \(printable(path))"))
            return
        case .unknown:
            report(
                JobMessage(
                    .notSaved, "     Unknown file type \(String(metadata.mode, radix: 8)) of \(printable(path)); it is not saved."))
            return
        }
        // Names of one symbolic link are saved as links of their own: Bacula's restorer would set the mode of what a hard link
        // to one points to. Ours knows them again by their inode (FileWriter).
        if options.values.detectsHardLinks, metadata.links > 1, metadata.kind != .symbolicLink { join(&item) }
        emit(item)
    }

    private func enter(_ item: inout WalkedItem, _ include: FileSet.Include, _ parentDevice: UInt64?, _ stack: inout [Frame]) {
        let values = item.options.values
        let metadata = item.metadata
        item.type = .directory
        let crosses = parentDevice != nil && parentDevice != metadata.device
        if !values.fileSystemTypes.isEmpty, parentDevice == nil || crosses, let type = fileSystems.type(ofDevice: metadata.device),
            !values.fileSystemTypes.contains(type)
        {
            report(
                JobMessage(
                    .skipped,
                    "     Directory \(printable(item.path)) is on a file system of type \(type), which the FileSet leaves out."))
            return
        }
        if crosses, !values.crossesFileSystems {
            item.type = .mountPoint
            if wanted(&item) { emit(item) }
            report(JobMessage(.skipped, "     \(printable(item.path)) is a different filesystem. Will not descend into it."))
            return
        }
        if !values.recurses, parentDevice != nil {
            item.type = .directoryNotEntered
            if wanted(&item) { emit(item) }
            return
        }
        do throws(Errno) {
            let directory = try item.parent.directory(item.name, keepingAccessTime: values.keepsAccessTime)
            for marker in include.markerNames where (try? directory.metadata(of: marker)) != nil {
                counts.excluded += 1
                return
            }
            // What was opened counts, if somebody was quick enough to exchange it.
            let opened = try directory.metadata()
            if opened.identity != item.metadata.identity { item.metadata = opened }
            let entries = try directory.entries()
            let record = wanted(&item) ? item : nil
            stack.append(
                Frame(
                    directory: directory, identity: opened.identity, entries: entries,
                    pathLength: item.path.count == 1 ? 0 : item.path.count, record: record, device: opened.device))
            if stack.count > Self.openDirectoriesMax { stack[stack.count - 1 - Self.openDirectoriesMax].directory = nil }
        } catch {
            report(JobMessage(.notSaved, "     Could not open directory \"\(printable(item.path))\": ERR=\(error.text)"))
        }
    }

    // MARK: - Levels and links

    /// Whether the level wants the entry. In accurate mode it counts as met from here on.
    private func wanted(_ item: inout WalkedItem) -> Bool {
        switch selection {
        case .everything: return true
        case .changedSince(let time):
            let metadata = item.metadata
            if metadata.modifyTime.seconds >= time.seconds { return true }
            if !item.options.values.ignoresChangeTime, metadata.changeTime.seconds >= time.seconds { return true }
            counts.unchanged += 1
            return false
        case .accurate(let list):
            guard let entry = list.meet(item.savedName) else { return true }
            switch AccurateComparison.verdict(item.metadata, entry, letters: item.options.values.accurateLetters, since: nil) {
            case .save: return true
            case .compareDigest:
                if item.options.values.digest == nil { return true }
                item.previousDigest = entry.digest
                return true
            case .skip:
                counts.unchanged += 1
                return false
            }
        }
    }

    private func join(_ item: inout WalkedItem) {
        if var known = groups[item.metadata.identity] {
            item.group = known.group
            known.unseen -= min(known.unseen, 1)
            groups[item.metadata.identity] = known.unseen == 0 ? nil : known
        } else {
            let group = LinkGroup()
            item.group = group
            item.leadsGroup = true
            groups[item.metadata.identity] = KnownGroup(group: group, unseen: item.metadata.links - 1)
        }
    }
}
