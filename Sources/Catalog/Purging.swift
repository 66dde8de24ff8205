// Forgetting: files, jobs and volumes leave the catalog.

import GRDB
import Platform

extension CatalogDatabase {
    /// Removes a job's file rows; it can still be restored as a whole. Jobs in status R or C are refused.
    package func purgeFiles(ofJob jobID: Int64) throws(CatalogError) { preconditionFailure("not built yet") }
    /// Removes a job and everything that hangs on it: files, JobMedia, log. Jobs in status R or C are refused.
    package func deleteJob(_ jobID: Int64) throws(CatalogError) { preconditionFailure("not built yet") }
    /// Removes every job that has data on the volume and sets it Purged (and moves it to its RecyclePool).
    /// - Returns: The jobs removed.
    package func purgeVolume(_ name: String) throws(CatalogError) -> [Int64] { preconditionFailure("not built yet") }
    /// Removes the volume with its jobs.
    package func deleteVolume(_ name: String) throws(CatalogError) -> [Int64] { preconditionFailure("not built yet") }
    /// Sets the volume Purged if no JobMedia row is left on it; true when it was.
    package func markPurgedIfEmpty(_ name: String) throws(CatalogError) -> Bool { preconditionFailure("not built yet") }
    package func deletePool(_ name: String) throws(CatalogError) { preconditionFailure("not built yet") }
}
