// The commands that start a job at a storage daemon (bacula-wire 4.1 to 4.3).

import Configuration
import Platform
import Wire

/// What the storage daemon must know of a job.
struct StorageJob: Sendable {
    var jobID: JobID
    var uniqueName: String
    var jobName: String
    var client: String
    var type: JobType
    var level: JobLevel
    var fileSet: String
    var fileSetDigest: String
    var spoolsAttributes = true
    var spoolsData = false
    var spoolBytesMax: Int64 = 0
    var writesPart = true
    var prefersMountedVolumes = true

    var command: String {
        func flag(_ value: Bool) -> Int { value ? 1 : 0 }
        return
            "JobId=\(jobID) job=\(Bashed.encode(uniqueName)) job_name=\(Bashed.encode(jobName)) client_name=\(Bashed.encode(client))"
            + " type=\(type.wireNumber) level=\(level.wireNumber) FileSet=\(Bashed.encode(fileSet)) NoAttr=0"
            + " SpoolAttr=\(flag(spoolsAttributes)) FileSetMD5=\(Bashed.encode(fileSetDigest)) SpoolData=\(flag(spoolsData))"
            + " WritePartAfterJob=\(flag(writesPart)) PreferMountedVols=\(flag(prefersMountedVolumes)) SpoolSize=\(spoolBytesMax)"
            + " rerunning=0 VolSessionId=0 VolSessionTime=0 sd_client=0 Authorization=dummy\n"
    }
}

extension StorageLink {
    func start(_ job: StorageJob) throws(DirectorError) -> StorageSession {
        try send(job.command)
        let answer = try answer(to: job.command, expecting: "3000 OK Job")
        guard let session = StorageSession(answer) else {
            throw DirectorError(.daemonConfused, "\(name) opened the session with an unreadable line.")
        }
        return session
    }

    /// Reserves a device of the Storage resource. Waits as long as the daemon looks for one.
    /// - Returns: The device taken.
    func reserve(_ storage: Resource, pool: String, poolType: String, forAppend: Bool) throws(DirectorError) -> String {
        let use =
            "use storage=\(Bashed.encode(storage.name)) media_type=\(Bashed.encode(storage.text("MediaType") ?? ""))"
            + " pool_name=\(Bashed.encode(pool)) pool_type=\(Bashed.encode(poolType)) append=\(forAppend ? 1 : 0) copy=0 stripe=0\n"
        try send(use)
        for device in storage.texts("Device") { try send("use device=\(Bashed.encode(device))\n") }
        try send(.endOfData)
        try send(.endOfData)
        let answer = try answer(to: use, expecting: "3000 OK use device", limit: nil)
        return LineFields(answer).text("device") ?? ""
    }

    func sendBootstrap(_ text: String) throws(DirectorError) {
        try send("bootstrap\n")
        do throws(WireError) {
            for line in text.split(separator: "\n") { try channel.send(line + "\n") }
        } catch { throw failure ?? DirectorError(error, daemon: name) }
        try send(.endOfData)
        _ = try answer(to: "bootstrap", expecting: "3000 OK bootstrap")
    }

    /// Tells the daemon to begin; from here on it waits for the client.
    func run() throws(DirectorError) {
        noteRunning()
        try send("run")
    }
}
