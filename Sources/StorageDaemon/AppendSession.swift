// A backup job's dialogue with its file daemon (bacula-wire 5.1, 5.2): packets in, blocks out.
//
// | task        | does                                                              |
// |-------------|-------------------------------------------------------------------|
// | this one    | receives packets, packs records into blocks, spools attributes     |
// | writer      | mounts volumes, seals and writes blocks, reports them (VolumeAppender) |
// | attributes  | sends committed attributes to the director (AttributeSpool)         |

import Platform
import Volumes
import Wire

/// One append session.
struct AppendSession: Sendable {
    let server: StorageServer
    let job: StorageJob
    let catalog: CatalogConversation
    let reservation: ReservationRequest
    let driveIndex: Int
    let client: MessageChannel

    /// Runs the session to its end, good or bad; a failure is recorded on the job.
    func run() async {
        let queue = BlockQueue()
        let spool = AttributeSpool(workingDirectory: server.settings.workingDirectory)
        await withTaskGroup(of: Void.self) { group in
            do throws(StorageError) {
                try open()
                group.addTask { [self] in
                    VolumeAppender(
                        server: server, job: job, catalog: catalog, reservation: reservation, driveIndex: driveIndex, spool: spool
                    ).drain(queue)
                    spool.complete()
                    if let failure = queue.failure { fail(failure) }
                }
                group.addTask { [self] in
                    do throws(StorageError) { try spool.sendAll(catalog) } catch { fail(error) }
                }
                try receive(queue, spool)
            } catch {
                // The writer, where there is one, stops with this; it keeps the first reason.
                queue.fail(error)
                fail(error)
            }
            await group.waitForAll()
        }
        if spool.pending > 0, job.state.read({ $0.failure == nil }) {
            fail(StorageError(.system, "\(spool.pending) bytes of attributes did not reach the director."))
        }
        if job.state.read({ $0.failure == nil }) { close() }
    }

    /// Records the reason and says it in the job's log, once.
    private func fail(_ error: StorageError) {
        let cause = job.state.read { $0.cancellation?.error } ?? error
        let isFirst = job.state.withLock { state in
            defer { if state.failure == nil { state.failure = cause.what; state.errors += 1 } }
            return state.failure == nil
        }
        if isFirst, cause.kind != .directorLost { catalog.log(.fatal, cause.description) }
        client.interrupt()
    }

    // MARK: - The dialogue

    private func open() throws(StorageError) {
        let hello = try line()
        guard hello.hasPrefix("append open session") else { throw try refuse("3904 Error open session, bad parameters\n", hello) }
        try reply("3000 OK open ticket = \(job.sessionID)\n")
        let data = try line()
        guard let fields = scan(data, "append data %d"), fields == ["\(job.sessionID)"] else {
            throw try refuse("3903 Error append data: bad ticket\n", data)
        }
    }

    private func close() {
        let letter = JobStatus.done
        do throws(StorageError) {
            try reply("3000 OK append data\n")
            guard try line().hasPrefix("append end session") else { return }
            try reply("3000 OK end\n")
            guard try line().hasPrefix("append close session") else { return }
            try reply("3000 OK close Status = \(letter)\n")
            do throws(WireError) {
                try client.send(.endOfData)
                try client.flush()
            } catch { throw StorageError(client: error) }
        } catch {
            // Everything is on the volume and in the catalog; a client that leaves without its farewell changes nothing.
            server.logger.info("client left early", metadata: ["job": "\(job.id)", "reason": "\(error.what)"])
        }
    }

    private func refuse(_ answer: String, _ command: String) throws(StorageError) -> StorageError {
        try reply(answer)
        return StorageError(.badStream, "The client sent `\(command.prefix(100))` where a session should begin.")
    }

    private func line() throws(StorageError) -> String {
        do throws(WireError) { return try client.receiveLine() } catch { throw StorageError(client: error) }
    }

    private func reply(_ text: String) throws(StorageError) {
        do throws(WireError) {
            try client.send(text)
            try client.flush()
        } catch { throw StorageError(client: error) }
    }

    // MARK: - Streams

    /// A stream's header packet: `FileIndex stream size-hint`.
    struct StreamHeader: Hashable {
        var fileIndex: Int32
        var stream: Int32

        /// nil for anything but two positive numbers below 2^31, and whatever follows.
        init?(_ bytes: [UInt8]) {
            var position = 0
            func number() -> Int32? {
                while position < bytes.count, bytes[position] == 32 { position += 1 }
                var value: Int64 = 0
                let start = position
                while position < bytes.count, position - start < 11, bytes[position] &- 48 < 10 {
                    value = value * 10 + Int64(bytes[position] - 48)
                    position += 1
                }
                guard position > start, value > 0, value <= Int64(Int32.max) else { return nil }
                return Int32(value)
            }
            guard let index = number(), let stream = number() else { return nil }
            fileIndex = index
            self.stream = stream
        }
    }

    private func receive(_ queue: BlockQueue, _ spool: AttributeSpool) throws(StorageError) {
        let readiness = try queue.waitUntilReady()
        try reply("3000 OK data\n")
        job.state.withLock { $0.dataStart = .now }
        var writer = BlockWriter(
            session: job.session, blockBytesMax: server.table.drives[driveIndex].settings.blockBytesMax,
            firstNumber: readiness.wroteLabel ? 1 : 0, isChecksummed: false)
        // Attributes of files that are complete before the block begun; and all there are.
        var completeAttributes: UInt64 = 0
        var allAttributes: UInt64 = 0
        var files: UInt32 = 0
        var bytes: UInt64 = 0
        let job = self.job
        func sink(_ finished: FinishedBlock, _ block: Span<UInt8>) throws(StorageError) {
            try queue.push(finished, block, attributes: completeAttributes)
            job.state.withLock { state in
                state.files = files
                state.bytes = bytes
            }
        }
        let start = job.label(pool: reservation.pool).encoded
        try writer.appendLabel(.startOfSession, jobID: Int32(bitPattern: job.id), data: start.span, to: sink)

        var buffer: [UInt8] = []
        var lastIndex: Int32 = 0
        var failure: StorageError?
        do throws(StorageError) {
            while true {
                guard try packet(&buffer) else { break }
                guard let header = StreamHeader(buffer) else {
                    throw StorageError(.badStream, "The client sent a stream header that is none: `\(printable(buffer))`.")
                }
                guard header.fileIndex == lastIndex || header.fileIndex == lastIndex &+ 1 else {
                    throw StorageError(
                        .badStream, "The client sent FileIndex \(header.fileIndex) after \(lastIndex): it must stay or grow by one."
                    )
                }
                if header.fileIndex != lastIndex {
                    lastIndex = header.fileIndex
                    completeAttributes = allAttributes
                }
                let kind = StreamNumber(masking: header.stream)
                let isCataloged = job.request.sendsAttributes && kind.belongsInCatalog
                if kind == .attributes || kind == .windowsAttributes { files += 1 }
                while try packet(&buffer) {
                    bytes += UInt64(buffer.count)
                    try writer.append(fileIndex: header.fileIndex, stream: header.stream, data: buffer.span, to: sink)
                    if isCataloged {
                        allAttributes = try spool.append(fileIndex: header.fileIndex, stream: header.stream, buffer.span)
                    }
                }
            }
            completeAttributes = allAttributes
        } catch {
            failure = error
        }
        // What was received stays readable, also of a job that failed: the end label says how it ended.
        let cause = job.state.read { $0.cancellation?.error } ?? failure
        if queue.failure == nil {
            let place = try queue.waitUntilWritten()
            let (drive, isDisk) = (server.table.drives[driveIndex], server.table.drives[driveIndex].isDisk)
            let endOfVolume = drive.io.read { $0.volume?.end } ?? place.end
            let end = SessionLabel.End(
                files: files, bytes: bytes, begin: BlockAddress(rawValue: place.end == 0 ? endOfVolume : place.first),
                end: BlockAddress(rawValue: isDisk ? endOfVolume : place.end), errors: cause == nil ? 0 : 1,
                status: cause == nil ? JobStatus.done : cause?.kind == .cancelled ? JobStatus.cancelled : JobStatus.failed)
            let label = job.label(pool: reservation.pool, end: end).encoded
            try writer.appendLabel(.endOfSession, jobID: Int32(bitPattern: job.id), data: label.span, to: sink)
            try writer.flush(to: sink)
        }
        job.state.withLock { state in
            state.files = files
            state.bytes = bytes
        }
        if let failure { throw failure }
        queue.close()
        logRate(bytes)
    }

    /// The next payload; false at EOD.
    private func packet(_ buffer: inout [UInt8]) throws(StorageError) -> Bool {
        let signal: Signal?
        do throws(WireError) { signal = try client.receive(into: &buffer) } catch { throw StorageError(client: error) }
        guard let signal else { return true }
        if signal == .endOfData { return false }
        throw StorageError(.badStream, "The client sent signal \(signal.rawValue) in the middle of its data.")
    }

    private func printable(_ bytes: [UInt8]) -> String {
        String(bytes.prefix(60).map { $0 >= 32 && $0 < 127 ? Character(UnicodeScalar($0)) : "." })
    }

    private func logRate(_ bytes: UInt64) {
        guard let start = job.state.read({ $0.dataStart }) else { return }
        catalog.log(.info, rateText(bytes, ContinuousClock.now - start))
    }
}

/// `Elapsed time=00:00:01, Transfer rate=1.359 M Bytes/second`.
func rateText(_ bytes: UInt64, _ elapsed: Duration) -> String {
    let seconds = max(1, elapsed.components.seconds)
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "Elapsed time=\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60)), Transfer rate="
        + "\(scaled(bytes / UInt64(seconds))) Bytes/second"
}

/// `1.359 M`: three decimals and a decimal unit.
func scaled(_ number: UInt64) -> String {
    var units = [" ", " K ", " M ", " G ", " T ", " P "].makeIterator()
    var value = Double(number)
    var unit = units.next()!
    while value >= 1000, let larger = units.next() {
        value /= 1000
        unit = larger
    }
    guard unit != " " else { return "\(number)" }
    let thousandths = Int((value * 1000).rounded())
    let fraction = "\(thousandths % 1000)"
    return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction + unit.dropLast()
}
