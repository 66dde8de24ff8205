// The blocks of one open volume, one after the other, past whatever is damaged.

package import Volumes

/// Reads whole, checked blocks. Damage is reported once and passed.
package struct BlockStream {
    private let device: any VolumeDevice
    private let volume: String
    /// Where the head stood before a seek whose target was not read yet: a bootstrap made by hand may point into the middle
    /// of a block. Reading then goes on from here, and seeks are no longer trusted.
    private var beforeSeek: BlockAddress?
    private var trustsSeeks = true

    /// - Parameter device: Has the volume open; reading begins where it stands.
    package init(_ device: any VolumeDevice, volume: String) {
        self.device = device
        self.volume = volume
    }

    package var position: BlockAddress { device.position }

    /// Moves forward to `address`, if that is a block's; else, later, reading goes on from here.
    package mutating func seek(to address: BlockAddress, _ report: (ReadProblem) -> Void) {
        guard trustsSeeks, address > device.position else { return }
        do throws(DeviceError) {
            let before = device.position
            try device.seek(to: address)
            beforeSeek = before
        } catch {
            report(ReadProblem(volume: volume, address: address, kind: .device(error.what)))
        }
    }

    /// Reads the next whole block into `buffer`.
    /// - Returns: Its header and address; nil at the end of the data, or when the device has given up.
    package mutating func next(
        into buffer: inout [UInt8], _ report: (ReadProblem) -> Void
    ) -> (BlockHeader, BlockAddress)? {
        while true {
            let address = device.position
            let damage: ReadProblem.Kind
            do throws(DeviceError) {
                let count = try device.readBlock(into: &buffer)
                if count == 0 { continue }  // a filemark
                do throws(VolumeFormatError) {
                    let header = try BlockHeader(checking: buffer.span.extracting(0..<count))
                    beforeSeek = nil
                    return (header, address)
                } catch {
                    damage = .damagedBlock(error.what)
                }
            } catch {
                switch error.kind {
                case .endOfData: return nil
                case .mediaError: damage = .device(error.what)
                default:
                    report(ReadProblem(volume: volume, address: address, kind: .device(error.description)))
                    return nil
                }
            }
            if let before = beforeSeek {
                // Perhaps nothing is damaged at all: read on from where blocks are known to start.
                beforeSeek = nil
                trustsSeeks = false
                if (try? device.seek(to: before)) != nil { continue }
            }
            report(ReadProblem(volume: volume, address: address, kind: damage))
            do throws(DeviceError) {
                _ = try device.resynchronise(behind: address)
            } catch {
                return nil
            }
        }
    }
}
