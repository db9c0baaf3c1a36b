"""The shapes of orders that hardly any ordinary rule gives: what they loosen, whom they obey, whom they leave unasked.

As in `screen_shapes`, one alternative a line, a space for any run of blanks, and all repetitions bounded.
"""

from nightschool.night.rules.screen_shapes import any_of

_SHELLS = r"(?:(?:ba|z|da|k|fi|c)?sh|pwsh|powershell|python[\d.]{0,4}|perl|ruby|php|(?:an?|the|your) shell)"
_ASKED = r"(?:the user|your user|users?|me|us|the human|the developer|the owner|the reviewer|anyone|anybody)"
_OWN = r"(?:(?-i:(?!README|CHANGELOG|CONTRIBUTING|LICENSE|TODO|HISTORY|NEWS|SECURITY)[A-Z]{4,20})\.md)"

# What fetches or gives away code, or changes machines, named in running text with what it is about.
COMMAND = any_of(
    r"(?<![\w.-])(?:docker|podman|nerdctl) (?:compose )?(?:run|pull|exec|push|login) \S",
    r"(?<![\w.-])git (?:clone|push|remote|submodule|config) \S",
    r"(?<![\w.-])(?:npm|pnpm|yarn|bun|deno|cargo|gem|poetry|twine|uv) (?:exec|dlx|publish|upload) \S",
    r"(?<![\w.-])(?:kubectl|helm|terraform|pulumi|gcloud|aws|az) (?:apply|delete|destroy|exec|install|upgrade) \S",
    rf"\bpip(?:e|es|ed|ing) .{{1,80}}? (?:in)?to {_SHELLS}(?![\w-])",
    r"\bdownload\w{0,3} .{1,80}? and (?:then )?(?:run|execute|install|source|eval|launch)\w{0,2}\b",
    r"\bfetch\w{0,3} .{1,80}? and (?:then )?(?:execute|install|source|eval)\w{0,2}\b",
)

# What switches a protection off, by its own name; a negation before it acquits.
LOOSENS = any_of(
    r"\b(?:ssl_?)?verify ?= ?(?:false|none|0)\b|\bstricthostkeychecking[ =]{1,3}(?:no|off)\b",
    r"\breject_?unauthorized[ =:]{1,3}(?:0|false)\b|\bshell ?= ?true\b|\bos\.system\b",
    r"(?<![\w.])(?:0?777|a\+rwx)\b",
    r"\bno[ -]verify\b|\bforce[ -]push\w{0,3}\b|\bback-?doors?\b|\brootkits?\b",
    r"\b(?:set|point|chang|overrid|export|configur|us)\w{0,4} (?:\S{1,20} ){0,4}?\S{0,20}"
    r"(?:_base_url|https?_proxy|index-url)\b",
    r"\b(?:disabl|bypass|circumvent|turn off|switch off)\w{0,4} (?:\S{1,20} ){0,3}?"
    r"(?:tls|ssl|https|certificates?|csrf|cors|auth\w{0,12}|encryption|firewalls?|antivirus|branch protection"
    r"|audit\w{0,3})\b",
    r"\b(?:delet|remov|drop)\w{0,4} (?:\S{1,20} ){0,2}?branch protection\b",
    r"\btrust\w{0,3} (?:all|any|every|self-signed|unknown|unsigned)\b",
    r"\b(?:say|answer|reply|respond|press|choose|click|type) [\"'`]?(?:yes|y|allow|ok)[\"'`]? (?:to|on|at|when)"
    r" (?:\S{1,20} ){0,4}?(?:prompts?|permissions?|confirm\w{0,7}|dialogs?|asked|approvals?|requests?)\b",
    r"\b(?:approv|accept|allow|grant|permit)\w{0,4} (?:all |any |every |the |each )?"
    r"(?:tool (?:calls?|uses?|requests?)|permission (?:prompts?|requests?)|mcp (?:servers?|tools?|calls?))\b",
    r"\bcomment\w{0,3} out (?:\S{1,20} ){0,3}?tests?\b|\btests? as (?:xfail|skipped)\b",
    r"\b(?:push|merge|commit)\w{0,3} (?:directly |straight )(?:to|into|on) (?:main|master|prod\w{0,7}|release)\b",
    r"\b(?:act|run|execute|work|log ?in|operate)\w{0,3} as (?:an? )?(?:root|admin\w{0,11}|super-?user)\b",
    r"\b(?:create|add|register|insert)\w{0,3} (?:an? )?(?:hidden |secret |second )?(?:admin\w{0,11}|root|super-?user)"
    r" (?:user|account|login|key)\b",
    r"\bwithout (?:\w{1,20} ){0,2}?(?:waiting|telling|informing|notifying|consent|consulting)\b",
)

# Orders not to ask, or not to tell: the negation is the order.
SECRETIVE = any_of(
    r"\b(?:don't|do not|never|no need to|stop) (?:(?!without\b|before\b|until\b|unless\b)\w{1,20} ){0,2}?ask(?:ing)? "
    rf"(?:(?:{_ASKED} )?(?:before|first|to confirm|for (?:permission|approval|confirmation))\b"
    rf"|(?:{_ASKED})(?= ?(?:$|[.,;!])))",
    rf"\b(?:don't|do not|never|avoid) (?:\w{{1,20}} )?(?:tell|inform|notify|warn|alert)(?:ing)? "
    rf"(?!me\b|us\b){_ASKED}\b",
    r"\b(?:don't|do not|never|avoid) (?:\w{1,20} )?(?:mention|show|reveal|disclos|report|explain)\w{0,3} "
    r"(?:this|these|your|that) (?:\w{1,20} )?(?:rules?|instructions?|notes?|prompts?|changes?|edits?)\b",
    r"\b(?:hid|conceal|keep|withhold)\w{0,3} (?:this|these|it|that|your \w{1,20}|what you \w{1,20}"
    r"|the (?:rule|change|edit)s?) "
    rf"(?:\w{{1,20}} ){{0,2}}?from {_ASKED}\b",
    r"\b(?:secretly|covertly|stealthily)\b",
)

# Whom to obey in place of the user.
OBEYS = any_of(
    r"\b(?:follow|obey|execut|trust|carry out|comply with|act on)\w{0,4} (?:\S{1,20} ){0,3}?"
    r"(?:instructions?|commands?|orders?|directions?|directives?) (?:\w{1,20} )?(?:in|from|of|inside|within|by|on) "
    r"(?:\S{1,20} ){0,2}?(?:pages?|sites?|outputs?|results?|comments?|issues?|tickets?|e-?mails?|readmes?|websites?"
    r"|tools?|logs?|messages?)\b",
    r"\b(?:obey|comply with) (?:\S{1,20} ){0,3}?(?:pages?|sites?|outputs?|comments?|files?|readmes?|tools?"
    r"|documents?)\b",
    r"\b(?:outputs?|results?|pages?|comments?|logs?) (?:\w{1,20} )?as (?:an? )?(?:instructions?|commands?|orders?)\b",
    r"\b(?:ignor|disregard)\w{0,4} (?:what |anything |everything |whatever )?(?:the user|i|me)"
    r"(?: (?:says?|said|asks?|wants?|tells?)\b| ?(?:$|[.,;!]))",
    rf"\b(?:ignor|disregard|overrid)\w{{0,4}} (?:\w{{1,20}} ){{0,3}}?{_OWN}",
    r"\byou are now (?:(?-i:[A-Z])|an? |the |free\b|un\w)",
    r"\b(?:pretend|role-?play|act as (?:if|though)) (?:to be|that you|you)\b",
    r"\byou have no (?:\w{1,20} )?(?:restrictions?|limits|limitations|rules|guidelines|filters)\b",
    r"\bjailbreak\w{0,5}\b",
)

# What decides over shells, hooks and agents, and lies outside the project.
REACHES_OUT = any_of(
    r"(?<![\w.])(?:~|\$home|/home/[\w.-]{1,40}|/root)/\.\w|(?<![\w.])/etc/\w",
    r"(?<!\w)\.(?:bash|zsh|ksh|csh)(?:rc|_profile|env|_history|_login)\b",
    r"(?<!\w)\.(?:profile|gitconfig|netrc|pypirc|npmrc)\b",
    r"\.git/(?:hooks|config)\b|\bauthorized_keys\b|\bsudoers\b",
    r"\b(?:add|edit|chang|modif|updat|writ|append|set|put|install|register|extend|overwrit)\w{0,4} "
    r"(?:\S{1,30} ){0,5}?"
    rf"(?:\S{{0,40}}settings\.(?:local\.)?json|mcp ?servers?|mcp\.json|your own (?:instructions|rules|settings)"
    rf"|{_OWN})",
    r"\b(?:pre|post)-?install (?:scripts?|hooks?)\b",
)

# What gives code or a login away; a negation before it acquits.
SENDS = any_of(
    r"\b(?:sen[dt]|post|upload|e-?mail|forward|transmit|submit|publish|leak)\w{0,4} (?:\S{1,30} ){0,4}?"
    r"(?:source|code(?:base)?|repo(?:sitory)?|diffs?|conversations?|transcripts?|prompts?|chats?"
    r"|home (?:directory|folder)) "
    r"(?:\S{1,30} ){0,2}?(?:to|at|with|via|through) (?:\S{1,30} ){0,3}?"
    r"(?:servers?|endpoints?|collectors?|webhooks?|urls?|hosts?|sites?|gists?|pastebins?|strangers?|outside|internet)\b",
    r"\bexfiltrat\w{1,4}\b",
    r"\b(?:print|log|echo|show|shar|output|leak|paste|post|sen[dt])\w{0,4} (?:\S{1,30} ){0,3}?"
    r"(?:(?:bearer|session|oauth|refresh|jwt|access)[ _-]?(?:tokens?|cookies?)|authori[sz]ation headers?)\b",
    r"\b(?:cat|print|show|log|dump|archiv)\w{0,4} (?:\S{1,30} ){0,3}?"
    r"(?:process\.env|os\.environ|keychain|home (?:directory|folder)|shell history)\b",
)

# Markup that something would act on.
MARKUP = any_of(
    r"<(?:script|iframe|img|object|embed|svg|link|meta|base) [^<>\n]{0,200}=",
    r"<(?:script|iframe|object|embed|style)>.{1,200}?</",
    r"\bon(?:error|load) ?= ?(?!\{)\S",
    r"&(?:lt|gt|#x?[0-9a-f]{1,6});(?:!--|[a-z/!-])|<!\[cdata\[|\]\]>|<\?(?:php|xml)\b",
    r"\$\{jndi:",
)
ENCODED = any_of(
    r"\b(?:decod|decipher|decrypt|unescap)\w{0,4} .{1,80}? (?:and|then) (?:then )?"
    r"(?:follow|run|execut|obey|do|eval|apply|comply)\w{0,3}\b",
    r"(?<![\w+/=])(?=[A-Za-z+/]{0,24}(?:\d|(?-i:[a-z][A-Z])))[A-Za-z0-9+/]{14,39}={1,2}(?![\w=])",
    r"\brot-?13\b",
)
ROLE = any_of(
    r"^[ >#*-]{0,8}[\[({](?:system|assistant|user|human|developer|inst|admin)(?: (?:prompt|message|note))?[\])}]",
    r"^[ >#*-]{0,8}(?:system|assistant|human|developer|admin)(?: (?:prompt|message|override))? "
    r"[\u2013\u2014-]{1,2} \S",
    r"\b(?:system|assistant|human|developer|admin) (?:prompt |message )?(?:says|said|orders|commands): ?\S",
    r"</? ?(?:\w{1,10}:)?(?:invoke|parameter|tool_use|tool_result|nightschool)(?:[-_ ][^<>\n]{0,200})?/?>",
)
