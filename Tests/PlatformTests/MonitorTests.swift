// State that threads wait on, and the executor whose threads wait.

import Platform
import Testing

struct MonitorTests {
    @Test("A waiter sees the change that another thread makes")
    func wakes() async {
        let monitor = Monitor(0)
        let seen = Monitor<Int?>(nil)
        ElasticExecutor.shared.detach {
            let value = monitor.wait { $0 == 7 ? $0 : nil }
            seen.withLock { $0 = value }
        }
        for step in 1...7 { monitor.withLock { $0 = step } }
        #expect(seen.wait(atMost: .seconds(10)) { $0 } == 7)
    }

    @Test("A wait with a limit ends without an answer when nothing happens")
    func timesOut() {
        #expect(Monitor(false).wait(atMost: .milliseconds(20)) { $0 ? true : nil } == nil)
    }

    @Test("An error thrown inside leaves the lock free")
    func throwingBody() {
        struct Refused: Error {}
        let monitor = Monitor(1)
        #expect(throws: Refused.self) { try monitor.withLock { (_: inout Int) throws(Refused) in throw Refused() } }
        #expect(monitor.read { $0 } == 1)
    }
}

struct ElasticExecutorTests {
    @Test("Tasks that block don't keep others from running, however many they are")
    func blockedTasksGrowThePool() async {
        let gate = Monitor(false)
        let started = Monitor(0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<64 {
                group.addTask(executorPreference: ElasticExecutor.shared) {
                    started.withLock { $0 += 1 }
                    _ = gate.wait { $0 ? true : nil }
                }
            }
            // This one can only run when the 64 blocked ones got threads of their own.
            group.addTask(executorPreference: ElasticExecutor.shared) {
                while started.read({ $0 }) < 64 { CurrentProcess.sleep(.milliseconds(1)) }
                gate.withLock { $0 = true }
            }
            await group.waitForAll()
        }
        #expect(started.read { $0 } == 64)
    }

    @Test("Ten thousand short tasks all run, on a pool that starts and loses threads meanwhile")
    func storm() async {
        let executor = ElasticExecutor(threadsMax: 8, idleLimit: .milliseconds(1))
        let count = Monitor(0)
        for _ in 0..<10 {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<1000 {
                    group.addTask(executorPreference: executor) { count.withLock { $0 += 1 } }
                }
            }
            CurrentProcess.sleep(.milliseconds(3))  // long enough for the threads to leave
        }
        #expect(count.read { $0 } == 10_000)
    }
}
