// How the rows of files are stored: about 76 bytes per file of a Debian /usr with MD5, everything included, where Bacula's tables take 155.
//
//     FileEntry    one row per saved file, keyed by JobId << 32 | FileIndex: the rows of a job lie together, a job is
//                  removed by one range, and no second index over the names is needed
//     StatShape    the parts of an LStat that thousands of files share (device, mode, links, owners, block size, flags,
//                  data stream), as they stand in the text
//     PathEntry    directories as a tree of names; the text of a path is put together from its ancestors
//     FileRun      which stretch of a job's FileIndexes lies in which directory: a walk saves a directory's files in
//                  one go, so that finding a directory takes three bytes per file instead of an index's fifteen
//     FileExtra    what doesn't fit: an LStat that isn't numbers as we write them, delta sequences
//
// A deleted entry keeps its FileIndex in the key, and its shape says Deleted; the view File shows FileIndex 0 as Bacula does.
//
// Small numbers cost little (SQLite stores 0 in no bytes, 4096 in two) and NULL costs nothing, hence:
//
//     column       NULL means
//     Blocks       (Size + 4095) / 4096 * 8: what a file without holes has on 4 KiB blocks
//     AccessTime   ChangeTime
//     ModifyTime   ChangeTime
//     Digest       none; else the raw bytes

enum FileStorage {
    static let tables = """
        CREATE TABLE PathEntry (PathId INTEGER PRIMARY KEY, ParentId INTEGER NOT NULL, Name TEXT NOT NULL);
        CREATE UNIQUE INDEX PathEntryByName ON PathEntry (ParentId, Name);
        CREATE TABLE StatShape (
            ShapeId INTEGER PRIMARY KEY,
            Device TEXT NOT NULL,     -- st_dev; empty: the LStat is in FileExtra
            Middle TEXT NOT NULL,     -- st_mode st_nlink st_uid st_gid st_rdev
            BlockSize TEXT NOT NULL,  -- st_blksize
            Tail TEXT NOT NULL,       -- flags, data stream, and what else follows LinkFI, with the space before it
            Deleted INTEGER NOT NULL  -- 1: gone since the previous job
        );
        CREATE UNIQUE INDEX StatShapeByText ON StatShape (Device, Middle, BlockSize, Tail, Deleted);
        CREATE TABLE FileEntry (
            FileId INTEGER PRIMARY KEY,  -- JobId << 32 | FileIndex
            PathId INTEGER NOT NULL, ShapeId INTEGER NOT NULL, Name TEXT NOT NULL,
            Inode INTEGER NOT NULL, Size INTEGER NOT NULL, Blocks INTEGER, AccessTime INTEGER, ModifyTime INTEGER,
            ChangeTime INTEGER NOT NULL, LinkFI INTEGER NOT NULL, Digest BLOB
        );
        CREATE TABLE FileRun (
            JobId INTEGER NOT NULL, PathId INTEGER NOT NULL, FirstIndex INTEGER NOT NULL, LastIndex INTEGER NOT NULL,
            PRIMARY KEY (JobId, PathId, FirstIndex)
        ) WITHOUT ROWID;
        CREATE TABLE FileExtra (FileId INTEGER PRIMARY KEY, LStat TEXT, DeltaSeq INTEGER NOT NULL DEFAULT 0);
        """

    /// The key of a file's row.
    static func fileID(job: Int64, index: Int32) -> Int64 { job << 32 | Int64(index) }

    /// The keys of a job's rows.
    static func fileIDs(ofJob job: Int64) -> ClosedRange<Int64> { (job << 32)...(job << 32 | 0xFFFF_FFFF) }

    /// What `Blocks` is where it is NULL; nil where the sum would overflow, so that NULL is never stored there.
    static func usualBlocks(size: Int64) -> Int64? {
        size >= 0 && size <= Int64.max - 4095 ? (size + 4095) / 4096 * 8 : nil
    }
}
