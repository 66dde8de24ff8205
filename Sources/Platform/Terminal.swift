// The terminal: whether there is one, its size, raw input, and pseudo terminals for trying all that.

import CSystem
import Glibc

/// What the standard streams are connected to.
package enum Terminal {
    package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Columns of the terminal on `descriptor`; 80 where the kernel doesn't know.
    package static func columns(_ descriptor: Int32) -> Int {
        let columns = Int(csystem_terminal_columns(descriptor))
        return columns > 0 ? columns : 80
    }

    /// Whether escape sequences may be written to `descriptor`: a terminal, `TERM` not `dumb`.
    package static func understandsEscapes(_ descriptor: Int32) -> Bool {
        isTerminal(descriptor) && !["dumb", ""].contains(CurrentProcess.environment("TERM") ?? "")
    }

    /// Whether colours may be used on `descriptor`: as above, and `NO_COLOR` not set to anything (no-color.org).
    package static func allowsColour(_ descriptor: Int32) -> Bool {
        understandsEscapes(descriptor) && (CurrentProcess.environment("NO_COLOR") ?? "").isEmpty
    }
}

extension CurrentProcess {
    /// The value of an environment variable; nil where it is not set.
    package static func environment(_ name: String) -> String? {
        // The environment is only changed before threads start (launchInBackground), so the pointer stays valid here.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// Blocks this thread: for programs that have nothing else to do meanwhile.
    package static func sleep(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var wanted = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        var left = timespec()
        while unsafe nanosleep(&wanted, &left) != 0, errno == EINTR { wanted = left }
    }
}

/// The terminal on a descriptor, in raw mode: every key arrives at once and is not echoed. Ends with its owner.
package struct RawTerminal: ~Copyable {
    private let descriptor: Int32
    private var saved: termios

    /// nil where `descriptor` is no terminal.
    package init?(_ descriptor: Int32) {
        var settings = termios()
        guard unsafe tcgetattr(descriptor, &settings) == 0 else { return nil }
        self.descriptor = descriptor
        saved = settings
        enter()
    }

    /// Raw again, after `leave`.
    package borrowing func enter() {
        var raw = saved
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
        raw.c_iflag &= ~tcflag_t(IXON | ICRNL | INLCR | ISTRIP)
        // Output keeps its processing, so that "\n" still returns to the first column.
        unsafe tcsetattr(descriptor, TCSADRAIN, &raw)
    }

    /// The settings it came with, while something else uses the terminal.
    package borrowing func leave() {
        var settings = saved
        unsafe tcsetattr(descriptor, TCSADRAIN, &settings)
    }

    deinit { leave() }
}

/// Input that can be waited for.
package struct TerminalInput: Sendable {
    package let descriptor: Int32
    package init(descriptor: Int32) { self.descriptor = descriptor }

    package enum Read: Sendable, Equatable { case bytes([UInt8]), quiet, end }

    /// Whatever has been typed, waiting for it at most `limit` (nil: for ever). Blocks.
    package func read(atMost limit: Duration? = nil) -> Read {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let milliseconds: Int32 =
            limit.map { duration in
                let (seconds, attoseconds) = duration.components
                return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
            } ?? -1
        let ready = unsafe poll(&entry, 1, milliseconds)
        if ready == 0 { return .quiet }
        if ready < 0 { return errno == EINTR ? .quiet : .end }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
        if count > 0 { return .bytes(Array(buffer[..<count])) }
        // A terminal that hung up says EIO.
        return count < 0 && (errno == EINTR || errno == EAGAIN) ? .quiet : .end
    }
}

/// Both ends of a new pseudo terminal: for tests of what a person would see.
package struct PseudoTerminal: ~Copyable {
    /// The operator's side: what is written here is typed, what is read here is shown.
    package let operatorSide: OpenFile
    /// The program's side: its standard input, output and error.
    package let programSide: OpenFile
    /// Path of the program's side, for whoever starts the program.
    package let programPath: String

    package init(columns: UInt16 = 80, rows: UInt16 = 24) throws(SystemError) {
        // Glibc's module leaves posix_openpt(3) and its friends out; these are the calls they make, see pty(7).
        let master = try OpenFile("/dev/ptmx", O_RDWR | O_NOCTTY)
        var unlocked: Int32 = 0
        var number: UInt32 = 0
        guard unsafe ioctl(master.descriptor, UInt(0x4004_5431) /* TIOCSPTLCK */, &unlocked) == 0,
            unsafe ioctl(master.descriptor, UInt(0x8004_5430) /* TIOCGPTN */, &number) == 0
        else { throw SystemError("ioctl", "/dev/ptmx", errno: errno) }
        let slave = try OpenFile("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = unsafe ioctl(slave.descriptor, UInt(TIOCSWINSZ), &size)
        operatorSide = master
        programSide = slave
        programPath = "/dev/pts/\(number)"
    }
}
