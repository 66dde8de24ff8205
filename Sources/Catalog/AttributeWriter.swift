// From the storage daemon's UpdCat packets to rows: batches of attributes, one transaction each.

import Platform
package import Volumes

/// Takes one job's attribute and digest records in the order they arrive and stores them in batches.
///
/// Used by one task. `flush` before the job ends: what is not flushed is not in the catalog.
package final class AttributeWriter {
    package let jobID: Int64
    /// Attribute records taken so far, and those among them that mark deletions.
    package private(set) var files: Int64 = 0
    package private(set) var deleted: Int64 = 0

    init(catalog: CatalogDatabase, jobID: Int64) {
        self.jobID = jobID
    }

    /// Takes one record: stream 1 or 5 (attributes), 3, 10, 17, 18 (digest of the attributes with the same FileIndex that
    /// came just before), 28 (restore object). Stores a batch when enough has come together.
    ///
    /// - Throws: `.invalid` for a malformed record, which should end the job; else what the database says.
    package func add(stream: StreamNumber, fileIndex: Int32, record: Span<UInt8>) throws(CatalogError) {
        preconditionFailure("not built yet")
    }

    /// Stores what has come so far; it is on the medium when this returns.
    package func flush() throws(CatalogError) { preconditionFailure("not built yet") }
}

extension CatalogDatabase {
    package func attributeWriter(forJob jobID: Int64) -> AttributeWriter { AttributeWriter(catalog: self, jobID: jobID) }
}
