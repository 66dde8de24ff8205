// `appliance demo`: the whole product in a minute, on real files, in a directory of its own.
//
// Three processes of this program are started with the default configuration and fresh random passwords. A real directory
// is backed up where it stands and never written to; beside it a small workspace, copied from it, is changed between the
// backups. Then everything is restored to a new place and compared.

import ArgumentParser
import Configuration
import Console
import FileDaemon
import Platform

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Back up, change, back up again, restore and compare a real directory.",
        discussion: """
            Nothing outside a temporary directory is written; the directory you name is only read.

              appliance demo /usr/share/doc
              appliance demo --keep ~/Documents

            Exit statuses: 0 everything came back, 1 something failed, 2 usage, 3 the restored files differ.
            """)

    @Argument(help: "The directory to back up.", completion: .directory) var directory = "/usr/share/doc"
    @Option(help: "Where to work; it must not exist yet. Without it a fresh directory under $TMPDIR or /var/tmp.") var work: String?
    @Flag(help: "Leave the site running and its files in place, to look around.") var keep = false

    func run() throws {
        guard FilePath.isDirectory(directory) else {
            throw ValidationError("\(directory) is not a directory that can be read.")
        }
        // Everything here blocks on processes and connections, which Swift's own threads must not do.
        let result = Monitor<Int32?>(nil)
        let demonstration = Demonstration(source: FilePath.absolute(directory), work: work, keep: keep)
        ElasticExecutor.shared.detach {
            let status = await demonstration.run()
            result.withLock { $0 = status }
        }
        let status = result.wait { $0 } ?? 1
        if status != 0 { throw ExitCode(status) }
    }
}

/// The demonstration's steps. Every figure it prints was measured by the step before.
private struct Demonstration: Sendable {
    let source: String
    let work: String?
    let keep: Bool
    private let screen = DemoScreen()

    func run() async -> Int32 {
        do {
            let site = try DemoSite(source: source, work: work)
            defer { if keep { site.leave() } else { site.end() } }
            return try await show(site)
        } catch {
            screen.failure("\(error)")
            return ExitStatus.failed.rawValue
        }
    }

    private func show(_ site: DemoSite) async throws -> Int32 {
        screen.title("Appliance \(Appliance.version): a backup travels, and a restore proves itself")
        screen.step("Three roles, three processes, in \(site.root)")
        for role in site.roles { screen.fact(role.name, "port \(role.port), process \(role.process.identifier)") }
        let console = try await site.connect()
        defer { console.close() }
        screen.fact("console", "\(console.security); nobody configured a certificate")

        screen.step("A full backup of \(source)")
        let full = try job("run job=Backup level=Full yes", console)
        screen.job(full)

        screen.step("A day's work in \(site.workspace)")
        for line in try site.changeWorkspace() { screen.fact("changed", line) }

        screen.step("An incremental backup: only what changed")
        let incremental = try job("run job=Backup level=Incremental yes", console)
        screen.job(incremental)

        screen.step("A restore of everything, to a new place")
        let restore = try job(
            "restore client=\(site.client) where=\(site.restored) select current all done yes", console)
        screen.job(restore)

        screen.step("The proof: content, mode, owner, times to the nanosecond, links, ACLs, attributes, holes")
        var total = 0
        var entries = 0
        for tree in [source, site.workspace] {
            let report = try TreeComparison.compare(source: tree, target: site.restored + tree)
            report.differences.forEach { screen.difference($0.description) }
            total += report.differences.count
            entries += report.entries
        }
        screen.verdict(entries: entries, differences: total)
        screen.step("Look around")
        screen.fact("volumes", "appliance volume list \(site.volumes)/*")
        if keep { screen.fact("console", "appliance console --config \(site.root)/etc/console.conf") }
        screen.fact(
            keep ? "stop" : "keep",
            keep
                ? "kill \(site.roles.map { "\($0.process.identifier)" }.joined(separator: " "))"
                : "appliance demo --keep leaves the site running")
        screen.fact("for good", "appliance quickstart --backup \(source)")
        guard [full, incremental, restore].allSatisfy({ $0.status == "T" }) else { return ExitStatus.failed.rawValue }
        return total == 0 ? 0 : ExitStatus.incomplete.rawValue
    }

    /// Runs one job to its end, with a bar that moves where there is a terminal.
    private func job(_ command: String, _ console: DirectorLink) throws -> JobProgress {
        let answer = try console.lines(command).joined(separator: "\n")
        guard let digits = answer.components(after: "JobId=").last?.prefix(while: \.isNumber), let number = Int64(digits) else {
            throw DemoError(what: "The director did not start the job: \(answer)")
        }
        var tick = 0
        while true {
            let progress = try console.lines(".progress jobid=\(number)").compactMap {
                (try? JSON(parsing: $0)).flatMap(JobProgress.init)
            }
            if let job = progress.first {
                if job.hasEnded {
                    screen.clearBar()
                    return job
                }
                screen.bar(ProgressBar.line([job], columns: Terminal.columns(2), tick: tick))
            }
            tick += 1
            CurrentProcess.sleep(.milliseconds(100))
        }
    }
}

struct DemoError: PresentableError {
    var code: String { "demo-failed" }
    var what: String
    var remedy = "The daemons' logs are in the demonstration's directory; run it again with --keep to look at them."
}

extension String {
    /// The pieces behind each occurrence of `mark`.
    fileprivate func components(after mark: String) -> [Substring] { ranges(of: mark).map { self[$0.upperBound...] } }
}

/// What the newcomer sees. Results to standard output; the moving bar to standard error, on a terminal only.
struct DemoScreen: Sendable {
    private let colour = Terminal.allowsColour(1)
    private let moves = Terminal.isTerminal(2) && Terminal.understandsEscapes(2)

    private func painted(_ text: String, _ code: String) -> String { colour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
    func title(_ text: String) { StandardStream.output.line("\n" + painted(text, "1")) }
    func step(_ text: String) { StandardStream.output.line("\n" + painted("▸ " + text, "1;36")) }
    func fact(_ name: String, _ text: String) {
        StandardStream.output.line("  " + painted(name.padded(to: 10), "2") + text)
    }
    func job(_ job: JobProgress) {
        let good = job.status == "T"
        fact(good ? "done" : "ended", painted(ProgressBar.summary(job), good ? "32" : "33"))
    }
    func difference(_ text: String) { StandardStream.output.line("  " + painted("differs   ", "31") + text) }
    func verdict(entries: Int, differences: Int) {
        let text = "\(entries) entries compared, \(differences) differences"
        StandardStream.output.line("  " + painted(differences == 0 ? "✓ \(text)" : "✗ \(text)", differences == 0 ? "1;32" : "1;31"))
    }
    func failure(_ text: String) { StandardStream.error.line(painted("✗ \(text)", "1;31")) }
    func bar(_ line: String) { if moves { StandardStream.error.write("\r\u{1B}[K  " + line) } }
    func clearBar() { if moves { StandardStream.error.write("\r\u{1B}[K") } }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
