// What this module offers: disk devices.

package import Modules
import Configuration

extension Module {
    /// `Device Type = File`, the default for an Archive Device that is a directory.
    package static let diskRepository = Module(
        name: "disk-repository", summary: "Volumes as files of a directory.", deviceTypes: ["File"],
        makeDevice: { (resource: Resource) throws(DeviceError) -> any VolumeDevice in
            guard let directory = resource.text("ArchiveDevice") else {
                throw DeviceError(
                    .system, "Device \"\(resource.name)\" has no Archive Device.",
                    remedy: "Give it the directory that its volumes live in.")
            }
            return FileDevice(name: resource.name, directory: directory)
        })
}
