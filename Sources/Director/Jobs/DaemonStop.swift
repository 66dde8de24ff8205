// Telling the daemons that a job is to end: by a second connection, as the first one is busy (bacula-wire 3.12, 4.7).

import Configuration
import Platform
import Wire

extension JobContext {
    /// How long a daemon may take to end a cancelled job by itself before its connection is cut.
    static let cancelGrace: Duration = .seconds(30)

    /// Tells whoever is given to cancel the job. Failures only show in the log: the connections get cut anyway.
    func tellToCancel(client: Resource?, storage: Resource?) async {
        await withTaskGroup(of: Void.self) { group in
            if let client { group.addTask { await self.cancelAt(client: client) } }
            if let storage { group.addTask { await self.cancelAt(storage: storage) } }
        }
    }

    private func cancelAt(client: Resource) async {
        do throws(DirectorError) {
            let connection = try await dialler.dialClient(client, limit: .seconds(15))
            let link = ClientLink(connection, name: "Client \"\(client.name)\"") { _ in }
            defer { link.close() }
            _ = try link.identify(jobID: 0, uniqueName: ConsoleName.make())
            try link.send("cancel Job=\(Bashed.encode(live.uniqueName))\n")
            while case .line(let line) = try link.hear(limit: .seconds(15)) { desk.info("\(link.name): \(line)") }
        } catch {
            logger.info("client not told of the cancellation", metadata: ["job": "\(live.jobID)", "reason": "\(error.what)"])
        }
    }

    private func cancelAt(storage: Resource) async {
        do throws(DirectorError) {
            let connection = try await dialler.dialStorage(storage, limit: .seconds(15))
            let link = ClientLink(connection, name: "Storage \"\(storage.name)\"") { _ in }
            defer { link.close() }
            try link.send("cancel Job=\(Bashed.encode(live.uniqueName))\n")
            while case .line(let line) = try link.hear(limit: .seconds(15)) { desk.info("\(link.name): \(line)") }
        } catch {
            logger.info(
                "storage daemon not told of the cancellation", metadata: ["job": "\(live.jobID)", "reason": "\(error.what)"])
        }
    }

    /// Arranges that a cancellation tells both daemons and, after the grace, cuts every connection of the job.
    func armCancellation(client: Resource?, storage: @escaping @Sendable () -> Resource?) {
        let context = self
        let order: @Sendable () -> Void = {
            ElasticExecutor.shared.detach {
                context.desk.warning("The job is being canceled: \(context.live.cancelReason ?? "").")
                await context.tellToCancel(client: client, storage: storage())
                try? await Task.sleep(for: Self.cancelGrace)
                if !context.live.status.isFinal { context.live.interrupt(all: true) }
            }
        }
        let isLate = live.state.withLock { state in
            state.onCancel = order
            return state.cancelReason != nil
        }
        if isLate { order() }
    }
}

/// What one side of a job does when the other is gone, or done.
enum StoppedPeer {
    /// Lets the storage daemon finish, or makes it.
    ///
    /// - Parameters:
    ///   - patiently: The client ended well and has sent everything: the rest is the storage daemon's, which may take as
    ///     long as it says something. Else it should notice by itself; then it is told; then the line is cut.
    ///   - clientEnded: The client has closed the job in order, so that the storage daemon has seen it too.
    static func closeStorage(
        _ link: StorageLink, _ storage: Resource, _ context: JobContext, patiently: Bool, clientEnded: Bool = false
    ) async {
        if patiently, link.awaitOver(silence: .seconds(1800)) { return }
        if !patiently, clientEnded, link.awaitOver(limit: .seconds(10)) { return }
        if !link.awaitOver(limit: .zero) { await context.tellToCancel(client: nil, storage: storage) }
        // Before `run` nothing is under way: hanging up is enough. It is told all the same, because a daemon that looks for
        // a device doesn't read.
        if !link.isRunning { link.channel.close(terminate: true) }
        if !link.awaitOver(limit: link.isRunning ? JobContext.cancelGrace : .seconds(3)) { link.channel.interrupt() }
    }

    /// The storage side is gone: the client gets some seconds to notice, then is told, then cut off.
    static func stopClient(
        _ client: Resource, _ side: Monitor<MessageChannel?>, _ context: JobContext, because failure: DirectorError
    ) async {
        func isOpen() -> Bool { side.read { $0 } != nil }
        guard isOpen() else { return }
        try? await Task.sleep(for: .seconds(5))
        guard isOpen() else { return }
        context.logger.info(
            "storage side is gone; telling the client", metadata: ["job": "\(context.live.jobID)", "reason": "\(failure.what)"])
        await context.tellToCancel(client: client, storage: nil)
        try? await Task.sleep(for: .seconds(20))
        side.read { $0 }?.interrupt()
    }
}

/// Names of conversations that belong to no job.
enum ConsoleName {
    static func make() -> String { "-Console-." + WallTime.now.formatted("%Y-%m-%d_%H.%M.%S", local: true) + "_00" }
}
