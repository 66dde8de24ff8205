// The numbers a script may act on. They never change meaning.

import ArgumentParser

/// Exit statuses of every `appliance` command; docs/operating.md lists them for users.
enum ExitStatus: Int32 {
    case done = 0
    case failed = 1
    case usage = 2
    /// Finished, but something was skipped, unreadable or different.
    case incomplete = 3
    /// The configuration has errors.
    case badConfiguration = 10
    /// Another process already runs this role (its pid file is locked).
    case alreadyRunning = 11
    /// An address or port could not be listened on.
    case portInUse = 12

    var code: ExitCode { ExitCode(rawValue) }
}
