// The volumes that an operator named, for the day when no daemon and no catalog are left.

package import Modules
import Platform

/// Why a tool for volumes could not do its work.
package struct VolumeToolError: PresentableError {
    package enum Kind: String, Sendable {
        case noSuchVolume = "no-such-volume"
        case notAVolume = "not-a-volume"
        case volumeInUse = "volume-in-use"
        case device = "device-failed"
        case noSuchJob = "no-such-job"
        case badRequest = "bad-request"
    }
    package var kind: Kind
    package var what: String
    package var remedy: String
    package init(_ kind: Kind, _ what: String, remedy: String = "") {
        self.kind = kind
        self.what = what
        self.remedy = remedy
    }
    package init(_ error: DeviceError) {
        self.init(error.kind == .noSuchVolume ? .noSuchVolume : .device, error.what, remedy: error.remedy)
    }
    package var code: String { kind.rawValue }
}

/// A volume and the device that holds it.
package struct VolumeSource: Sendable {
    package var device: any VolumeDevice
    package var volume: String
    package init(device: any VolumeDevice, volume: String) {
        self.device = device
        self.volume = volume
    }

    package func open() throws(VolumeToolError) {
        do throws(DeviceError) {
            try device.open(volume: volume, for: .read, create: false)
        } catch {
            throw VolumeToolError(error)
        }
    }
}
