// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore
import TokenEndpoint

extension Configuration {
    /// The OAuth client, and where TastyTrade is called.
    package struct TastyTrade: Sendable {
        /// Which of TastyTrade's two worlds the client belongs to.
        package let environment: TradeEnvironment
        /// `client_id`; the refresh works without.
        package let clientID: String?
        /// `client_secret`; nil only where the caller of the loader can do without.
        package let clientSecret: Secret?
        /// The base of the API, without a slash at its end.
        package let apiURL: String
        /// The page on which people authorise the application.
        package let authorizeURL: String
        /// Where that page sends them back to.
        package let redirectURI: String
        /// What the application asks for.
        package let scopes: [String]
        /// A file of certificates to trust instead of the system's.
        package let caFile: String?

        /// The client that the configuration describes; nil without a secret, without which no call can be made.
        package var client: ClientRegistration? { clientSecret.map(registration) }

        /// The client that the configuration describes, with that secret.
        func registration(_ secret: Secret) -> ClientRegistration {
            ClientRegistration(
                name: ClientRegistration.configuredName,
                environment: environment,
                clientID: clientID,
                clientSecret: secret,
                apiURL: apiURL
            )
        }
    }
}

extension Configuration.TastyTrade {
    /// Reads `tastytrade.*`.
    init(reading reader: inout SettingReader) {
        environment = reader.value("tastytrade.env", .choice())
        clientID = reader.optional("tastytrade.clientId", .word)
        clientSecret = reader.secret("tastytrade.clientSecret", credential: "tastytrade-client-secret")
        let unlisted = reader.value("tastytrade.allowUnlistedHost", .flag)
        apiURL = Self.apiURL(reading: &reader, environment, unlisted: unlisted)
        authorizeURL = Self.authorizeURL(reading: &reader, environment)
        redirectURI = reader.value("tastytrade.redirectUri", .secureAddress).written
        scopes = reader.list("tastytrade.scopes", .word, splittingSpaces: true)
        caFile = Self.caFile(reading: &reader)
    }

    private static func apiURL(
        reading reader: inout SettingReader,
        _ environment: TradeEnvironment,
        unlisted: Bool
    ) -> String {
        let key = "tastytrade.apiUrl"
        guard let address = reader.optional(key, .secureAddress) else {
            reader.note(key, environment.defaultAPIURL)
            return environment.defaultAPIURL
        }
        guard !address.isLoopback else { return address.text }
        let other = environment.other
        reader.require(
            !other.apiHosts.contains(address.host) && !other.apiHostAliases.contains(address.host),
            [key, "tastytrade.env"],
            "\(address.host) is the host of \(other.rawValue), but tastytrade.env is \(environment.rawValue)",
            "make the two agree"
        )
        reader.require(
            unlisted || environment.apiHosts.contains(address.host),
            [key, "tastytrade.env", "tastytrade.allowUnlistedHost"],
            "\(address.host) is not known to be TastyTrade's",
            "correct it, or set tastytrade.allowUnlistedHost to true"
        )
        return address.text
    }

    private static func authorizeURL(reading reader: inout SettingReader, _ environment: TradeEnvironment) -> String {
        let key = "tastytrade.authorizeUrl"
        guard let address = reader.optional(key, .secureAddress) else {
            reader.note(key, environment.defaultAuthorizeURL)
            return environment.defaultAuthorizeURL
        }
        let other = environment.other
        reader.require(
            !other.defaultAuthorizeURL.contains("//\(address.host)/"),
            [key, "tastytrade.env"],
            "\(address.host) is the host of \(other.rawValue), but tastytrade.env is \(environment.rawValue)",
            "make the two agree"
        )
        return address.text
    }

    private static func caFile(reading reader: inout SettingReader) -> String? {
        let key = "tastytrade.caFile"
        guard let path = reader.optional(key, .path) else { return nil }
        do throws(FileReading.Failure) {
            let contents = try reader.files.read(path, 4 << 20)
            if !AuthorityFile.canBeUsed(contents.bytes) {
                reader.mistake(key, "\(path) holds no certificate", "name a file of PEM certificates")
            }
        } catch {
            switch error {
            case .missing: reader.mistake(key, "\(path) does not exist", "create it, or correct the path")
            case .unreadable(let reason):
                reader.mistake(key, "\(path) cannot be read (\(reason))", "let the daemon's user read it")
            }
        }
        return path
    }
}
