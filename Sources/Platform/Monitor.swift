// A mutex together with a condition variable: state that threads wait on.

import CSystem
import Glibc

/// State shared between threads, some of which wait until it has a certain shape.
///
/// `Synchronization.Mutex` has no condition variable; this adds one. Waiting blocks the calling thread, so it belongs on
/// the elastic executor or on a thread of one's own, never on Swift's cooperative pool.
///
/// | who                | holds                                   |
/// |--------------------|-----------------------------------------|
/// | `withLock`, `wait` | the mutex, while their closures run      |
/// | a waiting thread   | nothing: the condition gives the mutex up |
///
/// Sendable although it holds mutable state: every access to `state` happens with `mutex` held. Safe although it holds
/// pointers: both are allocated in `init`, freed in `deinit` and never handed out.
@safe package final class Monitor<State>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    package init(_ state: sending State) {
        self.state = state
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        // The monotonic clock, so that a step of the wall clock neither cuts a wait short nor stretches it.
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        // No other reference is left, so no thread can hold or wait.
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs `body` with exclusive access to the state, then wakes every waiter to look again.
    package func withLock<R, E: Error>(_ body: (inout State) throws(E) -> R) throws(E) -> R {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Runs `body` with exclusive access, waking nobody: for looking.
    package func read<R, E: Error>(_ body: (State) throws(E) -> R) throws(E) -> R {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(state)
    }

    /// Blocks until `body` returns a value, looking again after every `withLock` elsewhere.
    ///
    /// - Parameter limit: How long to wait at most; nil waits for ever.
    /// - Returns: nil when the limit passed first.
    package func wait<R, E: Error>(atMost limit: Duration? = nil, until body: (inout State) throws(E) -> R?) throws(E) -> R? {
        var deadline = timespec()
        if let limit {
            unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
            let (seconds, attoseconds) = limit.components
            let nanoseconds = deadline.tv_nsec + Int(attoseconds / 1_000_000_000)
            deadline.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
            deadline.tv_nsec = nanoseconds % 1_000_000_000
        }
        unsafe pthread_mutex_lock(mutex)
        defer {
            // The body may have changed the state on its way to an answer.
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        while true {
            if let result = try body(&state) { return result }
            if limit == nil {
                unsafe pthread_cond_wait(condition, mutex)
            } else if unsafe pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT {
                return try body(&state)
            }
        }
    }
}
