// Randomness that can be repeated: a failing test prints its seed.

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, good enough to choose faults and mutations.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64
    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            var word = next()
            for _ in 0..<8 {
                bytes.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// `original` with a few bytes changed, removed, repeated or put in, or cut off: what a decoder must survive.
    package mutating func mutated(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...6, using: &self) {
            guard !bytes.isEmpty else { return self.bytes(Int.random(in: 0...40, using: &self)) }
            let index = Int.random(in: 0..<bytes.count, using: &self)
            switch UInt8.random(in: 0...7, using: &self) {
            case 0, 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &self)
            case 2: bytes[index] = [0, 1, 0x7F, 0x80, 0xFF, 0x20, 0x3D, 0x2D].randomElement(using: &self)!
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &self), at: index)
            case 4: bytes.remove(at: index)
            case 5: bytes.removeLast(bytes.count - index)
            case 6: bytes.insert(contentsOf: bytes[index..<min(bytes.count, index + 20)], at: index)
            default: for position in index..<min(bytes.count, index + 8) { bytes[position] = 0xFF }
            }
        }
        return bytes
    }
}
