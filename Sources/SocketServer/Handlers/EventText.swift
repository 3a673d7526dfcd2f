// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// Words events as `text/event-stream` has them (WHATWG HTML, section 9.2.5).
enum EventText {
    /// Told first where events went by that cannot be told any more: whoever keeps a list reads it anew.
    static let missed = "events.missed"

    /// How soon a caller should come back whose stream has ended, and where it begins if that is now.
    static func opening(at position: EventPosition?) -> String {
        "retry: 1000\n" + (position.map { "id: \(id($0))\n" } ?? "") + "\n"
    }

    /// Shows that the other end is there, and moves the place from which a caller who comes back goes on.
    static func heartbeat(at position: EventPosition) -> String {
        ":\nid: \(id(position))\n\n"
    }

    /// The events of a page that the caller may see.
    static func text(of page: EventPage, isVisible: (UserID) -> Bool) -> String {
        var text = page.missedSome ? event(missed, after: page.start, data: "{}") : ""
        var position = page.start
        for one in page.events {
            position.seen += 1
            guard isVisible(one.user) else { continue }
            text += event(one.kind.rawValue, after: position, data: data(of: one))
        }
        return text
    }

    /// A place as callers hand it back in `Last-Event-ID`.
    static func id(_ position: EventPosition) -> String { "\(position.run)-\(position.seen)" }

    /// The place that a caller handed back; one that nobody knows if that is no place.
    static func position(_ id: String) -> EventPosition {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let run = Int64(parts[0]), let seen = UInt64(parts[1]) else {
            return EventPosition(run: 0, seen: 0)
        }
        return EventPosition(run: run, seen: seen)
    }

    private static func event(_ name: String, after position: EventPosition, data: String) -> String {
        "event: \(name)\nid: \(id(position))\ndata: \(data)\n\n"
    }

    /// One line, since JSON has its line ends escaped.
    private static func data(of event: AccountEvent) -> String {
        var text = JSONText()
        text.add("user", event.user.text)
        text.add("at", Timestamp.text(microseconds: event.at.microseconds))
        text.add("status", event.status.rawValue)
        text.add("expires_at", event.expiresAt.map { Timestamp.text(microseconds: $0.microseconds) })
        text.add("error", event.failure?.rawValue)
        text.close()
        return String(decoding: text.bytes, as: UTF8.self)
    }
}
