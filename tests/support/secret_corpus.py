"""Synthetic secrets in three contexts each, and lines that only talk about secrets.

Every mark is put together from parts and every body comes from a seeded generator, so nothing here is or looks like a
real credential to a scanner of repositories.
"""

import base64
import json
import random
import string
from typing import NamedTuple

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
B64 = ALNUM + "+/"


class Case(NamedTuple):
    kind: str
    context: str  # prose, shell or output
    secret: str
    text: str


def _some(rng, alphabet, length):
    """Random characters with at least one digit and one letter, as every real key has."""
    body = [rng.choice(alphabet) for _ in range(length)]
    body[1], body[length // 2] = "7", next(c for c in alphabet if c.isalpha())
    return "".join(body)


def _marked(*parts, alphabet=ALNUM, length=36, end=""):
    return lambda rng: "".join(parts) + _some(rng, alphabet, length) + end


def _jwt(rng):
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(json.dumps({"sub": rng.randrange(10**9)}).encode()).decode().rstrip("=")
    return f"{head}.{body}.{_some(rng, ALNUM, 43)}"


def _pem(name, *, end=True):
    def make(rng):
        lines = [_some(rng, B64, 64) for _ in range(5)] + [_some(rng, B64, 30) + "=="]
        first, last = ("-----" + word + f" {name}-----" for word in ("BEGIN", "END"))
        return "\n".join([first, *lines, *([last] if end else [])])

    return make


def _password(rng):
    return rng.choice(["Tr0ub", "hunt3r", "S3cret", "pa55w"]) + _some(rng, ALNUM, 6) + rng.choice("!$*+")


def _plain_password(rng):
    return rng.choice(["hunter", "dragon", "monkey"]) + str(rng.randrange(2, 999))


def _aws_secret(rng):
    return _some(rng, ALNUM, 20) + "/" + _some(rng, ALNUM, 19)


def _credentials(rng):
    return base64.b64encode(f"deploy:{_some(rng, ALNUM, 12)}".encode()).decode()


def _uuid(rng):
    return "-".join(_some(rng, HEX, n) for n in (8, 4, 4, 4, 12))


MARKED = {
    "anthropic": _marked("sk-", "ant-", "api03-", alphabet=ALNUM + "_-", length=90),
    "openai-project": _marked("sk-", "proj-", alphabet=ALNUM + "_-", length=60),
    "openai-legacy": _marked("sk", "-", length=48),
    "openrouter": _marked("sk-", "or-", "v1-", alphabet=HEX, length=64),
    "github-personal": _marked("gh", "p_"),
    "github-oauth": _marked("gh", "o_"),
    "github-server": _marked("gh", "s_"),
    "github-user": _marked("gh", "u_"),
    "github-refresh": _marked("gh", "r_"),
    "github-fine-grained": _marked("github", "_pat_", length=82),
    "gitlab-personal": _marked("gl", "pat-", length=20),
    "gitlab-runner": _marked("gl", "rt-", length=20),
    "aws-key-id": _marked("AK", "IA", alphabet=UPPER, length=16),
    "aws-session-key-id": _marked("AS", "IA", alphabet=UPPER, length=16),
    "google-api": _marked("AI", "za", length=35),
    "google-client-secret": _marked("GOC", "SPX-", length=28),
    "stripe-secret": _marked("sk_", "live_", length=24),
    "stripe-restricted": _marked("rk_", "live_", length=24),
    "stripe-webhook": _marked("wh", "sec_", length=32),
    "slack-bot": lambda rng: (
        "xo" + f"xb-{rng.randrange(10**11, 10**12)}-{rng.randrange(10**12)}-{_some(rng, ALNUM, 24)}"
    ),
    "slack-user": lambda rng: "xo" + f"xp-{rng.randrange(10**11, 10**12)}-{_some(rng, ALNUM, 32)}",
    "slack-app": lambda rng: "xa" + f"pp-1-A{_some(rng, UPPER, 9)}-{rng.randrange(10**12)}-{_some(rng, HEX, 64)}",
    "slack-webhook": lambda rng: (
        "https://hooks.sl" + f"ack.com/services/T{_some(rng, UPPER, 8)}/B{_some(rng, UPPER, 8)}/{_some(rng, ALNUM, 24)}"
    ),
    "discord-bot": lambda rng: f"M{_some(rng, ALNUM, 23)}.{_some(rng, ALNUM, 6)}.{_some(rng, ALNUM, 38)}",
    "discord-webhook": lambda rng: (
        "https://discord.com/api/web" + f"hooks/{rng.randrange(10**17, 10**18)}/{_some(rng, ALNUM, 68)}"
    ),
    "telegram-bot": lambda rng: f"{rng.randrange(10**9, 10**10)}:A" + "A" + _some(rng, ALNUM, 33),
    "twilio-key": _marked("S", "K", alphabet=HEX, length=32),
    "twilio-account": _marked("A", "C", alphabet=HEX, length=32),
    "sendgrid": lambda rng: "S" + f"G.{_some(rng, ALNUM, 22)}.{_some(rng, ALNUM, 43)}",
    "mailgun": _marked("ke", "y-", alphabet=HEX, length=32),
    "mailchimp": _marked(alphabet=HEX, length=32, end="-us" + "14"),
    "npm": _marked("np", "m_"),
    "pypi": _marked("py", "pi-", "AgEIcHlwaS5vcmc", length=60),
    "huggingface": _marked("h", "f_", length=34),
    "replicate": _marked("r", "8_", length=37),
    "groq": _marked("gs", "k_", length=52),
    "digitalocean": _marked("do", "p_v1_", alphabet=HEX, length=64),
    "heroku": _marked("HR", "KU-", length=36),
    "shopify": _marked("sh", "pat_", alphabet=HEX, length=32),
    "square": _marked("sq0", "atp-", length=22),
    "linear": _marked("lin_", "api_", length=40),
    "notion": _marked("nt", "n_", length=46),
    "notion-old": _marked("sec", "ret_", length=43),
    "databricks": _marked("da", "pi", alphabet=HEX, length=32),
    "vault": _marked("hv", "s.", length=24),
    "age": _marked("AGE-SECRET", "-KEY-1", alphabet=UPPER, length=58),
    "jwt": _jwt,
    "pem-rsa": _pem("RSA PRIVATE" + " KEY"),
    "pem-openssh": _pem("OPENSSH PRIVATE" + " KEY"),
    "pem-truncated": _pem("PRIVATE" + " KEY", end=False),
    "pgp": _pem("PGP PRIVATE" + " KEY BLOCK"),
    "atlassian": _marked("ATA", "TT3", length=100),
    "grafana": _marked("gl", "sa_", length=41),
    "terraform": lambda rng: _some(rng, ALNUM, 14) + ".atlas" + f"v1.{_some(rng, ALNUM, 64)}",
    "docker-hub": _marked("dckr_", "pat_", length=27),
    "supabase": _marked("sb", "p_", alphabet=HEX, length=40),
    "nvidia": _marked("nv", "api-", length=64),
}

WRAPS = {
    "prose": "please use {} for the deploy, the old one broke yesterday",
    "shell": "cd /srv/app && echo '{}' | tool login --stdin",
    "output": "step 1 of 3\n  found {}\ndone in 0.4s",
}

# kind: (maker, prose, shell, output); `{}` is where the secret goes
PLACED = {
    "aws-secret-key": (
        _aws_secret,
        "the aws secret access key is {} if you need it",
        "aws configure set aws_secret_access_key {}",
        '{{"AccessKey": {{"SecretAccessKey": "{}", "Status": "Active"}}}}',
    ),
    "azure-account-key": (
        lambda rng: _some(rng, B64, 86) + "==",
        "connect with DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=core.windows.net please",
        "az storage blob list --account-name a --account-key {}",
        '"AzureWebJobsStorage": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={}"',
    ),
    "azure-sas": (
        lambda rng: _some(rng, ALNUM, 40) + "%3D",
        "see https://a.blob.core.windows.net/c?sv=2022-11-02&sp=r&sig={}",
        "azcopy copy 'https://a.blob.core.windows.net/c?sv=2022-11-02&sig={}' .",
        '{{"url": "https://a.blob.core.windows.net/c?sp=rl&sig={}"}}',
    ),
    "gcp-service-account": (
        lambda rng: _pem("PRIVATE" + " KEY")(rng).replace("\n", "\\n"),
        'my key file says "private_key": "{}\\n" and fails',
        'echo \'{{"type": "service_account", "private_key": "{}\\n"}}\' > sa.json',
        '{{\\"type\\": \\"service_account\\", \\"private_key\\": \\"{}\\\\n\\"}}',
    ),
    "heroku-uuid": (
        _uuid,
        "my heroku api key is set: HEROKU_API_KEY={}",
        "HEROKU_API_KEY={} heroku apps",
        '{{"heroku_api_key": "{}"}}',
    ),
    "postgres-url": (
        _password,
        "the database is postgres://app:{}@db.internal:5432/app",
        "psql 'postgresql://app:{}@localhost/app' -c 'select 1'",
        '{{"DATABASE_URL": "postgres://app:{}@db/app?sslmode=require"}}',
    ),
    "mysql-url": (
        _password,
        "use mysql://root:{}@127.0.0.1:3306/shop",
        "export DATABASE_URL=mysql+pymysql://root:{}@db/shop",
        "sqlalchemy.exc.OperationalError: mysql://root:{}@db/shop",
    ),
    "redis-url": (
        _password,
        "cache at redis://:{}@cache:6379/0",
        "redis-cli -u redis://default:{}@cache:6379 ping",
        '"broker": "rediss://:{}@cache:6380/1"',
    ),
    "mongodb-url": (
        _password,
        "it is mongodb+srv://svc:{}@cluster0.mongodb.net/prod",
        "mongosh 'mongodb://svc:{}@a:27017,b:27017/prod?replicaSet=rs0'",
        '{{\\"uri\\": \\"mongodb+srv://svc:{}@cluster0.mongodb.net\\"}}',
    ),
    "amqp-url": (
        _password,
        "broker amqp://guest:{}@mq:5672//",
        "celery -b amqp://worker:{}@mq// worker",
        "[error] cannot reach amqps://worker:{}@mq:5671",
    ),
    "https-basic-auth": (
        _password,
        "clone https://bot:{}@git.example.org/a/b.git",
        "git push https://bot:{}@git.example.org/a/b.git HEAD",
        "origin\thttps://bot:{}@git.example.org/a/b.git (fetch)",
    ),
    "authorization-bearer": (
        _marked(length=30),
        "send Authorization: Bearer {} with it",
        "curl -H 'Authorization: Bearer {}' https://api.example.org",
        '{{"headers": {{"Authorization": "Bearer {}"}}}}',
    ),
    "bare-bearer": (
        _marked(length=24),
        "the header was Bearer {} I think",
        'http GET api.example.org "auth:Bearer {}"',
        "> bearer {}\n< 401",
    ),
    "basic-header": (
        _credentials,
        "it sends Basic {} which is wrong",
        "curl -H 'Authorization: Basic {}' https://example.org",
        '{{"authorization": ["Basic {}"]}}',
    ),
    "cookie": (
        _marked(length=32),
        "my browser sends Cookie: theme=dark; sessionid={}",
        "curl --cookie 'session={}; lang=en' https://example.org",
        "< Set-Cookie: sid={}; Path=/; HttpOnly",
    ),
    "db-pass": (
        _plain_password,
        "I set DB_PASS={} in the env file",
        "DB_PASS={} ./manage.py migrate",
        "environment:\n  - DB_PASS={}\n  - DB_USER=app",
    ),
    "pgpassword": (
        _password,
        "try PGPASSWORD={} psql -h db",
        "PGPASSWORD='{}' pg_dump -h db app > app.sql",
        '{{"env": {{"PGPASSWORD": "{}"}}}}',
    ),
    "password-yaml": (
        _plain_password,
        "the config has password: {}",
        "printf 'password: {}\\n' >> config.yml",
        "database:\n  user: app\n  password: {}\n  host: db",
    ),
    "password-prose": (
        _plain_password,
        "log in as admin, the password is {}",
        "# the password for admin is '{}'",
        "New password was set. Your password is: {}\n",
    ),
    "password-flag": (
        _password,
        "run it with --password {} please",
        "tool login --user bob --password {}",
        '["tool", "--password", "{}"]',
    ),
    "mysql-flag": (
        _plain_password,
        "use mysql -uroot -p{} shop",
        "mysqldump -h db -u root -p'{}' shop > shop.sql",
        "$ mysql -uroot -p{} -e 'show tables'\nERROR 1045",
    ),
    "netrc": (
        _plain_password,
        "my netrc: machine git.example.org login bob password {}",
        "echo 'machine git.example.org login bob password {}' > ~/.netrc",
        "machine git.example.org\n  login bob\n  password {}\n",
    ),
    "exported-token": (
        _marked(length=24),
        "put export FOO_TOKEN={} in your profile",
        "export FOO_TOKEN={} && make release",
        '{{"command": "export FOO_TOKEN=\\"{}\\" && make"}}',
    ),
    "api-key-json": (
        _marked(length=24),
        'the body was {{"api_key": "{}"}}',
        'curl -d \'{{"api_key": "{}"}}\' https://example.org',
        '{{\\"api_key\\": \\"{}\\", \\"id\\": 1}}',
    ),
    "secret-yaml": (
        _marked(length=28),
        "values.yaml has clientSecret: {}",
        "helm upgrade app . --set auth.clientSecret={}",
        "auth:\n  clientSecret: {}\n  issuer: https://id.example.org",
    ),
    "curl-user": (
        _password,
        "call curl -u admin:{} https://example.org",
        "curl -s -u 'admin:{}' https://example.org/health",
        "+ curl --user admin:{} https://example.org\n401",
    ),
    "dsn": (
        _password,
        "it is Server=db;Database=app;User Id=sa;Password={};Encrypt=true",
        "psql 'host=db user=app password={} dbname=app'",
        '"ConnectionString": "Server=db;Uid=sa;Pwd={};"',
    ),
    "docker-auth": (
        _credentials,
        'my docker config: {{"auths": {{"ghcr.io": {{"auth": "{}"}}}}}}',
        'echo \'{{"auths":{{"ghcr.io":{{"auth":"{}"}}}}}}\' > config.json',
        '{{\n  "auths": {{\n    "ghcr.io": {{\n      "auth": "{}"\n    }}\n  }}\n}}',
    ),
    "named-private-key": (
        lambda rng: _some(rng, B64, 43) + "=",
        "wg0.conf has PrivateKey = {}",
        "export SIGNING_PRIVATE_KEY={}",
        '{{"private_key": "{}"}}',
    ),
    "query-token": (
        _marked(length=22),
        "open https://example.org/feed?token={}&page=2",
        "wget 'https://example.org/feed?page=2&access_token={}'",
        "GET /feed?api_key={} 200 OK",
    ),
    "header-key": (
        _marked(length=26),
        "send the header X-Api-Key: {}",
        'curl -H "PRIVATE-TOKEN: {}" https://git.example.org/api/v4/user',
        '{{"headers": {{"X-Auth-Token": "{}"}}}}',
    ),
    "code-literal": (
        _marked(length=26),
        'I wrote api_key = "{}" in the settings',
        "python -c \"import app; app.run(token='{}')\"",
        '12\tos.environ["SERVICE_TOKEN"] = "{}"\n13\tmain()',
    ),
}


def cases(seed=20):
    """Every kind in every context."""
    rng = random.Random(seed)
    made = []
    for kind, make in MARKED.items():
        for context, wrap in WRAPS.items():
            secret = make(rng)
            made.append(Case(kind, context, secret, wrap.format(secret)))
    for kind, (make, *templates) in PLACED.items():
        for context, template in zip(WRAPS, templates, strict=True):
            secret = make(rng)
            made.append(Case(kind, context, secret, template.format(secret)))
    return made


SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

BENIGN = f"""\
token budgets-v2 are fine
secret = compute(x)
max_tokens=4096
"max_tokens": 128000, "total_tokens": 123456789
password = os.environ["PW"]
token: str
def f(token: str = "", *, api_key: str | None = None) -> None:
if token is None:
api_key=None
TOKEN=${{TOKEN}}
export GITHUB_TOKEN=$(gh auth token)
export API_KEY="$OTHER_KEY"
password: ""
password = ''
def reset_password(user):
password = getpass.getpass("Password: ")
sha256 {SHA}
commit {SHA[:40]}
"sha": "{SHA[:40]}", "tree": "{SHA[10:50]}"
git checkout {SHA[:40]}
session 6f1c1a52-8f7e-4a52-9d3e-0f2b7c1d9e55 resumed
"request_id": "6f1c1a52-8f7e-4a52-9d3e-0f2b7c1d9e55"
![x](data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk)
"integrity": "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
/usr/lib/python3/dist-packages/secretstorage/token_2024_backup.py
Bearer token authentication
Authorization: Bearer <token>
Authorization: Bearer $TOKEN
headers = {{"Authorization": f"Bearer {{token}}"}}
the bearer of this letter
<your-api-key>
api_key: <your-api-key>
OPENAI_API_KEY=sk-...
OPENAI_API_KEY=your-api-key-here
ANTHROPIC_API_KEY=sk-ant-xxxxxxxxxxxxxxxxxxxx
token=xxxx
password=<password>
password=********
the password is wrong
the password is too short
the password must be changed
Your password is incorrect, please try again.
the token is expired, refresh it first
reset the password for the user and send a mail
password: str = Field(min_length=8)
self.password = password
password=password, token=token)
if password == confirm_password:
password_hash = "{SHA}"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
tokens = text.split()
eos_token="<|endoftext|>", pad_token_id=50256
next_page_token: null
secretName: app-tls
secretKeyRef: {{name: app, key: token}}
const token = localStorage.getItem("token")
const apiKey = process.env.API_KEY
key = lambda item: item.value
primary_key = True
cache_key = f"user:{{user_id}}:v2"
sort_key="created_at_2024"
public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2f3g4h5i6j7k8l9m0n1o2p3q4r5s6t7u8v"
password: string;
password?: string
"password": {{"type": "string", "minLength": 8}}
password: required
--password-file /run/secrets/db
--- PASS: TestLogin2 (0.00s)
PASS: test_token_2
pass: 120, fail: 3
PWD=/srv/app2
mkdir -p build2 && cp -pr a1 b2
docker run -p 8080:80 -u 1000:1000 app
psql -p 5433 -U app
https://example.org:8443/path@2
git@github.com:owner/repo.git
http://localhost:3000/users?page=2&sort=key
cookie = SimpleCookie()
Set-Cookie: theme=dark; Path=/
the secret of good code is tests
private_key = rsa.generate_private_key(65537, 2048)
if line.startswith("-----BEGIN PRIVATE KEY-----"):
"-----BEGIN CERTIFICATE-----"
from secrets import token_hex
SECRET_KEY = config("SECRET_KEY")
credentials = load_credentials(path2)
sk-toggleable__content sk-estimator-doc-link
AKIAXXXXXXXXXXXXXXXX
xoxb-your-token-here
class TokenType2(Enum): STRING = 3
password_reset_timeout = 259200
https://user:${{PASSWORD}}@example.org
postgres://<user>:<password>@<host>/<db>
[redacted:github-token]
""".splitlines()
