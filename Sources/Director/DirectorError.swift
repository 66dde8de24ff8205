// What can go wrong at the director, as an operator meets it.

import Platform

/// A failed order to the director: by a console, or inside a job.
package struct DirectorError: PresentableError {
    package enum Kind: String, Sendable {
        /// A resource, job or volume of that name doesn't exist.
        case notFound = "not-found"
        /// The order contradicts the configuration or itself.
        case badRequest = "bad-request"
        /// A daemon couldn't be reached, refused us, or broke off.
        case daemonUnreachable = "daemon-unreachable"
        /// A daemon answered with a refusal.
        case daemonRefused = "daemon-refused"
        /// A daemon said something the dialogue doesn't allow.
        case daemonConfused = "daemon-confused"
        /// Neither daemon said anything for too long.
        case timedOut = "timed-out"
        case catalog
        /// The job was cancelled, by an operator or because its time was up.
        case cancelled = "job-cancelled"
        /// A script that the job depends on failed.
        case script = "script-failed"
        /// The director is shutting down.
        case shuttingDown = "shutting-down"
        case notBuiltYet = "not-built-yet"
        case configuration
        case system
    }
    package var kind: Kind
    package var what: String
    package var remedy: String
    package init(_ kind: Kind, _ what: String, remedy: String = "") {
        self.kind = kind
        self.what = what
        self.remedy = remedy
    }
    package var code: String { "director-\(kind.rawValue)" }
    package var isPermanent: Bool {
        switch kind {
        case .daemonUnreachable, .timedOut, .catalog, .system: false
        default: true
        }
    }
    /// The sentences without the code: what a console prints.
    package var sentence: String { remedy.isEmpty ? what : "\(what) \(remedy)" }
}
