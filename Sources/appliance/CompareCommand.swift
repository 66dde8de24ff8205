// `appliance compare`: does a restored tree equal its source, in everything a backup promises?

import ArgumentParser
import FileDaemon
import Platform

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare two directory trees in content and every attribute.",
        discussion: """
            Content, type, mode, owner, modification time to the nanosecond, hard and symbolic links, ACLs, extended
            attributes and sparseness. Each difference is one line on standard output.

              appliance compare /usr/share/doc /tmp/restored/usr/share/doc

            Exit statuses: 0 equal, 1 a tree can't be read, 2 usage, 3 they differ.
            """)

    @Argument(help: "The original.", completion: .directory) var source: String
    @Argument(help: "The restored tree.", completion: .directory) var restored: String

    @Flag(help: "Compare modification times by whole seconds: all that a restore by Bacula's tools can give back.")
    var wholeSeconds = false

    func run() throws {
        var options = TreeComparison.Options()
        options.wholeSeconds = wholeSeconds
        let report: TreeComparison.Report
        do {
            report = try TreeComparison.compare(source: source, target: restored, options)
        } catch {
            StandardStream.error.line("\(error)")
            throw ExitStatus.failed.code
        }
        for difference in report.differences { StandardStream.output.line(difference.description) }
        StandardStream.error.line("\(report.entries) entries compared, \(report.differences.count) differences.")
        if !report.differences.isEmpty { throw ExitStatus.incomplete.code }
    }
}
