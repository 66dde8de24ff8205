// What of a bootstrap is still wanted while its volumes are read.

import Platform

/// The units of a bootstrap with their progress. The order of checks is Bacula's (bacula-wire 6.9).
package struct BootstrapSelection: Sendable {
    package let units: [Bootstrap.Unit]
    private var progress: [Progress]
    private var labels: [SessionIdentity: SessionLabel] = [:]

    private struct Progress {
        var found: UInt32 = 0
        var lastFileIndex: Int32 = 0
        var isDone = false
        /// FileRegex, and the files whose names match it and whose records may still come: one per session.
        var pattern: RegularExpression?
        var namedFiles: [SessionIdentity: Int32] = [:]
    }

    /// - Parameter units: A FileRegex that was not read by the parser, which checks it, and is malformed lets nothing pass.
    package init(units: [Bootstrap.Unit]) {
        self.units = units
        progress = units.map {
            var progress = Progress()
            if !$0.fileRegex.isEmpty {
                progress.pattern = try? RegularExpression(Array($0.fileRegex.utf8))
                progress.isDone = progress.pattern == nil
            }
            return progress
        }
    }

    package var isDone: Bool { progress.allSatisfy(\.isDone) }
    package func isDone(_ unit: Int) -> Bool { progress[unit].isDone }

    /// Whether a block may hold something that is still wanted.
    package func wants(block header: BlockHeader, at address: BlockAddress) -> Bool {
        for (index, unit) in units.enumerated() where !progress[index].isDone && unit.wants(address: address) {
            // A BB01 block doesn't say whose it is; its records do.
            if header.version == .bb01 || unit.wants(session: header.session) { return true }
        }
        return false
    }

    /// Remembers the start of a session for the filters that ask for the job, and the end of one: units that wanted
    /// nothing but this session are then done.
    package mutating func see(label: SessionLabel?, kind: LabelKind, session: SessionIdentity, at address: BlockAddress) {
        switch kind {
        case .startOfSession: labels[session] = label
        case .endOfSession:
            labels[session] = nil
            for (index, unit) in units.enumerated() where unit.wants(address: address) {
                if unit.sessionIDs == [session.id...session.id], unit.sessionTimes == [session.time...session.time] {
                    progress[index].isDone = true
                }
            }
        default: break
        }
    }

    /// Whether to deliver a data record. Counts it.
    /// - Parameter name: The path in an attribute record, asked for where a FileRegex needs it.
    package mutating func take(_ record: VolumeRecord, name: () -> [UInt8]? = { nil }) -> Bool {
        for index in units.indices where !progress[index].isDone {
            let unit = units[index]
            // A record that began in the wanted range, or ends in it, is wanted: ranges meet inside records.
            guard unit.wants(address: record.end) || unit.wants(address: record.begin), unit.wants(session: record.session),
                unit.wants(job: labels[record.session]), unit.streams.isEmpty || unit.streams.contains(record.stream & 0x7FF)
            else { continue }
            guard unit.wants(fileIndex: record.fileIndex) else {
                // FileIndexes of one session only grow. Behind the last wanted one nothing more comes for this unit.
                if unit.sessionIDs.count == 1, let id = unit.sessionIDs.first, id.count == 1,
                    unit.sessionTimes.count == 1, let time = unit.sessionTimes.first, time.count == 1,
                    unit.fileIndexes.allSatisfy({ $0.upperBound < record.fileIndex })
                {
                    progress[index].isDone = true
                }
                continue
            }
            if progress[index].lastFileIndex != record.fileIndex {
                if unit.count > 0, progress[index].found >= unit.count {
                    progress[index].isDone = true
                    continue
                }
                progress[index].found += 1
                progress[index].lastFileIndex = record.fileIndex
            }
            if let pattern = progress[index].pattern {
                // A file's attributes come first and decide for all of its records.
                if StreamNumber(masking: record.stream) == .attributes {
                    progress[index].namedFiles[record.session] = name().map(pattern.matches) == true ? record.fileIndex : nil
                }
                guard progress[index].namedFiles[record.session] == record.fileIndex else { continue }
            }
            return true
        }
        return false
    }

    /// Says that the head stands at `address` and only moves forward: units whose ranges end before it are done.
    /// - Returns: Where reading should go on: `address` itself, or the beginning of the next wanted range when nothing
    ///   between is wanted; nil when nothing on this volume is wanted any more.
    package mutating func next(from address: BlockAddress) -> BlockAddress? {
        var nearest: BlockAddress?
        for (index, unit) in units.enumerated() where !progress[index].isDone {
            guard let ranges = unit.wantedAddresses else { return address }
            guard let range = ranges.first(where: { $0.upperBound >= address.rawValue }) else {
                progress[index].isDone = true
                continue
            }
            let start = BlockAddress(rawValue: max(range.lowerBound, address.rawValue))
            nearest = min(nearest ?? start, start)
        }
        return nearest
    }

    /// Numbers of units that were not satisfied: they had a Count and fewer files were found.
    package var unsatisfied: [Int] {
        units.indices.filter { units[$0].count > 0 && progress[$0].found < units[$0].count }
    }
    package func found(_ unit: Int) -> UInt32 { progress[unit].found }
}
