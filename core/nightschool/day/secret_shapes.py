r"""Tokens that begin with their issuer's mark (`ghp_…`, `AKIA…`), and values that only stand in for a secret.

Prefixes and lengths follow the providers' own documentation and the public rule sets of gitleaks and detect-secrets.
Tokens are tried only inside a run: sixteen or more token characters in a row, which are few in code and prose.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

Span = tuple[int, int, str]
"""Where a secret begins and ends, and its kind."""

MARK = "[redacted:"
"""What every placeholder begins with."""

_LEAST = 16  # characters in a run
_IN_RUN = bytes(97 if re.match(rb"[A-Za-z0-9_.:-]", bytes([code])) else 32 for code in range(256))

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
aws-bedrock-key     a  ABSK  [A-Za-z0-9]{12,}
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
nuget-key           a# oy2  [a-z0-9]{43}(?!\w)
wallet-key          a  0x  [0-9a-fA-F]{64}(?!\w)
wallet-key          a  xprv,yprv,zprv,tprv  [1-9A-HJ-NP-Za-km-z]{90,}
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
jwt                 -  eyJ  [\w-]{8,1024}+\.{1,2}[\w-]{8,}(?:\.[\w-]+){0,3}
grafana-token       a# glsa_  \w{20,}
grafana-token       a# glc_  \w{12,}
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
flyio-token         w  fm1_,fm2_,fm1r_,fm2r_,fm1a_,fo1_  [\w-]{12,}
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


def either(words: Iterable[str]) -> str:
    """Alternatives as a tree of letters, longest first: a search tries one branch, not every word."""
    words = sorted(words)
    branches = [
        re.escape(first) + either(word[1:] for word in group)
        for first, group in groupby(filter(None, words), key=lambda word: word[0])
    ]
    return "|".join(branches).join(("(?:", "|)" if "" in words else ")")) if branches else ""


HEADS = re.compile(either(TOKENS))


def runs(scan: str) -> Iterator[tuple[int, int]]:
    """Yield where token characters stand in a row, sixteen or more. In bytes, which is four times as fast as `re`."""
    flat = scan.encode("latin-1", "replace").translate(_IN_RUN)  # a byte for each character
    at = flat.find(b"a" * _LEAST)
    while at >= 0:
        end = flat.find(b" ", at + _LEAST)
        end = len(flat) if end < 0 else end
        yield at, end
        at = flat.find(b"a" * _LEAST, end)


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
