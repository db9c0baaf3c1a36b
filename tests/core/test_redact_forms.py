"""Forms in which a secret hides from simple patterns: each with bodies that no pattern knows."""

import base64
import random
import string

import pytest

from nightschool.day.redact import redact

LETTERS = string.ascii_letters + string.digits
FORMS = {
    # names, in code, markup, tables and prose
    "aws-configure": "AWS Secret Access Key [None]: {key}",
    "pat": "export AZURE_DEVOPS_EXT_PAT={key}",
    "default-or": "const p = process.env.DB_PASSWORD || '{word}';",
    "python-or": "os.getenv('DB_PASSWORD') or '{word}'",
    "call": 'ds.setPassword("{word}");',
    "r-arrow": 'password <- "{word}"',
    "make": "API_TOKEN ?= {key}",
    "visual-basic": 'Dim password As String = "{word}"',
    "objective-c": 'NSString *password = @"{word}";',
    "rust": 'const PASSWORD: &str = "{word}";',
    "c-array": 'const char password[] = "{word}";',
    "erlang": '{{password, "{word}"}}',
    "hcl": 'variable "db_password" {{\n  default = "{word}"\n}}',
    "state": '"password": {{"value": "{word}"}}',
    "yaml-block": "password: |\n    {word}",
    "toml-raw": "password = '''{word}'''",
    "next-line": "Password:\n{word}",
    "plist": "<key>password</key>\n<string>{word}</string>",
    "soap": '<wsse:Password Type="x">{word}</wsse:Password>',
    "bold": "**Password:** {word}",
    "table-row": "| Password | {word} |",
    "dash": "Password - {word}",
    "changed": "I changed the password from hunter to {word}",
    "snake": "password: blue_{word}",
    "german": "das Passwort ist {word}",
    "french": "mot de passe : {word}",
    "spanish": "contraseña: {word}",
    "portuguese": "a senha é {word}",
    "chinese": "密码：{word}",
    "japanese": "パスワードは {word}",
    "csv": "user,password\nann,{word}\n",
    "markdown-table": "| user | password |\n|---|---|\n| ann | {word} |",
    "psql": " id | password \n----+----------\n  1 | {word}\n",
    "box": "+----+----------+\n| id | password |\n+----+----------+\n|  1 | {word} |\n+----+----------+",
    "insert": "INSERT INTO users (name, password) VALUES ('ann', '{word}');",
    "cluster": "apiVersion: v1\nkind: Secret\ndata:\n  url: {coded}\n",
    # command lines
    "sqlcmd": "sqlcmd -S db -U sa -P '{word}' -Q 'select 1'",
    "zip": "zip -P {word} a.zip b",
    "7z": "7z x a.7z -p{word}",
    "ldap": "ldapsearch -x -D cn=admin -w {word} -b dc=x",
    "openssl": "openssl enc -aes-256-cbc -k {word} -in a",
    "smb": "smbclient //h/s -U ann%{word}",
    "httpie": "http -a ann:{word} https://x",
    "continued": "curl -X POST \\\n  -H 'Accept: x' \\\n  -u ann:{word} \\\n  https://x",
    "array": '["mysql", "-uroot", "-p{word}"]',
    "sudo": "echo {word} | sudo -S apt update",
    "stdin": "echo {word} | docker login -u ann --password-stdin",
    "chpasswd": "echo 'ann:{word}' | chpasswd",
    "store": "aws ssm put-parameter --type SecureString --name x --value {word}",
    "login": "vault login {key}",
    "sqlplus": "sqlplus scott/{word}@ORCL",
    "securestring": "ConvertTo-SecureString '{word}' -AsPlainText -Force",
    "expect": 'spawn ssh ann@h\nexpect "*assword:*"\nsend -- "{word}\\r"\ninteract',
    "expect-block": 'expect {{\n  -re "[Pp]assphrase" {{ send "{word}\\n" }}\n}}',
    "cdata": "<password><![CDATA[{word}]]></password>",
    # addresses, pairs, headers and blocks
    "go-dsn": 'sql.Open("mysql", "root:{word}@tcp(127.0.0.1:3306)/app")',
    "odbc": "Driver={{ODBC}};Server=x;UID=sa;PWD={{{word}}};",
    "pgpass": "*:*:*:postgres:{word}",
    "auth-pair": "requests.get(u, auth=('ann', '{word}'))",
    "credential-pair": 'new NetworkCredential("ann", "{word}")',
    "webhook": "https://chat.example.org/hooks/{key}",
    "jar": ".example.org\tTRUE\t/\tTRUE\t1799999999\tsession_id\t{key}",
    "jar-python": "cookies={{'sessionid': '{key}'}}",
    "jwk": '{{"kty": "EC", "x": "abc", "d": "{key}"}}',
    "crypt": "ann:$2y$12${key}",
    "spare-codes": "Recovery codes:\n1a2b-{word}",
    "base64-login": "$ base64 <<< x\n{login}",
    "diff-key": "------BEGIN EC PRIVATE KEY-----\n-{key}{key}\n------END EC PRIVATE KEY-----",
    "ssh2-key": "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{key}{key}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
    # what nobody sees, other letters, escapes, and tokens in two pieces
    "zero-width": "ghp_{a}\u200b{b}",
    "zero-width-head": "gh\u200bp_{key}",
    "soft-hyphen": "ghp_{a}\u00ad{b}",
    "nul": "ghp_{a}\x00{b}",
    "escaped": "ghp_{a}\\u200b{b}",
    "colour": "\x1b[36mDB_PASSWORD\x1b[0m=\x1b[33m{word}\x1b[0m",
    "wide-colon": "password：{word}",
    "percent": "user%3Dann%26password%3D{word}",
    "percent-mark": "https://x?y=ghp%5F{key}",
    "entity": "&quot;password&quot;: &quot;{word}&quot;",
    "continued-token": "export T=ghp_{a}\\\n{b}",
    "wrapped-token": "ghp_{a}\n{b}\n",
    "joined-token": "T = 'ghp_{a}' + '{b}'",
}
LEFT = [
    "struct spwd *getspnam(const char *name);",
    "extern STACK_OF(SRP_user_pwd) *users;",
    '"pass": "Список имеет 3 элемента",',
    "x.py,sha256=4bqUr8_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789a,14949",
    "ssh -p 2222 ann@host",
    'expect "$ "\nsend "ls -la x1\\r"',
    's.send "GET /password1\\r"',
    "unzip -p archive7.zip file1",
    "mysql -P 3307 -h db1",
    "curl -k https://host1/x",
    "| Password | string | yes |",
    "password:\n  minLength: 8",
    "DB_PASSWORD=\nREDIS_URL=redis://cache1",
    "login as ann on host-17",
    "https://example.org/a%20b%2Fc?x=1%263",
    "user,password\nann,***\n",
    "echo done | sudo tee /etc/x1",
    "const password = usePassword(field2)",
]


def body(rng):
    """Return the bodies a form may use: a password, a key, its halves, and both in base64."""
    draw = lambda n: "".join(rng.choice(LETTERS) for _ in range(n))  # noqa: E731  short
    word, key = f"Zq7{draw(4)}x5{draw(5)}", f"k4B{draw(10)}7t{draw(12)}Q9z"
    halves = {"a": key[:15], "b": f"9f{key[17:]}"}
    coded = base64.b64encode(f"s3-{word}!".encode()).decode()
    return {
        "word": word,
        "key": key,
        "coded": coded,
        "login": base64.b64encode(f"ann:{word}".encode()).decode(),
        **halves,
    }


@pytest.mark.parametrize("name", FORMS)
def test_no_piece_of_a_secret_is_left_in_any_form(name):
    """Of thirty random bodies, no ten characters in a row are left; redacting again changes nothing."""
    rng = random.Random(name)
    for _ in range(30):
        bodies = body(rng)
        redacted = redact(FORMS[name].format(**bodies))
        used = [value for key, value in bodies.items() if f"{{{key}}}" in FORMS[name]]
        pieces = [value[at : at + 10] for value in used for at in range(len(value) - 9)]
        assert not [piece for piece in pieces if piece in redacted], redacted
        assert redact(redacted) == redacted


@pytest.mark.parametrize("line", LEFT)
def test_what_only_looks_like_such_a_form_is_left_alone(line):
    """Pointers, test outcomes, checksums, ports, schemas and empty settings come out as they went in."""
    assert redact(line) == line


@pytest.mark.parametrize("unit", ["echo a | ", " -p", ' -u a:b "-p', "a%3D", "&quot;", "\u200bp", "--|\n", "password,\n", "kind: secret\ndata:\n  a: b\n", "auth(", "eyJa1b2c3d4e5 ", "insert into a (password) values ('a')"])  # fmt: skip
def test_hostile_text_of_these_forms_is_read_in_bounded_time(unit):
    """Nothing here takes more than a few seconds for 64 kB that was made to be slow."""
    import time

    start = time.process_time()
    redact((unit * 65536)[:65536])
    assert time.process_time() - start < 10
