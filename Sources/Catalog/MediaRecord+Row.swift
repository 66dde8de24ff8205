// Media rows read and written: every column that a volume's record has.

import GRDB

extension MediaRecord {
    static let selection = "SELECT Media.*, Pool.Name AS PoolName FROM Media LEFT JOIN Pool USING (PoolId)"

    init(_ row: Row) {
        self.init(volume: row["VolumeName"], poolID: row["PoolId"], mediaType: row["MediaType"])
        mediaID = row["MediaId"]
        pool = row["PoolName"] ?? ""
        // A status that we don't know (another program's) must not be written on.
        status = VolumeStatus(rawValue: row["VolStatus"]) ?? .disabled
        enabled = row["Enabled"]
        slot = row["Slot"]
        inChanger = row["InChanger"]
        storageID = row["StorageId"]
        labelType = row["LabelType"]
        firstWritten = row.time("FirstWritten")
        lastWritten = row.time("LastWritten")
        labelDate = row.time("LabelDate")
        initialWrite = row.time("InitialWrite")
        jobs = row["VolJobs"]
        files = row["VolFiles"]
        blocks = row["VolBlocks"]
        mounts = row["VolMounts"]
        bytes = row["VolBytes"]
        adataBytes = row["VolABytes"]
        holeBytes = row["VolHoleBytes"]
        holes = row["VolHoles"]
        volumeType = row["VolType"]
        parts = row["VolParts"]
        cloudParts = row["VolCloudParts"]
        lastPartBytes = row["LastPartBytes"]
        errors = row["VolErrors"]
        writes = row["VolWrites"]
        capacityBytes = row["VolCapacityBytes"]
        readTime = row["VolReadTime"]
        writeTime = row["VolWriteTime"]
        endFile = row["EndFile"]
        endBlock = row["EndBlock"]
        recycleCount = row["RecycleCount"]
        recycle = row["Recycle"]
        actionOnPurge = row["ActionOnPurge"]
        retention = row["VolRetention"]
        cacheRetention = row["CacheRetention"]
        useDuration = row["VolUseDuration"]
        jobsMax = row["MaxVolJobs"]
        filesMax = row["MaxVolFiles"]
        bytesMax = row["MaxVolBytes"]
        scratchPoolID = row["ScratchPoolId"]
        recyclePoolID = row["RecyclePoolId"]
        comment = row["Comment"] ?? ""
    }

    /// Column and value of everything that is stored, but the key.
    private var stored: [(String, (any DatabaseValueConvertible)?)] {
        [
            ("VolumeName", volume), ("PoolId", poolID), ("MediaType", mediaType), ("VolStatus", status.rawValue),
            ("Enabled", enabled), ("Slot", slot), ("InChanger", inChanger), ("StorageId", storageID),
            ("LabelType", labelType),
            ("FirstWritten", firstWritten?.localText), ("LastWritten", lastWritten?.localText),
            ("LabelDate", labelDate?.localText), ("InitialWrite", initialWrite?.localText), ("VolJobs", jobs),
            ("VolFiles", files), ("VolBlocks", blocks), ("VolMounts", mounts), ("VolBytes", bytes),
            ("VolABytes", adataBytes),
            ("VolHoleBytes", holeBytes), ("VolHoles", holes), ("VolType", volumeType), ("VolParts", parts),
            ("VolCloudParts", cloudParts), ("LastPartBytes", lastPartBytes), ("VolErrors", errors),
            ("VolWrites", writes),
            ("VolCapacityBytes", capacityBytes), ("VolReadTime", readTime), ("VolWriteTime", writeTime),
            ("EndFile", endFile),
            ("EndBlock", endBlock), ("RecycleCount", recycleCount), ("Recycle", recycle),
            ("ActionOnPurge", actionOnPurge),
            ("VolRetention", retention), ("CacheRetention", cacheRetention), ("VolUseDuration", useDuration),
            ("MaxVolJobs", jobsMax), ("MaxVolFiles", filesMax), ("MaxVolBytes", bytesMax),
            ("ScratchPoolId", scratchPoolID),
            ("RecyclePoolId", recyclePoolID), ("Comment", comment),
        ]
    }

    /// Stores the record as a new row, and the key in it.
    mutating func insert(_ db: Database) throws {
        let mediaTypeID = try CatalogDatabase.mediaTypeID(db, mediaType)
        let stored = stored + [("MediaTypeId", mediaTypeID)]
        try db.execute(
            sql: """
                INSERT INTO Media (\(stored.map(\.0).joined(separator: ", ")))
                VALUES (\(stored.map { _ in "?" }.joined(separator: ", ")))
                """, arguments: StatementArguments(stored.map(\.1)))
        mediaID = db.lastInsertedRowID
        try CatalogDatabase.countVolumes(db)
    }

    /// Stores every column of a row that is there.
    func update(_ db: Database) throws {
        let stored = stored
        try db.execute(
            sql: "UPDATE Media SET \(stored.map { "\($0.0) = ?" }.joined(separator: ", ")) WHERE MediaId = ?",
            arguments: StatementArguments(stored.map(\.1)) + [mediaID])
        guard db.changesCount == 1 else { throw CatalogDatabase.noSuchVolume(volume) }
    }
}

extension JobMediaRecord {
    init(_ row: Row) {
        self.init(
            mediaID: row["MediaId"], firstIndex: row["FirstIndex"], lastIndex: row["LastIndex"],
            startFile: row["StartFile"],
            endFile: row["EndFile"], startBlock: row["StartBlock"], endBlock: row["EndBlock"])
        jobMediaID = row["JobMediaId"]
        jobID = row["JobId"]
        volumeIndex = row["VolIndex"]
        volume = row["VolumeName"]
        mediaType = row["MediaType"]
        slot = row["Slot"]
        inChanger = row["InChanger"]
    }
}
