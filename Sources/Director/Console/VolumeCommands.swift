// Volumes and devices from the console: label, mount, unmount, release, truncate, update, delete, purge.

import Catalog
import Configuration
import Platform
import Wire

extension DirectorCommand {
    static let volumeCommands: [DirectorCommand] = [
        DirectorCommand("label", "Label a new volume", "storage=<name> volume=<name> pool=<name> slot=<n> drive=<n>") {
            (dialogue, command) async throws(ConsoleStop) in try await DeviceOrders(dialogue, command).label()
        },
        DirectorCommand("mount", "Mount a volume", "storage=<name> slot=<n> drive=<n>") {
            (dialogue, command) async throws(ConsoleStop) in
            try await DeviceOrders(dialogue, command).device("mount")
        },
        DirectorCommand("unmount", "Unmount a device", "storage=<name> drive=<n>") {
            (dialogue, command) async throws(ConsoleStop) in
            try await DeviceOrders(dialogue, command).device("unmount")
        },
        DirectorCommand("umount", "Unmount a device", "(as unmount)") { (dialogue, command) async throws(ConsoleStop) in
            try await DeviceOrders(dialogue, command).device("unmount")
        },
        DirectorCommand("release", "Release a device", "storage=<name> drive=<n>") {
            (dialogue, command) async throws(ConsoleStop) in
            try await DeviceOrders(dialogue, command).device("release")
        },
        DirectorCommand(
            "truncate", "Give the space of purged volumes back", "volume=<name> pool=<name> storage=<name> yes",
            details: "Only volumes with status Purged; the file keeps its label."
        ) { (dialogue, command) async throws(ConsoleStop) in try await DeviceOrders(dialogue, command).truncate() },
        DirectorCommand(
            "update", "Change a volume or a pool in the catalog",
            "volume=<name> volstatus=<status> volretention=<time> voluse=<time> maxvoljobs=<n> maxvolfiles=<n> maxvolbytes=<size> recycle=<yes|no> "
                + "slot=<n> inchanger=<yes|no> pool=<name> enabled=<yes|no> frompool slots storage=<name>",
            details: """
                update volume=NAME volstatus=Used      one or several values of a volume
                update pool=NAME                       the pool's values from its resource
                update slots storage=NAME              what is in the slots, from the autochanger
                """
        ) { (dialogue, command) async throws(ConsoleStop) in try await VolumeUpdates(dialogue, command).run() },
        DirectorCommand("delete", "Delete from the catalog", "volume=<name> jobid=<id,…> pool=<name> yes") {
            (dialogue, command) async throws(ConsoleStop) in
            try CatalogRemovals(dialogue, command).delete()
        },
        DirectorCommand(
            "purge", "Remove files or jobs from the catalog, whatever their retention",
            "volume=<name> files jobid=<id,…> yes"
        ) {
            (dialogue, command) async throws(ConsoleStop) in try CatalogRemovals(dialogue, command).purge()
        },
    ]
}

/// Orders to a storage daemon's devices (bacula-wire 4.7, 7.9).
struct DeviceOrders {
    let dialogue: ConsoleDialogue
    let command: CommandText
    init(_ dialogue: ConsoleDialogue, _ command: CommandText) {
        self.dialogue = dialogue
        self.command = command
    }

    private func storage() throws(ConsoleStop) -> Resource {
        try dialogue.resource(.storage, named: command.value("storage", "sd", "store"))
    }

    private func number(_ keyword: String, default value: Int) throws(ConsoleStop) -> Int {
        guard let text = command.value(keyword) else { return value }
        guard let number = Int(text), number >= 0, number < 100_000 else {
            throw .failure(.badRequest, "\(keyword)=\(text) is no number.")
        }
        return number
    }

    private func deviceName(of storage: Resource) -> String { Bashed.encode(storage.text("Device") ?? storage.name) }

    /// Sends an order and shows the answer as it comes. A refusal (39nn) fails the command.
    @discardableResult
    private func order(_ storage: Resource, _ text: String, tolerates: Set<String> = []) async throws(ConsoleStop)
        -> [String]
    {
        let emit = dialogue.emitter
        let lines: [String]
        do throws(DirectorError) {
            lines = try await dialogue.services.storageCommand(storage.name, text) { line in
                emit(
                    .record(
                        ConsoleRecord(
                            kind: "storage_answer", fields: [("storage", .init(storage.name)), ("text", .init(line))]),
                        text: line + "\n"))
            }
        } catch { throw .failed(error) }
        if let refusal = lines.last(where: { $0.hasPrefix("39") }), !tolerates.contains(String(refusal.prefix(4))) {
            dialogue.succeeded = false
        }
        return lines
    }

    func device(_ verb: String) async throws(ConsoleStop) {
        let storage = try storage()
        let drive = try number("drive", default: -1)
        let slot = try number("slot", default: 0)
        // Already mounted, always mounted, already unmounted, already released: the wish is fulfilled.
        try await order(
            storage, "\(verb) \(deviceName(of: storage)) drive=\(drive) slot=\(slot)",
            tolerates: ["3906", "3901", "3921"])
    }

    // MARK: label

    /// A name that every catalog, label and file system takes: letters, digits and `:.-_`, 1 to 127 of them.
    static func illegalCharacter(in name: String) -> Character? {
        name.first { !($0.isASCII && ($0.isLetter || $0.isNumber || ":.-_".contains($0))) }
    }

    func label() async throws(ConsoleStop) {
        if command.has("barcodes") {
            throw .failure(
                .notBuiltYet, "Labelling by barcodes is not available in this release.",
                remedy: "Label volume by volume, with slot=.")
        }
        try dialogue.announceCatalog()
        let storage = try storage()
        let name = try volumeName(command.value("volume", "name"))
        let pool = try dialogue.resource(.pool, named: command.value("pool"))
        let slot = try number("slot", default: 0)
        let drive = try number("drive", default: -1)
        let mediaType = storage.text("MediaType") ?? ""

        try dialogue.remark(
            "Connecting to Storage daemon \(storage.name) at \(storage.text("Address") ?? ""):\(storage.number("SdPort")) ...\n"
        )
        try dialogue.remark("Sending label command for Volume \"\(name)\" Slot \(slot) ...\n")
        let order =
            "label \(deviceName(of: storage)) VolumeName=\(Bashed.encode(name)) PoolName=\(Bashed.encode(pool.name)) "
            + "MediaType=\(Bashed.encode(mediaType)) Slot=\(slot) drive=\(drive)"
        let lines = try await self.order(storage, order)
        guard let done = lines.last(where: { $0.hasPrefix("3000 OK label.") }),
            let numbers = scan(done, "3000 OK label. VolBytes=%d VolABytes=%d VolType=%d")
        else {
            throw .failure(
                .daemonRefused, "Label command failed for Volume \"\(name)\".",
                remedy: "The storage daemon's answer above says why.")
        }
        let kept: MediaRecord
        do throws(DirectorError) {
            let poolRecord = try dialogue.services.poolRecord(pool.name)
            do throws(CatalogError) {
                var record = dialogue.services.catalog.newVolume(named: name, in: poolRecord, mediaType: mediaType)
                record.bytes = Int64(numbers[0]) ?? 0
                record.adataBytes = Int64(numbers[1]) ?? 0
                record.volumeType = Int(numbers[2]) ?? 0
                record.labelDate = .now
                record.slot = slot
                record.inChanger = slot > 0
                kept = try dialogue.services.catalog.createVolume(record)
            } catch {
                throw DirectorError(
                    .catalog, "The volume \"\(name)\" is labelled, but not in the catalog: \(error.what)",
                    remedy: error.remedy)
            }
        } catch { throw .failed(error) }
        try dialogue.emit(
            .record(
                ConsoleRecord(
                    kind: "volume_labelled",
                    fields: [
                        ("volume", .init(name)), ("pool", .init(pool.name)), ("slot", .init(slot)),
                        ("bytes", .init(kept.bytes)),
                    ]),
                text: "Catalog record for Volume \"\(name)\", Slot \(slot)  successfully created.\n"))
        try dialogue.remark("Requesting to mount \(storage.text("Device") ?? storage.name) ...\n")
        try await self.order(
            storage, "mount \(deviceName(of: storage)) drive=\(drive) slot=\(slot)",
            tolerates: ["3906", "3901", "3905"])
    }

    private func volumeName(_ given: String?) throws(ConsoleStop) -> String {
        var name = given
        while true {
            let candidate: String
            if let name { candidate = name } else { candidate = try dialogue.ask(.text("Enter new Volume name: ")) }
            let problem: String
            if candidate.isEmpty || candidate.utf8.count > 127 {
                problem = "A Volume name has 1 to 127 characters."
            } else if let character = Self.illegalCharacter(in: candidate) {
                problem = "Illegal character \"\(character)\" in a volume name."
            } else if try dialogue.catalog({ (catalog) throws(CatalogError) in try catalog.volume(named: candidate) })
                != nil
            {
                problem = "Media record for new Volume \"\(candidate)\" already exists."
            } else {
                return candidate
            }
            // Somebody who typed it can type another; a script can't.
            guard given == nil else { throw .failure(.badRequest, problem) }
            try dialogue.emit(.warning(problem + "\n"))
            name = nil
        }
    }

    // MARK: truncate

    func truncate() async throws(ConsoleStop) {
        let storage = try storage()
        var volumes = try dialogue.catalog { (catalog) throws(CatalogError) in
            try catalog.volumes(inPool: command.value("pool"))
        }
        volumes = volumes.filter { volume in
            volume.status == .purged && volume.mediaType == storage.text("MediaType")
                && dialogue.rights.allows(.pool, volume.pool)
                && (command.value("volume").map { $0 == volume.volume } ?? true)
        }
        guard !volumes.isEmpty else { return try dialogue.text("No Volumes found to perform the command.\n") }
        try dialogue.remark("This truncates \(volumes.map { "\"\($0.volume)\"" }.joined(separator: ", ")).\n")
        if !command.has("yes") {
            guard try dialogue.askYesNo("Truncate \(volumes.count) Volume\(volumes.count == 1 ? "" : "s")? (yes/no): ")
            else { return }
        }
        for volume in volumes {
            let lines = try await order(
                storage,
                "truncate \(deviceName(of: storage)) VolumeName=\(Bashed.encode(volume.volume)) PoolName=\(Bashed.encode(volume.pool)) "
                    + "MediaType=\(Bashed.encode(volume.mediaType)) Slot=\(volume.slot) drive=\(try number("drive", default: -1))"
            )
            guard let done = lines.last(where: { $0.hasPrefix("3000 OK") }) else { continue }
            var changed = volume
            if let bytes = done.split(separator: " ").first(where: { $0.hasPrefix("VolBytes=") }) {
                changed.bytes = Int64(bytes.dropFirst(9)) ?? 0
            }
            try dialogue.catalog { [changed] (catalog) throws(CatalogError) in try catalog.updateVolume(changed) }
        }
    }
}

/// `update`.
struct VolumeUpdates {
    let dialogue: ConsoleDialogue
    let command: CommandText
    init(_ dialogue: ConsoleDialogue, _ command: CommandText) {
        self.dialogue = dialogue
        self.command = command
    }

    /// The keywords that change a volume, with the words of the menu.
    private static let parameters: [(keyword: String, label: String)] = [
        ("volstatus", "Volume Status"), ("volretention", "Volume Retention Period"), ("voluse", "Volume Use Duration"),
        ("maxvoljobs", "Maximum Volume Jobs"), ("maxvolfiles", "Maximum Volume Files"),
        ("maxvolbytes", "Maximum Volume Bytes"),
        ("recycle", "Recycle Flag"), ("slot", "Slot"), ("inchanger", "InChanger Flag"), ("pool", "Pool"),
        ("enabled", "Enabled"),
        ("frompool", "Volume from Pool"),
    ]

    func run() async throws(ConsoleStop) {
        try dialogue.announceCatalog()
        if command.has("slots") { return try await slots() }
        if command.has("volume") || command.has("media") { return try volume() }
        if let name = command.value("pool") { return try pool(try dialogue.resource(.pool, named: name)) }
        if command.has("stats") || command.has("snapshot") || command.has("jobid") {
            throw .failure(
                .notBuiltYet, "That update is not available in this release.",
                remedy: "Use update volume=, pool= or slots.")
        }
        switch try dialogue.choose(
            title: "Update choice:\n", ["Volume parameters", "Pool from resource", "Slots from autochanger"],
            prompt: "Choose catalog item to update")
        {
        case 0: try volume()
        case 1: try pool(try dialogue.resource(.pool, named: nil))
        default: try await slots()
        }
    }

    private func pool(_ resource: Resource) throws(ConsoleStop) {
        let record = PoolRecord(resource)
        _ = try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.syncPools([record]) }
        try dialogue.text("Pool DB record updated from resource.\n")
    }

    private func volume() throws(ConsoleStop) {
        let name: String
        if let given = command.value("volume") {
            name = given
        } else {
            let volumes = try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.volumes() }.filter {
                dialogue.rights.allows(.pool, $0.pool)
            }
            name =
                volumes[
                    try dialogue.choose(
                        title: "The Volumes are:\n", volumes.map { "\($0.volume) (\($0.pool), \($0.status.rawValue))" },
                        prompt: "Select Volume")
                ].volume
        }
        guard var record = try dialogue.catalog({ (catalog) throws(CatalogError) in try catalog.volume(named: name) }),
            dialogue.rights.allows(.pool, record.pool)
        else {
            throw .failure(
                .notFound, "Volume \"\(name)\" is not in the catalog.", remedy: "\"list volumes\" shows them.")
        }
        let given = Self.parameters.filter {
            command.value($0.keyword) != nil || $0.keyword == "frompool" && command.has("frompool")
        }
        if !given.isEmpty {
            for parameter in given {
                try change(parameter.keyword, to: command.value(parameter.keyword) ?? "", of: &record)
            }
            return
        }
        try dialogue.remark("Updating Volume \"\(record.volume)\"\n")
        while true {
            let index = try dialogue.choose(
                title: "Parameters to modify:\n", Self.parameters.map(\.label) + ["Done"],
                prompt: "Select parameter to modify")
            guard index < Self.parameters.count else { return try dialogue.remark("Selection terminated.\n") }
            let keyword = Self.parameters[index].keyword
            do throws(ConsoleStop) { try change(keyword, to: try value(for: keyword, of: record), of: &record) } catch {
                guard case .failed(_, let what, let remedy) = error else { throw error }
                try dialogue.emit(.warning("\(what) \(remedy)\n"))
            }
        }
    }

    private func value(for keyword: String, of record: MediaRecord) throws(ConsoleStop) -> String {
        switch keyword {
        case "volstatus":
            let values = VolumeStatus.settable.map(\.rawValue)
            try dialogue.remark("Current Volume status is: \(record.status.rawValue)\n")
            return values[
                try dialogue.choose(title: "Possible Values are:\n", values, prompt: "Choose new Volume Status")]
        case "pool": return try dialogue.resource(.pool, named: nil).name
        case "frompool": return ""
        case "volretention":
            return try dialogue.ask(
                .text(
                    "Current retention period is: \(Units.text(seconds: record.retention))\nEnter Volume Retention period: "
                ))
        case "voluse":
            return try dialogue.ask(
                .text(
                    "Current use duration is: \(Units.text(seconds: record.useDuration))\nEnter Volume Use Duration: "))
        default: return try dialogue.ask(.text("Enter new value of \(keyword): "))
        }
    }

    private func change(_ keyword: String, to value: String, of record: inout MediaRecord) throws(ConsoleStop) {
        func number() throws(ConsoleStop) -> Int64 {
            guard let number = Int64(value), number >= 0 else {
                throw .failure(.badRequest, "\(keyword)=\(value) is no number.")
            }
            return number
        }
        func seconds() throws(ConsoleStop) -> Int64 {
            guard let seconds = Units.seconds(value) else {
                throw .failure(.badRequest, "\"\(value)\" is no length of time.", remedy: "Write 30 days or 1 year.")
            }
            return seconds
        }
        var changed = record
        let text: String
        switch keyword {
        case "volstatus":
            guard let status = VolumeStatus.settable.first(where: { $0.rawValue.isSameWord(as: value) }) else {
                throw .failure(
                    .badRequest, "\"\(value)\" is no Volume status that can be set.",
                    remedy: "Use one of \(VolumeStatus.settable.map(\.rawValue).joined(separator: ", ")).")
            }
            changed.status = status
            text = "New Volume status is: \(status.rawValue)"
        case "volretention":
            changed.retention = try seconds()
            text = "New retention period is: \(Units.text(seconds: changed.retention))"
        case "voluse":
            changed.useDuration = try seconds()
            text = "New use duration is: \(Units.text(seconds: changed.useDuration))"
        case "maxvoljobs":
            changed.jobsMax = try number()
            text = "New max jobs is: \(changed.jobsMax)"
        case "maxvolfiles":
            changed.filesMax = try number()
            text = "New max files is: \(changed.filesMax)"
        case "maxvolbytes":
            guard let bytes = Units.bytes(value) else {
                throw .failure(.badRequest, "\"\(value)\" is no size.", remedy: "Write 10 GB or 500m.")
            }
            changed.bytesMax = bytes
            text = "New Max bytes is: \(bytes)"
        case "recycle":
            changed.recycle = try Bool(argument: value, of: keyword)
            text = "New Recycle flag is: \(changed.recycle ? "yes" : "no")"
        case "slot":
            changed.slot = Int(clamping: try number())
            text = "New Slot is: \(changed.slot)"
        case "inchanger":
            changed.inChanger = try Bool(argument: value, of: keyword)
            text = "New InChanger flag is: \(changed.inChanger ? "yes" : "no")"
        case "pool":
            let pool = try dialogue.resource(.pool, named: value)
            let row = try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.pool(named: pool.name) }
            guard let known = row else {
                throw .failure(.notFound, "Pool \"\(pool.name)\" is not in the catalog.")
            }
            changed.poolID = known.poolID
            changed.pool = known.name
            text = "New Pool is: \(known.name)"
        case "enabled":
            switch value.lowercased() {
            case "archived", "2": changed.enabled = 2
            default: changed.enabled = try Bool(argument: value, of: keyword) ? 1 : 0
            }
            text = "New Enabled is: \(changed.enabled)"
        case "frompool":
            guard
                let known = try dialogue.catalog({ (catalog) throws(CatalogError) in try catalog.pool(record.poolID) })
            else {
                throw .failure(.notFound, "The volume's pool is not in the catalog.")
            }
            changed.retention = known.volumeRetention
            changed.useDuration = known.useDuration
            changed.jobsMax = known.jobsMax
            changed.filesMax = known.filesMax
            changed.bytesMax = known.bytesMax
            changed.recycle = known.recycle
            text = "Volume defaults updated from \"\(known.name)\" Pool record."
        default: throw .failure(.badRequest, "\"\(keyword)\" is no parameter of a volume.")
        }
        try dialogue.catalog { [changed] (catalog) throws(CatalogError) in try catalog.updateVolume(changed) }
        record = changed
        try dialogue.emit(
            .record(
                ConsoleRecord(
                    kind: "volume_updated",
                    fields: [("volume", .init(record.volume)), ("parameter", .init(keyword)), ("text", .init(text))]),
                text: text + "\n"))
    }

    /// What the changer says is in its slots. Volumes that it doesn't name are out of it.
    private func slots() async throws(ConsoleStop) {
        let storage = try dialogue.resource(.storage, named: command.value("storage"))
        let lines: [String]
        do throws(DirectorError) {
            lines = try await dialogue.services.storageCommand(
                storage.name, "autochanger list \(Bashed.encode(storage.text("Device") ?? storage.name)) ")
        } catch { throw .failed(error) }
        let pairs = lines.compactMap { line -> (slot: Int, volume: String)? in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let slot = Int(parts[0].trimmed), slot > 0 else { return nil }
            return (slot, parts[1].trimmed)
        }
        guard !pairs.isEmpty else {
            return try dialogue.text("No Volumes found to label, or the device is no autochanger.\n")
        }
        let mediaType = storage.text("MediaType") ?? ""
        for var volume in try dialogue.catalog({ (catalog) throws(CatalogError) in try catalog.volumes() })
        where volume.mediaType == mediaType {
            let slot = pairs.first { $0.volume == volume.volume }?.slot ?? 0
            guard volume.slot != slot || volume.inChanger != (slot > 0) else { continue }
            volume.slot = slot
            volume.inChanger = slot > 0
            try dialogue.catalog { [volume] (catalog) throws(CatalogError) in try catalog.updateVolume(volume) }
            try dialogue.text("Catalog record for Volume \"\(volume.volume)\" updated: Slot \(slot).\n")
        }
    }
}

extension VolumeStatus {
    /// What an operator may set; the rest is the daemons' business.
    static let settable: [VolumeStatus] = [
        .append, .archive, .disabled, .full, .used, .cleaning, .recycle, .readOnly, .error, .purged,
    ]
}

/// Lengths of time and sizes as operators write them.
enum Units {
    private static let times: [(name: String, seconds: Int64)] = [
        ("years", 365 * 86400), ("quarters", 91 * 86400), ("months", 30 * 86400), ("weeks", 7 * 86400), ("days", 86400),
        ("hours", 3600),
        ("minutes", 60), ("mins", 60), ("seconds", 1), ("secs", 1),
    ]

    /// `1 year 2 months`, `30d`, `3600`; nil for anything else. A unit may be cut short; `m` is months, as in Bacula.
    static func seconds(_ text: String) -> Int64? {
        var total: Int64 = 0
        var rest = Substring(text.lowercased().filter { !$0.isWhitespace })
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isNumber }
            guard let number = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard unit.isEmpty ? rest.isEmpty : true else { return nil }
            guard let factor = unit.isEmpty ? 1 : times.first(where: { $0.name.hasPrefix(unit) })?.seconds else {
                return nil
            }
            let (product, overflow) = number.multipliedReportingOverflow(by: factor)
            let (sum, tooMuch) = total.addingReportingOverflow(product)
            guard !overflow, !tooMuch else { return nil }
            total = sum
        }
        return total
    }

    /// `1 year 2 days`
    static func text(seconds: Int64) -> String {
        guard seconds > 0 else { return "0 secs" }
        var rest = seconds
        var parts: [String] = []
        for (name, size) in times where !["quarters", "weeks", "minutes", "seconds"].contains(name) {
            let count = rest / size
            rest %= size
            if count > 0 { parts.append("\(count) \(count == 1 ? String(name.dropLast()) : name)") }
        }
        return parts.joined(separator: " ")
    }

    /// `10g` is 10 × 2³⁰, `10 gb` 10 × 10⁹ (bacula-wire 8.2); nil for what is no size.
    static func bytes(_ text: String) -> Int64? {
        let compact = text.lowercased().filter { !$0.isWhitespace }
        let digits = compact.prefix { $0.isNumber }
        guard let number = Int64(digits) else { return nil }
        let factor: Int64
        switch compact.dropFirst(digits.count) {
        case "": factor = 1
        case "k": factor = 1 << 10
        case "kb": factor = 1000
        case "m": factor = 1 << 20
        case "mb": factor = 1_000_000
        case "g": factor = 1 << 30
        case "gb": factor = 1_000_000_000
        case "t": factor = 1 << 40
        case "tb": factor = 1_000_000_000_000
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}

/// `delete` and `purge`.
struct CatalogRemovals {
    let dialogue: ConsoleDialogue
    let command: CommandText
    init(_ dialogue: ConsoleDialogue, _ command: CommandText) {
        self.dialogue = dialogue
        self.command = command
    }

    private func confirmed(_ question: String) throws(ConsoleStop) -> Bool {
        if command.has("yes") { return true }
        return try dialogue.askYesNo("\(question) (yes/no): ")
    }

    private func jobs(_ text: String) throws(ConsoleStop) -> [JobRecord] {
        guard let list = JobIDList(text) else {
            throw .failure(.badRequest, "\"\(text)\" is no list of JobIds.", remedy: "Write 1,2,5-7.")
        }
        var jobs: [JobRecord] = []
        for jobID in list.values { jobs.append(try dialogue.job(jobID)) }
        return jobs
    }

    private func volume(_ name: String) throws(ConsoleStop) -> MediaRecord {
        guard let volume = try dialogue.catalog({ (catalog) throws(CatalogError) in try catalog.volume(named: name) }),
            dialogue.rights.allows(.pool, volume.pool)
        else {
            throw .failure(
                .notFound, "Volume \"\(name)\" is not in the catalog.", remedy: "\"list volumes\" shows them.")
        }
        return volume
    }

    private func removed(_ kind: String, _ name: String, text: String) throws(ConsoleStop) {
        try dialogue.emit(.record(ConsoleRecord(kind: kind, fields: [("name", .init(name))]), text: text + "\n"))
    }

    func delete() throws(ConsoleStop) {
        try dialogue.announceCatalog()
        if let text = command.value("jobid") {
            let jobs = try jobs(text)
            if jobs.count > 1 {
                guard try confirmed("Are you sure you want to delete \(jobs.count) Jobs?") else { return }
            }
            for job in jobs {
                try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.deleteJob(job.jobID) }
                try removed(
                    "job_deleted", "\(job.jobID)",
                    text: "JobId=\(job.jobID) and associated records deleted from the catalog.")
            }
            return
        }
        if let name = command.value("pool") {
            let pool = try dialogue.resource(.pool, named: name).name
            guard try confirmed("Are you sure you want to delete Pool \"\(pool)\"?") else { return }
            try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.deletePool(pool) }
            return try removed("pool_deleted", pool, text: "Pool \"\(pool)\" deleted.")
        }
        guard let name = command.value("volume") else {
            throw .failure(.badRequest, "Delete what?", remedy: "Use delete volume=, jobid= or pool=.")
        }
        let record = try volume(name)
        try dialogue.remark(
            "\nThis command will delete volume \(record.volume)\nand all Jobs saved on that volume from the Catalog\n")
        guard try confirmed("Are you sure you want to delete Volume \"\(record.volume)\"?") else { return }
        let jobs = try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.deleteVolume(record.volume) }
        try removed(
            "volume_deleted", record.volume,
            text:
                "Volume \"\(record.volume)\" and \(jobs.count) Job\(jobs.count == 1 ? "" : "s") deleted from the catalog."
        )
    }

    func purge() throws(ConsoleStop) {
        try dialogue.announceCatalog()
        try dialogue.remark(
            """

            This command removes Files or Jobs from the catalog without regard to their retention.
            What is removed here can only be restored by volume, not by name.

            """)
        if let text = command.value("jobid") {
            for job in try jobs(text) {
                try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.purgeFiles(ofJob: job.jobID) }
                try removed("files_purged", "\(job.jobID)", text: "Files of JobId \(job.jobID) purged from catalog.")
            }
            return
        }
        guard let name = command.value("volume") else {
            throw .failure(.badRequest, "Purge what?", remedy: "Use purge volume=, or purge files jobid=.")
        }
        let record = try volume(name)
        // Bacula's purge asks nothing, and scripts written for it count on that; our own console asks.
        if dialogue.renderer.mode == .framed || dialogue.renderer.mode == .json {
            guard try confirmed("Purge all Jobs on Volume \"\(record.volume)\"?") else { return }
        }
        let jobs = try dialogue.catalog { (catalog) throws(CatalogError) in try catalog.purgeVolume(record.volume) }
        try removed(
            "volume_purged", record.volume,
            text: "\(jobs.count) Job\(jobs.count == 1 ? "" : "s") on Volume \"\(record.volume)\" purged from catalog.\n"
                + "There are no more Jobs associated with Volume \"\(record.volume)\". Marking it purged.")
    }
}
