// Clients, FileSets, storages and media types: what the configuration names, remembered.

import GRDB
package import Platform

extension CatalogDatabase {
    /// Creates the client or takes its new values over. An empty `uname` keeps the one that is known.
    /// - Returns: Its ClientId.
    package func syncClient(_ client: ClientRecord) throws(CatalogError) -> Int64 {
        try write { db in
            try Int64.fetchOne(
                db,
                sql: """
                    INSERT INTO Client (Name, Uname, AutoPrune, FileRetention, JobRetention) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (Name) DO UPDATE SET Uname = CASE excluded.Uname WHEN '' THEN Uname ELSE excluded.Uname END,
                        AutoPrune = excluded.AutoPrune, FileRetention = excluded.FileRetention, JobRetention = excluded.JobRetention
                    RETURNING ClientId
                    """,
                arguments: [client.name, client.uname, client.autoPrune, client.fileRetention, client.jobRetention])!
        }
    }

    package func clients() throws(CatalogError) -> [ClientRecord] {
        try read { db in try Row.fetchAll(db, sql: "SELECT * FROM Client ORDER BY ClientId").map(ClientRecord.init) }
    }

    package func client(named name: String) throws(CatalogError) -> ClientRecord? {
        try read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM Client WHERE Name = ?", arguments: [name]).map(ClientRecord.init)
        }
    }

    /// The row of this definition of the FileSet; a new one, created `now`, where name and MD5 haven't met before.
    package func fileSet(named name: String, md5: String, now: WallTime = .now) throws(CatalogError) -> FileSetRecord {
        try write { db in
            let sql = "SELECT * FROM FileSet WHERE FileSet = ? AND MD5 = ? ORDER BY CreateTime DESC LIMIT 1"
            if let row = try Row.fetchOne(db, sql: sql, arguments: [name, md5]) { return FileSetRecord(row) }
            try db.execute(
                sql: "INSERT INTO FileSet (FileSet, MD5, CreateTime) VALUES (?, ?, ?)",
                arguments: [name, md5, now.localText])
            return FileSetRecord(
                fileSetID: db.lastInsertedRowID, name: name, md5: md5, created: WallTime(seconds: now.seconds))
        }
    }

    package func fileSets() throws(CatalogError) -> [FileSetRecord] {
        try read { db in try Row.fetchAll(db, sql: "SELECT * FROM FileSet ORDER BY FileSetId").map(FileSetRecord.init) }
    }

    /// - Returns: The StorageId of the Storage resource of that name.
    package func syncStorage(_ name: String, isAutochanger: Bool) throws(CatalogError) -> Int64 {
        try write { db in
            try Int64.fetchOne(
                db,
                sql: """
                    INSERT INTO Storage (Name, AutoChanger) VALUES (?, ?)
                    ON CONFLICT (Name) DO UPDATE SET AutoChanger = excluded.AutoChanger RETURNING StorageId
                    """, arguments: [name, isAutochanger])!
        }
    }

    /// - Returns: The MediaTypeId, of a new row where the type is new.
    package func syncMediaType(_ name: String) throws(CatalogError) -> Int64 {
        try write { db in try Self.mediaTypeID(db, name) }
    }

    static func mediaTypeID(_ db: Database, _ name: String) throws -> Int64 {
        try Int64.fetchOne(
            db,
            sql: """
                INSERT INTO MediaType (MediaType) VALUES (?)
                ON CONFLICT (MediaType) DO UPDATE SET ReadOnly = ReadOnly RETURNING MediaTypeId
                """, arguments: [name])!
    }

    /// Sets a Counter resource's row where it is missing; keeps its value where it is there.
    package func syncCounter(_ name: String, minimum: Int64, maximum: Int64, wrap: String?) throws(CatalogError) {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO Counters (Counter, MinValue, MaxValue, CurrentValue, WrapCounter) VALUES (?1, ?2, ?3, ?2, ?4)
                    ON CONFLICT (Counter) DO UPDATE SET MinValue = ?2, MaxValue = ?3, WrapCounter = ?4,
                        CurrentValue = min(max(CurrentValue, ?2), ?3)
                    """, arguments: [name, minimum, maximum, wrap])
        }
    }
}

extension ClientRecord {
    init(_ row: Row) {
        self.init(name: row["Name"])
        clientID = row["ClientId"]
        uname = row["Uname"] ?? ""
        autoPrune = row["AutoPrune"]
        fileRetention = row["FileRetention"]
        jobRetention = row["JobRetention"]
    }
}

extension FileSetRecord {
    init(_ row: Row) {
        self.init(
            fileSetID: row["FileSetId"], name: row["FileSet"], md5: row["MD5"], created: row.time("CreateTime"))
    }
}
