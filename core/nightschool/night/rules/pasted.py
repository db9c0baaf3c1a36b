"""Matter pasted into a prompt without a word that it was: logs, terminals, diffs, mails, chats, tables, documents.

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
    r"(?:PS )?[A-Z]:\\[^\n>]{0,200}> ?\S",  # a prompt of Windows
    r"[\w.-]{1,60} {1,20}\| \S",  # one container of many
    r"[ \t]*[\u2500-\u259f\u23bf\u23fa\u25cf\u276f]",  # what a terminal draws
    r"(?:(?:Pre|Post)ToolUse:\w{1,40} hook|\w{1,40} hook feedback:)",
)
_CHANGE = (
    r"diff --git ", r"index [0-9a-f]{7,40}\.\.", r"@@ -\d", r"(?:\+\+\+|---) [ab]/", r"\+[^+\s]",
    r"commit [0-9a-f]{7,40}\b", r"Author: [^<\n]{1,80}<", r"(?:Signed-off|Co-authored|Reviewed|Acked)-by: \S",
    r"[ \t]*(?://|/\*) ?\S",
)  # fmt: skip
_DOCUMENT = (
    r"(?:From|To|Cc|Subject|Sent|Reply-To): \S", r"On [^\n]{6,80} wrote:", r"[ \t]*\|[^\n]{1,500}\|[ \t]*$",
    r"[ \t]*</?[a-z][\w-]{0,40}(?: [^<>\n]{0,200})?>[ \t]*$", r'[ \t]*(?:"""|' + "''')", r"(?: {4}|\t)(?![-*+\d\s])\S",
    r"\.\. [\w-]{1,20}::", r"---[ \t]*\n[A-Za-z][\w-]{0,30}: \S", r"\uff1e",
    r"#{1,4} (?:Description|Steps to |Expected |Actual |Acceptance |Environment|Motivation)",
)  # fmt: skip
_LINE = re.compile("^(?:" + "|".join((*_LOG, *_CHANGE, *_DOCUMENT)) + ")", re.MULTILINE)
_OBJECT = re.compile(r'\{\s{0,20}"[\w.@-]{1,60}"\s?:')
_DRESSED = (  # what a picture or a link is called
    r"!\[[^\]\n]{20,400}\]\(|\]\([^\s()]{1,200} [\"'][^\n]{10,400}[\"']\)"
)
_SAID = (  # what a document is told to say: its words, not the user's
    r"\b(?:docs?|documentation|readme|guide|manual|log|output|page|site|article|e-?mail|issue|ticket|comment|file"
    r"|tool)s? "
    r"(?:says?|said|states?|reads?|tells? (?:us|me|you))\b[^\n:\"\u201c\u201e\u00ab]{0,20}[:\"\u201c\u201e\u00ab]"
)
_CHAT = (  # a conversation of others: who speaks, and when
    r"(?-i:[A-Z])\w{1,20} said:[ \t]*$|@[\w-]{1,40} (?:commented|wrote|replied)\b|"
    r"(?-i:[A-Z][\w.-]{1,30}(?: [A-Z][\w.-]{1,30}){0,2} {1,3}\d{1,2}:\d\d(?: ?[AP]M)?[ \t]*$)"
)
_TALKED = re.compile(f"{_DRESSED}|{_SAID}|^(?:{_CHAT})", re.IGNORECASE | re.MULTILINE)
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
    return any(shape.search(prompt) for shape in (_LINE, _OBJECT, _SHOWN, _TALKED))
