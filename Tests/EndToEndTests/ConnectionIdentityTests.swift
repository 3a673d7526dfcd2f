// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// H24 with the built daemon: a connection is what it was when it was made, whoever holds it since, whatever he has become, and
/// whatever he says in his requests.
@Suite(.enabled(if: geteuid() == 0, "calling as other users takes root"), .timeLimit(.minutes(3)))
struct ConnectionIdentityTests {
    /// A user who may take the token of account 1, and one who may do nothing.
    private static let (bot, nobody) = (41_001, 41_002)
    private static let file = "access: [{uid: \(bot), users: ['1'], allow: [token]}]"

    /// What all the programs below begin with. Claims in a request are no news to the daemon: each request makes some.
    private static let prelude = """
        import os, socket, sys
        path, bot, nobody = sys.argv[1], \(bot), \(nobody)

        def become(user):
            os.setgroups([]); os.setresgid(user, user, user); os.setresuid(user, user, user)

        def connected():
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.settimeout(60)
            s.connect(path)
            return s

        def ask(s, user):
            claims = "Remote-User: root\\r\\nX-Forwarded-User: root\\r\\nAuthorization: Basic cm9vdDo=\\r\\n"
            s.sendall(f"GET /v1/users/{user}/token HTTP/1.1\\r\\nHost: localhost\\r\\n{claims}\\r\\n".encode())
            head, _, body = b"", b"", b""
            while b"\\r\\n\\r\\n" not in head:
                part = s.recv(1)
                if not part: return 0
                head += part
            size = next(int(f.split(b":")[1]) for f in head.split(b"\\r\\n") if f.lower().startswith(b"content-length:"))
            while len(body) < size: body += s.recv(size - len(body))
            return int(head.split()[1])

        def give(channel, s): socket.send_fds(channel, [b"x"], [s.fileno()])

        def taken(channel):
            _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
            s = socket.socket(fileno=descriptors[0])
            s.settimeout(60)
            return s

        # Runs it in a child that is that user, and gives the child's number once it has ended.
        def elsewhere(user, act):
            child = os.fork()
            if child == 0:
                become(user)
                act()
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            return child

        def say(name, *values): print(name, *values, flush=True)

        """

    private static let namespacesAreMade: Bool = {
        let most = try? String(contentsOfFile: "/proc/sys/user/max_user_namespaces", encoding: .utf8)
        return most.flatMap { Int($0.trimmingCharacters(in: .newlines)) } ?? 0 > 0
    }()

    /// One record of a token that was taken.
    private struct Taken: Hashable {
        let user: String
        let caller: Int
        let process: Int
    }

    private func taken(in log: String) throws -> Set<Taken> {
        let records = try log.split(separator: "\n").compactMap { line -> Taken? in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard object?["event"] as? String == "token.taken" else { return nil }
            return Taken(
                user: try #require(object?["user.id"] as? String),
                caller: try #require(object?["caller.uid"] as? Int),
                process: try #require(object?["caller.pid"] as? Int)
            )
        }
        return Set(records)
    }

    /// Runs a program of that text as root against a daemon with two accounts; gives what it said, and who took what by the
    /// daemon's records.
    private func run(_ program: String) async throws -> (said: [String: [Int]], taken: Set<Taken>) {
        try await Installation.with(accounts: 2) { installation in
            let daemon = try await installation.startReadyDaemon(["SOCKET_MODE": "0666"], file: Self.file)
            // Asked of its memory, so that no record is made of it.
            try await eventually("both accounts have tokens") {
                try (1...2).allSatisfy {
                    let account = try SocketProbe.get("/v1/users/\($0)", at: installation.socket)
                    return account.member("status") == "active" && account.member("expires_at") != nil
                }
            }
            let end = try await RunningProgram.run(
                "/usr/bin/python3",
                ["-c", Self.prelude + program, installation.socket],
                in: installation.folder
            )
            try #require(end.status == 0, "\(end.errors)")
            let said = end.output.split(separator: "\n").map { $0.split(separator: " ") }
            let stopped = try await installation.stop(daemon)
            #expect(stopped.status == 0)
            return (
                Dictionary(uniqueKeysWithValues: said.map { (String($0[0]), $0.dropFirst().compactMap { Int($0) }) }),
                try taken(in: stopped.errors)
            )
        }
    }

    @Test func h24WhoBecomesAnotherUserKeepsWhatHeConnectedWithAndNoMore() async throws {
        let (said, taken) = try await run(
            """
            say("pid", os.getpid())
            root = connected()
            os.setgroups([]); os.setresgid(bot, bot, 0); os.setresuid(bot, bot, 0)
            asBot = connected()
            say("bot", ask(asBot, 1), ask(asBot, 2))
            say("rootsByBot", ask(root, 2))
            os.setresuid(0, 0, 0); os.setresgid(0, 0, 0)
            say("botsByRoot", ask(asBot, 1), ask(asBot, 2))
            say("anew", ask(connected(), 2))
            become(nobody)
            say("rootsByNobody", ask(root, 2))
            say("nobody", ask(connected(), 1), ask(connected(), 2))
            """
        )
        #expect(said["bot"] == [200, 403])
        #expect(said["rootsByBot"] == [200], "what was opened as root is root's yet, as with a file")
        #expect(said["botsByRoot"] == [200, 403], "to be root now makes no more of what was opened as another")
        #expect(said["anew"] == [200], "another connection does")
        #expect(said["rootsByNobody"] == [200])
        #expect(said["nobody"] == [403, 403])
        let pid = try #require(said["pid"]?.first)
        #expect(
            taken == [
                Taken(user: "1", caller: Self.bot, process: pid), Taken(user: "2", caller: 0, process: pid),
            ]
        )
    }

    @Test func h24APassedConnectionIsWorthNoMoreThanToWhomItWasGivenFirst() async throws {
        let (said, taken) = try await run(
            """
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            say("botsPid", elsewhere(bot, lambda: give(theirs, connected())))
            s = taken(ours)
            say("botsByRoot", ask(s, 1), ask(s, 2))
            say("nobodysPid", elsewhere(nobody, lambda: give(theirs, connected())))
            s = taken(ours)
            say("nobodysByRoot", ask(s, 1), ask(s, 2))
            say("rootsPid", elsewhere(0, lambda: give(theirs, connected())))
            s = taken(ours)
            become(nobody)
            say("rootsByNobody", ask(s, 1), ask(s, 2))
            """
        )
        #expect(said["botsByRoot"] == [200, 403], "root got a connection of the bot's, and has the bot's right by it")
        #expect(said["nobodysByRoot"] == [403, 403])
        #expect(said["rootsByNobody"] == [200, 200], "root gave away what root may do: as docs say")
        // Whoever asked: the record names who connected, though that process had ended by then.
        let (bots, roots) = (try #require(said["botsPid"]?.first), try #require(said["rootsPid"]?.first))
        #expect(
            taken == [
                Taken(user: "1", caller: Self.bot, process: bots), Taken(user: "1", caller: 0, process: roots),
                Taken(user: "2", caller: 0, process: roots),
            ]
        )
    }

    @Test func h24WhatIsForkedAndExecutedAfterwardsHasWhatItsParentConnectedWith() async throws {
        let (said, taken) = try await run(
            """
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            s = None
            # The parent is the bot; its child becomes root by nothing but chance, and another program.
            os.setgroups([]); os.setresgid(bot, bot, 0); os.setresuid(bot, bot, 0)
            s = connected()
            say("parent", os.getpid())
            os.setresuid(0, 0, 0)
            text = open("/proc/self/cmdline").read().split("\\0")[2].split("def say")[0]
            text += "s = socket.socket(fileno=int(sys.argv[2])); s.settimeout(60); print('child', ask(s, 1), ask(s, 2))"
            os.set_inheritable(s.fileno(), True)
            child = os.fork()
            if child == 0:
                os.execv(sys.executable, [sys.executable, "-c", text, path, str(s.fileno())])
            assert os.waitpid(child, 0)[1] == 0
            """
        )
        #expect(said["child"] == [200, 403])
        #expect(taken == [Taken(user: "1", caller: Self.bot, process: try #require(said["parent"]?.first))])
    }

    @Test(.enabled(if: access("/proc/sys/kernel/ns_last_pid", W_OK) == 0, "choosing the next process's number"))
    func h24TheNextProcessOfThatNumberLendsNothingToTheConnection() async throws {
        let (said, taken) = try await run(
            """
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            number = elsewhere(bot, lambda: give(theirs, connected()))
            s = taken(ours)
            say("number", number)
            reader, writer = os.pipe()
            child = 0
            for _ in range(10000):
                with open("/proc/sys/kernel/ns_last_pid", "w") as last: last.write(str(number - 1))
                child = os.fork()
                if child == 0:
                    # It is root's, and goes on until the other end is closed.
                    os.close(writer)
                    os.read(reader, 1)
                    os._exit(0)
                if child == number: break
                os.kill(child, 9)
                os.waitpid(child, 0)
            say("again", child)
            say("asked", ask(s, 1), ask(s, 2))
            os.close(writer)
            os.waitpid(child, 0)
            """
        )
        let number = try #require(said["number"]?.first)
        #expect(said["again"] == [number], "the number was not had again: without that this shows nothing")
        #expect(said["asked"] == [200, 403])
        #expect(taken == [Taken(user: "1", caller: Self.bot, process: number)])
    }

    @Test(.enabled(if: namespacesAreMade, "making a user namespace"))
    func h24WhoIsRootInANamespaceOfHisOwnIsNotRoot() async throws {
        let (said, taken) = try await run(
            """
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            def root_of_his_own():
                CLONE_NEWUSER, PR_SET_DUMPABLE = 0x10000000, 4
                libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # or /proc/self would be root's
                assert libc.unshare(CLONE_NEWUSER) == 0, os.strerror(ctypes.get_errno())
                for name, text in (("setgroups", "deny"), ("uid_map", f"0 {nobody} 1"), ("gid_map", f"0 {nobody} 1")):
                    with open(f"/proc/self/{name}", "w") as file: file.write(text)
                assert os.geteuid() == 0
                s = connected()
                say("root", ask(s, 1), ask(s, 2))
            elsewhere(nobody, root_of_his_own)
            """
        )
        #expect(said["root"] == [403, 403])
        #expect(taken.isEmpty)
    }
}
