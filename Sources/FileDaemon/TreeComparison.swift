// Comparing two trees in everything that a restore promises to give back.

package import Platform

/// Compares a tree with its restored copy, entry by entry, without following symbolic links.
///
/// Compared: content, type, permission bits, owner and group, modification time to the nanosecond, targets of symbolic
/// links, which names are hard links of one file, device numbers, access and default ACLs, extended attributes, and
/// whether holes are still holes. Not compared: access and change times, inode numbers.
package struct TreeComparison: Sendable {
    /// What differs; the raw value is stable.
    package enum Aspect: String, Sendable, CaseIterable {
        /// In the source only.
        case missing
        /// In the target only.
        case unexpected
        case type, mode, owner, modifyTime = "mtime", size, content
        case linkTarget = "link-target"
        case hardLinks = "hard-links"
        case deviceNumber = "device-number"
        case acl
        case extendedAttributes = "xattr"
        /// The target takes noticeably more blocks than the source, although the contents are the same.
        case sparseness
        /// One side couldn't be read; the values say why.
        case unreadable
    }

    package struct Difference: Sendable, Hashable, CustomStringConvertible {
        /// Relative to the two roots; empty for the roots themselves.
        package var path: [UInt8]
        package var aspect: Aspect
        package var source: String
        package var target: String
        package var description: String {
            let name = path.isEmpty ? "." : printable(path)
            return switch aspect {
            case .missing: "\(name): missing"
            case .unexpected: "\(name): not in the source"
            default: "\(name): \(aspect.rawValue) is \(target), was \(source)"
            }
        }
    }

    package struct Options: Sendable {
        /// Paths relative to the roots that are left out with everything below them.
        package var ignoredPaths: Set<[UInt8]> = []
        /// Aspects that are not looked at.
        package var ignoredAspects: Set<Aspect> = []
        /// Blocks of 512 bytes that the target may take more than the source: extents are rounded and metadata differs.
        package var sparseToleranceBlocks = 128
        /// Compare modification times by whole seconds: all that a volume written by Bacula's own client has.
        package var wholeSeconds = false
        /// Ends the comparison after so many differences.
        package var differencesMax = 10_000
        package init() {}
    }

    package struct Report: Sendable {
        /// Entries compared, and bytes of content read on one side.
        package var entries = 0
        package var bytes: Int64 = 0
        package var differences: [Difference] = []
    }

    /// Compares the trees at `source` and `target`. Blocks; reads all contents.
    /// - Throws: When a root can't be opened. Trouble below is a difference.
    package static func compare(source: String, target: String, _ options: Options = Options()) throws(SystemError) -> Report {
        preconditionFailure("not built yet")
    }
}
