# ruff: noqa: RUF001  quotes, dashes and full-width marks as people type them
"""How people open a correction, in English, German, French, Spanish, Portuguese, Italian, Japanese and Chinese.

Only words live here; `signals` says what they mean. Each constant is one alternation for `re`, without a capture.
Languages share a table: the words of one do not read as a correction in another, and prompts mix languages.
"""

_CLAUSE = r"[^,.;:!?\n]"

NEUTRAL = (  # sound like a refusal or a standing rule and are neither; their clause is passed over
    r"(?:no (?:problem|worries|need|idea|thanks?|thank you|rush|hurry|matter|doubt|clue|luck|wonder|way|big deal"
    r"|biggie|more questions|question|reason|changes?|errors?)|never ?mind|not (?:sure|bad|yet|now|really"
    r"|at all|a problem"
    r"|necessarily|certain)|always (?:happy|glad|a pleasure|good|nice|great|fun)|nein,? danke|kein problem"
    r"|keine (?:ahnung"
    r"|sorge)|nicht (?:schlecht|sicher)|macht nichts|schon gut|immer gerne?|non,? merci|pas de (?:problème|souci)s?"
    r"|pas (?:mal|sûr)|aucune idée|no,? gracias|no hay (?:problema|de qué)|no (?:importa|pasa nada|lo sé|sé)|ni idea"
    r"|siempre (?:un placer|es un placer)|não,? obrigad[oa]|sem problemas?|não (?:sei|importa|precisa|faz mal)"
    r"|no,? grazie|nessun problema|non (?:importa|fa niente|lo so|so))\b" + _CLAUSE + "*"
)

SOFT = (  # thanks, nods and fillers before the point
    r"(?:ok(?:ay)?|hm+|well|so|sorry|hey|hi|hello|thanks?|thank you|thx|great|nice|good|cool|perfect|lgtm"
    r"|looks (?:good|great|fine)(?: to me)?|almost|actually|but|and|yes|yeah|right|sure|wait|ugh|argh|come on"
    r"|danke|merci"
    r"|gracias|obrigad[oa]|grazie|ja|oui|sí|sim|sì|gut|super|aber|mais|pero|mas|ma)\b"
)

REFUSAL = r"(?:no|nope|nah|nein|nee|non|não)\b(?=\s*[,.:;!–—-])|(?:いいえ|いや|不是|不)(?=[、。,，!！])"

BUT = (  # a nod that goes on
    r"(?:(?:that |this |it )?(?:looks|works)(?: (?:good|great|fine|nice))?|lgtm|perfect|cool|almost|better"
    r"|ok(?:ay)?|fine|good|nice|great|yes|yeah|sure|right|thanks?|danke|gut|merci|bien|gracias|obrigad[oa]|bom|grazie"
    r"|bene|passt(?: so)?|prima|schön|stimmt|einverstanden|d'accord|c'est bon|parfait|vale|está bien|perfecto|certo"
    r"|tá bom|perfeito|va bene|perfetto),? (?:but|aber|mais|pero|mas|ma)\b"
    r"(?! (?:why|what|how|it|is|there|the|i|warum|pourquoi)\b)"
)

_THAT = r"(?:(?:that|this|it)(?:'s| is| was) (?:still |again |also )?)"
CLOSED = (  # a complaint that must end before the rule begins
    rf"(?:{_THAT}|still )?(?:wrong|incorrect|not (?:right|correct|good|it|how we do (?:it|this|that)"
    rf"|what i (?:asked|wanted|said|meant)(?: for)?))\b{_CLAUSE}{{0,20}}?(?=\s*(?:[,.:;!–—-]|\n))"
    r"|(?:again,? )?you(?:'ve| have)? (?:forgot(?:ten)?|missed|ignored|(?:keep|kept) (?:forgetting|ignoring))\b"
    r"(?! to\b)[^.:;!?\n]{0,60}?(?=\s*[.:;!–—-])"
    r"|you did it again(?=\s*[,.:;!])|(?:once )?again(?=\s*[:,])|(?:reminder|remember)(?=\s*[:,])"
    r"|how many times\b[^.:;!\n]{0,60}(?=[.:;!?])"
    r"|(?:das |es )?(?:stimmt (?:so )?nicht|nicht so)(?=\s*[,.:;!–—-])"
    r"|(?:das |es )?(?:ist |war )?(?:immer noch |noch immer |wieder |leider )?(?:falsch|nicht (?:richtig|korrekt))"
    r"(?=\s*[,.:;!–—-])"
    r"|(?:du hast|sie haben)\b[^.:;!?\n]{0,40}\bvergessen\b[^.:;!?\n]{0,20}(?=[.:;!,])"
    r"|(?:schon )?wieder vergessen(?=[.:;!,])"
    r"|(?:ce n'est |c'est )?(?:encore |toujours )?(?:faux|incorrect|pas (?:bon|correct|juste"
    r"|ça))(?=\s*[,.:;!–—-])"
    r"|(?:tu as|vous avez|t'as)\b[^.:;!?\n]{0,30}\boublié\b[^.:;!?\n]{0,30}(?=\s*[.:;!,])|encore oublié(?=\s*[.:;!,])"
    r"|(?:eso |esto )?(?:está|sigue) mal(?=\s*[,.:;!])|incorrecto(?=\s*[,.:;!])|(?:eso )?no (?:es correcto"
    r"|está bien)(?=\s*[,.:;!])"
    r"|(?:otra vez |de nuevo )?(?:te )?(?:olvidaste|has olvidado)\b[^.:;!?\n]{0,30}(?=[.:;!,])"
    r"|(?:isso |isto )?(?:ainda )?(?:está|continua) (?:errado|mal|incorreto)(?=\s*[,.:;!])"
    r"|(?:ainda )?não está (?:certo|correto)(?=\s*[,.:;!])|(?:você |tu )?(?:esqueceu"
    r"|esqueceste)\b[^.:;!?\n]{0,30}(?=[.:;!,])"
    r"|(?:questo )?(?:è )?(?:ancora |di nuovo )?(?:sbagliato|errato)(?=\s*[,.:;!])|non (?:è|va) (?:giusto"
    r"|corretto|bene)(?=\s*[,.:;!])"
    r"|(?:hai|ti sei)\b[^.:;!?\n]{0,20}\bdimenticat[oa]\b[^.:;!?\n]{0,20}(?=[.:;!,])"
    r"|(?:それは)?(?:違います|違う|間違いです|間違っています)|また忘れて(?:います|いる|ます|る)|(?:还是|又)?(?:不对|错了)|(?:你)?又忘了"
)

OPEN = (  # a reminder of what was said, which the rule follows at once
    r"(?:tu as|vous avez|t'as) (?:encore |déjà )?oublié (?:de\b|d'(?=\w))"
    r"|(?:otra vez |de nuevo )?(?:te )?(?:olvidaste|has olvidado)(?: de)?(?= \w)"
    r"|(?:você |tu )?(?:esqueceu|esqueceste)(?:-se)?(?: de novo| outra vez)? de(?= \w)"
    r"|(?:hai|ti sei)(?: di nuovo| ancora)? dimenticat[oa](?: di nuovo| ancora)? di(?= \w)"
    r"|you (?:forgot|keep forgetting|were supposed|are supposed) to\b"
    r"|(?:as|like) i(?:'ve| have)? (?:already )?(?:said|told you|asked|wrote|mentioned)(?: (?:before|already"
    r"|earlier))?\b"
    r"|i(?:'ve| have)? (?:already |just )?(?:told|asked) you(?: (?:before|already|twice|many times))?(?: (?:to"
    r"|that))?\b"
    r"|i(?:'ve| have)? (?:already |just )?said(?: (?:before(?=[,:])|already|twice))?(?: to)?\b"
    r"|wie (?:ich )?(?:schon |bereits )?gesagt|ich habe? (?:dir |ihnen |es |doch |schon |bereits )*gesagt"
    r"|ich sagte(?: doch| schon)?"
    r"|comme je (?:te |vous )?l'ai (?:déjà )?dit|je (?:t'|vous |te )(?:l')?ai (?:déjà )?dit(?: de\b| d')?"
    r"|j'ai (?:déjà )?dit"
    r"|como (?:ya )?(?:te )?(?:dije|he dicho)|(?:ya )?te (?:dije|he dicho)(?: que)?|ya dije(?: que)?"
    r"|como (?:eu )?(?:já )?(?:te |lhe )?disse|eu (?:já )?(?:te |lhe )?disse(?: que| para)?|já (?:te "
    r"|lhe )?disse(?: que| para)?"
    r"|come (?:ti )?ho (?:già )?detto|(?:te l'ho|ti ho|l'ho) (?:già )?detto(?: di)?"
    r"|(?:前にも|さっき)言(?:った|いました)(?:が|けど|ように|通り)?|我(?:已经)?说过(?:了)?"
)

CALLBACK = (  # speaks of the next times, and so of the last
    r"(?:from now on|next time|in (?:the )?future|going forward|ab jetzt|ab sofort|in zukunft|künftig"
    r"|(?:beim )?nächste[sn] mal"
    r"|la prochaine fois|à partir de maintenant|à l'avenir|désormais|dorénavant|la próxima vez|a partir de ahora"
    r"|de ahora en adelante|da próxima vez|a partir de agora|de agora em diante|la prossima volta"
    r"|d'ora in (?:poi|avanti)"
    r"|da ora in poi)\b|今後は?|次回?からは?|これからは|以后|从现在开始|下次"
)

ALWAYS = r"(?:always|never|immer|niemals|nie|toujours|jamais|siempre|nunca|jamás|sempre|mai)"
POLITE = r"(?:please|pls|kindly|bitte|s'il (?:te|vous) pla[iî]t|svp|por favor|per favore|per piacere)"

VERBS = (
    r"(?:use|put|add|append|end|finish|start|begin|include|write|keep|make|format|cite|name|call|prefix|suffix"
    r"|wrap|return"
    r"|give|answer|reply|respond|respect|follow|remove|avoid|drop|skip|omit|leave|set|show|list|state|mention"
    r"|quote|sort"
    r"|order|limit|number|indent|round|convert|escape|document|comment|type|annotate|test|run|check|verify|ask"
    r"|read|commit"
    r"|prefer|stick|replace|refer|spell|capitali[sz]e|log|import|declare|define|close|mark|sign|specify|provide"
    r"|produce"
    r"|print|output|present|express|report|explain|translate|render|ensure|stop|quit|forget|say|emit|insert"
    r"|push|touch|edit|mock|speak|talk|modify|indent|be(?= (?:more |less |very )?\w+\s*(?:[,.:;!]|$))"
    r"|verwenden?|benutzen?|nutzen?|nimm|schreibe?n?|setzen?|füge?n?|hängen?|beenden?|beginnen?|gib|mache?n?"
    r"|halten?|formatieren?"
    r"|zitieren?|nennen?|antworten?|vermeiden?|lass|ergänzen?|stellen?|runden?|sortieren?|testen?"
    r"|utilise[rz]?|mets|mett(?:ez|re)|ajoute[rz]?|termine[rz]?|finis|finir|commence[rz]?|écri(?:s|vez|re)"
    r"|inclu(?:s|ez|re)|cite[rz]"
    r"|évite[rz]?|répond(?:s|ez|re)|donne[rz]?|garde[rz]?|formate[rz]?|fais|faites|limite[rz]?"
    r"|usar?|uses|utilices|pongas|añadas|agregues|escribas|incluyas|utiliz[ae]r?|utilice|pon(?:ga|er)?|añad(?:e"
    r"|a|ir)|agreg(?:a|ue|ar)|termin[ae]r?|empie[zc][ae]|comienza|escrib(?:e|a|ir)"
    r"|incluy[ae]|incluir|citar?|evit[ae]r?|respond(?:e|a|er)|mantén|formatea|haz"
    r"|coloque|coloca|ponha|adicion[ae]r?|comece|escrev[ae]|inclu[ai]|mantenha|faça"
    r"|usate|utilizzar?e?|metti|mettere|aggiung(?:i|ere)|finisci|inizia|scriv(?:i|ere)|includ(?:i|ere)"
    r"|rispond(?:i|ere)"
    r"|mantieni|formatta|fai)"
)

FORBID = (  # a prohibition by its grammar
    r"(?:(?:don't|do not|dont)(?: ever)? (?!worry|know|think|mind|care|bother|see|understand|need|have|want|get"
    r"|like|believe)\w+"
    r"|(?:stop|quit) (?!(?:every|any|no|some)thing\b|string\b)\w+ing\b|hör auf\b|arrête[rz]? d[e']|deja de\b"
    r"|pare? de\b|smetti(?:la)? di\b"
    r"|n'\w+ (?:pas|jamais|plus)\b|ne \w+ (?:pas|jamais|plus)\b"
    r"|no (?:uses?|utilices|pongas|añadas|agregues|escribas|incluyas|termines|hagas)\b"
    r"|não (?:use|usa|utilize|coloque|ponha|adicione|escreva|inclua|faça)\b"
    r"|non (?:usare|utilizzare|mettere|aggiungere|scrivere|includere|fare|terminare)\b)"
)

NORM = (  # says what has to be, anywhere in a sentence
    r"\b(?:must|(?:should|has to|have to|needs? to|ought to)(?! (?:work|pass|do|be (?:fine|ok|good)))|müssen"
    r"|(?:is|are) (?:forbidden|banned|not allowed|off[- ]limits)"
    r"|(?:every|each|all)\b[^.!?\n]{1,40}\bneeds?|muss|soll(?:en|te)?"
    r"|doit|doivent|il faut|deben?|tienen? que|devem?|tem que|devono)\b"
)

CJK_ALWAYS = (
    r"(?:别用.{1,30}[，,]\s*(?:要)?用.+|(?:[^。、！？\s]{1,12}は)?(?:必ず|常に|いつも|絶対に).{2,}(?:ください|下さい|こと|ように|て|ないで|する|使う)"
    r"|(?:请)?(?:总是|始终|永远|务必|一定要).{2,})"
)
CJK_ORDER = r"(?:.{2,60}(?:ください|下さい|を使って|しないで)|请?(?:必须|不要|别|用|使用).{2,})"  # after a refusal only

COMPLAINT = (  # a sentence with a subject and a verb tells what happened; a rule without a verb does not
    r"\b(?:i|i'm|it|it's|he|she|they|there|is|are|was|were|isn't|aren't|does|doesn't|did|didn't|has|hasn't|had"
    r"|fails?|failed"
    r"|breaks?|broke|crashe[sd]|throws?|gives?|gave|shows?|says|returns|still|can't|cannot|ist|sind|war|ich|je"
    r"|j'ai|est|sont|es"
    r"|fue|yo|é|eu|foi|è|sono|thanks|great|fine|good)\b"
)
