// FileSets: letters, lines, and which options a path is saved with.

@testable import FileDaemon
import Platform
import TestSupport
import Testing

@Suite("FileSets") struct FileSetTests {
    private func parse(_ lines: [String]) -> (FileSet, [String]) {
        var parser = FileSetParser()
        for line in lines { parser.take(Array(line.utf8)) }
        let complaints = parser.complaints
        return (parser.finish(), complaints)
    }

    @Test("The published example of option letters reads as documented") func letters() {
        let values = FileOptions.Values(letters: "SZ6sAXCmcs:Vpins5:0K".utf8)
        #expect(values.digest == .sha1)
        #expect(values.compression == .gzip(level: 6))
        #expect(values.findsHoles && values.savesACLs && values.savesExtendedAttributes && values.keepsAccessTime)
        #expect(values.accurateLetters == "mcs")
        #expect(values.verifyLetters == "pins5")
        #expect(!values.crossesFileSystems)
        #expect(values.unknownLetters.isEmpty)
    }

    @Test(
        "Letters with a second letter",
        arguments: [("M", DigestAlgorithm.md5), ("S", .sha1), ("S1", .sha1), ("S2", .sha256), ("S3M0", .md5), ("S3", .sha512)])
    func digests(letters: String, digest: DigestAlgorithm) {
        #expect(FileOptions.Values(letters: letters.utf8).digest == digest)
    }

    @Test("Letters nobody knows are named") func unknownLetters() {
        #expect(FileOptions.Values(letters: "M?S7".utf8).unknownLetters == "?S7")
        #expect(parse(["I", "O M?", "N"]).1.count == 1)
    }

    @Test("LZO is recorded as asked for and not used") func lzo() {
        let values = FileOptions.Values(letters: "Zo".utf8)
        #expect(values.asksForLZO && values.compression == .none)
    }

    @Test(
        "Size rules",
        arguments: [
            ("100-200", [100, 150, 200], [99, 201]), ("<100", [0, 99], [100]), (">100", [101], [100]),
            ("~1000", [990, 1010], [989, 1011]),
        ])
    func sizes(rule: String, inside: [Int64], outside: [Int64]) throws {
        let rule = try #require(FileOptions.SizeRule(rule))
        #expect(inside.allSatisfy(rule.allows) && !outside.contains(where: rule.allows))
    }

    @Test("The director's lines become includes, blocks, patterns and excludes") func lines() {
        let (fileSet, complaints) = parse([
            "I\n", "Z .nobackup\n", "O e\n", "WF *.skip\n", "N\n", "O M\n", "N\n", "F /lab/source/", "F /b c", "N\n", "N\n", "E\n",
            "F /lab/source/excluded",
            "N\n", "N\n",
        ])
        #expect(complaints.isEmpty)
        #expect(fileSet.includes.count == 1)
        #expect(fileSet.includes[0].blocks.count == 2)
        #expect(fileSet.includes[0].markerNames == [Array(".nobackup".utf8)])
        #expect(fileSet.includes[0].entries == [Array("/lab/source".utf8), Array("/b c".utf8)])
        #expect(fileSet.excludes == [Array("/lab/source/excluded".utf8)])
    }

    private func digest(_ lines: [String], _ path: String, isDirectory: Bool = false) -> DigestAlgorithm?? {
        let fileSet = parse(["I"] + lines).0
        guard let options = fileSet.options(for: Array(path.utf8), isDirectory: isDirectory, in: fileSet.includes[0]) else {
            return nil
        }
        return .some(options.values.digest)
    }

    @Test("The first block with a matching pattern decides") func firstMatchWins() {
        let lines = ["O M", "W *.c", "N", "O e", "W *", "N", "O S2", "N", "F /a"]
        #expect(digest(lines, "/a/x.c") == .some(.md5))
        #expect(digest(lines, "/a/x.h") == DigestAlgorithm??.none)
    }

    @Test("Without a match the last block's options hold") func lastBlock() {
        #expect(digest(["O e", "WF *.o", "N", "O S3", "N", "F /a"], "/a/x.c") == .some(.sha512))
        #expect(digest(["O e", "WF *.o", "N", "O S3", "N", "F /a"], "/a/x.o") == DigestAlgorithm??.none)
    }

    @Test("Patterns for directories and for files apply to their kind only") func scopes() {
        let lines = ["O e", "WD /a/d*", "WF /a/f*", "N", "O M", "N", "F /a"]
        #expect(digest(lines, "/a/dir", isDirectory: true) == DigestAlgorithm??.none)
        #expect(digest(lines, "/a/dir") != DigestAlgorithm??.none)
        #expect(digest(lines, "/a/file") == DigestAlgorithm??.none)
        #expect(digest(lines, "/a/file", isDirectory: true) != DigestAlgorithm??.none)
    }

    @Test("Base name patterns look at the last component") func baseNames() {
        let lines = ["O eW", "WB *.o", "N", "O M", "N", "F /a"]
        #expect(digest(lines, "/a/b/x.o") == DigestAlgorithm??.none)
        #expect(digest(lines, "/a/x.o/y") != DigestAlgorithm??.none)
    }

    @Test("A star crosses slashes unless enhanced wild is on") func stars() {
        #expect(digest(["O e", "W /a/*.o", "N", "O M", "N"], "/a/b/c.o") == DigestAlgorithm??.none)
        #expect(digest(["O eW", "W /a/*.o", "N", "O M", "N"], "/a/b/c.o") != DigestAlgorithm??.none)
    }

    @Test("Regular expressions are POSIX extended, and obey ignore case") func regexes() {
        #expect(digest(["O e", "R \\.(o|so)$", "N", "O M", "N"], "/a/c.so") == DigestAlgorithm??.none)
        #expect(digest(["O e", "RF C\\.SO$", "N", "O M", "N"], "/a/c.so") != DigestAlgorithm??.none)
        #expect(digest(["O ei", "RF C\\.SO$", "N", "O M", "N"], "/a/c.so") == DigestAlgorithm??.none)
    }

    @Test("A malformed expression is complained about and ignored") func malformed() {
        #expect(parse(["I", "O e", "R (", "N"]).1.count == 1)
    }

    @Test("Exclude names are shell patterns against the whole path") func excludes() {
        let fileSet = parse(["I", "O M", "N", "F /a", "N", "N", "E", "F /a/x*", "N", "N"]).0
        #expect(fileSet.options(for: Array("/a/xy".utf8), isDirectory: false, in: fileSet.includes[0]) == nil)
        #expect(fileSet.options(for: Array("/b/a/xy".utf8), isDirectory: false, in: fileSet.includes[0]) != nil)
    }

    @Test("An exclude block without patterns leaves everything out that reaches it") func excludeAll() {
        #expect(digest(["O M", "WF *.c", "N", "O e", "N"], "/a/x.c") == .some(.md5))
        #expect(digest(["O M", "WF *.c", "N", "O e", "N"], "/a/x.h") == DigestAlgorithm??.none)
    }

    @Test("Lists of names come from commands and files on this machine") func lists() throws {
        let work = TemporaryDirectory()
        try write("/x/one/\n\n/x/two  \n", to: work.file("list"))
        let names = FileListEntry.resolve(
            [Array("|printf '/c/%s\\n' a b".utf8), Array("<\(work.path)/list".utf8), Array("/plain".utf8)], report: { _ in })
        #expect(names.map { String(decoding: $0, as: UTF8.self) } == ["/c/a", "/c/b", "/x/one", "/x/two", "/plain"])
    }

    @Test("A list that can't be had is an error") func missingLists() {
        var errors = 0
        _ = FileListEntry.resolve(
            [Array("|/no/such/program".utf8), Array("</no/such/file".utf8)], report: { if $0.kind == .error { errors += 1 } })
        #expect(errors == 2)
    }

    @Test("Any lines at all leave the parser standing") func fuzz() {
        var random = SeededGenerator(seed: 0xF11E)
        let words = [
            "I", "E", "N", "O ", "W ", "R ", "F ", "Z ", "X ", "MZ6S2Cmcs:", "P9:", "V", "\\|x", "/a*[", "(", ")", "\n", "\0",
            "z<9:", "d1", "\u{fe}",
        ]
        for _ in 0..<3000 {
            var parser = FileSetParser()
            for _ in 0..<random.next(below: 20) {
                var line: [UInt8] = []
                for _ in 0..<random.next(below: 5) {
                    if random.next(below: 4) == 0 {
                        line.append(UInt8(random.next(below: 256)))
                    } else {
                        line += words[random.next(below: words.count)].utf8
                    }
                }
                // The wire's strings end at NUL before they reach a pattern.
                parser.take(line.filter { $0 != 0 })
            }
            let fileSet = parser.finish()
            for include in fileSet.includes { _ = fileSet.options(for: Array("/a/b.c".utf8), isDirectory: false, in: include) }
        }
    }
}

/// Repeatable random numbers (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    mutating func next(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
