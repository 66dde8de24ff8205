// Which job may use which drive: a pure decision over the state of all drives, so that its test is a table.
//
// Writers share a drive when they write to the same pool, up to the drive's Maximum Concurrent Jobs. On a tape a reader
// wants the drive for itself; volumes on disk are read through handles of their own, beside the writers. A request that
// has waited longer goes first wherever it could use the same drive, so nobody starves.

/// A job's wish, from the `use storage` command.
struct ReservationRequest: Sendable {
    var job: UInt32
    var isAppend: Bool
    var pool: String
    var mediaType: String
    /// Indexes of the drives that the director named, autochangers expanded.
    var candidates: [Int]
    /// The volume that the catalog would use next.
    var wantedVolume: String?
    /// False: rather another drive than one that is writing already (`PreferMountedVols=0`).
    var prefersMountedVolumes = true
}

/// A drive as the decision sees it.
struct DriveUse: Sendable {
    var mediaType = ""
    var isEnabled = true
    var isReadOnly = false
    /// The operator unmounted it: nobody gets it until it is mounted again.
    var isUnmounted = false
    /// Volumes are files: any number can be read at once.
    var isDisk = true
    var jobsMax = Int.max
    /// Jobs that write or have reserved to write.
    var writers: [UInt32] = []
    /// The pool of the writers, or of the volume that lies in the drive.
    var pool: String?
    var readers: [UInt32] = []
    /// A label, truncate or mount command is at work.
    var inCommand = false
    /// The volume in the drive (or that was used last, on disk).
    var volume: String?
    /// The volume in the drive takes another job: it is appendable and its Maximum Volume Jobs is not reached.
    var volumeTakesAnotherJob = true
    /// The writers wait for an operator: a command may use the drive.
    var waitsForOperator = false
}

enum ReservationDecision: Hashable, Sendable {
    case drive(Int)
    /// Every drive that would do is busy.
    case wait
    /// Waiting won't help: no drive of the candidates can ever serve the request.
    case never(String)
}

/// Decides a request. `earlier` are the requests that have waited longer, in order.
func decide(_ request: ReservationRequest, drives: [DriveUse], earlier: [ReservationRequest]) -> ReservationDecision {
    let fitting = request.candidates.filter { index in
        let drive = drives[index]
        return drive.mediaType == request.mediaType && !(request.isAppend && drive.isReadOnly)
    }
    guard !fitting.isEmpty else {
        return .never("no device of media type \(request.mediaType) among those named can \(request.isAppend ? "write" : "read")")
    }
    let usable = fitting.filter { drives[$0].isEnabled }
    guard !usable.isEmpty else { return .never("the device is disabled") }

    let free = usable.filter { index in
        let drive = drives[index]
        if drive.inCommand || drive.isUnmounted { return false }
        let overtakes = earlier.contains { waiting in
            waiting.candidates.contains(index) && !(drive.isDisk && waiting.isAppend != request.isAppend)
        }
        if overtakes { return false }
        if !request.isAppend { return drive.isDisk || (drive.writers.isEmpty && drive.readers.isEmpty) }
        if !drive.isDisk, !drive.readers.isEmpty { return false }
        if drive.writers.isEmpty { return true }
        return drive.writers.count < drive.jobsMax && drive.pool == request.pool && drive.volumeTakesAnotherJob
    }
    guard !free.isEmpty else { return .wait }

    /// Smaller is better.
    func rank(_ index: Int) -> Int {
        let drive = drives[index]
        let isMine = request.wantedVolume != nil && drive.volume == request.wantedVolume
        if !request.isAppend { return (isMine ? 0 : 10) + min(drive.readers.count, 9) }
        let isShared = !drive.writers.isEmpty
        if isShared, !request.prefersMountedVolumes { return 50 + drive.writers.count }
        if isMine { return 0 }
        if isShared { return 10 + min(drive.writers.count, 9) }
        if drive.pool == request.pool, drive.volume != nil { return 5 }
        return drive.volume == nil ? 20 : 30
    }
    return .drive(free.min { (rank($0), $0) < (rank($1), $1) }!)
}
