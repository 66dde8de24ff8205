// The wall clock, and the forms in which times are shown and stored.

import Glibc

/// A point in time: nanoseconds since 1970-01-01 00:00 UTC. For intervals use `ContinuousClock`.
package struct WallTime: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    package init(seconds: Int64) { self.nanoseconds = seconds &* 1_000_000_000 }

    package static var now: WallTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// Whole seconds since 1970, rounded down.
    package var seconds: Int64 { nanoseconds >= 0 ? nanoseconds / 1_000_000_000 : (nanoseconds - 999_999_999) / 1_000_000_000 }
    /// Microseconds since 1970, rounded towards zero.
    package var microseconds: Int64 { nanoseconds / 1000 }

    package static func < (a: WallTime, b: WallTime) -> Bool { a.nanoseconds < b.nanoseconds }

    /// `2026-11-21T01:02:03Z`.
    package var utcText: String { formatted("%Y-%m-%dT%H:%M:%SZ", local: false) }
    /// `2026-11-21 01:02:03` in the local time zone: the catalog's and listings' form.
    package var localText: String { formatted("%Y-%m-%d %H:%M:%S", local: true) }

    /// strftime(3) in UTC or the local time zone. English month names: the daemons never call setlocale(3).
    package func formatted(_ format: String, local: Bool) -> String {
        var seconds = time_t(self.seconds)
        var parts = unsafe tm()
        if local { unsafe localtime_r(&seconds, &parts) } else { unsafe gmtime_r(&seconds, &parts) }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            let count = unsafe strftime(buffer.baseAddress!, buffer.count, format, &parts)
            return unsafe String(decoding: UnsafeRawBufferPointer(start: buffer.baseAddress, count: count), as: UTF8.self)
        }
    }

    /// Reads `2026-11-21 01:02:03` (or with `T`, or the date alone) as local time; nil when it is not such a text.
    package init?(localText text: String) {
        let fields = text.split(whereSeparator: { !$0.isNumber }).compactMap { Int32($0) }
        guard fields.count == 3 || fields.count == 5 || fields.count == 6, fields[0] >= 1000 else { return nil }
        guard (1...12).contains(fields[1]), (1...31).contains(fields[2]) else { return nil }
        var parts = unsafe tm()
        unsafe parts.tm_year = fields[0] - 1900
        unsafe parts.tm_mon = fields[1] - 1
        unsafe parts.tm_mday = fields[2]
        if fields.count >= 5 { unsafe parts.tm_hour = fields[3]; unsafe parts.tm_min = fields[4] }
        if fields.count == 6 { unsafe parts.tm_sec = fields[5] }
        guard unsafe parts.tm_hour < 24, unsafe parts.tm_min < 60, unsafe parts.tm_sec < 61 else { return nil }
        unsafe parts.tm_isdst = -1  // let the C library find out whether summer time was in force
        let seconds = unsafe mktime(&parts)
        guard seconds != -1 else { return nil }
        self.init(seconds: Int64(seconds))
    }
}
