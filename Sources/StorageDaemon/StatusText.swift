// What `status storage` prints (bacula-wire 10.14), with the running jobs' bytes and rate.

import Platform

/// The status of a storage daemon as lines without their ends.
struct StatusText {
    let server: StorageServer

    var all: [String] {
        [""] + header + [""] + running + [""] + waiting + [""] + terminated + [""] + devices + [""] + volumes + [""] + spooling + [
            ""
        ]
    }

    private static func clock(_ time: WallTime) -> String { time.formatted("%d-%b-%y %H:%M", local: true) }

    var header: [String] {
        let (run, running) = server.state.read { ($0.jobsRun, $0.jobs.count) }
        return [
            "\(server.settings.name) Version: \(ProgramIdentity.version) (\(ProgramIdentity.date))",
            "Daemon started \(Self.clock(server.started)). Jobs: run=\(run), running=\(running).",
            " Res: ndevices=\(server.table.drives.count) nautochgr=\(server.table.groups.count)",
        ]
    }

    var running: [String] {
        var lines = ["Running Jobs:"]
        for job in server.runningJobs() {
            let state = job.state.read { $0 }
            let verb = state.isWriting ? "Writing" : "Reading"
            lines.append(
                "\(verb): \(job.request.levelText.isEmpty ? "" : "\(job.request.levelText) ")\(Self.typeWord(job.request.type)) job "
                    + "\(job.request.jobName) JobId=\(job.id) Volume=\"\(state.volumeName ?? "")\"")
            lines.append("    pool=\"\(state.poolName)\" device=\"\(state.driveName ?? "")\" \(Self.statusWord(state))")
            let elapsed = state.dataStart.map { ContinuousClock.now - $0 } ?? .zero
            let seconds = max(1, elapsed.components.seconds)
            lines.append(
                "    Files=\(grouped(UInt64(state.files))) Bytes=\(grouped(state.bytes)) AveBytes/sec="
                    + "\(grouped(state.dataStart == nil ? 0 : state.bytes / UInt64(seconds))) Errors=\(state.errors)")
        }
        if lines.count == 1 { lines.append("No Jobs running.") }
        return lines + ["===="]
    }

    private static func typeWord(_ letter: UInt8) -> String {
        switch letter {
        case UInt8(ascii: "B"): "Backup"
        case UInt8(ascii: "R"): "Restore"
        case UInt8(ascii: "V"): "Verify"
        case UInt8(ascii: "c"): "Copy"
        case UInt8(ascii: "g"): "Migration"
        default: "unknown"
        }
    }

    private static func statusWord(_ state: StorageJob.State) -> String {
        if state.cancellation != nil { return "is ending" }
        return switch state.status {
        case JobStatus.waitingForClient: "is waiting for the Client"
        case JobStatus.waitingForMedia: "is waiting for an appendable Volume"
        case JobStatus.waitingForMount: "is waiting for a mount request"
        case JobStatus.waitingForDevice: "is waiting for a device"
        case JobStatus.running: "is running"
        default: "is being prepared"
        }
    }

    var waiting: [String] {
        let requests = server.table.state.read { $0.waiting }
        return ["Jobs waiting to reserve a drive:"]
            + requests.map {
                "   JobId=\($0.job) pool=\"\($0.pool)\" media type=\"\($0.mediaType)\" \($0.isAppend ? "append" : "read")"
            }
            + ["===="]
    }

    var terminated: [String] {
        var lines = [
            "Terminated Jobs:", " JobId  Level    Files      Bytes   Status   Finished        Name ",
            "===================================================================",
        ]
        for job in server.state.read({ $0.ended }) {
            let word =
                switch job.status {
                case JobStatus.done: "OK"
                case JobStatus.cancelled: "Cancel"
                default: "Error"
                }
            lines.append(
                right("\(job.jobID)", 6) + "  " + left(job.levelText, 4) + right(grouped(UInt64(job.files)), 10)
                    + right(scaled(job.bytes), 11) + "  " + left(word, 8) + " " + Self.clock(job.ended) + " " + job.jobName)
        }
        return lines + ["===="]
    }

    var devices: [String] {
        var lines = ["Device status:"]
        for (name, group) in server.table.groups.sorted(by: { $0.key < $1.key }) {
            lines.append("Autochanger \"\(name)\" with devices:")
            for index in group { lines.append("   \(server.table.drives[index].description)") }
            lines.append("")
        }
        let uses = server.table.state.read { $0.uses }
        for (drive, use) in zip(server.table.drives, uses) {
            let volume = drive.io.read { $0.volume }
            let kind = drive.isDisk ? "File" : "Tape"
            if let volume {
                lines.append("Device \(kind): \(drive.description) is mounted with:")
                lines.append("    Volume:      \(volume.info.name)")
                lines.append("    Pool:        \(use.pool ?? "*unknown*")")
                lines.append("    Media type:  \(drive.settings.mediaType)")
                lines.append("    Total Bytes=\(grouped(volume.info.bytes)) Blocks=\(grouped(UInt64(volume.info.blocks)))")
            } else {
                lines.append("Device \(kind): \(drive.description) is not open.")
            }
            if !use.isEnabled { lines.append("   Device is disabled. User command.") }
            if use.isUnmounted { lines.append("   Device is BLOCKED. User unmounted.") }
            if use.waitsForOperator { lines.append("   Device is BLOCKED waiting for media.") }
            if !use.writers.isEmpty || !use.readers.isEmpty {
                lines.append("   Writers=\(use.writers.count) Readers=\(use.readers.count)")
            }
            if let free = drive.driver.freeBytes() { lines.append("   Available Space=\(scaled(free))B") }
            lines.append("==")
            lines.append("")
        }
        return lines + ["===="]
    }

    var volumes: [String] {
        let (written, read) = server.table.state.read { ($0.writtenVolumes, $0.readVolumes) }
        var lines = ["Used Volume status:"]
        for name in Set(written.keys).union(read.keys).sorted() {
            let drive = written[name].flatMap {
                server.table.drives.indices.contains($0) ? server.table.drives[$0].description : nil
            }
            let writers = written[name] == nil ? 0 : 1
            lines.append("\(name)" + (drive.map { " on device \($0)" } ?? ""))
            lines.append("    Reader=\(read[name, default: 0]) writers=\(writers) reserves=0 volinuse=1")
        }
        return lines + ["===="]
    }

    var spooling: [String] {
        let jobs = server.runningJobs().filter { $0.state.read { $0.isWriting } }.count
        return ["Attr spooling: \(jobs) active jobs.", "===="]
    }

    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
    private func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
