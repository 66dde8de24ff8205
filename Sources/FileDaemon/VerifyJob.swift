// Verify jobs: what is on disk, or on volumes, told to the director for comparison with the catalog (bacula-wire 3.10).

import Platform
import Volumes
import Wire

enum VerifyJob {
    /// Default options of volume verifies.
    private static let volumeLetters = "pinsug5"

    /// Walks the FileSet and reports every file and, where the FileSet has signatures, its digest.
    static func verifyDisk(_ fileSet: FileSet, _ job: FileDaemonJob, _ director: DirectorLink) async -> JobOutcome {
        let pipeline = ReadPipeline()
        let progress = job.progress
        let report: @Sendable (JobMessage) -> Void = { director.report($0) }
        return await job.withCancellation {
            pipeline.stop()
        } _: {
            await withTaskGroup(of: Void.self) { group in
                group.addTask(executorPreference: ElasticExecutor.shared) {
                    let filler = SlotFiller(pipeline)
                    let walker = TreeWalker(
                        fileSet, .everything, report: report, isCancelled: { progress.isStopping || pipeline.isStopped },
                        emit: { filler.add($0) })
                    walker.walk()
                    filler.flush()
                    pipeline.walkEnded()
                }
                for _ in 0..<processorCount {
                    group.addTask(executorPreference: ElasticExecutor.shared) {
                        ReadPipeline.serve(pipeline, digestsOnly: true, progress, report)
                    }
                }
                do throws(WireError) {
                    var index: Int32 = 0
                    while let piece = pipeline.next() {
                        guard case .whole(let files, let buffer) = piece else { continue }
                        for (item, result) in files where result.outcome == .ready {
                            index += 1
                            try tell(item, result, index, director.channel)
                            progress.files.add(1, ordering: .relaxed)
                            progress.readBytes.add(result.bytesRead, ordering: .relaxed)
                        }
                        if let buffer { pipeline.recycle(buffer) }
                    }
                } catch {
                    job.cancel(.failed)
                }
                pipeline.stop()
            }
            return progress.isStopping ? .failed : .completed
        }
    }

    private static func tell(_ item: WalkedItem, _ result: FileResult, _ index: Int32, _ channel: MessageChannel) throws(WireError)
    {
        var type = result
        if let group = item.group {
            if item.leadsGroup {
                group.fileIndex = index
                group.name = item.savedName
                group.digest = result.digest
            } else if group.fileIndex > 0 {
                type.type = .hardLink
                type.linkTarget = group.name
                type.digest = group.digest
            }
        }
        var status = FileStatus(type.metadata)
        status.linkFileIndex = type.type == .hardLink ? Int64(item.group?.fileIndex ?? 0) : 0
        // The letter stays in front of its value, as directors expect it.
        let letters = "V" + item.options.values.verifyLetters
        try channel.send(attributes(index, letters, item.savedName, status.lstat, type.linkTarget))
        if !type.digest.isEmpty, let algorithm = item.options.values.digest {
            try channel.send(digest(index, algorithm, type.digest))
        }
    }

    private static func attributes(_ index: Int32, _ letters: String, _ name: [UInt8], _ lstat: [UInt8], _ link: [UInt8]) -> [UInt8]
    {
        Array("\(index) 1 \(letters) ".utf8) + name + [0] + lstat + [0] + link + [0]
    }

    private static func digest(_ index: Int32, _ algorithm: DigestAlgorithm, _ digest: [UInt8]) -> String {
        "\(index) \(algorithm.stream.rawValue) \(DigestText.encode(digest)) *\(algorithm.verifyName)-\(index)*"
    }

    /// Reads what the director's bootstrap has chosen and reports its records, or (data) checks contents against digests.
    static func verifyVolume(
        _ storage: StorageLink, _ sessionID: UInt32, _ sessionTime: UInt32, checksData: Bool, _ job: FileDaemonJob,
        _ director: DirectorLink
    ) async -> JobOutcome {
        await job.withCancellation {
            storage.channel.interrupt()
        } _: {
            do throws(StorageRefusal) {
                let ticket = try storage.openForReading(sessionID: sessionID, sessionTime: sessionTime)
                var check = DataCheck()
                var lost = false
                try storage.readRecords { _, index, stream, data in
                    let number = StreamNumber(masking: stream)
                    if number == .attributes || number == .windowsAttributes {
                        if checksData { check.finish(director.report) }
                        guard let record = AttributeRecord(decoding: data) else {
                            director.report(JobMessage(.error, "The attribute record of file \(index) on the volume is malformed."))
                            return
                        }
                        job.progress.files.add(1, ordering: .relaxed)
                        job.progress.current.withLock { $0 = record.name }
                        if checksData {
                            check.begin(record)
                        } else if !lost {
                            do {
                                try director.channel.send(
                                    attributes(record.fileIndex, volumeLetters, record.name, record.status.lstat, record.link))
                            } catch { lost = true }
                        }
                    } else if checksData {
                        job.progress.readBytes.add(Int64(data.count), ordering: .relaxed)
                        check.take(number, data)
                    } else if let algorithm = DigestAlgorithm(stream: number), data.count == algorithm.byteCount, !lost {
                        do { try director.channel.send(digest(index, algorithm, data.array)) } catch { lost = true }
                    }
                }
                if checksData { check.finish(director.report) }
                if lost { job.cancel(.failed) }
                try storage.closeReading(ticket)
                return job.progress.isStopping ? .failed : .completed
            } catch {
                if !job.progress.isStopping {
                    director.report(JobMessage(.fatal, error.text))
                    job.progress.requestStop(.failed)
                }
                return .failed
            }
        }
    }

    /// Recomputes the digest of one file from its records.
    private struct DataCheck {
        private let decoder = DataDecoder()
        private var record: AttributeRecord?
        private var digests: [DigestAlgorithm: [UInt8]] = [:]
        // The algorithm is known only when the digest comes, after the data: all four run. Verifying is rare.
        private var running: Running?
        private var position: Int64 = 0
        private var complaint: String?

        /// A box, because digests can't be copied.
        private final class Running {
            var md5 = Digest(.md5), sha1 = Digest(.sha1), sha256 = Digest(.sha256), sha512 = Digest(.sha512)
            func update(_ bytes: Span<UInt8>) {
                md5.update(bytes)
                sha1.update(bytes)
                sha256.update(bytes)
                sha512.update(bytes)
            }
            func finish(_ algorithm: DigestAlgorithm) -> [UInt8] {
                switch algorithm {
                case .md5: md5.finish()
                case .sha1: sha1.finish()
                case .sha256: sha256.finish()
                case .sha512: sha512.finish()
                }
            }
        }

        mutating func begin(_ record: AttributeRecord) {
            self.record = record
            digests = [:]
            running = Running()
            position = 0
            complaint = nil
        }

        mutating func take(_ stream: StreamNumber, _ data: Span<UInt8>) {
            guard record != nil else { return }
            if let algorithm = DigestAlgorithm(stream: stream) {
                digests[algorithm] = data.array
                return
            }
            guard DataDecoder.decodes(stream), let running else { return }
            do throws(DataDecoder.Failure) {
                try decoder.decode(stream, data) { offset, bytes in
                    if let offset { pad(to: offset, running) }
                    running.update(bytes)
                    position += Int64(bytes.count)
                }
            } catch {
                complaint = error.text
            }
        }

        private static let zeros = [UInt8](repeating: 0, count: 64 << 10)
        private mutating func pad(to offset: Int64, _ running: Running) {
            while position < offset {
                let step = Int(min(Int64(Self.zeros.count), offset - position))
                running.update(Self.zeros.span.extracting(0..<step))
                position += Int64(step)
            }
        }

        mutating func finish(_ report: (JobMessage) -> Void) {
            guard let record else { return }
            defer { self.record = nil }
            if let complaint { report(JobMessage(.error, "\(printable(record.name)) on the volume is damaged: \(complaint)")) }
            guard record.type == .file || record.type == .emptyFile else { return }
            for (algorithm, digest) in digests where running?.finish(algorithm) != digest {
                report(
                    JobMessage(.error, "\(printable(record.name)) on the volume does not match its \(algorithm.verifyName) digest.")
                )
            }
        }
    }
}
