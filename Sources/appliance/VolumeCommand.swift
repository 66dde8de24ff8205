// `appliance volume`: volumes without any daemon or catalog, for the day when nothing else is left.

import ArgumentParser
import Configuration
import DiskRepository
import Modules
import Platform
import VolumeTools

struct VolumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume", abstract: "Read, copy and label volumes without any daemon or catalog.",
        discussion: """
            Volumes are named as files, as a directory and names in it, or as names on a device of a configuration:

              appliance volume list /srv/volumes/Full-0001
              appliance volume extract --job 42 --into /tmp/back /srv/volumes Full-0001 Full-0002

            Volumes of a job that spans several are given in their order. Volumes written by Bacula are read too.

            Exit statuses: 0 done, 1 failed, 2 usage, 3 finished, but something was damaged or missing.
            """,
        subcommands: [VolumeListCommand.self, VolumeExtractCommand.self, VolumeCopyCommand.self, VolumeLabelCommand.self])
}

/// How an operator says where volumes are.
struct VolumeLocation: ParsableArguments {
    @Option(help: "A storage daemon's configuration, to find --device in.", completion: .file()) var config: String?
    @Option(help: "The name of a Device resource in --config.") var device: String?

    /// The device that --config and --device name.
    func configuredDevice() throws -> (any VolumeDevice)? {
        guard config != nil || device != nil else { return nil }
        guard let config, let device else { throw ValidationError("--config and --device belong together.") }
        let (configuration, findings) = ConfigurationLoader.load(config, roles: [.storageDaemon])
        guard let configuration else {
            for finding in findings where finding.severity == .error { StandardStream.error.line(finding.description) }
            throw ExitStatus.badConfiguration.code
        }
        guard let resource = configuration.named(.device, device) else {
            let names = configuration.all(.device).map(\.name).joined(separator: ", ")
            throw ValidationError("\(config) has no Device \"\(device)\"; it has \(names.isEmpty ? "none" : names).")
        }
        // The module whose type the resource names; a directory is a File device.
        let type = resource.isGiven("DeviceType") ? resource.text("DeviceType") ?? "File" : "File"
        guard let make = InTreeModules.registry.module(forDeviceType: type)?.makeDevice else {
            throw ValidationError("Nothing in this program drives devices of type \(type).")
        }
        return try make(resource)
    }

    /// The volumes that the arguments name, in order.
    func sources(_ arguments: [String]) throws -> [VolumeSource] {
        if let device = try configuredDevice() {
            let names = try arguments.isEmpty ? device.volumeNames() ?? [] : arguments
            guard !names.isEmpty else { throw ValidationError("Name the volumes.") }
            return names.map { VolumeSource(device: device, volume: $0) }
        }
        guard let first = arguments.first else { throw ValidationError("Name the volumes.") }
        if Directory.exists(first) {
            let device = FileDevice(name: first, directory: first)
            let names = try arguments.count == 1 ? device.volumeNames() ?? [] : Array(arguments.dropFirst())
            guard !names.isEmpty else { throw ValidationError("There is no volume in \(first).") }
            return names.map { VolumeSource(device: device, volume: $0) }
        }
        return arguments.map { Self.source(path: $0) }
    }

    /// A path split into the directory, which is the device, and the volume's name.
    static func source(path: String) -> VolumeSource {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        let name = parts.last.map(String.init) ?? path
        let directory = path.utf8.contains(UInt8(ascii: "/")) ? String(path.dropLast(name.count)) : "."
        return VolumeSource(device: FileDevice(name: name, directory: directory), volume: name)
    }
}

/// Collects lines into writes of 64 KiB.
struct OutputLines: ~Copyable {
    private var text = ""
    mutating func add(_ line: String) {
        text += line
        text += "\n"
        if text.utf8.count >= 64 << 10 { flush() }
    }
    mutating func flush() {
        if !text.isEmpty { StandardStream.output.write(text) }
        text = ""
    }
}

/// Runs a tool, says what went wrong in our words, and turns it into an exit status.
func runVolumeTool(json: Bool = false, _ body: () throws(VolumeToolError) -> Int) throws {
    let problems: Int
    do throws(VolumeToolError) {
        problems = try body()
    } catch {
        if json {
            let message: JSON = [
                "type": "error", "code": .string(error.code), "what": .string(error.what), "remedy": .string(error.remedy),
            ]
            StandardStream.output.line(message.text)
        } else {
            StandardStream.error.line(error.description)
        }
        throw ExitStatus.failed.code
    }
    if problems > 0 { throw ExitStatus.incomplete.code }
}
