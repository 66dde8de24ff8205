// Running another program: scripts before and after jobs, changers, mail commands, lists of files.

import CSystem
import Glibc

/// A finished program: how it ended and what it said.
package struct ChildProcess: Sendable {
    package enum Ending: Sendable, Hashable {
        case exited(Int32)
        case signalled(Int32)
        /// It ran longer than its time limit and was ended.
        case timedOut
        /// The caller's task was cancelled, or `shouldStop` said so, and it was ended.
        case interrupted
    }
    package var ending: Ending
    /// Standard output, up to the limit.
    package var output: [UInt8]
    /// Standard error, up to the limit; empty where it was merged into the output.
    package var errorOutput: [UInt8]
    /// More came than the limit allowed; the rest was read and dropped.
    package var wasTruncated: Bool

    package var succeeded: Bool { ending == .exited(0) }
    /// `exit status 2`, `signal 15 (Terminated)`, `time limit exceeded`: for messages.
    package var endingText: String {
        switch ending {
        case .exited(let status): "exit status \(status)"
        case .signalled(let signal): "signal \(signal)"
        case .timedOut: "time limit exceeded"
        case .interrupted: "interrupted"
        }
    }

    /// How to run a program.
    package struct Options: Sendable {
        /// Complete environment; nil: ours.
        package var environment: [String: String]?
        /// Working directory; nil: ours.
        package var directory: String?
        /// What it reads from standard input; empty is the end of the file at once.
        package var input: [UInt8] = []
        /// Send standard error where standard output goes, in the order written.
        package var mergesErrors = false
        /// Bytes kept of each stream. 1 MiB: a script's messages, or a list of some ten thousand names.
        package var outputBytesMax = 1 << 20
        /// After this time the process group gets SIGTERM; nil: no limit.
        package var timeLimit: Duration?
        /// How long after SIGTERM the process group gets SIGKILL.
        package var killAfter: Duration = .seconds(5)
        package init() {}
    }

    /// Runs `arguments` (the program is looked up in PATH) and waits for its end. Blocks. No shell is involved.
    ///
    /// The program gets a process group of its own; time limit and interruption end the whole group. A grandchild that
    /// keeps the pipes open after the program has ended is left alone after a second.
    ///
    /// - Parameters:
    ///   - shouldStop: Asked about ten times a second; true ends the program. So does cancelling the calling task.
    ///   - onOutput: Called with every piece of standard output as it comes, besides collecting it.
    /// - Throws: When the program can't be started: ENOENT, EACCES, …
    package static func run(
        _ arguments: [String], _ options: Options = Options(), shouldStop: () -> Bool = { false },
        onOutput: (ArraySlice<UInt8>) -> Void = { _ in }
    ) throws(SystemError) -> ChildProcess {
        guard let program = arguments.first, !program.isEmpty else { throw SystemError("spawn", "an empty command", errno: EINVAL) }
        ProcessSignals.brokenPipesAreErrors  // a program may end without having read what we feed it
        let input = try Pipe(), output = try Pipe(), errors = try Pipe()
        let process = try spawn(
            arguments, options, input: input.reader, output: output.writer,
            errors: options.mergesErrors ? output.writer : errors.writer)
        input.closeReader()
        output.closeWriter()
        errors.closeWriter()
        var conversation = Conversation(process: process, program: program, options: options)
        return conversation.hold(input: input, output: output, errors: errors, shouldStop: shouldStop, onOutput: onOutput)
    }

    private static func spawn(
        _ arguments: [String], _ options: Options, input: Int32, output: Int32, errors: Int32
    ) throws(SystemError) -> pid_t {
        var process: pid_t = 0
        let environment = options.environment?.map { "\($0.key)=\($0.value)" }
        let error = unsafe withCStrings(arguments) { arguments in
            unsafe withCStrings(environment ?? []) { given in
                // posix_spawn copies what it needs before it returns; the casts only add const.
                let own = unsafe UnsafeRawPointer(csystem_environment()!).assumingMemoryBound(to: UnsafePointer<CChar>?.self)
                let chosen = unsafe environment == nil ? own : given
                if let directory = options.directory {
                    return unsafe csystem_spawn(arguments, chosen, directory, input, output, errors, &process)
                }
                return unsafe csystem_spawn(arguments, chosen, nil, input, output, errors, &process)
            }
        }
        guard error == 0 else { throw SystemError("spawn", arguments[0], errno: error) }
        return process
    }

    /// Calls `body` with a NULL-terminated array of NUL-terminated strings, as execve(2) wants them.
    private static func withCStrings<R>(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R
    ) -> R {
        let copies = unsafe texts.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        let pointers = unsafe copies.map { unsafe UnsafePointer($0) } + [nil]
        return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
    }
}

/// The talk with a running program: feeding it, listening, and ending it when its time is up.
private struct Conversation {
    let process: pid_t
    let program: String
    let options: ChildProcess.Options
    var result = ChildProcess(ending: .interrupted, output: [], errorOutput: [], wasTruncated: false)

    init(process: pid_t, program: String, options: ChildProcess.Options) {
        self.process = process
        self.program = program
        self.options = options
    }

    mutating func hold(
        input: borrowing Pipe, output: borrowing Pipe, errors: borrowing Pipe, shouldStop: () -> Bool,
        onOutput: (ArraySlice<UInt8>) -> Void
    ) -> ChildProcess {
        let clock = ContinuousClock()
        let deadline = options.timeLimit.map { clock.now + $0 }
        var killDeadline: ContinuousClock.Instant?
        var endedBecause: ChildProcess.Ending?
        var exitStatus: Int32?
        var drainDeadline: ContinuousClock.Instant?
        let watcher = csystem_pidfd_open(process)
        defer { if watcher >= 0 { close(watcher) } }
        var sent = 0
        var writerOpen = true, outputOpen = true, errorsOpen = true
        input.makeNonBlocking()
        var chunk = [UInt8](repeating: 0, count: 16 << 10)

        while exitStatus == nil || outputOpen || errorsOpen {
            if writerOpen, sent == options.input.count || exitStatus != nil {
                input.closeWriter()
                writerOpen = false
            }
            var watched = [
                pollfd(fd: outputOpen ? output.reader : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errorsOpen ? errors.reader : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: writerOpen ? input.writer : -1, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: exitStatus == nil ? watcher : -1, events: Int16(POLLIN), revents: 0),
            ]
            // Without a pidfd the end of the process shows at the next look: 20 ms, else only the stop flag is polled.
            let patience: Int32 = watcher < 0 ? 20 : 100
            unsafe poll(&watched, 4, patience)
            if watched[0].revents != 0 {
                outputOpen = Self.take(
                    output.reader, &chunk, &result.output, options.outputBytesMax, &result.wasTruncated, onOutput)
            }
            if watched[1].revents != 0 {
                errorsOpen = Self.take(errors.reader, &chunk, &result.errorOutput, options.outputBytesMax, &result.wasTruncated) {
                    _ in
                }
            }
            if watched[2].revents != 0 {
                let rest = options.input.span.extracting(sent..<min(options.input.count, sent + (16 << 10)))
                let count = unsafe rest.withUnsafeBufferPointer { unsafe write(input.writer, $0.baseAddress, $0.count) }
                if count > 0 {
                    sent += count
                } else if count < 0, errno != EAGAIN, errno != EINTR {
                    // It doesn't want the rest (EPIPE): not our business.
                    sent = options.input.count
                }
            }
            if exitStatus == nil {
                var status: Int32 = 0
                let ended = unsafe waitpid(process, &status, WNOHANG)
                if ended == process || (ended < 0 && errno == ECHILD) {
                    exitStatus = ended == process ? status : 0
                    drainDeadline = clock.now + .seconds(1)
                }
            }
            let now = clock.now
            if let drain = drainDeadline, now >= drain { break }
            if exitStatus == nil {
                if endedBecause == nil {
                    if let deadline, now >= deadline { endedBecause = .timedOut }
                    if Task.isCancelled || shouldStop() { endedBecause = .interrupted }
                    if endedBecause != nil {
                        kill(-process, SIGTERM)
                        killDeadline = now + options.killAfter
                    }
                } else if let due = killDeadline, now >= due {
                    kill(-process, SIGKILL)
                    killDeadline = nil
                }
            }
        }
        if writerOpen { input.closeWriter() }
        // What the program left behind in its group must not outlive an order to stop.
        if endedBecause != nil { kill(-process, SIGKILL) }
        var code: Int32 = 0
        let exited = unsafe csystem_wait_exited(exitStatus ?? 0, &code) != 0
        result.ending = endedBecause ?? (exited ? .exited(code) : .signalled(code))
        return result
    }

    /// One read(2). - Returns: whether the pipe is still open.
    private static func take(
        _ descriptor: Int32, _ chunk: inout [UInt8], _ sink: inout [UInt8], _ limit: Int, _ truncated: inout Bool,
        _ onOutput: (ArraySlice<UInt8>) -> Void
    ) -> Bool {
        let count = unsafe chunk.withUnsafeMutableBufferPointer { unsafe read(descriptor, $0.baseAddress, $0.count) }
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        if count == 0 { return false }
        onOutput(chunk[..<count])
        let kept = min(count, limit - sink.count)
        if kept < count { truncated = true }
        sink += chunk[..<kept]
        return true
    }
}

/// Both ends of a pipe(2), closed on exec and when released.
private struct Pipe: ~Copyable {
    // Boxed, so that a borrowed pipe can close one end early.
    private final class Ends {
        var reader: Int32 = -1
        var writer: Int32 = -1
    }
    private let ends = Ends()
    var reader: Int32 { ends.reader }
    var writer: Int32 { ends.writer }

    init() throws(SystemError) {
        var pair: (Int32, Int32) = (-1, -1)
        let failed = unsafe withUnsafeMutableBytes(of: &pair) { buffer in
            unsafe csystem_pipe(buffer.baseAddress!.assumingMemoryBound(to: Int32.self))
        }
        guard failed == 0 else { throw SystemError("pipe2", "a new pipe", errno: errno) }
        (ends.reader, ends.writer) = pair
    }

    borrowing func makeNonBlocking() { _ = fcntl(ends.writer, F_SETFL, O_WRONLY | O_NONBLOCK) }
    borrowing func closeReader() {
        if ends.reader >= 0 { close(ends.reader) }
        ends.reader = -1
    }
    borrowing func closeWriter() {
        if ends.writer >= 0 { close(ends.writer) }
        ends.writer = -1
    }
    deinit {
        if ends.reader >= 0 { close(ends.reader) }
        if ends.writer >= 0 { close(ends.writer) }
    }
}

/// A command of the configuration as a list of words: blanks separate, single and double quotes hold together, a backslash
/// takes the next character as it is (inside single quotes nothing is special). No shell, so no variables or globs.
package func commandWords(_ command: String) -> [String] {
    var words: [String] = []
    var word = ""
    var started = false
    var quote: Character?
    var escaped = false
    for character in command {
        if escaped {
            // Inside double quotes a backslash is itself unless it protects a quote or a backslash.
            if quote == "\"", character != "\"", character != "\\" { word.append("\\") }
            word.append(character)
            escaped = false
        } else if character == "\\", quote != "'" {
            escaped = true
            started = true
        } else if let open = quote {
            if character == open { quote = nil } else { word.append(character) }
        } else if character == "'" || character == "\"" {
            quote = character
            started = true
        } else if character == " " || character == "\t" || character == "\n" {
            if started { words.append(word) }
            word = ""
            started = false
        } else {
            word.append(character)
            started = true
        }
    }
    if escaped { word.append("\\") }
    if started { words.append(word) }
    return words
}
