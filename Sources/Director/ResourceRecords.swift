// The configuration's resources as rows of the catalog.

package import Catalog
package import Configuration

extension ClientRecord {
    init(_ client: Resource) {
        self.init(name: client.name)
        autoPrune = client.bool("AutoPrune")
        fileRetention = client.time("FileRetention").components.seconds
        jobRetention = client.time("JobRetention").components.seconds
    }
}

extension PoolRecord {
    package init(_ pool: Resource) {
        self.init(name: pool.name, type: pool.text("PoolType") ?? "Backup")
        labelFormat = pool.text("LabelFormat") ?? ""
        volumesMax = Int64(pool.number("MaximumVolumes"))
        useOnce = pool.bool("UseVolumeOnce")
        autoPrune = pool.bool("AutoPrune")
        recycle = pool.bool("Recycle")
        actionOnPurge = pool.text("ActionOnPurge") == "Truncate" ? 1 : 0
        volumeRetention = pool.time("VolumeRetention").components.seconds
        cacheRetention = pool.time("CacheRetention").components.seconds
        useDuration = pool.time("VolumeUseDuration").components.seconds
        jobsMax = Int64(pool.number("MaximumVolumeJobs"))
        filesMax = Int64(pool.number("MaximumVolumeFiles"))
        bytesMax = pool.size("MaximumVolumeBytes")
        scratchPool = pool.text("ScratchPool")
        recyclePool = pool.text("RecyclePool")
        nextPool = pool.text("NextPool")
        migrationTime = pool.time("MigrationTime").components.seconds
        migrationHighBytes = pool.size("MigrationHighBytes")
        migrationLowBytes = pool.size("MigrationLowBytes")
        recycleOldestVolume = pool.bool("RecycleOldestVolume")
        recycleCurrentVolume = pool.bool("RecycleCurrentVolume")
        purgeOldestVolume = pool.bool("PurgeOldestVolume")
    }
}
