// Run lines.

import Testing

@testable import Configuration

@Suite("A Run line")
struct ScheduleTests {
    @Test("holds days, weeks, months and a time, and settings for the job")
    func reading() {
        let run = ScheduleRun("Level=Full Pool=\"Old Tapes\" Priority=3 Accurate=yes 1st sun jan-mar at 23:05")
        #expect(run.level == "Full")
        #expect(run.pool == "Old Tapes")
        #expect(run.priority == 3)
        #expect(run.accurate == true)
        #expect(run.weeksOfMonth == [1] && run.weekdays == [0] && run.months == [1, 2, 3])
        #expect(run.hours == [23] && run.minute == 5)
        #expect(run.daysOfMonth.isEmpty && run.weeksOfYear.isEmpty && !run.lastDayOfMonth)
    }

    @Test(
        "takes days in all their forms",
        arguments: [
            ("mon-fri", Set(1...5)), ("sun-sat", Set(0...6)), ("fri-mon", [5, 6, 0, 1]), ("tuesday, thu", [2, 4]),
            ("wed", [3]), ("Sunday", [0]),
        ] as [(String, Set<Int>)])
    func weekdays(text: String, days: Set<Int>) { #expect(ScheduleRun(text + " at 1:00").weekdays == days) }

    @Test("takes days of the month, weeks, and ranges that run over the end")
    func numbers() {
        #expect(ScheduleRun("1-3 15 lastday").daysOfMonth == [1, 2, 3, 15])
        #expect(ScheduleRun("lastday").lastDayOfMonth)
        #expect(ScheduleRun("2nd-5th sun").weeksOfMonth == [2, 3, 4, 5])
        #expect(ScheduleRun("first third").weeksOfMonth == [1, 3])
        #expect(ScheduleRun("w00 w05-w07").weeksOfYear == [0, 5, 6, 7])
        #expect(ScheduleRun("30-2").daysOfMonth == [30, 31, 1, 2])
        #expect(ScheduleRun("dec-feb").months == [12, 1, 2])
    }

    @Test(
        "has its time after at, midnight without",
        arguments: [
            ("at 0:05", 0, 5), ("at 11:05pm", 23, 5), ("at 12:00am", 0, 0), ("at 12:30pm", 12, 30), ("daily", 0, 0),
            ("on mon at 7:00", 7, 0),
        ])
    func times(text: String, hour: Int, minute: Int) {
        #expect(ScheduleRun(text).hours == [hour])
        #expect(ScheduleRun(text).minute == minute)
    }

    @Test("runs each hour with hourly")
    func hourly() {
        #expect(ScheduleRun("hourly at 0:05").hours == Set(0...23))
        #expect(ScheduleRun("hourly at 0:05").minute == 5)
    }

    @Test(
        "reads back the same from the form it is kept in",
        arguments: ["Level=Full Pool=\"a b\" 1st sun at 23:05", "Full mon , tue at 1:00", "hourly"])
    func canonical(text: String) {
        let run = ScheduleRun(text)
        #expect(ScheduleRun(run.text) == run)
    }

    @Test(
        "that makes no sense is refused",
        arguments: [
            ("at 25:00", "`at` needs a time"), ("at noon", "`at` needs a time"), ("12:00", "needs `at` before it"),
            ("mondy", "Did you mean `monday`"),
            ("mon-12", "joins two different things"), ("32", "doesn't know `32`"), ("Level=Ful", "Did you mean `Full`"),
            ("Pol=x", "Did you mean `Pool`"),
            ("Priority=x", "takes a number"), ("w54", "doesn't know"), ("at 13:00pm", "`at` needs a time"),
            ("Pool=", "has no value"), ("at", "`at` needs"),
        ])
    func mistakes(text: String, finding: String) {
        let found = examine("Schedule { Name = s\n Run = \(text)\n}", [.director])
        #expect(found.errors.contains { $0.contains(finding) && $0.hasPrefix("test.conf:2:") }, "\(found.errors)")
    }

    @Test("must name pools, storages and messages that exist, at its own place")
    func references() {
        let found = examine("Schedule { Name = s\n Run = Full sun\n Run = Full Pool=Nope mon\n}", [.director])
        #expect(
            found.errors.contains(
                "test.conf:3:2: error: Pool \"Nope\" is not defined (`Run … Pool` of Schedule \"s\"). There is no Pool resource at all."
            ))
    }
}
