"""Matter pasted into a prompt without a word that it was: logs, diffs, commits, mails, tables, marked-up documents.

Shapes of lines alone. A rule that was said beside such lines may be theirs, so a person has to look at it.
"""

import re

_LOG = (
    r"\[?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d",  # syslog
    r"\[?\d{4}[/.-]\d\d[/.-]\d\d[T ]\d\d:\d\d",
    r"[IWEF]\d{4} \d\d:\d\d:\d\d",
    r"(?:time|ts|level|severity|msg)=\S[^\n]{0,200} (?:level|msg|message)=",
    r"\d{1,3}(?:\.\d{1,3}){3} \S{1,60} \S{1,60} \[",
    r"npm (?:WARN|ERR!|warn|error|notice)(?!\w)",
    r"(?:remote|hint|warning|error|fatal|stderr|stdout): \S",
    r"E {2,}\S",
    r"[ \t]+at [\w.$<>]{1,200} ?\([^()\n]{1,200}:\d+",
    r'[ \t]*File "[^"\n]{1,200}", line \d',
    r"[ \t]*(?:\$|[\w.-]{1,40}@[\w.-]{1,40}:\S{0,80}[$#]) \S",
)
_CHANGE = (
    r"diff --git ", r"index [0-9a-f]{7,40}\.\.", r"@@ -\d", r"(?:\+\+\+|---) [ab]/", r"\+[^+\s]",
    r"commit [0-9a-f]{7,40}\b", r"Author: [^<\n]{1,80}<",
)  # fmt: skip
_DOCUMENT = (
    r"(?:From|To|Cc|Subject|Sent|Reply-To): \S", r"On [^\n]{6,80} wrote:", r"[ \t]*\|[^\n]{1,500}\|[ \t]*$",
    r"[ \t]*</?[a-z][\w-]{0,40}(?: [^<>\n]{0,200})?>[ \t]*$", r'[ \t]*(?:"""|' + "''')", r"(?: {4}|\t)(?![-*+\d\s])\S",
)  # fmt: skip
_LINE = re.compile("^(?:" + "|".join((*_LOG, *_CHANGE, *_DOCUMENT)) + ")", re.MULTILINE)
_OBJECT = re.compile(r'\{\s{0,20}"[\w.@-]{1,60}"\s?:')
_SHOWN = re.compile(
    r"\b(?:here(?:'s| is| are)|see|this is|read|from|look at|below is) (?:\w{1,20} ){0,3}?(?:docs?|documentation|readme"
    r"|guide|logs?|output|pages?|article|e-?mail|message|issue|ticket|comments?|trace|results?|errors?|files?|text"
    r"|snippet)\s?:[ \t]*\n",
    re.IGNORECASE,
)


_HEADED = re.compile(r"^(?:From: \S|Subject: \S|On [^\n]{6,80} wrote:|commit [0-9a-f]{7,40}\b)", re.MULTILINE)


def without_pasted(prompt: str) -> str:
    """Return a prompt without paragraphs that look pasted, and without what a mail's head goes before."""
    begun = [found.start() for shape in (_SHOWN, _HEADED) if (found := shape.search(prompt))]
    prompt = prompt[: min(begun, default=len(prompt))]
    if not looks_pasted(prompt):
        return prompt
    return "\n\n".join(part for part in re.split(r"\n[ \t]*\n", prompt) if not looks_pasted(part))


def looks_pasted(prompt: str) -> bool:
    """Tell whether lines of a prompt look as if the user had not typed them."""
    return any(shape.search(prompt) for shape in (_LINE, _OBJECT, _SHOWN))
