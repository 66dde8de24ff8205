// What a running job has done so far, and whether it should stop: read by status, progress and cancel from other threads.

import Platform
import Synchronization

/// Counters of one job.
final class JobProgress: Sendable {
    /// Files saved, restored or compared.
    let files = Atomic<Int64>(0)
    /// Bytes read from files, or written to them.
    let readBytes = Atomic<Int64>(0)
    /// Payload bytes of data streams on the wire.
    let jobBytes = Atomic<Int64>(0)
    let errors = Atomic<Int64>(0)
    let warnings = Atomic<Int64>(0)
    private let stop = Atomic<UInt8>(0)
    /// The path in work, for status.
    let current = Mutex<[UInt8]>([])

    enum Stop: UInt8 { case no = 0, cancelled, stopped, failed }

    /// Why the job is to end early. The first reason stays.
    var stopReason: Stop { Stop(rawValue: stop.load(ordering: .relaxed)) ?? .no }
    var isStopping: Bool { stop.load(ordering: .relaxed) != 0 }
    func requestStop(_ reason: Stop) { _ = stop.compareExchange(expected: 0, desired: reason.rawValue, ordering: .relaxed) }

    func count(_ message: JobMessage) {
        switch message.kind {
        case .error, .notSaved, .fatal: errors.add(1, ordering: .relaxed)
        case .warning: warnings.add(1, ordering: .relaxed)
        default: break
        }
    }
}
