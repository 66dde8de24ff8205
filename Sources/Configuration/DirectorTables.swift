// A director's file, part 1: the director itself and the machines, catalogs and people it knows.

extension ConfigurationTables {
    static let director = DirectiveTable(
        "Director", "The director itself: exactly one.",
        [
            Directive(
                "Name", .name, required: true,
                "name it announces; must be a Director's name in the other daemons' files"),
            descriptionLine,
            Directive("Messages", .reference(.messages), "where messages go that belong to no job"),
            Directive("DirPort", .port, default: .number(9101), "port for consoles"),
            Directive("DirAddress", .string, "address to listen on; default: all"),
            Directive("DirAddresses", .addresses, "several addresses and ports to listen on"),
            Directive("DirSourceAddress", .string, "source address of outgoing connections"),
            Directive("QueryFile", .directory, support: .planned, "file of canned SQL for the console's `query`"),
            Directive("WorkingDirectory", .directory, required: true, "state, catalog and bootstrap files"),
            Directive("PluginDirectory", .directory, support: .unneeded, "directory of plugins; ours are built in"),
            Directive("ScriptsDirectory", .directory, support: .unneeded, "directory of helper scripts"),
            Directive("PidDirectory", .directory, "directory of a file with the process number; default: none"),
            Directive("SubsysDirectory", .directory, support: .unneeded, "directory for a lock file"),
            Directive(
                "MaximumConcurrentJobs", .number, default: .number(20), "jobs that run at once in the whole director"),
            Directive(
                "MaximumReloadRequests", .number, default: .number(32), support: .unneeded,
                "old configurations kept while jobs run under them"),
            Directive("MaximumConsoleConnections", .number, default: .number(20), "consoles at once"),
            Directive("Password", .password, required: true, "password of consoles that give no name of their own"),
            Directive("FdConnectTimeout", .time, default: .seconds(180), "how long to try to reach a file daemon"),
            Directive("SdConnectTimeout", .time, default: .seconds(1800), "how long to try to reach a storage daemon"),
            Directive("HeartbeatInterval", .time, default: .seconds(300), "longest silence on a connection"),
            Directive(
                "StatisticsRetention", .time, default: .days(5 * 365), support: .planned,
                "how long job statistics are kept"),
            Directive("VerId", .string, "text added to the answer of `version`"),
            Directive("CommCompression", .bool, default: .yes, "compress the lines (LZ4) where the peer can"),
            Directive("AutoPrune", .bool, default: .yes, support: .planned, "no: prune only by hand"),
            Directive("Catalog", .reference(.catalog), support: .planned, "catalog for what belongs to no client"),
            Directive("CustomerId", .string, support: .planned, "name of the customer, for support"),
            Directive("EventsRetention", .time, default: .days(365), support: .planned, "how long events are kept"),
            Directive(
                "MalwareDatabaseCommand", .string, support: .planned, "command that fetches the malware database"),
        ] + tls)

    static let console = DirectiveTable(
        "Console", "A named console with limited rights. `*all*` allows everything, an absent list nothing.",
        [
            Directive("Name", .name, required: true, "name the console gives"),
            descriptionLine,
            Directive("Password", .password, required: true, "its password"),
            Directive("JobAcl", .texts, "jobs it may see and use"),
            Directive("ClientAcl", .texts, "clients it may see and use"),
            Directive("StorageAcl", .texts, "storages it may see and use"),
            Directive("ScheduleAcl", .texts, "schedules it may see"),
            Directive("PoolAcl", .texts, "pools it may see and use"),
            Directive("FilesetAcl", .texts, "file sets it may see and use"),
            Directive("CatalogAcl", .texts, "catalogs it may see and use"),
            Directive("RunAcl", .texts, "jobs it may run"),
            Directive("CommandAcl", .texts, "commands it may give"),
            Directive("WhereAcl", .texts, "prefixes it may restore to"),
            Directive("RestoreClientAcl", .texts, "clients it may restore to"),
            Directive("BackupClientAcl", .texts, "clients it may restore from"),
            Directive("PluginOptionsAcl", .texts, "plugin options it may give"),
            Directive("DirectoryAcl", .texts, "directories it may restore"),
            Directive("UserIdAcl", .texts, support: .planned, "owners whose files it may restore"),
            Directive("AuthenticationPlugin", .string, support: .planned, "plugin that checks the person"),
            Directive("AuthorizationPlugin", .string, support: .planned, "plugin that gives the person rights"),
        ] + tls)

    static let client = DirectiveTable(
        "Client", "A machine to back up: where its file daemon is, and how long its files stay known.",
        [
            nameLine, descriptionLine,
            Directive("Address", .string, aliases: ["FdAddress"], required: true, "host of the file daemon"),
            Directive("FdPort", .port, default: .number(9102), "its port"),
            Directive(
                "Password", .password, aliases: ["FdPassword"], required: true, "as in the file daemon's Director"),
            Directive("Catalog", .reference(.catalog), required: true, "catalog that remembers its jobs"),
            Directive("FdStorageAddress", .string, "the storage daemon's address as this client sees it"),
            Directive(
                "FileRetention", .time, default: .days(60), support: .planned, "how long file names stay in the catalog"
            ),
            Directive(
                "JobRetention", .time, default: .days(180), support: .planned, "how long jobs stay in the catalog"),
            Directive("AutoPrune", .bool, default: .yes, support: .planned, "prune at the end of each job"),
            Directive("HeartbeatInterval", .time, default: .seconds(300), "longest silence on a connection"),
            Directive("SdCallsClient", .bool, default: .no, support: .planned, "the storage daemon calls the client"),
            Directive(
                "SnapshotRetention", .time, default: .noTime, support: .planned, "how long snapshots stay on the client"
            ),
            Directive("MaximumConcurrentJobs", .number, default: .number(1), "jobs at once with this client"),
            Directive("MaximumBandwidthPerJob", .speed, support: .planned, "limit told to the client"),
            Directive("Enabled", .bool, default: .yes, "no: no jobs for it"),
            Directive("AllowFdConnections", .bool, default: .no, support: .planned, "the client may dial in"),
        ] + tls)

    static let storage = DirectiveTable(
        "Storage", "A storage daemon's device as jobs name it (also written Autochanger, which is its own changer).",
        [
            nameLine, descriptionLine,
            Directive("Address", .string, aliases: ["SdAddress"], required: true, "host of the storage daemon"),
            Directive("SdPort", .port, default: .number(9103), "its port"),
            Directive("FdStorageAddress", .string, "address for file daemons, where it is another"),
            Directive(
                "Password", .password, aliases: ["SdPassword"], required: true, "as in the storage daemon's Director"),
            Directive("Device", .texts, required: true, "the storage daemon's Devices, or its Autochanger"),
            Directive("MediaType", .string, required: true, "volumes must carry it; equal to the Device's"),
            Directive("Autochanger", .nameOrBool, "yes, or the Storage whose changer it uses"),
            Directive("SharedStorage", .reference(.storage), support: .planned, "Storage whose volumes it shares"),
            Directive("AllowCompression", .bool, default: .yes, "no: jobs to it are not compressed"),
            Directive("HeartbeatInterval", .time, default: .seconds(300), "longest silence on a connection"),
            Directive("MaximumConcurrentJobs", .number, default: .number(1), "jobs at once"),
            Directive(
                "MaximumConcurrentReadJobs", .number, default: .number(0),
                "reading jobs at once; 0: no limit of their own"),
            Directive("Enabled", .bool, default: .yes, "no: jobs don't use it"),
            Directive("SddPort", .port, support: .unneeded, "has had no effect for long"),
        ] + tls)

    static let catalog = DirectiveTable(
        "Catalog", "The database that remembers jobs, files and volumes.",
        [
            nameLine, descriptionLine,
            Directive(
                "DbName", .string, required: true,
                "SQLite: `DbName.db` in WorkingDirectory; a path where it begins with `/`"),
            Directive("DbDriver", .string, "which engine; default: SQLite"),
            Directive("DbUser", .string, aliases: ["User"], support: .planned, "user of a database server"),
            Directive(
                "DbPassword", .password, aliases: ["Password"], support: .planned, "password of a database server"),
            Directive("DbAddress", .string, aliases: ["Address"], support: .planned, "host of a database server"),
            Directive("DbPort", .number, support: .planned, "port of a database server"),
            Directive("DbSocket", .string, support: .planned, "local socket of a database server"),
            Directive("DbSslMode", .string, support: .planned, "encryption to a database server"),
            Directive("DbSslKey", .directory, support: .planned, "key for it"),
            Directive("DbSslCert", .directory, support: .planned, "certificate for it"),
            Directive("DbSslCa", .directory, support: .planned, "CA certificates for it"),
            Directive("DbSslCaPath", .directory, support: .planned, "directory of CA certificates for it"),
            Directive("DbSslCipher", .string, support: .planned, "ciphers for it"),
            Directive(
                "MultipleConnections", .bool, default: .no, support: .unneeded,
                "several connections to the database; we do what is best"),
            Directive(
                "DisableBatchInsert", .bool, default: .no, support: .unneeded,
                "insert file rows one by one; ours go in batches"),
        ])

    static let pool = DirectiveTable(
        "Pool", "Volumes that are used alike, and the rules of their use.",
        [
            nameLine, descriptionLine,
            Directive(
                "PoolType", .word(["Backup", "Scratch", "Copy", "Cloned", "Archive", "Migration", "Save"]),
                required: true,
                "what it is for; stands in the labels"),
            Directive("LabelFormat", .string, "names of volumes that are made automatically: `File-` gives File-0001"),
            Directive(
                "LabelType", .word(labelTypes), default: .text("Bacula"), support: .planned, "style of tape labels"),
            Directive("CleaningPrefix", .string, support: .planned, "bar codes of cleaning tapes begin so"),
            Directive(
                "UseCatalog", .bool, default: .yes, support: .unneeded,
                "no effect: the catalog always knows the volumes"),
            Directive("UseVolumeOnce", .bool, default: .no, "one job per volume"),
            Directive("MaximumVolumeJobs", .number, default: .number(0), "jobs on a volume; 0: no limit"),
            Directive("MaximumVolumeFiles", .number, default: .number(0), "file marks on a volume; 0: no limit"),
            Directive("MaximumVolumeBytes", .size, default: .size(0), "bytes on a volume; 0: no limit"),
            Directive("MaximumVolumes", .number, default: .number(0), "volumes that may be made; 0: no limit"),
            Directive(
                "MaximumPoolBytes", .size, default: .size(0), support: .planned, "bytes in the whole pool; 0: no limit"),
            Directive("VolumeUseDuration", .time, default: .noTime, "how long after its first job a volume takes more"),
            Directive("VolumeRetention", .time, default: .days(365), "how long after its last job a volume is kept"),
            Directive("FileRetention", .time, default: .noTime, support: .planned, "in place of the client's"),
            Directive("JobRetention", .time, default: .noTime, support: .planned, "in place of the client's"),
            Directive(
                "CacheRetention", .time, default: .noTime, support: .planned,
                "how long parts stay in a cloud's local cache"),
            Directive("AutoPrune", .bool, default: .yes, support: .planned, "prune volumes when one is needed"),
            Directive("Recycle", .bool, default: .yes, "purged volumes may be overwritten"),
            Directive(
                "RecycleOldestVolume", .bool, default: .no, support: .planned,
                "prune the oldest volume when none is left"),
            Directive(
                "RecycleCurrentVolume", .bool, default: .no, support: .planned,
                "prune the mounted volume when none is left"),
            Directive(
                "PurgeOldestVolume", .bool, default: .no, support: .planned,
                "purge the oldest volume when none is left, kept or not"),
            Directive("RecyclePool", .reference(.pool), "where purged volumes go"),
            Directive("ScratchPool", .reference(.pool), "where new volumes are taken from"),
            Directive("ActionOnPurge", .word(["Truncate"]), support: .planned, "truncate volumes when they are purged"),
            Directive("Storage", .references(.storage), "storages of its jobs"),
            Directive("CopyPool", .references(.pool), support: .planned, "pools for copies made along the way"),
            Directive(
                "NextPool", .reference(.pool), support: .planned, "destination of copies, migrations and virtual fulls"),
            Directive("MigrationTime", .time, default: .noTime, support: .planned, "age at which jobs migrate"),
            Directive(
                "MigrationHighBytes", .size, default: .size(0), support: .planned, "fill at which jobs begin to migrate"
            ),
            Directive("MigrationLowBytes", .size, default: .size(0), support: .planned, "fill at which they stop"),
            Directive("CatalogFiles", .bool, default: .yes, "no: no file names in the catalog"),
            Directive("Catalog", .reference(.catalog), "catalog of its volumes; default: the client's"),
            Directive("StorageGroupPolicy", .string, support: .planned, "how one of several storages is chosen"),
            Directive("StorageGroupPolicyThreshold", .size, support: .planned, "for policies that look at free space"),
        ])

    static let messages = DirectiveTable(
        "Messages", "Where messages go: destinations, each with the types it takes.",
        [
            nameLine, descriptionLine,
            Directive("MailCommand", .string, "command for mail; the message is its standard input"),
            Directive("OperatorCommand", .string, "command for `Operator`"),
            Directive("Console", .destination(targeted: false), "kept until a console reads them"),
            Directive("Catalog", .destination(targeted: false), "the catalog's log"),
            Directive("Stdout", .destination(targeted: false), "standard output"),
            Directive("Stderr", .destination(targeted: false), "standard error"),
            Directive("Syslog", .destination(targeted: false), "the system's log"),
            Directive("Append", .destination(targeted: true), "added to a file"),
            Directive("File", .destination(targeted: true), "a file, overwritten at start"),
            Directive("Mail", .destination(targeted: true), "one mail per job"),
            Directive("MailOnError", .destination(targeted: true), "one mail per job that failed"),
            Directive("MailOnSuccess", .destination(targeted: true), "one mail per job that did not fail"),
            Directive("Operator", .destination(targeted: true), "one mail per message, at once"),
            Directive("Director", .destination(targeted: true), "the director; what daemons other than it have"),
        ])

    static let counter = DirectiveTable(
        "Counter", "A number for names of volumes.", support: .planned,
        [
            nameLine, descriptionLine,
            Directive("Minimum", .integer, default: .number(0), "first value"),
            Directive("Maximum", .integer, default: .number(2_147_483_647), "last value"),
            Directive("WrapCounter", .reference(.counter), "counter to step when this one starts again"),
            Directive("Catalog", .reference(.catalog), "where its value is kept"),
        ])

    static let statistics = DirectiveTable(
        "Statistics", "Figures written out at intervals.", support: .planned,
        [
            nameLine, descriptionLine,
            Directive("Type", .word(["CSV", "Graphite"]), required: true, "form"),
            Directive("Interval", .time, default: .seconds(300), "how often"),
            Directive("Host", .string, "host of a Graphite server"),
            Directive("Port", .port, "its port"),
            Directive("File", .directory, "file for CSV"),
            Directive("Prefix", .string, "put before every metric's name"),
            Directive("Metrics", .texts, "which metrics; default: all"),
            Directive("MangleMetric", .bool, default: .no, "replace what Graphite can't take in names"),
        ])
}
