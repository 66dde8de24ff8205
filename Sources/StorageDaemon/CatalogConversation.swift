// What a job says to its director: status, log lines, and the catalog requests of bacula-wire 4.3 to 4.5.

import Platform
import Wire

/// The director of one job. Every call blocks until the director has taken or answered it.
struct CatalogConversation: Sendable {
    let link: DirectorLink
    let job: StorageJob
    /// Our resource's name, the prefix of log lines.
    let daemonName: String

    // MARK: - One way

    func send(status: UInt8) throws(StorageError) {
        job.setStatus(status)
        try sending { () throws(WireError) in try link.send("Status JobId=\(job.id) JobStatus=\(status)\n") }
    }

    /// A line of the job's log. Failing to say it is not the job's failure: the link's end cancels the job anyway.
    func log(_ kind: MessageKind, _ text: String) {
        let line =
            "Jmsg JobId=\(job.id) type=\(kind.rawValue) level=\(WallTime.now.seconds) \(daemonName) JobId \(job.id): \(text)\n"
        try? link.send(line)
    }

    /// Something is tolerated: the job goes on, its log and its count of errors say so.
    func logTolerated(_ kind: MessageKind = .error, _ text: String) {
        if kind == .error { job.countError() }
        log(kind, text)
    }

    func heartbeat() throws(StorageError) {
        try sending { () throws(WireError) in try link.send(.heartbeat) }
    }

    // MARK: - Requests

    /// The n-th volume, from 1, that the pool offers for appending; nil when there is none.
    func findMedia(_ index: Int, pool: String, mediaType: String, deviceType: Int) throws(StorageError) -> VolumeInfo? {
        let answer = try request([
            "CatReq JobId=\(job.id) FindMedia=\(index) pool_name=\(Bashed.encode(pool)) media_type=\(Bashed.encode(mediaType))"
                + " vol_type=\(deviceType)\n"
        ])
        if let info = VolumeInfo(answer: answer) { return info }
        if answer.hasPrefix("1901") { return nil }
        throw StorageError(.catalogRefused, "The director answered to FindMedia: \(answer).")
    }

    enum VolumeAnswer { case known(VolumeInfo), refused(String) }

    func volumeInfo(_ name: String, forWriting: Bool) throws(StorageError) -> VolumeAnswer {
        let answer = try request([
            "CatReq JobId=\(job.id) GetVolInfo VolName=\(Bashed.encode(name)) write=\(forWriting ? 1 : 0)\n"
        ])
        if let info = VolumeInfo(answer: answer) { return .known(info) }
        return .refused(answer)
    }

    /// Stores what we know of the volume. Returns the director's view: it may have set a limit's status.
    func updateMedia(_ info: VolumeInfo, relabel: Bool = false) throws(StorageError) -> VolumeInfo {
        let answer = try request([info.update(jobID: job.id, relabel: relabel, endTime: WallTime.now.seconds)])
        guard let updated = VolumeInfo(answer: answer) else {
            throw StorageError(
                .catalogRefused, "The director could not update volume \(info.name) in the catalog: \(answer).",
                remedy: "Look at the director's log.")
        }
        return updated
    }

    func createJobMedia(_ ranges: [JobMediaRange]) throws(StorageError) {
        let answer = try request(["CatReq JobId=\(job.id) CreateJobMedia\n"] + ranges.map(\.line), endOfData: true)
        guard answer.hasPrefix("1000 OK") else {
            throw StorageError(
                .catalogRefused, "The director could not record where the job's files lie: \(answer).",
                remedy: "Look at the director's log.")
        }
    }

    private func request(_ packets: [String], endOfData: Bool = false) throws(StorageError) -> String {
        do throws(WireError) { return try link.request(packets, endOfData: endOfData) } catch {
            throw StorageError(director: error)
        }
    }

    private func sending(_ body: () throws(WireError) -> Void) throws(StorageError) {
        do throws(WireError) { try body() } catch { throw StorageError(director: error) }
    }
}
