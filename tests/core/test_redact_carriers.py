"""Secrets as tools write them and print them, each with bodies that no pattern knows; and what only looks alike."""

import random
import string

import pytest

from nightschool.day.redact import redact

LETTERS = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
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
    # what tools tell, and are told in its place
    "approle": "secret_id             {uuid}\nsecret_id_accessor    0f1a",
    "nomad": "Accessor ID  = 1b2c\nSecret ID    = {uuid}",
    "bitwarden": 'export BW_SESSION="{signs}{signs}=="',
    "nuget": "dotnet nuget push a.nupkg -k oy2{lower43} -s https://h",
    "twilio": "Client('AC{hex}', '{hex}')",
    "braintree": "BT=access_token$production${lower16}${hex}",
    "snyk": "snyk auth {uuid}",
    "zapier": "https://hooks.zapier.com/hooks/catch/123456/{lower16}/",
    "ifttt": "https://maker.ifttt.com/trigger/x/with/key/{key}",
    "calendar": "https://calendar.google.com/calendar/ical/a/private-{hex}/basic.ics",
    "accounts": 'accounts: ["0x{hex}{hex}", "0x{hex}{hex}"]',
    "anvil": "Private Keys\n==================\n(0) 0x{hex}{hex}\n(1) 0x{hex}{hex}",
    "extended-key": "master xprv9s21ZrQH143K{base58}",
    "dumped-key": "$ bitcoin-cli dumpprivkey addr\nK{base51}",
    "basic-echo": "echo -n 'svc:{word}' | base64",
    "scram": "SCRAM-SHA-256$4096:{signs}=={signs}${signs}=:{signs}=",
    "poetry": "poetry config http-basic.acme bob {word}",
    "rabbit": "rabbitmqctl add_user bob {word}",
    "net-user": "net user bob {word} /add",
    "net-use": "net use Z: \\\\srv\\x /user:bob {word}",
    "erlang-cookie": "erl -sname a -setcookie {key}",
    "psexec": "psexec \\\\h -u ACME\\bob -p {word} cmd",
    "pdo": "new PDO('mysql:host=x', 'root', '{word}');",
    "java-auth": 'new PasswordAuthentication("bob", "{word}".toCharArray())',
    "join": "kubeadm join 10.0.0.1:6443 --token {join}",
    "netsh": "    Key Content            : {word}",
    "wifi-code": "WIFI:T:WPA;S:Home;P:{word};;",
    "vault-text": "pw: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  {hex}{hex}\n  {hex}",
    "random": '"type": "random_password", "attributes": {{"length": 20, "result": "{word}"}}',
    "app-password": "gmail app password: {four} {four} {four} {four}",
    "numbered": "Recovery phrase\n{numbered}",
    "keygen": "Save this seed phrase to recover your new keypair:\n{phrase}\n====",
    "salt": "define('AUTH_KEY',         '{ugly}');",
    "first-login": "Please use the following password to proceed to installation:\n\n{hex}\n\nIt is also in a file",
    "temporary": "A temporary password is generated for root@localhost: {word};<",
    "form": 'Content-Disposition: form-data; name="password"\r\n\r\n{word}\r\n--x',
    "login-with": "login with admin / {word}",
    "wrapped-header": 'curl -H "Authorization: Bearer \\\n{key}"',
    "wrapped-token": "token eyJhbGciOiJIUzI1NiJ9.e{long}\n{long}\n{key}",
    "list-yaml": "passwords:\n  - {word}\n  - {key}\n",
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
    "token_variants = ['+i6t-not-inline', '+i6t-inline']",
    "tx 0x8f3c2a91bb7e4d6f8f3c2a91bb7e4d6f8f3c2a91bb7e4d6f8f3c2a91bb7e4d6f was mined",
    "The secret_id is the name of the secret in AWS.",
    "echo hello1 | base64",
    "GET /key/words-of-a-page-without-digits",
    "Here is what we know about the password rules:\n\n    must-have-eight-characters\n",
]


def drawn(rng, signs, number):
    """Return that many random signs."""
    return "".join(rng.choice(signs) for _ in range(number))


def bodies(rng):
    """Return random bodies: letters and digits, base64 with its signs, letters alone in both cases."""
    return {
        "word": f"Zq7{drawn(rng, LETTERS, 4)}x5{drawn(rng, LETTERS, 5)}",
        "key": f"k4B{drawn(rng, LETTERS, 10)}7t{drawn(rng, LETTERS, 12)}Q9z",
        "long": f"b2{drawn(rng, LETTERS, 70)}",
        "signs": f"a1{drawn(rng, LETTERS, 13)}/{drawn(rng, LETTERS, 14)}+{drawn(rng, LETTERS, 12)}7",
        "check": drawn(rng, "0123456789ABCDEF", 8),
        "uuid": "-".join(drawn(rng, "0123456789abcdef", n) for n in (8, 4, 4, 4, 12)),
        "hex": drawn(rng, "0123456789abcdef", 32),
        "lower16": f"x7{drawn(rng, LOWER, 14)}",
        "lower43": f"x7{drawn(rng, LOWER, 41)}",
        "join": f"a7{drawn(rng, LOWER, 4)}.b3{drawn(rng, LOWER, 14)}",
        "base58": drawn(rng, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 95),
        "base51": drawn(rng, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 51),
        "four": drawn(rng, string.ascii_lowercase, 4),
        "numbered": "\n".join(f"{n}. {drawn(rng, string.ascii_lowercase, 6)}" for n in range(1, 13)),
        "phrase": " ".join(drawn(rng, string.ascii_lowercase, 6) for _ in range(12)),
        "ugly": f"7Q {drawn(rng, LETTERS + 3 * '!#^*&@+~', 60)}!#%^*&@+",
        "mingled": "".join(rng.choice("BCDFGHJKLM") + rng.choice("qrstvwxz") for _ in range(6)),
    }


@pytest.mark.parametrize("name", FORMS)
def test_no_piece_of_what_a_tool_writes_is_left(name):
    """Of thirty random bodies, no eight characters in a row are left; redacting again changes nothing."""
    rng = random.Random(name)
    for _ in range(30):
        made = bodies(rng)
        redacted = redact(FORMS[name].format(**made))
        used = [value for key, value in made.items() if f"{{{key}}}" in FORMS[name]]
        pieces = [value[at : at + 8] for value in used for at in range(max(1, len(value) - 7))]
        assert not [piece for piece in pieces if piece in redacted], redacted
        assert redact(redacted) == redacted


@pytest.mark.parametrize("line", LEFT)
def test_what_only_looks_like_it_is_left_alone(line):
    """Identifiers, tests' outcomes, schemas, talk and short words come out as they went in."""
    assert redact(line) == line
