CREATE INDEX BaseFilesByJob ON BaseFiles (JobId);
CREATE INDEX FileSetByName ON FileSet (FileSet, MD5);
CREATE INDEX JobByClient ON Job (ClientId, FileSetId, Level);
CREATE UNIQUE INDEX JobByUniqueName ON Job (Job);
CREATE INDEX JobHistoByStart ON JobHisto (StartTime);
CREATE INDEX JobMediaByJob ON JobMedia (JobId, MediaId);
CREATE INDEX JobMediaByMedia ON JobMedia (MediaId, JobId);
CREATE INDEX LogByJob ON Log (JobId);
CREATE INDEX MediaByPool ON Media (PoolId);
CREATE UNIQUE INDEX PathEntryByName ON PathEntry (ParentId, Name);
CREATE INDEX RestoreObjectByJob ON RestoreObject (JobId);
CREATE UNIQUE INDEX StatShapeByText ON StatShape (Device, Middle, BlockSize, Tail, Deleted);
CREATE TABLE BaseFiles (
    BaseId INTEGER PRIMARY KEY, BaseJobId INTEGER NOT NULL, JobId INTEGER NOT NULL, FileId INTEGER NOT NULL,
    FileIndex INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE CDImages (MediaId INTEGER PRIMARY KEY, LastBurn TEXT);
CREATE TABLE Client (
    ClientId INTEGER PRIMARY KEY, Name TEXT NOT NULL UNIQUE, Uname TEXT NOT NULL DEFAULT '',
    AutoPrune INTEGER NOT NULL DEFAULT 0, FileRetention INTEGER NOT NULL DEFAULT 0, JobRetention INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE Counters (
    Counter TEXT PRIMARY KEY, MinValue INTEGER NOT NULL DEFAULT 0, MaxValue INTEGER NOT NULL DEFAULT 0,
    CurrentValue INTEGER NOT NULL DEFAULT 0, WrapCounter TEXT
);
CREATE TABLE Device (
    DeviceId INTEGER PRIMARY KEY, Name TEXT NOT NULL, MediaTypeId INTEGER NOT NULL DEFAULT 0,
    StorageId INTEGER NOT NULL DEFAULT 0, DevMounts INTEGER NOT NULL DEFAULT 0,
    DevReadBytes INTEGER NOT NULL DEFAULT 0, DevWriteBytes INTEGER NOT NULL DEFAULT 0,
    DevReadBytesSinceCleaning INTEGER NOT NULL DEFAULT 0, DevWriteBytesSinceCleaning INTEGER NOT NULL DEFAULT 0,
    DevReadTime INTEGER NOT NULL DEFAULT 0, DevWriteTime INTEGER NOT NULL DEFAULT 0,
    DevReadTimeSinceCleaning INTEGER NOT NULL DEFAULT 0, DevWriteTimeSinceCleaning INTEGER NOT NULL DEFAULT 0,
    CleaningDate TEXT, CleaningPeriod INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE FileEntry (
    FileId INTEGER PRIMARY KEY,  -- JobId << 32 | FileIndex
    PathId INTEGER NOT NULL, ShapeId INTEGER NOT NULL, Name TEXT NOT NULL,
    Inode INTEGER NOT NULL, Size INTEGER NOT NULL, Blocks INTEGER, AccessTime INTEGER, ModifyTime INTEGER,
    ChangeTime INTEGER NOT NULL, LinkFI INTEGER NOT NULL, Digest BLOB
);
CREATE TABLE FileExtra (FileId INTEGER PRIMARY KEY, LStat TEXT, DeltaSeq INTEGER NOT NULL DEFAULT 0);
CREATE TABLE FileRun (
    JobId INTEGER NOT NULL, PathId INTEGER NOT NULL, FirstIndex INTEGER NOT NULL, LastIndex INTEGER NOT NULL,
    PRIMARY KEY (JobId, PathId, FirstIndex)
) WITHOUT ROWID;
CREATE TABLE FileSet (
    FileSetId INTEGER PRIMARY KEY, FileSet TEXT NOT NULL, MD5 TEXT NOT NULL, CreateTime TEXT
);
CREATE TABLE Job (
    JobId INTEGER PRIMARY KEY AUTOINCREMENT,
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
);
CREATE TABLE JobHisto (
    JobId INTEGER NOT NULL,
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
);
CREATE TABLE JobMedia (
    JobMediaId INTEGER PRIMARY KEY, JobId INTEGER NOT NULL, MediaId INTEGER NOT NULL,
    FirstIndex INTEGER NOT NULL DEFAULT 0, LastIndex INTEGER NOT NULL DEFAULT 0,
    StartFile INTEGER NOT NULL DEFAULT 0, EndFile INTEGER NOT NULL DEFAULT 0,
    StartBlock INTEGER NOT NULL DEFAULT 0, EndBlock INTEGER NOT NULL DEFAULT 0, VolIndex INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE Location (LocationId INTEGER PRIMARY KEY, Location TEXT NOT NULL, Cost INTEGER NOT NULL DEFAULT 0, Enabled INTEGER NOT NULL DEFAULT 1);
CREATE TABLE LocationLog (
    LocLogId INTEGER PRIMARY KEY, Date TEXT, Comment TEXT, MediaId INTEGER NOT NULL DEFAULT 0,
    LocationId INTEGER NOT NULL DEFAULT 0, NewVolStatus TEXT, NewEnabled INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE Log (LogId INTEGER PRIMARY KEY, JobId INTEGER NOT NULL, Time TEXT, LogText TEXT NOT NULL);
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
CREATE TABLE MediaType (MediaTypeId INTEGER PRIMARY KEY, MediaType TEXT NOT NULL UNIQUE, ReadOnly INTEGER NOT NULL DEFAULT 0);
CREATE TABLE PathEntry (PathId INTEGER PRIMARY KEY, ParentId INTEGER NOT NULL, Name TEXT NOT NULL);
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
CREATE TABLE RestoreObject (
    RestoreObjectId INTEGER PRIMARY KEY, ObjectName TEXT NOT NULL, RestoreObject BLOB NOT NULL, PluginName TEXT NOT NULL,
    ObjectLength INTEGER NOT NULL DEFAULT 0, ObjectFullLength INTEGER NOT NULL DEFAULT 0,
    ObjectIndex INTEGER NOT NULL DEFAULT 0, ObjectType INTEGER NOT NULL DEFAULT 0, FileIndex INTEGER NOT NULL DEFAULT 0,
    ObjectCompression INTEGER NOT NULL DEFAULT 0, JobId INTEGER NOT NULL
);
CREATE TABLE Snapshot (
    SnapshotId INTEGER PRIMARY KEY, Name TEXT NOT NULL, JobId INTEGER NOT NULL DEFAULT 0,
    FileSetId INTEGER NOT NULL DEFAULT 0, CreateTDate INTEGER NOT NULL DEFAULT 0, CreateDate TEXT,
    ClientId INTEGER NOT NULL DEFAULT 0, Volume TEXT NOT NULL DEFAULT '', Device TEXT NOT NULL DEFAULT '',
    Type TEXT NOT NULL DEFAULT '', Retention INTEGER NOT NULL DEFAULT 0, Comment TEXT
);
CREATE TABLE StatShape (
    ShapeId INTEGER PRIMARY KEY,
    Device TEXT NOT NULL,     -- st_dev; empty: the LStat is in FileExtra
    Middle TEXT NOT NULL,     -- st_mode st_nlink st_uid st_gid st_rdev
    BlockSize TEXT NOT NULL,  -- st_blksize
    Tail TEXT NOT NULL,       -- flags, data stream, and what else follows LinkFI, with the space before it
    Deleted INTEGER NOT NULL  -- 1: gone since the previous job
);
CREATE TABLE Status (JobStatus TEXT PRIMARY KEY, JobStatusLong TEXT NOT NULL, Severity INTEGER NOT NULL DEFAULT 15);
CREATE TABLE Storage (StorageId INTEGER PRIMARY KEY, Name TEXT NOT NULL UNIQUE, AutoChanger INTEGER NOT NULL DEFAULT 0);
CREATE TABLE UnsavedFiles (UnsavedId INTEGER PRIMARY KEY, JobId INTEGER NOT NULL, PathId INTEGER NOT NULL, FilenameId INTEGER NOT NULL);
CREATE TABLE Version (VersionId INTEGER NOT NULL);
CREATE VIEW File AS
SELECT f.FileId AS FileId, CASE s.Deleted WHEN 0 THEN f.FileId & 4294967295 ELSE 0 END AS FileIndex,
    f.FileId >> 32 AS JobId, f.PathId AS PathId, f.FileId AS FilenameId, coalesce(x.DeltaSeq, 0) AS DeltaSeq, 0 AS MarkId,
    coalesce(x.LStat,
        s.Device || ' ' || CASE WHEN f.Inode BETWEEN 0 AND 63 THEN substr(d.Digits, f.Inode + 1, 1)
            WHEN f.Inode BETWEEN 64 AND 68719476735 THEN ltrim(substr(d.Digits, (f.Inode >> 30 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 24 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 18 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 12 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 6 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 0 & 63) + 1, 1), 'A')
            WHEN f.Inode < 0 THEN '-' || ltrim(substr(d.Digits, (-f.Inode >> 60 & 63) + 1, 1) || substr(d.Digits, (-f.Inode >> 54 & 63) + 1, 1) || substr(d.Digits, (-f.Inode >> 48 & 63) + 1, 1) || substr(d.Digits, (-f.Inode >> 42 & 63) + 1, 1) || substr(d.Digits, (-f.Inode >> 36 & 63) + 1, 1) || substr(d.Digits, (-f.Inode >> 30 & 63) + 1, 1) || substr(d.Digits, (-f.Inode >> 24 & 63) + 1, 1) || substr(d.Digits, (-f.Inode >> 18 & 63) + 1, 1) || substr(d.Digits, (-f.Inode >> 12 & 63) + 1, 1) || substr(d.Digits, (-f.Inode >> 6 & 63) + 1, 1) || substr(d.Digits, (-f.Inode >> 0 & 63) + 1, 1), 'A')
            ELSE ltrim(substr(d.Digits, (f.Inode >> 60 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 54 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 48 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 42 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 36 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 30 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 24 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 18 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 12 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 6 & 63) + 1, 1) || substr(d.Digits, (f.Inode >> 0 & 63) + 1, 1), 'A') END
        || ' ' || s.Middle || ' ' || CASE WHEN f.Size BETWEEN 0 AND 63 THEN substr(d.Digits, f.Size + 1, 1)
            WHEN f.Size BETWEEN 64 AND 68719476735 THEN ltrim(substr(d.Digits, (f.Size >> 30 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 24 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 18 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 12 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 6 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 0 & 63) + 1, 1), 'A')
            WHEN f.Size < 0 THEN '-' || ltrim(substr(d.Digits, (-f.Size >> 60 & 63) + 1, 1) || substr(d.Digits, (-f.Size >> 54 & 63) + 1, 1) || substr(d.Digits, (-f.Size >> 48 & 63) + 1, 1) || substr(d.Digits, (-f.Size >> 42 & 63) + 1, 1) || substr(d.Digits, (-f.Size >> 36 & 63) + 1, 1) || substr(d.Digits, (-f.Size >> 30 & 63) + 1, 1) || substr(d.Digits, (-f.Size >> 24 & 63) + 1, 1) || substr(d.Digits, (-f.Size >> 18 & 63) + 1, 1) || substr(d.Digits, (-f.Size >> 12 & 63) + 1, 1) || substr(d.Digits, (-f.Size >> 6 & 63) + 1, 1) || substr(d.Digits, (-f.Size >> 0 & 63) + 1, 1), 'A')
            ELSE ltrim(substr(d.Digits, (f.Size >> 60 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 54 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 48 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 42 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 36 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 30 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 24 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 18 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 12 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 6 & 63) + 1, 1) || substr(d.Digits, (f.Size >> 0 & 63) + 1, 1), 'A') END
        || ' ' || s.BlockSize || ' ' || CASE WHEN coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) BETWEEN 0 AND 63 THEN substr(d.Digits, coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) + 1, 1)
            WHEN coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) BETWEEN 64 AND 68719476735 THEN ltrim(substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 30 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 24 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 18 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 12 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 6 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 0 & 63) + 1, 1), 'A')
            WHEN coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) < 0 THEN '-' || ltrim(substr(d.Digits, (-coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 60 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 54 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 48 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 42 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 36 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 30 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 24 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 18 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 12 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 6 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 0 & 63) + 1, 1), 'A')
            ELSE ltrim(substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 60 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 54 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 48 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 42 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 36 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 30 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 24 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 18 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 12 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 6 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.Blocks, (f.Size + 4095) / 4096 * 8) >> 0 & 63) + 1, 1), 'A') END
        || ' ' || CASE WHEN coalesce(f.AccessTime, f.ChangeTime) BETWEEN 0 AND 63 THEN substr(d.Digits, coalesce(f.AccessTime, f.ChangeTime) + 1, 1)
            WHEN coalesce(f.AccessTime, f.ChangeTime) BETWEEN 64 AND 68719476735 THEN ltrim(substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 30 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 24 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 18 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 12 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 6 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 0 & 63) + 1, 1), 'A')
            WHEN coalesce(f.AccessTime, f.ChangeTime) < 0 THEN '-' || ltrim(substr(d.Digits, (-coalesce(f.AccessTime, f.ChangeTime) >> 60 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.AccessTime, f.ChangeTime) >> 54 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.AccessTime, f.ChangeTime) >> 48 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.AccessTime, f.ChangeTime) >> 42 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.AccessTime, f.ChangeTime) >> 36 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.AccessTime, f.ChangeTime) >> 30 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.AccessTime, f.ChangeTime) >> 24 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.AccessTime, f.ChangeTime) >> 18 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.AccessTime, f.ChangeTime) >> 12 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.AccessTime, f.ChangeTime) >> 6 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.AccessTime, f.ChangeTime) >> 0 & 63) + 1, 1), 'A')
            ELSE ltrim(substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 60 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 54 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 48 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 42 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 36 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 30 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 24 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 18 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 12 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 6 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.AccessTime, f.ChangeTime) >> 0 & 63) + 1, 1), 'A') END
        || ' ' || CASE WHEN coalesce(f.ModifyTime, f.ChangeTime) BETWEEN 0 AND 63 THEN substr(d.Digits, coalesce(f.ModifyTime, f.ChangeTime) + 1, 1)
            WHEN coalesce(f.ModifyTime, f.ChangeTime) BETWEEN 64 AND 68719476735 THEN ltrim(substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 30 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 24 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 18 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 12 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 6 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 0 & 63) + 1, 1), 'A')
            WHEN coalesce(f.ModifyTime, f.ChangeTime) < 0 THEN '-' || ltrim(substr(d.Digits, (-coalesce(f.ModifyTime, f.ChangeTime) >> 60 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.ModifyTime, f.ChangeTime) >> 54 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.ModifyTime, f.ChangeTime) >> 48 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.ModifyTime, f.ChangeTime) >> 42 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.ModifyTime, f.ChangeTime) >> 36 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.ModifyTime, f.ChangeTime) >> 30 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.ModifyTime, f.ChangeTime) >> 24 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.ModifyTime, f.ChangeTime) >> 18 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.ModifyTime, f.ChangeTime) >> 12 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.ModifyTime, f.ChangeTime) >> 6 & 63) + 1, 1) || substr(d.Digits, (-coalesce(f.ModifyTime, f.ChangeTime) >> 0 & 63) + 1, 1), 'A')
            ELSE ltrim(substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 60 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 54 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 48 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 42 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 36 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 30 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 24 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 18 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 12 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 6 & 63) + 1, 1) || substr(d.Digits, (coalesce(f.ModifyTime, f.ChangeTime) >> 0 & 63) + 1, 1), 'A') END
        || ' ' || CASE WHEN f.ChangeTime BETWEEN 0 AND 63 THEN substr(d.Digits, f.ChangeTime + 1, 1)
            WHEN f.ChangeTime BETWEEN 64 AND 68719476735 THEN ltrim(substr(d.Digits, (f.ChangeTime >> 30 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 24 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 18 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 12 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 6 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 0 & 63) + 1, 1), 'A')
            WHEN f.ChangeTime < 0 THEN '-' || ltrim(substr(d.Digits, (-f.ChangeTime >> 60 & 63) + 1, 1) || substr(d.Digits, (-f.ChangeTime >> 54 & 63) + 1, 1) || substr(d.Digits, (-f.ChangeTime >> 48 & 63) + 1, 1) || substr(d.Digits, (-f.ChangeTime >> 42 & 63) + 1, 1) || substr(d.Digits, (-f.ChangeTime >> 36 & 63) + 1, 1) || substr(d.Digits, (-f.ChangeTime >> 30 & 63) + 1, 1) || substr(d.Digits, (-f.ChangeTime >> 24 & 63) + 1, 1) || substr(d.Digits, (-f.ChangeTime >> 18 & 63) + 1, 1) || substr(d.Digits, (-f.ChangeTime >> 12 & 63) + 1, 1) || substr(d.Digits, (-f.ChangeTime >> 6 & 63) + 1, 1) || substr(d.Digits, (-f.ChangeTime >> 0 & 63) + 1, 1), 'A')
            ELSE ltrim(substr(d.Digits, (f.ChangeTime >> 60 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 54 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 48 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 42 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 36 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 30 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 24 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 18 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 12 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 6 & 63) + 1, 1) || substr(d.Digits, (f.ChangeTime >> 0 & 63) + 1, 1), 'A') END
        || ' ' || CASE WHEN f.LinkFI BETWEEN 0 AND 63 THEN substr(d.Digits, f.LinkFI + 1, 1)
            WHEN f.LinkFI BETWEEN 64 AND 68719476735 THEN ltrim(substr(d.Digits, (f.LinkFI >> 30 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 24 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 18 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 12 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 6 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 0 & 63) + 1, 1), 'A')
            WHEN f.LinkFI < 0 THEN '-' || ltrim(substr(d.Digits, (-f.LinkFI >> 60 & 63) + 1, 1) || substr(d.Digits, (-f.LinkFI >> 54 & 63) + 1, 1) || substr(d.Digits, (-f.LinkFI >> 48 & 63) + 1, 1) || substr(d.Digits, (-f.LinkFI >> 42 & 63) + 1, 1) || substr(d.Digits, (-f.LinkFI >> 36 & 63) + 1, 1) || substr(d.Digits, (-f.LinkFI >> 30 & 63) + 1, 1) || substr(d.Digits, (-f.LinkFI >> 24 & 63) + 1, 1) || substr(d.Digits, (-f.LinkFI >> 18 & 63) + 1, 1) || substr(d.Digits, (-f.LinkFI >> 12 & 63) + 1, 1) || substr(d.Digits, (-f.LinkFI >> 6 & 63) + 1, 1) || substr(d.Digits, (-f.LinkFI >> 0 & 63) + 1, 1), 'A')
            ELSE ltrim(substr(d.Digits, (f.LinkFI >> 60 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 54 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 48 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 42 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 36 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 30 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 24 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 18 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 12 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 6 & 63) + 1, 1) || substr(d.Digits, (f.LinkFI >> 0 & 63) + 1, 1), 'A') END || s.Tail
    ) AS LStat,
    CASE WHEN f.Digest IS NULL THEN '0' ELSE (
    WITH RECURSIVE part (n, Hex, Text) AS (
        SELECT 1, hex(f.Digest) || '00', ''
        UNION ALL SELECT n + 3, Hex, Text
            || substr(d.Digits, instr('123456789ABCDEF', substr(Hex, n, 1)) * 4 + instr('123456789ABCDEF', substr(Hex, n + 1, 1)) / 4 + 1, 1)
            || substr(d.Digits, instr('123456789ABCDEF', substr(Hex, n + 1, 1)) % 4 * 16 + instr('123456789ABCDEF', substr(Hex, n + 2, 1)) + 1, 1)
        FROM part WHERE n + 2 <= length(Hex)
    ) SELECT substr(Text, 1, (length(f.Digest) * 4 + 2) / 3) FROM part ORDER BY n DESC LIMIT 1
) END AS MD5, f.Name AS Filename
FROM FileEntry AS f JOIN StatShape AS s USING (ShapeId) LEFT JOIN FileExtra AS x USING (FileId)
CROSS JOIN (SELECT 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/' AS Digits) AS d;
CREATE VIEW Filename AS SELECT FileId AS FilenameId, Name FROM FileEntry;
CREATE VIEW Path AS
SELECT e.PathId AS PathId, (
    WITH RECURSIVE up (ParentId, Text) AS (
        SELECT e.ParentId, e.Name
        UNION ALL SELECT p.ParentId, p.Name || up.Text FROM up JOIN PathEntry AS p ON p.PathId = up.ParentId
    ) SELECT Text FROM up WHERE ParentId = 0
) AS Path FROM PathEntry AS e;
CREATE VIEW PathHierarchy AS SELECT PathId, ParentId AS PPathId FROM PathEntry;
