// Turning the records of a backup back into files.
//
// One restorer takes the records of a job in the order of the volume, from a storage daemon's read session or straight from
// a volume, and writes the files beneath one directory. It needs no network and no configuration.
//
//     accept ──files of up to 512 KiB, in batches──▶ workers ──▶ FileWriter
//            ──each larger file──▶ a thread of its own ────────▶ FileWriter
//
// Order matters in two places only: a hard link needs its file, and a path that comes twice must end as the second one. Both
// wait until everything before them is done. Directories get their attributes at the very end. What is on its way is at
// most 32 MiB of records.

import Platform
import Synchronization
import Volumes

/// What to do about a file that exists already; the raw value is the letter of `replace=` (bacula-wire 3.11).
package enum ReplacePolicy: Character, Sendable, CaseIterable {
    case always = "a"
    /// Only when the saved file is newer than the one there.
    case ifNewer = "w"
    /// Only when the saved file is older than the one there.
    case ifOlder = "o"
    case never = "n"
}

/// Where and how a restore writes.
package struct RestoreOptions: Sendable {
    /// Directory the restored tree is put under, as bytes; created when missing. Empty or `/`: every file goes to its old place.
    package var root: [UInt8] = []
    package var replace = ReplacePolicy.always
    /// Put `root` before the targets of absolute symbolic links too (`Prefix Links`).
    package var prefixesLinks = false
    /// Path rewriting before `root` is put in front: `regexwhere`, strip and add prefix and suffix.
    package var relocation: PathRelocation?
    /// Threads that write and check; 1 restores in the calling thread alone.
    package var workers = 1
    package init() {}
}

/// What a restore did.
package struct RestoreSummary: Sendable, Hashable {
    /// Files, directories, links and nodes that are in place.
    package var files = 0
    /// Bytes of contents written.
    package var bytes: Int64 = 0
    /// Left alone because `replace` said so.
    package var skipped = 0
    /// Each has been reported as a message of kind error.
    package var errors = 0
    package var warnings = 0
    package init() {}
}

/// Restores files from records.
///
///     let restorer = try FileRestorer(options) { message in print(message.text) }
///     for record in records { restorer.accept(fileIndex: record.fileIndex, stream: record.stream, data: record.data.span) }
///     let summary = restorer.finish()
///
/// Nothing outside `options.root` is touched, whatever names and links the records or the target directory hold: every
/// component of a path is resolved beneath the root without following a symbolic link. A regular file appears under its
/// name only when it is whole; one whose digest doesn't match stays, with an error that names it.
///
/// `accept` and `finish` are for one thread at a time; they block on the disk. `progress` and `cancel` are for any thread.
package final class FileRestorer: Sendable {
    private let context: RestoreContext
    private let crew: RestoreCrew?
    private let gatherer: Mutex<Gatherer>

    /// - Parameter report: Gets every message: errors, warnings, skipped files. Called from any thread, one call at a time.
    /// - Throws: When the root can't be created or opened.
    package init(_ options: RestoreOptions, report: @escaping @Sendable (JobMessage) -> Void) throws(RestoreError) {
        let context = try RestoreContext(options, report: report)
        let crew = options.workers > 1 ? RestoreCrew(context, workers: options.workers) : nil
        self.context = context
        self.crew = crew
        gatherer = Mutex(Gatherer(context, crew))
    }

    /// Takes one record. Malformed ones are reported and skipped.
    ///
    /// - Parameters:
    ///   - session: Tells the records of interleaved backup sessions apart: `VolSessionTime << 32 | VolSessionId`, or 0.
    ///   - stream: As on the volume, flag bits included. Label records (negative FileIndex) are skipped.
    ///   - data: A whole record; the parts that a block boundary cut are already joined.
    package func accept(session: UInt64 = 0, fileIndex: Int32, stream: Int32, data: Span<UInt8>) {
        guard fileIndex > 0, stream > 0, !context.isCancelled else { return }
        let copy = data.array
        gatherer.withLock { $0.accept(session, fileIndex, stream, copy) }
    }

    /// Completes the last file, then sets what could only be set last: the times and modes of directories.
    package func finish() -> RestoreSummary {
        gatherer.withLock { $0.finish() }
        crew?.finish()
        FileWriter(context).finishDirectories()
        return context.summary
    }

    /// Makes `accept` drop everything from now on; unfinished files don't appear.
    package func cancel() {
        context.cancel()
        crew?.wake()
    }

    /// What is in place so far.
    package var progress: RestoreSummary { context.summary }
}

/// One file's records on their way to a writer.
///
/// Sendable: filled by the gatherer, then read by one writer; of a file that streams, `packets` only inside the crew's
/// monitor.
final class RestoreTask: @unchecked Sendable {
    let record: AttributeRecord
    var packets: [(stream: Int32, data: [UInt8])] = []
    var bytes = 0
    /// No more packets will come.
    var isComplete = false
    /// It was too large to wait for its end: a thread of its own writes it as it comes.
    var isStreaming = false

    init(_ record: AttributeRecord) { self.record = record }

    var digestAlgorithm: DigestAlgorithm? {
        packets.lazy.compactMap { DigestAlgorithm(stream: StreamNumber(masking: $0.stream)) }.first
    }
}

extension AttributeRecord {
    /// A hard link, or perhaps the second name of a symbolic link: what it is a name of must be in place first.
    fileprivate var refersToEarlier: Bool { type == .hardLink || type == .symbolicLink && status.links > 1 }
}

/// Sorts records into files, one open file per backup session.
private struct Gatherer {
    private let context: RestoreContext
    private let crew: RestoreCrew?
    /// Files of up to this many bytes are handed on whole.
    private static let wholeBytesMax = 512 << 10

    private final class Session {
        var task: RestoreTask?
        /// Writes in the calling thread where there is no crew.
        var writer: FileWriter?
        var fileIndex: Int32 = 0
    }
    private var sessions: [UInt64: Session] = [:]

    init(_ context: RestoreContext, _ crew: RestoreCrew?) {
        self.context = context
        self.crew = crew
    }

    mutating func accept(_ sessionID: UInt64, _ fileIndex: Int32, _ stream: Int32, _ data: [UInt8]) {
        let session: Session
        if let known = sessions[sessionID] {
            session = known
        } else {
            // Nobody interleaves a thousand sessions: damage, which is not to eat the memory.
            if sessions.count >= 1000 { finish() }
            session = Session()
            sessions[sessionID] = session
        }
        let number = StreamNumber(masking: stream)
        guard number == .attributes || number == .windowsAttributes else {
            guard fileIndex == session.fileIndex else { return }  // of a file whose attributes are damaged or not wanted
            if let crew {
                guard let task = session.task else { return }
                crew.add((stream, data), to: task, streamingAbove: Self.wholeBytesMax)
            } else {
                session.writer?.take(stream, data.span)
            }
            return
        }
        close(session)
        guard let record = AttributeRecord(decoding: data.span) else {
            session.fileIndex = 0
            context.report(.error, "The attribute record of file \(fileIndex) is damaged; the file is not restored.")
            return
        }
        session.fileIndex = fileIndex
        if let crew {
            let task = RestoreTask(record)
            session.task = task
            crew.prepare(for: task)
        } else {
            if session.writer == nil { session.writer = FileWriter(context) }
            session.writer?.begin(record, algorithm: nil)
        }
    }

    private func close(_ session: Session) {
        if let task = session.task { crew?.complete(task) }
        session.task = nil
        session.writer?.end()
    }

    mutating func finish() {
        for session in sessions.values { close(session) }
        sessions = [:]
    }
}

/// The threads of a restore.
private final class RestoreCrew: Sendable {
    private static let bytesMax = 32 << 20
    private static let batchTasks = 64
    private static let batchBytes = 1 << 20

    private struct State {
        var queue: [[RestoreTask]] = []
        var filling: [RestoreTask] = []
        var fillingBytes = 0
        /// Bytes of packets that no writer has taken yet.
        var bytes = 0
        /// Tasks handed over and not written yet, and their paths.
        var unfinished = 0
        var paths: Set<[UInt8]> = []
        var isFinished = false
        var threads = 0
    }
    private let state: Monitor<State>
    private let context: RestoreContext

    init(_ context: RestoreContext, workers: Int) {
        self.context = context
        let state = Monitor(State())
        self.state = state
        state.withLock { $0.threads = workers }
        for _ in 0..<workers { ElasticExecutor.shared.detach { Self.work(state, context) } }
    }

    /// Called before a task's packets come: waits where order matters.
    func prepare(for task: RestoreTask) {
        let path = task.record.name
        let mustWait = state.read { state in
            task.record.refersToEarlier ? state.unfinished > 0 || !state.filling.isEmpty : state.paths.contains(path)
        }
        if mustWait { drain() }
        state.withLock { _ = $0.paths.insert(path) }
    }

    /// Adds a packet; waits while too many are on their way.
    func add(_ packet: (stream: Int32, data: [UInt8]), to task: RestoreTask, streamingAbove limit: Int) {
        let size = packet.data.count
        let mustFlush = state.read { $0.bytes + size > Self.bytesMax }
        // Nobody but us can hand the batch over that we wait for.
        if mustFlush { flush() }
        let context = self.context
        let startsStreaming = state.wait { state -> Bool? in
            if context.isCancelled { return false }
            // Only a file that is being emptied may have to wait; one that is gathered is small, or begins to stream.
            guard state.bytes + size <= Self.bytesMax || !task.isStreaming else { return nil }
            task.packets.append(packet)
            task.bytes += size
            state.bytes += size
            if !task.isStreaming, task.bytes > limit {
                task.isStreaming = true
                state.unfinished += 1
                state.threads += 1
                return true
            }
            return false
        }
        if startsStreaming ?? false {
            let state = self.state
            ElasticExecutor.shared.detach { Self.stream(task, state, context) }
        }
    }

    func complete(_ task: RestoreTask) {
        let isFull = state.withLock { state -> Bool in
            task.isComplete = true
            guard !task.isStreaming else { return false }
            state.filling.append(task)
            state.fillingBytes += task.bytes
            return state.filling.count >= Self.batchTasks || state.fillingBytes >= Self.batchBytes
        }
        if isFull { flush() }
    }

    private func flush() {
        state.withLock { state in
            guard !state.filling.isEmpty else { return }
            state.unfinished += state.filling.count
            state.queue.append(state.filling)
            state.filling = []
            state.fillingBytes = 0
        }
    }

    /// Waits until everything handed over is on disk.
    private func drain() {
        flush()
        let context = self.context
        _ = state.wait { $0.unfinished == 0 || context.isCancelled ? () : nil }
    }

    func finish() {
        flush()
        state.withLock { $0.isFinished = true }
        _ = state.wait { $0.threads == 0 ? () : nil }
    }

    func wake() { state.withLock { _ in } }

    // MARK: - Threads

    private static func work(_ state: Monitor<State>, _ context: RestoreContext) {
        let writer = FileWriter(context)
        while true {
            let batch: [RestoreTask]?? = state.wait { state -> [RestoreTask]?? in
                if !state.queue.isEmpty { return .some(state.queue.removeFirst()) }
                return state.isFinished || context.isCancelled ? .some(nil) : nil
            }
            guard let batch = batch ?? nil else { break }
            for task in batch where !context.isCancelled {
                writer.begin(task.record, algorithm: task.digestAlgorithm)
                for packet in task.packets { writer.take(packet.stream, packet.data.span) }
                writer.end()
            }
            state.withLock { state in
                for task in batch {
                    state.bytes -= task.bytes
                    state.paths.remove(task.record.name)
                }
                state.unfinished -= batch.count
            }
        }
        state.withLock { $0.threads -= 1 }
    }

    private static func stream(_ task: RestoreTask, _ state: Monitor<State>, _ context: RestoreContext) {
        let writer = FileWriter(context)
        writer.begin(task.record, algorithm: nil)
        var isComplete = false
        while !isComplete {
            let packets: [(stream: Int32, data: [UInt8])]? = state.wait { state in
                isComplete = task.isComplete || context.isCancelled || state.isFinished
                guard !task.packets.isEmpty || isComplete else { return nil }
                let packets = task.packets
                task.packets = []
                state.bytes -= packets.reduce(0) { $0 + $1.data.count }
                return packets
            }
            for packet in packets ?? [] { writer.take(packet.stream, packet.data.span) }
        }
        writer.end()
        state.withLock { state in
            state.unfinished -= 1
            state.paths.remove(task.record.name)
            state.threads -= 1
        }
    }
}
