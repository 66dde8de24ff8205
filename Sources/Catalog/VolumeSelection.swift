// Which volume a job writes next, and when a volume is used up: decisions on values, no database (bacula-wire 9.5).

import Platform

/// Why an Append volume may not be written any more.
package enum VolumeExpiry: Sendable, Hashable {
    case jobs(max: Int64), files(max: Int64), bytes(max: Int64), useDuration(seconds: Int64), usedOnce

    /// What the volume becomes: Full when its bytes are, else Used.
    package var status: VolumeStatus { if case .bytes = self { .full } else { .used } }
    /// For the job's log.
    package var reason: String {
        switch self {
        case .jobs(let max): "Max Volume jobs=\(max) exceeded"
        case .files(let max): "Max Volume files=\(max) exceeded"
        case .bytes(let max): "Max Volume bytes=\(max) exceeded"
        case .useDuration(let seconds): "Volume use duration of \(seconds) s has passed"
        case .usedOnce: "Use Volume Once: it holds a job"
        }
    }
}
