// What can be wrong with the bytes of a volume.

import Platform

/// Bytes that are not what a volume should hold. Says nothing of where: who read them knows the volume and the address.
package struct VolumeFormatError: PresentableError, Equatable {
    package enum Kind: String, Sendable {
        case notABlock = "not-a-block"
        case truncated = "truncated-block"
        /// A format that is known and not supported: BB03, aligned, deduplicated or cloud volumes.
        case unsupported = "unsupported-volume-format"
        case badChecksum = "bad-checksum"
        case badLabel = "bad-label"
        case badRecord = "bad-record"
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
