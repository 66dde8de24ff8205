// Users, groups and mounted file systems of this machine.

import CSystem
import Glibc

/// Names of users and groups, remembered: a lookup may ask the network.
package final class Accounts: Sendable {
    package static let shared = Accounts()

    private struct Known {
        var userNames: [UInt32: String?] = [:]
        var groupNames: [UInt32: String?] = [:]
        var userNumbers: [String: UInt32?] = [:]
        var groupNumbers: [String: UInt32?] = [:]
    }
    private let known = Monitor(Known())
    private init() {}

    package func userName(_ number: UInt32) -> String? {
        lookUp(\.userNames, number) { number in unsafe Self.name { unsafe csystem_user_name(number, $0, $1) } }
    }
    package func groupName(_ number: UInt32) -> String? {
        lookUp(\.groupNames, number) { number in unsafe Self.name { unsafe csystem_group_name(number, $0, $1) } }
    }
    package func userNumber(_ name: String) -> UInt32? {
        lookUp(\.userNumbers, name) { name in
            var number: UInt32 = 0
            return unsafe csystem_user_number(name, &number) != 0 ? number : nil
        }
    }
    package func groupNumber(_ name: String) -> UInt32? {
        lookUp(\.groupNumbers, name) { name in
            var number: UInt32 = 0
            return unsafe csystem_group_number(name, &number) != 0 ? number : nil
        }
    }

    private func lookUp<Key: Hashable & Sendable, Answer: Sendable>(
        _ table: WritableKeyPath<Known, [Key: Answer?]>, _ key: Key, _ ask: (Key) -> Answer?
    ) -> Answer? {
        if let answer = known.read({ $0[keyPath: table][key] }) { return answer }
        let answer = ask(key)
        // 4,096 of each kind at most: names in records may be anything.
        known.withLock { state in if state[keyPath: table].count < 4096 { state[keyPath: table][key] = .some(answer) } }
        return answer
    }

    private static func name(_ ask: (UnsafeMutablePointer<CChar>, Int) -> Int32) -> String? {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard unsafe ask(buffer.baseAddress!, 256) != 0 else { return nil }
            return unsafe String(cString: buffer.baseAddress!)
        }
    }

    /// Whether this process may change owners and make devices.
    package static var isRoot: Bool { geteuid() == 0 }
    package static var effectiveUser: UInt32 { geteuid() }
}

/// Which file system is mounted under which device number, from /proc/self/mountinfo at the time of asking.
package struct MountedFileSystems: Sendable {
    private let types: [UInt64: String]

    package init() {
        var types: [UInt64: String] = [:]
        if let file = try? OpenFile("/proc/self/mountinfo", O_RDONLY) {
            var text: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 32 << 10)
            while true {
                var span = chunk.mutableSpan
                guard let count = try? file.read(into: &span), count > 0 else { break }
                text += chunk[..<count]
            }
            // 36 35 98:0 /root /mount options … - ext4 /dev/sda1 options
            for line in text.split(separator: UInt8(ascii: "\n")) {
                let words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
                guard words.count > 6, let dash = words.firstIndex(of: "-"), dash + 1 < words.count else { continue }
                let numbers = words[2].split(separator: ":").compactMap { UInt32($0) }
                if numbers.count == 2 { types[DeviceNumber.make(major: numbers[0], minor: numbers[1])] = words[dash + 1] }
            }
        }
        self.types = types
    }

    /// `ext4`, `tmpfs`, …; nil for a device number that is not in the table (subvolumes of btrfs have their own).
    package func type(ofDevice device: UInt64) -> String? { types[device] }
}
