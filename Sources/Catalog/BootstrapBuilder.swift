// Bootstraps: which records, on which volumes, give back a selection of files (bacula-wire 6.9).
//
// One unit per job and contiguous part of a volume that holds wanted FileIndexes, in the order in which the job wrote
// them; a storage daemon reads the units one after the other and nothing else of the volumes.

import GRDB
package import Platform
package import Volumes

/// Files of jobs to be read back.
package struct RestoreSelection: Sendable {
    /// In the order to be read, oldest first. nil indexes: the whole job.
    package var jobs: [(jobID: Int64, fileIndexes: Set<Int32>?)]
    package init(jobs: [(jobID: Int64, fileIndexes: Set<Int32>?)] = []) { self.jobs = jobs }
}

/// A bootstrap, and what reading it will take.
package struct CatalogBootstrap: Sendable, Hashable {
    package var bootstrap: Bootstrap
    /// The lines, each ended by a newline.
    package var text: String { bootstrap.text }
    /// FileIndexes selected, each once.
    package var files: Int64
    /// Bytes of the volumes' parts that will be read.
    package var bytes: Int64
    /// The first row of each volume, in the order in which they are needed.
    package var volumes: [JobMediaRecord]
}

extension CatalogDatabase {
    /// Builds the bootstrap of a selection.
    ///
    /// - Parameter storage: Names of the Storage resource and its device that read a volume; nil leaves those lines out.
    /// - Throws: `.notFound` when a job that has files selected has no JobMedia: its volumes were purged, or it wrote nothing.
    package func bootstrap(
        for selection: RestoreSelection, storage: (_ volume: JobMediaRecord) -> (storage: String, device: String)?
    ) throws(CatalogError) -> CatalogBootstrap {
        var result = CatalogBootstrap(bootstrap: Bootstrap(units: []), files: 0, bytes: 0, volumes: [])
        for (jobID, wanted) in selection.jobs where wanted?.isEmpty != true {
            guard let job = try job(jobID) else { throw Self.noSuchJob(jobID) }
            let parts = try jobMedia(ofJob: jobID)
            let indexes = wanted.map { Self.ranges(of: $0) }
            var covered: [ClosedRange<Int64>] = []
            for part in parts where part.firstIndex > 0 && part.firstIndex <= part.lastIndex {
                let whole = part.firstIndex...part.lastIndex
                let ranges = indexes.map { $0.compactMap { Self.overlap($0, whole) } } ?? [whole]
                guard !ranges.isEmpty else { continue }
                result.bootstrap.units.append(Self.unit(job, part, ranges, storage(part)))
                result.bytes += Int64(clamping: part.endAddress &- part.startAddress &+ 1)
                if !result.volumes.contains(where: { $0.mediaID == part.mediaID }) { result.volumes.append(part) }
                covered += ranges
            }
            guard !covered.isEmpty else {
                throw CatalogError(
                    .notFound, "No volume in the catalog holds the selected files of job \(jobID).",
                    remedy: "Its volumes were purged or recycled, or it wrote no data; choose another backup.")
            }
            result.files += Self.count(covered)
        }
        return result
    }

    /// What Write Bootstrap appends after a backup: the whole job behind a comment that names it.
    package func bootstrap(
        ofJob jobID: Int64, now: WallTime = .now,
        storage: (_ volume: JobMediaRecord) -> (storage: String, device: String)?
    ) throws(CatalogError) -> String {
        guard let job = try job(jobID) else { throw Self.noSuchJob(jobID) }
        let levels: [Character: String] = [
            "F": "Full", "I": "Incremental", "D": "Differential", "f": "VirtualFull", "B": "Base",
        ]
        let body = try bootstrap(for: RestoreSelection(jobs: [(jobID, nil)]), storage: storage).text
        let date = now.formatted("%d-%b-%Y %H:%M:%S", local: true)
        return "# \(date) - \(job.uniqueName) - \(levels[job.level] ?? String(job.level))\n" + body
    }

    private static func unit(
        _ job: JobRecord, _ part: JobMediaRecord, _ ranges: [ClosedRange<Int64>],
        _ storage: (storage: String, device: String)?
    ) -> Bootstrap.Unit {
        var unit = Bootstrap.Unit(volumes: [part.volume])
        unit.storage = storage?.storage ?? ""
        unit.device = storage?.device ?? ""
        unit.mediaType = part.mediaType
        unit.slot = part.slot
        unit.sessionIDs = [job.sessionID...job.sessionID]
        unit.sessionTimes = [job.sessionTime...job.sessionTime]
        unit.addresses = [part.startAddress...max(part.startAddress, part.endAddress)]
        unit.fileIndexes = ranges.map { Int32(clamping: $0.lowerBound)...Int32(clamping: $0.upperBound) }
        unit.count = UInt32(clamping: count(ranges))
        return unit
    }

    /// Neighbouring numbers as ranges, ascending.
    static func ranges(of indexes: Set<Int32>) -> [ClosedRange<Int64>] {
        var ranges: [ClosedRange<Int64>] = []
        for index in indexes.sorted() where index > 0 {
            let index = Int64(index)
            if let last = ranges.last, last.upperBound == index - 1 {
                ranges[ranges.count - 1] = last.lowerBound...index
            } else {
                ranges.append(index...index)
            }
        }
        return ranges
    }

    private static func overlap(_ a: ClosedRange<Int64>, _ b: ClosedRange<Int64>) -> ClosedRange<Int64>? {
        a.overlaps(b) ? a.clamped(to: b) : nil
    }

    /// How many numbers the ranges hold, each once: a file that goes on in the next part is in both.
    private static func count(_ ranges: [ClosedRange<Int64>]) -> Int64 {
        var total: Int64 = 0
        var end: Int64 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where range.upperBound > end {
            total += range.upperBound - max(range.lowerBound, end + 1) + 1
            end = range.upperBound
        }
        return total
    }
}
