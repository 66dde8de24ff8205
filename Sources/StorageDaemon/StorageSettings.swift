// What the storage daemon reads from its configuration (bacula-wire 8.9).

import Configuration
import Platform
import Wire

/// The Storage resource and the directors it obeys.
struct StorageSettings: Sendable {
    struct Director: Sendable {
        var name: String
        var secret: SharedSecret
        var tls: TLSPolicy
        /// May only ask for status.
        var isMonitor: Bool
    }
    var name: String
    var workingDirectory: String
    var jobsMax: Int
    var heartbeat: Duration
    var clientConnectWait: Duration
    /// For file and storage daemons that call for a job.
    var tls: TLSPolicy
    var directors: [Director]
    var listeners: [PortMap.Listener]

    init(_ configuration: Configuration) throws(StorageError) {
        guard let storage = configuration.first(.storageDaemon) else {
            throw StorageError(
                .badCommand, "\(configuration.path) has no Storage resource for this daemon.", remedy: "Add one with a Name.")
        }
        name = storage.name
        workingDirectory = storage.text("WorkingDirectory") ?? "/var/lib/appliance"
        jobsMax = max(1, storage.number("MaximumConcurrentJobs"))
        heartbeat = storage.time("HeartbeatInterval")
        clientConnectWait = storage.time("ClientConnectWait")
        tls = TLSPolicy(storage)
        listeners = PortMap(configuration, roles: [.storageDaemon]).listeners.filter { $0.role == .storageDaemon }
        directors = configuration.all(.storageDirector).compactMap { resource in
            guard let password = resource.password("Password") else { return nil }
            return Director(
                name: resource.name, secret: SharedSecret(password: password), tls: TLSPolicy(resource),
                isMonitor: resource.bool("Monitor"))
        }
    }

    /// Directors are compared without case, as Bacula's storage daemon does.
    func director(named name: String) -> Director? { directors.first { $0.name.lowercased() == name.lowercased() } }
}

/// One Device resource.
struct DriveSettings: Sendable {
    var name: String
    var mediaType: String
    var archiveDevice: String
    var labelsMedia: Bool
    var isReadOnly: Bool
    var isEnabled: Bool
    var isAutoSelected: Bool
    /// Jobs that may write on it at once.
    var jobsMax: Int
    var volumeBytesMax: UInt64
    /// A JobMedia record is cut after this many bytes.
    var rangeBytesMax: UInt64
    var blockBytesMax: Int
    var checksumsBlocks: Bool
    var pollInterval: Duration
    var freeBytesMin: UInt64

    init(_ resource: Resource) {
        name = resource.name
        mediaType = resource.text("MediaType") ?? ""
        archiveDevice = resource.text("ArchiveDevice") ?? ""
        labelsMedia = resource.bool("LabelMedia")
        isReadOnly = resource.bool("ReadOnly")
        isEnabled = resource.bool("Enabled")
        isAutoSelected = resource.bool("AutoSelect")
        let jobs = resource.number("MaximumConcurrentJobs")
        jobsMax = jobs > 0 ? jobs : Int.max
        volumeBytesMax = UInt64(max(0, resource.size("MaximumVolumeSize")))
        let rangeBytes = resource.size("MaximumFileSize")
        rangeBytesMax = rangeBytes > 0 ? UInt64(rangeBytes) : 1_000_000_000
        let blockBytes = Int(resource.size("MaximumBlockSize"))
        blockBytesMax = blockBytes > 0 ? min(max(blockBytes, 1024), 20_000_000) : 64512
        checksumsBlocks = resource.bool("BlockChecksum")
        let poll = resource.time("VolumePollInterval")
        pollInterval = poll > .zero ? poll : .seconds(300)
        freeBytesMin = UInt64(max(0, resource.size("MinimumFreeSpace")))
    }
}
