// Pools: the configuration's, as the catalog remembers them.

import GRDB
import Platform

extension CatalogDatabase {
    /// Creates or updates all pools of the configuration in one transaction, resolving the names of scratch, recycle and
    /// next pools among them. Pools that the configuration no longer has stay.
    /// - Returns: PoolId by name.
    package func syncPools(_ pools: [PoolRecord]) throws(CatalogError) -> [String: Int64] { preconditionFailure("not built yet") }
    package func pools() throws(CatalogError) -> [PoolRecord] { preconditionFailure("not built yet") }
    package func pool(named name: String) throws(CatalogError) -> PoolRecord? { preconditionFailure("not built yet") }
    package func pool(_ poolID: Int64) throws(CatalogError) -> PoolRecord? { preconditionFailure("not built yet") }
}
