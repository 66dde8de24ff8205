// Jobs from the console: wait, cancel, messages, estimate. Running them is RunCommand.swift.

import Catalog
import Configuration
import Platform

extension DirectorCommand {
    static let jobCommands: [DirectorCommand] = [
        runCommand,
        DirectorCommand(
            "wait", "Wait until jobs have ended", "jobid=<id,…> jobname=<name> ujobid=<unique-name> timeout=<seconds>",
            details:
                "Without arguments it waits for every job that is queued or running. A job that fails makes the command fail."
        ) { (dialogue, command) async throws(ConsoleStop) in try JobWaiting(dialogue).run(command) },
        DirectorCommand(
            "cancel", "Cancel queued or running jobs", "jobid=<id,…> job=<name> ujobid=<unique-name> all yes"
        ) { (dialogue, command) async throws(ConsoleStop) in try JobCancelling(dialogue).run(command) },
        DirectorCommand("messages", "Show the messages that wait for an operator") {
            (dialogue, _) async throws(ConsoleStop) in
            let lines = dialogue.services.messages.take()
            if lines.isEmpty { try dialogue.remark("You have no messages.\n") }
            for line in lines { try dialogue.emit(.message(line)) }
        },
        DirectorCommand(
            "estimate", "Tell what a job would back up",
            "job=<name> client=<name> fileset=<name> level=<level> accurate=<yes|no> listing"
        ) { (dialogue, command) async throws(ConsoleStop) in try await estimate(dialogue, command) },
    ]

    private static func estimate(_ dialogue: ConsoleDialogue, _ command: CommandText) async throws(ConsoleStop) {
        let job = try dialogue.resource(.job, named: command.value("job", "jobname"))
        var request = JobRequest(job: job.name, origin: dialogue.origin)
        if let client = command.value("client") { request.client = try dialogue.resource(.client, named: client).name }
        if let fileSet = command.value("fileset") {
            request.fileSet = try dialogue.resource(.fileSet, named: fileSet).name
        }
        request.level = try command.value("level").map { text throws(ConsoleStop) in try JobLevel(argument: text) }
        request.accurate = try command.value("accurate").map { text throws(ConsoleStop) in
            try Bool(argument: text, of: "accurate")
        }
        try dialogue.announceCatalog()
        if let name = request.client ?? dialogue.configuration.target(of: "Client", in: job)?.name,
            let client = dialogue.configuration.named(.client, name)
        {
            try dialogue.remark(
                "Connecting to Client \(client.name) at \(client.text("Address") ?? ""):\(client.number("FdPort"))\n")
        }
        let emit = dialogue.emitter
        do throws(DirectorError) {
            let estimate = try await dialogue.services.estimate(request, listing: command.has("listing")) { line in
                emit(
                    .record(
                        ConsoleRecord(kind: "file", fields: [("listing", .init(line))]),
                        text: line.hasSuffix("\n") ? line : line + "\n"))
            }
            emit(
                .record(
                    ConsoleRecord(
                        kind: "estimate",
                        fields: [
                            ("job", .init(job.name)), ("files", .init(estimate.files)),
                            ("bytes", .init(estimate.bytes)),
                        ]),
                    text: estimate.line.hasSuffix("\n") ? estimate.line : estimate.line + "\n"))
        } catch { throw .failed(error) }
    }
}

extension ConsoleDialogue {
    /// Who gives an order, for the log.
    var origin: String { "console \(rights.consoleName ?? "*UserAgent*")" }

    /// The queued and running jobs that an argument chooses and this console may see.
    func activeJobs(_ command: CommandText) -> [RunningJob] {
        var jobs = services.jobs.snapshot().filter { rights.allows(.job, $0.name) }
        if let name = command.value("job", "jobname") {
            jobs = jobs.filter { $0.name.isSameWord(as: name) || $0.uniqueName == name }
        }
        if let name = command.value("ujobid") { jobs = jobs.filter { $0.uniqueName == name } }
        if let client = command.value("client") { jobs = jobs.filter { $0.client.isSameWord(as: client) } }
        if let storage = command.value("storage") { jobs = jobs.filter { $0.storage.isSameWord(as: storage) } }
        return jobs
    }
}

extension JobLevel {
    init(argument text: String) throws(ConsoleStop) {
        let words = Self.allCases.filter { $0 != .none }.map { $0.word.lowercased() }
        guard case .one(let word) = Abbreviation.resolve(text, among: words), let level = Self(word: word) else {
            throw .failure(
                .badRequest, "\"\(text)\" is no level.",
                remedy: "Write Full, Incremental, Differential, Since or VirtualFull.")
        }
        self = level
    }
}

extension Bool {
    init(argument text: String, of keyword: String) throws(ConsoleStop) {
        switch text.lowercased() {
        case "yes", "y", "true", "on", "1", "": self = true
        case "no", "n", "false", "off", "0": self = false
        default: throw .failure(.badRequest, "\(keyword)=\(text) is neither yes nor no.")
        }
    }
}

// MARK: - wait

struct JobWaiting {
    let dialogue: ConsoleDialogue
    init(_ dialogue: ConsoleDialogue) { self.dialogue = dialogue }

    func run(_ command: CommandText) throws(ConsoleStop) {
        var limit: Duration?
        if let text = command.value("timeout") {
            guard let seconds = Int64(text), seconds >= 0 else {
                throw .failure(.badRequest, "timeout=\(text) is no number of seconds.")
            }
            limit = .seconds(seconds)
        }
        let identifiers: [JobID]
        let isNamed =
            command.value("jobid") != nil || command.value("ujobid") != nil || command.value("job", "jobname") != nil
        if let text = command.value("jobid") {
            guard let list = JobIDList(text) else {
                throw .failure(.badRequest, "\"\(text)\" is no list of JobIds.", remedy: "Write 1,2,5-7.")
            }
            identifiers = list.values
        } else {
            identifiers = dialogue.activeJobs(command).map(\.jobID)
        }
        let clock = ContinuousClock()
        let deadline = limit.map { clock.now.advanced(by: $0) }
        for jobID in identifiers {
            while dialogue.services.jobs.snapshot(of: jobID).map({ $0.ended == nil }) ?? false {
                if Task.isCancelled { throw .hungUp }
                if let deadline, clock.now >= deadline {
                    throw .failure(
                        .timedOut, "Job \(jobID) has not ended within \(limit!.components.seconds) seconds.",
                        remedy: "It goes on; wait again.")
                }
                // In slices, so that the end of the director or the console ends the waiting too.
                _ = dialogue.services.jobs.wait(
                    for: jobID, atMost: deadline.map { min(.seconds(1), clock.now.duration(to: $0)) } ?? .seconds(1))
            }
            try tell(jobID, isNamed: isNamed)
        }
    }

    /// How the job ended. A job that the queue has forgotten is in the catalog.
    private func tell(_ jobID: JobID, isNamed: Bool) throws(ConsoleStop) {
        let job = try dialogue.job(jobID)
        let status = JobStatus(rawValue: job.status)
        let word = status?.text ?? String(job.status)
        let record = ConsoleRecord(
            kind: "job_end",
            fields: [
                ("jobid", .init(jobID)), ("job", .init(job.uniqueName)), ("name", .init(job.name)),
                ("status", .init(String(job.status))),
                ("statustext", .init(word)), ("files", .init(job.files)), ("bytes", .init(job.bytes)),
                ("errors", .init(job.errors)),
            ])
        // Bacula's wait says nothing about jobs that weren't named.
        let isPlain = dialogue.renderer.mode == .plain || dialogue.renderer.mode == .api
        let shown =
            isPlain
            ? (isNamed ? "JobId=\(jobID)\nJobStatus=\(word) (\(job.status))\n" : "")
            : "JobId=\(jobID) \(job.name): \(word), \(JobReport.grouped(job.files)) files, \(JobReport.bytes(job.bytes))\n"
        try dialogue.emit(.record(record, text: shown))
        guard !isPlain else { return }
        switch status {
        case .ok: break
        case .warnings, .differences:
            try dialogue.emit(
                .warning("Job \(jobID) (\(job.name)) ended with warnings: \"list joblog jobid=\(jobID)\" shows them.\n")
            )
        default:
            try dialogue.emit(
                .failure(
                    code: "director-job-failed", what: "Job \(jobID) (\(job.name)) ended: \(word).",
                    remedy: "\"list joblog jobid=\(jobID)\" shows why."))
        }
    }
}

// MARK: - cancel

struct JobCancelling {
    let dialogue: ConsoleDialogue
    init(_ dialogue: ConsoleDialogue) { self.dialogue = dialogue }

    func run(_ command: CommandText) throws(ConsoleStop) {
        var chosen: [RunningJob]
        var mustConfirm = false
        if let text = command.value("jobid") {
            guard let list = JobIDList(text) else {
                throw .failure(.badRequest, "\"\(text)\" is no list of JobIds.", remedy: "Write 1,2,5-7.")
            }
            let active = dialogue.activeJobs(CommandText("cancel"))
            chosen = []
            for jobID in list.values {
                guard let job = active.first(where: { $0.jobID == jobID }) else {
                    try dialogue.emit(.warning("Warning Job JobId=\(jobID) is not running.\n"))
                    continue
                }
                chosen.append(job)
            }
        } else if ["ujobid", "job", "jobname", "client", "storage"].contains(where: { command.value($0) != nil }) {
            chosen = dialogue.activeJobs(command)
            if chosen.isEmpty { try dialogue.emit(.warning("Warning no such Job is running.\n")) }
            mustConfirm = chosen.count > 1
        } else {
            let active = dialogue.activeJobs(CommandText("cancel"))
            guard !active.isEmpty else { return try dialogue.text("No Jobs running.\n") }
            if command.has("all") {
                chosen = active
            } else {
                let items = active.map { "JobId=\($0.jobID) Job=\($0.uniqueName)" }
                chosen = [
                    active[
                        try dialogue.choose(
                            title: "Select Job(s):\n", items, noun: "Job", prompt: "Choose Job to cancel")]
                ]
            }
            mustConfirm = true
        }
        guard !chosen.isEmpty else { return }
        if mustConfirm, !command.has("yes") {
            for job in chosen { try dialogue.remark("JobId=\(job.jobID) Job=\(job.uniqueName)\n") }
            guard
                try dialogue.askYesNo("Confirm cancel of \(chosen.count) Job\(chosen.count == 1 ? "" : "s") (yes/no): ")
            else { return }
        }
        for job in chosen {
            let outcome = dialogue.services.jobs.cancel(job.jobID, reason: "cancelled from \(dialogue.origin)")
            let fields: [(name: String, value: ConsoleValue)]
            let text: String
            switch outcome {
            case .notActive:
                try dialogue.emit(.warning("Warning Job JobId=\(job.jobID) is not running.\n"))
                continue
            case .dequeued:
                fields = [("outcome", .init("dequeued"))]
                text = "JobId \(job.jobID), Job \(job.uniqueName) marked to be canceled.\n"
            case .requested:
                fields = [("outcome", .init("requested"))]
                text = "JobId \(job.jobID), Job \(job.uniqueName) marked to be canceled.\n"
            }
            try dialogue.emit(
                .record(
                    ConsoleRecord(
                        kind: "job_cancelled",
                        fields: [("jobid", .init(job.jobID)), ("job", .init(job.uniqueName))] + fields), text: text))
        }
    }
}
