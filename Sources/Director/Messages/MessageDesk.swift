// Carries messages to their destinations. One desk per job, and one for the director itself.

import Configuration
import Logging
import Platform

/// What stays the same for all messages of a desk.
struct MessageSinks: Sendable {
    var center: MessageCenter
    /// Writes rows of the Log table; nil where the catalog isn't open.
    var log: (@Sendable ([Message]) throws -> Void)?
    var logger: Logger
}

/// Sends the messages of one job (or of the director itself) where its Messages resource says.
///
/// Never fails and never waits for more than a disk: mail runs beside the job, and a destination that can't be written is
/// reported once, to the daemon's log. Thread-safe.
package final class MessageDesk: Sendable {
    private struct State {
        var mail: [Int: [String]] = [:]
        var mailBytes = 0
        var log: [Message] = []
        var truncatedFiles: Set<String> = []
        var failedTargets: Set<String> = []
        var errors: Int64 = 0
        var warnings: Int64 = 0
        var lastError = ""
    }
    private let state = Monitor(State())
    private let daemon: String
    private let jobID: JobID
    private let routes: MessagesDefinition
    private let sinks: MessageSinks
    /// Mail text kept per job: 1 MiB, what a mail system takes.
    private let mailBytesMax = 1 << 20

    init(daemon: String, jobID: JobID, routes: MessagesDefinition, sinks: MessageSinks) {
        self.daemon = daemon
        self.jobID = jobID
        self.routes = routes
        self.sinks = sinks
    }

    /// Errors so far: own ones and those the daemons sent.
    var errors: Int64 { state.read { $0.errors } }
    var warnings: Int64 { state.read { $0.warnings } }
    /// The text of the first fatal or last error, for the report.
    var lastError: String { state.read { $0.lastError } }

    /// A message of the director's own.
    func send(_ type: MessageType, _ text: String) {
        let prefix = jobID == 0 ? "\(daemon): " : "\(daemon) JobId \(jobID): "
        post(Message(type, time: .now, text: prefix + type.label + text, jobID: jobID))
    }
    func info(_ text: String) { send(.info, text) }
    func warning(_ text: String) { send(.warning, text) }
    func error(_ text: String) { send(.error, text) }
    func fatal(_ text: String) { send(.fatal, text) }

    /// A message that arrived from a daemon, or of our own.
    func post(_ message: Message) {
        state.withLock { state in
            if message.type.isError {
                state.errors += 1
                state.lastError = message.text
            }
            if message.type == .warning { state.warnings += 1 }
        }
        for (index, route) in routes.destinations.enumerated() where route.types.contains(message.type) {
            deliver(message, route, index)
        }
    }

    private func deliver(_ message: Message, _ route: MessageDestination, _ index: Int) {
        switch route.kind {
        case .console: sinks.center.post(message.stamped)
        case .catalog:
            guard message.jobID != 0, sinks.log != nil else { return }
            let waiting = state.withLock { state in
                state.log.append(message)
                return state.log.count
            }
            // A client that complains about a hundred thousand files costs a thousand transactions, not a hundred thousand;
            // a single line is in the log half a second later.
            if waiting == 1 {
                ElasticExecutor.shared.detach { [self] in
                    try? await Task.sleep(for: .milliseconds(500))
                    flush()
                }
            } else if waiting % 100 == 0 {
                flush()
            }
        case .stdout: StandardOutput.write(message.stamped + "\n", toErrors: false)
        case .stderr: StandardOutput.write(message.stamped + "\n", toErrors: true)
        case .syslog: SystemLog.write(message.text, isError: message.type.isError, isWarning: message.type == .warning)
        case .append: for path in route.targets { append(message, to: path, truncating: false) }
        case .file: for path in route.targets { append(message, to: path, truncating: true) }
        case .mail, .mailOnError, .mailOnSuccess:
            state.withLock { state in
                guard state.mailBytes < mailBytesMax else { return }
                state.mailBytes += message.stamped.utf8.count
                state.mail[index, default: []].append(message.stamped)
            }
        case .operator:
            mail(message.stamped + "\n", to: route.targets, command: routes.operatorCommand ?? routes.mailCommand, codes: nil)
        case .director: break  // that is us: what reached us is where it should be
        }
    }

    private func append(_ message: Message, to path: String, truncating: Bool) {
        let isFirst = truncating && state.withLock { $0.truncatedFiles.insert(path).inserted }
        do {
            let file = try OpenFile.forMessages(path, truncating: isFirst)
            try file.write(Array((message.stamped + "\n").utf8).span)
        } catch { complain(path, "\(error)") }
    }

    /// Reports a broken destination once per desk.
    private func complain(_ target: String, _ reason: String) {
        guard state.withLock({ $0.failedTargets.insert(target).inserted }) else { return }
        sinks.logger.error(
            "messages can't be delivered", metadata: ["target": "\(target)", "reason": "\(reason)", "job": "\(jobID)"])
    }

    private static func takeLog(_ state: inout State) -> [Message] {
        let due = state.log
        state.log = []
        return due
    }

    private func writeLog(_ messages: [Message]) {
        guard !messages.isEmpty, let log = sinks.log else { return }
        do { try log(messages) } catch {
            complain("catalog", "\(error)")
            // A locked catalog may be free again later: the newest thousand lines wait for the next attempt.
            state.withLock { state in
                state.log = Array((messages + state.log).suffix(1000))
            }
        }
    }

    /// Writes the rows that wait for the Log table.
    func flush() { writeLog(state.withLock { Self.takeLog(&$0) }) }

    /// The job has ended: the log is written, mail goes out.
    func finish(succeeded: Bool, codes: PercentCodes) {
        flush()
        let mail = state.withLock { state in
            let mail = state.mail
            state.mail = [:]
            return mail
        }
        for (index, lines) in mail.sorted(by: { $0.key < $1.key }) {
            let route = routes.destinations[index]
            if route.kind == .mailOnError, succeeded { continue }
            if route.kind == .mailOnSuccess, !succeeded { continue }
            self.mail(lines.joined(separator: "\n") + "\n", to: route.targets, command: routes.mailCommand, codes: codes)
        }
    }

    /// Runs the mail command beside us; its failure is a line in the daemon's log and a console message.
    private func mail(_ text: String, to recipients: [String], command: String?, codes: PercentCodes?) {
        guard let command, !command.isEmpty else {
            complain("mail", "The Messages resource \"\(routes.name)\" has no MailCommand.")
            return
        }
        var codes = codes ?? PercentCodes()
        codes.values["r"] = recipients.joined(separator: " ")
        codes.values["D"] = daemon
        let arguments = CommandLineWords.split(codes.expand(command))
        let center = sinks.center, logger = sinks.logger, jobID = jobID
        ElasticExecutor.shared.detach {
            var options = ChildProcess.Options()
            options.input = Array(text.utf8)
            options.mergesErrors = true
            options.outputBytesMax = 4096
            options.timeLimit = .seconds(120)
            let problem: String?
            do {
                let ended = try ChildProcess.run(arguments, options)
                problem = ended.succeeded ? nil : "\(ended.endingText): \(String(decoding: ended.output, as: UTF8.self))"
            } catch let error as SystemError { problem = error.what } catch { problem = "\(error)" }
            guard let problem else { return }
            logger.error(
                "mail command failed", metadata: ["command": "\(arguments.first ?? "")", "reason": "\(problem)", "job": "\(jobID)"])
            center.post(
                Message(.error, time: .now, text: "Mail command \(arguments.first ?? "") failed: \(problem)", jobID: jobID).stamped)
        }
    }
}
