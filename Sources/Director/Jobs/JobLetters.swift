// The letters of the catalog and the wire for a job's type, level and status (bacula-wire 9.2).

/// A job's type; the raw value is the catalog's letter.
package enum JobType: Character, Sendable, CaseIterable {
    case backup = "B", restore = "R", verify = "V", admin = "D", copy = "c", migrate = "g"

    /// The word of a Job resource's Type directive.
    package init?(word: String) {
        guard let type = Self.allCases.first(where: { $0.word.lowercased() == word.lowercased() }) else { return nil }
        self = type
    }
    package var word: String {
        switch self {
        case .backup: "Backup"
        case .restore: "Restore"
        case .verify: "Verify"
        case .admin: "Admin"
        case .copy: "Copy"
        case .migrate: "Migrate"
        }
    }
    /// The letter as a number, as the storage daemon's JobId command wants it.
    package var wireNumber: Int { Int(rawValue.asciiValue!) }
}

/// A job's level; the raw value is the catalog's letter.
package enum JobLevel: Character, Sendable, CaseIterable {
    case full = "F", incremental = "I", differential = "D", since = "S", virtualFull = "f", base = "B"
    case verifyInit = "V", verifyCatalog = "C", verifyVolume = "O", verifyDisk = "d", verifyData = "A"
    /// Restore and admin jobs have none.
    case none = " "

    /// The word of a Level directive or argument: `Full`, `Incremental`, `VolumeToCatalog`, …
    package init?(word: String) {
        guard let level = Self.allCases.first(where: { $0 != .none && $0.word.lowercased() == word.lowercased() }) else {
            return nil
        }
        self = level
    }
    package var word: String {
        switch self {
        case .full: "Full"
        case .incremental: "Incremental"
        case .differential: "Differential"
        case .since: "Since"
        case .virtualFull: "VirtualFull"
        case .base: "Base"
        case .verifyInit: "InitCatalog"
        case .verifyCatalog: "Catalog"
        case .verifyVolume: "VolumeToCatalog"
        case .verifyDisk: "DiskToCatalog"
        case .verifyData: "Data"
        case .none: ""
        }
    }
    package var wireNumber: Int { Int(rawValue.asciiValue!) }
}

/// Where a job stands; the raw value is the catalog's letter.
package enum JobStatus: Character, Sendable, CaseIterable {
    case created = "C", running = "R", blocked = "B"
    case ok = "T", warnings = "W", error = "E", nonFatalError = "e", fatal = "f", differences = "D", cancelled = "A"
    case incomplete = "I"
    case waitingForClient = "F", waitingForStorageDaemon = "S", waitingForMedia = "m", waitingForMount = "M"
    case waitingForStorage = "s", waitingForJob = "j", waitingForClientSlot = "c", waitingForMaximumJobs = "d"
    case waitingForStartTime = "t", waitingForPriority = "p", waitingForDevice = "q"
    case despoolingAttributes = "a", insertingAttributes = "i", despoolingData = "l", committingData = "L"

    package var isFinal: Bool {
        switch self {
        case .ok, .warnings, .error, .nonFatalError, .fatal, .differences, .cancelled, .incomplete: true
        default: false
        }
    }
    package var isSuccess: Bool { self == .ok || self == .warnings || self == .differences }
    /// What operators read in status listings.
    package var text: String {
        switch self {
        case .created: "is waiting for execution"
        case .running: "is running"
        case .blocked: "is blocked"
        case .ok: "OK"
        case .warnings: "OK -- with warnings"
        case .error: "Error"
        case .nonFatalError: "Non-fatal error"
        case .fatal: "Fatal Error"
        case .differences: "Differences"
        case .cancelled: "Canceled"
        case .incomplete: "Incomplete"
        case .waitingForClient: "is waiting on Client"
        case .waitingForStorageDaemon: "is waiting on Storage"
        case .waitingForMedia: "is waiting for an appendable Volume"
        case .waitingForMount: "is waiting for a mount request"
        case .waitingForStorage: "is waiting on max Storage jobs"
        case .waitingForJob: "is waiting on max Job jobs"
        case .waitingForClientSlot: "is waiting on max Client jobs"
        case .waitingForMaximumJobs: "is waiting on max total jobs"
        case .waitingForStartTime: "is waiting for its start time"
        case .waitingForPriority: "is waiting for higher priority jobs to finish"
        case .waitingForDevice: "is waiting for a device"
        case .despoolingAttributes: "SD despooling Attributes"
        case .insertingAttributes: "Dir inserting Attributes"
        case .despoolingData: "SD despooling Data"
        case .committingData: "SD committing Data"
        }
    }
}
