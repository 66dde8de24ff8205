import Testing
import TestSupport

@testable import Volumes

@Suite("Bootstraps")
struct BootstrapTests {
    static let example = """
        Storage="LabFile"
        Volume="Lab-0001"
        MediaType="File"
        Device="FileStor"
        VolSessionId=5
        VolSessionTime=1795219236
        VolAddr=1652190-3013018
        FileIndex=1-15
        Count=15

        """

    @Test("What a director sends for a restore is read, and printed as it came")
    func golden() throws {
        let bootstrap = try Bootstrap(parsing: Self.example)
        let unit = try #require(bootstrap.units.first)
        #expect(bootstrap.units.count == 1)
        #expect(unit.volumes == ["Lab-0001"] && unit.storage == "LabFile" && unit.mediaType == "File" && unit.device == "FileStor")
        #expect(unit.sessionIDs == [5...5] && unit.sessionTimes == [1_795_219_236...1_795_219_236])
        #expect(unit.addresses == [1_652_190...3_013_018])
        #expect(unit.fileIndexes == [1...15] && unit.count == 15)
        #expect(bootstrap.text == Self.example)
    }

    @Test("Keywords of any case, blanks, comments, lists, repeated lines and quotes are read")
    func liberties() throws {
        let bootstrap = try Bootstrap(
            parsing: """
                # 21-Nov-2026 01:02:03 - Nightly.2026 - Full
                volume = "A|B"   ;
                  Media Type = "with \\"quotes\\" and \\\\"
                VOLSESSIONID = 1, 3-5,7 # some
                volsessiontime=9
                VolFile=0-2
                VolBlock=5-10
                FileIndex=1
                FileIndex = 3 - 4
                Job = a, b
                Client=c
                JobId=1-9
                JobType=B
                JobLevel=F,I
                Stream=1,2
                FileRegex="^/etc/.*"
                Include
                Slot=3
                Volume=C
                """)
        #expect(bootstrap.volumes == ["A", "B", "C"])
        let unit = bootstrap.units[0]
        #expect(unit.mediaType == "with \"quotes\" and \\")
        #expect(unit.sessionIDs == [1...1, 3...5, 7...7])
        #expect(unit.fileIndexes == [1...1, 3...4])
        #expect(unit.jobs == ["a", "b"] && unit.clients == ["c"] && unit.jobIDs == [1...9])
        #expect(unit.jobTypes == [66] && unit.jobLevels == [70, 73] && unit.streams == [1, 2] && unit.slot == 3)
        #expect(unit.fileRegex == "^/etc/.*")
        #expect(try Bootstrap(parsing: bootstrap.text) == bootstrap)
        #expect(unit.wantedAddresses == [5...0x2_FFFF_FFFF])
    }

    @Test(
        "An error names its line and what was expected",
        arguments: [
            ("FileIndex=1", 1, "before any Volume"),
            ("Volume=A\nFileIndex=x", 2, "`x`"),
            ("Volume=A\n\nFileIndex=9-3", 3, "ends before it begins"),
            ("Volume=A\nFileIndx=1", 2, "`FileIndx` is no keyword"),
            ("Volume=\"A", 1, "not closed"),
            ("Volume=A\nVolSessionId=1-2-3", 2, "range"),
            ("Volume=A\nVolSessionId=-1", 2, "range"),
            ("Volume=A\nVolSessionId=99999999999", 2, "range"),
            ("Volume=A\nnonsense", 2, "keyword = value"),
            ("Volume=A\nCount=", 2, "no value"),
            ("Volume=|", 1, "names none"),
            ("Volume=A\nFileRegex=\"a(\"", 2, "no regular expression"),
        ])
    func errors(text: String, line: Int, words: String) {
        #expect { try Bootstrap(parsing: text) } throws: {
            guard let error = $0 as? BootstrapError else { return false }
            return error.line == line && error.description.contains(words)
        }
    }

    func record(_ index: Int32, stream: Int32 = 2, session: SessionIdentity = .init(id: 5, time: 9), at address: UInt64 = 100)
        -> VolumeRecord
    {
        VolumeRecord(
            session: session, fileIndex: index, stream: stream, begin: .init(rawValue: address), end: .init(rawValue: address))
    }

    @Test("A unit with a Count is done once the file behind the last wanted one comes")
    func count() throws {
        var selection = BootstrapSelection(
            units: try Bootstrap(parsing: "Volume=A\nVolSessionId=5\nVolSessionTime=9\nFileIndex=2-3\nCount=2").units)
        let early = [record(1), record(2, stream: 1), record(2), record(3)].map { selection.take($0) }
        #expect(early == [false, true, true, true])
        #expect(!selection.isDone)
        let late = selection.take(record(4))
        #expect(!late)
        #expect(selection.isDone)
        #expect(selection.unsatisfied.isEmpty)
    }

    @Test("Every keyword that is given has to match")
    func filters() throws {
        var selection = BootstrapSelection(
            units: try Bootstrap(parsing: "Volume=A\nVolSessionId=5\nVolAddr=50-150\nStream=1\nJobLevel=F\nClient=web-fd").units)
        let session = SessionIdentity(id: 5, time: 9)
        let early = selection.take(record(1, stream: 1))
        #expect(!early, "the job is not known yet")
        var label = LabelTests.end
        label.end = nil
        selection.see(label: label, kind: .startOfSession, session: session, at: .start)
        let taken = [
            record(1, stream: 1), record(1, stream: 2), record(1, stream: 1, session: .init(id: 6, time: 9)),
            record(1, stream: 1, at: 200),
        ].map { selection.take($0) }
        #expect(taken == [true, false, false, false])
    }

    @Test("Reading goes on at the next wanted range, and ends behind the last")
    func next() throws {
        var selection = BootstrapSelection(
            units: try Bootstrap(parsing: "Volume=A\nVolAddr=500-599\nVolAddr=100-199\nVolume=A\nVolAddr=550-650").units)
        let next = ([0, 150, 200, 620, 651] as [UInt64]).map { selection.next(from: BlockAddress(rawValue: $0))?.rawValue }
        #expect(next == [100, 150, 500, 620, nil])
        #expect(selection.isDone)
    }

    @Test("No text makes the parser trap")
    func fuzz() {
        var generator = SeededGenerator(seed: 0xB007)
        for _ in 0..<8000 {
            let text = String(decoding: generator.mutated(Array(Self.example.utf8)), as: UTF8.self)
            if let bootstrap = try? Bootstrap(parsing: text) {
                for unit in bootstrap.units { _ = unit.wantedAddresses }
                #expect((try? Bootstrap(parsing: bootstrap.text))?.units.count == bootstrap.units.count)
            }
            _ = try? Bootstrap(parsing: String(decoding: generator.bytes(60), as: UTF8.self))
        }
    }
}
