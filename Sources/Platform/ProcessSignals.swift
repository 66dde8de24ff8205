// Signals as a daemon wants them: waited for on one thread, never interrupting the others.

import Glibc

/// Signals a daemon acts on. Raw values are the kernel's.
package enum ProcessSignal: Int32, Sendable, CaseIterable {
    case hangUp = 1, interrupt = 2, quit = 3, terminate = 15
    /// Sent by the process to itself when its work is done and the waiting thread should look.
    case done = 12
}

package enum ProcessSignals {
    /// Blocks the signals above for this thread and every thread it starts, and ignores SIGPIPE. Call before anything
    /// that starts threads. Programs that are spawned must get an empty mask again, as `ChildProcess` does.
    package static func takeOver() {
        var set = Self.set
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        brokenPipesAreErrors
    }

    /// Makes a write to a pipe or socket whose reader is gone an error (EPIPE) instead of the end of the process, once and
    /// for good.
    package static let brokenPipesAreErrors: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    /// Blocks until one of them arrives.
    package static func next() -> ProcessSignal {
        while true {
            var number: Int32 = 0
            var set = Self.set
            if unsafe sigwait(&set, &number) == 0, let signal = ProcessSignal(rawValue: number) { return signal }
        }
    }

    /// Sends `signal` to this process.
    package static func raise(_ signal: ProcessSignal) { kill(getpid(), signal.rawValue) }

    private static var set: sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in ProcessSignal.allCases { unsafe sigaddset(&set, signal.rawValue) }
        return set
    }
}
