// The catalog: the director's memory of jobs, files, volumes and everything between them, in one SQLite file.
//
// What is on disk: Schema.swift (tables), FileStorage.swift (the compact rows of files), Views.swift (Bacula's tables over
// them). The verbs are grouped by what they are about: Jobs.swift, Clients.swift, Pools.swift, Media.swift, …
//
// Durability. The file is in WAL mode with synchronous=FULL: a commit returns after the log is on the medium. That holds
// for file rows too: a batch of thousands shares one fsync, so NORMAL would gain nothing that matters, and with FULL no verb
// that returned can be undone by a power cut.
//
// Who waits for whom:
//
// | who                       | holds                                             |
// |---------------------------|---------------------------------------------------|
// | a verb that changes       | GRDB's one writer connection, one transaction      |
// | a verb that looks         | one of the reader connections, a snapshot           |
// | a program outside         | SQLite's file locks; we wait `busyTimeout` for them |
//
// A reader never waits for the writer. A reader that walks millions of rows only keeps the log from being folded back
// into the file meanwhile.

import GRDB
import Platform

/// An open catalog. Verbs block the calling thread until the disk has answered.
package final class CatalogDatabase: Sendable {
    package struct Options: Sendable {
        /// How long to wait for a lock that another program holds.
        package var busyTimeout: Duration = .seconds(10)
        /// Reader connections at once; one more waits.
        package var readersMax = 8
        /// Files up to this size are checked page by page when opened; larger ones by `checkIntegrity` on request. Half a
        /// gigabyte takes a few seconds and holds some six million files.
        package var checkedBytesMax: Int64 = 512 << 20
        /// Names of newer jobs that a selection remembers while it reads older ones: about 100 bytes each, so 20 MiB.
        package var rememberedNamesMax: Int64 = 200_000
        /// Pages the file may grow to; 0 is SQLite's own limit. For tests of a full disk.
        package var pagesMax = 0
        package init() {}
    }

    package let path: String
    let pool: DatabasePool
    let rememberedNamesMax: Int64

    /// Opens or creates the catalog at `path`, checks it and brings its schema up to date.
    package init(path: String, options: Options = Options()) throws(CatalogError) {
        self.path = path
        rememberedNamesMax = options.rememberedNamesMax
        do { pool = try Self.open(path, options) } catch { throw CatalogError(error, path: path) }
    }

    /// Folds the log into the file and closes it. Every later verb throws.
    package func close() throws(CatalogError) {
        do {
            try pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
            try pool.close()
        } catch { throw CatalogError(error, path: path) }
    }

    /// Checks every page and every index. Takes as long as reading the file twice.
    package func checkIntegrity() throws(CatalogError) {
        try read { db in try Self.check(db, pragma: "integrity_check", path: path) }
    }

    /// Runs `body` on a snapshot.
    func read<T>(_ body: (Database) throws -> T) throws(CatalogError) -> T {
        do { return try pool.read(body) } catch { throw CatalogError(error, path: path) }
    }

    /// Runs `body` in one transaction, which is on the medium when this returns and undone when it throws.
    func write<T>(_ body: (Database) throws -> T) throws(CatalogError) -> T {
        do { return try pool.write(body) } catch { throw CatalogError(error, path: path) }
    }
}

// MARK: - Opening

extension CatalogDatabase {
    /// In the file's header, so that file(1) and we can tell a catalog from other databases: "APCT".
    static let applicationID: Int32 = 0x4150_4354

    private static func open(_ path: String, _ options: Options) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.label = "catalog"
        let (seconds, attoseconds) = options.busyTimeout.components
        configuration.busyMode = .timeout(Double(seconds) + Double(attoseconds) / 1e18)
        configuration.maximumReaderCount = options.readersMax
        configuration.prepareDatabase { db in
            // 16 MiB of pages per connection: the inner pages of a catalog of a hundred million files.
            try db.execute(sql: "PRAGMA cache_size = -16384")
        }
        let pool: DatabasePool
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
        } catch let error as DatabaseError
            where error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
        {
            throw CatalogError(error, path: path)
        }
        try pool.writeWithoutTransaction { db in
            // GRDB sets NORMAL when it turns WAL on; see the head of this file.
            try db.execute(sql: "PRAGMA synchronous = FULL")
            // Fold the log back every 16 MiB rather than every 4: a batch of files is about one.
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 4096")
            if options.pagesMax > 0 { _ = try Int.fetchOne(db, sql: "PRAGMA max_page_count = \(options.pagesMax)") }
            try identify(db, path: path)
            let pages =
                try Int64.fetchOne(db, sql: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
                ?? 0
            if pages <= options.checkedBytesMax { try check(db, pragma: "quick_check", path: path) }
        }
        let migrator = CatalogSchema.migrator
        if try pool.read({ db in try migrator.hasBeenSuperseded(db) }) {
            throw CatalogError(
                .newer, "The catalog \(path) was written by a later release.",
                remedy:
                    "Install that release or a later one again, or use the copy of the catalog made before the upgrade."
            )
        }
        try migrator.migrate(pool)
        return pool
    }

    /// Refuses databases that aren't ours, and marks a new one.
    private static func identify(_ db: Database, path: String) throws {
        let id = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        if id == applicationID { return }
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        guard id == 0, tables == 0 else {
            throw CatalogError(
                .foreign, "\(path) is another program's database, not a catalog of ours.",
                remedy: "Give the Catalog resource a path of its own; it will be created.")
        }
        try db.execute(sql: "PRAGMA application_id = \(applicationID)")
    }

    private static func check(_ db: Database, pragma: String, path: String) throws {
        let findings = try String.fetchAll(db, sql: "PRAGMA \(pragma)(3)")
        guard findings == ["ok"] else {
            throw CatalogError(
                .damaged, "The catalog \(path) is damaged: \(findings.joined(separator: "; ")).",
                remedy: "Stop the director and bring back the last copy of the catalog; volumes hold what is newer.")
        }
    }
}
