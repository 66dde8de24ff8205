// The comparer itself: it must find every kind of difference, and none where there is none.

@testable import FileDaemon
import Platform
import TestSupport
import Testing

@Suite("Comparing trees") struct TreeComparisonTests {
    /// Two equal trees, then a change on one side. - Returns: what is found, as `path aspect`.
    private func found(_ make: String, then change: String, options: TreeComparison.Options = .init()) throws -> [String] {
        let work = TemporaryDirectory()
        try shell("umask 022; mkdir a; cd a; \(make)", in: work.path)
        try shell("cp -a --sparse=always a b", in: work.path)
        #expect(try TreeComparison.compare(source: work.file("a"), target: work.file("b")).differences.isEmpty)
        try shell("cd b; \(change)", in: work.path)
        // A change within a directory changes its time: not what these tests are about.
        try shell(
            "touch -r a b; for d in a/*/; do [ -d \"$d\" ] && [ -d \"b/${d#a/}\" ] && touch -r \"$d\" \"b/${d#a/}\"; done; true",
            in: work.path)
        return try TreeComparison.compare(source: work.file("a"), target: work.file("b"), options).differences.map {
            "\(printable($0.path)) \($0.aspect.rawValue)"
        }
    }
    private let keep = "touch -r ../a/f f"

    @Test("Equal trees have no differences, odd names and all") func equal() throws {
        let work = TemporaryDirectory()
        try shell("mkdir a", in: work.path)
        try OddTree.build(in: work.file("a"))
        try shell("chmod 700 a/no-entry; rm -r a/socket a/deep*; cp -a --sparse=always a b", in: work.path)
        let report = try TreeComparison.compare(source: work.file("a"), target: work.file("b"))
        #expect(report.differences.map(\.description) == [])
        #expect(report.entries > 30)
        #expect(report.bytes > 20 << 20)
    }

    @Test("missing") func missing() throws { #expect(try found("echo x > f", then: "rm f") == ["f missing"]) }
    @Test("unexpected") func unexpected() throws { #expect(try found("echo x > f", then: "echo y > g") == ["g unexpected"]) }
    @Test("type") func type() throws { #expect(try found("echo x > f", then: "rm f; mkdir f") == ["f type"]) }
    @Test("mode") func mode() throws { #expect(try found("echo x > f", then: "chmod 600 f") == ["f mode"]) }
    @Test("set-user-id bits are part of the mode") func setID() throws {
        #expect(try found("echo x > f", then: "chmod u+s f") == ["f mode"])
    }
    @Test("owner", .enabled(if: Accounts.isRoot)) func owner() throws {
        #expect(try found("echo x > f", then: "chown 4321 f") == ["f owner"])
    }
    @Test("group", .enabled(if: Accounts.isRoot)) func group() throws {
        #expect(try found("echo x > f", then: "chgrp 4321 f") == ["f owner"])
    }
    @Test("the owner of a link", .enabled(if: Accounts.isRoot)) func linkOwner() throws {
        #expect(try found("ln -s x f", then: "chown -h 4321 f") == ["f owner"])
    }
    @Test("mtime, by a nanosecond") func modifyTime() throws {
        #expect(
            try found(
                "echo x > f; touch -d '2020-01-01 00:00:00.000000001 UTC' f", then: "touch -d '2020-01-01 00:00:00.000000002 UTC' f"
            ) == ["f mtime"])
    }
    @Test("mtime of a directory") func directoryTime() throws {
        #expect(try found("mkdir -p d/e", then: "touch -d 2020-01-01 d/e") == ["d/e mtime"])
    }
    @Test("mtime, unless only whole seconds count") func wholeSeconds() throws {
        var options = TreeComparison.Options()
        options.wholeSeconds = true
        #expect(
            try found(
                "echo x > f; touch -d '2020-01-01 00:00:00.1 UTC' f", then: "touch -d '2020-01-01 00:00:00.2 UTC' f",
                options: options) == [])
    }
    @Test("size") func size() throws { #expect(try found("echo x > f", then: "echo yy > f; \(keep)") == ["f size"]) }
    @Test("content") func content() throws { #expect(try found("echo x > f", then: "echo y > f; \(keep)") == ["f content"]) }
    @Test("content, in the last byte of a large file") func lateContent() throws {
        #expect(
            try found(
                "head -c 1000000 /dev/urandom > f; printf a >> f",
                then: "printf b | dd of=f bs=1 seek=1000000 conv=notrunc status=none; \(keep)")
                == ["f content"])
    }
    @Test("link target") func linkTarget() throws {
        #expect(try found("ln -s x f", then: "ln -sfn y f; touch -h -r ../a/f f") == ["f link-target"])
    }
    @Test("hard links that became files") func brokenLinks() throws {
        #expect(try found("echo x > f; ln f g", then: "cp -p g h; mv h g") == ["g hard-links"])
    }
    @Test("files that became hard links") func joinedLinks() throws {
        #expect(try found("echo x > f; cp -p f g", then: "ln -f f g") == ["g hard-links"])
    }
    @Test("names linked to another file than before") func swappedLinks() throws {
        #expect(
            try found("echo x > f; cp -p f g; ln f h; ln g i", then: "ln -f g h; ln -f f i") == ["h hard-links", "i hard-links"])
    }
    @Test("device number", .enabled(if: Accounts.isRoot)) func device() throws {
        #expect(try found("mknod f c 1 3", then: "rm f; mknod f c 1 5; \(keep)") == ["f device-number"])
    }
    @Test("access list") func acl() throws {
        #expect(try found("echo x > f; setfacl -m u:nobody:r f", then: "setfacl -m u:nobody:- f") == ["f acl"])
    }
    @Test("default access list") func defaultACL() throws {
        #expect(try found("mkdir f", then: "setfacl -d -m u:nobody:r f") == ["f acl"])
    }
    @Test("extended attribute: value, missing and new ones") func attributes() throws {
        #expect(try found("echo x > f; setfattr -n user.a -v 1 f", then: "setfattr -n user.a -v 2 f") == ["f xattr"])
        #expect(try found("echo x > f; setfattr -n user.a -v 1 f", then: "setfattr -x user.a f") == ["f xattr"])
        #expect(try found("echo x > f", then: "setfattr -n user.a -v 1 f") == ["f xattr"])
    }
    @Test("sparseness") func sparseness() throws {
        #expect(try found("truncate -s 4M f", then: "cp --sparse=never f g; mv g f; \(keep)") == ["f sparseness"])
    }
    @Test("access times don't count") func accessTime() throws {
        #expect(try found("echo x > f", then: "touch -a -d 2020-01-01 f") == [])
    }
    @Test("The roots themselves are compared") func roots() throws { #expect(try found("true", then: "chmod 700 .") == [" mode"]) }

    @Test("Named paths and aspects can be left out") func ignored() throws {
        var options = TreeComparison.Options()
        options.ignoredPaths = [Array("d".utf8)]
        options.ignoredAspects = [.mode]
        #expect(try found("mkdir d; echo x > d/f; echo x > g", then: "echo y > d/new; chmod 600 g", options: options) == [])
    }

    @Test("A root that isn't there is an error") func noRoot() {
        #expect(throws: SystemError.self) { try TreeComparison.compare(source: "/no/such/tree", target: "/") }
    }
}
