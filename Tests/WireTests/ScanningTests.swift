import TestSupport
import Testing

@testable import Wire

@Suite("Scanning of messages") struct ScanningTests {
    @Test("Fields are read in order, and literals must match")
    func fields() {
        #expect(scan("JobId=12 Job=a.b", "JobId=%d Job=%s") == ["12", "a.b"])
        #expect(scan("JobId=12 Job=a.b SDid=1", "JobId=%d Job=%s") == ["12", "a.b"])
        #expect(scan("Job=a.b JobId=12", "JobId=%d Job=%s") == nil)
        #expect(scan("", "") == [])
        #expect(scan("jobid=1", "JobId=%d") == nil)
    }

    @Test("White space in a format matches any white space or none")
    func whiteSpace() {
        #expect(scan("2000 OK Hello 214", "2000 OK Hello %d\n") == ["214"])
        #expect(
            scan("storage address=h \t port=9103 ssl=0\n", "storage address=%s port=%d ssl=%d\n") == ["h", "9103", "0"])
        #expect(scan("a=1b=2", "a=%d b=%d") == ["1", "2"])
    }

    @Test("Words and numbers may be missing")
    func missing() {
        #expect(scan("Hello x calling", "Hello %s calling %d") == ["x", "0"])
        #expect(scan("Start Job x 214", "Start Job %s %d %d") == ["x", "214", "0"])
        #expect(scan("a= b=", "a=%s b=%s") == ["", ""])
        #expect(scan("n=-", "n=%d") == ["0"])
        #expect(scan("n=x", "n=%d") == ["0"])
    }

    @Test("Numbers beyond 64 bits become the greatest or least, so that no reader of them fails")
    func overflow() {
        #expect(scan("n=-5", "n=%d") == ["-5"])
        #expect(scan("n=9223372036854775807", "n=%d") == ["9223372036854775807"])
        #expect(scan("n=9223372036854775808", "n=%d") == ["9223372036854775807"])
        #expect(scan("n=-99999999999999999999", "n=%d") == ["-9223372036854775808"])
    }

    @Test("A bashed name comes back as it was")
    func bashing() {
        #expect(Bashed.encode("Rich Set") == "Rich\u{1}Set")
        #expect(Bashed.decode(Bashed.encode("a b  c")) == "a b  c")
    }

    @Test("Any message and format end in fields or nil, and every number fits")
    func fuzz() {
        var generator = SeededGenerator(seed: 14)
        for _ in 0..<3000 {
            let message = String(decoding: generator.mutated(Array("JobId=12 Job=a.b n=77".utf8)), as: UTF8.self)
            if let fields = scan(message, "JobId=%d Job=%s n=%d") {
                #expect(fields.count == 3)
                #expect(Int64(fields[0]) != nil && Int64(fields[2]) != nil)
            }
            let format = String(decoding: generator.mutated(Array("JobId=%d Job=%s n=%d".utf8)), as: UTF8.self)
            _ = scan("JobId=12 Job=a.b n=77", format)
        }
    }
}
