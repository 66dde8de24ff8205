// How the file daemon introduces itself.

import Platform

enum ProgramVersion {
    static let text = "0.1.0"
    static let date = "21 November 2026"
    static let shortDate = "21Nov26"
    /// Stored by the director as the client's Uname: machine, system, release.
    static let host = "appliance,linux,\(CurrentProcess.hostName)"
}
