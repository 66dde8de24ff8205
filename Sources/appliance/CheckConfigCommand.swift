// `appliance check-config`: every error of a configuration in one run.

import ArgumentParser
import Configuration
import Platform

extension Role: ExpressibleByArgument {}

struct CheckConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config", abstract: "Check a configuration file and report all errors at once.",
        discussion: """
            Each finding names file:line:column, what is wrong and what was probably meant. Known directives that are not
            implemented yet are warnings. Without --role the file is read for the roles that its resources belong to.

              appliance check-config --role sd /etc/appliance/sd.conf

            Exit statuses: 0 usable (there may be warnings), 2 usage, 10 errors.
            """)

    @Option(name: .long, parsing: .singleValue, help: "Check the file for this role: director, fd, sd, console. Repeatable.")
    var role: [Role] = []

    @Flag(help: "One JSON object per finding.") var json = false

    @Flag(help: "Print the reference of all directives as Markdown, and check nothing.") var printDirectives = false

    @Argument(help: "The configuration file.", completion: .file()) var file: String?

    func run() throws {
        if printDirectives {
            StandardStream.output.write(ConfigurationTables.markdown())
            return
        }
        guard let file else { throw ValidationError("Name the configuration file to check.") }
        let roles = role.isEmpty ? ConfigurationLoader.likelyRoles(of: file) : Set(role)
        let (configuration, findings) = ConfigurationLoader.load(file, roles: roles)
        for finding in findings { StandardStream.output.line(json ? Self.json(finding) : finding.description) }
        let errors = findings.count { $0.severity == .error }
        if !json {
            let names = roles.map(\.rawValue).sorted().joined(separator: ", ")
            let verdict = configuration == nil ? "not usable" : "usable"
            StandardStream.error.line(
                "\(file): \(verdict) for \(names): \(errors) error\(errors == 1 ? "" : "s"), \(findings.count - errors) warning\(findings.count - errors == 1 ? "" : "s")."
            )
        }
        if configuration == nil { throw ExitStatus.badConfiguration.code }
    }

    private static func json(_ finding: Diagnostic) -> String {
        let members: JSON = [
            "type": "finding", "severity": .string(finding.severity.rawValue), "file": .string(finding.location.file),
            "line": .integer(Int64(finding.location.line)), "column": .integer(Int64(finding.location.column)),
            "message": .string(finding.message), "hint": .string(finding.hint),
        ]
        return members.text
    }
}
