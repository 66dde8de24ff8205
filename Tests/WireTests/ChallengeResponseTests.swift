import Testing

@testable import Wire

@Suite("CRAM-MD5") struct ChallengeResponseTests {
    @Test("Responses are those of the published captures, in both writings")
    func vectors() {
        let file = Challenge(text: "<876118621.1795219152@lab-fd>", tlsNeed: 0)
        let secret = SharedSecret(password: "fd-secret")
        #expect(file.response(secret) == Array("pW49i6AhNl+7cT+lSQpE7B\0".utf8))
        #expect(file.isAnswered(by: "pW49i6AhNl+7cT+lSQpE7B", secret))
        #expect(file.isAnswered(by: "pW49iaAhNly7cTilSQpE7Q", secret))
        var compatible = file
        compatible.wantsStandard = true
        #expect(compatible.response(secret) == Array("pW49iaAhNly7cTilSQpE7Q\0".utf8))
        let job = Challenge(text: "<1982883964.1795219152@lab-sd>", tlsNeed: 0)
        let key = SharedSecret(authorization: "FKCB-MHJO-FDIP-NADG-INHJ-PAGB-BKLL-KHLF")
        #expect(job.response(key) == Array("kz+fRR+aJ6cYUT+rxhw06C\0".utf8))
    }

    @Test("A response has 23 bytes, the last one NUL")
    func length() {
        for number in 0..<200 {
            let response = Challenge(text: "<\(number).1@x>", tlsNeed: 0).response(SharedSecret(password: "p"))
            #expect(response.count == 23)
            #expect(response.last == 0)
        }
    }

    @Test("Wrong, empty and cut-off responses are refused")
    func wrong() {
        let challenge = Challenge(text: "<876118621.1795219152@lab-fd>", tlsNeed: 0)
        for response in ["", "p", "pW49i6AhNl+7cT+lSQpE7", "pW49i6AhNl+7cT+lSQpE7BA", "pW49i6AhNl+7cT+lSQpE7C"] {
            #expect(!challenge.isAnswered(by: response, SharedSecret(password: "fd-secret")))
        }
        #expect(!challenge.isAnswered(by: "pW49i6AhNl+7cT+lSQpE7B", SharedSecret(password: "other")))
    }

    @Test("Challenges of every release are read, and nothing else is")
    func parsing() {
        #expect(Challenge(parsing: "auth cram-md5 <1.2@a> ssl=2") == Challenge(text: "<1.2@a>", tlsNeed: 2))
        #expect(
            Challenge(parsing: "auth cram-md5c <1.2@a> ssl=0")
                == Challenge(text: "<1.2@a>", tlsNeed: 0, wantsStandard: true))
        #expect(Challenge(parsing: "auth cram-md5 <1.2@a>") == Challenge(text: "<1.2@a>", tlsNeed: nil))
        for line in [
            "", "auth", "auth cram-md5", "auth cram-md5 ssl=0", "auth cram-md5 x ssl=0", "auth cram-md5 <> ssl=0",
            "1999 no",
        ] {
            #expect(Challenge(parsing: line) == nil, "\(line)")
        }
    }

    @Test("Our own challenge, mirrored back to us, is recognised while its answer is awaited")
    func mirror() {
        let ours = Challenge(from: "a daemon", tlsNeed: 0)
        #expect(!OutstandingChallenges.isMirrored(ours, to: .connector))
        OutstandingChallenges.insert(ours, from: .connector)
        #expect(OutstandingChallenges.isMirrored(ours, to: .connector))
        #expect(!OutstandingChallenges.isMirrored(ours, to: .acceptor))
        OutstandingChallenges.remove(ours, from: .connector)
        #expect(!OutstandingChallenges.isMirrored(ours, to: .connector))
    }

    @Test("A secret is never printed")
    func secrecy() {
        let secret = SharedSecret(authorization: "hidden")
        #expect("\(secret)" == "<secret>")
        #expect(String(reflecting: secret) == "<secret>")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("hidden"))
    }
}
