// The catalog's tables, and how a file of one release becomes a file of the next.
//
// Names of tables and columns are Bacula's wherever a report may look (bacula-wire 9.3), physically for everything small
// and as views for the rows of files, which live in a compact form (FileStorage.swift, Views.swift). Times are texts in
// local time, `YYYY-MM-DD HH:MM:SS`; numbers are never NULL, so that a report's arithmetic works.
//
// A migration is numbered, never edited once released, and shows in Tests/CatalogTests/Fixtures/schema.sql.

import GRDB

enum CatalogSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("0001 tables") { db in
            try db.execute(sql: jobTables)
            try db.execute(sql: mediaTables)
            try db.execute(sql: smallTables)
            try db.execute(sql: FileStorage.tables)
            try db.execute(sql: FileViews.definitions)
            try db.execute(sql: "INSERT INTO Version (VersionId) VALUES (16)")
            for (letter, meaning, severity) in statuses {
                try db.execute(
                    sql: "INSERT INTO Status (JobStatus, JobStatusLong, Severity) VALUES (?, ?, ?)",
                    arguments: [letter, meaning, severity])
            }
        }
        return migrator
    }

    /// The columns that Job and JobHisto share.
    private static let jobColumns = """
        Job TEXT NOT NULL, Name TEXT NOT NULL, Type TEXT NOT NULL, Level TEXT NOT NULL,
            ClientId INTEGER NOT NULL DEFAULT 0, JobStatus TEXT NOT NULL,
            SchedTime TEXT, StartTime TEXT, EndTime TEXT, RealEndTime TEXT, JobTDate INTEGER NOT NULL DEFAULT 0,
            VolSessionId INTEGER NOT NULL DEFAULT 0, VolSessionTime INTEGER NOT NULL DEFAULT 0,
            JobFiles INTEGER NOT NULL DEFAULT 0, JobBytes INTEGER NOT NULL DEFAULT 0, ReadBytes INTEGER NOT NULL DEFAULT 0,
            JobErrors INTEGER NOT NULL DEFAULT 0, JobMissingFiles INTEGER NOT NULL DEFAULT 0,
            PoolId INTEGER NOT NULL DEFAULT 0, FileSetId INTEGER NOT NULL DEFAULT 0, PriorJobId INTEGER NOT NULL DEFAULT 0,
            PurgedFiles INTEGER NOT NULL DEFAULT 0, HasBase INTEGER NOT NULL DEFAULT 0, HasCache INTEGER NOT NULL DEFAULT 0,
            Reviewed INTEGER NOT NULL DEFAULT 0, Comment TEXT, FileTable TEXT NOT NULL DEFAULT 'File',
            StartTDate INTEGER NOT NULL DEFAULT 0  -- ours: StartTime in Unix seconds
        """

    // AUTOINCREMENT: the number of a deleted job must never come back, because file keys, volumes and logs carry it.
    private static let jobTables = """
        CREATE TABLE Job (
            JobId INTEGER PRIMARY KEY AUTOINCREMENT,
            \(jobColumns)
        );
        CREATE UNIQUE INDEX JobByUniqueName ON Job (Job);
        CREATE INDEX JobByClient ON Job (ClientId, FileSetId, Level);
        CREATE TABLE JobHisto (
            JobId INTEGER NOT NULL,
            \(jobColumns)
        );
        CREATE INDEX JobHistoByStart ON JobHisto (StartTime);
        CREATE TABLE Client (
            ClientId INTEGER PRIMARY KEY, Name TEXT NOT NULL UNIQUE, Uname TEXT NOT NULL DEFAULT '',
            AutoPrune INTEGER NOT NULL DEFAULT 0, FileRetention INTEGER NOT NULL DEFAULT 0, JobRetention INTEGER NOT NULL DEFAULT 0
        );
        CREATE TABLE FileSet (
            FileSetId INTEGER PRIMARY KEY, FileSet TEXT NOT NULL, MD5 TEXT NOT NULL, CreateTime TEXT
        );
        CREATE INDEX FileSetByName ON FileSet (FileSet, MD5);
        CREATE TABLE Log (LogId INTEGER PRIMARY KEY, JobId INTEGER NOT NULL, Time TEXT, LogText TEXT NOT NULL);
        CREATE INDEX LogByJob ON Log (JobId);
        """

    private static let mediaTables = """
        CREATE TABLE Pool (
            PoolId INTEGER PRIMARY KEY, Name TEXT NOT NULL UNIQUE,
            NumVols INTEGER NOT NULL DEFAULT 0, MaxVols INTEGER NOT NULL DEFAULT 0, UseOnce INTEGER NOT NULL DEFAULT 0,
            UseCatalog INTEGER NOT NULL DEFAULT 1, AcceptAnyVolume INTEGER NOT NULL DEFAULT 0,
            CacheRetention INTEGER NOT NULL DEFAULT 0, VolRetention INTEGER NOT NULL DEFAULT 0,
            VolUseDuration INTEGER NOT NULL DEFAULT 0, MaxVolJobs INTEGER NOT NULL DEFAULT 0,
            MaxVolFiles INTEGER NOT NULL DEFAULT 0, MaxVolBytes INTEGER NOT NULL DEFAULT 0,
            AutoPrune INTEGER NOT NULL DEFAULT 0, Recycle INTEGER NOT NULL DEFAULT 0, ActionOnPurge INTEGER NOT NULL DEFAULT 0,
            PoolType TEXT NOT NULL, LabelType INTEGER NOT NULL DEFAULT 0, LabelFormat TEXT NOT NULL DEFAULT '',
            Enabled INTEGER NOT NULL DEFAULT 1, ScratchPoolId INTEGER NOT NULL DEFAULT 0,
            RecyclePoolId INTEGER NOT NULL DEFAULT 0, NextPoolId INTEGER NOT NULL DEFAULT 0,
            MigrationHighBytes INTEGER NOT NULL DEFAULT 0, MigrationLowBytes INTEGER NOT NULL DEFAULT 0,
            MigrationTime INTEGER NOT NULL DEFAULT 0
        );
        CREATE TABLE Media (
            MediaId INTEGER PRIMARY KEY AUTOINCREMENT, VolumeName TEXT NOT NULL UNIQUE, Slot INTEGER NOT NULL DEFAULT 0,
            PoolId INTEGER NOT NULL DEFAULT 0, MediaType TEXT NOT NULL, MediaTypeId INTEGER NOT NULL DEFAULT 0,
            LabelType INTEGER NOT NULL DEFAULT 0, FirstWritten TEXT, LastWritten TEXT, LabelDate TEXT,
            VolJobs INTEGER NOT NULL DEFAULT 0, VolFiles INTEGER NOT NULL DEFAULT 0, VolBlocks INTEGER NOT NULL DEFAULT 0,
            LastPartBytes INTEGER NOT NULL DEFAULT 0, VolMounts INTEGER NOT NULL DEFAULT 0, VolBytes INTEGER NOT NULL DEFAULT 0,
            VolABytes INTEGER NOT NULL DEFAULT 0, VolAPadding INTEGER NOT NULL DEFAULT 0,
            VolHoleBytes INTEGER NOT NULL DEFAULT 0, VolHoles INTEGER NOT NULL DEFAULT 0, VolType INTEGER NOT NULL DEFAULT 0,
            VolParts INTEGER NOT NULL DEFAULT 0, VolCloudParts INTEGER NOT NULL DEFAULT 0,
            VolErrors INTEGER NOT NULL DEFAULT 0, VolWrites INTEGER NOT NULL DEFAULT 0,
            VolCapacityBytes INTEGER NOT NULL DEFAULT 0, VolStatus TEXT NOT NULL, Enabled INTEGER NOT NULL DEFAULT 1,
            Recycle INTEGER NOT NULL DEFAULT 0, ActionOnPurge INTEGER NOT NULL DEFAULT 0,
            CacheRetention INTEGER NOT NULL DEFAULT 0, VolRetention INTEGER NOT NULL DEFAULT 0,
            VolUseDuration INTEGER NOT NULL DEFAULT 0, MaxVolJobs INTEGER NOT NULL DEFAULT 0,
            MaxVolFiles INTEGER NOT NULL DEFAULT 0, MaxVolBytes INTEGER NOT NULL DEFAULT 0, InChanger INTEGER NOT NULL DEFAULT 0,
            StorageId INTEGER NOT NULL DEFAULT 0, DeviceId INTEGER NOT NULL DEFAULT 0, MediaAddressing INTEGER NOT NULL DEFAULT 0,
            VolReadTime INTEGER NOT NULL DEFAULT 0, VolWriteTime INTEGER NOT NULL DEFAULT 0, EndFile INTEGER NOT NULL DEFAULT 0,
            EndBlock INTEGER NOT NULL DEFAULT 0, LocationId INTEGER NOT NULL DEFAULT 0, RecycleCount INTEGER NOT NULL DEFAULT 0,
            InitialWrite TEXT, ScratchPoolId INTEGER NOT NULL DEFAULT 0, RecyclePoolId INTEGER NOT NULL DEFAULT 0, Comment TEXT
        );
        CREATE INDEX MediaByPool ON Media (PoolId);
        CREATE TABLE JobMedia (
            JobMediaId INTEGER PRIMARY KEY, JobId INTEGER NOT NULL, MediaId INTEGER NOT NULL,
            FirstIndex INTEGER NOT NULL DEFAULT 0, LastIndex INTEGER NOT NULL DEFAULT 0,
            StartFile INTEGER NOT NULL DEFAULT 0, EndFile INTEGER NOT NULL DEFAULT 0,
            StartBlock INTEGER NOT NULL DEFAULT 0, EndBlock INTEGER NOT NULL DEFAULT 0, VolIndex INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX JobMediaByJob ON JobMedia (JobId, MediaId);
        CREATE INDEX JobMediaByMedia ON JobMedia (MediaId, JobId);
        CREATE TABLE Storage (StorageId INTEGER PRIMARY KEY, Name TEXT NOT NULL UNIQUE, AutoChanger INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE MediaType (MediaTypeId INTEGER PRIMARY KEY, MediaType TEXT NOT NULL UNIQUE, ReadOnly INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE Device (
            DeviceId INTEGER PRIMARY KEY, Name TEXT NOT NULL, MediaTypeId INTEGER NOT NULL DEFAULT 0,
            StorageId INTEGER NOT NULL DEFAULT 0, DevMounts INTEGER NOT NULL DEFAULT 0,
            DevReadBytes INTEGER NOT NULL DEFAULT 0, DevWriteBytes INTEGER NOT NULL DEFAULT 0,
            DevReadBytesSinceCleaning INTEGER NOT NULL DEFAULT 0, DevWriteBytesSinceCleaning INTEGER NOT NULL DEFAULT 0,
            DevReadTime INTEGER NOT NULL DEFAULT 0, DevWriteTime INTEGER NOT NULL DEFAULT 0,
            DevReadTimeSinceCleaning INTEGER NOT NULL DEFAULT 0, DevWriteTimeSinceCleaning INTEGER NOT NULL DEFAULT 0,
            CleaningDate TEXT, CleaningPeriod INTEGER NOT NULL DEFAULT 0
        );
        CREATE TABLE Location (LocationId INTEGER PRIMARY KEY, Location TEXT NOT NULL, Cost INTEGER NOT NULL DEFAULT 0, Enabled INTEGER NOT NULL DEFAULT 1);
        CREATE TABLE LocationLog (
            LocLogId INTEGER PRIMARY KEY, Date TEXT, Comment TEXT, MediaId INTEGER NOT NULL DEFAULT 0,
            LocationId INTEGER NOT NULL DEFAULT 0, NewVolStatus TEXT, NewEnabled INTEGER NOT NULL DEFAULT 1
        );
        """

    private static let smallTables = """
        CREATE TABLE Counters (
            Counter TEXT PRIMARY KEY, MinValue INTEGER NOT NULL DEFAULT 0, MaxValue INTEGER NOT NULL DEFAULT 0,
            CurrentValue INTEGER NOT NULL DEFAULT 0, WrapCounter TEXT
        );
        CREATE TABLE RestoreObject (
            RestoreObjectId INTEGER PRIMARY KEY, ObjectName TEXT NOT NULL, RestoreObject BLOB NOT NULL, PluginName TEXT NOT NULL,
            ObjectLength INTEGER NOT NULL DEFAULT 0, ObjectFullLength INTEGER NOT NULL DEFAULT 0,
            ObjectIndex INTEGER NOT NULL DEFAULT 0, ObjectType INTEGER NOT NULL DEFAULT 0, FileIndex INTEGER NOT NULL DEFAULT 0,
            ObjectCompression INTEGER NOT NULL DEFAULT 0, JobId INTEGER NOT NULL
        );
        CREATE INDEX RestoreObjectByJob ON RestoreObject (JobId);
        CREATE TABLE BaseFiles (
            BaseId INTEGER PRIMARY KEY, BaseJobId INTEGER NOT NULL, JobId INTEGER NOT NULL, FileId INTEGER NOT NULL,
            FileIndex INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX BaseFilesByJob ON BaseFiles (JobId);
        CREATE TABLE UnsavedFiles (UnsavedId INTEGER PRIMARY KEY, JobId INTEGER NOT NULL, PathId INTEGER NOT NULL, FilenameId INTEGER NOT NULL);
        CREATE TABLE Snapshot (
            SnapshotId INTEGER PRIMARY KEY, Name TEXT NOT NULL, JobId INTEGER NOT NULL DEFAULT 0,
            FileSetId INTEGER NOT NULL DEFAULT 0, CreateTDate INTEGER NOT NULL DEFAULT 0, CreateDate TEXT,
            ClientId INTEGER NOT NULL DEFAULT 0, Volume TEXT NOT NULL DEFAULT '', Device TEXT NOT NULL DEFAULT '',
            Type TEXT NOT NULL DEFAULT '', Retention INTEGER NOT NULL DEFAULT 0, Comment TEXT
        );
        CREATE TABLE CDImages (MediaId INTEGER PRIMARY KEY, LastBurn TEXT);
        CREATE TABLE Status (JobStatus TEXT PRIMARY KEY, JobStatusLong TEXT NOT NULL, Severity INTEGER NOT NULL DEFAULT 15);
        CREATE TABLE Version (VersionId INTEGER NOT NULL);
        """

    /// Letter, meaning, severity: reports order by severity, smaller is better.
    private static let statuses: [(String, String, Int)] = [
        ("T", "Completed successfully", 10), ("W", "Completed with warnings", 20),
        ("D", "Verify found differences", 15),
        ("e", "Non-fatal error", 20), ("E", "Terminated with errors", 25), ("I", "Incomplete job", 25),
        ("A", "Canceled by user", 90), ("f", "Fatal error", 100),
        ("C", "Created, not yet running", 15), ("R", "Running", 15), ("B", "Blocked", 15),
        ("F", "Waiting for client", 15), ("S", "Waiting for storage daemon", 15), ("m", "Waiting for new media", 15),
        ("M", "Waiting for media mount", 15), ("s", "Waiting for storage resource", 15),
        ("j", "Waiting for job resource", 15),
        ("c", "Waiting for client resource", 15), ("d", "Waiting on maximum jobs", 15),
        ("t", "Waiting on start time", 15),
        ("p", "Waiting on higher priority jobs", 15), ("q", "Waiting for device", 15),
        ("a", "Despooling attributes", 15),
        ("i", "Inserting file records", 15), ("l", "Despooling data", 15), ("L", "Committing data", 15),
    ]
}
