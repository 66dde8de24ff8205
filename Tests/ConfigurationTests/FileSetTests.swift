// FileSets, as they go to a file daemon; scripts; messages.

import Testing

@testable import Configuration

@Suite("A FileSet")
struct FileSetTests {
    private func definition(_ body: String) throws -> FileSetDefinition {
        FileSetDefinition(try #require(examine("FileSet { Name = f\n\(body)\n}", [.director]).first(.fileSet)))
    }

    @Test("is sent in the packets that a real director sends")
    func richSet() throws {
        let set = try definition(
            """
            Include {
              Options {
                wildfile = "*.skip"
                exclude = yes
              }
              Options {
                signature = SHA1
                compression = GZIP6
                sparse = yes
                aclsupport = yes
                xattrsupport = yes
                accurate = mcs
                verify = pins5
                onefs = yes
                noatime = yes
              }
              File = "/w/source"
            }
            Exclude {
              File = "/w/source/excluded"
            }
            """)
        #expect(set.command == "fileset vss=1\n")
        #expect(
            set.wireLines()
                == [
                    "I\n", "O e\n", "WF *.skip\n", "N\n", "O SZ6sAXCmcs:Vpins5:0K\n", "N\n", "F /w/source", "N\n",
                    "N\n", "E\n",
                    "F /w/source/excluded", "N\n", "N\n",
                ].map { .packet($0) })
    }

    @Test("sends no O without Options, and Exclude Dir Containing first")
    func plain() throws {
        let set = try definition(
            "Include { File = /a; File = /b; ExcludeDirContaining = .nobackup; Plugin = \"p:x\" }\nEnable VSS = no; Enable Snapshot = yes"
        )
        #expect(set.command == "fileset vss=0 snap=1\n")
        #expect(
            set.wireLines() == ["I\n", "Z .nobackup\n", "F /a", "F /b", "N\n", "P p:x\n", "N\n"].map { .packet($0) })
    }

    @Test("sends patterns by kind, and file patterns without a slash as base names where wild cards stop at slashes")
    func patterns() throws {
        let set = try definition(
            "Include { Options { wildfile = *.o; enhancedwild = yes; wildfile = \"/a/*.c\"; wild = w; wilddir = d; regex = r; regexdir = rd; regexfile = rf\n fstype = ext4; drivetype = fixed; base = b }\n File = / }"
        )
        #expect(
            Array(set.wireLines().prefix(12))
                == [
                    "I\n", "O W\n", "R r\n", "RD rd\n", "RF rf\n", "W w\n", "WD d\n", "WB *.o\n", "WF /a/*.c\n",
                    "B b\n", "X ext4\n", "XD fixed\n",
                ].map { .packet($0) })
    }

    @Test("marks programs and lists for the director, and sends the client's own without their backslash")
    func lists() throws {
        let set = try definition(
            "Include { File = \"|sh -c ls\"; File = \"</etc/list\"; File = \"\\\\|uname\"; File = \"\\\\</etc/mine\"; File = \"/x\" }"
        )
        let expected: [FileSetDefinition.WireLine] = [
            .packet("I\n"), .expand(.program("sh -c ls")), .expand(.listFile("/etc/list")), .packet("F |uname"),
            .packet("F </etc/mine"), .packet("F /x"),
            .packet("N\n"), .packet("N\n"),
        ]
        #expect(set.wireLines() == expected)
        let expanded = set.wireLines(expanding: { $0 == .program("sh -c ls") ? ["/1", "/2"] : ["/3"] })
        #expect(expanded == ["I\n", "F /1\n", "F /2\n", "F /3\n", "F |uname", "F </etc/mine", "F /x", "N\n", "N\n"])
    }

    @Test(
        "names compression by letters",
        arguments: [
            ("GZIP", "Z6"), ("gzip1", "Z1"), ("GZIP9", "Z9"), ("LZO", "Zo"), ("ZSTD", "Zs"), ("ZSTD1", "Zr"),
            ("zstd3", "Zs"), ("ZSTD10", "Zu"),
            ("ZSTD19", "Zt"), ("no", ""),
        ])
    func compression(word: String, letters: String) throws {
        let set = try definition("Include { Options { Signature = MD5; Compression = \(word) }\n File = /a }")
        #expect(set.wireLines()[1] == .packet("O M\(letters)\n"))
        #expect(set.wireLines(allowCompression: false)[1] == .packet("O M\n"))
    }

    @Test(
        "names every option by its letter",
        arguments: [
            ("onefs = no", "f"), ("recurse = no", "h"), ("hardlinks = no", "H"), ("portable = yes", "p"),
            ("mtimeonly = yes", "m"), ("keepatime = yes", "k"),
            ("ignorecase = yes", "i"), ("hfsplussupport = yes", "R"), ("checkfilechanges = yes", "c"),
            ("honornodumpflag = yes", "N"),
            ("readfifo = yes", "r"), ("strip path = 2", "P2:"), ("replace = never", "n"), ("replace = ifnewer", "w"),
            ("signature = SHA256", "S2"),
            ("signature = SHA512", "S3"), ("basejob = spug5", "Jspug5:"), ("sparse = no", "0"), ("exclude = no", "0"),
        ])
    func letters(option: String, letter: String) throws {
        let set = try definition("Include { Options { \(option) }\n File = /a }")
        #expect(set.wireLines()[1] == .packet("O \(letter)\n"))
    }

    @Test("has a digest of 22 characters that changes with names and options, and with nothing else")
    func digest() throws {
        let a = try definition("Include { Options { Signature = MD5 }\n File = /a }")
        let same = try definition(
            "Include {\n\n File = \"/a\" ; Options { signature = \"md5\" } }\nDescription = \"other\"")
        let otherName = try definition("Include { Options { Signature = MD5 }\n File = /b }")
        let otherOption = try definition("Include { Options { Signature = SHA1 }\n File = /a }")
        #expect(a.md5.utf8.count == 22)
        #expect(a.md5 == same.md5)
        #expect(Set([a.md5, otherName.md5, otherOption.md5]).count == 3)
    }

    @Test("that makes no sense is refused")
    func mistakes() {
        func errors(_ body: String) -> String {
            examine("FileSet { Name = f\n\(body)\n}", [.director]).errors.joined(separator: "\n")
        }
        #expect(
            errors("Include { Options { Compression = GZIP10 }\n File = / }").contains(
                "`Compression` doesn't know `GZIP10`"))
        #expect(errors("Include { Options { Accurate = xyz }\n File = / }").contains("doesn't know the letter `x`"))
        #expect(errors("Include = { File = / }").contains("no `=` before its `{`"))
        #expect(errors("Include = /a").contains("needs a block"))
        #expect(errors("Include { File { } }").contains("takes a value, not a block"))
    }
}

@Suite("Scripts of a job")
struct RunScriptTests {
    @Test("come from short forms and blocks alike")
    func reading() throws {
        let job = try #require(
            examine(
                """
                Job { Name = j
                  ClientRunBeforeJob = "/bin/echo before %n"
                  RunAfterJob = "/bin/echo after"
                  RunAfterFailedJob = "/bin/echo failed"
                  ConsoleRunAfterJob = "messages"
                  RunScript {
                    RunsWhen = After
                    RunsOnFailure = yes
                    RunsOnSuccess = no
                    RunsOnClient = no
                    AbortJobOnError = no
                    Time Out = 5 min
                    Command = "/bin/echo one"
                    Console = "status dir"
                  }
                  Run Script { RunsWhen = AfterVSS; Target = "%c"; Command = "/bin/echo two" }
                }
                """, [.director]
            ).first(.job))
        let scripts = RunScriptDefinition.all(of: job)
        #expect(
            scripts.map { $0.commands[0].text } == [
                "/bin/echo before %n", "/bin/echo after", "/bin/echo failed", "messages", "/bin/echo one",
                "/bin/echo two",
            ])
        #expect(scripts.map(\.when) == [.before, .after, .after, .after, .after, .afterSnapshot])
        #expect(scripts.map(\.runsOnClient) == [true, false, false, false, false, true])
        #expect(scripts.map(\.failJobOnError) == [true, false, false, false, false, true])
        #expect(scripts.map(\.onSuccess) == [true, true, false, true, false, true])
        #expect(scripts.map(\.onFailure) == [false, false, true, false, true, false])
        #expect(scripts[0].shortForm == "ClientRunBeforeJob" && scripts[1].shortForm == nil)
        #expect(scripts[4].commands == [.program("/bin/echo one"), .console("status dir")])
        #expect(scripts[4].timeOut == .seconds(300) && scripts[5].timeOut == .zero)
        #expect(RunScriptDefinition.When.always.rawValue == 3)
    }
}

@Suite("Messages")
struct MessagesTests {
    @Test("go to the destinations that take their type")
    func routing() throws {
        let found = examine(
            """
            Messages { Name = Standard
              mailcommand = "/usr/sbin/bsmtp -f \\"\\(Bacula\\) %r\\" %r"
              mail = root, admin@example.org = all, !skipped
              operator = root = mount
              console = all, !skipped, !saved
              append = "/var/log/b.log" = all, debug, !info
              catalog = error, Fatal
              director = d-dir = all, !all, alert
            }
            FileDaemon { Name = f; WorkingDirectory = /w }
            Director { Name = d-dir; Password = p }
            """, [.fileDaemon])
        #expect(found.diagnostics == [])
        let messages = MessagesDefinition(try #require(found.first(.messages)))
        #expect(messages.mailCommand == "/usr/sbin/bsmtp -f \"(Bacula) %r\" %r")
        #expect(messages.destinations(for: .mount).map(\.kind) == [.console, .append, .mail, .operator])
        #expect(messages.destinations(for: .skipped).map(\.kind) == [.append])
        #expect(messages.destinations(for: .debug).map(\.kind) == [.append])
        #expect(messages.destinations(for: .info).map(\.kind) == [.console, .mail])
        #expect(messages.destinations(forNumber: 3).map(\.kind) == [.console, .catalog, .append, .mail])
        #expect(
            messages.destinations(forNumber: 15).last
                == MessageDestination(kind: .director, targets: ["d-dir"], types: [.alert]))
        #expect(messages.destinations(forNumber: 99).isEmpty)
        #expect(messages.destinations.first { $0.kind == .mail }?.targets == ["root", "admin@example.org"])
        #expect(MessageType.all.count == 14)
    }
}
