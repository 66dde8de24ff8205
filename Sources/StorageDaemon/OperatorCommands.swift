// What an operator asks of the storage daemon through the director (bacula-wire 4.7).

import Logging
import Modules
import Platform
import Volumes
import Wire

/// The commands that are not about the conversation's own job. Every answer ends with EOD.
struct OperatorCommands: Sendable {
    let server: StorageServer
    let link: DirectorLink

    func obey(_ command: String) throws(WireError) {
        let answer: String
        let verb = command.prefix { $0 != " " && $0 != "=" }
        switch verb {
        case "status":
            for line in StatusText(server: server).all { try link.send(line + "\n\0") }
            try link.send(.endOfData)
            return
        case ".status":
            for line in dotStatus(command) { try link.send(line + "\n\0") }
            try link.send(.endOfData)
            return
        case "cancel": answer = cancel(command, "cancel Job=%s", .operatorCancel, "canceled")
        case "stop": answer = cancel(command, "stop Job=%s", .operatorStop, "stopped")
        case "label": answer = label(command)
        case "relabel": answer = relabel(command)
        case "truncate": answer = truncate(command)
        case "mount": answer = onDrive(command, "mount") { self.mount($0) }
        case "unmount": answer = onDrive(command, "unmount") { self.unmount($0) }
        case "release": answer = onDrive(command, "release") { self.release($0) }
        case "enable": answer = onDrive(command, "enable") { self.enable($0, true) }
        case "disable": answer = onDrive(command, "disable") { self.enable($0, false) }
        case "readlabel": answer = readLabel(command)
        case "autochanger":
            answer =
                "3995 Device \"\(Bashed.decode(command.split(separator: " ").last ?? ""))\" is not an autochanger that this "
                + "program can drive: no autochanger module is built in.\n"
        case "upload", "prunecache", "cloudlist":
            answer = "3900 Invalid command: \(verb): this program has no cloud devices.\n"
        case "setdebug": answer = setDebug(command)
        default: answer = "3900 Invalid command: \(command)\n"
        }
        try link.send(answer)
        try link.send(.endOfData)
    }

    private func dotStatus(_ command: String) -> [String] {
        let words = command.split(separator: " ").map(String.init)
        let what = words.count > 1 ? words[1] : ""
        let text = StatusText(server: server)
        return switch what {
        case "header": text.header
        case "running": text.running
        case "waitreservation": text.waiting
        case "devices": text.devices
        case "volumes": text.volumes
        case "spooling": text.spooling
        case "terminated": text.terminated
        case "current", "last", "statistics", "resources", "cloud": []
        default: ["3900 Invalid command: \(command)"]
        }
    }

    private func cancel(_ command: String, _ format: String, _ reason: Cancellation, _ word: String) -> String {
        guard let fields = scan(command, format), !fields[0].isEmpty else { return "3900 Invalid command: \(command)\n" }
        let name = Bashed.decode(fields[0])
        guard let job = server.job(named: name) else { return "3904 Job \(name) not found.\n" }
        job.cancel(reason)
        server.logger.info("job told to end", metadata: ["job": "\(job.id)", "reason": "\(word)"])
        return "3000 JobId=\(job.id) Job=\"\(name)\" marked to be \(word).\n"
    }

    private func setDebug(_ command: String) -> String {
        let fields = scan(command, "setdebug=%d trace=%d") ?? ["0", "0"]
        return "3000 OK setdebug=\(fields[0]) trace=\(fields[1]) options= tags=\n"
    }

    // MARK: - Drives

    private func driveIndex(_ bashedName: String, drive: Int) -> Int? {
        let name = Bashed.decode(bashedName)
        if let group = server.table.groups[name] { return drive >= 0 && drive < group.count ? group[drive] : group.first }
        return server.table.drives.firstIndex { $0.name == name }
    }

    private func onDrive(_ command: String, _ verb: String, _ body: (Int) -> String) -> String {
        guard let fields = scan(command, "\(verb) %s drive=%d slot=%d") else { return "3900 Invalid command: \(command)\n" }
        guard let index = driveIndex(fields[0], drive: Int(fields[1]) ?? -1) else {
            return "3999 Device \"\(Bashed.decode(fields[0]))\" not found or could not be opened.\n"
        }
        return body(index)
    }

    /// Why a command can't act on the drive now, as a line; nil when it can.
    private func blocked(_ index: Int) -> String? {
        let name = server.table.drives[index].description
        return server.table.state.read { state in
            let use = state.uses[index]
            if use.inCommand { return "3935 Device \"\(name)\" is BLOCKED labeling a Volume.\n" }
            if !use.writers.isEmpty, !use.waitsForOperator {
                return "3937 Device \"\(name)\" is busy with writers=\(use.writers.count) reserved=0.\n"
            }
            if !use.isDisk, !use.readers.isEmpty { return "3936 Device \"\(name)\" is busy reading.\n" }
            return nil
        }
    }

    private func mount(_ index: Int) -> String {
        let drive = server.table.drives[index]
        let wasUnmounted = server.table.state.withLock { state in
            defer { state.uses[index].isUnmounted = false }
            return state.uses[index].isUnmounted
        }
        drive.noteOperatorCall()
        if drive.isDisk, !wasUnmounted { return "3906 File device \"\(drive.description)\" is always mounted.\n" }
        return "3002 Device \"\(drive.description)\" is mounted.\n"
    }

    private func unmount(_ index: Int) -> String {
        let drive = server.table.drives[index]
        if let refusal = blocked(index) { return refusal }
        let was = server.table.state.withLock { state in
            defer { state.uses[index].isUnmounted = true }
            return state.uses[index].isUnmounted
        }
        return was
            ? "3901 Device \"\(drive.description)\" is already unmounted.\n" : "3002 Device \"\(drive.description)\" unmounted.\n"
    }

    private func release(_ index: Int) -> String {
        let drive = server.table.drives[index]
        if let refusal = blocked(index) { return refusal }
        guard drive.io.read({ $0.volume != nil }) else { return "3921 Device \"\(drive.description)\" already released.\n" }
        do throws(StorageError) {
            try drive.withChange(for: nil) { () throws(StorageError) in
                if let name = try drive.closeVolume()?.name { server.table.unclaim(name, for: index) }
            }
        } catch { return "3902 Device \"\(drive.description)\": \(error)\n" }
        return "3022 Device \"\(drive.description)\" released.\n"
    }

    private func enable(_ index: Int, _ isEnabled: Bool) -> String {
        let drive = server.table.drives[index]
        let word = isEnabled ? "enabled" : "disabled"
        let was = server.table.state.withLock { state in
            defer { state.uses[index].isEnabled = isEnabled }
            return state.uses[index].isEnabled
        }
        drive.noteOperatorCall()
        return was == isEnabled
            ? "3003 Device \"\(drive.description)\" already \(word).\n" : "3002 Device \"\(drive.description)\" \(word).\n"
    }

    // MARK: - Labels

    /// Names that can't leave the directory of volumes and that the wire can carry.
    static func isLegalVolumeName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 127 && name.first != "."
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || ":.-_".utf8.contains(byte)
            }
    }

    /// Runs `body` with a driver for one volume that nobody uses. On disk that is a driver beside the one that jobs write
    /// with; a tape drive must be idle.
    private func withVolume(
        _ index: Int, _ volume: String, _ body: (any VolumeDevice) throws(DeviceError) -> String
    ) -> String {
        let drive = server.table.drives[index]
        if !drive.isDisk, let refusal = blocked(index) { return refusal }
        guard !server.table.isInUse(volume), server.table.claim(volume, for: -1 - index, emptying: true) else {
            return "3908 Error reserving Volume=\"\(volume)\": a job is using it.\n"
        }
        defer { server.table.unclaim(volume, for: -1 - index) }
        do throws(DeviceError) {
            let driver = try drive.separateDriver()
            let answer: String
            do throws(DeviceError) { answer = try body(driver) } catch {
                try? driver.close()
                throw error
            }
            try driver.close()
            return answer
        } catch {
            return "3912 Failed to label Volume \(volume): ERR=\(error)\n"
        }
    }

    private func label(_ command: String) -> String {
        let format = "label %s VolumeName=%s PoolName=%s MediaType=%s Slot=%d drive=%d"
        guard let fields = scan(command, format) else { return "3900 Invalid command: \(command)\n" }
        guard let index = driveIndex(fields[0], drive: Int(fields[5]) ?? -1) else {
            return "3999 Device \"\(Bashed.decode(fields[0]))\" not found or could not be opened.\n"
        }
        let volume = Bashed.decode(fields[1])
        guard Self.isLegalVolumeName(volume) else {
            return
                "3912 Failed to label Volume \(volume): ERR=a name may hold letters, digits and :.-_ only, and not begin with a dot.\n"
        }
        return withVolume(index, volume) { driver throws(DeviceError) in
            try self.writePreLabel(driver, index, volume, pool: Bashed.decode(fields[2]), mediaType: Bashed.decode(fields[3]))
        }
    }

    /// Labels a volume that is blank or not there.
    private func writePreLabel(
        _ driver: any VolumeDevice, _ index: Int, _ volume: String, pool: String, mediaType: String
    ) throws(DeviceError) -> String {
        let drive = server.table.drives[index]
        var isThere = true
        do throws(DeviceError) { try driver.open(volume: volume, for: .append, create: false) } catch {
            guard error.kind == .noSuchVolume else { throw error }
            isThere = false
        }
        if isThere, try driver.volumeBytes() > 0 || !drive.isDisk {
            do throws(StorageError) {
                let found = try readVolumeLabel(driver)
                return "3920 Cannot label Volume because it is already labeled: \"\(found.label.volumeName)\"\n"
            } catch {
                if drive.isDisk {
                    return "3912 Failed to label Volume \(volume): ERR=there is a file of that name which is no volume.\n"
                }
            }
        }
        if !isThere { try driver.open(volume: volume, for: .append, create: true) }
        return try answerToLabel(driver, index, volume, pool: pool, mediaType: mediaType)
    }

    private func answerToLabel(
        _ driver: any VolumeDevice, _ index: Int, _ volume: String, pool: String, mediaType: String
    ) throws(DeviceError) -> String {
        let drive = server.table.drives[index]
        let session = SessionIdentity(id: 0, time: server.numbers.time)
        let block = volumeLabelBlock(
            isInUse: false, volume: volume, pool: pool, mediaType: mediaType, daemonName: server.settings.name, session: session,
            isChecksummed: drive.settings.checksumsBlocks)
        try driver.writeLabel(block.span)
        server.logger.info("volume labelled", metadata: ["volume": "\(volume)", "device": "\(drive.name)", "pool": "\(pool)"])
        drive.noteOperatorCall()
        return "3000 OK label. VolBytes=\(block.count) VolABytes=0 VolType=\(drive.driver.kind.rawValue) Volume=\"\(volume)\""
            + " Device=\(drive.description)\n"
    }

    private func relabel(_ command: String) -> String {
        let format = "relabel %s OldName=%s NewName=%s PoolName=%s MediaType=%s Slot=%d drive=%d"
        guard let fields = scan(command, format) else { return "3900 Invalid command: \(command)\n" }
        guard let index = driveIndex(fields[0], drive: Int(fields[6]) ?? -1) else {
            return "3999 Device \"\(Bashed.decode(fields[0]))\" not found or could not be opened.\n"
        }
        let (old, new) = (Bashed.decode(fields[1]), Bashed.decode(fields[2]))
        guard Self.isLegalVolumeName(new) else { return "3912 Failed to label Volume \(new): ERR=the name is not legal.\n" }
        let (pool, mediaType) = (Bashed.decode(fields[3]), Bashed.decode(fields[4]))
        let drive = server.table.drives[index]
        return withVolume(index, old) { driver throws(DeviceError) in
            try driver.open(volume: old, for: .append, create: false)
            do throws(StorageError) {
                guard try readVolumeLabel(driver).label.volumeName == old else { return "3921 Wrong volume mounted.\n" }
            } catch { return "3912 Failed to label Volume \(old): ERR=\(error.what)\n" }
            if drive.isDisk, new != old {
                // On disk the label and the file's name are one: the new volume is a new file, the old one is emptied.
                let answer = self.withVolume(index, new) { other throws(DeviceError) in
                    try self.writePreLabel(other, index, new, pool: pool, mediaType: mediaType)
                }
                if answer.hasPrefix("3000") { try driver.truncate(at: .start) }
                return answer
            }
            return try self.answerToLabel(driver, index, new, pool: pool, mediaType: mediaType)
        }
    }

    /// `truncate DEVICE VolumeName=… PoolName=… MediaType=…`: gives a purged volume's room back, keeping its label. Ours;
    /// Bacula's form has the storage's name and more fields in front of them, which are passed over.
    private func truncate(_ command: String) -> String {
        let words = command.split(separator: " ")
        func field(_ name: String) -> String? {
            for word in words {
                if word.lowercased().hasPrefix(name.lowercased() + "=") { return Bashed.decode(word.dropFirst(name.count + 1)) }
            }
            return nil
        }
        guard words.count >= 3, let volume = field("VolumeName") ?? field("Volume") ?? field("VolName") else {
            return "3900 Invalid command: \(command)\n"
        }
        let name = words[1].hasPrefix("Storage=") || words[1].hasPrefix("storage=") ? field("Device") ?? "" : String(words[1])
        guard let index = driveIndex(name, drive: -1) else {
            return "3999 Device \"\(Bashed.decode(name))\" not found or could not be opened.\n"
        }
        let drive = server.table.drives[index]
        guard drive.isDisk else { return "3900 Device \"\(drive.description)\" has no volumes that could be truncated.\n" }
        return withVolume(index, volume) { driver throws(DeviceError) in
            try driver.open(volume: volume, for: .append, create: false)
            let old: VolumeLabel
            do throws(StorageError) { old = try readVolumeLabel(driver).label } catch {
                return "3912 Failed to truncate Volume \(volume): ERR=\(error.what)\n"
            }
            guard old.volumeName == volume else { return "3921 Wrong volume mounted.\n" }
            let answer = try self.answerToLabel(
                driver, index, volume, pool: field("PoolName") ?? old.pool, mediaType: old.mediaType)
            return answer.hasPrefix("3000 OK label.") ? "3000 OK truncate." + answer.dropFirst("3000 OK label.".count) : answer
        }
    }

    private func readLabel(_ command: String) -> String {
        guard let fields = scan(command, "readlabel %s Slot=%d drive=%d") else { return "3900 Invalid command: \(command)\n" }
        guard let index = driveIndex(fields[0], drive: Int(fields[2]) ?? -1) else {
            return "3999 Device \"\(Bashed.decode(fields[0]))\" not found or could not be opened.\n"
        }
        let drive = server.table.drives[index]
        if let volume = drive.io.read({ $0.volume?.info.name ?? $0.lastVolume }) {
            return "3001 Volume=\(Bashed.encode(volume)) Slot=\(fields[1])\n"
        }
        return "3902 Cannot mount Volume on Storage Device \"\(drive.description)\" because:\nno volume is in it.\n"
    }
}
