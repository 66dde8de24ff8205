// The director's end of a job: messages and progress, from whatever thread has something to say.

import Platform
import Wire

/// Sends a job's messages to its director. Errors of the connection stop the job and are otherwise swallowed: there is
/// nobody left to tell.
final class DirectorLink: Sendable {
    let channel: MessageChannel
    let isAppliance: Bool
    private let daemonName: String
    private let jobID: Int
    private let job: FileDaemonJob

    init(_ channel: MessageChannel, isAppliance: Bool, daemonName: String, jobID: Int, job: FileDaemonJob) {
        self.channel = channel
        self.isAppliance = isAppliance
        self.daemonName = daemonName
        self.jobID = jobID
        self.job = job
    }

    /// Counts the message and sends it as `Jmsg` (bacula-wire 3.9).
    func report(_ message: JobMessage) {
        job.progress.count(message)
        let prefix =
            switch message.kind {
            case .abort: "ABORTING due to ERROR: "
            case .fatal: "Fatal error: "
            case .error: "Error: "
            case .warning: "Warning: "
            case .security: "Security violation: "
            default: ""
            }
        send(
            "Jmsg JobId=\(jobID) type=\(message.kind.rawValue) level=\(WallTime.now.seconds) \(daemonName) JobId \(jobID): \(prefix)\(message.text)\n"
        )
    }

    /// How often a director is told: ours draws a live bar with it.
    var progressInterval: Duration { isAppliance ? .seconds(1) : .seconds(30) }

    func sendProgress(bytesPerSecond: Int64) {
        let progress = job.progress
        let files = progress.files.load(ordering: .relaxed), bytes = progress.readBytes.load(ordering: .relaxed)
        send("Progress JobId=\(jobID) files=\(files) bytes=\(bytes) bps=\(bytesPerSecond)\n")
    }

    private func send(_ text: String) {
        do {
            try channel.send(text)
            try channel.flush()
        } catch {
            // Nobody wants the job any more.
            job.cancel(.failed)
        }
    }
}
