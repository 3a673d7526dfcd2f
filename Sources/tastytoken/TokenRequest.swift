// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// A token that is asked for: whose, how long it must live, how long that may take.
struct TokenRequest: Equatable {
    /// Whose token.
    let user: String
    /// Seconds that it must live yet; nil leaves them to the daemon.
    var minimumLife: Int?
    /// Seconds that the daemon may wait for one that does; nil leaves them to the daemon.
    var maximumWait: Int?
    /// Who asks the daemon.
    let client: SocketClient

    /// Asks for the token, and says on standard error if it lives shorter than it should.
    func answer() throws(Failure) -> TokenAnswer {
        let path = APIPath.token(of: user, minimumLife: minimumLife, maximumWait: maximumWait)
        let patience = min(maximumWait ?? 10, 60) + SocketClient.patience
        let answer = try TokenAnswer(client.get(path, within: patience), of: user)
        if let shortcoming = answer.shortcoming(of: user, wishing: minimumLife) { Console.warn(shortcoming) }
        return answer
    }
}

extension TokenRequest {
    /// The request behind `token USER` or `token USER --socket PATH`, as scripts write it; nil for any other command line.
    ///
    /// Scripts run the tool once for every call they make, and the argument parser takes longer than all else in it. What is
    /// recognised here, the argument parser takes for the same request; what it might refuse is left to it.
    init?(plain arguments: ArraySlice<String>) {
        var words = arguments
        guard words.popFirst() == "token", let user = words.popFirst(), Self.isValue(user) else { return nil }
        guard let option = words.popFirst() else {
            self.init(user: user, client: SocketClient(at: nil))
            return
        }
        guard option == "--socket", let path = words.popFirst(), Self.isValue(path), words.isEmpty else { return nil }
        self.init(user: user, client: SocketClient(at: path))
    }

    private static func isValue(_ word: String) -> Bool {
        !word.isEmpty && word.utf8.first != UInt8(ascii: "-")
    }
}
