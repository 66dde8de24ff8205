// Tables for the console's `list` and `llist`, with Bacula's columns, and an operator's own SQL.

import GRDB

/// What `list` can show (bacula-wire 7.7).
package enum Listing: Sendable {
    case jobs(JobFilter), volumes(pool: String?), pools, clients, fileSets, storages
    case jobMedia(jobID: Int64?), files(jobID: Int64), jobLog(jobID: Int64), jobTotals, counters
}

extension CatalogDatabase {
    /// The rows of `list` (`long`: of `llist`).
    package func list(_ listing: Listing, long: Bool = false) throws(CatalogError) -> ResultTable { preconditionFailure("not built yet") }
    /// Runs one SELECT on a read-only connection.
    package func query(_ sql: String) throws(CatalogError) -> ResultTable { preconditionFailure("not built yet") }
}
