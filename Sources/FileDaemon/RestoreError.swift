// Why a restore could not begin.

import Platform

/// A restore that can't begin or go on. Trouble with single files is a message, not an error.
package struct RestoreError: PresentableError {
    package enum Kind: String, Sendable {
        case badRoot = "restore-root"
        case badRelocation = "restore-relocation"
    }
    package var kind: Kind
    package var what: String
    package var remedy: String
    package init(_ kind: Kind, _ what: String, remedy: String = "") {
        self.kind = kind
        self.what = what
        self.remedy = remedy
    }
    package var code: String { kind.rawValue }
}
