// What a backup stands on: its level, the job it counts from, and the files that are known. Shared by jobs and estimates.

import Catalog
import Configuration
import Platform
import Wire

struct BackupBasis: Sendable {
    var clientID: Int64
    var fileSet: FileSetRecord
    var history: BackupHistory
    var choice: LevelChoice

    /// Looks the catalog up. The client and the FileSet get their rows where they have none yet.
    init(_ plan: JobPlan, definition: FileSetDefinition, catalog: CatalogDatabase) throws(DirectorError) {
        guard let client = plan.client, let resource = plan.fileSet else {
            throw DirectorError(.configuration, "Job \"\(plan.job.name)\" lacks a Client or FileSet.")
        }
        var rules = LevelRules(asked: plan.level)
        rules.ignoresFileSetChanges = resource.bool("IgnoreFilesetChanges")
        rules.maxFullInterval = plan.job.time("MaxFullInterval")
        rules.maxDifferentialInterval = plan.job.time("MaxDiffInterval")
        rules.rerunsFailedLevels = plan.job.bool("ReRunFailedLevels")
        guard [.full, .incremental, .differential, .since].contains(plan.level) else {
            throw DirectorError(.notBuiltYet, "Backups of level \(plan.level.word) are not built yet.", remedy: "Run it as Full.")
        }
        do throws(CatalogError) {
            clientID = try catalog.syncClient(ClientRecord(client))
            fileSet = try catalog.fileSet(named: resource.name, md5: definition.md5)
            history = try catalog.history(job: plan.job.name, clientID: clientID, fileSetID: fileSet.fileSetID)
        } catch { throw DirectorError(error) }
        choice = chooseLevel(rules, history: history, now: .now)
    }

    /// The jobs whose files an accurate backup compares with.
    var accurateJobs: [JobID] {
        choice.level == .differential ? [history.full].compactMap { $0?.jobID } : history.chain.map(\.jobID)
    }
}

extension ClientLink {
    /// One packet per file of the jobs before: path, LStat, digest where the FileSet compares digests (bacula-wire 3.7).
    func sendAccurateList(of jobs: [JobID], from catalog: CatalogDatabase, withDigests: Bool) throws(DirectorError) {
        let count: Int64
        do throws(CatalogError) { count = try catalog.newestFileCount(ofJobs: jobs).files } catch { throw DirectorError(error) }
        try send("accurate files=\(count)\n")
        var broken: WireError?
        var packet: [UInt8] = []
        do throws(CatalogError) {
            try catalog.newestFiles(ofJobs: jobs) { file in
                packet.removeAll(keepingCapacity: true)
                packet += file.path
                packet += file.name
                packet.append(0)
                packet += file.lstat
                packet.append(0)
                if withDigests { packet += file.digestText }
                packet.append(0)
                packet.append(UInt8(ascii: "0"))
                do throws(WireError) { try channel.send(packet.span) } catch {
                    broken = error
                    throw error
                }
            }
        } catch {
            if let broken { throw failure(broken) }
            throw DirectorError(error)
        }
        try send(.endOfData)
    }
}
