// A bootstrap: which records on which volumes a restore wants (bacula-wire 6.9).
//
// `Bootstrap+Parsing.swift` reads the text, `BootstrapSelection.swift` keeps what is still wanted while volumes are read.

package struct Bootstrap: Hashable, Sendable {
    /// One unit: a volume (or several) and what is wanted there. An empty filter lets everything pass.
    package struct Unit: Hashable, Sendable {
        package var storage = ""
        /// Names of volumes; more than one only in old hand-made files (`Volume = A|B`).
        package var volumes: [String]
        package var mediaType = ""
        package var device = ""
        package var slot = 0
        package var sessionIDs: [ClosedRange<UInt32>] = []
        package var sessionTimes: [ClosedRange<UInt32>] = []
        package var volumeFiles: [ClosedRange<UInt32>] = []
        package var volumeBlocks: [ClosedRange<UInt32>] = []
        /// Addresses of blocks; on disk the upper end is the last byte of the last block.
        package var addresses: [ClosedRange<UInt64>] = []
        package var fileIndexes: [ClosedRange<Int32>] = []
        /// How many different FileIndexes are wanted; 0: as many as match.
        package var count: UInt32 = 0
        package var jobIDs: [ClosedRange<UInt32>] = []
        package var jobs: [String] = []
        package var clients: [String] = []
        /// Letters.
        package var jobTypes: [UInt8] = []
        package var jobLevels: [UInt8] = []
        package var streams: [Int32] = []
        package var fileRegex = ""

        package init(volumes: [String]) { self.volumes = volumes }

        /// Whether filters are set that only the job's SOS record can answer.
        package var needsSessionLabel: Bool {
            !(jobIDs.isEmpty && jobs.isEmpty && clients.isEmpty && jobTypes.isEmpty && jobLevels.isEmpty)
        }

        package func wants(session: SessionIdentity) -> Bool {
            (sessionTimes.isEmpty || sessionTimes.contains { $0.contains(session.time) })
                && (sessionIDs.isEmpty || sessionIDs.contains { $0.contains(session.id) })
        }

        /// Whether a block at `address` can hold something wanted.
        package func wants(address: BlockAddress) -> Bool {
            if !addresses.isEmpty { return addresses.contains { $0.contains(address.rawValue) } }
            return (volumeFiles.isEmpty || volumeFiles.contains { $0.contains(address.file) })
                && (volumeBlocks.isEmpty || volumeBlocks.contains { $0.contains(address.block) })
        }

        package func wants(fileIndex: Int32) -> Bool {
            fileIndexes.isEmpty || fileIndexes.contains { $0.contains(fileIndex) }
        }

        /// Whether a record that had to be dropped was one of those wanted.
        package func wants(_ problem: RecordProblem) -> Bool {
            wants(session: problem.session) && wants(fileIndex: problem.fileIndex)
        }

        /// What the job's own label has to say. Where a filter needs it and it wasn't read, nothing matches.
        func wants(job label: SessionLabel?) -> Bool {
            guard needsSessionLabel else { return true }
            guard let label else { return false }
            return (jobIDs.isEmpty || jobIDs.contains { $0.contains(label.jobID) })
                && (jobs.isEmpty || jobs.contains(label.job) || jobs.contains(label.jobName))
                && (clients.isEmpty || clients.contains(label.client))
                && (jobTypes.isEmpty || jobTypes.contains(label.type))
                && (jobLevels.isEmpty || jobLevels.contains(label.level))
        }

        /// The ranges of addresses that hold everything wanted, in ascending order; nil where all of the volume may.
        package var wantedAddresses: [ClosedRange<UInt64>]? {
            if !addresses.isEmpty { return addresses.sorted { $0.lowerBound < $1.lowerBound } }
            guard !volumeFiles.isEmpty else { return nil }
            let blocks = (volumeBlocks.map(\.lowerBound).min() ?? 0)...(volumeBlocks.map(\.upperBound).max() ?? .max)
            return volumeFiles.sorted { $0.lowerBound < $1.lowerBound }.map {
                BlockAddress(file: $0.lowerBound, block: blocks.lowerBound)
                    .rawValue...BlockAddress(file: $0.upperBound, block: .max).rawValue
            }
        }
    }

    package var units: [Unit]
    package init(units: [Unit]) { self.units = units }

    /// The volumes in the order in which they are first named.
    package var volumes: [String] {
        var seen: Set<String> = []
        return units.flatMap(\.volumes).filter { seen.insert($0).inserted }
    }

    /// The text form, as directors send and `bextract -b` reads it.
    package var text: String { units.map(\.text).joined() }
}

extension Bootstrap.Unit {
    package var text: String {
        var text = ""
        func string(_ keyword: String, _ value: String) {
            guard !value.isEmpty else { return }
            let escaped = value.reduce(into: "") { $0 += $1 == "\"" || $1 == "\\" ? "\\\($1)" : "\($1)" }
            text += "\(keyword)=\"\(escaped)\"\n"
        }
        func ranges<Number>(_ keyword: String, _ values: [ClosedRange<Number>]) {
            for value in values {
                text +=
                    value.lowerBound == value.upperBound
                    ? "\(keyword)=\(value.lowerBound)\n" : "\(keyword)=\(value.lowerBound)-\(value.upperBound)\n"
            }
        }
        string("Storage", storage)
        string("Volume", volumes.joined(separator: "|"))
        string("MediaType", mediaType)
        string("Device", device)
        if slot > 0 { text += "Slot=\(slot)\n" }
        ranges("VolSessionId", sessionIDs)
        ranges("VolSessionTime", sessionTimes)
        ranges("VolFile", volumeFiles)
        ranges("VolBlock", volumeBlocks)
        ranges("VolAddr", addresses)
        ranges("FileIndex", fileIndexes)
        ranges("JobId", jobIDs)
        for job in jobs { string("Job", job) }
        for client in clients { string("Client", client) }
        for type in jobTypes { text += "JobType=\(Character(UnicodeScalar(type)))\n" }
        for level in jobLevels { text += "JobLevel=\(Character(UnicodeScalar(level)))\n" }
        for stream in streams { text += "Stream=\(stream)\n" }
        string("FileRegex", fileRegex)
        if count > 0 { text += "Count=\(count)\n" }
        return text
    }
}
