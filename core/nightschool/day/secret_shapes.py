r"""What secrets look like: token prefixes, and the places where a secret stands.

Prefixes and lengths follow the providers' own documentation and the public rule sets of gitleaks and
detect-secrets. Two kinds of pattern, both linear in the text:

- `TOKENS`: what begins with its issuer's mark (`ghp_…`, `AKIA…`). They are tried only inside a `RUN`, sixteen or more
  token characters in a row, which are few in code and prose.
- `PLACES`: what is known by its surroundings (`://user:…@`, a PEM block). Each starts with a literal, so that the
  search costs as much as `str.find`; each repetition that can fail is bounded, or stops at what starts the next match.

Places are searched in the text in lower case; a `check` is given the text as it was written.
"""

# ruff: noqa: PLR2004  lengths are part of a shape

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import NamedTuple

Span = tuple[int, int, str]
"""Where a secret begins and ends, and its kind."""

MARK = "[redacted:"
"""What every placeholder begins with."""

RUN = re.compile(r"[A-Za-z0-9_.:-]{16,}")

# kind, edge, heads, tail. Edge: `a` not after a letter or digit, `w` nor after `_`; `#` a digit must be in it.
_TOKENS = r"""
anthropic-key       -  sk-ant-  [\w-]{9,}
openai-key          a  sk-proj-,sk-svcacct-,sk-admin-,sk-None-,sk-service-  [\w-]{12,}
openrouter-key      a  sk-or-  [\w-]{16,}
langfuse-key        a  sk-lf-  [\w-]{16,}
openai-key          a# sk-  [A-Za-z0-9]{18,}
github-token        -  ghp_,gho_,ghu_,ghs_,ghr_  [A-Za-z0-9]{12,}
github-token        -  github_pat_  \w{12,}
gitlab-token        -  glpat-,glrt-  [\w.-]{12,}
gitlab-token        -# glptt-,glrtr-,gldt-,glcbt-,gloas-,glimt-,glagent-,glsoat-,glffct-,glft-  [\w.-]{12,}
gitlab-token        -  GR1348941  [\w-]{16,}
aws-access-key-id   a  AKIA,ASIA,ABIA,ACCA  [A-Z0-9]{16}(?![A-Za-z0-9])
aws-bedrock-key     a  ABSK  [A-Za-z0-9]{60,}
google-api-key      -  AIza  [\w-]{30,}
google-oauth        -  GOCSPX-,ya29.  [\w-]{16,}
stripe-key          a  sk_live_,rk_live_,sk_test_,rk_test_,sk_prod_,rk_prod_  [A-Za-z0-9]{8,}
elevenlabs-key      w  sk_  [0-9a-f]{40,}
slack-token         a  xoxa-,xoxb-,xoxc-,xoxd-,xoxe-,xoxe.,xoxo-,xoxp-,xoxr-,xoxs-,xapp-  [A-Za-z0-9-]{8,}
twilio-key          a  SK,AC  [0-9a-f]{32}(?![A-Za-z0-9])
sendgrid-key        a  SG.  [\w-]{12,}\.[\w-]{12,}
mailgun-key         w# key-  [0-9a-z]{28,}
brevo-key           -  xkeysib-  [0-9a-f]{32,}[\w-]*
npm-token           -  npm_  [A-Za-z0-9]{30,}
pypi-token          a  pypi-AgE  [\w-]{12,}
pypi-token          a# pypi-  [\w-]{40,}
rubygems-key        -  rubygems_  [0-9a-f]{32,}
cargo-token         a# cio  [A-Za-z0-9]{32}(?!\w)
docker-token        -  dckr_pat_,dckr_oat_  [\w-]{16,}
huggingface-token   w  hf_,api_org_  [A-Za-z0-9]{20,}
replicate-token     w  r8_  [A-Za-z0-9]{20,}
groq-key            w  gsk_  [A-Za-z0-9]{20,}
xai-key             w  xai-  [A-Za-z0-9]{30,}
perplexity-key      a  pplx-  [A-Za-z0-9]{20,}
nvidia-key          a  nvapi-  [\w-]{20,}
together-key        a  tgp_v1_  [\w-]{20,}
pinecone-key        a  pcsk_  \w{20,}
langsmith-key       a  lsv2_pt_,lsv2_sk_  \w{16,}
tavily-key          a# tvly-  [\w-]{16,}
e2b-key             w  e2b_  [0-9a-f]{32,}
digitalocean-token  -  dop_v1_,doo_v1_,dor_v1_  [0-9a-f]{20,}
heroku-key          -  HRKU-  [\w-]{20,}
shopify-token       -  shpat_,shpca_,shppa_,shpss_  [0-9A-Fa-f]{16,}
square-token        -  sq0atp-,sq0csp-,sq0idp-  [\w-]{16,}
square-token        a# EAAAE,EAAAF,EAAAl  [\w-]{50,}
facebook-token      a# EAA  [A-Za-z0-9]{60,}
linear-key          a  lin_api_,lin_oauth_,lin_wh_  [A-Za-z0-9]{16,}
notion-token        w  ntn_  [A-Za-z0-9]{20,}
notion-token        w# secret_  [A-Za-z0-9]{32,}
airtable-token      a  pat  [A-Za-z0-9]{14}\.[0-9a-f]{40,}
figma-token         a  figd_,figo_,figu_,figdr_  [\w-]{20,}
databricks-token    a  dapi  [0-9a-f]{32}(?:-\d)?
vault-token         a  hvs.,hvb.,hvr.  [\w-]{16,}
age-key             -  AGE-SECRET-KEY-1  [A-Za-z0-9]{16,}
jwt                 -  eyJ  [\w-]{8,1024}+\.[\w-]{8,}(?:\.[\w-]+){0,3}
grafana-token       a# glsa_,glc_  \w{20,}
sentry-token        -  sntrys_,sntryu_  [\w-]{20,}
newrelic-key        a  NRAK-,NRII-,NRJS-,NRAL-  [A-Za-z0-9]{16,}
dynatrace-token     a  dt0c01.,dt0s01.,dt0s16.  [A-Z0-9]{16,}\.[A-Z0-9]{20,}
doppler-token       a# dp.pt.,dp.st.,dp.ct.,dp.sa.,dp.scim.,dp.audit.  [\w.-]{20,}
pulumi-token        a  pul-  [0-9a-f]{32,}
planetscale-token   a  pscale_tkn_,pscale_pw_,pscale_oauth_  [\w.-]{16,}
supabase-key        a  sbp_,sb_secret_  [A-Za-z0-9_-]{16,}
netlify-token       w# nfp_,nfc_,nfo_,nfu_  [A-Za-z0-9]{30,}
vercel-token        w# vcp_,vck_,vci_,vca_,vcr_  [A-Za-z0-9]{20,}
postman-key         a  PMAK-  [0-9a-f]{20,}-[0-9a-f]{20,}
atlassian-token     a  ATATT3,ATCTT3  [\w-]{20,}
bitbucket-token     a  ATBB  [A-Za-z0-9]{20,}
tailscale-key       a  tskey-  [\w-]{16,}
flyio-token         w  fm1_,fm2_,fm1r_,fm2r_,fm1a_,fo1_  [\w-]{30,}
buildkite-token     a  bkua_,bkpa_,bkaa_  [0-9a-f]{32,}
circleci-token      a  CCIPAT_,CCIPRJ_  [\w-]{20,}
sonar-token         a  sqp_,squ_,sqa_  [0-9a-f]{32,}
artifactory-key     a  AKCp  [A-Za-z0-9]{50,}
onepassword-token   -  ops_eyJ  [\w-]{20,}
resend-key          w# re_  [A-Za-z0-9]{8}_[A-Za-z0-9]{16,}
contentful-token    a  CFPAT-  [\w-]{20,}
flutterwave-key     a  FLWSECK-,FLWSECK_TEST-  [A-Za-z0-9-]{12,}
easypost-key        a  EZAK,EZTK  [A-Za-z0-9]{40,}
webhook-secret      a  whsec_  [A-Za-z0-9]{16,}
"""
_EDGES = {"-": "", "a": "(?<![A-Za-z0-9])", "w": r"(?<!\w)"}


class Token(NamedTuple):
    """A token by its head: what it is, its whole pattern, and whether a word of letters alone is none."""

    kind: str
    pattern: re.Pattern[str]
    digit: bool


TOKENS = {
    head: Token(kind, re.compile(_EDGES[edge[0]] + re.escape(head) + tail, re.ASCII), "#" in edge)
    for kind, edge, heads, tail in (line.split() for line in _TOKENS.strip().splitlines())
    for head in heads.split(",")
}


def _either(words: Iterable[str]) -> str:
    """Alternatives grouped by their first letter, longest first: a search tries one group, not every word."""
    groups = groupby(sorted(words, key=lambda word: (word[0], -len(word))), key=lambda word: word[0])
    return "|".join(
        re.escape(first) + "(?:" + "|".join(re.escape(w[1:]) for w in group) + ")" for first, group in groups
    )


HEADS = re.compile(_either(TOKENS))


class Place(NamedTuple):
    """Where a secret stands: group `s` of `pattern`, found in lower case; `check(text, start, end)` may refuse it."""

    kind: str
    head: str  # every match begins with it
    pattern: re.Pattern[str]
    check: Callable[[str, int, int], bool] | None = None


_TEMPLATE = re.compile(
    r"[$%#]?\{[^}]*\}|\$\(|\$[A-Za-z_]\w*$|\$[A-Z_]{2}|%\(?[a-z]+\)?s?$|<[^>]*>|\.\.\.|…|[xX*.•_?#-]{3,}$|\{\}|\[redacted"
)
_STAND_IN = re.compile(
    r"(?:[a-z]*[ _.-])*(?:your|my|some|the|an?|insert|replace|enter|example|sample|placeholder|changeme|change|"
    r"redacted|dummy|fake|masked|hidden|todo|fixme|removed|none|null|nil|undefined|true|false)(?:[ _.-][a-z]*)*"
)


def stands_in(value: str) -> bool:
    """Tell whether a value only shows where a secret would go: `<key>`, `${TOKEN}`, `xxxx`, `your-key`, `sk-...`."""
    return bool(_TEMPLATE.match(value) or value.endswith(("...", "…")) or _STAND_IN.fullmatch(value[:80].lower())) or (
        len(set(value)) <= 1 or bool(re.search(r"\{\w[\w.]*\}|\$\{|%s|[xX*]{6}$", value))
    )


_DIGIT = re.compile(r"[0-9]")


def has_digit(value: str) -> bool:
    """Tell whether there is an ASCII digit."""
    return bool(_DIGIT.search(value))


def is_real(text: str, start: int, end: int) -> bool:
    """Tell whether a value is more than a stand-in."""
    return not stands_in(text[start:end])


def _random(text: str, start: int, end: int) -> bool:
    return has_digit(text[start:end]) and is_real(text, start, end)


def _credentials(text: str, start: int, end: int) -> bool:
    """`user:password` in base64, which no English word decodes to."""
    raw = text[start:end].rstrip("=")
    try:
        plain = base64.b64decode(raw + "=" * (-len(raw) % 4), altchars=b"-_" if "-" in raw or "_" in raw else None)
        return ":" in plain.decode("utf-8") and plain.decode("utf-8").isprintable()
    except (binascii.Error, ValueError):
        return False


_SCHEME = re.compile(r"(?:bearer|basic|token|api-?key|digest|negotiate|bot|key|splunk|sso-key)[ \t]+$", re.IGNORECASE)
_TALK = re.compile(
    r"(?:bearer|basic|token|auth|header|key|api|secret|credential|none|scheme|valid|require|type)[a-z_-]*"
)


def _header(text: str, start: int, end: int) -> bool:
    """After `Authorization:`; a word alone is talk, unless a scheme stands before it."""
    value = text[start:end]
    if not is_real(text, start, end) or _TALK.fullmatch(value.lower()) or re.match(r"[A-Za-z_][\w.]*[(\[.]", value):
        return False
    return has_digit(value) or bool(_SCHEME.search(text[max(0, start - 20) : start]))


def _bearer(text: str, start: int, end: int) -> bool:
    value = text[start:end].rstrip(".")
    return (
        ((len(value) >= 20 and value.isalnum()) or has_digit(value))
        and is_real(text, start, end)
        and not re.fullmatch(r"[A-Za-z]+[ -]?\d", value)
    )


_NAMED_PASSWORD = re.compile(r"[A-Z_]*(?:PASS|PASSWORD|PASSWD|PWD|PW|SECRET|TOKEN)[A-Z_]*")


def _url_password(text: str, start: int, end: int) -> bool:
    return is_real(text, start, end) and not _NAMED_PASSWORD.fullmatch(text[start:end])


def _flag(text: str, start: int, end: int) -> bool:
    """A number after `-p` is a port."""
    return not text[start:end].isdigit() and is_real(text, start, end)


def _key_block(text: str, start: int, end: int) -> bool:
    """A BEGIN line that key material follows; code that only compares with the line has none."""
    body = text[text.index("-----", start + 11) + 5 : end]
    return bool(re.search(r"[A-Za-z0-9+/]{12}", body))


def _place(kind: str, pattern: str, check: Callable[[str, int, int], bool] | None = is_real) -> Place:
    return Place(kind, _head(pattern), re.compile(pattern, re.ASCII), check)


def _head(pattern: str) -> str:
    """Return the literal that every match of a place begins with: most texts hold none of them, and are done with."""
    literal = re.match(r"(?:\(\?P<s>)?((?:[a-z0-9 :/_=~-]|\\\.)+)", pattern)
    assert literal, f"a place must begin with a literal: {pattern}"  # noqa: S101  a fault in this table
    # the last character may be one that what follows it makes optional
    whole = len(pattern) == literal.end() or pattern[literal.end()] not in "?*{"
    return literal[1].replace("\\.", ".")[: None if whole else -1]


_MATERIAL = (  # what fills a key block: base64 lines, line ends (also escaped ones), quotes between lines, headers
    r"(?:\s|\\+[nrt]|[\"'`+>|,\\]|[a-z0-9+/=_]{16,}|[a-z0-9+/]{1,15}={1,2}(?![a-z0-9])|"
    r"(?:proc-type|dek-info|version|comment|charset|hash):[^\n\\]{0,200}|=[a-z0-9+/]{4}(?![a-z0-9]))"
)
_GAP = r"[\"'`\\\]]{0,6}[ \t]{0,3}[:=,][ \t]{0,3}[\"'`\\]{0,6}"
_B64_PEM = r"ls0tls1crudjtib(?:su0eg|quklw|fqybqu|puevou1|frunsw|fuk)[a-z0-9+/=]*"

PLACES = (
    _place(
        "private-key",
        r"(?P<s>-----begin [a-z0-9 ]{0,40}private key(?: block)?-----"
        r"(?:[^-]*+(?:-(?!----)[^-]*+)*+-----end [a-z0-9 ]{0,40}private key(?: block)?-----|"
        + _MATERIAL
        + r"*+(?:[a-z0-9+/=]{1,15}(?=[\s\"'.…\]]*\Z))?))",
        _key_block,
    ),
    _place("private-key", r"private-lines: \d+\s+(?P<s>" + _MATERIAL + "++)"),
    _place("private-key", r"(?P<s>" + _B64_PEM + ")"),
    _place("url-password", r":(?:\\?/){2}[^\s/:@\"'<>`\\]*+:(?P<s>[^\s/\"'<>`\\]+)@", _url_password),
    _place("url-token", r":(?:\\?/){2}(?P<s>[a-z0-9_.~-]{16,}+)@", _random),
    _place("slack-webhook", r"hooks\.slack(?:-gov)?\.com\\?/(?:services|workflows|triggers)\\?/(?P<s>[\w/\\+-]{10,})"),
    _place("discord-webhook", r"/webhooks\\?/\d{6,24}\\?/(?P<s>[\w-]{20,})"),
    _place("teams-webhook", r"webhook\.office\.com\\?/(?P<s>[\w@/.\\-]{20,})"),
    _place("zapier-webhook", r"hooks\.zapier\.com\\?/hooks\\?/catch\\?/(?P<s>[\w/\\]{6,})"),
    _place("bearer-token", r"bearer[\"':]{0,2}[ \t]{1,4}[\"'\\]{0,3}(?P<s>[a-z0-9._~+/=-]{8,})", _bearer),
    _place("basic-auth", r"basic[ \t]{1,3}(?P<s>[a-z0-9+/_-]{6,}={0,2})", _credentials),
    _place(
        "authorization", r"authorization" + _GAP + r"(?:[a-z0-9-]{2,20}[ \t]{1,3})?(?P<s>[^\s\"'`,;\\]{4,})", _header
    ),
    _place(
        "docker-auth", r"auth\\{0,3}[\"'][ \t]{0,3}:[ \t]{0,3}\\{0,3}[\"'](?P<s>[a-z0-9+/]{6,}={0,2})", _credentials
    ),
    _place("docker-auth", r"_auth[ \t]?=[ \t]?[\"'\\]{0,3}(?P<s>[a-z0-9+/]{6,}={0,2})", _credentials),
    _place("signature", r"sig(?:nature)?=(?P<s>[a-z0-9%+/=_~-]{20,})", _random),
    _place("password", r"mysql[\w-]*+ [^\n|;]{0,120}?-p[\"'\\]{0,4}(?P<s>[^\s\"'\\-][^\s\"'\\]+)"),
    _place("password", r"mariadb[\w-]*+ [^\n|;]{0,120}?-p[\"'\\]{0,4}(?P<s>[^\s\"'\\-][^\s\"'\\]+)"),
    _place("password", r"sshpass -p ?[\"'\\]{0,4}(?P<s>[^\s\"'\\-][^\s\"'\\]+)"),
    _place("password", r"login [^\n|;]{0,120}?-p[ =][\"'\\]{0,4}(?P<s>[^\s\"'\\-][^\s\"'\\]+)", _flag),
    _place("password", r"mongo[\w-]*+ [^\n|;]{0,120}?-p[ =]?[\"'\\]{0,4}(?P<s>[^\s\"'\\-][^\s\"'\\]+)", _flag),
    _place("password", r"redis-cli\b[^\n|;]{0,80}? (?:-a|--pass)[ \t]+[\"'\\]{0,4}(?P<s>[^\s\"'\\]{3,})"),
    _place("password", r"htpasswd -[a-z]*b[a-z]* \S{1,80} \S{1,80} [\"'\\]{0,4}(?P<s>[^\s\"'\\]{2,})"),
    _place("password", r"-pass(?:in|out)?[ \t]pass:(?P<s>[^\s\"'\\]{2,})"),
    _place("password", r"identified by [\"'\\]{1,4}(?P<s>[^\s\"'\\]{2,})"),
    _place("netrc-password", r"login\s{1,3}\S{1,80}\s{1,8}password\s{1,3}(?P<s>[^\s\"'\\]{2,})"),
    _place("pgpass-password", r":5432:[^\s:]{1,64}:[^\s:]{1,64}:(?P<s>[^\s\"'\\]{2,})"),
    _place("azure-client-secret", r"q~(?P<s>[a-z0-9_.~-]{30,})", _random),
    _place("google-oauth", r"(?P<s>1//0[\w-]{20,})", _random),
    _place("webhook-secret", r"(?P<s>whsec_[a-z0-9+/=_-]{16,})"),
)
