// Bootstraps: which records, on which volumes, give back a selection of files (bacula-wire 6.9).

import Platform

/// Files of jobs to be read back.
package struct BootstrapSelection: Sendable {
    /// In the order to be read. nil indexes: the whole job.
    package var jobs: [(jobID: Int64, fileIndexes: Set<Int32>?)]
    package init(jobs: [(jobID: Int64, fileIndexes: Set<Int32>?)] = []) { self.jobs = jobs }
}

/// A bootstrap, and what reading it will take.
package struct CatalogBootstrap: Sendable, Hashable {
    /// The lines, each ended by a newline.
    package var text: String
    /// FileIndexes selected.
    package var files: Int64
    /// In the order they are needed, each once.
    package var volumes: [JobMediaRecord]
}

extension CatalogDatabase {
    /// Builds the bootstrap of a selection.
    ///
    /// - Parameters:
    ///   - storage: Names of the Storage resource and its device for a volume's media type; nil leaves those lines out.
    /// - Throws: `.notFound` when a job has no JobMedia (its volumes were purged or it wrote nothing).
    package func bootstrap(
        for selection: BootstrapSelection, storage: (_ volume: JobMediaRecord) -> (storage: String, device: String)?
    ) throws(CatalogError) -> CatalogBootstrap { preconditionFailure("not built yet") }
}
