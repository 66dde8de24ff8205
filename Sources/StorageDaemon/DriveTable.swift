// All drives, who uses them, who waits for one, and which volumes are in use.

import Platform

/// The reservations of one daemon. Its lock is never held over I/O.
final class DriveTable: Sendable {
    struct State: Sendable {
        var uses: [DriveUse]
        /// Requests that wait, longest first.
        var waiting: [ReservationRequest] = []
        /// Volumes open somewhere: by the drive that writes, and how many jobs read them. A volume in use is neither
        /// recycled nor truncated, and is written by one drive only.
        var writtenVolumes: [String: Int] = [:]
        var readVolumes: [String: Int] = [:]
    }

    let drives: [Drive]
    /// Autochanger names with the indexes of their drives.
    let groups: [String: [Int]]
    let state: Monitor<State>

    init(drives: [Drive], groups: [String: [Int]]) {
        self.drives = drives
        self.groups = groups
        state = Monitor(
            State(
                uses: drives.map { drive in
                    var use = DriveUse()
                    use.mediaType = drive.settings.mediaType
                    use.isEnabled = drive.settings.isEnabled
                    use.isReadOnly = drive.settings.isReadOnly
                    use.isDisk = drive.isDisk
                    use.jobsMax = drive.settings.jobsMax
                    return use
                }))
    }

    /// The drives that a name in the director's Storage resource means.
    func indexes(named name: String) -> [Int] {
        if let group = groups[name] { return group.filter { drives[$0].settings.isAutoSelected } }
        return drives.indices.filter { drives[$0].name == name }
    }

    /// Tries once; a request that must wait is remembered in its place in the queue until `withdraw` or success.
    func reserve(_ request: ReservationRequest) -> ReservationDecision {
        state.withLock { state in
            let place = state.waiting.firstIndex { $0.job == request.job && $0.isAppend == request.isAppend }
            let earlier = Array(state.waiting[..<(place ?? state.waiting.endIndex)])
            let decision = decide(request, drives: state.uses, earlier: earlier)
            switch decision {
            case .drive(let index):
                if let place { state.waiting.remove(at: place) }
                if request.isAppend {
                    if state.uses[index].writers.isEmpty { state.uses[index].volumeTakesAnotherJob = true }
                    state.uses[index].writers.append(request.job)
                    state.uses[index].pool = request.pool
                } else {
                    state.uses[index].readers.append(request.job)
                }
            case .wait:
                if place == nil { state.waiting.append(request) }
            case .never:
                if let place { state.waiting.remove(at: place) }
            }
            return decision
        }
    }

    /// Blocks until something about the drives has changed that might let the request in, or `limit` has passed.
    func waitForChange(_ request: ReservationRequest, atMost limit: Duration, unless stop: () -> Bool) {
        _ = state.wait(atMost: limit) { state -> Bool? in
            if stop() { return true }
            let place = state.waiting.firstIndex { $0.job == request.job && $0.isAppend == request.isAppend } ?? 0
            let decision = decide(request, drives: state.uses, earlier: Array(state.waiting[..<place]))
            return decision == .wait ? nil : true
        }
    }

    func withdraw(_ request: ReservationRequest) {
        state.withLock { $0.waiting.removeAll { $0.job == request.job && $0.isAppend == request.isAppend } }
    }

    /// Gives a drive back. Returns whether nobody writes on it any more.
    func release(_ index: Int, job: UInt32, isAppend: Bool) -> Bool {
        state.withLock { state in
            if isAppend {
                if let at = state.uses[index].writers.firstIndex(of: job) { state.uses[index].writers.remove(at: at) }
                state.uses[index].waitsForOperator = false
            } else if let at = state.uses[index].readers.firstIndex(of: job) {
                state.uses[index].readers.remove(at: at)
            }
            return state.uses[index].writers.isEmpty
        }
    }

    /// Takes a volume for writing by drive `index`; false when another drive writes it, or it is being read and `emptying`.
    func claim(_ volume: String, for index: Int, emptying: Bool = false) -> Bool {
        state.withLock { state in
            if let owner = state.writtenVolumes[volume], owner != index { return false }
            if emptying, state.readVolumes[volume, default: 0] > 0 { return false }
            state.writtenVolumes[volume] = index
            return true
        }
    }

    func unclaim(_ volume: String, for index: Int) {
        state.withLock { state in
            if state.writtenVolumes[volume] == index { state.writtenVolumes[volume] = nil }
        }
    }

    func beginReading(_ volume: String) { state.withLock { $0.readVolumes[volume, default: 0] += 1 } }
    func endReading(_ volume: String) {
        state.withLock { state in
            state.readVolumes[volume, default: 1] -= 1
            if state.readVolumes[volume] == 0 { state.readVolumes[volume] = nil }
        }
    }
    /// Somebody reads or writes the volume.
    func isInUse(_ volume: String) -> Bool {
        state.read { $0.writtenVolumes[volume] != nil || $0.readVolumes[volume, default: 0] > 0 }
    }
}
