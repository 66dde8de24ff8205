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
    static func run(_ order: BackupOrder, _ job: FileDaemonJob, _ director: DirectorLink, _ storage: StorageLink) async -> JobOutcome {
        if order.fileSet.includes.contains(where: { $0.blocks.contains { $0.options.values.asksForLZO } }) {
            director.report(JobMessage(
                .warning, "LZO compression is not in this build (package trait LZO): those files are saved uncompressed. Use ZSTD or GZIP."))
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
            let report: @Sendable (JobMessage) -> Void = { director.report($0) }
            let progress = job.progress
            await withTaskGroup(of: Void.self) { group in
                group.addTask(executorPreference: ElasticExecutor.shared) {
                    let filler = SlotFiller(pipeline)
                    let walker = TreeWalker(
                        order.fileSet, order.selection, report: report, isCancelled: { progress.isStopping || pipeline.isStopped },
                        emit: { filler.add($0) })
                    walker.walk()
                    filler.flush()
                    pipeline.walkEnded()
                }
                for _ in 0..<processorCount {
                    group.addTask(executorPreference: ElasticExecutor.shared) {
                        ReadPipeline.serve(pipeline, digestsOnly: false, progress, report)
                    }
                }
                do throws(WireError) {
                    try send(order, pipeline, job, storage.channel, report)
                } catch {
                    // What the storage daemon had to say about it is more useful than the broken connection.
                    let reason = (try? storage.channel.receiveLine()) ?? error.detail
                    if !progress.isStopping {
                        report(JobMessage(.fatal, "Network send error to SD \(storage.channel.peer): \(reason)"))
                        progress.requestStop(.failed)
                    }
                }
                pipeline.stop()
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

    private static func send(
        _ order: BackupOrder, _ pipeline: ReadPipeline, _ job: FileDaemonJob, _ channel: MessageChannel,
        _ report: @escaping @Sendable (JobMessage) -> Void
    ) throws(WireError) {
        let progress = job.progress
        let sender = StreamSender(
            channel, progress, job.bandwidth, firstIndex: order.firstFileIndex,
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
