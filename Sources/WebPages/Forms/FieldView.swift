// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A field of a form, as the template `field` has it.
struct FieldView {
    /// Its name, and its identifier in the page.
    let name: String
    /// What stands before it.
    let label: String
    /// What is to be entered.
    let hint: String
    /// The kind of its input.
    var kind = "text"
    /// What stands in it. For a secret there is never anything.
    var value = ""
    /// The longest value, in characters.
    var longest = 256
    /// Whether the browser asks for it.
    var isRequired = false
    /// What is wrong with it.
    var error: String?

    /// The field that says whose account it is.
    static func user(_ value: String) -> FieldView {
        FieldView(
            name: "user",
            label: "User",
            hint: "The id of the user’s row in the application’s table.",
            value: value,
            isRequired: true
        )
    }

    /// The same, with what is wrong with it.
    func with(_ problems: [Problem]) -> FieldView {
        var copy = self
        let own = problems.filter { $0.field == name }.map(\.text)
        copy.error = own.isEmpty ? nil : own.joined(separator: " ")
        return copy
    }
}

/// One thing that is wrong with a form.
struct Problem: Hashable {
    /// The name of the field; nil where it is none in particular.
    let field: String?
    /// What is wrong, and what to do.
    let text: String

    /// Puts it together.
    init(_ text: String, at field: String? = nil) {
        self.field = field
        self.text = text
    }
}

/// What is wrong with a form, above it.
struct ProblemsView {
    /// The heading.
    let title: String
    /// What is wrong.
    let entries: [Problem]
    /// What else there is to say; nil if there is nothing.
    let advice: String?

    /// Nil if nothing is wrong.
    init?(_ title: String, _ problems: [Problem], advice: String? = nil) {
        guard !problems.isEmpty else { return nil }
        self.title = title
        entries = problems
        self.advice = advice
    }
}

/// What was done.
struct DoneView {
    /// The heading.
    let title: String
    /// What follows from it.
    let text: String?
    /// What is worth knowing though it worked.
    let notes: [String]
    /// Where to go from here.
    let link: Link?
}

/// Where TastyTrade has what is asked for.
struct PlaceView {
    /// Which of the two worlds.
    let environment: String
    /// The page there.
    let page: String
}

/// One of several things to choose.
struct ChoiceView {
    /// Its identifier in the page.
    let identifier: String
    /// What is sent.
    let value: String
    /// What stands there.
    let words: String
    /// Whether it is chosen.
    let isChosen: Bool

    /// The choice of a client.
    ///
    /// - Parameters:
    ///   - names: the clients that there are.
    ///   - chosen: the name of the one that is chosen; empty for the account's own.
    /// - Returns: the account's own first.
    static func clients(_ names: [String], chosen: String) -> [ChoiceView] {
        let own = ChoiceView(
            identifier: "",
            value: "",
            words: "The account’s own, else default",
            isChosen: chosen.isEmpty
        )
        return [own] + names.map { ChoiceView(identifier: "", value: $0, words: $0, isChosen: $0 == chosen) }
    }
}
