// The files of a storage daemon, a file daemon, and the console program.

extension ConfigurationTables {
    static let compressionLine = Directive(
        "CommCompression", .bool, default: .yes, "compress the lines (LZ4) where the peer can")
    static let heartbeatLine = Directive(
        "HeartbeatInterval", .time, default: .seconds(300), "longest silence on a connection")

    static let storageDaemon = DirectiveTable(
        "Storage", "The storage daemon itself: exactly one.",
        [
            nameLine, descriptionLine,
            Directive("SdPort", .port, default: .number(9103), "port for directors and file daemons"),
            Directive("SdAddress", .string, "address to listen on; default: all"),
            Directive("SdAddresses", .addresses, "several addresses and ports to listen on"),
            Directive("WorkingDirectory", .directory, required: true, "state and spool files"),
            Directive("PidDirectory", .directory, "directory of a file with the process number; default: none"),
            Directive("SubsysDirectory", .directory, support: .unneeded, "directory for a lock file"),
            Directive("PluginDirectory", .directory, support: .unneeded, "directory of plugins; ours are built in"),
            Directive("ScriptsDirectory", .directory, support: .unneeded, "directory of helper scripts"),
            Directive("Messages", .reference(.messages), "where messages go that belong to no job"),
            Directive("MaximumConcurrentJobs", .number, default: .number(20), "jobs at once"),
            heartbeatLine,
            Directive("ClientConnectTimeout", .time, default: .seconds(1800), "how long to try to reach a file daemon"),
            Directive("ClientConnectWait", .time, default: .seconds(1800), "how long to wait for a file daemon's call"),
            Directive("VerId", .string, "text added to the version"),
            compressionLine,
            Directive("SsdDirectory", .directory, support: .planned, "fast disk for an index"),
            Directive(
                "EncryptionCommand", .string, support: .planned, "command that gives the keys of encrypted volumes"),
        ] + tls)

    static let storageDirector = DirectiveTable(
        "Director", "A director that the storage daemon obeys.",
        [
            Directive("Name", .name, required: true, "the director's name"), descriptionLine,
            Directive("Password", .password, required: true, "as in the director's Storage"),
            Directive("Monitor", .bool, default: .no, "may only ask for the status"),
        ] + tls)

    static let autochanger = DirectiveTable(
        "Autochanger", "Drives that share a robot, or simply share volumes.",
        [
            nameLine, descriptionLine,
            Directive("Device", .references(.device), required: true, "its drives"),
            Directive("ChangerDevice", .string, required: true, support: .planned, "the robot's device node (%c)"),
            Directive(
                "ChangerCommand", .string, required: true, support: .planned,
                "command that moves cartridges (%c %o %S %a %d)"),
            Directive("LockCommand", .string, support: .planned, "command that reserves the robot"),
        ])

    static let device = DirectiveTable(
        "Device", "One drive, or one directory of volumes.",
        [
            nameLine, descriptionLine,
            Directive("MediaType", .string, required: true, "volumes must carry it; equal to the director's Storage"),
            Directive(
                "DeviceType", .word(["File", "Tape", "Fifo", "VTape", "Vtl", "Aligned", "Null", "Cloud", "Dedup"]),
                "what it is; default: guessed from ArchiveDevice"),
            Directive("ArchiveDevice", .string, required: true, "directory of volumes, or device node"),
            Directive("AlignedDevice", .string, support: .planned, "directory for the data of aligned volumes"),
            Directive(
                "ChangerDevice", .string, support: .planned, "the robot's device node; default: the Autochanger's"),
            Directive(
                "ChangerCommand", .string, support: .planned,
                "command that moves cartridges; default: the Autochanger's"),
            Directive("ControlDevice", .string, support: .planned, "generic SCSI node, for alerts (%l)"),
            Directive("Autochanger", .bool, default: .no, "belongs to an Autochanger"),
            Directive("DriveIndex", .number, default: .number(0), support: .planned, "its number there"),
            Directive("LabelMedia", .bool, default: .no, "label blank volumes when a job needs one"),
            Directive(
                "LabelType", .word(labelTypes), default: .text("Bacula"), support: .planned, "style of tape labels"),
            Directive("AutomaticMount", .bool, default: .no, "look at the drive on start"),
            Directive("AlwaysOpen", .bool, default: .yes, "keep it open between jobs"),
            Directive("RemovableMedia", .bool, default: .yes, "media can be changed"),
            Directive("RandomAccess", .bool, default: .no, support: .unneeded, "a disk; we see that ourselves"),
            Directive("ReadOnly", .bool, default: .no, "never write"),
            Directive("Enabled", .bool, default: .yes, "no: not used"),
            Directive("AutoSelect", .bool, default: .yes, "may be chosen by itself in an Autochanger"),
            Directive(
                "HardwareEndOfFile", .bool, default: .yes, support: .planned, "the drive can space to the end of a file"
            ),
            Directive(
                "HardwareEndOfMedium", .bool, default: .yes, support: .planned, "the drive can space to the end of data"
            ),
            Directive(
                "BackwardSpaceRecord", .bool, default: .yes, support: .planned, "the drive can space back over records"),
            Directive(
                "BackwardSpaceFile", .bool, default: .yes, support: .planned, "the drive can space back over file marks"
            ),
            Directive(
                "ForwardSpaceRecord", .bool, default: .yes, support: .planned, "the drive can space over records"),
            Directive(
                "ForwardSpaceFile", .bool, default: .yes, support: .planned, "the drive can space over file marks"),
            Directive(
                "FastForwardSpaceFile", .bool, default: .yes, support: .planned,
                "the drive can space over many file marks"),
            Directive(
                "BsfAtEom", .bool, default: .no, support: .planned, "space back over the last file mark at the end"),
            Directive("TwoEof", .bool, default: .no, support: .planned, "two file marks end the data"),
            Directive("BlockPositioning", .bool, default: .yes, support: .planned, "use block addresses to position"),
            Directive("UseMtiocGet", .bool, default: .yes, support: .planned, "ask the driver for the position"),
            Directive(
                "CloseOnPoll", .bool, default: .no, support: .planned, "close the drive while waiting for a medium"),
            Directive("CheckLabels", .bool, default: .no, support: .planned, "read foreign labels"),
            Directive("RequiresMount", .bool, default: .no, support: .planned, "the disk must be mounted first"),
            Directive("OfflineOnUnmount", .bool, default: .no, support: .planned, "eject on unmount"),
            Directive("BlockChecksum", .bool, default: .yes, "checksum in every block"),
            Directive(
                "SyncOnClose", .bool, default: .no, support: .unneeded,
                "no effect: what is reported as written is always synced"),
            Directive(
                "MinimumBlockSize", .size, default: .size(0), support: .planned, "pad blocks to this; 0: no padding"),
            Directive("MaximumBlockSize", .size, default: .size(0), "longest block; 0: 64512 bytes"),
            Directive(
                "MaximumFileSize", .size, default: .size(1_000_000_000),
                "file mark on tape, and segment in the catalog, after so much"),
            Directive("MaximumVolumeSize", .size, default: .size(0), "longest volume; 0: no limit of the device"),
            Directive("VolumeCapacity", .size, default: .size(0), support: .unneeded, "for information"),
            Directive(
                "MinimumFreeSpace", .size, default: .size(5_000_000), aliases: ["MinimumFeeSpace"],
                "stop writing when the disk has less"),
            Directive(
                "MaximumNetworkBufferSize", .number, default: .number(0), "buffer for the network; 0: 65536 bytes"),
            Directive("MaximumConcurrentJobs", .number, default: .number(0), "jobs at once; 0: no limit of its own"),
            Directive("MaximumSpoolSize", .size, default: .size(0), support: .planned, "limit of all spools"),
            Directive("MaximumJobSpoolSize", .size, default: .size(0), support: .planned, "limit of a job's spool"),
            Directive("SpoolDirectory", .directory, support: .planned, "where data is spooled"),
            Directive("VolumePollInterval", .time, default: .seconds(300), "how often to look whether a volume came"),
            Directive(
                "MaximumOpenWait", .time, default: .seconds(300), support: .planned,
                "longest wait for the device to open"),
            Directive(
                "MaximumChangerWait", .time, default: .seconds(300), support: .planned,
                "longest wait for the changer command"),
            Directive(
                "MaximumRewindWait", .time, default: .seconds(300), support: .planned, "longest wait for a rewind"),
            Directive("AlertCommand", .string, support: .planned, "command that reads a drive's alerts"),
            Directive("LockCommand", .string, support: .planned, "command that reserves the drive"),
            Directive("WormCommand", .string, support: .planned, "command that tells whether a medium is write-once"),
            Directive("PaddingSize", .size, default: .size(4096), support: .planned, "of aligned volumes"),
            Directive("FileAlignment", .size, default: .size(4096), support: .planned, "of aligned volumes"),
            Directive("MinimumAlignedSize", .size, default: .size(4096), support: .planned, "of aligned volumes"),
            Directive("MaximumPartSize", .size, default: .size(0), support: .planned, "size of a part in a cloud"),
            Directive("MountPoint", .string, support: .planned, "where the disk is mounted"),
            Directive("MountCommand", .string, support: .planned, "command that mounts the disk"),
            Directive("UnmountCommand", .string, support: .planned, "command that unmounts the disk"),
            Directive("WritePartCommand", .string, support: .planned, "command that writes a part"),
            Directive("FreeSpaceCommand", .string, support: .planned, "command that tells the free space"),
            Directive("Cloud", .reference(.cloud), support: .planned, "the Cloud its volumes live in"),
            Directive("Dedupengine", .string, support: .planned, "the store of equal content"),
            Directive("MaximumFileIndex", .size, support: .planned, "of aligned volumes"),
            Directive("MaximumVolumeParts", .number, support: .planned, "parts of a volume in a cloud"),
            Directive(
                "MinimumVolumeProtectionTime", .time, support: .planned, "how long a full volume stays protected"),
            Directive("SetVolumeAppendOnly", .bool, support: .planned, "make volumes append-only"),
            Directive("SetVolumeImmutable", .bool, support: .planned, "make full volumes immutable"),
            Directive("SetVolumeReadOnly", .bool, support: .planned, "make full volumes read-only"),
            Directive("UseLintape", .bool, support: .planned, "IBM's tape driver"),
            Directive("VolumeEncryption", .word(["No", "Yes", "Strong"]), support: .planned, "encrypt volumes"),
        ])

    static let cloud = DirectiveTable(
        "Cloud", "Where a Cloud device's volumes live.", support: .planned,
        [
            nameLine, descriptionLine,
            Directive(
                "Driver", .word(["S3", "File", "Amazon", "Azure", "Generic", "Google", "Oracle", "Swift"]),
                required: true, "kind of store"),
            Directive("HostName", .string, required: true, "host of the store"),
            Directive("BucketName", .string, required: true, "bucket"),
            Directive("AccessKey", .password, required: true, "account"),
            Directive("SecretKey", .password, required: true, "its secret"),
            Directive("Region", .string, "region"),
            Directive("Protocol", .word(["HTTPS", "HTTP"]), default: .text("HTTPS"), "protocol"),
            Directive(
                "UriStyle", .word(["VirtualHost", "Path"]), default: .text("VirtualHost"), "how the bucket is addressed"
            ),
            Directive(
                "TruncateCache", .word(["No", "AfterUpload", "AtEndOfJob"]), default: .text("No"), "when local parts go"
            ),
            Directive("Upload", .word(["No", "EachPart", "AtEndOfJob"]), default: .text("No"), "when parts are sent"),
            Directive("MaximumConcurrentUploads", .number, default: .number(0), "uploads at once"),
            Directive("MaximumConcurrentDownloads", .number, default: .number(0), "downloads at once"),
            Directive("MaximumUploadBandwidth", .speed, "limit of uploads"),
            Directive("MaximumDownloadBandwidth", .speed, "limit of downloads"),
            Directive("BlobEndpoint", .string, "end point"),
            Directive("FileEndpoint", .string, "end point"),
            Directive("QueueEndpoint", .string, "end point"),
            Directive("TableEndpoint", .string, "end point"),
            Directive("EndpointSuffix", .string, "end point's suffix"),
            Directive("DriverCommand", .string, "program that speaks to the store"),
            Directive("StorageClass", .string, "class of storage"),
            Directive("TransferPriority", .string, "how fast archived objects come back"),
            Directive("TransferRetention", .time, default: .days(5), "how long they stay"),
        ])

    static let fileDaemon = DirectiveTable(
        "FileDaemon", "The file daemon itself: exactly one (also written Client).",
        [
            nameLine, descriptionLine,
            Directive("FdPort", .port, default: .number(9102), "port for directors"),
            Directive("FdAddress", .string, "address to listen on; default: all"),
            Directive("FdAddresses", .addresses, "several addresses and ports to listen on"),
            Directive("FdSourceAddress", .string, "source address of outgoing connections"),
            Directive("WorkingDirectory", .directory, required: true, "state files"),
            Directive("PidDirectory", .directory, "directory of a file with the process number; default: none"),
            Directive("SubsysDirectory", .directory, support: .unneeded, "directory for a lock file"),
            Directive("PluginDirectory", .directory, support: .unneeded, "directory of plugins; ours are built in"),
            Directive("ScriptsDirectory", .directory, support: .unneeded, "directory of helper scripts"),
            Directive("SnapshotCommand", .string, support: .planned, "command that makes snapshots"),
            Directive("MaximumConcurrentJobs", .number, default: .number(20), "jobs at once"),
            Directive("Messages", .reference(.messages), "where messages go that belong to no job"),
            Directive("SdConnectTimeout", .time, default: .seconds(1800), "how long to try to reach a storage daemon"),
            heartbeatLine,
            Directive(
                "MaximumNetworkBufferSize", .number, default: .number(0), "buffer for the network; 0: 65536 bytes"),
            Directive("MaximumBandwidthPerJob", .speed, support: .planned, "limit of a job's data"),
            compressionLine,
            Directive("DisableCommand", .texts, "commands that are refused"),
            Directive("VerId", .string, "text added to the version"),
            Directive("PkiSignatures", .bool, default: .no, support: .planned, "sign files"),
            Directive("PkiEncryption", .bool, default: .no, support: .planned, "encrypt files"),
            Directive("PkiKeyPair", .directory, support: .planned, "key pair for it"),
            Directive("PkiSigner", .texts, support: .planned, "certificates of trusted signers"),
            Directive("PkiMasterKey", .texts, support: .planned, "certificates that can decrypt too"),
            Directive(
                "PkiCipher", .word(["aes128", "aes192", "aes256", "blowfish"]), support: .planned, "cipher for it"),
            Directive("PkiDigest", .word(["md5", "sha1", "sha256"]), support: .planned, "digest for it"),
            Directive("AllowedBackupDirectories", .texts, support: .planned, "only these may be backed up"),
            Directive("AllowedRestoreDirectories", .texts, support: .planned, "only these may be restored to"),
            Directive("AllowedScriptDirectories", .texts, support: .planned, "only programs here may be run"),
            Directive("ExcludedBackupDirectories", .texts, support: .planned, "never backed up"),
            Directive("BackupJobUser", .string, support: .planned, "user that backups run as"),
            Directive("RestoreJobUser", .string, support: .planned, "user that restores run as"),
            Directive("EnableClientRehydration", .bool, support: .planned, "restore from content the client has"),
            Directive(
                "MaximumJobErrorCount", .number, default: .number(1000), support: .planned, "errors that end a job"),
            Directive("SdPacketCheck", .number, support: .planned, "acknowledge so many packets"),
            Directive("PluginOptions", .texts, support: .planned, "handed to plugins"),
        ] + tls)

    static let fileDirector = DirectiveTable(
        "Director", "A director that the file daemon obeys.",
        [
            Directive("Name", .name, required: true, "the director's name"), descriptionLine,
            Directive("Password", .password, required: true, "as in the director's Client"),
            Directive("Address", .string, support: .planned, "its host, for calls to it"),
            Directive("Monitor", .bool, default: .no, "may only ask for the status"),
            Directive("Remote", .bool, default: .no, support: .planned, "a person at the client may run its jobs"),
            Directive("MaximumBandwidthPerJob", .speed, support: .planned, "limit of a job's data"),
            Directive("DisableCommand", .texts, "commands that are refused"),
            Directive("Console", .string, support: .planned, "the Console that calls it"),
            Directive("DirPort", .port, default: .number(9101), support: .planned, "its port, for calls to it"),
            Directive(
                "ConnectToDirector", .bool, default: .no, support: .planned, "call the director and wait for jobs"),
            Directive("ReconnectionTime", .time, default: .seconds(2400), support: .planned, "when to call again"),
            Directive("Schedule", .string, support: .planned, "when to call"),
        ] + tls)

    static let consoleDirector = DirectiveTable(
        "Director", "A director that the console calls.",
        [
            Directive("Name", .name, required: true, "the director's name"), descriptionLine,
            Directive("DirPort", .port, default: .number(9101), "its port"),
            Directive("Address", .string, aliases: ["DirAddress"], required: true, "its host"),
            Directive("Password", .password, required: true, "as in the director's Director"),
            heartbeatLine,
        ] + tls)

    static let consoleConsole = DirectiveTable(
        "Console", "The console's own name, where the director knows it by one.",
        [
            nameLine, descriptionLine,
            Directive("Password", .password, required: true, "as in the director's Console"),
            Directive("Director", .string, "the Director it is for; default: any"),
            Directive("RcFile", .directory, support: .planned, "commands to run first"),
            Directive("HistoryFile", .directory, "where the typed lines are kept"),
            heartbeatLine, compressionLine,
        ] + tls)
}
