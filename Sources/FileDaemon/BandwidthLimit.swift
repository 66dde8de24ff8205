// Keeping a job below the bandwidth it was given (`setbandwidth=`).

import Platform
import Synchronization

/// A limit that may change while the job runs; 0 is none.
final class BandwidthLimit: Sendable {
    private let bytesPerSecond = Atomic<Int64>(0)
    private struct Account {
        var start = ContinuousClock.now
        var sent: Int64 = 0
        var rate: Int64 = 0
    }
    private let account = Mutex(Account())

    func set(_ limit: Int64) { bytesPerSecond.store(max(0, limit), ordering: .relaxed) }
    var current: Int64 { bytesPerSecond.load(ordering: .relaxed) }

    /// Accounts `count` bytes and sleeps as long as they are ahead of the limit; `shouldStop` ends the sleep.
    func pace(_ count: Int, shouldStop: () -> Bool) {
        let rate = current
        guard rate > 0 else { return }
        let behind = account.withLock { account -> Duration in
            let now = ContinuousClock.now
            // A new rate, or a second without traffic, begins a new account: no burst makes up for a pause.
            if account.rate != rate
                || account.start.duration(to: now) > .seconds(1) + .nanoseconds(Self.nanoseconds(account.sent, rate))
            {
                account = Account(start: now, sent: 0, rate: rate)
            }
            account.sent += Int64(count)
            return .nanoseconds(Self.nanoseconds(account.sent, rate)) - account.start.duration(to: now)
        }
        var rest = behind
        while rest > .milliseconds(1), !shouldStop(), current == rate {
            let step = min(rest, .milliseconds(200))
            pause(for: step)
            rest -= step
        }
    }

    private static func nanoseconds(_ bytes: Int64, _ rate: Int64) -> Int64 { Int64(Double(bytes) / Double(rate) * 1e9) }
}
