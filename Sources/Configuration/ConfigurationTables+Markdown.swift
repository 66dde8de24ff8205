// docs/configuration.md, written from the tables.

extension ConfigurationTables {
    /// Every resource and block in the order of the document.
    private static let chapters: [(title: String, kinds: [ResourceKind])] = [
        (
            "A director's file",
            [
                .director, .catalog, .client, .storage, .pool, .fileSet, .job, .jobDefs, .schedule, .messages, .console,
                .counter, .statistics,
            ]
        ),
        ("A storage daemon's file", [.storageDaemon, .storageDirector, .device, .autochanger, .cloud]),
        ("A file daemon's file", [.fileDaemon, .fileDirector]),
        ("The console's file", [.consoleDirector, .consoleConsole]),
    ]

    /// The whole reference of the configuration language, as Markdown.
    package static func markdown() -> String {
        var text = introduction
        for chapter in chapters {
            text += "\n## \(chapter.title)\n"
            for kind in chapter.kinds {
                // JobDefs has the lines of Job.
                let table = table(kind)
                text +=
                    "\n### \(table.title)\n\n\(table.summary)\(table.support == .planned ? " Has no effect yet." : "")\n"
                if kind == .jobDefs {
                    text += "\nThe directives of Job; none is required.\n"
                } else {
                    text += rows(table)
                }
                if kind == .fileSet { for block in [BlockKind.include, .options, .exclude] { text += nested(block) } }
                if kind == .job { text += nested(.runScript) }
                if kind == .schedule { text += scheduleNote }
                if kind == .messages { text += messagesNote }
            }
        }
        text +=
            "\n## TLS directives\n\nIn every resource whose table says “and the TLS directives”.\n" + head
            + tls.map(row).joined()
        return text
    }

    private static func nested(_ kind: BlockKind) -> String {
        let table = table(kind)
        return "\n#### \(table.title)\n\n\(table.summary)\n" + rows(table)
    }

    private static let head = "\n| directive | type, default | meaning |\n|---|---|---|\n"

    private static func rows(_ table: DirectiveTable) -> String {
        let tlsNames = Set(tls.map(\.name))
        let isSecured = table.directives.contains { tlsNames.contains($0.name) }
        return head + table.directives.filter { !tlsNames.contains($0.name) }.map(row).joined()
            + (isSecured ? "\n… and the TLS directives.\n" : "")
    }

    private static func row(_ directive: Directive) -> String {
        var name = directive.name
        if !directive.aliases.isEmpty { name += " (\(directive.aliases.joined(separator: ", ")))" }
        var type = shown(directive.type)
        if let value = directive.defaultValue { type += ", \(shown(value))" }
        if directive.isRequired { type += ", **required**" }
        var meaning = directive.meaning
        if directive.support == .planned { meaning += " *(no effect yet)*" }
        return "| \(name) | \(type) | \(meaning.replacing("|", with: "\\|")) |\n"
    }

    /// A type as the reference names it.
    package static func shown(_ type: ValueType) -> String {
        switch type {
        case .name: "name"
        case .string: "string"
        case .directory: "path"
        case .password: "password"
        case .number, .integer: "number"
        case .port: "port"
        case .size: "size"
        case .speed: "speed"
        case .time: "time"
        case .bool: "yes or no"
        case .word(let words): words.joined(separator: ", ")
        case .reference(let kind): "a \(table(kind).title)"
        case .references(let kind): "list of \(table(kind).title)"
        case .texts: "list"
        case .strings: "string, repeated"
        case .nameOrBool: "yes, no or a name"
        case .addresses: "addresses"
        case .scheduleRun: "times, repeated"
        case .destination(let targeted): targeted ? "target = types" : "types"
        case .block: "block"
        }
    }

    /// A value as one would write it.
    package static func shown(_ value: Value) -> String {
        switch value {
        case .text(let text): text
        case .password: "…"
        case .number(let number), .size(let number), .speed(let number): "\(number)"
        case .bool(let bool): bool ? "yes" : "no"
        case .reference(_, let name): name
        case .list(let values): values.map(shown).joined(separator: ", ")
        case .block: "{ … }"
        case .time(let time):
            switch time.components.seconds {
            case 0: "0"
            case 31_536_000: "1 year"
            case let seconds where seconds % 31_536_000 == 0: "\(seconds / 31_536_000) years"
            case let seconds where seconds % 86400 == 0: "\(seconds / 86400) days"
            case let seconds where seconds % 60 == 0: "\(seconds / 60) min"
            case let seconds: "\(seconds) s"
            }
        }
    }

    private static let introduction = """
        # Configuration

        <!-- Written from the tables in Sources/Configuration by `UPDATE_GOLDEN=1 swift test --filter ConfigurationTests`. -->

        The language is Bacula's, and existing files work as they are. `appliance check-config [--role ROLE] FILE` reads a file and
        reports everything it finds in one run, each with file, line and column. Directives that are marked *no effect yet* are read and
        named in a warning.

        ## The language

        - A file is a list of resources, `Kind { … }`. Inside stand directives, `Name = value`, one a line or separated by `;`, and
          blocks, `Name { … }`. References between resources may be forward.
        - `#` begins a comment. A backslash before a space or the end of the line continues the line.
        - Names of resources and directives, units and `yes`/`no` are read without regard to case and spaces:
          `Maximum Concurrent Jobs`, `MaximumConcurrentJobs`. Names that you give, such as a Job's, are taken exactly.
        - `"…"` is a string: `\\` makes the next character literal; a line break inside belongs to it.
        - Without quotes a value ends at a space, `=`, `{`, `}`, `;`, `,`, `#` or the end of the line. Words of letters only grow over spaces,
          which are dropped: `Name = My Fd` is `MyFd`; once another character occurs, the rest of the line is ignored, with a warning.
          Use quotes.
        - `@file`, `@"a file"` and `@|"command arguments"` stand for the text of that file or the output of that command (run directly, not by a
          shell). A relative name is looked for beside the file that names it. Limits: 16 deep, 16 MiB each, 30 seconds for a command.

        | type | syntax |
        |---|---|
        | name | at most 127 characters |
        | string | text |
        | path | text; `$NAME`, `${NAME}` and a leading `~/` are replaced |
        | password | text |
        | number | decimal; a unit after it is ignored, with a warning |
        | size | number and `k` (1024), `kb` (1000), `m`, `mb`, `g`, `gb`, `t`, `tb` |
        | speed | number and `k/s`, `kb/s`, `m/s`, `mb/s` |
        | time | numbers with units, added up: `1 hour 30 min`; seconds without. Units: seconds, minutes (or `n`), hours, days, weeks, months (30 days), quarters (91 days), years (365 days), or their first letters; `m` is a month |
        | yes or no | yes, no, true, false |
        | list | separated by commas, or the directive repeated |
        | addresses | `{ ip = { addr = 192.0.2.1; port = 9101 } ipv6 = { addr = ::1 } }` |

        ## Several roles in one file

        A process with several roles reads one file with the resources of all. Kinds that mean different things for different roles
        (Director, Storage, Client, Console, Autochanger) are told apart by their directives: a resource belongs to the role whose table knows
        most of them; where that is equal, to the one that misses the fewest required ones; and where that is equal too, to all of these. So
        `Director { Name Password }` is the director that both the file daemon and the storage daemon obey, a `Director` with
        WorkingDirectory is the director itself, a `Storage` with WorkingDirectory the storage daemon itself, one with Address,
        Device and MediaType the director's. Messages are shared by all roles.

        """

    private static let scheduleNote = """

        `Run = [keyword=value …] [words]`. Keywords: Level, Pool, FullPool, IncrementalPool, DifferentialPool, NextPool, Storage, Messages,
        Priority, SpoolData, WritePartAfterJob, MaxRunSchedTime, Accurate; a level may stand alone. Words: days of the month `1`–`31`, `lastday`,
        `mon`–`sun`, `jan`–`dec`, weeks of the month `1st`–`6th`, weeks of the year `w00`–`w53`, ranges of each (`mon-fri`), `hourly`, `daily`, `on`, and `at 23:05` or
        `at 11:05pm`; without a time, 00:00. All that is given must hold at once: `Run = Level=Full 1st sun at 23:05`.

        """

    private static let messagesNote = """

        Types, separated by commas, `!` excludes: \(MessageType.allCases.map(\.word).joined(separator: ", ")); `all` is all but debug and saved. `Append = "/file" = all, !skipped`,
        `Console = all`, `Mail = root = error, fatal`.

        """
}
