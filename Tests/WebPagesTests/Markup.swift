// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

/// What every page of ours has to have, looked for in its text.
enum Markup {
    /// Complains of what a page lacks.
    static func check(_ html: String, _ path: Comment) throws {
        #expect(html.hasPrefix("<!doctype html>\n<html lang=\"en\">"), path)
        #expect(html.matches(of: #/<h1>/#).count == 1, path)
        #expect(html.matches(of: #/<main\s/#).count == 1, path)
        #expect(html.matches(of: #/<header\s/#).count == 1, path)
        #expect(html.contains("name=\"viewport\" content=\"width=device-width"), path)
        let title = try #require(html.firstMatch(of: #/<title>([^<]+) – tastytokend</title>/#), path).1
        #expect(html.contains("<h1>\(title)</h1>"), path)
        // The policy allows neither, so that either would be a mistake.
        #expect(!html.contains("<script") && !html.contains(" style=") && !html.contains("<style"), path)
        #expect(html.firstMatch(of: #/\son[a-z]+=/#) == nil, path)
        #expect(!html.contains("{{"), path)
        try checkReferences(html, path)
        try checkForms(html, path)
    }

    /// Every identifier is there once, and whatever names one names one that is there.
    private static func checkReferences(_ html: String, _ path: Comment) throws {
        let identifiers = html.matches(of: #/\sid="([^"]*)"/#).map { String($0.1) }
        #expect(Set(identifiers).count == identifiers.count, "\(path): \(identifiers)")
        let named =
            html.matches(of: #/\s(?:for|aria-labelledby|aria-describedby)="([^"]*)"/#).flatMap {
                $0.1.split(separator: " ")
            }
            + html.matches(of: ##/\shref="#([^"]*)"/##).map(\.1)
        for name in named { #expect(identifiers.contains(String(name)), "\(path): \(name)") }
    }

    /// Every field has a label of its own, and radios have a legend; every form that changes
    /// something carries its session's token, or a link's.
    private static func checkForms(_ html: String, _ path: Comment) throws {
        for input in html.matches(of: #/<(?:input|select)([^>]*)>/#).map({ String($0.1) })
        where !input.contains("type=\"hidden\"") {
            let identifier = try #require(input.firstMatch(of: #/\sid="([^"]+)"/#), path).1
            #expect(html.split(separator: "<label for=\"\(identifier)\">").count == 2, "\(path): \(identifier)")
        }
        let radios = html.contains("type=\"radio\"")
        #expect(!radios || html.firstMatch(of: #/<fieldset[^>]*>\s*<legend>/#) != nil, path)
        for form in html.split(separator: "<form").dropFirst() {
            let text = form.split(separator: "</form>").first ?? ""
            if text.prefix(while: { $0 != ">" }).contains("method=\"get\"") { continue }
            #expect(text.contains("name=\"form_token\" value=\"") || text.contains("name=\"t\" value=\""), path)
        }
    }
}
