// Turning the records of a backup back into files.
//
// One restorer takes the records of a job in the order of the volume, from a storage daemon's read session or straight from
// a volume, and writes the files beneath one directory. It needs no network and no configuration.

/// What to do about a file that exists already; the raw value is the letter of `replace=` (bacula-wire 3.11).
package enum ReplacePolicy: Character, Sendable, CaseIterable {
    case always = "a"
    /// Only when the saved file is newer than the one there.
    case ifNewer = "w"
    /// Only when the saved file is older than the one there.
    case ifOlder = "o"
    case never = "n"
}

/// Where and how a restore writes.
package struct RestoreOptions: Sendable {
    /// Directory the restored tree is put under, as bytes; created when missing. Empty or `/`: every file goes to its old place.
    package var root: [UInt8] = []
    package var replace = ReplacePolicy.always
    /// Put `root` before the targets of absolute symbolic links too (`Prefix Links`).
    package var prefixesLinks = false
    /// Path rewriting before `root` is put in front: `regexwhere`, strip and add prefix and suffix.
    package var relocation: PathRelocation?
    /// Threads that write and check; 1 restores in the calling thread alone.
    package var workers = 1
    package init() {}
}

/// What a restore did.
package struct RestoreSummary: Sendable, Hashable {
    /// Files, directories, links and nodes that are in place.
    package var files = 0
    /// Bytes of contents written.
    package var bytes: Int64 = 0
    /// Left alone because `replace` said so.
    package var skipped = 0
    /// Each has been reported as a message of kind error.
    package var errors = 0
    package var warnings = 0
    package init() {}
}

/// Restores files from records.
///
///     let restorer = try FileRestorer(options) { message in print(message.text) }
///     for record in records { restorer.accept(fileIndex: record.fileIndex, stream: record.stream, data: record.data.span) }
///     let summary = restorer.finish()
///
/// Nothing outside `options.root` is touched, whatever names and links the records or the target directory hold: every
/// component of a path is resolved beneath the root without following a symbolic link. A regular file appears under its
/// name only when it is whole; one whose digest doesn't match stays, with an error that names it.
///
/// `accept` and `finish` are for one thread at a time; they block on the disk. `progress` and `cancel` are for any thread.
package final class FileRestorer: Sendable {
    /// - Parameter report: Gets every message: errors, warnings, skipped files. Called from any thread, one call at a time.
    /// - Throws: When the root can't be created or opened.
    package init(_ options: RestoreOptions, report: @escaping @Sendable (JobMessage) -> Void) throws(RestoreError) {
        preconditionFailure("not built yet")
    }

    /// Takes one record. Malformed ones are reported and skipped.
    ///
    /// - Parameters:
    ///   - session: Tells the records of interleaved backup sessions apart: `VolSessionTime << 32 | VolSessionId`, or 0.
    ///   - stream: As on the volume, flag bits included. Label records (negative FileIndex) are skipped.
    ///   - data: A whole record; the parts that a block boundary cut are already joined.
    package func accept(session: UInt64 = 0, fileIndex: Int32, stream: Int32, data: Span<UInt8>) { preconditionFailure("not built yet") }

    /// Completes the last file, then sets what could only be set last: the times and modes of directories.
    package func finish() -> RestoreSummary { preconditionFailure("not built yet") }

    /// Makes `accept` drop everything from now on; unfinished files don't appear.
    package func cancel() { preconditionFailure("not built yet") }

    /// What is in place so far.
    package var progress: RestoreSummary { preconditionFailure("not built yet") }
}
