// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension RecordSeal {
    /// Seals by the key of this host's daemon.
    package init(_ seal: LocalSeal) {
        self.init(
            seal: { record, place in
                defer { record.wipe() }
                return seal.seal(record, at: place)
            },
            open: { sealed, place in
                do throws(LocalSealFault) {
                    return try seal.open(sealed, at: place)
                } catch {
                    return nil
                }
            }
        )
    }
}
