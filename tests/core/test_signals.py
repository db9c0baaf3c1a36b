"""What a user's words tell: corrections, the rule in them, their tokens, and the checks that follow with certainty."""

import time
from datetime import UTC, datetime

import pytest

from nightschool.night.judging.judge import Attempt, reward, validate
from nightschool.night.mining.signals import (
    content,
    derive_checks,
    directive,
    is_correction,
    is_nod,
    normalise,
    standing_rule,
    without_directive,
)
from nightschool.records import Turn

BEFORE = Turn(id="t0", at=datetime(2026, 1, 1, tzinfo=UTC), prompt="write the query", reply="SELECT 1;")

# what the user wrote -> the rule in it
CORRECTIONS = {
    "no, that's wrong. always end the query with LIMIT 1000 unless I say otherwise.": "always end the query with LIMIT 1000 unless I say otherwise.",
    "still not right: money in USD with 2 decimals": "money in USD with 2 decimals",
    "you forgot again: put the final answer in \\boxed{}": "put the final answer in \\boxed{}",
    "nope, commit subjects in imperative mood, under 50 characters please": "commit subjects in imperative mood, under 50 characters please",
    "No, always add a LIMIT": "always add a LIMIT",
    "no! use tabs": "use tabs",
    "not unittest, use pytest": "not unittest, use pytest",
    "always use pytest": "always use pytest",
    "never touch the lock file": "never touch the lock file",
    "I told you to use pnpm": "use pnpm",
    "I said use pnpm, not npm": "use pnpm, not npm",
    "As I said, answers in German please": "answers in German please",
    "you forgot to add the changelog entry": "add the changelog entry",
    "stop adding comments everywhere": "stop adding comments everywhere",
    "don't use var, do use const": "don't use var, do use const",
    "Please always run the linter first": "Please always run the linter first",
    "Next time use the staging database": "Next time use the staging database",
    "Looks good. Next time, please add a test.": "Next time, please add a test.",
    "The build is fine now. From now on, always add a test.": "From now on, always add a test.",
    "ok thanks, but never touch the lock file": "never touch the lock file",
    "that’s wrong, use `uv`": "use `uv`",
    "This is still wrong. Use `uv`, not pip. The rest is fine.": "Use `uv`, not pip.",
    "no emojis please": "no emojis please",
    "Use pytest instead": "Use pytest instead",
    "can you always add type hints?": "can you always add type hints?",
    "no — the answer must be in JSON": "the answer must be in JSON",
    "no, we use tabs here": "we use tabs here",
    "no worries, but always use tabs": "always use tabs",
    "Nein, verwende immer pathlib, nie os.path": "verwende immer pathlib, nie os.path",
    "Ich habe dir gesagt, verwende pathlib": "verwende pathlib",
    "Du hast schon wieder vergessen: Datumsangaben als YYYY-MM-DD": "Datumsangaben als YYYY-MM-DD",
    "hör auf, Kommentare zu schreiben": "hör auf, Kommentare zu schreiben",
    "Ab jetzt: schreibe kurze Sätze": "Ab jetzt: schreibe kurze Sätze",
    "Non, utilise toujours uv, jamais pip": "utilise toujours uv, jamais pip",
    "La prochaine fois, ajoute un test": "La prochaine fois, ajoute un test",
    "arrête d'ajouter des commentaires": "arrête d'ajouter des commentaires",
    "No, usa siempre pnpm": "usa siempre pnpm",
    "ya te dije que uses pnpm": "uses pnpm",
    "a partir de ahora escribe los tests primero": "a partir de ahora escribe los tests primero",
    "Não, use sempre fetch": "use sempre fetch",
    "eu já disse para usar fetch": "usar fetch",
    "No, usa sempre ruff, mai black": "usa sempre ruff, mai black",
    "la prossima volta aggiungi un test": "la prossima volta aggiungi un test",
    "いいえ、必ずpytestを使ってください": "必ずpytestを使ってください",
    "違います、pytestを使ってください": "pytestを使ってください",
    "今後は日本語で答えてください": "今後は日本語で答えてください",
    "不对，请总是使用 pytest": "请总是使用 pytest",
    "不对，用 pytest": "用 pytest",
    "以后不要写注释": "以后不要写注释",
}

# how people correct in seven more languages, and what sounds alike in them and corrects nothing
ABROAD = {
    "de": """Nein, bitte antworte immer auf Deutsch
Das stimmt nicht, nimm pnpm statt npm
Ich hab dir doch gesagt, du sollst die Tests zuerst laufen lassen
Du hast wieder vergessen, den Changelog zu ergänzen
Bitte nie wieder direkt auf main pushen
Nicht so. Verwende f-Strings
Falsch, die Beträge müssen in Euro stehen
Passt, aber schreib die Kommentare auf Englisch""",
    "fr": """Non, il faut toujours ajouter un test
Je t'ai déjà dit de ne pas toucher au fichier de verrouillage
C'est pas bon, utilise pnpm à la place de npm
Tu as encore oublié d'ajouter le type de retour
Ne modifie jamais les migrations existantes
À partir de maintenant, réponds en français
D'accord, mais mets les montants en euros""",
    "es": """No, usa siempre comillas simples
Te he dicho que no toques el lockfile
Eso está mal, los commits deben ir en inglés
Otra vez olvidaste añadir el test
Nunca hagas push directo a main
De ahora en adelante, responde en español
Vale, pero pon los importes en euros""",
    "pt": """Não, sempre use aspas simples
Já te disse para não mexer no lockfile
Está errado, os commits devem ser em inglês
Você esqueceu de novo de adicionar o teste
Nunca faça push direto na main
De agora em diante, responda em português
Ok, mas coloque os valores em euros""",
    "it": """No, usa sempre le virgolette singole
Ti ho già detto di non toccare il lockfile
È sbagliato, i commit devono essere in inglese
Hai dimenticato di nuovo di aggiungere il test
Non fare mai push diretto su main
D'ora in poi rispondi in italiano
Va bene, ma metti gli importi in euro""",
    "ja": """いいえ、必ずテストを先に書いてください
前にも言いましたが、ロックファイルは変更しないでください
違います。日付はISO形式にしてください
今後は日本語で答えてください
コメントは絶対に英語で書かないでください""",
    "zh": """不对，要用 pnpm，不要用 npm
我说过不要动 lock 文件
以后请用中文回答
永远不要直接推送到 main
错了，日期必须用 ISO 格式
别用 unittest，用 pytest""",
}
NOT_ABROAD = {
    "de": """Warum ist der Test immer noch rot?
Nein danke, das reicht für heute
Der Server stürzt nie ab, seltsam
Repariere den falschen Import in auth.py
Ich habe vergessen, wo die Konfiguration liegt
Passt so, danke""",
    "fr": """Pourquoi le test est toujours rouge ?
Non merci, c'est tout pour aujourd'hui
Corrige l'import incorrect dans auth.py
J'ai oublié où se trouve la configuration
Le serveur ne répond plus depuis hier
Parfait, merci""",
    "es": """¿Por qué el test siempre falla?
No gracias, eso es todo
Arregla el import incorrecto de auth.py
Olvidé dónde está la configuración
El servidor nunca responde los lunes
Perfecto, gracias""",
    "pt": """Por que o teste sempre falha?
Não, obrigado, é só isso
Corrija o import errado em auth.py
Esqueci onde fica a configuração
Perfeito, obrigada""",
    "it": """Perché il test fallisce sempre?
No grazie, è tutto per oggi
Correggi l'import sbagliato in auth.py
Ho dimenticato dove sta la configurazione
Perfetto, grazie""",
    "ja": """なぜテストはいつも失敗しますか？
いいえ、大丈夫です
設定ファイルはどこですか""",
    "zh": """为什么测试总是失败？
不用了，谢谢
修复 auth.py 里错误的导入""",
}

NO_CORRECTIONS = """fix the broken login test
the prefixed name is nice
document the undocumented flag
is this correct?
incorrect
I did not change anything, great work
no problem, thanks
no idea
never mind
always happy to help
why is this wrong?
not sure what that does
no
no thanks
no, it's fine
no, thank you, that's all
perfect, thanks
continue
stop the server
the server crashes and never recovers
don't worry about it
great, now add a test for the parser
What does "never" mean here?
should I always use tabs?
why do you always use tabs?
how do I stop logging to stdout?
find out what is wrong with the parser
I told my boss it works
next time I'll do it myself
never seen this before, what is it?
always wondered how this works
no, please continue
no, the tests pass now
kein Problem, danke
immer noch kaputt
non merci
toujours pas bon
no hay problema, gracias
sem problema
nessun problema
no changes needed
There is no test for this
rename the wrong variable
in future releases we may drop this
still wrong, the test fails with a KeyError
ok, but why is it slow?
looks good, but is the parser still used?
yes, but what about the second page
i want to understand the parser
テストを書いてください
用 pytest 重写这个测试""".splitlines()


@pytest.mark.parametrize("prompt", CORRECTIONS)
def test_corrections_are_heard_and_their_rule_is_kept_verbatim(prompt):
    """A correction is told by its opening and a directive; the rule is the user's words without the lead-in."""
    assert is_correction(prompt, BEFORE)
    assert directive(prompt) == CORRECTIONS[prompt]


@pytest.mark.parametrize("prompt", [line for lines in ABROAD.values() for line in lines.splitlines()])
def test_corrections_are_heard_in_seven_more_languages(prompt):
    """A correction needs no English: its rule is a piece of what the user wrote."""
    assert is_correction(prompt, BEFORE)
    assert directive(prompt) in prompt


@pytest.mark.parametrize("prompt", [line for lines in NOT_ABROAD.values() for line in lines.splitlines()])
def test_what_sounds_like_a_correction_abroad_and_is_none(prompt):
    """Questions, thanks, reports and requests with words such as wrong, always or never correct nothing."""
    assert not is_correction(prompt, BEFORE)


@pytest.mark.parametrize("prompt", NO_CORRECTIONS)
def test_moods_and_words_are_no_corrections(prompt):
    """A word such as wrong, broken, fixed, never or always corrects nothing, and neither does a refusal alone."""
    assert not is_correction(prompt, BEFORE)
    assert directive(prompt) == ""


def test_nothing_corrects_before_the_agent_did_something():
    """The first prompt of a session corrects nothing, though it may state a rule."""
    assert not is_correction("no, always use tabs", None)
    assert directive("no, always use tabs") == "always use tabs"


@pytest.mark.parametrize(
    ("prompt", "rule", "rest"),
    [
        (
            "list customers, and always end the query with LIMIT 1000",
            "always end the query with LIMIT 1000",
            "list customers",
        ),
        (
            "Write tests. Always use pytest, never unittest. It is in src.",
            "Always use pytest, never unittest",
            "Write tests. It is in src.",
        ),
        ("always use tabs", "always use tabs", ""),
        ("add a check that the list is never empty", "", "add a check that the list is never empty"),
        ("write a function which never raises", "", "write a function which never raises"),
        ("Don't change the API, but split the module", "", "Don't change the API, but split the module"),
    ],
)
def test_a_standing_rule_inside_a_request(prompt, rule, rest):
    """A rule for all times in a first request is found, and the request is left without it."""
    assert standing_rule(prompt) == rule
    assert without_directive(prompt) == rest


def test_pasted_matter_is_not_read():
    """A prompt over 8,000 characters states no rule, whatever it begins with."""
    assert directive("no, always use tabs. " + "x " * 5000) == ""


def test_long_and_odd_prompts_are_read_in_time():
    """No prompt of 8,000 characters takes a noticeable part of a night, whatever it repeats."""
    begun = time.process_time()
    for piece in (
        "no ",
        "a-",
        "a.b/",
        "`",
        '"',
        "don't ",
        "please ",
        "you forgot ",
        "not, use ",
        "必ず",
        "\\a{",
        "[A, ",
        "x.y::",
    ):
        prompt = ("no, " + piece * 8000)[:8000]
        is_correction(prompt, BEFORE), without_directive(prompt), normalise(prompt), derive_checks(prompt[:400])

    assert time.process_time() - begun < 30


def test_nods():
    """Thanks, nods and shrugs are told from prompts that ask for something."""
    assert all(is_nod(p) for p in ("perfect, thanks", "no problem, thanks", "not sure what that does", "ok"))
    assert not is_nod("great, now add a test")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 4 choose 3?", "what is 26 choose 3"),
        ("Please explain src/app/main.py", "explain lib/x/util.py!"),
        ("test the parsers", "TEST THE PARSER"),
        ("ｅｘｐｌａｉｎ ＳＱＬ", "explain sql"),
        ("fix ```\na = 1\n```", "fix ```\nb = 2\n```"),
    ],
)
def test_normalising_forgets_what_varies(one, other):
    """Case, width, numbers, places, code, plural and politeness do not count."""
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("use tabs, not spaces", "use spaces, not tabs"),
        ("always use goto", "never use goto"),
        ("mit Tests", "ohne Tests"),
    ],
)
def test_normalising_keeps_what_is_negated(one, other):
    """A rule and its opposite share no telling words that are negated in one of them."""
    assert content(normalise(one)) != content(normalise(other))


def test_a_rule_keeps_its_numbers():
    """LIMIT 50 is another rule than LIMIT 1000."""
    assert normalise("add LIMIT 50", exact=True) != normalise("add LIMIT 1000", exact=True)


# rule -> an answer that keeps it, an answer that breaks it
CHECKED = {
    "always end the query with LIMIT 1000 unless I say otherwise": ("SELECT a FROM t LIMIT 1000;", "SELECT a FROM t;"),
    "put the final answer in \\boxed{}": ("So it is \\boxed{42}.", "So it is 42."),
    "commit subjects in imperative mood, under 50 characters": ("Fix null check in parser", "Fixed the null check that was broken in the parser module yesterday"),
    "use pytest, never unittest": ("def test_empty():\n    assert parse('') == []", "class TestParse(unittest.TestCase):\n    def test_x(self): pass"),
    "cite sources as [Author, Year]": ("Replay helps [Wilson, 1994].", "Replay helps."),
    "money in USD with 2 decimals": ("USD 1204.50", "about 1.2k dollars"),
    "always use async/await, never callbacks": ("const r = await fetch(url)", "fetch(url, function (err, r) {})"),
    "use `const` or `let`, never `var`": ("let variable = 1;", "var x = 1;"),
    "always add a LIMIT": ("SELECT 1 LIMIT 5", "SELECT 1"),
    "no emojis please": ("Done.", "Done \U0001f389"),
    "keep answers under 30 characters": ("Short and sweet.", "This answer goes on for far too long."),
    "answers must not exceed 30 characters": ("Short.", "This answer goes on for far too long."),
    "add a 'Rollback' section": ("## Rollback\nrevert it", "Just revert it. Rollback is easy."),
    "include a Risks section that mentions `downtime`": ("# Risks\nsome downtime", "# Risks\nnone\n# Else\ndowntime"),
    "use pnpm instead of npm": ("pnpm install", "npm install"),
    "use uv, not pip": ("uv add rich", "pip install rich"),
    "don't use print, use logging": ("logging.info('prints')", "print('x')"),
    "start every commit subject with `feat:`": ("feat: add a cart", "Add a cart. It is a feat."),
    "start every commit subject with `feat:` or `fix:`": ("fix: cart", "cart fix"),
    "end your answers with 'Cheers'": ("It works now.\nCheers!", "Cheers for that. It works now."),
    'start your replies with "TL;DR:"': ("TL;DR: it works", "It works. TL;DR: yes"),
    "when you write `README.md`, include 'Usage'": ("# Usage", "# How to"),
    "prefer `pathlib` over `os.path`": ("from pathlib import Path", "import os.path"),
    "format dates as `YYYY-MM-DD`": ("on 2026-03-01", "on March 1st"),
    "dates as YYYY-MM-DD please": ("on 2026-03-01", "on 1.3.2026"),
    "nie TT.MM.JJJJ schreiben": ("am 2026-03-01", "am 01.03.2026"),
    "les dates au format JJ/MM/AAAA": ("le 01/03/2026", "le 2026-03-01"),
    "always log with structlog, not print": ("log.info('x', key=1)", "print('x')"),
    "verwende immer `pathlib`, nie `os.path`": ("import pathlib", "import os.path, pathlib"),
    "utilise toujours `uv`, jamais `pip`": ("uv sync", "pip install -r r.txt"),
    "usa siempre `pnpm`, nunca `npm`": ("pnpm i", "npm i"),
    "use sempre `fetch`, nunca `axios`": ("await fetch(u)", "axios.get(u)"),
    "usa sempre `ruff`, mai `black`": ("ruff format", "black ."),
    "avoid `unwrap()`": ("x?", "x.unwrap()"),
    "not `var` but `const`": ("const a = 1", "var a = 1"),
    'never say "I think"': ("It is so.", "I think it is so."),
    "don't forget to add `--dry-run`": ("deploy --dry-run", "deploy"),
    "never mention `internal`, `secret` or `TODO`": ("internally secretive", "a secret"),
    "no TODO comments": ("x = 1", "x = 1  # TODO later"),
    "use logging.getLogger, not print()": ("logging.getLogger('a')", "print()"),
    "stop using `console.log`": ("logger.info(1)", "console.log(1)"),
    "use `===`, never `==`": ("a === b", "a == b"),
    "always sign off with 'Cheers, Bot'": ("Done.\nCheers, Bot", "Done."),
    "call `close()` and `join()`": ("p.close()\np.join()", "p.close()"),
    "answers of at least 20 characters": ("long enough, I would say", "short"),
}  # fmt: skip

UNCHECKED = """use tabs, never spaces
use snake_case, never camelCase
never use `any`
keep lines under 100 characters
don't commit `.env`
never commit `.env`
always run `make lint` before you commit
use "clean" code
always add a docstring
write SQL keywords in upper case
name branches like `feat/foo`
use British spelling, not American
answers must not exceed 200 words
answer in German
be concise
use `{name}` placeholders
pin docker image versions
tag every terraform resource with an owner
why `var`?
iterate over `items` carefully
write the report in JSON""".splitlines()


@pytest.mark.parametrize("rule", CHECKED)
def test_checks_pass_the_good_and_fail_the_bad(rule):
    """Where the words of a rule make it certain, its checks hold for a good answer and not for a bad one."""
    checks = derive_checks(rule)
    good, bad = CHECKED[rule]

    assert checks
    for check in checks:
        validate(check)
    assert reward(checks, Attempt(good)) == 1.0
    assert reward(checks, Attempt(bad)) == 0.0


@pytest.mark.parametrize("rule", UNCHECKED)
def test_no_check_when_unsure(rule):
    """Plain English words, acts, examples, parts of an answer and questions give no check: the rule stays unexamined."""
    assert derive_checks(rule) == ()


def test_the_operators_are_the_expected_ones():
    """A few derivations in full: exact substrings where they are safe, patterns where a word could hide in another."""
    told = [[(c.op.value, c.arg) for c in derive_checks(rule)] for rule in (
        "put the final answer in \\boxed{}", "cite as [Author, Year]", "always use polars, never pandas", "use uv, never pip", "max 200 characters",
    )]  # fmt: skip

    assert told == [
        [("contains", "\\boxed{")],
        [("regex", r"\[[^\]\n]+, \d{4}\]")],
        [("contains", "polars"), ("not_contains", "pandas")],
        [("regex", r"\buv\b"), ("regex", r"\A(?![\s\S]*(?:\bpip\b))")],
        [("max_chars", "200")],
    ]
