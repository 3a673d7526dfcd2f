// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
import Logging
import RefreshEngine
import TokenCore

/// What `check` says of the database: whether it is there, as it should be, and how many accounts are in it.
struct DatabaseCheck: Sendable {
    private static let subject = "database"

    private let configuration: Configuration
    private let store: PostgresGrantStore
    private let grants: GrantsCheck

    /// Looks at the database that the configuration names; nothing is opened yet.
    init(_ configuration: Configuration, clock: @escaping ClockReading) {
        self.configuration = configuration
        grants = GrantsCheck(configuration, at: clock().wall)
        let tokens = TokenColumns(configuration.encryption.sealing, in: configuration.tastytrade.environment)
        var settings = StoreConfiguration(configuration, owner: "check", tokens)
        settings.migratesAtStart = false
        store = PostgresGrantStore(
            configuration: settings,
            clock: clock,
            random: { Double.random(in: 0...1) },
            logger: Logger(label: "tastytokend") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Looks, within the store's own deadlines.
    func verdicts() async -> [Verdict] {
        defer { store.close() }
        do throws(StoreFailure) {
            let place = try await store.whereConnected()
            let report = try await store.open()
            return [Self.verdict(on: place)] + verdicts(on: report)
                + [await sealing()] + (await grants.verdicts(store)) + [await notifications(), await capacity()]
        } catch {
            return Self.verdicts(on: error)
        }
    }

    static func verdicts(on failure: StoreFailure) -> [Verdict] {
        guard failure.kind == .misconfigured else {
            return [
                Verdict(
                    .fail,
                    subject,
                    "\(failure)",
                    remedy: "start it, or correct database.url; a daemon would wait for it"
                )
            ]
        }
        return failure.lines.map { Verdict(.fail, subject, $0) }
    }

    private static func verdict(on place: PostgresGrantStore.Place) -> Verdict {
        Verdict(.ok, subject, "PostgreSQL \(place.serverVersion), database \(place.database), as role \(place.role)")
    }

    private func verdicts(on report: StoreReport) -> [Verdict] {
        let table = Verdict(
            .ok,
            "table",
            "\(report.table), id \(report.idType), expiry \(report.expiryType), rights as needed"
        )
        return [table] + report.notices.map { Verdict(.warn, "table", $0) } + [schema(report), trigger(report)]
    }

    private func schema(_ report: StoreReport) -> Verdict {
        switch report.ownSchema {
        case .present(let version): Verdict(.ok, "schema", "tastytokend, version \(version)")
        case .absent(let reason): Verdict(.warn, "schema", reason)
        }
    }

    private func trigger(_ report: StoreReport) -> Verdict {
        let polling = "changed rows act within \(configuration.database.reconcileEvery.settingText) only"
        return switch report.trigger {
        case .present: Verdict(.ok, "trigger", "changed rows act at once")
        case .outdated:
            Verdict(.warn, "trigger", "is not as this version makes it; \(polling)", remedy: "run tastytokend migrate")
        case .absent: Verdict(.warn, "trigger", "there is none; \(polling)", remedy: "run tastytokend migrate")
        }
    }

    /// How the first rows are sealed: all would take as long as a start.
    private func sealing() async -> Verdict {
        do throws(StoreFailure) {
            return Self.verdict(on: try await store.sealCensus(ofRows: 1000), configuration.encryption.mode)
        } catch {
            return Verdict(.warn, "encryption", "how the columns are sealed could not be seen: \(error)")
        }
    }

    static func verdict(on census: SealCensus, _ mode: Configuration.Encryption.Mode) -> Verdict {
        let keys = census.sealed.sorted { ($0.key.id, $0.value) < ($1.key.id, $1.value) }.map { key, count in
            "\(count) sealed with \(key.id)\(key.sealsNow ? ", which seals now" : "")"
        }
        let counts =
            ["\(census.inClear) in clear"] + keys + (census.closed > 0 ? ["\(census.closed) that do not open"] : [])
        let rows = census.rows == 1 ? "1 row" : "\(census.rows) rows"
        let words = "\(mode.rawValue); values of \(rows) looked at: \(counts.joined(separator: "; "))"
        guard let reason = census.reason else { return Verdict(.ok, "encryption", words) }
        // A start is refused by the same rule: a row with anything that does not open counts as one that does not.
        let isHopeless = census.openRows == 0
        let remedy = "compare encryption.mode and its keys with what sealed them; of the first one: \(reason)"
        return Verdict(isHopeless ? .fail : .warn, "encryption", words, remedy: remedy)
    }

    private func notifications() async -> Verdict {
        guard let reason = await store.reasonNotificationsFail() else {
            return Verdict(.ok, "notifications", "LISTEN works")
        }
        return Verdict(.warn, "notifications", reason)
    }

    /// More accounts than the rate can carry die although nothing fails.
    private func capacity() async -> Verdict {
        let rate = configuration.refresh.maxPerSecond
        let policy = EngineConfiguration(configuration).policy
        let capacity = policy.capacity(perSecond: rate, lifetime: RefreshPolicy.supposedLifetime)
        do throws(StoreFailure) {
            let accounts = try await store.countGrants()
            let noun = accounts == 1 ? "account" : "accounts"
            let words =
                "\(accounts) \(noun); refresh.maxPerSecond and refresh.at keep \(capacity) fresh if tokens live "
                + "\(RefreshPolicy.supposedLifetime.settingText)"
            guard accounts > capacity else { return Verdict(.ok, "capacity", words) }
            return Verdict(
                .warn,
                "capacity",
                words,
                remedy: "raise refresh.maxPerSecond, or spread the accounts over hosts"
            )
        } catch {
            return Verdict(.warn, "capacity", "the accounts could not be counted: \(error)")
        }
    }
}
