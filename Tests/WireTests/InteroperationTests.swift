// Against the real programs of Bacula 9.6.7, where they are installed (Debian: bacula-fd, bacula-console).

import Configuration
import Glibc
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Wire

@Suite("Interoperation with Bacula 9.6.7") struct InteroperationTests {
    static let fileDaemon = "/usr/sbin/bacula-fd"
    static let storageDaemon = "/usr/sbin/bacula-sd"
    static let console = "/usr/sbin/bconsole"
    static func isInstalled(_ program: String) -> Bool { unsafe access(program, X_OK) == 0 }

    @Test(
        "A real file daemon takes our Hello and answers a status command",
        .enabled(if: isInstalled(fileDaemon), "bacula-fd is not installed"))
    func fileDaemonStatus() async throws {
        let directory = TemporaryDirectory()
        let port = try freePort()
        try write(
            """
            FileDaemon { Name = real-fd; FDport = \(port); FDAddress = 127.0.0.1; WorkingDirectory = \(directory.path); Pid Directory = \(directory.path) }
            Director { Name = "test-dir"; Password = "fd-secret" }
            Messages { Name = Standard; director = test-dir = all }
            """, directory.file("fd.conf"))
        let daemon = try ChildProgram([Self.fileDaemon, "-f", "-c", directory.file("fd.conf")])
        defer { daemon.stop() }
        let connection = try await dial(
            Destination(
                host: "127.0.0.1", port: port, secret: SharedSecret(password: "fd-secret"), tls: .plainText,
                ownName: "test-dir",
                connectLimit: .seconds(20)), directorHello)
        #expect(connection.greeting == "2000 OK Hello 214")
        #expect(connection.peerVersion == 214)
        #expect(!connection.isAppliance)
        try connection.channel.send("status")
        var text = ""
        while case .payload(let bytes) = try connection.channel.receive() {
            text += String(decoding: bytes, as: UTF8.self)
        }
        #expect(text.contains("real-fd Version: 9.6.7"))
        connection.channel.close(terminate: true)

        let ping = try await dial(
            Destination(
                host: "127.0.0.1", port: port, secret: SharedSecret(password: ""), tls: .plainText, ownName: ""), .ping)
        #expect(ping.greeting == "2000 Ping OK")
    }

    @Test(
        "A real file daemon refuses a wrong password, and a peer without TLS is refused where we require it",
        .enabled(if: isInstalled(fileDaemon), "bacula-fd is not installed"))
    func fileDaemonRefusals() async throws {
        let directory = TemporaryDirectory()
        let port = try freePort()
        try write(
            """
            FileDaemon { Name = real-fd; FDport = \(port); FDAddress = 127.0.0.1; WorkingDirectory = \(directory.path); Pid Directory = \(directory.path) }
            Director { Name = "test-dir"; Password = "fd-secret" }
            Messages { Name = Standard; director = test-dir = all }
            """, directory.file("fd.conf"))
        let daemon = try ChildProgram([Self.fileDaemon, "-f", "-c", directory.file("fd.conf")])
        defer { daemon.stop() }
        func attempt(_ password: String, _ tls: TLSPolicy) async -> WireError? {
            let to = Destination(
                host: "127.0.0.1", port: port, secret: SharedSecret(password: password), tls: tls, ownName: "test-dir",
                connectLimit: .seconds(20))
            do throws(WireError) { _ = try await dial(to, directorHello) } catch { return error }
            return nil
        }
        #expect(await attempt("fd-secret", .preSharedKeyRequired)?.kind == .tls)
        #expect(await attempt("wrong", .plainText)?.kind == .authentication)
        #expect(await attempt("fd-secret", TLSPolicy(preSharedKey: .offered)) == nil)
    }

    @Test(
        "A real console authenticates at our listener",
        .enabled(if: isInstalled(console), "bconsole is not installed"))
    func realConsole() async throws {
        let directory = TemporaryDirectory()
        let commands = Mutex<[String]>([])
        try await withListener(
            role: .director, secret: SharedSecret(password: "console-secret"),
            greeting: "1000 OK: 103 test-dir Version: 9.6.7 (10 December 2020)",
            handler: { connection in
                guard connection.hello == .console(name: "*UserAgent*", version: 100), !connection.isAppliance else {
                    return
                }
                while let line = try? connection.channel.receiveLine() {
                    commands.withLock { $0.append(line) }
                    try? connection.channel.send("answered \(line)\n")
                    try? connection.channel.send(.endOfData)
                    if line == "quit" { return }
                }
            }
        ) { listener in
            try write(
                """
                Director { Name = test-dir; DIRport = \(listener.port); address = 127.0.0.1; Password = "console-secret" }
                """, directory.file("bconsole.conf"))
            try write("version\nquit\n", directory.file("input"))
            let program = try ChildProgram(
                [
                    "/bin/sh", "-c",
                    "exec \(Self.console) -n -c \(directory.file("bconsole.conf")) <\(directory.file("input")) >\(directory.file("output")) 2>&1",
                ])
            #expect(program.wait() == 0)
            let output = try read(directory.file("output"))
            #expect(output.contains("1000 OK: 103 test-dir Version"))
            #expect(output.contains("answered version"))
        }
        #expect(commands.withLock { $0 }.contains("version"))
    }

    @Test(
        "A real storage daemon takes our Hello and answers a status command",
        .enabled(if: isInstalled(storageDaemon), "bacula-sd is not installed"))
    func storageDaemonStatus() async throws {
        let directory = TemporaryDirectory()
        let port = try freePort()
        try write(
            """
            Storage { Name = real-sd; SDPort = \(port); SDAddress = 127.0.0.1; WorkingDirectory = \(directory.path); Pid Directory = \(directory.path) }
            Director { Name = "test-dir"; Password = "sd-secret" }
            Device { Name = D; Media Type = File; Device Type = File; Archive Device = \(directory.path) }
            Messages { Name = Standard; director = test-dir = all }
            """, directory.file("sd.conf"))
        let daemon = try ChildProgram([Self.storageDaemon, "-f", "-c", directory.file("sd.conf")])
        defer { daemon.stop() }
        let connection = try await dial(
            Destination(
                host: "127.0.0.1", port: port, secret: SharedSecret(password: "sd-secret"), tls: .plainText,
                ownName: "test-dir", connectLimit: .seconds(20)),
            .directorToStorageDaemon(name: "test-dir", version: ProtocolVersion.director))
        #expect(connection.greeting == "3000 OK Hello 306")
        #expect(connection.peerVersion == 306)
        try connection.channel.send("status")
        var text = ""
        while case .payload(let bytes) = try connection.channel.receive() {
            text += String(decoding: bytes, as: UTF8.self)
        }
        #expect(text.contains("real-sd Version: 9.6.7"))
        connection.channel.close(terminate: true)
    }

    @Test(
        "A real file daemon with certificates goes over to TLS after the authentication, for good or for the authentication only",
        .enabled(if: isInstalled(fileDaemon), "bacula-fd is not installed"), arguments: [false, true])
    func fileDaemonCertificates(authenticateOnly: Bool) async throws {
        let authority = try CertificateTests.Authority()
        let directory = TemporaryDirectory()
        let port = try freePort()
        let tls = """
            TLS Enable = yes; TLS Require = yes; TLS CA Certificate File = \(authority.directory.file("ca.pem"))
            TLS Certificate = \(authority.directory.file("server.pem")); TLS Key = \(authority.directory.file("server.key"))
            \(authenticateOnly ? "TLS Authenticate = yes" : "")
            """
        try write(
            """
            FileDaemon { Name = real-fd; FDport = \(port); FDAddress = 127.0.0.1; WorkingDirectory = \(directory.path); Pid Directory = \(directory.path)
            }
            Director { Name = "test-dir"; Password = "fd-secret"
            TLS Verify Peer = yes
            \(tls)
            }
            Messages { Name = Standard; director = test-dir = all }
            """, directory.file("fd.conf"))
        let daemon = try ChildProgram([Self.fileDaemon, "-f", "-c", directory.file("fd.conf")])
        defer { daemon.stop() }
        func to(_ policy: TLSPolicy) -> Destination {
            Destination(
                host: "127.0.0.1", port: port, secret: SharedSecret(password: "fd-secret"), tls: policy,
                ownName: "test-dir",
                connectLimit: .seconds(20))
        }
        let connection = try await dial(
            to(authority.policy("client", authenticateOnly: authenticateOnly)), directorHello)
        #expect(connection.channel.security.contains("certificate"))
        #expect(connection.channel.security.contains("authentication only") == authenticateOnly)
        try connection.channel.send("status")
        var text = ""
        while case .payload(let bytes) = try connection.channel.receive() {
            text += String(decoding: bytes, as: UTF8.self)
        }
        #expect(text.contains("real-fd Version: 9.6.7"))
        connection.channel.close(terminate: true)
        // It requires TLS, and says so in its challenge.
        await #expect(throws: WireError.self) { try await dial(to(.plainText), directorHello) }
    }

    @Test(
        "A real console with certificates authenticates at our listener",
        .enabled(if: isInstalled(console), "bconsole is not installed"))
    func realConsoleCertificates() async throws {
        let authority = try CertificateTests.Authority()
        let directory = TemporaryDirectory()
        try await withListener(
            role: .director, secret: SharedSecret(password: "console-secret"), policy: authority.policy("server"),
            greeting: "1000 OK: 103 test-dir Version: 9.6.7 (10 December 2020)",
            handler: { connection in
                while let line = try? connection.channel.receiveLine() {
                    try? connection.channel.send("answered \(line) under \(connection.channel.security)\n")
                    try? connection.channel.send(.endOfData)
                    if line == "quit" { return }
                }
            }
        ) { listener in
            try write(
                """
                Director { Name = test-dir; DIRport = \(listener.port); address = 127.0.0.1; Password = "console-secret"
                TLS Enable = yes; TLS Require = yes; TLS CA Certificate File = \(authority.directory.file("ca.pem"))
                TLS Certificate = \(authority.directory.file("client.pem")); TLS Key = \(authority.directory.file("client.key"))
                }
                """, directory.file("bconsole.conf"))
            try write("version\nquit\n", directory.file("input"))
            let command = "exec \(Self.console) -n -c \(directory.file("bconsole.conf")) <\(directory.file("input"))"
            let program = try ChildProgram(["/bin/sh", "-c", "\(command) >\(directory.file("output")) 2>&1"])
            #expect(program.wait() == 0)
            let output = try read(directory.file("output"))
            #expect(output.contains("answered version under TLSv1"), "\(output)")
        }
    }
}

func freePort() throws -> UInt16 { try ListeningSocket("127.0.0.1", port: 0).address.port }

func write(_ text: String, _ path: String) throws {
    let file = try OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC)
    try file.write(Array(text.utf8).span)
    try file.close()
}

func read(_ path: String) throws -> String {
    let file = try OpenFile(path, O_RDONLY)
    var bytes = [UInt8](repeating: 0, count: Int(try file.size()))
    var span = bytes.mutableSpan
    _ = try file.read(into: &span)
    return String(decoding: bytes, as: UTF8.self)
}

/// A program that a test starts, and ends by its process number.
final class ChildProgram: Sendable {
    private let process: pid_t

    init(_ arguments: [String]) throws {
        var vector: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        unsafe vector.append(nil)
        defer { unsafe vector.forEach { unsafe free($0) } }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        // The threads that tests run on block signals, and children inherit that.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var empty = sigset_t()
        unsafe sigemptyset(&empty)
        unsafe posix_spawnattr_setsigmask(&attributes, &empty)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var child: pid_t = 0
        let failed = unsafe posix_spawn(&child, arguments[0], &actions, &attributes, vector, environ)
        guard failed == 0 else { throw SystemError("posix_spawn", arguments[0], errno: failed) }
        process = child
    }

    func stop() {
        kill(process, SIGTERM)
        _ = wait()
    }

    /// The exit status, or -1 after a signal.
    func wait() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : -1
    }
}
