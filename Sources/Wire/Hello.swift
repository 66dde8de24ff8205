// The first packet of a connection: who calls, and whom (bacula-wire 2.4, 11.2).

package import Configuration

/// Who calls, as the first packet of a connection says (bacula-wire 2.4).
package enum Hello: Sendable, Hashable {
    /// `*UserAgent*` for the default console.
    case console(name: String, version: Int)
    /// A director at a file daemon.
    case directorToFileDaemon(name: String, version: Int)
    /// A director at a storage daemon.
    case directorToStorageDaemon(name: String, version: Int)
    /// A file daemon (or, with `storageVersion`, a storage daemon) at a storage daemon, for a job.
    case jobToStorageDaemon(job: String, version: Int, storageVersion: Int?)
    /// A storage daemon that calls a file daemon.
    case storageDaemonToFileDaemon(job: String, version: Int)
    /// A file daemon asked for `Ping`, which needs no authentication.
    case ping
}

/// The version numbers we announce (bacula-wire 2.4, 11.1).
package enum ProtocolVersion {
    package static let director = 103
    package static let fileDaemon = 214
    package static let storageDaemon = 306
    package static let console = 100
}

extension Hello {
    /// What a log calls the caller.
    package var caller: String {
        switch self {
        case .console(let name, _): "console \"\(name)\""
        case .directorToFileDaemon(let name, _), .directorToStorageDaemon(let name, _): "director \"\(name)\""
        case .jobToStorageDaemon(let job, _, nil): "the file daemon of job \"\(job)\""
        case .jobToStorageDaemon(let job, _, _), .storageDaemonToFileDaemon(let job, _):
            "the storage daemon of job \"\(job)\""
        case .ping: "a ping"
        }
    }

    /// The role whose port the caller wanted; nil where any will do.
    package var addressee: Role? {
        switch self {
        case .console: .director
        case .directorToFileDaemon, .storageDaemonToFileDaemon: .fileDaemon
        case .directorToStorageDaemon, .jobToStorageDaemon: .storageDaemon
        case .ping: nil
        }
    }

    /// The words, without what ours append and without the newline.
    var words: String {
        switch self {
        case .console(let name, let version): "Hello \(Bashed.encode(name)) calling \(version)"
        case .directorToFileDaemon(let name, let version): "Hello Director \(Bashed.encode(name)) calling \(version)"
        case .directorToStorageDaemon(let name, let version):
            "Hello SD: Bacula Director \(Bashed.encode(name)) calling \(version)"
        case .jobToStorageDaemon(let job, let version, let storage):
            "Hello Bacula SD: Start Job \(Bashed.encode(job)) \(version)" + (storage.map { " \($0)" } ?? "")
        case .storageDaemonToFileDaemon(let job, let version):
            "Hello FD: Bacula Storage calling Start Job \(Bashed.encode(job)) \(version)"
        case .ping: "Ping"
        }
    }
}

/// What each side of a connection can and must have, of certificate TLS and of pre-shared-key TLS.
struct TLSNeeds: Hashable, Sendable {
    enum Need: Int, Comparable, Sendable {
        case no = 0, welcome = 1, required = 2
        static func < (a: Need, b: Need) -> Bool { a.rawValue < b.rawValue }
    }
    var certificates: Need
    var preSharedKey: Need

    /// The number of `tlspsk=`.
    var number: Int { certificates.rawValue + 100 * preSharedKey.rawValue }

    init(certificates: Need, preSharedKey: Need) {
        self.certificates = certificates
        self.preSharedKey = preSharedKey
    }
    /// Numbers that the encoding does not have count as the nearest that it has.
    init(number: Int) {
        certificates = Need(rawValue: min(2, max(0, number % 100))) ?? .no
        preSharedKey = Need(rawValue: min(2, max(0, number / 100))) ?? .no
    }
    init(_ policy: TLSPolicy) {
        certificates = policy.certificates.map { $0.required || $0.authenticateOnly ? .required : .welcome } ?? .no
        preSharedKey =
            switch policy.preSharedKey {
            case .off: .no
            case .offered: .welcome
            case .required: .required
            }
    }
}

/// A Hello as it came, with what release 11 and ours append.
struct ReceivedHello: Equatable {
    var hello: Hello
    /// nil from programs older than release 11, which can start TLS only after the authentication.
    var needs: TLSNeeds?
    var isAppliance: Bool

    /// Reads the first packet of a connection; nil where it is no Hello.
    init?(parsing line: String) {
        var text = line
        isAppliance = false
        needs = nil
        if text == "Ping" {
            hello = .ping
            return
        }
        if let marker = text.range(ofLast: ApplianceMarker.text) {
            isAppliance = true
            text = String(text[..<marker])
        }
        if let start = text.range(ofLast: " tlspsk="), let number = Int(text[start...].dropFirst(8)) {
            needs = TLSNeeds(number: number)
            text = String(text[..<start])
        }
        if let fields = scan(text, "Hello Director %s calling %d") {
            hello = .directorToFileDaemon(name: Bashed.decode(fields[0]), version: Self.number(fields[1]))
        } else if let fields = scan(text, "Hello SD: Bacula Director %s calling %d") {
            hello = .directorToStorageDaemon(name: Bashed.decode(fields[0]), version: Self.number(fields[1]))
        } else if let fields = scan(text, "Hello Bacula SD: Start Job %s %d %d") {
            let storage = Self.number(fields[2])
            hello = .jobToStorageDaemon(
                job: Bashed.decode(fields[0]), version: Self.number(fields[1]),
                storageVersion: storage > 0 ? storage : nil)
        } else if let fields = scan(text, "Hello FD: Bacula Storage calling Start Job %s %d") {
            hello = .storageDaemonToFileDaemon(job: Bashed.decode(fields[0]), version: Self.number(fields[1]))
        } else if let fields = scan(text, "Hello %s calling %d") {
            hello = .console(name: Bashed.decode(fields[0]), version: Self.number(fields[1]))
        } else {
            return nil
        }
        guard !name.isEmpty, name.utf8.count <= 127 else { return nil }
    }

    /// A number that no release could have counts as none.
    private static func number(_ digits: String) -> Int {
        guard let number = Int(digits), (0..<1_000_000).contains(number) else { return 0 }
        return number
    }

    private var name: String {
        switch hello {
        case .console(let name, _), .directorToFileDaemon(let name, _), .directorToStorageDaemon(let name, _): name
        case .jobToStorageDaemon(let job, _, _), .storageDaemonToFileDaemon(let job, _): job
        case .ping: "Ping"
        }
    }
}

/// What ours append to Hello, `starttls` and greeting, to know each other by. Bacula's programs ignore what follows the
/// fields that they know, and never see it in an answer: it is said only to those who said it first.
enum ApplianceMarker {
    static let text = " appliance=1"
}

extension String {
    /// Where the last occurrence of `needle` starts; nil where there is none.
    func range(ofLast needle: String) -> String.Index? {
        let haystack = utf8
        let wanted = Array(needle.utf8)
        var start = haystack.endIndex
        var left = haystack.count
        while left > 0 {
            start = haystack.index(before: start)
            left -= 1
            if haystack[start...].starts(with: wanted) { return start }
        }
        return nil
    }
}
