"""The shapes the screen looks for, one alternative a line. A space stands for any run of blanks: texts come folded.

All repetitions are bounded, so that the time is linear in the text.
"""

import re


def any_of(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern that finds any of these, in any case, a line at a time."""
    return re.compile("|".join(alternatives), re.IGNORECASE | re.MULTILINE)


_SHELL = r"(?:(?:ba|z|da|k|fi|c)?sh|pwsh|powershell)(?:\.exe)?"
_INTERPRETER = r"(?:python[\d.]{0,4}|perl|ruby|node|php|deno)"
_SCRIPT = r"[\w./~-]{1,200}\.(?:sh|bash|zsh|ps1|bat|cmd|py|js)\b"
_TOP = r"(?:com|net|org|io|dev|ai|app|co|info|xyz|me|ru|cn|example|test|onion)"

URL = any_of(
    r"\b[a-z][a-z0-9+.-]{1,20}://\S",
    r"\bwww\.\w",
    r"\b(?:mailto|javascript):\S",
    r"\bdata:[a-z]{1,20}/",
    rf"\b(?:[a-z0-9-]{{1,63}}\.){{1,6}}{_TOP}(?:/|:\d)",
    r"\b(?:[a-z0-9-]{1,63}\.){1,6}(?:com|net|org|xyz|ru|cn|onion|example)\b(?![\w(])",
    r"\b\d{1,3}(?:\.\d{1,3}){3}(?:/|:\d)",
    r"(?<![\w.])(?!127\.|0\.0\.0\.0)\d{1,3}(?:\.\d{1,3}){3}(?![\w.])",
    r"\[[0-9a-f:]{3,45}\](?:/|:\d)",
    r"(?<![\w./-])(?:[a-z0-9-]{2,63}\.){1,6}(?:sh|ly|gg|to|us|uk|de|eu|tk|ml|su|pw|site|online|page|link|click|top|zip|cloud|tech)"
    r"(?:/\w|:\d)",
    r"\b[a-z0-9-]{2,63} (?:dot|\[dot\]|\(dot\)) (?:com|net|org|io|dev|ru|cn)\b",
)

# Command lines in running text.
COMMAND = any_of(
    r"(?<![\w.-])(?:curl|wget|sudo|doas|chmod|chown|chgrp|crontab|mkfs|iex|certutil|bitsadmin|netcat)(?![\w-])",
    r"\binvoke-(?:expression|webrequest|restmethod)\b",
    r"(?<![\w.-])rm (?:--?[a-z]|\S{0,80}[/*~])",
    r"(?<![\w.-])(?:dd if=|nc -|base64 --?d|ssh \S{1,60}@|scp \S{1,200}:|eval ?[(\"'$`])",
    rf"(?<![\w.-]){_SHELL} (?:-\w|<\()",
    rf"(?<![\w.-]){_INTERPRETER} --?(?:[ecr]|eval|exec)\b",
    rf"\| ?(?:sudo )?(?:{_SHELL}|{_INTERPRETER}|xargs|tee)\b",
    r"\$\( ?[a-z][\w.-]{0,40} [^)\n]{1,200}\)",
    r"(?:^|[;&|`] ?)(?:source|\.) [~./]\S",
    rf"\b(?:run|execute|invoke|launch|source)(?:s|ing)? (?:the )?(?:script |file )?`?(?:[~.]{{0,2}}/\S|{_SCRIPT})",
    r":\(\) ?\{",
    r"(?<![\w.-])(?:pip3?|npm|pnpm|yarn|uv|gem|cargo|apt|apt-get|brew|go|conda|poetry) (?:install|add|i|get) \S",
    r"(?<![\w.-])(?:npx|uvx|bunx|pipx run) \S",
)

PROGRAMS = frozenset({
    "ansible", "apt", "apt-get", "awk", "aws", "az", "bash", "black", "brew", "bun", "bundle", "cargo", "cat", "cmake",
    "composer", "conda", "cp", "cd", "curl", "dash", "deno", "docker", "docker-compose", "dotnet", "echo", "env",
    "eslint", "exec", "export", "find", "fish", "gcc", "gcloud", "gem", "gh", "git", "go", "gradle", "gradlew", "grep",
    "helm", "hg", "java", "jest", "jq", "kill", "killall", "kubectl", "ln", "ls", "make", "mkdir", "mv", "mvn", "mypy",
    "nano", "node", "nohup", "npm", "npx", "open", "openssl", "perl", "php", "pip", "pip3", "pipx", "pkill", "pnpm",
    "poetry", "powershell", "prettier", "printf", "psql", "pwsh", "pytest", "python", "python2", "python3", "rails",
    "rake", "rm", "rmdir", "rsync", "ruby", "ruff", "rustup", "scp", "sed", "service", "sh", "source", "sqlite3", "ssh",
    "su", "svn", "systemctl", "tar", "tee", "terraform", "touch", "tox", "tsc", "unzip", "uv", "uvx", "vi", "vim",
    "vitest", "wget", "xargs", "yarn", "zip", "zsh",
})  # fmt: skip
SHELL_LANGUAGES = frozenset({
    "sh", "bash", "zsh", "shell", "console", "terminal", "shellsession", "fish", "ps1", "powershell", "pwsh", "bat",
    "cmd",
})  # fmt: skip

# A program with an option behind at most four words: `pytest -q`, `git commit -m`.
WITH_OPTION = any_of(rf"(?<![\w./-])(?:{'|'.join(sorted(PROGRAMS))})(?: [\w./:=@-]{{1,60}}){{0,4}}? --?[a-z]")
OPTION = any_of(r" --?[a-z][\w-]{0,60}(?=[ =]|$)")
SCRIPT = any_of(r"[\w./~-]{1,200}\.(?:sh|bash|zsh|ps1|bat|cmd)")
ASKED_TO_RUN = any_of(r"\b(?:run|execute|invoke|launch|exec|type)(?:s|ing)? (?:the )?(?:command )?:? ?\Z")

SPAN = re.compile(r"(`{1,2})(?!`)([^`\n]{1,500})\1(?!`)")
FENCE = re.compile(r"^ ?(?:[-*+] )?(`{3,}|~{3,}) ?(\w*)[^\n]*\n(.*?)(?:^ ?\1|\Z)", re.MULTILINE | re.DOTALL)

_GUARD = (
    r"(?:tests?|hooks?|checks?|ci|lint(?:er|ers|ing)?|pre-?commit|sandbox\w{0,9}|permissions?|approvals?|confirmations?"
    r"|verifications?|validations?|safety|security|safeguards?|guard(?:rail)?s?|reviews?|type-?check\w{0,4}|signing)"
)
_OFF = r"(?:skip|disabl|bypass|circumvent|suppress|silenc|ignor|remov|delet|weaken|turn off|turning off|switch off)"
_ALL = r"(?:all|any|every|full|unrestricted|root|admin\w{0,12}|network|internet|write|shell)"

# What loosens something, unless a negation goes before it in the sentence.
LOOSENS = any_of(
    rf"\b{_OFF}\w{{0,4}} (?:\S{{1,20}} ){{0,4}}?\S{{0,20}}?\b{_GUARD}\b",
    r"\bwithout (?:\w{1,20} ){0,2}?(?:asking|confirm\w{0,7}|permission|approv\w{0,4}|prompting|review\w{0,4}"
    r"|check\w{0,4})\b",
    rf"\b(?:allow|grant|give|enable|approve|permit|accept)\w{{0,3}} (?:\w{{1,20}} ){{0,3}}?{_ALL}\b"
    r" ?(?:\w{1,20} ){0,2}?(?:tools?|commands?|permissions?|access|requests?|writes?|edits?|actions?)\b",
    r"\bgrant\w{0,3} (?:\w{1,20} ){0,4}?(?:permissions?|access)\b",
    r"\bauto-? ?(?:approv|accept|allow|confirm)\w{0,6}",
    r"\b(?:full[- _]access|unsandboxed|no[- ]sandbox)\b",
)
NEGATION = any_of(r"\b(?:never|not|no|nobody|without|avoid|cannot|don't)\b|n't\b")

# What is an order to shake rules off, negated or not.
SHAKES_OFF = any_of(
    r"\b(?:ignor|disregard|forget|overrid|bypass|drop)\w{0,4} (?:\w{1,20} ){0,4}?"
    r"(?:previous|prior|above|earlier|preceding|system|other|existing|all|any|your) (?:\w{1,20} ){0,2}?"
    r"(?:instructions?|rules?|messages?|prompts?|guidelines?|directions?|polic(?:y|ies)|constraints?)\b",
    r"\bbypass[ _-]?permission",
    r"\bdangerous(?:ly)?[-_ ]?(?:skip|bypass|allow|disable)",
    r"(?<![\w-])--(?:no-verify|no-gpg-sign|no-sandbox|no-check|skip-|yolo|force|unsafe|insecure|allow-|dangerous|disable-"
    r"|trust-|auto-approve)",
    r"\b(?:don't|do not|never|stop|no need to) (?:run|running|execute|ask|wait) (?:for )?(?:the |any |your )?"
    r"(?:tests?|hooks?|checks?|ci|linters?|approval|permission|confirmation)"
    r"(?= ?(?:$|[.,;!]|before|after|anymore|at all))",
)

# What would put another file's text into the document, or a picture's address into a reply.
BRINGS_IN = any_of(
    r"(?<![\w@.])@(?:~|\.{1,2})?/\S",
    r"(?<![\w@.])@[\w.-]{1,80}/\S",
    r"(?<![\w@.])@[\w.-]{1,80}\.(?:mdc?|mdx|txt|rst|json|ya?ml)\b",
    r"\]\( ?[^)\s]",
    r"^ ?\[[^\]\n]{1,80}\]: ?\S",
)
_PRIVATE = (
    r"(?:\.env\b|\.ssh\b|\.aws\b|\.netrc\b|\.npmrc\b|id_(?:rsa|ed25519)\b|/etc/(?:passwd|shadow)|\w{0,20}credentials?\b"
    r"|secrets?\b|passwords?\b|passphrases?\b|(?:api|private|secret|access|ssh|signing)[ _-]?(?:keys?|tokens?)\b"
    r"|environment variables|browser history|cookies\b)"
)
_GIVE = (
    r"(?:sen[dt]|post|upload|e-?mail|paste|publish|share|leak|print|log|echo|includ|show|cop[iy]|commit|push|reveal|dump"
    r"|forward|exfiltrat|attach|append|expos|transmit)"
)
# What gives something private away, unless a negation goes before it in the sentence.
GIVES_AWAY = any_of(
    rf"\b{_GIVE}\w{{0,4}} (?:(?!(?:tests?|checks?|errors?|for|about|when|if|that)\b)\S{{1,40}} ){{0,5}}?"
    rf"\S{{0,40}}?{_PRIVATE}"
    r"(?! (?:fields?|forms?|pages?|resets?|inputs?|modules?|managers?|prompts?|polic|hash|rules?))"
)
ENCODED = any_of(
    r"(?<![\w+/=-])(?=[A-Za-z+/]{0,60}\d)[A-Za-z0-9+/]{40,}={0,2}", r"(?:\\x[0-9a-f]{2}){6,}", r"(?:%[0-9a-f]{2}){6,}"
)

CUT_OUT_SECRET = any_of(
    r"[\[<{](?:redacted|secret|masked|hidden|removed|forgotten)\b[^\]>}\n]{0,60}[\]>}]", r"\*{6,}", r"x{10,}"
)
MARKED = any_of(r"<!--", r"--!?>", r"nightschool:(?:begin|end)\b")
ROLE = any_of(
    r"^[ >#*-]{0,8}(?:system|assistant|user|human|developer|tool|function)(?: (?:prompt|message|note|instructions?))?"
    r"[ *]{0,4}:",
    r"</? ?(?:system|session|user|assistant|human|developer|instructions?|prompt|context|data|document|transcript|tool"
    r"|function|untrusted|reminder)(?:[-_][\w-]{1,40})?(?: [^<>\n]{0,200})?/?>",
    r"<\|\w{1,40}\|>|\[/?INST\]|<</?SYS>>",
)
