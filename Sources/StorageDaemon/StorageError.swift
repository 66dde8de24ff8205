// What can go wrong between a job and its volumes, in words for the job's log.

import Modules
import Platform
import Wire

/// A failure of one job or command of the storage daemon.
struct StorageError: PresentableError {
    enum Kind: String, Sendable {
        /// Someone asked for the end: an operator, a shutdown.
        case cancelled
        case directorLost = "director-lost"
        case clientLost = "client-lost"
        /// The client sent what the dialogue does not allow.
        case badStream = "bad-stream"
        case noDevice = "no-device"
        case noVolume = "no-volume"
        case wrongVolume = "wrong-volume"
        case deviceBusy = "device-busy"
        case mediaError = "media-error"
        case catalogRefused = "catalog-refused"
        case badCommand = "bad-command"
        case system
    }
    var kind: Kind
    var what: String
    var remedy: String
    init(_ kind: Kind, _ what: String, remedy: String = "") {
        self.kind = kind
        self.what = what
        self.remedy = remedy
    }
    var code: String { kind.rawValue }

    init(_ error: SystemError) { self.init(.system, error.what, remedy: error.remedy) }
    init(_ error: DeviceError) { self.init(.mediaError, error.what, remedy: error.remedy) }
    init(director error: WireError) {
        self.init(.directorLost, "The director's connection failed: \(error.what)", remedy: "Look at the director's log.")
    }
    init(client error: WireError) {
        self.init(.clientLost, "The client's connection failed: \(error.what)", remedy: "Look at the file daemon's log.")
    }
}
