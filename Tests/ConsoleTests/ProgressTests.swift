// The progress bar, and how texts and numbers are shown.

import Platform
import Testing

@testable import Console

@Suite("The progress bar") struct ProgressTests {
    private func job(_ text: String) throws -> JobProgress { try #require(JobProgress(try JSON(parsing: text))) }

    @Test("shows a share, files, bytes, rate and the time left, and fits its line", arguments: [40, 60, 80, 120, 200])
    func line(columns: Int) throws {
        let job = try job(
            #"{"type":"progress","jobid":12,"name":"Nightly","status":"R","statustext":"is running","files":1234,"bytes":1500000,"errors":0,"rate":250000,"bytesexpected":3000000,"elapsed":6,"eta":6,"ended":false}"#
        )
        let line = ProgressBar.line([job], columns: columns, tick: 0)
        #expect(TextWidth.columns(line) < columns)
        if columns >= 80 {
            #expect(
                line.hasPrefix("job 12 Nightly [") && line.contains("50%")
                    && line.hasSuffix(" 1,234 files  1.50 MB  250 kB/s  ETA 0:06"), "\(line)")
        }
    }

    @Test("of a job that waits says what for")
    func waiting() throws {
        let job = try job(
            #"{"type":"progress","jobid":3,"name":"B","status":"m","statustext":"is waiting for an appendable Volume","reason":"pool \"File\" has none","files":0,"bytes":0,"ended":false}"#
        )
        #expect(
            ProgressBar.line([job], columns: 100, tick: 1)
                == "job 3 B / is waiting for an appendable Volume: pool \"File\" has none")
    }

    @Test("without anything known about the whole shows what is done, and how many other jobs run")
    func unknownTotal() throws {
        let one = try job(
            #"{"type":"progress","jobid":3,"name":"B","status":"R","statustext":"is running","files":5,"bytes":999,"rate":0,"elapsed":61,"eta":null,"ended":false}"#
        )
        let line = ProgressBar.line([one, one], columns: 100, tick: 0)
        #expect(line == "(+1) job 3 B | 5 files  999 B  0 B/s  1:01")
    }

    @Test("writes sizes with three digits and times as clocks do")
    func numbers() {
        #expect(
            [0, 999, 1000, 9994, 9995, 99_950, 999_499, 999_500, 1_357_496, Int64.max].map { ProgressBar.size($0) }
                == [
                    "0 B", "999 B", "1.00 kB", "9.99 kB", "10.0 kB", "100 kB", "999 kB", "1.00 MB", "1.36 MB",
                    "9.22 EB",
                ])
        #expect(
            [0, 7, 754, 10_921, 183_600, -5].map { ProgressBar.time($0) } == [
                "0:00", "0:07", "12:34", "3:02:01", "2 d 03:00", "0:00",
            ])
        #expect(ProgressBar.count(1_234_567) == "1,234,567" && ProgressBar.count(12) == "12")
    }

    @Test("ignores what is no progress")
    func otherObjects() throws {
        #expect(JobProgress(try JSON(parsing: #"{"type":"done","ok":true}"#)) == nil)
        #expect(JobProgress(.null) == nil)
    }

    @Test("Colours never span a newline, and are left out where they aren't wanted")
    func colours() {
        #expect(Palette(isOn: false).error("x\n") == "x\n")
        #expect(Palette(isOn: true).error("a\nb\n") == "\u{1B}[31;1ma\u{1B}[0m\n\u{1B}[31;1mb\u{1B}[0m\n")
    }

    @Test("The most severe outcome wins")
    func outcomes() {
        var outcome = ConsoleOutcome.done
        outcome.note(.incomplete)
        outcome.note(.done)
        #expect(outcome == .incomplete)
        outcome.note(.failed)
        outcome.note(.incomplete)
        #expect(outcome == .failed && outcome.rawValue == 1)
    }
}
