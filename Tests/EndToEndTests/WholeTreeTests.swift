// The main promise on a real system tree: back it up, change it, back it up again, restore each state, compare.

import Glibc
import Platform
import TestSupport
import Testing

/// The tree that is copied, changed and backed up: $APPLIANCE_TEST_TREE, else /usr/share. `APPLIANCE_TEST_TREE=/usr make test` takes all
/// of /usr, over 100,000 files on a build machine and several gigabytes.
private let sourceTree = CurrentProcess.environment("APPLIANCE_TEST_TREE") ?? "/usr/share"

/// One after the other: each of these moves gigabytes.
@Suite(.serialized)
struct WholeTreeTests {
    /// A day's work on a tree, chosen by a seed: edits, renames, deletions, touched times, new files, links, directories.
    private func change(_ tree: String, day: Int) throws {
        try shell(
            """
            cd '\(tree)'
            find . -xdev -type f -links 1 -size -2000k | LC_ALL=C sort | awk 'NR % 400 == \(day * 37 % 400)' >'\(tree).list'
            i=0
            while IFS= read -r path; do
              i=$((i + 1))
              [ -f "$path" ] || continue
              case $((i % 6)) in
              0) printf 'changed on day \(day)\\n' >>"$path" ;;
              1) mv "$path" "$path.renamed\(day)" ;;
              2) rm "$path" ;;
              3) touch -d '2001-02-03 04:05:06.789012345' "$path" ;;
              4) ln "$path" "$path.link\(day)" ;;
              5) chmod 0600 "$path" ;;
              esac
            done <'\(tree).list'
            mkdir -p "day\(day)/deep/er"; echo new >"day\(day)/deep/er/file"; ln -s ../nowhere "day\(day)/deep/dangling"
            truncate -s 3M "day\(day)/sparse"; printf tail >>"day\(day)/sparse"
            directory=$(find . -xdev -mindepth 3 -maxdepth 3 -type d | LC_ALL=C sort | sed -n '\(day * 3)p')
            mv "$directory" "$directory-moved\(day)"
            rm '\(tree).list'
            """)
    }

    @Test("Full, incremental and differential backups of a system tree restore with zero differences, over several volumes")
    func chainOfLevels() throws {
        let home = TemporaryDirectory()
        let tree = home.file("tree")
        try shell(
            "cp -a --reflink=auto '\(sourceTree)' '\(tree)'; setfattr -n user.note -v kept '\(tree)'; setfacl -m u:nobody:rx '\(tree)'"
        )
        var options = Site.Options()
        options.include = """
            Options { signature = MD5
              aclsupport = yes
              xattrsupport = yes
              sparse = yes }
            File = "\(tree)"
            """
        options.pool = "Maximum Volume Bytes = 50 m"
        // Accurate, so that files that were renamed, moved or deleted vanish from later restores.
        options.job = "Accurate = yes"
        let site = try Site(options)
        defer { site.stopAll() }

        func backUp(_ level: String) throws {
            let status = try site.job("run job=Backup level=\(level) yes")
            #expect(status == "T", "\(level): \(site.text("jobs.log").suffix(2000))")
        }
        func restoreAndCompare(_ name: String) throws {
            let restored = try site.restoreAll(to: name)
            let result = try run(applianceProgram, "compare", tree, restored + tree)
            #expect(result.ending == .exited(0), "\(name): \(result.text.prefix(2000)) \(result.errorText)")
            try shell("rm -rf '\(restored)'")
        }

        try backUp("Full")
        let full = site.lastJob
        try restoreAndCompare("after-full")
        try readWithBaculasTools(site, job: full, tree: tree)

        try shell("sleep 1.1")
        try change(tree, day: 1)
        try backUp("Incremental")
        try restoreAndCompare("after-incremental")

        try shell("sleep 1.1")
        try change(tree, day: 2)
        try backUp("Differential")
        try restoreAndCompare("after-differential")

        for daemon in Site.Daemon.allCases {
            let peak = try #require(site.process(daemon)?.peakMemory)
            // The file daemon passes the bound after several restores in one life (262 MiB seen): its memory is to be mended.
            withKnownIssue(isIntermittent: true) {
                #expect(peak < 256 << 20, "\(daemon.rawValue) used \(peak >> 20) MiB")
            } when: {
                daemon == .file
            }
        }
    }

    /// Debian's bls lists, and its bextract restores, the full backup from the volumes alone, changes of volume included.
    private func readWithBaculasTools(_ site: Site, job: Int, tree: String) throws {
        guard try run("/bin/sh", "-c", "command -v /usr/sbin/bextract").succeeded else {
            Issue.record("bextract is not installed (package bacula-sd): run `make test`, which installs it")
            return
        }
        let target = site.directory.file("bextracted")
        try shell("mkdir '\(target)'")
        try site.write(
            "etc/bacula-sd.conf",
            """
            Storage { Name = reader; WorkingDirectory = "\(site.directory.path)/run"; PidDirectory = "\(site.directory.path)/run" }
            Director { Name = nobody; Password = nothing }
            Device { Name = Disk; Media Type = File; Device Type = File; Archive Device = "\(site.volumes)"; Random Access = yes
              Automatic Mount = yes; Removable Media = no; Always Open = no }
            Messages { Name = Standard; stdout = all }
            """)
        let configuration = site.directory.file("etc/bacula-sd.conf")
        let bootstrap = site.directory.file("Backup.bsr")
        let volumes = try run("/bin/sh", "-c", "ls '\(site.volumes)' | sort | paste -sd '|'").text.trimmed
        #expect(volumes.contains("|"), "the backup should span volumes: \(volumes)")
        let listing = try run(["/usr/sbin/bls", "-c", configuration, "-j", "-V", volumes, "Disk"], limit: .seconds(600))
        #expect(listing.succeeded, "bls: \(listing.text.suffix(1000)) \(listing.errorText.suffix(1000))")
        let extraction = try run(
            ["/usr/sbin/bextract", "-c", configuration, "-b", bootstrap, "Disk", target], limit: .seconds(1200))
        #expect(extraction.succeeded, "bextract: \(extraction.text.suffix(1000)) \(extraction.errorText.suffix(1000))")
        // bextract restores whole seconds only; everything else must be equal.
        let result = try run(applianceProgram, "compare", "--whole-seconds", tree, target + tree)
        // ACLs and extended attributes it passes over, whoever wrote the volume; there are some at the root of the tree.
        let differences = result.text.split(separator: "\n").filter { !$0.contains(": acl is ") && !$0.contains(": xattr is ") }
        #expect(differences.isEmpty, "bextract: \(differences.prefix(20)) \(result.errorText)")
        try shell("rm -rf '\(target)'")
    }
}

extension String {
    var trimmed: String {
        var text = self[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        while text.first?.isWhitespace == true { text.removeFirst() }
        return String(text)
    }
}
