// A loaded configuration: resources by kind and name, every value checked against the tables.

/// The kinds of resources in Bacula's language. One file may hold the resources of several roles.
///
/// `Storage`, `Director`, `Messages`, `Console`, `Autochanger` mean different things in different daemons' files, so a
/// kind says whose it is.
package enum ResourceKind: String, Sendable, CaseIterable, Hashable {
    // a director's file
    case director, console, client, storage, catalog, job, jobDefs, fileSet, schedule, pool, messages, counter,
        statistics
    // a storage daemon's file: the daemon itself, the directors it obeys, its drives
    case storageDaemon, storageDirector, device, autochanger, cloud
    // a file daemon's file: the daemon itself, the directors it obeys
    case fileDaemon, fileDirector
    // the console program's file
    case consoleDirector, consoleConsole
}

/// The role a file is read for: it decides which table `Director { … }` is checked against.
package enum Role: String, Sendable, CaseIterable, Hashable {
    case director, fileDaemon = "fd", storageDaemon = "sd", gateway, console
}

/// Where something stands in a configuration file; lines and columns count from 1.
package struct SourceLocation: Sendable, Hashable, CustomStringConvertible {
    package var file: String
    package var line: Int
    package var column: Int
    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
    package var description: String { "\(file):\(line):\(column)" }
}

/// One finding of `check-config`.
package struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
    package enum Severity: String, Sendable { case error, warning }
    package var severity: Severity
    package var location: SourceLocation
    /// What is wrong, naming the directive and the value.
    package var message: String
    /// What was probably meant or what to do; may be empty.
    package var hint: String
    package init(_ severity: Severity, _ location: SourceLocation, _ message: String, hint: String = "") {
        self.severity = severity
        self.location = location
        self.message = message
        self.hint = hint
    }
    package var description: String {
        "\(location): \(severity.rawValue): \(message)" + (hint.isEmpty ? "" : " \(hint)")
    }
}

/// The value of a directive after its type's reading. Units are gone: times are durations, sizes bytes.
package indirect enum Value: Sendable, Hashable {
    case text(String)
    /// Also kept for `password` directives: the clear text. Never log it; `Digest.md5Hex` of it is the CRAM key.
    case password(String)
    case number(Int64)
    case size(Int64)
    case speed(Int64)
    case time(Duration)
    case bool(Bool)
    /// Name of another resource, resolved by `Configuration`.
    case reference(ResourceKind, String)
    case list([Value])
    /// A nested block in the order written, keyed by canonical directive name: Options, RunScript, Include, addresses.
    case block(Block)
}

/// A nested block: its entries in the order of the file, because order matters in FileSets.
package struct Block: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        package var name: String
        package var value: Value
        package var location: SourceLocation
        package init(name: String, value: Value, location: SourceLocation) {
            self.name = name
            self.value = value
            self.location = location
        }
    }
    package var entries: [Entry]
    package init(entries: [Entry]) { self.entries = entries }
    /// The last value of `name` (canonical spelling), or nil.
    package func last(_ name: String) -> Value? { entries.last { $0.name == name }?.value }
    /// All values of `name` in order.
    package func all(_ name: String) -> [Value] { entries.filter { $0.name == name }.map(\.value) }
}

/// One resource. Directive names are the canonical spellings of the tables, `MaximumConcurrentJobs`; asking for a name
/// that the resource's table does not have is a programming error and stops the process.
package struct Resource: Sendable, Hashable {
    package let kind: ResourceKind
    package let name: String
    package let location: SourceLocation
    /// Directives that were given, or inherited from JobDefs. Repeatable directives hold a `.list`.
    package var values: [String: Value]
    package var locations: [String: SourceLocation]

    package init(
        kind: ResourceKind, name: String, location: SourceLocation, values: [String: Value] = [:],
        locations: [String: SourceLocation] = [:]
    ) {
        self.kind = kind
        self.name = name
        self.location = location
        self.values = values
        self.locations = locations
    }
}
