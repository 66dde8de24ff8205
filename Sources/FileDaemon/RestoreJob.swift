// A restore: records from the storage daemon into the restorer.

import Platform
import Wire

enum RestoreJob {
    static func run(
        _ order: DirectorCommand.RestoreOrder, _ sessionID: UInt32, _ sessionTime: UInt32, _ job: FileDaemonJob,
        _ director: DirectorLink,
        _ storage: StorageLink
    ) async -> JobOutcome {
        var options = RestoreOptions()
        options.root = order.root
        options.replace = order.replace
        options.prefixesLinks = order.prefixesLinks
        options.workers = processorCount
        let restorer: FileRestorer
        do throws(RestoreError) {
            if let expressions = order.relocation { options.relocation = try PathRelocation(expressions: expressions) }
            restorer = try FileRestorer(options) { director.report($0) }
        } catch {
            director.report(JobMessage(.fatal, "\(error.what) \(error.remedy)"))
            job.progress.requestStop(.failed)
            return .failed
        }
        // Several storage daemons may take part, each with a restorer of its own: counts go on from what was there.
        let filesBefore = job.progress.files.load(ordering: .relaxed), bytesBefore = job.progress.readBytes.load(ordering: .relaxed)
        @Sendable func publish() {
            let now = restorer.progress
            job.progress.files.store(filesBefore + Int64(now.files), ordering: .relaxed)
            job.progress.readBytes.store(bytesBefore + now.bytes, ordering: .relaxed)
            job.progress.jobBytes.store(bytesBefore + now.bytes, ordering: .relaxed)
        }
        let outcome = await job.withCancellation {
            restorer.cancel()
            storage.channel.interrupt()
        } _: { () -> JobOutcome in
            do throws(StorageRefusal) {
                let ticket = try storage.openForReading(sessionID: sessionID, sessionTime: sessionTime)
                var records = 0
                try storage.readRecords { session, index, stream, data in
                    restorer.accept(session: session, fileIndex: index, stream: stream, data: data)
                    job.bandwidth.pace(data.count) { job.progress.isStopping }
                    records += 1
                    if records % 64 == 0 { publish() }
                }
                try storage.closeReading(ticket)
                return .completed
            } catch {
                if !job.progress.isStopping {
                    director.report(JobMessage(.fatal, error.text))
                    job.progress.requestStop(.failed)
                }
                restorer.cancel()
                return .failed
            }
        }
        _ = restorer.finish()
        publish()
        return job.progress.isStopping ? .failed : outcome
    }
}
