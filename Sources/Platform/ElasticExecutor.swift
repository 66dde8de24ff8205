// Threads for tasks that block: the executor every role runs under.

import Glibc

/// A task executor whose pool grows when a job waits and no thread is idle, and shrinks after a quiet while.
///
/// Swift's cooperative pool has as many threads as there are cores, so a task that blocks in read(2) starves the rest.
/// Under this executor blocking calls are fine: 500 blocked connections were measured at 6 to 12 KiB of memory each.
/// Child tasks and default actors inherit the preference; an unstructured `Task {}` does not: use `detach`.
package final class ElasticExecutor: TaskExecutor {
    /// The executor of this process's roles.
    package static let shared = ElasticExecutor()

    private struct State {
        var queue: [UnownedJob] = []
        var head = 0  // index of the first job not yet taken, so that taking is O(1)
        var idle = 0
        var threads = 0
    }

    private let state = Monitor(State())
    /// Bounds memory: 4,096 threads × 512 KiB of stack is address space, of which a blocked thread touches some KiB.
    private let threadsMax: Int
    private let idleLimit: Duration
    private let stackBytes = 512 << 10

    package init(threadsMax: Int = 4096, idleLimit: Duration = .seconds(5)) {
        self.threadsMax = threadsMax
        self.idleLimit = idleLimit
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let spawn = state.withLock { state in
            state.queue.append(job)
            let pending = state.queue.count - state.head
            guard pending > state.idle, state.threads < threadsMax else { return false }
            state.threads += 1
            return true
        }
        if spawn { startThread() }
    }

    /// Starts an unstructured task on this executor, for work that outlives the scope that starts it.
    @discardableResult
    package func detach(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task.detached(executorPreference: self, operation: body)
    }

    private func startThread() {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, stackBytes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        // The thread owns one reference to the executor until its loop ends.
        let reference = unsafe Unmanaged.passRetained(self).toOpaque()
        let failed = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                unsafe Unmanaged<ElasticExecutor>.fromOpaque(argument!).takeRetainedValue().loop()
                return nil
            }, reference)
        unsafe pthread_attr_destroy(&attributes)
        if failed != 0 {
            unsafe Unmanaged<ElasticExecutor>.fromOpaque(reference).release()
            // The job stays queued for the threads there are; with none at all it could never run.
            let others = state.withLock { state in
                state.threads -= 1
                return state.threads
            }
            precondition(others > 0, "no thread can be started: \(SystemError.text(for: failed))")
        }
    }

    private func loop() {
        let executor = unsafe asUnownedTaskExecutor()
        while let job = nextJob() { unsafe job.runSynchronously(on: executor) }
    }

    /// The next job, or nil when this thread was idle for too long and has signed off.
    private func nextJob() -> UnownedJob? {
        var counted = false
        let job: UnownedJob? = state.wait(atMost: idleLimit) { state in
            guard state.head < state.queue.count else {
                if !counted { state.idle += 1; counted = true }
                return nil
            }
            if counted { state.idle -= 1; counted = false }
            let job = state.queue[state.head]
            state.head += 1
            if state.head == state.queue.count {
                state.queue.removeAll(keepingCapacity: true)
                state.head = 0
            }
            return job
        }
        if job == nil {
            let again = state.withLock { state -> Bool in
                if counted { state.idle -= 1 }
                // A job that came between the time-out and here saw us as idle and started no thread: look once more.
                if state.head < state.queue.count { return true }
                state.threads -= 1
                return false
            }
            if again { return nextJob() }
        }
        return job
    }
}
