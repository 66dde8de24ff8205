// The commands that do the work: backup, estimate, verify, restore.

import Platform
import Volumes
import Wire

extension DirectorConversation {
    private var selection: Selection {
        if isAccurate, let accurate { return .accurate(accurate) }
        if let since { return .changedSince(since) }
        return .everything
    }

    /// Where the director said `mtime_only=1`, that holds for every Options block.
    private var effectiveFileSet: FileSet? {
        guard var fileSet else { return nil }
        guard sinceIgnoresChangeTime else { return fileSet }
        for include in fileSet.includes.indices {
            for block in fileSet.includes[include].blocks.indices {
                var values = fileSet.includes[include].blocks[block].options.values
                values.ignoresChangeTime = true
                fileSet.includes[include].blocks[block].options = FileOptions(values)
            }
        }
        return fileSet
    }

    /// Runs `body` while another task tells the director how far the job is.
    private func withProgress<R: Sendable>(_ body: () async -> R) async -> R {
        let link = self.link, job = self.job
        let isDone = Monitor(false)
        let ticker = ElasticExecutor.shared.detach {
            var last: Int64 = 0
            var since = ContinuousClock.now
            while isDone.wait(atMost: link.progressInterval, until: { $0 ? () : nil }) == nil {
                let bytes = job.progress.readBytes.load(ordering: .relaxed)
                let now = ContinuousClock.now
                let seconds = since.duration(to: now) / .seconds(1)
                link.sendProgress(bytesPerSecond: seconds > 0 ? Int64(Double(bytes - last) / seconds) : 0)
                (last, since) = (bytes, now)
            }
        }
        let result = await body()
        isDone.withLock { $0 = true }
        // Nothing of it may come after the answer that ends the job.
        await ticker.value
        return result
    }

    func backup(_ firstFileIndex: Int32) async throws(WireError) {
        guard let fileSet = effectiveFileSet, let storage else {
            link.report(JobMessage(.fatal, "The director asked for a backup before it had sent a FileSet and a storage daemon."))
            return try failJob()
        }
        try answer("2000 OK backup\n")
        let order = BackupOrder(fileSet: fileSet, selection: selection, firstFileIndex: firstFileIndex)
        let outcome = await withProgress { await BackupJob.run(order, job, link, storage) }
        accurate = nil
        try endJob(outcome == .completed ? "T" : job.endStatus)
    }

    func estimate(_ listing: Bool) throws(WireError) {
        guard let fileSet = effectiveFileSet else { return try answer("2991 Bad estimate command: no FileSet\n") }
        var files: Int64 = 0
        var bytes: Int64 = 0
        var lost: WireError?
        let walker = TreeWalker(
            fileSet, selection, report: { [link] in link.report($0) },
            isCancelled: { [job] in lost != nil || job.progress.isStopping },
            emit: { [channel] item in
                files += 1
                if item.type == .file, item.group == nil || item.leadsGroup { bytes += item.metadata.size }
                guard listing else { return }
                do throws(WireError) { try channel.send(FileListing.line(item)) } catch { lost = error }
            })
        walker.walk()
        if let lost { throw lost }
        try channel.send("2000 OK estimate files=\(FileDaemonStatus.grouped(files)) bytes=\(FileDaemonStatus.grouped(bytes))\n")
        try channel.send(.endOfData)
        try channel.flush()
    }

    func verify(_ level: DirectorCommand.VerifyLevel) async throws(WireError) {
        job.identity.withLock { identity in
            identity.type = "V"
            identity.level =
                level == .initialize ? "V" : level == .volume ? "O" : level == .data ? "A" : level == .diskToCatalog ? "d" : "C"
        }
        codes.type = "Verify"
        switch level {
        case .initialize, .catalog, .diskToCatalog:
            guard let fileSet = effectiveFileSet else { return try failJob() }
            try answer("2000 OK verify\n")
            let outcome = await VerifyJob.verifyDisk(fileSet, job, link)
            try channel.send(.endOfData)
            try endJob(outcome == .completed ? "T" : job.endStatus)
        case .volume, .data:
            guard let storage else {
                link.report(JobMessage(.fatal, "The director asked for a verify of volumes before it had named a storage daemon."))
                return try failJob()
            }
            try answer("2000 OK verify\n")
            let checks = level == .data
            let outcome = await VerifyJob.verifyVolume(storage, sessionID, sessionTime, checksData: checks, job, link)
            try channel.send(.endOfData)
            try endJob(outcome == .completed ? "T" : job.endStatus)
        }
    }

    func restore(_ order: DirectorCommand.RestoreOrder) async throws(WireError) {
        job.identity.withLock { $0.type = "R" }
        codes.type = "Restore"
        guard let storage else {
            link.report(JobMessage(.fatal, "The director asked for a restore before it had named a storage daemon."))
            return try failJob()
        }
        try answer("2000 OK restore\n")
        let outcome = await withProgress { await RestoreJob.run(order, sessionID, sessionTime, job, link, storage) }
        self.storage?.channel.close(terminate: true)
        guard outcome == .completed else { return try endJob(job.endStatus) }
        // The 2800 line follows on endrestore; another storage daemon may come before it.
        try answer("2000 OK storage end\n")
    }
}

/// `ls -l` style lines of an estimate (bacula-wire 3.12).
enum FileListing {
    static func line(_ item: WalkedItem) -> [UInt8] {
        let metadata = item.metadata
        func padded(_ text: String, _ width: Int, left: Bool) -> String {
            let space = String(repeating: " ", count: max(0, width - text.count))
            return left ? text + space : space + text
        }
        let owner = Accounts.shared.userName(metadata.user) ?? String(metadata.user)
        let group = Accounts.shared.groupName(metadata.group) ?? String(metadata.group)
        var line =
            mode(metadata.mode) + " " + padded(String(metadata.links), 3, left: false) + " " + padded(owner, 8, left: true) + " "
        line += padded(group, 8, left: true) + " " + padded(String(metadata.size), 18, left: false) + " "
        line += metadata.modifyTime.localText + "  "
        var bytes = Array(line.utf8) + item.path
        if item.type == .symbolicLink, let target = try? item.parent.linkTarget(item.name) { bytes += Array(" -> ".utf8) + target }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    static func mode(_ mode: UInt32) -> String {
        var text =
            switch FileMetadata.kind(ofMode: mode) {
            case .directory: "d"
            case .symbolicLink: "l"
            case .characterDevice: "c"
            case .blockDevice: "b"
            case .fifo: "p"
            case .socket: "s"
            case .regular, .unknown: "-"
            }
        for shift in [6, 3, 0] as [UInt32] {
            let bits = mode >> shift
            text += bits & 4 != 0 ? "r" : "-"
            text += bits & 2 != 0 ? "w" : "-"
            let special = mode & (shift == 6 ? 0o4000 : shift == 3 ? 0o2000 : 0o1000) != 0
            let letter = shift == 0 ? "t" : "s"
            text += special ? (bits & 1 != 0 ? letter : letter.uppercased()) : (bits & 1 != 0 ? "x" : "-")
        }
        return text
    }
}
