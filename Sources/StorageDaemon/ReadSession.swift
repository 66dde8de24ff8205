// A restore (or verify) job: what its bootstrap wants, off the volumes and to the file daemon (bacula-wire 5.9, 6.8).
//
// | task       | does                                                                       |
// |------------|-----------------------------------------------------------------------------|
// | reader     | opens the volumes in turn, checks blocks, selects records, fills batches     |
// | this one   | sends the batches to the client                                             |
//
// A damaged block is reported with its volume and address and passed over: the job ends with errors, the rest is restored.

import Collections
import Modules
import Platform
import Volumes
import Wire

/// Records on their way to the client, bounded in bytes.
final class RecordQueue: Sendable {
    /// Some records, their bytes one behind the other.
    struct Batch: Sendable {
        struct Entry: Sendable {
            var session: SessionIdentity
            var fileIndex: Int32
            var stream: Int32
            var count: Int
        }
        var entries: [Entry] = []
        var bytes: [UInt8] = []

        mutating func clear() {
            entries.removeAll(keepingCapacity: true)
            bytes.removeAll(keepingCapacity: true)
        }
    }
    private struct State: Sendable {
        var batches: Deque<Batch> = []
        var bytes = 0
        var spare: [Batch] = []
        var isClosed = false
        var failure: StorageError?
    }
    private let state = Monitor(State())
    /// A batch is handed over at 512 KiB, so this holds some 16 of them.
    private let bytesMax = 8 << 20
    static let batchBytes = 512 << 10

    /// Takes `batch` and gives an empty one back.
    func push(_ batch: inout Batch) throws(StorageError) {
        guard !batch.entries.isEmpty else { return }
        let full = batch
        batch = Batch()
        batch = try state.wait { state throws(StorageError) -> Batch? in
            if let failure = state.failure { throw failure }
            guard state.bytes < self.bytesMax else { return nil }
            state.batches.append(full)
            state.bytes += full.bytes.count
            return state.spare.popLast() ?? Batch()
        }!
    }

    /// The next batch, or nil after the last. Throws what made the reader give up, once everything before has been taken.
    func pop() throws(StorageError) -> Batch? {
        let next: Batch?? = try state.wait { state throws(StorageError) -> Batch?? in
            if let batch = state.batches.popFirst() {
                state.bytes -= batch.bytes.count
                return batch
            }
            if let failure = state.failure { throw failure }
            return state.isClosed ? .some(nil) : nil
        }
        return next ?? nil
    }

    func recycle(_ batch: consuming Batch) {
        var batch = batch
        batch.clear()
        let empty = batch
        state.withLock { if $0.spare.count < 4 { $0.spare.append(empty) } }
    }

    func close() { state.withLock { $0.isClosed = true } }
    func fail(_ error: StorageError) { state.withLock { if $0.failure == nil { $0.failure = error } } }
    /// The sender has given up: whatever waits here is thrown away.
    func abandon(_ error: StorageError) {
        state.withLock { state in
            if state.failure == nil { state.failure = error }
            state.batches = []
            state.bytes = 0
        }
    }
}

/// One read session.
struct ReadSession: Sendable {
    let server: StorageServer
    let job: StorageJob
    let catalog: CatalogConversation
    let driveIndex: Int
    let bootstrap: String
    let client: MessageChannel

    func run() async {
        let queue = RecordQueue()
        do throws(StorageError) {
            try open()
            job.state.withLock { $0.dataStart = .now }
        } catch {
            fail(error)
            return
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                do throws(StorageError) {
                    let selection: Bootstrap
                    do throws(BootstrapError) { selection = try Bootstrap(parsing: bootstrap) } catch {
                        throw StorageError(.badCommand, "The job's bootstrap can't be read: \(error.what)")
                    }
                    try VolumeSelectionReader(server: server, job: job, catalog: catalog, driveIndex: driveIndex)
                        .read(selection, into: queue)
                    queue.close()
                } catch { queue.fail(error) }
            }
            do throws(StorageError) { try send(queue) } catch {
                queue.abandon(error)
                fail(error)
            }
            await group.waitForAll()
        }
        guard job.state.read({ $0.failure == nil }) else { return }
        close()
    }

    private func fail(_ error: StorageError) {
        let cause = job.state.read { $0.cancellation?.error } ?? error
        job.recordFailure(cause.what)
        if cause.kind != .directorLost { catalog.log(.fatal, cause.description) }
        client.interrupt()
    }

    private func open() throws(StorageError) {
        try talk { () throws(WireError) -> StorageError? in
            let hello = try client.receiveLine()
            guard hello.hasPrefix("read open session") else {
                try client.send("3904 Error open session, bad parameters\n")
                try client.flush()
                return StorageError(.badStream, "The client sent `\(hello.prefix(100))` where a session should begin.")
            }
            try client.send("3000 OK open ticket = \(job.sessionID)\n")
            let data = try client.receiveLine()
            guard scan(data, "read data %d") == ["\(job.sessionID)"] else {
                try client.send("3903 Error read data: bad ticket\n")
                try client.flush()
                return StorageError(.badStream, "The client sent `\(data.prefix(100))` where it should ask for data.")
            }
            try client.send("3000 OK data\n")
            try client.flush()
            return nil
        }
    }

    private func close() {
        do throws(WireError) {
            _ = try client.receiveLine()
            try client.send("3000 OK close Status = \(JobStatus.done)\n")
            try client.send(.endOfData)
            try client.flush()
        } catch {
            // It has everything; its farewell is a courtesy.
            server.logger.info("client left early", metadata: ["job": "\(job.id)", "reason": "\(error.what)"])
        }
    }

    private func talk(_ body: () throws(WireError) -> StorageError?) throws(StorageError) {
        let refusal: StorageError?
        do throws(WireError) { refusal = try body() } catch { throw StorageError(client: error) }
        if let refusal { throw refusal }
    }

    private func send(_ queue: RecordQueue) throws(StorageError) {
        var files: UInt32 = 0
        var bytes: UInt64 = 0
        var header: [UInt8] = []
        while let batch = try queue.pop() {
            do throws(WireError) {
                let data = batch.bytes.span
                var offset = 0
                for entry in batch.entries where entry.count > 0 {  // an empty packet would be no packet
                    header.removeAll(keepingCapacity: true)
                    header += "rechdr ".utf8
                    Self.append(Int(entry.session.id), &header)
                    Self.append(Int(entry.session.time), &header)
                    Self.append(Int(entry.fileIndex), &header)
                    Self.append(Int(entry.stream), &header)
                    Self.append(entry.count, &header)
                    header.removeLast()  // the space behind the last number
                    try client.send(header.span)
                    try client.send(data.extracting(offset..<offset + entry.count))
                    offset += entry.count
                    bytes += UInt64(entry.count)
                    let kind = StreamNumber(masking: entry.stream)
                    if kind == .attributes || kind == .windowsAttributes { files += 1 }
                }
            } catch { throw StorageError(client: error) }
            queue.recycle(batch)
            job.state.withLock { state in
                state.files = files
                state.bytes = bytes
            }
        }
        do throws(WireError) {
            try client.send(.endOfData)
            try client.flush()
        } catch { throw StorageError(client: error) }
        if let start = job.state.read({ $0.dataStart }) { catalog.log(.info, rateText(bytes, ContinuousClock.now - start)) }
    }

    /// The number's digits and a space.
    private static func append(_ number: Int, _ text: inout [UInt8]) {
        if number < 0 { text.append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        let start = text.count
        repeat {
            text.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        text[start...].reverse()
        text.append(UInt8(ascii: " "))
    }
}
