// One thing to save, as the walker hands it to the readers.

import Platform
import Volumes

/// An entry that the FileSet chose and the level wants. Sendable: everything in it is a value or immutable, but for the
/// link group, which only the sender touches.
struct WalkedItem: Sendable {
    /// Absolute, without a slash at its end (`/` itself excepted).
    var path: [UInt8]
    /// Its name within `parent`: the last component, or `.` for `/`.
    var name: [UInt8]
    var parent: OpenDirectory
    var metadata: FileMetadata
    var type: AttributeRecord.FileType
    var options: FileOptions
    /// The file's other names, where it has several and they are wanted as links.
    var group: LinkGroup?
    /// This is the first of those names.
    var leadsGroup = false
    /// Save only if the content's digest (base64, as in the catalog) isn't this one. Accurate mode.
    var previousDigest: String?

    /// What the record calls it: directories end in a slash.
    var savedName: [UInt8] {
        var name = stripPath(path, components: options.values.strippedComponents)
        if type.isDirectory, name.last != UInt8(ascii: "/") { name.append(UInt8(ascii: "/")) }
        return name
    }
}

/// The names of one file with several. The first that was really saved leads; the others refer to it.
///
/// Sendable: the walker only creates it and passes it on, the sender alone reads and writes what is in it.
final class LinkGroup: @unchecked Sendable {
    /// FileIndex of the saved name; 0 while there is none.
    var fileIndex: Int32 = 0
    var name: [UInt8] = []
    var digest: [UInt8] = []
}

/// What decides whether a file that the FileSet chose is saved at this level.
enum Selection: Sendable {
    case everything
    /// Files whose content or attributes changed at or after this time. The second in which the last job began counts:
    /// a change later in it would otherwise be lost.
    case changedSince(WallTime)
    /// Compared with the list of what earlier jobs saved.
    case accurate(AccurateList)
}
