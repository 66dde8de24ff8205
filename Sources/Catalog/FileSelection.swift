// Finding files over a list of jobs: the newest version of each wins, and a deletion hides what is older.

import GRDB

extension CatalogDatabase {
    /// Passes the newest version of every file in `jobs` (oldest first) to `body`; deleted ones are left out.
    ///
    /// In no particular order. A name that the oldest job saved twice (overlapping File lines) may come twice, the later
    /// one last. Runs on a snapshot; memory is bounded whatever the jobs hold, by about 20 MiB.
    ///
    /// - Parameter body: Throws to stop; the error comes out as a `CatalogError`.
    package func newestFiles(ofJobs jobs: [Int64], _ body: (CatalogFile) throws -> Void) throws(CatalogError) {
        try read { db in
            var decoder = FileDecoder(db)
            try Self.newestRows(db, jobs, rememberedNamesMax) { row in
                if try !decoder.isDeleted(row) { try body(decoder.file(row)) }
            }
        }
    }

    /// How many newest versions there are, and the bytes of their contents.
    package func newestFileCount(ofJobs jobs: [Int64]) throws(CatalogError) -> (files: Int64, bytes: Int64) {
        try read { db in
            var decoder = FileDecoder(db)
            var count: (files: Int64, bytes: Int64) = (0, 0)
            try Self.newestRows(db, jobs, rememberedNamesMax) { row in
                if try decoder.isDeleted(row) { return }
                count.files += 1
                count.bytes &+= row.integer(5)
            }
            return count
        }
    }

    /// The newest version of each named file (`/etc/passwd`) or directory (`/etc/`, with or without its `/`), and with
    /// `recursive` everything below the directories. Names that aren't there are missing from the answer.
    package func files(
        named names: [[UInt8]], inJobs jobs: [Int64], recursive: Bool = false
    ) throws(CatalogError) -> [CatalogFile] {
        try read { db in
            var decoder = FileDecoder(db)
            var found: [CatalogFile] = []
            for name in names {
                let (path, last) = PathText.split(name)
                if !last.isEmpty, let pathID = try Self.pathID(db, path) {
                    try Self.newest(db, jobs, from: Self.runs(pathID: "= \(pathID)", jobs), name: last) { row in
                        if try !decoder.isDeleted(row) { found.append(try decoder.file(row)) }
                    }
                }
                let directory = last.isEmpty ? path : name + [UInt8(ascii: "/")]
                guard let pathID = try Self.pathID(db, directory) else { continue }
                let paths = recursive ? "IN (\(Self.below(pathID)))" : "= \(pathID)"
                try Self.newest(db, jobs, from: Self.runs(pathID: paths, jobs), name: recursive ? nil : []) { row in
                    if try !decoder.isDeleted(row) { found.append(try decoder.file(row)) }
                }
            }
            return found
        }
    }

    /// The newest version of everything directly in a directory (`/etc/`): the directory itself, files, and
    /// subdirectories as entries of their own path with an empty name. A subdirectory of which no job saved the
    /// directory itself, only something below, comes with FileIndex and JobId 0.
    package func directory(_ path: [UInt8], inJobs jobs: [Int64]) throws(CatalogError) -> [CatalogFile] {
        try read { db in
            guard let pathID = try Self.pathID(db, path) else { return [] }
            var decoder = FileDecoder(db)
            var found: [CatalogFile] = []
            try Self.newest(db, jobs, from: Self.runs(pathID: "= \(pathID)", jobs), name: nil) { row in
                if try !decoder.isDeleted(row) { found.append(try decoder.file(row)) }
            }
            let children = try RawStatement(db, "SELECT PathId, Name FROM PathEntry WHERE ParentId = ? ORDER BY Name")
            children.bind(1, pathID)
            while try children.step() {
                let child = children.integer(0)
                var entry: CatalogFile?
                var isGone = false
                try Self.newest(db, jobs, from: Self.runs(pathID: "= \(child)", jobs), name: []) { row in
                    isGone = try decoder.isDeleted(row)
                    entry = try decoder.file(row)
                }
                if isGone { continue }
                if let entry {
                    found.append(entry)
                } else if try Self.holdsAnything(db, child, jobs) {
                    found.append(
                        CatalogFile(
                            jobID: 0, fileIndex: 0, pathID: child, path: path + children.bytes(1), name: [],
                            status: .init(), oddLStat: nil, digest: nil, isDeleted: false))
                }
            }
            return found
        }
    }

    /// Every version of one file or directory that a client's usable backups hold, newest first.
    package func versions(of name: [UInt8], client: String) throws(CatalogError) -> [CatalogFile] {
        var filter = JobFilter()
        filter.client = client
        filter.types = ["B"]
        filter.statuses = ["T", "W"]
        return try read { [filter] db in
            let jobs = try Self.jobs(db, filter).sorted { ($0.date, $0.jobID) < ($1.date, $1.jobID) }
            var decoder = FileDecoder(db)
            var found: [CatalogFile] = []
            let (path, last) = PathText.split(name)
            guard let pathID = try Self.pathID(db, path) else { return [] }
            for job in jobs.reversed() {
                let list = [job.jobID]
                try Self.newest(db, list, from: Self.runs(pathID: "= \(pathID)", list), name: last) { row in
                    if try !decoder.isDeleted(row) { found.append(try decoder.file(row)) }
                }
            }
            return found
        }
    }

    /// The files of a job at these FileIndexes, deletions included, in the order asked for; unknown indexes are left out.
    package func files(ofJob jobID: Int64, indexes: [Int32]) throws(CatalogError) -> [CatalogFile] {
        try read { db in
            var decoder = FileDecoder(db)
            let find = try RawStatement(db, "SELECT \(FileDecoder.columns) FROM FileEntry AS f WHERE f.FileId = ?")
            var found: [CatalogFile] = []
            for index in indexes {
                find.bind(1, FileStorage.fileID(job: jobID, index: index))
                if try find.step() { found.append(try decoder.file(find)) }
                find.reset()
            }
            return found
        }
    }

    /// Adds to `selected` (FileIndexes per job) the files that selected hard links repeat: the contents are stored there.
    package func closeOverHardLinks(_ selected: inout [Int64: Set<Int32>]) throws(CatalogError) {
        let jobs = selected
        let missing: [Int64: [Int32]] = try read { db in
            var missing: [Int64: [Int32]] = [:]
            for (jobID, indexes) in jobs {
                guard let low = indexes.min(), let high = indexes.max() else { continue }
                // One pass over the range: a hard link's first name is never itself a link, so once is enough.
                let links = try RawStatement(
                    db, "SELECT FileId, LinkFI FROM FileEntry WHERE FileId BETWEEN ? AND ? AND LinkFI > 0")
                links.bind(1, FileStorage.fileID(job: jobID, index: low))
                links.bind(2, FileStorage.fileID(job: jobID, index: high))
                while try links.step() {
                    guard let target = Int32(exactly: links.integer(1)) else { continue }
                    if indexes.contains(Int32(truncatingIfNeeded: links.integer(0))), !indexes.contains(target) {
                        missing[jobID, default: []].append(target)
                    }
                }
            }
            return missing
        }
        for (jobID, indexes) in missing { selected[jobID]!.formUnion(indexes) }
    }
}

// MARK: - Statements

extension CatalogDatabase {
    /// The PathId of a directory text, component by component; nil where no job ever saved anything there.
    static func pathID(_ db: Database, _ path: [UInt8]) throws -> Int64? {
        let find = try RawStatement(db, "SELECT PathId FROM PathEntry WHERE ParentId = ? AND Name = ?")
        var id: Int64 = 0
        for component in PathText.components(of: path) {
            let found: Int64? = try unsafe path[component].withUnsafeBufferPointer { name in
                defer { find.reset() }
                find.bind(1, id)
                unsafe find.bindText(2, name)
                return try find.step() ? find.integer(0) : nil
            }
            guard let found else { return nil }
            id = found
        }
        return id
    }

    /// A directory and all directories below it, as a subquery.
    private static func below(_ pathID: Int64) -> String {
        """
        WITH RECURSIVE below (PathId) AS (
            SELECT \(pathID) UNION ALL SELECT p.PathId FROM below JOIN PathEntry AS p ON p.ParentId = below.PathId
        ) SELECT PathId FROM below
        """
    }

    /// `(JobId, Rank)` of the jobs, oldest first, as the body of a common table expression.
    private static func ranked(_ jobs: [Int64]) -> String {
        jobs.isEmpty
            ? "SELECT 0, 0 WHERE 0"
            : "VALUES " + jobs.enumerated().map { "(\($0.element),\($0.offset))" }.joined(separator: ",")
    }

    /// Rows of whole jobs.
    private static let wholeJobs =
        "CROSS JOIN FileEntry AS f ON f.FileId BETWEEN list.JobId << 32 AND list.JobId << 32 | 4294967295"

    /// Rows in directories, by the runs that hold them.
    private static func runs(pathID: String, _ jobs: [Int64]) -> String {
        """
        CROSS JOIN FileRun AS r ON r.JobId = list.JobId AND r.PathId \(pathID)
        CROSS JOIN FileEntry AS f ON f.FileId BETWEEN list.JobId << 32 | r.FirstIndex AND list.JobId << 32 | r.LastIndex
            AND f.PathId = r.PathId
        """
    }

    /// Passes the newest row of each (path, name) of whole jobs to `body`, deletions too.
    ///
    /// Usually one large full job and small ones after it: the names of the small ones are remembered, and the large one
    /// is read as it lies. Where the newer jobs are large too, SQLite sorts all rows, in a temporary file if need be; that
    /// takes twice as long.
    private static func newestRows(
        _ db: Database, _ jobs: [Int64], _ rememberedNamesMax: Int64,
        _ body: (borrowing RawStatement) throws -> Void
    ) throws {
        guard let oldest = jobs.first else { return }
        let newer = jobs.dropFirst()
        let names =
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT coalesce(sum(LastIndex - FirstIndex + 1), 0) FROM FileRun
                    WHERE JobId IN (\(newer.map(String.init).joined(separator: ",")))
                    """) ?? 0
        guard names <= rememberedNamesMax, !newer.contains(oldest) else {
            return try newest(db, jobs, from: wholeJobs, name: nil, body)
        }
        var seen: Set<RememberedName> = []
        seen.reserveCapacity(Int(names))
        for job in newer.reversed() {
            // Backwards, so that of two entries of one name in a job the later one is met first.
            let rows = try RawStatement(
                db,
                "SELECT \(FileDecoder.columns) FROM FileEntry AS f WHERE f.FileId BETWEEN ? AND ? ORDER BY f.FileId DESC"
            )
            rows.bind(1, FileStorage.fileIDs(ofJob: job).lowerBound)
            rows.bind(2, FileStorage.fileIDs(ofJob: job).upperBound)
            while try rows.step() {
                if seen.insert(RememberedName(pathID: rows.integer(1), name: rows.bytes(3))).inserted { try body(rows) }
            }
        }
        let rows = try RawStatement(
            db, "SELECT \(FileDecoder.columns) FROM FileEntry AS f WHERE f.FileId BETWEEN ? AND ?")
        rows.bind(1, FileStorage.fileIDs(ofJob: oldest).lowerBound)
        rows.bind(2, FileStorage.fileIDs(ofJob: oldest).upperBound)
        while try rows.step() {
            if seen.isEmpty || !seen.contains(RememberedName(pathID: rows.integer(1), name: rows.bytes(3))) {
                try body(rows)
            }
        }
    }

    private struct RememberedName: Hashable {
        var pathID: Int64
        var name: [UInt8]
    }

    /// Passes the newest row of each (path, name) to `body`, deletions too.
    private static func newest(
        _ db: Database, _ jobs: [Int64], from source: String, name: [UInt8]?,
        _ body: (borrowing RawStatement) throws -> Void
    ) throws {
        let rows = try RawStatement(
            db,
            """
            WITH list (JobId, Rank) AS (\(ranked(jobs)))
            SELECT \(FileDecoder.columns) FROM list \(source)
            \(name == nil ? "" : "WHERE f.Name = ?")
            ORDER BY f.PathId, f.Name, list.Rank DESC, f.FileId DESC
            """, cached: false)
        try unsafe (name ?? []).withUnsafeBufferPointer { text in
            if name != nil { unsafe rows.bindText(1, text) }
            var last: (pathID: Int64, name: [UInt8]) = (-1, [])
            while try rows.step() {
                let pathID = rows.integer(1)
                if pathID == last.pathID, rows.equals(3, last.name) { continue }
                last = (pathID, rows.bytes(3))
                try body(rows)
            }
            // The name's memory ends here.
            rows.reset()
        }
    }

    /// Whether one of the jobs saved something in the directory or below.
    private static func holdsAnything(_ db: Database, _ pathID: Int64, _ jobs: [Int64]) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: """
                WITH list (JobId, Rank) AS (\(ranked(jobs)))
                SELECT EXISTS (SELECT 1 FROM list CROSS JOIN FileRun AS r ON r.JobId = list.JobId AND r.PathId IN (\(below(pathID))))
                """)!
    }
}
