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
    # names, and what stands between them and their values
    "property": "stripe.api.key={key}",
    "property-yaml": "app.encryption.key: {key}",
    "master-key": "config/master.key: {key}",
    "machine-key": '<machineKey validationKey="{key}" decryptionKey="{word}x1y2" validation="SHA1"/>',
    "headers": '{{"x-api-key":["{key}"],"host":["h"]}}',
    "list": 'API_KEYS = ["{key}", "{word}"]',
    "list-lines": '"tokens": [\n  "{key}",\n  "{word}"\n]',
    "bytes": 'secret := []byte("{key}")',
    "option": 'password: Some("{word}".to_string()),',
    "secret-string": 'Settings(api_key=SecretStr("{key}"))',
    "ruby-or": "ENV['API_TOKEN'] ||= '{key}'",
    "sql-server": "ALTER LOGIN sa WITH PASSWORD = N'{word}'",
    "bicep": "param adminPassword string = '{word}'",
    "sql-declare": "DECLARE @password nvarchar(50) = N'{word}'",
    "here-string": "read -s PW <<< '{word}'",
    "output": '{{"db_password": {{"sensitive": true, "type": "string", "value": "{word}"}}}}',
    "parameter": '{{"Name": "/prod/db_password", "Type": "SecureString", "Value": "{word}"}}',
    "plan": '  ~ password = "{word}" -> "{key}"',
    "var-dump": "  'password' =>\n  string(12) \"{word}\"",
}
LEFT = [
    "password = myDbName",
    "connect(password=userInput, host=h)",
    "pass: ParsesNestedHTTPServer",
    "ok: fm2_short, glc_x",
    "| Password | isHashed |",
    "passwordField = makeTextInput",
    '"password": ["This field is required.", "too_short"]',
    '"password": ["invalid_choice"]',
    '"tokens": ["foo", "bar1"]',
    '{"password": {"type": "string", "default": "x"}}',
    "row.key = abc12def34",
    "cert.private.key = /etc/ssl/a1.pem",
    "self.client.key = make_key(a1b2, c3)",
    "password = str(user_input)",
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
