// The tree of a restore: finding, marking, patterns, hard links, and what it costs.

import Testing
import TestSupport

@testable import Director

@Suite("The restore tree") struct RestoreTreeTests {
    private func tree(
        _ files: [(path: String, name: String, index: Int32)] = [
            ("/etc/", "passwd", 1), ("/etc/ssh/", "sshd_config", 2), ("/etc/ssh/", "", 3), ("/etc/", "", 4),
            ("/home/me/", "a.txt", 5),
            ("/home/me/", "b.txt", 6), ("/home/me/", "c [1].txt", 7),
        ]
    ) -> RestoreTree {
        var tree = RestoreTree(jobIDs: [10])
        for file in files {
            tree.insert(
                path: Array(file.path.utf8), name: Array(file.name.utf8), jobID: 10, fileIndex: file.index,
                mode: file.name.isEmpty ? 0o040755 : 0o100644,
                size: 100)
        }
        tree.finish()
        return tree
    }

    private func names(_ tree: RestoreTree, _ nodes: [RestoreTree.Node]) -> [String] { nodes.map { tree.pathText($0) } }

    @Test("holds every saved entry once, and directories that only stand on a path beside them")
    func building() {
        let tree = tree()
        #expect(tree.entryCount == 7)
        #expect(tree.fileCount == 5)
        #expect(names(tree, tree.children(RestoreTree.root)) == ["/etc/", "/home/"])
        #expect(tree.node(at: Array("/home".utf8), from: 0).map { tree.isSaved($0) } == false)
        #expect(tree.node(at: Array("/etc".utf8), from: 0).map { tree.isSaved($0) } == true)
    }

    @Test("finds absolute and relative paths, with dots")
    func paths() throws {
        let tree = tree()
        let etc = try #require(tree.node(at: Array("/etc".utf8), from: 0))
        #expect(tree.node(at: Array("ssh/../passwd".utf8), from: etc).map { tree.pathText($0) } == "/etc/passwd")
        #expect(tree.node(at: Array("../home/./me".utf8), from: etc).map { tree.pathText($0) } == "/home/me/")
        #expect(tree.node(at: Array("/../..".utf8), from: etc) == RestoreTree.root)
        #expect(tree.node(at: Array("passwd/x".utf8), from: etc) == nil)
    }

    @Test("matches wildcards part by part, never across a slash")
    func patterns() {
        let tree = tree()
        #expect(
            names(tree, tree.match(Array("/home/me/*.txt".utf8), from: 0)) == [
                "/home/me/a.txt", "/home/me/b.txt", "/home/me/c [1].txt",
            ])
        #expect(names(tree, tree.match(Array("*/me/[ab].txt".utf8), from: 0)) == ["/home/me/a.txt", "/home/me/b.txt"])
        #expect(names(tree, tree.match(Array("*.txt".utf8), from: 0)).isEmpty)
        #expect(names(tree, tree.match(Array(#"/home/me/c \[1\].txt"#.utf8), from: 0)) == ["/home/me/c [1].txt"])
        #expect(names(tree, tree.match(Array("e?c".utf8), from: 0)) == ["/etc/"])
    }

    @Test("marks a directory with everything below, or alone", arguments: [true, false])
    func marking(recursive: Bool) throws {
        var tree = tree()
        let etc = try #require(tree.node(at: Array("/etc".utf8), from: 0))
        #expect(tree.setMarked(true, etc, recursive: recursive) == (recursive ? 4 : 1))
        #expect(tree.selection.entries == (recursive ? 4 : 1))
        #expect(tree.selected == [10: recursive ? [1, 2, 3, 4] : [4]])
        #expect(tree.setMarked(true, etc, recursive: recursive) == 0, "marking again changes nothing")
        tree.setMarked(false, RestoreTree.root)
        #expect(tree.selected.isEmpty)
    }

    @Test("brings along the file that a marked hard link repeats")
    func hardLinks() throws {
        var tree = RestoreTree(jobIDs: [3, 9])
        for job in [3, 9] as [Int64] {
            let directory = Array("/\(job)/".utf8)
            tree.insert(
                path: directory, name: Array("first".utf8), jobID: job, fileIndex: 1, mode: 0o100644, size: 1000)
            tree.insert(
                path: directory, name: Array("again".utf8), jobID: job, fileIndex: 2, mode: 0o100644, size: 1000,
                linkFileIndex: 1)
        }
        tree.finish()
        let again = try #require(tree.node(at: Array("/9/again".utf8), from: 0))
        #expect(tree.setMarked(true, again) == 1, "the operator marked one file")
        #expect(tree.selected == [9: [1, 2]])
        #expect(tree.selection.bytes == 1000, "the content is there once")
    }

    @Test("keeps drive letters, spaces, newlines and bytes that are no UTF-8")
    func strangeNames() throws {
        var tree = RestoreTree(jobIDs: [1])
        tree.insert(
            path: Array("C:/Users/".utf8), name: Array("x".utf8), jobID: 1, fileIndex: 1, mode: 0o100644, size: 1)
        tree.insert(path: [0x2F, 0xFF, 0x0A, 0x2F], name: [0x80], jobID: 1, fileIndex: 2, mode: 0o100644, size: 1)
        tree.finish()
        #expect(tree.node(at: Array("C:/Users/x".utf8), from: 0).map { tree.pathText($0) } == "C:/Users/x")
        let odd = try #require(tree.node(at: [0x2F, 0xFF, 0x0A, 0x2F, 0x80], from: 0))
        #expect(tree.path(odd) == [0x2F, 0xFF, 0x0A, 0x2F, 0x80])
    }

    @Test("is walked without recursion, however deep")
    func depth() {
        var tree = RestoreTree(jobIDs: [1])
        let deep = "/" + String(repeating: "d/", count: 2000)
        tree.insert(path: Array(deep.utf8), name: Array("leaf".utf8), jobID: 1, fileIndex: 1, mode: 0o100644, size: 7)
        tree.finish()
        #expect(tree.setMarked(true, RestoreTree.root) == 1)
        #expect(tree.hasMarkedBelow(RestoreTree.root))
        #expect(tree.path(RestoreTree.Node(tree.nodeCount - 1)).count == deep.utf8.count + 4)
    }

    @Test("costs at most 100 bytes a file with its name, so that a million fit in 100 MB")
    func memory() {
        var tree = RestoreTree(jobIDs: [1])
        let count = 200_000
        for index in 0..<count {
            let directory = "/srv/data/project-\(index / 50)/"
            tree.insert(
                path: Array(directory.utf8), name: Array("document-\(index).text".utf8), jobID: 1,
                fileIndex: Int32(index + 1), mode: 0o100644, size: 4096)
        }
        tree.finish()
        #expect(tree.fileCount == count)
        // Arrays grow by doubling: what counts is below what twice the need would be.
        #expect(tree.memoryBytes / count <= 100, "\(tree.memoryBytes / count) bytes a file")
    }

    @Test(
        "Globs match as the shell's do",
        arguments: [
            ("*", "anything", true), ("a*c", "abbbc", true), ("a*c", "abbbd", false), ("?", "", false),
            ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false),
            ("[]]", "]", true), ("[", "[", true), ("*.tar.*", "x.tar.gz", true), (#"\*"#, "*", true),
            (#"\*"#, "x", false), ("", "", true), ("**", "", true),
        ])
    func globs(pattern: String, name: String, matches: Bool) {
        #expect(Glob(Array(pattern.utf8)).matches(Array(name.utf8)[...]) == matches)
    }

    @Test("Globs of any bytes neither trap nor take for ever")
    func globFuzz() {
        var generator = SeededGenerator(seed: 77)
        let alphabet = Array("ab*?[]!-\\".utf8)
        for _ in 0..<20_000 {
            let pattern = (0..<Int.random(in: 0..<12, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator)!
            }
            let name = (0..<Int.random(in: 0..<12, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator)!
            }
            _ = Glob(pattern).matches(name[...])
        }
        let evil = Array(String(repeating: "a*", count: 30).utf8) + [UInt8(ascii: "b")]
        #expect(!Glob(evil).matches([UInt8](repeating: UInt8(ascii: "a"), count: 2000)[...]))
    }
}
