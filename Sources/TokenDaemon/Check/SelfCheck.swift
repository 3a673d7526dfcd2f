// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import GrantStore
import Logging
import TokenCore

/// `tastytokend check`: looks at everything that the daemon needs, as the daemon would, and changes nothing. It asks nothing of
/// a daemon that runs but whether it is alive, and nothing of the endpoint.
package struct SelfCheck: Sendable {
    /// Where systemd keeps the credentials of the unit while it runs; readable for root and the daemon's user.
    package static let unitCredentials = "/run/credentials/tastytokend.service"

    private let invocation: Invocation

    /// Takes what the process was started with. Without credentials of its own, it looks at those of the running unit.
    package init(_ invocation: Invocation) {
        self.invocation = invocation
    }

    /// Looks at one thing after the other that needs no time, and at the rest at the same time; every wait has an end.
    ///
    /// - Returns: the verdicts, in the order in which the daemon would come to them.
    package func run() async -> [Verdict] {
        let (invocation, origin) = invocation.withCredentials(in: Self.unitCredentials)
        let reading = BlockingCall(name: "check")
        switch await invocation.configuration(within: .seconds(20), on: reading) {
        case .failure(let failure):
            return failure.lines.map { Verdict(.fail, "configuration", $0) }
        case .success(let loaded):
            let configuration = loaded.configuration
            async let endpoint = EndpointCheck(configuration).verdicts()
            async let database = DatabaseCheck(configuration, clock: invocation.clock).verdicts()
            async let places = PlacesCheck(configuration).verdicts()
            async let metrics = MetricsCheck(configuration, clock: invocation.clock).verdicts()
            async let pages = WebCheck(configuration, clock: invocation.clock).verdicts()
            return await Self.verdicts(loaded, origin) + ClientCheck(configuration).verdicts() + database + endpoint
                + places + metrics + pages
        }
    }

    private static func verdicts(_ loaded: LoadedConfiguration, _ origin: String?) -> [Verdict] {
        let file = loaded.file ?? "no file (\(Configuration.defaultPath) is not there)"
        // What a shell has in its environment need not be what the daemon has in its own.
        let variables = loaded.variables.isEmpty ? nil : "over it \(loaded.variables.joined(separator: ", "))"
        let credentials = origin.map { "credentials from \($0)" }
        let words = [file, variables, credentials].compactMap(\.self).joined(separator: ", ")
        return [Verdict(.ok, "configuration", words)] + loaded.warnings.map { Verdict(.warn, "configuration", "\($0)") }
    }
}

extension Invocation {
    /// The same invocation with the credentials of a folder, where the process was given none and the folder can be read.
    fileprivate func withCredentials(in folder: String) -> (Invocation, origin: String?) {
        let isReadable = faccessat(AT_FDCWD, folder, R_OK | X_OK, AT_EACCESS) == 0
        guard environment["CREDENTIALS_DIRECTORY"] == nil, isReadable else { return (self, nil) }
        return (with(environment.merging(["CREDENTIALS_DIRECTORY": folder]) { $1 }), folder)
    }
}
