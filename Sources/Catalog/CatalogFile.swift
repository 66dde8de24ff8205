// A file as the catalog remembers it.

package import Volumes

/// One version of one file, as a job saved it.
package struct CatalogFile: Sendable, Hashable {
    package var jobID: Int64
    /// Real index in the job, for deleted entries too.
    package var fileIndex: Int32
    package var pathID: Int64
    /// Directory with its trailing `/`, as bytes.
    package var path: [UInt8]
    /// Empty for the directory itself.
    package var name: [UInt8]
    /// The LStat text exactly as it came.
    package var lstat: [UInt8]
    package var status: FileStatus
    /// Raw bytes; nil where the file has none.
    package var digest: [UInt8]?
    /// Gone since the previous job (accurate mode).
    package var isDeleted: Bool

    package var isDirectory: Bool { name.isEmpty }
    package var fullName: [UInt8] { path + name }
    /// FileIndex, in the same job, of the file that this hard link repeats; nil for others.
    package var linkFileIndex: Int32? {
        status.linkFileIndex > 0 && status.linkFileIndex <= Int64(Int32.max) ? Int32(status.linkFileIndex) : nil
    }
    /// The digest in base64 without padding, or `0`: the MD5 column, and the word of an accurate list.
    package var digestText: [UInt8] { preconditionFailure("not built yet") }
}
