"""Secrets as tools write them and print them, each with bodies that no pattern knows; and what only looks alike."""

import random
import string

import pytest

from nightschool.day.redact import redact

LETTERS = string.ascii_letters + string.digits
FORMS = {
    # tokens in base64, whose signs end a run of letters
    "fly": 'FLY="FlyV1 fm2_{signs}"',
    "fly-two": "fly: fm2_{signs},fm2_{signs}",
    "bedrock": "bedrock said ABSK{long}/{signs}",
    "sentry": "sentry-cli: sntrys_{long}/{signs}=_{signs}",
    "grafana-cloud": "glc_e1{long}/{signs}",
    "onepassword": "ops_eyJ{long}+{signs}",
    "atlassian": "jira ATATT3xFfGF0{long}={check}",
    # letters alone
    "log": "user=bob password={mingled} host=x",
    "map": "{{user=bob, password={mingled}, host=x}}",
    "npmrc": "//nexus.example/:_password={mingled}",
    "ini": "[smtp]\nuser = a\npass = {mingled}",
    "yaml-pass": "user: admin\npass: {mingled}",
    "php-array": "    [password] => {mingled}",
    "vault": "Key         Value\n---         -----\npassword    {mingled}\nuser        bob",
    "row": "| DB_PASSWORD | {mingled} |",
    "keystore": "keytool -storepass {mingled} -list",
}
LEFT = [
    "password = myDbName",
    "connect(password=userInput, host=h)",
    "pass: ParsesNestedHTTPServer",
    "ok: fm2_short, glc_x",
    "| Password | isHashed |",
    "passwordField = makeTextInput",
]


def bodies(rng):
    """Return random bodies: letters and digits, base64 with its signs, letters alone in both cases."""
    draw = lambda n: "".join(rng.choice(LETTERS) for _ in range(n))  # noqa: E731  short
    return {
        "word": f"Zq7{draw(4)}x5{draw(5)}",
        "key": f"k4B{draw(10)}7t{draw(12)}Q9z",
        "long": f"b2{draw(70)}",
        "signs": f"a1{draw(13)}/{draw(14)}+{draw(12)}7",
        "check": "".join(rng.choice("0123456789ABCDEF") for _ in range(8)),
        "mingled": "".join(rng.choice("BCDFGHJKLM") + rng.choice("qrstvwxz") for _ in range(6)),
    }


@pytest.mark.parametrize("name", FORMS)
def test_no_piece_of_what_a_tool_writes_is_left(name):
    """Of thirty random bodies, no eight characters in a row are left; redacting again changes nothing."""
    rng = random.Random(name)
    for _ in range(30):
        drawn = bodies(rng)
        redacted = redact(FORMS[name].format(**drawn))
        used = [value for key, value in drawn.items() if f"{{{key}}}" in FORMS[name]]
        pieces = [value[at : at + 8] for value in used for at in range(len(value) - 7)]
        assert not [piece for piece in pieces if piece in redacted], redacted
        assert redact(redacted) == redacted


@pytest.mark.parametrize("line", LEFT)
def test_what_only_looks_like_it_is_left_alone(line):
    """Identifiers, tests' outcomes, schemas, talk and short words come out as they went in."""
    assert redact(line) == line
