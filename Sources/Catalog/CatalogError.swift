// What can go wrong with the catalog, as an operator meets it.

import GRDB
import Platform

/// A failed catalog operation. Whatever was acknowledged before stays; a failed verb has changed nothing.
package struct CatalogError: PresentableError, Equatable {
    package enum Kind: String, Sendable {
        /// Another program holds the file locked, for longer than the busy timeout.
        case locked = "catalog-locked"
        /// The file's structure is broken.
        case damaged = "catalog-damaged"
        /// A later release has written the file.
        case newer = "catalog-newer"
        /// A database, or some other file, that isn't our catalog.
        case foreign = "catalog-foreign"
        /// No room on the file system, or the file's own page limit is reached.
        case full = "catalog-full"
        /// The file can't be opened, read or written.
        case unreadable = "catalog-unreadable"
        /// No row of that name or number.
        case notFound = "catalog-not-found"
        /// A row of that name is there already.
        case duplicate = "catalog-duplicate"
        /// A record or an order that makes no sense; nothing was changed.
        case invalid = "catalog-invalid"
        /// SQL given by an operator that doesn't run.
        case query = "catalog-query"
        case failed = "catalog-failed"
    }
    package var kind: Kind
    package var what: String
    package var remedy: String
    package init(_ kind: Kind, _ what: String, remedy: String = "") {
        self.kind = kind
        self.what = what
        self.remedy = remedy
    }
    package var code: String { kind.rawValue }
    package var isPermanent: Bool { kind != .locked && kind != .full }

    /// What SQLite's code means to the operator of the catalog at `path`.
    init(_ error: any Error, path: String) {
        if let error = error as? CatalogError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self.init(.failed, "The catalog \(path) failed: \(error).")
            return
        }
        let reason = error.message ?? "SQLite error \(error.resultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(
                .locked, "The catalog \(path) is locked by another program.",
                remedy: "End the program that holds it (a director, or sqlite3 in a transaction), then try again.")
        case .SQLITE_CORRUPT:
            self.init(
                .damaged, "The catalog \(path) is damaged: \(reason).",
                remedy: "Stop the director and bring back the last copy of the catalog; volumes hold what is newer.")
        case .SQLITE_NOTADB:
            self.init(
                .foreign, "\(path) is not a catalog, or its first page is damaged: \(reason).",
                remedy: "Check the Catalog resource's path, or bring back the last copy of the catalog.")
        case .SQLITE_FULL:
            self.init(
                .full, "The catalog \(path) has no room to grow.",
                remedy: "Free some space on its file system, then run the job again.")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH, .SQLITE_IOERR:
            self.init(
                .unreadable, "The catalog \(path) can't be opened, read or written: \(reason).",
                remedy:
                    "Check that its directory exists, its permissions, the user that the director runs as, and the disk."
            )
        case .SQLITE_CONSTRAINT:
            self.init(.duplicate, "The catalog \(path) refuses a row: \(reason).")
        default:
            self.init(.failed, "The catalog \(path) failed: \(reason).")
        }
    }
}
