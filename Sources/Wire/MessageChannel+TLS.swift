// Switching a channel to TLS, and back where TLS is for the authentication only.

import Platform

extension MessageChannel {
    /// Performs the handshake; from here on everything travels encrypted. Only for the authentication dialogue, in which
    /// one thread does everything.
    func startTLS(_ session: TLSSession) throws(WireError) {
        try flush()
        try reader.withLock { reader throws(WireError) in
            // The peer may have sent its first handshake bytes together with its last plain packet.
            reader.sealed = reader.plain
            reader.plain = ReadBuffer()
            while true {
                let isDone: Bool
                do throws(TLSFailure) {
                    isDone = try session.advanceHandshake(&reader.sealed)
                } catch {
                    // The alert tells the peer why.
                    try? unsafe session.withOutput { bytes throws(WireError) in try unsafe writeRaw(bytes) }
                    close()
                    throw WireError(
                        error.isWrongKey ? .authentication : .tls, peer: peer, error.reason, remedy: error.remedy)
                }
                try unsafe session.withOutput { bytes throws(WireError) in try unsafe writeRaw(bytes) }
                if isDone { break }
                try receive(into: &reader.sealed, isBetweenPackets: false)
            }
            reader.tls = session
        }
        writer.withLock { $0.tls = session }
        description.withLock { $0 = session.description }
    }

    /// Goes on in clear text after a TLS that was for the authentication only.
    func dropTLS() {
        reader.withLock { reader in
            reader.plain = ReadBuffer(reader.plain.content + reader.sealed.content)
            reader.sealed = ReadBuffer()
            reader.tls = nil
        }
        writer.withLock { $0.tls = nil }
        description.withLock { $0 += ", for the authentication only" }
    }
}
