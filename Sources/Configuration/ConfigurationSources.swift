// Where configuration text comes from: the seam between the lexer and the machine.

import Platform

/// How `@file` and `@|"command"` are read. Tests and embedded configurations put their own in place.
struct ConfigurationSources: Sendable {
    /// One text, and which file it is (for finding files that include themselves).
    struct Text {
        var bytes: [UInt8]
        var identity: FileIdentity?
    }
    /// Why there is none; the reason is a phrase for the operator.
    struct Failure: Error {
        var reason: String
        var hint: String = ""
    }

    var readFile: @Sendable (String) throws(Failure) -> Text
    var runCommand: @Sendable (String) throws(Failure) -> Text
    var variable: @Sendable (String) -> String?
    /// All texts of one configuration together; four of the largest.
    var totalBytesMax = 64 << 20

    /// A file may have 16 MiB: a thousand times the largest site's we know, and nothing that hurts to hold.
    static let fileBytesMax = 16 << 20
    static let commandLimit = Duration.seconds(30)

    /// The file system, and programs run directly (not by a shell).
    static let machine = ConfigurationSources(
        readFile: { path throws(Failure) in
            do throws(SystemError) {
                let (bytes, identity) = try BoundedReading.file(path, bytesMax: fileBytesMax)
                if let bytes { return Text(bytes: bytes, identity: identity) }
            } catch {
                throw Failure(reason: error.reason)
            }
            throw Failure(reason: "it is larger than \(fileBytesMax >> 20) MiB")
        },
        runCommand: { command throws(Failure) in
            let arguments = commandWords(command)
            guard !arguments.isEmpty else { throw Failure(reason: "there is no command") }
            var options = ChildProcess.Options()
            options.outputBytesMax = fileBytesMax
            options.timeLimit = commandLimit
            let ended: ChildProcess
            do throws(SystemError) {
                ended = try ChildProcess.run(arguments, options)
            } catch {
                throw Failure(reason: error.reason)
            }
            guard !ended.wasTruncated else { throw Failure(reason: "it printed more than \(fileBytesMax >> 20) MiB") }
            guard ended.succeeded else { throw Failure(reason: "it ended with \(ended.endingText)") }
            return Text(bytes: ended.output, identity: nil)
        },
        variable: { CurrentProcess.environment($0) })

    /// Nothing but the text itself: includes are refused.
    static let none = ConfigurationSources(
        readFile: { _ throws(Failure) in throw Failure(reason: "files are not read here") },
        runCommand: { _ throws(Failure) in throw Failure(reason: "commands are not run here") },
        variable: { _ in nil })
}
