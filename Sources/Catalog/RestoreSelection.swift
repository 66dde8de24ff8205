// Which jobs, and which of their files, a restore or an incremental stands on (bacula-wire 9.4).

package import Platform

/// What a new job's level and since-time are decided from.
package struct BackupHistory: Sendable, Hashable {
    /// Newest usable jobs of this name, client and FileSet; a differential and incrementals only after that full.
    package var full: JobRecord?
    package var differential: JobRecord?
    package var incrementals: [JobRecord]
    /// The newest backup of that name failed or was cancelled after the last usable one at this level or a higher one;
    /// for RerunFailedLevels.
    package var failedLevel: Character?
    /// A Full of the same FileSet name with another definition is there: the FileSet was changed.
    package var fileSetChanged: Bool

    /// Full, differential, incrementals: what a restore reads, oldest first.
    package var chain: [JobRecord] { ([full, differential].compactMap { $0 }) + incrementals }
    /// The job whose StartTime an incremental counts from, and a differential.
    package var newest: JobRecord? { chain.last }
}

extension CatalogDatabase {
    /// The history that decides level and since-time of the next backup. Jobs count when status is T or W and they belong to the same
    /// resource, client and FileSet definition.
    ///
    /// - Parameter fileSetID: Of the FileSet as it is defined now.
    package func history(job name: String, clientID: Int64, fileSetID: Int64, before: WallTime? = nil) throws(CatalogError) -> BackupHistory {
        preconditionFailure("not built yet")
    }

    /// The jobs to restore for the most recent backup of a client, optionally as of `before`: full, differential, incrementals, oldest first.
    /// Empty where there is no full.
    ///
    /// - Parameter fileSet: Name of the FileSet; any definition of it.
    package func restoreChain(client: String, fileSet: String, before: WallTime? = nil, pool: String? = nil) throws(CatalogError) -> [JobRecord] {
        preconditionFailure("not built yet")
    }

    /// FileSet names of which the client has a usable full backup: the choices of a restore.
    package func restorableFileSets(client: String) throws(CatalogError) -> [String] { preconditionFailure("not built yet") }

    /// Passes the newest version of every file in `jobs` (oldest first) to `body`; deleted ones are left out.
    /// In the order of PathId and name for several jobs, of FileIndex for one. Runs on a snapshot and holds no rows in memory.
    ///
    /// - Parameter body: Throws to stop.
    package func newestFiles(ofJobs jobs: [Int64], _ body: (CatalogFile) throws -> Void) throws(CatalogError) { preconditionFailure("not built yet") }

    /// How many newest versions there are, and their bytes.
    package func newestFileCount(ofJobs jobs: [Int64]) throws(CatalogError) -> (files: Int64, bytes: Int64) { preconditionFailure("not built yet") }

    /// The newest version of each named file (`/etc/passwd`), or directory (`/etc/`), and with `recursive` everything
    /// below the directories. Names that aren't there are simply missing.
    package func files(named names: [[UInt8]], inJobs jobs: [Int64], recursive: Bool) throws(CatalogError) -> [CatalogFile] { preconditionFailure("not built yet") }

    /// The newest version of everything directly in a directory (`/etc/`): files with names, subdirectories by their full path.
    package func directory(_ path: [UInt8], inJobs jobs: [Int64]) throws(CatalogError) -> [CatalogFile] { preconditionFailure("not built yet") }

    /// Every version of one file of a client, newest first.
    package func versions(of name: [UInt8], client: String) throws(CatalogError) -> [CatalogFile] { preconditionFailure("not built yet") }

    /// The rows of these FileIndexes of a job, in their order.
    package func files(ofJob jobID: Int64, indexes: [Int32]) throws(CatalogError) -> [CatalogFile] { preconditionFailure("not built yet") }

    /// Adds to `selected` (FileIndexes per job) the files that selected hard links repeat: their contents are stored there.
    package func closeOverHardLinks(_ selected: inout [Int64: Set<Int32>]) throws(CatalogError) { preconditionFailure("not built yet") }
}
