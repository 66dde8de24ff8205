// Restoring one file after the other: contents, digest, attributes, and its name at the very end.
//
// A file, link or node is made under a name of the restore's own, `.appliance-restore-…`, in the directory it belongs to,
// gets its contents and attributes there, and is then renamed. So under its final name there is the old file or the whole
// new one, whenever the restore is killed.

import Platform
import Synchronization
import Volumes

/// What all writers of a restore share.
final class RestoreContext: Sendable {
    let options: RestoreOptions
    let target: RestoreTarget
    let isRoot = Accounts.isRoot
    private let reportMessage: @Sendable (JobMessage) -> Void
    private struct State {
        var summary = RestoreSummary()
        var directories: [DirectoryRecord] = []
        var unknownStreams: Set<Int32> = []
        /// The digest algorithm seen last: that of the next file too, nearly always.
        var algorithm: DigestAlgorithm?
        var temporaryNumber: UInt64 = 0
        /// Symbolic links with several names, and where the first of them was restored.
        var linkedLinks: [LinkIdentity: [[UInt8]]] = [:]
    }
    /// Device and inode it had, and its target: an inode is used again by later files.
    struct LinkIdentity: Hashable {
        var device: Int64
        var inode: Int64
        var target: [UInt8]
    }
    private let state = Mutex(State())
    private let isCancelledFlag = Atomic(false)
    private let temporaryPrefix: String
    private let messages = Mutex(())

    /// A directory whose attributes are set at the end, when nothing more changes in it.
    struct DirectoryRecord: Sendable {
        var components: [[UInt8]]
        var status: FileStatus
        var nanoseconds: AttributeRecord.Nanoseconds?
        var accessACL: [UInt8]
        var defaultACL: [UInt8]
        var attributes: [XattrRecord]
        var name: [UInt8]
    }

    init(_ options: RestoreOptions, report: @escaping @Sendable (JobMessage) -> Void) throws(RestoreError) {
        self.options = options
        reportMessage = report
        target = try RestoreTarget(options.root)
        temporaryPrefix = ".appliance-restore-" + Digest.hexadecimal(Randomness.bytes(4)) + "-"
    }

    var isCancelled: Bool { isCancelledFlag.load(ordering: .relaxed) }
    func cancel() { isCancelledFlag.store(true, ordering: .relaxed) }
    var summary: RestoreSummary { state.withLock { $0.summary } }
    func count(_ change: @Sendable (inout RestoreSummary) -> Void) { state.withLock { change(&$0.summary) } }

    func report(_ kind: JobMessage.Kind, _ text: String) {
        state.withLock { state in
            switch kind {
            case .error, .fatal, .notSaved: state.summary.errors += 1
            case .warning: state.summary.warnings += 1
            default: break
            }
        }
        messages.withLock { _ in reportMessage(JobMessage(kind, text)) }
    }

    func reportUnknown(_ stream: Int32) {
        guard state.withLock({ $0.unknownStreams.count < 100 && $0.unknownStreams.insert(stream).inserted }) else { return }
        report(.warning, "Stream \(stream) is unknown here; its data are skipped.")
    }

    var expectedAlgorithm: DigestAlgorithm? {
        get { state.withLock { $0.algorithm } }
        set { state.withLock { $0.algorithm = newValue } }
    }

    func temporaryName() -> [UInt8] {
        let number = state.withLock { state in
            state.temporaryNumber += 1
            return state.temporaryNumber
        }
        return Array((temporaryPrefix + String(number)).utf8)
    }

    /// The first place of a symbolic link that had several names; its own when it is the first.
    func firstPlace(of record: AttributeRecord, at components: [[UInt8]]) -> [[UInt8]] {
        let identity = LinkIdentity(device: record.status.device, inode: record.status.inode, target: record.link)
        return state.withLock { state in
            if let first = state.linkedLinks[identity] { return first }
            // 100,000 such links and more are restored as links of their own.
            if state.linkedLinks.count < 100_000 { state.linkedLinks[identity] = components }
            return components
        }
    }

    func add(_ record: DirectoryRecord) { state.withLock { $0.directories.append(record) } }
    func takeDirectories() -> [DirectoryRecord] {
        state.withLock { state in
            defer { state.directories = [] }
            return state.directories
        }
    }

    /// The place of a saved path: `relocation`, then the root in front. nil, and a message, when it is refused.
    func place(of name: [UInt8]) -> [[UInt8]]? {
        var path = options.relocation?.apply(to: name) ?? name
        // C:/ of a Windows client becomes /C/.
        if path.count > 1, path[1] == UInt8(ascii: ":"), path[0] != UInt8(ascii: "/") { path.remove(at: 1) }
        guard let components = RestoreTarget.components(path) else {
            report(.error, "\(printable(name)) is not restored: its path leads upwards by \"..\".")
            return nil
        }
        return components
    }
}

/// Restores files one at a time: `begin`, any number of `take`, `end`. For one thread.
final class FileWriter {
    private let context: RestoreContext
    private lazy var decoder = DataDecoder()

    /// The file in work.
    private struct Work {
        var record: AttributeRecord
        var place: RestoreTarget.Place
        var name: [UInt8]
        var components: [[UInt8]]
        /// Under which it is written; nil for directories.
        var temporary: [UInt8]?
        var file: OpenedFile?
        var end: Int64 = 0
        var wasSparse = false
        /// Where the digest has got to; holes are hashed as zeros.
        var hashed: Int64 = 0
        var digest: (DigestAlgorithm, [UInt8])?
        var accessACL: [UInt8] = []
        var defaultACL: [UInt8] = []
        var attributes: [XattrRecord] = []
        var hasFailed = false
        /// A hard link to something restored before, which has its attributes already.
        var isSecondName = false
    }
    /// A box, because a descriptor has one owner and `Work` is copied.
    private final class OpenedFile {
        let descriptor: FileDescriptor
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }
    private var work: Work?
    private var running: Digest?

    init(_ context: RestoreContext) { self.context = context }

    // MARK: - Beginning

    /// - Parameter algorithm: The digest that will come, if it is known already.
    func begin(_ record: AttributeRecord, algorithm: DigestAlgorithm?) {
        work = nil
        switch record.type {
        case .deleted: return
        case .unchanged:
            context.report(.skipped, "\(printable(record.name)) is part of a base job; it is not restored from here.")
            return
        default: break
        }
        guard let components = context.place(of: record.name) else { return }
        if components.isEmpty {
            // The root itself: `/` restored to a directory.
            if record.type.isDirectory { beginDirectory(record, components) }
            return
        }
        if record.type.isDirectory { return beginDirectory(record, components) }
        let place: RestoreTarget.Place
        do throws(RestoreTarget.Refusal) {
            place = try context.target.place(components.dropLast())
        } catch {
            context.report(.error, "\(printable(record.name)) is not restored: \(error.text).")
            return
        }
        let name = components[components.count - 1]
        guard makeWay(for: record, name, place.directory) else { return }
        var next = Work(record: record, place: place, name: name, components: components, temporary: context.temporaryName())
        do throws(Errno) {
            try make(&next)
        } catch {
            context.report(.error, "\(printable(record.name)) can't be created: ERR=\(error.text)")
            return
        }
        if next.file != nil {
            let status = record.status
            // Blocks that were missing when it was saved stay missing, whether or not the job looked for holes.
            next.wasSparse = status.blocks * 512 < status.size
            let expected = algorithm ?? context.expectedAlgorithm
            if let expected {
                if running?.algorithm == expected { _ = running?.finish() } else { running = Digest(expected) }
            } else {
                running = nil
            }
        }
        work = next
    }

    private func beginDirectory(_ record: AttributeRecord, _ components: [[UInt8]]) {
        do throws(RestoreTarget.Refusal) {
            if let name = components.last, context.options.replace == .always {
                let parent = try context.target.place(components.dropLast())
                // Something else of that name gives way, a link to a directory too: what it leads to is not ours.
                if let there = try? parent.directory.metadata(of: name), there.kind != .directory {
                    try? parent.directory.remove(name)
                }
            }
            let place = try context.target.place(components[...])
            let isNew = context.target.takeOverRecord(of: components[...])
            if !isNew, !mayReplace(record, try? place.directory.metadata()) { return }
            work = Work(record: record, place: place, name: components.last ?? [], components: components, temporary: nil)
        } catch {
            context.report(.error, "\(printable(record.name)) is not restored: \(error.text).")
        }
    }

    /// Whether the policy lets this file replace what is there.
    private func mayReplace(_ record: AttributeRecord, _ there: FileMetadata?) -> Bool {
        guard let there else { return true }
        let name = printable(record.name)
        let saved = record.modifyTime
        switch context.options.replace {
        case .always: return true
        case .ifNewer where saved > there.modifyTime: return true
        case .ifOlder where saved < there.modifyTime: return true
        case .ifNewer: context.report(.skipped, "File skipped. Not newer: \(name)")
        case .ifOlder: context.report(.skipped, "File skipped. Not older: \(name)")
        case .never: context.report(.skipped, "File skipped. Already exists: \(name)")
        }
        context.count { $0.skipped += 1 }
        return false
    }

    private func makeWay(for record: AttributeRecord, _ name: [UInt8], _ directory: OpenDirectory) -> Bool {
        let there = try? directory.metadata(of: name)
        guard mayReplace(record, there) else { return false }
        guard there?.kind == .directory else { return true }
        do throws(Errno) {
            try directory.removeDirectory(name)
            // Descriptors of the old directory may be cached.
            context.target.forget()
            return true
        } catch {
            context.report(
                .error, "\(printable(record.name)) is not restored: a directory of that name is in the way: \(error.text)")
            return false
        }
    }

    private func make(_ work: inout Work) throws(Errno) {
        guard let temporary = work.temporary else { return }
        let directory = work.place.directory
        let record = work.record
        let mode = UInt32(truncatingIfNeeded: record.status.mode)
        switch record.type {
        case .symbolicLink:
            var target = record.link
            if context.options.prefixesLinks, target.first == UInt8(ascii: "/") { target = rooted(target) }
            guard !target.isEmpty else { throw .noEntry }
            if record.status.links > 1 {
                let first = context.firstPlace(of: record, at: work.components)
                if first != work.components, let name = first.last, let place = try? context.target.place(first.dropLast()),
                    (try? directory.makeHardLink(temporary, to: name, in: place.directory)) != nil
                {
                    work.isSecondName = true
                    return
                }
            }
            try directory.makeLink(temporary, target: target)
        case .hardLink:
            work.isSecondName = true
            try makeHardLink(&work)
        case .special where FileMetadata.kind(ofMode: mode) != .regular:
            try directory.makeNode(
                temporary, mode: mode & 0o170000 | 0o600, device: UInt64(bitPattern: record.status.specialDevice))
        default:
            // Contents of FIFOs and raw devices become files, too: nobody would read them here.
            work.file = OpenedFile(try directory.newFile(temporary))
        }
    }

    private func makeHardLink(_ work: inout Work) throws(Errno) {
        guard let temporary = work.temporary else { return }
        guard let target = context.place(of: work.record.link), let targetName = target.last else {
            work.hasFailed = true
            return
        }
        do throws(RestoreTarget.Refusal) {
            let place = try context.target.place(target.dropLast())
            do throws(Errno) {
                try work.place.directory.makeHardLink(temporary, to: targetName, in: place.directory)
            } catch {
                work.hasFailed = true
                context.report(
                    .error,
                    "\(printable(work.record.name)) can't be linked to \(printable(work.record.link)), which holds its contents: ERR=\(error.text)"
                )
            }
        } catch {
            work.hasFailed = true
            context.report(.error, "\(printable(work.record.name)) is not restored: \(error.text).")
        }
    }

    /// A link's absolute target with the restore's root in front (`Prefix Links`).
    private func rooted(_ target: [UInt8]) -> [UInt8] {
        let root = context.options.root
        if root.isEmpty || root == [UInt8(ascii: "/")] { return target }
        return (root.last == UInt8(ascii: "/") ? root.dropLast() : root[...]) + target
    }

    // MARK: - Contents

    func take(_ rawStream: Int32, _ data: Span<UInt8>) {
        let stream = StreamNumber(masking: rawStream)
        let isKnown = DataDecoder.decodes(stream) || stream.isDigest || [.aclAccess, .aclDefault, .xattr].contains(stream)
        guard isKnown else { return context.reportUnknown(stream.rawValue) }
        guard var work = self.work, !work.hasFailed else { return }
        self.work = nil
        switch stream {
        case .aclAccess: work.accessACL = data.array
        case .aclDefault: work.defaultACL = data.array
        case .xattr:
            if let records = XattrRecord.decode(data) {
                work.attributes += records
            } else {
                context.report(
                    .warning,
                    "The extended attributes of \(printable(work.record.name)) are damaged in the backup; they are not restored.")
            }
        case let stream where stream.isDigest:
            if let algorithm = DigestAlgorithm(stream: stream), data.count == algorithm.byteCount {
                work.digest = (algorithm, data.array)
            }
        default: write(stream, data, &work)
        }
        self.work = work
    }

    private func write(_ stream: StreamNumber, _ data: Span<UInt8>, _ work: inout Work) {
        guard let file = work.file else { return }
        var failure: Errno?
        do throws(DataDecoder.Failure) {
            try decoder.decode(stream, data) { offset, bytes in
                let at = offset ?? work.end
                if running != nil {
                    // Holes come in order; a packet that goes back can't be hashed, and no writer makes one.
                    hashZeros(from: &work.hashed, to: at)
                    running?.update(bytes)
                    work.hashed = at + Int64(bytes.count)
                }
                do throws(Errno) { try put(bytes, at: at, file, work) } catch { failure = error }
                work.end = max(work.end, at + Int64(bytes.count))
            }
        } catch {
            fail(&work, "\(printable(work.record.name)) can't be restored: \(error.text)")
            return
        }
        if let failure {
            fail(&work, "\(printable(work.record.name)) can't be written: ERR=\(failure.text)")
        }
    }

    private func put(_ bytes: Span<UInt8>, at offset: Int64, _ file: OpenedFile, _ work: Work) throws(Errno) {
        guard work.wasSparse else { return try file.descriptor.write(bytes, at: offset) }
        // By blocks of 4 KiB of the file, so that what was a hole becomes one again.
        var start = 0
        while start < bytes.count {
            let blockEnd = min(bytes.count, Int((offset + Int64(start)) / 4096 + 1) * 4096 - Int(offset))
            guard holdsOnlyZeros(bytes.extracting(start..<blockEnd)) else {
                var end = blockEnd
                while end < bytes.count {
                    let next = min(bytes.count, end + 4096)
                    if holdsOnlyZeros(bytes.extracting(end..<next)) { break }
                    end = next
                }
                try file.descriptor.write(bytes.extracting(start..<end), at: offset + Int64(start))
                start = end
                continue
            }
            start = blockEnd
        }
    }

    private static let zeros = [UInt8](repeating: 0, count: 64 << 10)

    private func hashZeros(from position: inout Int64, to end: Int64) {
        // The end comes from the backup: believe it only as far as the recorded size goes.
        while position < end, !context.isCancelled {
            let step = Int(min(Int64(Self.zeros.count), end - position))
            running?.update(Self.zeros.span.extracting(0..<step))
            position += Int64(step)
        }
    }

    private func fail(_ work: inout Work, _ text: String) {
        context.report(.error, text)
        work.hasFailed = true
    }

    // MARK: - Completing

    /// Completes the file, if there is one in work.
    func end() {
        guard var work = self.work else { return }
        self.work = nil
        guard !work.hasFailed, !context.isCancelled else { return discard(work) }
        if work.record.type.isDirectory {
            context.add(
                RestoreContext.DirectoryRecord(
                    components: work.components, status: work.record.status, nanoseconds: work.record.nanoseconds,
                    accessACL: work.accessACL,
                    defaultACL: work.defaultACL, attributes: work.attributes, name: work.record.name))
            context.count { $0.files += 1 }
            return
        }
        if let file = work.file {
            do throws(Errno) {
                // A hole at the end isn't written; nor is a file that was saved shorter than its record says.
                if work.wasSparse || work.end == 0 { try file.descriptor.truncate(to: work.end) }
            } catch {
                fail(&work, "\(printable(work.record.name)) can't be written: ERR=\(error.text)")
                return discard(work)
            }
            checkContents(work, file)
        }
        if !work.isSecondName { applyAttributes(work) }
        publish(work)
    }

    /// Drops the file in work.
    func abandon() {
        if let work { discard(work) }
        work = nil
    }

    private func discard(_ work: Work) {
        if let temporary = work.temporary { try? work.place.directory.remove(temporary) }
    }

    private func checkContents(_ work: Work, _ file: OpenedFile) {
        let name = printable(work.record.name)
        if work.record.type == .file, work.end != work.record.status.size {
            context.report(.warning, "\(name) has \(work.end) bytes in the backup, its record says \(work.record.status.size).")
        }
        guard let (algorithm, saved) = work.digest else { return }
        context.expectedAlgorithm = algorithm
        var digest: [UInt8]?
        if running?.algorithm == algorithm {
            digest = running?.finish()
        } else {
            digest = try? readBack(algorithm, work)
        }
        if digest != saved {
            context.report(
                .error, "\(name) does not match its \(algorithm.verifyName) digest: the backup is damaged, or the disk is.")
        }
    }

    /// The digest of what was written, where nobody could know in time which one would be wanted.
    private func readBack(_ algorithm: DigestAlgorithm, _ work: Work) throws(Errno) -> [UInt8] {
        guard let temporary = work.temporary else { throw .noEntry }
        let file = try work.place.directory.fileForReading(temporary)
        var digest = Digest(algorithm)
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            var span = buffer.mutableSpan
            let count = try file.read(into: &span)
            if count == 0 { return digest.finish() }
            digest.update(buffer.span.extracting(0..<count))
        }
    }

    private func applyAttributes(_ work: Work) {
        guard let temporary = work.temporary else { return }
        let record = work.record
        let name = printable(record.name)
        let directory = work.place.directory
        let user = UInt32(truncatingIfNeeded: record.status.user), group = UInt32(truncatingIfNeeded: record.status.group)
        let mode = UInt32(truncatingIfNeeded: record.status.mode) & 0o7777
        let isLink = record.type == .symbolicLink
        do throws(Errno) {
            if let file = work.file {
                // Owner before mode: changing the owner takes set-user-id bits and capabilities away.
                try owned { () throws(Errno) in try file.descriptor.setOwner(user: user, group: group) }
                try file.descriptor.setMode(mode)
            } else {
                try owned { () throws(Errno) in try directory.setOwner(temporary, user: user, group: group) }
                if !isLink { try directory.handle(of: temporary).setHandleMode(mode) }
            }
        } catch {
            context.report(.error, "Owner and mode of \(name) can't be set: ERR=\(error.text)")
        }
        if !work.attributes.isEmpty || !work.accessACL.isEmpty || work.place.hasDefaultACL {
            let attributes = ExtendedAttributes(of: temporary, in: directory)
            apply(work.attributes, attributes, name)
            if !work.accessACL.isEmpty {
                apply(work.accessACL, PosixACL.accessAttribute, attributes, name)
            } else if work.place.hasDefaultACL, !isLink {
                // Inherited from the directory it was made in; the saved file had none.
                try? attributes.remove(PosixACL.accessAttribute)
                if let file = work.file { try? file.descriptor.setMode(mode) }
            }
        }
        do throws(Errno) {
            let access = record.accessTime, modify = record.modifyTime
            if let file = work.file {
                try file.descriptor.setTimes(access: access, modify: modify)
            } else {
                try directory.setTimes(temporary, access: access, modify: modify)
            }
        } catch {
            context.report(.error, "The times of \(name) can't be set: ERR=\(error.text)")
        }
    }

    /// Only root may give files away: without it they belong to whom restores, which nobody expects otherwise.
    private func owned(_ change: () throws(Errno) -> Void) throws(Errno) {
        do throws(Errno) { try change() } catch { if context.isRoot || error != .notPermitted { throw error } }
    }

    private func apply(_ records: [XattrRecord], _ attributes: ExtendedAttributes, _ name: String) {
        for record in records {
            do throws(Errno) { try attributes.set(record.name, to: record.value) } catch {
                context.report(
                    .warning, "The extended attribute \(printable(record.name)) of \(name) can't be set: ERR=\(error.text)")
            }
        }
    }

    private func apply(_ text: [UInt8], _ attribute: [UInt8], _ attributes: ExtendedAttributes, _ name: String) {
        guard let list = PosixACL(text: String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)) else {
            context.report(
                .warning, "The access list of \(name) can't be read, or names an account that is not here; it is not restored.")
            return
        }
        do throws(Errno) { try attributes.set(attribute, to: list.attribute) } catch {
            context.report(.warning, "The access list of \(name) can't be set: ERR=\(error.text)")
        }
    }

    /// Gives the finished file its name.
    private func publish(_ work: Work) {
        guard let temporary = work.temporary else { return }
        let directory = work.place.directory
        do throws(Errno) {
            try directory.rename(temporary, to: work.name)
            // Renaming one name of a file onto another of the same file does nothing, says the standard.
            if work.isSecondName { try? directory.remove(temporary) }
            let bytes = work.file == nil ? 0 : work.end
            context.count { summary in
                summary.files += 1
                summary.bytes += bytes
            }
        } catch {
            context.report(.error, "\(printable(work.record.name)) can't be given its name: ERR=\(error.text)")
            discard(work)
        }
    }

    /// Sets what could only be set when nothing more changes in the directories: the innermost first, so that a mode that
    /// forbids entering comes after everything below.
    func finishDirectories() {
        context.target.finishUnrecorded()
        let records = context.takeDirectories().sorted { $0.components.count > $1.components.count }
        for record in records {
            let name = printable(record.name)
            do throws(RestoreTarget.Refusal) {
                let directory = try context.target.place(record.components[...]).directory
                let user = UInt32(truncatingIfNeeded: record.status.user), group = UInt32(truncatingIfNeeded: record.status.group)
                do throws(Errno) {
                    try owned { () throws(Errno) in try directory.setOwner(user: user, group: group) }
                    let attributes = ExtendedAttributes(of: directory)
                    apply(record.attributes, attributes, name)
                    if !record.accessACL.isEmpty { apply(record.accessACL, PosixACL.accessAttribute, attributes, name) }
                    if !record.defaultACL.isEmpty { apply(record.defaultACL, PosixACL.defaultAttribute, attributes, name) }
                    try directory.setMode(UInt32(truncatingIfNeeded: record.status.mode) & 0o7777)
                    let (access, modify) = AttributeRecord.times(record.status, record.nanoseconds)
                    try directory.setTimes(access: access, modify: modify)
                } catch {
                    context.report(.error, "The attributes of directory \(name) can't be set: ERR=\(error.text)")
                }
            } catch {
                context.report(.error, "The attributes of directory \(name) can't be set: \(error.text).")
            }
        }
    }
}

extension AttributeRecord {
    /// Access and modification times, with nanoseconds where the writer knew them. Times beyond the year 2262 are cut off.
    static func times(_ status: FileStatus, _ nanoseconds: Nanoseconds?) -> (access: WallTime, modify: WallTime) {
        func time(_ seconds: Int64, _ part: Int64?) -> WallTime {
            let bounded = min(max(seconds, -9_223_372_036), 9_223_372_035)
            return WallTime(nanoseconds: bounded * 1_000_000_000 + (part ?? 0))
        }
        return (time(status.accessTime, nanoseconds?.access), time(status.modifyTime, nanoseconds?.modify))
    }
    var accessTime: WallTime { Self.times(status, nanoseconds).access }
    var modifyTime: WallTime { Self.times(status, nanoseconds).modify }
}
