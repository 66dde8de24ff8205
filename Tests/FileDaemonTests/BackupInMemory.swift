// Backups and restores without daemons: what the sender sends is kept in memory as records, and goes to a restorer.

@testable import FileDaemon
import Platform
import Synchronization
import TestSupport
import Volumes
import Wire

/// One record, as a storage daemon would store it.
struct SavedRecord: Sendable, Equatable {
    var fileIndex: Int32
    var stream: Int32
    var data: [UInt8]
}

/// Takes streams apart into records and checks their framing (bacula-wire 5.2).
final class RecordSink: StreamSink {
    private(set) var records: [SavedRecord] = []
    private(set) var faults: [String] = []
    private var header: (fileIndex: Int32, stream: Int32)?
    private var lastIndex: Int32 = 0
    var bytes = 0
    let keeps: Bool

    init(keeps: Bool = true) { self.keeps = keeps }

    func send(_ payload: Span<UInt8>) throws(WireError) {
        bytes += payload.count
        if let header {
            if payload.count == 0 { faults.append("an empty packet") }
            guard keeps else { return }
            let data = unsafe payload.withUnsafeBufferPointer { unsafe Array($0) }
            records.append(SavedRecord(fileIndex: header.fileIndex, stream: header.stream, data: data))
            return
        }
        var text = ""
        for index in 0..<payload.count { text.unicodeScalars.append(Unicode.Scalar(payload[index])) }
        let fields = text.split(separator: " ").compactMap { Int32(truncatingIfNeeded: Int64($0) ?? -1) }
        guard fields.count == 3 else { return faults.append("a header that can't be read: \(text)") }
        if fields[0] != lastIndex, fields[0] != lastIndex + 1 { faults.append("FileIndex \(fields[0]) after \(lastIndex)") }
        lastIndex = fields[0]
        header = (fields[0], fields[1])
    }

    func send(_ signal: Signal) throws(WireError) {
        if signal != .endOfData || header == nil { faults.append("an unexpected signal") }
        header = nil
    }

    /// The attribute records, decoded.
    var files: [AttributeRecord] {
        records.filter { $0.stream == 1 }.compactMap { AttributeRecord(decoding: $0.data.span) }
    }
    func file(_ suffix: String) -> AttributeRecord? { files.first { String(decoding: $0.name, as: UTF8.self).hasSuffix(suffix) } }
    func streams(of fileIndex: Int32) -> [Int32] {
        var result: [Int32] = []
        for record in records where record.fileIndex == fileIndex && result.last != record.stream { result.append(record.stream) }
        return result
    }
}

/// Messages of a job, from any thread.
final class MessageLog: Sendable {
    private let messages = Mutex<[JobMessage]>([])
    func add(_ message: JobMessage) { messages.withLock { $0.append(message) } }
    var all: [JobMessage] { messages.withLock { $0 } }
    func texts(_ kind: JobMessage.Kind) -> [String] { all.filter { $0.kind == kind }.map(\.text) }
    var troubles: [String] { all.filter { [.error, .fatal, .notSaved, .warning].contains($0.kind) }.map(\.text) }
}

/// A FileSet of one Include with one Options block.
func fileSet(_ paths: [String], _ letters: String = "M", excludes: [String] = []) -> FileSet {
    var parser = FileSetParser()
    for line in ["I\n", "O \(letters)\n", "N\n"] { parser.take(Array(line.utf8)) }
    for path in paths { parser.take(Array("F \(path)".utf8)) }
    parser.take(Array("N\n".utf8))
    if !excludes.isEmpty { parser.take(Array("E\n".utf8)) }
    for path in excludes { parser.take(Array("F \(path)".utf8)) }
    return parser.finish()
}

/// Backs up to memory on the elastic executor.
func backUp(
    _ fileSet: FileSet, _ selection: Selection = .everything, log: MessageLog = MessageLog(), sink: RecordSink = RecordSink()
) async throws -> RecordSink {
    let progress = JobProgress()
    nonisolated(unsafe) let unsharedSink = sink  // used by the one task below, and read after it has ended
    await withTaskExecutorPreference(ElasticExecutor.shared) {
        try? await BackupJob.stream(
            BackupOrder(fileSet: fileSet, selection: selection), ReadPipeline(), progress, BandwidthLimit(), to: unsafe unsharedSink
        ) { message in
            progress.count(message)
            log.add(message)
        }
    }
    return sink
}

/// Restores records below `root`; blocks, so it runs on a thread of the elastic executor.
func restore(
    _ records: [SavedRecord], to root: String, workers: Int = 2, log: MessageLog = MessageLog(),
    change: @Sendable (inout RestoreOptions) -> Void = { _ in }
) async throws -> RestoreSummary {
    var options = RestoreOptions()
    options.root = Array(root.utf8)
    options.workers = workers
    change(&options)
    let chosen = options
    return try await withTaskExecutorPreference(ElasticExecutor.shared) {
        try await Task(executorPreference: ElasticExecutor.shared) {
            let restorer = try FileRestorer(chosen) { log.add($0) }
            for record in records { restorer.accept(fileIndex: record.fileIndex, stream: record.stream, data: record.data.span) }
            return restorer.finish()
        }.value
    }
}

/// Runs a shell script that builds a fixture; a failure is reported with what it said.
func shell(_ script: String, in directory: String) throws {
    var options = ChildProcess.Options()
    options.directory = directory
    options.mergesErrors = true
    options.timeLimit = .seconds(60)
    let result = try ChildProcess.run(["sh", "-euc", script], options)
    if !result.succeeded { throw FixtureError(text: String(decoding: result.output, as: UTF8.self)) }
}

struct FixtureError: Error { var text: String }

/// Writes a small file.
func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }
func write(_ bytes: [UInt8], to path: String) throws {
    let slash = path.lastIndex(of: "/")!
    let directory = try OpenDirectory.open(Array(path[..<slash].utf8))
    let name = Array(path[path.index(after: slash)...].utf8)
    try? directory.remove(name)
    try directory.newFile(name, mode: 0o644).write(bytes.span)
}

func read(_ path: String) throws -> [UInt8] {
    let slash = path.lastIndex(of: "/")!
    let file = try OpenDirectory.open(Array(path[..<slash].utf8)).fileForReading(Array(path[path.index(after: slash)...].utf8))
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        var span = chunk.mutableSpan
        let count = try file.read(into: &span)
        if count == 0 { return bytes }
        bytes += chunk[..<count]
    }
}
