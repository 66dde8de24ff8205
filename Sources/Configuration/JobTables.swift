// A director's file, part 2: jobs, what they read, and when they run.

extension ConfigurationTables {
    static let jobTypes = ["Backup", "Restore", "Verify", "Admin", "Copy", "Migrate"]
    static let levels = [
        "Full", "Incremental", "Differential", "Since", "VirtualFull", "Base", "InitCatalog", "Catalog",
        "VolumeToCatalog",
        "DiskToCatalog", "Data",
    ]

    static let job = DirectiveTable(
        "Job", "What to back up or restore, with what, and how. Takes what it leaves out from JobDefs.",
        jobLines(required: true))
    static let jobDefs = DirectiveTable("JobDefs", "Defaults for jobs.", jobLines(required: false))

    /// A Job and its JobDefs have the same directives; only the Job must end up complete.
    private static func jobLines(required: Bool) -> [Directive] {
        [
            nameLine, descriptionLine,
            Directive("Type", .word(jobTypes), required: required, "what it does"),
            Directive("Level", .word(levels), default: .text("Incremental"), "level when none is asked for"),
            Directive("Client", .reference(.client), required: required, "the machine"),
            Directive("FileSet", .reference(.fileSet), required: required, "what to read there"),
            Directive("Messages", .reference(.messages), required: required, "where its messages go"),
            Directive("Pool", .reference(.pool), required: required, "volumes to write to"),
            Directive("Storage", .references(.storage), "storages, the first usable one is taken; default: the Pool's"),
            Directive("Schedule", .reference(.schedule), support: .planned, "when it runs by itself"),
            Directive("JobDefs", .reference(.jobDefs), "where its defaults come from"),
            Directive(
                "NextPool", .reference(.pool), support: .planned, "pool for copies, migrations and virtual fulls"),
            Directive("FullBackupPool", .reference(.pool), "pool for level Full"),
            Directive("IncrementalBackupPool", .reference(.pool), "pool for level Incremental"),
            Directive("DifferentialBackupPool", .reference(.pool), "pool for level Differential"),
            Directive("VirtualFullBackupPool", .reference(.pool), support: .planned, "pool for level VirtualFull"),
            Directive(
                "VerifyJob", .reference(.job), aliases: ["JobToVerify"], support: .planned,
                "job that a Verify compares with"),
            Directive("Base", .references(.job), support: .planned, "jobs that serve as base"),
            Directive("Run", .strings, support: .planned, "jobs to start when this one starts"),
            Directive("Where", .directory, "directory that restored files go under"),
            Directive("RegexWhere", .string, support: .planned, "rewriting of restored paths"),
            Directive("StripPrefix", .string, "prefix to take off restored paths"),
            Directive("AddPrefix", .string, "prefix to add to restored paths"),
            Directive("AddSuffix", .string, "suffix to add to restored paths"),
            Directive("PrefixLinks", .bool, default: .no, "add the prefix to absolute link targets too"),
            Directive("Bootstrap", .directory, "bootstrap file that a Restore uses"),
            Directive("WriteBootstrap", .directory, "bootstrap file written after each backup (%-codes)"),
            Directive("WriteVerifyList", .directory, support: .planned, "list of what a Verify found"),
            Directive("RestoreClient", .string, "client that a restore goes to"),
            Directive(
                "Replace", .word(["Always", "IfNewer", "IfOlder", "Never"]), default: .text("Always"),
                "what a restore does with files that exist"),
            Directive("MaximumBandwidth", .speed, support: .planned, "limit told to the client"),
            Directive(
                "MaxRunSchedTime", .time, default: .noTime,
                "longest time from the scheduled start to the end; 0: no limit"),
            Directive("MaxRunTime", .time, default: .noTime, "longest time from the start to the end; 0: no limit"),
            Directive(
                "FullMaxRunTime", .time, default: .noTime, aliases: ["FullMaxWaitTime"], "the same for level Full"),
            Directive(
                "IncrementalMaxRunTime", .time, default: .noTime, aliases: ["IncrementalMaxWaitTime"],
                "the same for level Incremental"),
            Directive(
                "DifferentialMaxRunTime", .time, default: .noTime, aliases: ["DifferentialMaxWaitTime"],
                "the same for level Differential"),
            Directive("MaxWaitTime", .time, default: .noTime, "longest wait for a volume or device; 0: no limit"),
            Directive(
                "MaxStartDelay", .time, default: .noTime, "cancelled when it starts later than that; 0: no limit"),
            Directive("MaxFullInterval", .time, default: .noTime, "runs as Full when the last Full is older; 0: never"),
            Directive(
                "MaxVirtualFullInterval", .time, default: .noTime, support: .planned,
                "runs as VirtualFull when the last Full is older"),
            Directive(
                "MaxDiffInterval", .time, default: .noTime, "runs as Differential when the last one is older; 0: never"),
            Directive(
                "PruneJobs", .bool, default: .no, support: .planned, "prune jobs at its end, whatever the Client says"),
            Directive(
                "PruneFiles", .bool, default: .no, support: .planned, "prune files at its end, whatever the Client says"
            ),
            Directive(
                "PruneVolumes", .bool, default: .no, support: .planned,
                "prune volumes at its end, whatever the Pool says"),
            Directive("PurgeMigrationJob", .bool, default: .no, support: .planned, "purge what was migrated"),
            Directive("Enabled", .bool, default: .yes, "no: runs only by hand"),
            Directive(
                "SnapshotRetention", .time, default: .noTime, support: .planned, "how long snapshots stay on the client"
            ),
            Directive("SpoolAttributes", .bool, default: .yes, "attributes are collected and inserted together"),
            Directive(
                "SpoolData", .bool, default: .no, support: .planned,
                "data goes to a disk first, then to the volume in one go"),
            Directive("SpoolSize", .size, support: .planned, "limit of this job's spool"),
            Directive(
                "WritePartAfterJob", .bool, default: .yes, support: .unneeded, "finish the volume's part at its end"),
            Directive("ReRunFailedLevels", .bool, default: .no, "runs at the level that failed before"),
            Directive("PreferMountedVolumes", .bool, default: .yes, "take a mounted volume rather than another drive"),
            Directive("RunBeforeJob", .strings, "command on the director before it"),
            Directive("RunAfterJob", .strings, "command on the director after it succeeded"),
            Directive("RunAfterFailedJob", .strings, "command on the director after it failed"),
            Directive("ClientRunBeforeJob", .strings, "command on the client before it"),
            Directive("ClientRunAfterJob", .strings, "command on the client after it succeeded"),
            Directive("ConsoleRunBeforeJob", .strings, "console command before it"),
            Directive("ConsoleRunAfterJob", .strings, "console command after it succeeded"),
            Directive("RunScript", .block(.runScript), "command with all its conditions"),
            Directive("MaximumConcurrentJobs", .number, default: .number(1), "how often it may run at once"),
            Directive(
                "MaximumSpawnedJobs", .number, default: .number(600), support: .planned,
                "jobs that a copy or migration may start"),
            Directive("RescheduleOnError", .bool, default: .no, support: .planned, "run it again after a failure"),
            Directive(
                "RescheduleIncompleteJobs", .bool, default: .yes, support: .planned,
                "run it again when it is incomplete"),
            Directive(
                "RescheduleInterval", .time, default: .seconds(1800), support: .planned, "pause before it runs again"),
            Directive(
                "RescheduleTimes", .number, default: .number(0), support: .planned, "how often; 0: until it succeeds"),
            Directive("Priority", .number, default: .number(10), "smaller is sooner"),
            Directive("AllowMixedPriority", .bool, default: .no, "may run beside jobs of lower priority"),
            Directive(
                "BackupsToKeep", .number, default: .number(0), support: .planned,
                "backups that a virtual full leaves alone"),
            Directive(
                "DeleteConsolidatedJobs", .bool, default: .no, support: .planned,
                "delete jobs that a virtual full has taken in"),
            Directive(
                "SelectionType",
                .word([
                    "SmallestVolume", "OldestVolume", "PoolOccupancy", "PoolTime", "PoolUncopiedJobs", "Client",
                    "Volume", "Job",
                    "SqlQuery",
                ]), support: .planned, "which jobs to copy or migrate"),
            Directive("SelectionPattern", .string, support: .planned, "pattern or SQL for it"),
            Directive(
                "Accurate", .bool, default: .no, "compare with the list of files known, so that deleted ones disappear"),
            Directive("AllowDuplicateJobs", .bool, default: .yes, "may run while it is running already"),
            Directive("AllowHigherDuplicates", .bool, default: .yes, "a higher level may run beside it"),
            Directive("CancelLowerLevelDuplicates", .bool, default: .no, "cancel a duplicate of lower level"),
            Directive("CancelQueuedDuplicates", .bool, default: .no, "cancel a duplicate that waits"),
            Directive("CancelRunningDuplicates", .bool, default: .no, "cancel a duplicate that runs"),
            Directive("PluginOptions", .string, support: .planned, "handed to the client's plugins"),
            Directive("AllowIncompleteJobs", .bool, default: .yes, support: .planned, "a broken job may be continued"),
            Directive(
                "CheckMalware", .bool, default: .no, support: .planned, "compare digests with a list of known malware"),
            Directive("StorageGroupPolicy", .string, support: .planned, "how one of several storages is chosen"),
            Directive("StorageGroupPolicyThreshold", .size, support: .planned, "for policies that look at free space"),
            Directive("Tag", .texts, support: .planned, "words to find its runs by"),
        ]
    }

    static let fileSet = DirectiveTable(
        "FileSet", "What a client reads: included trees with options, and what is left out.",
        [
            nameLine, descriptionLine,
            Directive("IgnoreFilesetChanges", .bool, default: .no, "no: a changed FileSet makes the next job a Full"),
            Directive("EnableVss", .bool, default: .yes, "shadow copies on Windows"),
            Directive("EnableSnapshot", .bool, default: .no, support: .planned, "snapshots on the client"),
            Directive("Include", .block(.include), "trees to read"),
            Directive("Exclude", .block(.exclude), "names to leave out"),
        ])

    static let include = DirectiveTable(
        "Include", "Trees to read, in a FileSet.",
        [
            Directive(
                "File", .strings,
                "path; `|command` and `<file` give paths, one a line, `\\\\|command` and `\\\\<file` on the client"),
            Directive("Plugin", .strings, support: .planned, "a plugin's command"),
            Directive("ExcludeDirContaining", .strings, "leave out directories that hold a file of this name"),
            Directive("Options", .block(.options), "how to read them; several blocks are tried in order"),
        ])

    static let exclude = DirectiveTable(
        "Exclude", "Names to leave out, in a FileSet.",
        [Directive("File", .strings, "path or wild card")])

    static let options = DirectiveTable(
        "Options", "How to read what matches, in an Include.",
        [
            Directive("Compression", .string, "GZIP (6), GZIP1 to GZIP9, LZO, ZSTD, ZSTD1 to ZSTD19, or no"),
            Directive(
                "Signature", .word(["MD5", "SHA1", "SHA256", "SHA512", "XXH64", "XXH3-64", "XXH3-128"]),
                "digest of each file"),
            Directive("OneFs", .bool, default: .yes, "stay on the file system of the File line"),
            Directive("Recurse", .bool, default: .yes, "enter directories"),
            Directive("Sparse", .bool, default: .no, "leave holes out"),
            Directive("HardLinks", .bool, default: .yes, "save a file of several names once"),
            Directive("Replace", .word(["Always", "IfNewer", "Never"]), "hint for restores"),
            Directive("Portable", .bool, default: .no, "portable format on Windows"),
            Directive("MtimeOnly", .bool, default: .no, "don't look at the change time"),
            Directive("KeepAtime", .bool, default: .no, "put access times back"),
            Directive("NoAtime", .bool, default: .no, "open without touching access times"),
            Directive("Exclude", .bool, default: .no, "leave out what matches this block"),
            Directive("AclSupport", .bool, default: .no, "save access control lists"),
            Directive("XattrSupport", .bool, default: .no, "save extended attributes"),
            Directive("IgnoreCase", .bool, default: .no, "patterns ignore case"),
            Directive("HfsPlusSupport", .bool, default: .no, "resource forks on a Mac"),
            Directive("EnhancedWild", .bool, default: .no, "wild cards don't cross `/`"),
            Directive("CheckFileChanges", .bool, default: .no, "warn when a file changed while it was read"),
            Directive("HonorNoDumpFlag", .bool, default: .no, "leave out files flagged nodump"),
            Directive("ReadFifo", .bool, default: .no, "read FIFOs as data"),
            Directive("StripPath", .number, default: .number(0), "leading path components to take off"),
            Directive("Accurate", .string, "letters: what counts as a change"),
            Directive("Verify", .string, "letters: what a Verify compares"),
            Directive("BaseJob", .string, "letters: what is compared with a base job"),
            Directive("Regex", .strings, "pattern for directories and files"),
            Directive("RegexDir", .strings, "pattern for directories"),
            Directive("RegexFile", .strings, "pattern for files"),
            Directive("Wild", .strings, "wild card for directories and files"),
            Directive("WildDir", .strings, "wild card for directories"),
            Directive("WildFile", .strings, "wild card for files"),
            Directive("Base", .strings, support: .planned, "base job"),
            Directive("Plugin", .string, support: .planned, "plugin for these files"),
            Directive("FsType", .strings, "file system types to enter"),
            Directive("DriveType", .strings, "drive types to enter, on Windows"),
            Directive(
                "Dedup", .word(["none", "storage", "bothsides"]), support: .planned, "where equal content is found"),
        ])

    static let runScript = DirectiveTable(
        "RunScript", "A command around a job.",
        [
            Directive(
                "RunsWhen", .word(["Never", "Before", "After", "Always", "AfterVSS", "AfterSnapshot"]),
                default: .text("Never"), "when it runs"),
            Directive("RunsOnClient", .bool, default: .yes, "on the client, else on the director"),
            Directive("Target", .string, "in place of RunsOnClient: `%c`, or a client's name"),
            Directive("RunsOnSuccess", .bool, default: .yes, "run it when the job has succeeded"),
            Directive("RunsOnFailure", .bool, default: .no, "run it when the job has failed"),
            Directive(
                "FailJobOnError", .bool, default: .yes, aliases: ["AbortJobOnError"], "its failure fails the job"),
            Directive("Command", .strings, "program and arguments; not a shell's line (%-codes)"),
            Directive("Console", .strings, "console command"),
            Directive("TimeOut", .time, default: .noTime, "end it after that; 0: no limit"),
        ])

    static let schedule = DirectiveTable(
        "Schedule", "When jobs run by themselves.",
        [
            nameLine, descriptionLine,
            Directive("Enabled", .bool, default: .yes, "no: its times pass"),
            Directive("Run", .scheduleRun, "times, with level, pool and other settings for them"),
        ])
}
