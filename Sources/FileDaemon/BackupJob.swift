// A backup from the FileSet to the storage daemon's last answer.

import Platform
import Volumes
import Wire

/// What a backup needs to know.
struct BackupOrder: Sendable {
    var fileSet: FileSet
    var selection: Selection
    /// 0, or the last FileIndex of the incomplete job that this one continues.
    var firstFileIndex: Int32 = 0
}

/// How it ended.
enum JobOutcome: Sendable, Hashable {
    case completed
    /// Said in a message already.
    case failed
}

enum BackupJob {
    /// Reads and sends everything. Blocks; runs walker and readers as tasks beside the calling one, which sends.
    static func run(_ order: BackupOrder, _ job: FileDaemonJob, _ director: DirectorLink, _ storage: StorageLink) async
        -> JobOutcome
    {
        if order.fileSet.includes.contains(where: { $0.blocks.contains { $0.options.values.asksForLZO } }) {
            director.report(
                JobMessage(
                    .warning,
                    "LZO compression is not in this build (package trait LZO): those files are saved uncompressed. Use ZSTD or GZIP."
                ))
        }
        let pipeline = ReadPipeline()
        return await job.withCancellation {
            pipeline.stop()
            storage.channel.interrupt()
        } _: {
            let ticket: String
            do throws(StorageRefusal) {
                ticket = try storage.openForAppending()
            } catch {
                return fail(error, job, director)
            }
            let progress = job.progress
            do throws(WireError) {
                try await stream(order, pipeline, progress, job.bandwidth, to: storage.channel) { director.report($0) }
            } catch {
                // What the storage daemon had to say about it is more useful than the broken connection.
                let reason = (try? storage.channel.receiveLine()) ?? error.detail
                if !progress.isStopping {
                    director.report(JobMessage(.fatal, "Network send error to SD \(storage.channel.peer): \(reason)"))
                    progress.requestStop(.failed)
                }
            }
            if progress.isStopping { return .failed }
            do throws(StorageRefusal) {
                try storage.closeAppending(ticket)
                return .completed
            } catch {
                return fail(error, job, director)
            }
        }
    }

    private static func fail(_ refusal: StorageRefusal, _ job: FileDaemonJob, _ director: DirectorLink) -> JobOutcome {
        if !job.progress.isStopping {
            director.report(JobMessage(.fatal, refusal.text))
            job.progress.requestStop(.failed)
        }
        return .failed
    }

    /// The part that needs no network: walks, reads and sends to `sink` until everything is sent or the job is stopped.
    static func stream(
        _ order: BackupOrder, _ pipeline: ReadPipeline, _ progress: JobProgress, _ bandwidth: BandwidthLimit,
        to sink: any StreamSink,
        readers: Int = processorCount, report: @escaping @Sendable (JobMessage) -> Void
    ) async throws(WireError) {
        let failure = await withTaskGroup(of: Void.self) { group -> WireError? in
            group.addTask(executorPreference: ElasticExecutor.shared) {
                let filler = SlotFiller(pipeline)
                let walker = TreeWalker(
                    order.fileSet, order.selection, report: report, isCancelled: { progress.isStopping || pipeline.isStopped },
                    emit: { filler.add($0) })
                walker.walk()
                filler.flush()
                pipeline.walkEnded()
            }
            for _ in 0..<readers {
                group.addTask(executorPreference: ElasticExecutor.shared) {
                    ReadPipeline.serve(pipeline, digestsOnly: false, progress, report)
                }
            }
            defer { pipeline.stop() }
            do throws(WireError) {
                try send(order, pipeline, progress, bandwidth, sink, report)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private static func send(
        _ order: BackupOrder, _ pipeline: ReadPipeline, _ progress: JobProgress, _ bandwidth: BandwidthLimit,
        _ sink: any StreamSink,
        _ report: @escaping @Sendable (JobMessage) -> Void
    ) throws(WireError) {
        let sender = StreamSender(
            sink, progress, bandwidth, firstIndex: order.firstFileIndex,
            makeReader: { emit in
                // Reads on the sender's own thread: its buffers don't count, one piece is in memory at a time.
                FileReader(
                    FileReader.Surroundings(
                        buffer: { PacketBuffer() }, emit: emit, report: report, isCancelled: { progress.isStopping }))
            },
            recycle: { pipeline.recycle($0) })
        while let piece = pipeline.next() { try sender.send(piece) }
        if case .accurate(let list) = order.selection, !progress.isStopping {
            try list.forEachUnmet { name, status throws(WireError) in try sender.sendDeleted(name, status) }
        }
    }
}

extension ReadPipeline {
    /// One reader thread: takes slots until there are no more.
    static func serve(
        _ pipeline: ReadPipeline, digestsOnly: Bool, _ progress: JobProgress, _ report: @escaping @Sendable (JobMessage) -> Void
    ) {
        let slot = Monitor<Slot?>(nil)
        let reader = FileReader(
            FileReader.Surroundings(
                digestsOnly: digestsOnly,
                buffer: { slot.read { $0 }.flatMap { pipeline.buffer(for: $0) } },
                emit: { piece in if let current = slot.read({ $0 }) { pipeline.emit(piece, from: current) } },
                report: report, isCancelled: { progress.isStopping }))
        while let next = pipeline.take() {
            slot.withLock { $0 = next }
            reader.read(next.items)
            pipeline.finish(next)
        }
    }
}
