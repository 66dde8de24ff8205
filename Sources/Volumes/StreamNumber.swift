// The streams of a file: what a record on a volume or a packet between file and storage daemon holds.

/// A stream number without its flag bits (bacula-wire 5.3).
package struct StreamNumber: RawRepresentable, Hashable, Sendable {
    package var rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }
    /// Masks the flag bits off: the low 11 bits are the type.
    package init(masking raw: Int32) { self.rawValue = raw & 0x7FF }

    package static let attributes = StreamNumber(rawValue: 1)
    package static let data = StreamNumber(rawValue: 2)
    package static let md5 = StreamNumber(rawValue: 3)
    package static let gzip = StreamNumber(rawValue: 4)
    package static let windowsAttributes = StreamNumber(rawValue: 5)
    package static let sparse = StreamNumber(rawValue: 6)
    package static let sparseGzip = StreamNumber(rawValue: 7)
    package static let sha1 = StreamNumber(rawValue: 10)
    package static let sha256 = StreamNumber(rawValue: 17)
    package static let sha512 = StreamNumber(rawValue: 18)
    package static let restoreObject = StreamNumber(rawValue: 28)
    package static let compressed = StreamNumber(rawValue: 29)
    package static let sparseCompressed = StreamNumber(rawValue: 30)
    package static let aclDefault = StreamNumber(rawValue: 1007)
    package static let aclAccess = StreamNumber(rawValue: 1008)
    package static let xattr = StreamNumber(rawValue: 1998)

    /// The records a storage daemon passes on to the director's catalog.
    package var belongsInCatalog: Bool {
        switch self {
        case .attributes, .windowsAttributes, .md5, .sha1, .sha256, .sha512, .restoreObject: true
        default: false
        }
    }
    package var isDigest: Bool { self == .md5 || self == .sha1 || self == .sha256 || self == .sha512 }
}
