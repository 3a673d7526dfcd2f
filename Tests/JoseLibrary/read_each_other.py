# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""Lets joserfc and column-probe read what the other one sealed, with keys that column-probe made; then does the same with the
Rails format, by what Python has for its parts. Argument 1 is column-probe, 2 a folder for keys and settings."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import subprocess
import sys
import zlib

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey
from joserfc.registry import HeaderParameter

PROBE, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
PLACE = {"environment": "production", "column": "refresh_token", "row": "4\u00e92\"\\"}
SECRETS = ["", "token", "eyJhbGciOiJFZERTQSJ9." + "x" * 600 + ".sig", "\u00e9\U0001f600", "a" * 140, "a" * 141, "\u00e9" * 71]


class Probe:
    """A column-probe that answers line by line."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([PROBE, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **question):
        self.process.stdin.write(json.dumps({**PLACE, **question}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(timeout=30) == 0


# The members that bind a value have to be made known: joserfc refuses what it does not know.
REGISTRY = jwe.JWERegistry(
    header_registry={name: HeaderParameter(name, "str", True) for name in ("env", "col", "row")},
    algorithms=["dir", "A256GCM"],
)


def header(kid, **changes):
    members = {
        "alg": "dir", "enc": "A256GCM", "kid": kid,
        "env": PLACE["environment"], "col": PLACE["column"], "row": PLACE["row"],
    }
    return {**members, **changes}


def keygen(*arguments):
    """A set with one more key, kept in a file: its name, and the keys as joserfc has them."""
    text = subprocess.run([PROBE, "keygen", *arguments], check=True, capture_output=True, text=True).stdout
    path = FOLDER / f"keys-{len(json.loads(text)['keys'])}.json"
    path.write_text(text)
    return str(path), KeySet.import_key_set(json.loads(text))


def joserfc_opens_what_we_seal(path, keys):
    with Probe("jwe", path) as probe:
        for secret in SECRETS:
            opened = jwe.decrypt_compact(probe.ask(seal=secret)["stored"], keys, registry=REGISTRY)
            assert opened.plaintext == secret.encode(), secret
            assert opened.protected == header(keys.keys[0].kid), opened.protected


def joserfc_notices_a_changed_header(path, keys):
    with Probe("jwe", path) as probe:
        stored = probe.ask(seal="token")["stored"]
    changed = json.dumps(header(keys.keys[0].kid, row="43"), separators=(",", ":")).encode()
    moved = base64.urlsafe_b64encode(changed).rstrip(b"=").decode() + stored[stored.index(".."):]
    try:
        jwe.decrypt_compact(moved, keys, registry=REGISTRY)
    except JoseError:
        return
    raise AssertionError("a moved value opened")


def we_open_what_joserfc_seals(path, keys):
    with Probe("jwe", path) as probe:
        for key in keys.keys:
            for secret in SECRETS:
                stored = jwe.encrypt_compact(header(key.kid), secret, key, registry=REGISTRY)
                assert probe.ask(open=stored) == {"secret": secret, "key": key.kid}
            # Other order of the members, and a place that is not the one it stands in.
            turned = dict(reversed(header(key.kid).items()))
            stored = jwe.encrypt_compact(turned, "token", key, registry=REGISTRY)
            assert probe.ask(open=stored) == {"secret": "token", "key": key.kid}
            stored = jwe.encrypt_compact(header(key.kid, row="43"), "token", key, registry=REGISTRY)
            assert probe.ask(open=stored) == {"fault": "was sealed for another row"}


def a_key_that_joserfc_made_seals():
    key = OctKey.generate_key(256, {"kid": "made-by-joserfc", "use": "enc"})
    path = FOLDER / "joserfc.json"
    path.write_text(json.dumps(KeySet([key]).as_dict(private=True)))
    with Probe("jwe", str(path)) as probe:
        stored = probe.ask(seal="token")["stored"]
    assert jwe.decrypt_compact(stored, key, registry=REGISTRY).plaintext == b"token"


class Rails:
    """The format by its description, with the parts that Python has: no line of it is ours elsewhere."""

    def __init__(self, password, salt, digest):
        self.key = hashlib.pbkdf2_hmac(digest, password.encode(), salt.encode(), 65536, 32)
        self.identifier = hashlib.sha1(self.key).hexdigest()[:4]

    def open(self, stored):
        message = json.loads(stored)
        sealed, nonce, tag = (
            base64.b64decode(text, validate=True) for text in (message["p"], message["h"]["iv"], message["h"]["at"])
        )
        text = AESGCM(self.key).decrypt(nonce, sealed + tag, None)
        return (zlib.decompress(text) if message["h"].get("c") else text).decode()

    def seal(self, secret, deterministic=False, names_key=False):
        text = secret.encode()
        compressed = len(text) > 140
        if compressed:
            text = zlib.compress(text)
        nonce = hmac.digest(self.key, text, "sha256")[:12] if deterministic else os.urandom(12)
        box = AESGCM(self.key).encrypt(nonce, text, None)
        headers = {"iv": b64(nonce), "at": b64(box[-16:])}
        if names_key:
            headers["i"] = b64(self.identifier.encode())
        if compressed:
            headers["c"] = True
        return json.dumps({"p": b64(box[:-16]), "h": headers}, separators=(",", ":"))


def b64(data):
    return base64.b64encode(data).decode()


def rails_both_ways(digest, names_key):
    settings = {
        "primaryKeys": ["older password", "newer password"], "deterministicKey": "password of searched columns",
        "keyDerivationSalt": "some salt", "hashDigest": digest, "storeKeyReferences": names_key,
    }
    path = FOLDER / f"rails-{digest}-{names_key}.json"
    path.write_text(json.dumps(settings))
    older, newer, searched = (
        Rails(password, settings["keyDerivationSalt"], digest)
        for password in [*settings["primaryKeys"], settings["deterministicKey"]]
    )
    with Probe("rails", str(path)) as probe:
        for secret in SECRETS:
            assert newer.open(probe.ask(seal=secret)["stored"]) == secret
            for key in (older, newer, searched):
                stored = key.seal(secret, names_key=names_key)
                assert probe.ask(open=stored) == {"secret": secret, "key": key.identifier}
            stored = probe.ask(seal=secret, deterministic=True)["stored"]
            assert stored == searched.seal(secret, deterministic=True, names_key=names_key), stored


def main():
    path, keys = keygen()
    path, keys = keygen(path)
    assert len(keys.keys) == 2
    joserfc_opens_what_we_seal(path, keys)
    joserfc_notices_a_changed_header(path, keys)
    we_open_what_joserfc_seals(path, keys)
    a_key_that_joserfc_made_seals()
    for digest in ("sha256", "sha1"):
        for names_key in (False, True):
            rails_both_ways(digest, names_key)
    print(f"{len(SECRETS)} secrets, each sealed by one and opened by the other, in both formats and both ways")


main()
