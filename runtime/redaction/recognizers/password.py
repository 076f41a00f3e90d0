"""Secrets told by the words before them: passwords, PINs, one-time codes, keys and tokens of unknown issuers.

The label, something that says "is" (a colon, an equals sign, a verb in either language), the value. A password that
begins in the middle of a sentence must look like one; after a colon or an equals sign almost anything does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.normalise import lowered
from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.label_words import SECRET
from runtime.redaction.recognizers.secret_value import CODE_PATH, is_value, looks_random, trimmed
from runtime.redaction.recognizers.secret_words import (
    ADJECTIVE,
    GIVES,
    OF_KEY,
    OF_LOGIN,
    OF_PAIR,
    OF_PIN,
    OF_WORD,
    PREPOSITION,
    VERB,
)

# What stands between a label and its value: signs, tags of a page, the end of a line; or a verb.
_POINTS = (
    r"(?:\s{0,3}(?:=>|:=|[:=→>|]|\s[-–\[(]|[\[(])\s{0,3}|</\w{1,12}>\s{0,2}(?:<\w{1,12}>)?|\) ?values ?\(|\s?\n\s?)"
)
_SAYS = (
    rf"(?:,? {VERB}(?: (?:now|maintenant|actually|still|toujours|bien|currently|simplement|just|also|aussi|le suivant|"
    r"the following))?(?: ?:)?\s{1,2})"
)
_OF_WHAT = rf"(?: {PREPOSITION} ?[\w'@.+-]{{1,48}}(?: [\w'@.-]{{1,24}}){{0,2}}?){{0,2}}"
_IS = (
    rf"[\"')\]*_]{{0,3}}(?: ?\([^()\n]{{1,40}}\))?(?: {ADJECTIVE}){{0,2}}{_OF_WHAT}"
    rf"(?:{_POINTS}|{_SAYS})[\"'«(\[*]{{0,3}} ?"
)
_QUOTED = (
    r"(?:(?<=\")[^\"\n]{3,128}(?=\")|(?<=')[^'\n]{3,128}(?=')|(?<=« )[^»\n]{3,128}(?= ?»)|(?<=«)[^»\n]{3,128}(?= ?»)|"
)
_STRONG = re.compile(rf"(?<![^\W_]){OF_WORD}{_IS}({_QUOTED}[^\s\"]{{3,128}}))")
# Without a verb between ("password hunter2", "mdp wifi abc123"), or words away from it ("the admin password was changed
# yesterday to …"): the value must then look like one.
_DIRECT = re.compile(
    rf"(?<![^\W_]){OF_WORD}(?: {ADJECTIVE}| {PREPOSITION} [\w-]{{1,16}})? [\"'«(*]{{0,2}} ?([^\s\"«»]{{4,128}})"
)
_LOOSE = re.compile(
    rf"(?<![^\W_]){OF_WORD}(?:,? [\w'@-]{{1,24}}){{0,6}}? ?{GIVES}(?: (?:now|maintenant|le|the))?"
    rf"\s?[\"'«(*]{{0,2}} ?((?=[^\s\"]{{0,40}}[0-9!@#$%^&*+=?~_])[^\s\"«»]{{4,128}})"
)
_LOGIN = re.compile(rf"(?<![^\W_]){OF_LOGIN}\s?[:=]\s?([^\s\"/|,;]{{2,64}}\s?[/|,;]\s?[^\s\"]{{4,128}})")
_WIFI = re.compile(r"(?<![^\W_])wi-?fi\s?[:=]\s{0,2}[\"'«(]{0,2} ?([^\s\"«»]{6,64})(?!\S|\s?[/|(-])")
# The value first: "use Tulip#9 as your password".
_REVERSED = re.compile(
    r"(?<!\S)[\"'«(]{0,2}([^\s\"«»]{4,128}?)[\"'»)]{0,2} (?:as|comme|is|est) (?:(?:a|the|my|your|our|his|her|new|"
    r"temporary|le|mon|ton|son|votre|notre|nouveau) ){0,2}(?:password|passcode|passphrase|mot de passe|mdp)(?!\w)"
)
# A second one in the same sentence: "the old password was Tulip#9 and the new one Tulip#10".
_SECOND = re.compile(
    rf"(?<![^\W_]){OF_WORD}[^\n.;]{{2,64}}?(?<!\w)(?:nouveau|nouvel|new|old|ancien|autre|other|second|deuxieme|backup)"
    rf"(?: (?:one|mdp|mot de passe|password))?(?:\s?[:=]|,? {VERB})?\s{{1,2}}[\"'«(*]{{0,2}} ?([^\s\"«»]{{4,128}})"
)
# Without anything between: "recovery key 134683-378325-AB".
_KEYED = re.compile(
    rf"(?<![^\W_]){OF_KEY} ((?=[^\s]{{0,40}}[0-9][^\s]{{0,40}}[0-9])[a-z0-9][a-z0-9_-]{{9,256}})(?![\w-])"
)
_PAIR = re.compile(rf"(?<![^\W_]){OF_PAIR}(?:\s?[:=]\s?|\s)([^\s\"/|,;]{{2,64}}\s[/|]\s[^\s\"]{{4,128}})")
_MEDIUM = re.compile(rf"(?<![^\W_]){OF_KEY}{_IS}({_QUOTED}[^\s\"'<>,;()&]{{4,512}}))")
_DIGITS = re.compile(
    rf"(?<!\w){OF_PIN}(?:{_IS}|[ /]|\s?\n| [\w'-]{{1,20}} |(?:,? [\w'@-]{{1,24}}){{1,6}}? ?{GIVES}\s?)"
    r"#?([0-9]{3,8})(?![0-9\-])"
)
_ONCE = re.compile(
    rf"(?<!\w){OF_KEY}(?: [\w'.-]{{2,20}})?{_IS}((?:[a-z]{{1,3}}-)?[0-9]{{3,4}}[ -]?[0-9]{{3,4}})(?![\w-])"
)
# The words of a wallet, or of a passphrase: up to the end of the line.
_PHRASE = re.compile(
    r"(?<!\w)(?:(?:seed|recovery|secret|backup|mnemonic|pass) ?phrase|mnemonic|phrase (?:de recuperation|secrete|"
    r"mnemonique|de passe))"
    rf"{_IS}([a-z]{{3,10}}(?:[ ,\n]{{1,2}}[a-z]{{3,10}}){{2,24}})(?![a-z])"
)
# A door, a padlock, an alarm; not an error, a status, an area.
_CODE = re.compile(
    r"(?<!error )(?<!status )(?<!exit )(?<!return )(?<!http )(?<!area )(?<!country )(?<!response )(?<!zip )(?<!post )"
    rf"(?<!d'erreur )(?<!\w)code{_OF_WHAT}(?:\s?:\s{{0,2}}|,? {VERB}\s{{1,2}})([0-9]{{4,8}}[#*]?)(?!\w)"
)
_DOOR = re.compile(
    r"(?<!\w)(?:(?:code|nip) (?:d'acces|d'entree|d'alarme|de (?:la )?porte|du (?:batiment|garage|cadenas|portail))|"
    r"(?:door|gate|alarm|entry|access|lockbox|buzzer|garage|building) code)(?: is| to|:)?\s{1,2}([0-9]{3,8}[#*]?)(?!\w)"
)
_OF_POSTAL = re.compile(
    r"code (?:postal|d'erreur|d'article|produit|client|regional|source|civil|penal|du travail|barres?|qr)"
)
_BEARER = re.compile(
    r"(?:(?<!\w)(?:authorization|proxy-authorization|x-api-key|x-auth-token|"
    r"apikey)[\"']?\s{0,2}[:=]\s{0,2}[\"']?(?:bearer|basic|token|apikey|digest)?|"
    r"(?<!\w)bearer)\s{0,2}(?<=[\s:=\"'])([A-Za-z0-9._~+/=-]{12,4096})",
    re.IGNORECASE,
)
_CLI = re.compile(
    r"(?<!\S)(?:--(?:password|token|secret|api-key|passphrase|pass|pwd|access-token)|-p|-pw|"
    r"--pw)[ =][\"']?([^\s\"']{4,256})|(?<!\S)-p([^\s\"'0-9/.-][^\s\"']{5,64})(?!\S)|"
    r"(?<!\S)(?:-u|--user|--proxy-user)[ =][\"']?([^\s\"':]{1,64}:[^\s\"']{2,128})"
)
# In the next sentence: "… the password for the portal. The old one was Copper!Kettle88".
_NEXT = re.compile(
    rf"(?<![^\W_]){OF_WORD}[^\n.;]{{0,64}}\.{{1,3}} (?:(?:the|my|his|her|le|la|l'|mon) ?(?:old|new|current|previous|"
    rf"ancien|nouveau|actuel)(?: (?:one|password|mdp|mot de passe))?|"
    rf"it),? {VERB}\s{{1,2}}[\"'«(*]{{0,2}} ?([^\s\"«»]{{4,128}})"
)
# What was spoken of, in brackets: "the password you sent (Kx9-brisk-Pond)".
_BRACKETED = re.compile(
    rf"(?<![^\W_]){OF_WORD}(?: [\w'-]{{1,16}}){{1,5}} \(((?=[^\s()]{{0,40}}[0-9])[^\s()\"]{{6,64}})\)"
)
# In quotes: `passphrase "velvet walrus"`.
_IN_QUOTES = re.compile(
    r"(?:pass[- ]?phrases?|phrases? de passe|code ?words?|mots? de code)(?: [\w-]{1,16})? ?(?:\"([^\"\n]{4,64})\"|"
    r"« ?([^»\n]{4,64}?) ?»)"
)
# The words of a wallet in quotes, or behind a colon, what is said of them before.
_WORDS = re.compile(
    r"(?:(?:seed|recovery|mnemonic|backup|wallet) (?:phrase|words)|mnemonic|phrase (?:de recuperation|secrete|"
    r"mnemonique)|"
    r"mots de recuperation)[^\n]{0,56}?[\"«:] ?((?:[a-z]{3,8}[ ,\n]{1,2}){11,23}[a-z]{3,8})(?![a-z])"
)
# A new one in the next sentence: "mot de passe oublié. Temporaire = Mésange!72".
_TEMPORARY = re.compile(
    r"(?:temporaire|temporary|provisoire|temp)(?:\s?[:=]\s?|, (?=[^\s]{0,40}[0-9])(?=[^\s]{0,40}[!@#$%&*?~^+]))"
    r"([^\s\"«»]{5,64})"
)
# An answer that proves who somebody is.
_ANSWER = re.compile(
    r"(?:(?:secret |security )?questions?[^\n]{2,60}?(?<![a-z])(?:reponse|answer|rep|ans)(?: secrete)?\s?[:=]|"
    r"(?:maiden name)(?: is|\W{1,3}(?:[a-z]{1,12} ?: ?)?)) ?([^\s\",;]{3,64})"
)
_COMMUNITY = re.compile(
    r"(?:snmp(?:v[123]c?)? (?:community|communaute)(?: string)?|(?:community(?: string)?|"
    r"communaute)(?: snmp)?)\s?[:=]? ([^\s\"«»]{4,64})"
)
# Pairs in a list of passwords: "root / Sn0wgoose#4, backup / tapeRobot_88".
_PAIRS = re.compile(
    r"(?<![\w/])[\w.@-]{2,32} ?[/|] ?((?=[^\s]{0,24}[0-9])(?=[^\s]{0,24}[a-z])[^\s/|,;\"]{6,64})(?![\w/])"
)
_LIST = re.compile(
    r"(?<![a-z])(?:passwords?|passwd|log-?ins?|credentials?|creds|mots de passe|mdp|identifiants|acces)(?![a-z])"
)
_BETWEEN = (" as ", " comme ", " is ", " est ")
# Which patterns a label may begin, by its first word: most words begin none, and are not tried at all.
_PATTERNS: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    "word": (
        (_STRONG, "password"),
        (_PHRASE, "phrase"),
        (_DIRECT, "direct"),
        (_LOOSE, "direct"),
        (_SECOND, "direct"),
        (_BRACKETED, "direct"),
        (_NEXT, "direct"),
    ),
    "phrase": ((_IN_QUOTES, "phrase"), (_WORDS, "phrase")),
    "temporary": ((_TEMPORARY, "direct"),),
    "answer": ((_ANSWER, "answer"),),
    "community": ((_COMMUNITY, "direct"),),
    "login": ((_LOGIN, "login"), (_PAIR, "login"), (_WIFI, "direct")),
    "key": ((_MEDIUM, "token"), (_KEYED, "keyed"), (_ONCE, "pin")),
    "pin": ((_DIGITS, "pin"),),
    "code": ((_CODE, "pin"), (_DOOR, "pin")),
}
_FIRST_WORDS = {
    "word": """
        pass password passwords passphrase passphrases passwd passcode passcodes pwd pswd psw pw mot mots mdp
        motdepasse passe m reponse secret security code wi wifi cle phrase phrases seed recovery userpwd dbpwd
        wpa wpa2 wpa3 wep network wireless router psk
        adminpwd rootpwd user userpass login
        mnemonic backup
        """,
    "login": """
        credential credentials creds identifiant identifiants login log user username utilisateur usager wi wifi ssid
        """,
    "key": """
        api access secret client app auth refresh session private encryption signing bot personal deploy webhook
        license licence product activation recovery backup cle cles jeton jetons secrets token tokens account shared
        sas otp 2fa apikey apitoken code codes verification security authentication confirmation one login sign unlock
        alarm gate door entry lock temporary reset sms
        """,
    "pin": "pin pins nip nips n code puk cvv cvv2 cvc cvc2 cvn cid csc cryptogramme otp 2fa passcode card security",
    "phrase": "pass passphrase passphrases phrase phrases code seed recovery mnemonic backup wallet mot mots",
    "temporary": "temporaire temporary provisoire temp",
    "answer": "secret security question questions maiden",
    "community": "snmp community communaute",
    "code": "code nip door gate alarm entry access lockbox buzzer garage building",
}
_FIRST = {
    word: tuple(pattern for kind, words in _FIRST_WORDS.items() if word in words.split() for pattern in _PATTERNS[kind])
    for word in sorted({word for words in _FIRST_WORDS.values() for word in words.split()})
}
_OF_PROGRAMS = (*_PATTERNS["word"], *_PATTERNS["key"])
_WORD = re.compile(r"\w+")
_COMPOUND = re.compile(r"_(?:pass|pwd|key|token|secret|apikey|auth)|(?:pass(?:word|wd)?|pwd|key|token|secret)$")
_SECRET_WORD = re.compile(
    r"(?<![^\W_])(?:keys?|tokens?|secrets?|credentials?|api|cles?|jetons?|bearer|auth|apikey|otp|password|"
    r"mot de passe|mdp|clef|webhook|deploy)(?![^\W_])"
)
_PUBLIC_WORD = re.compile(
    r"(?<![^\W_])(?:commit|sha\d{0,3}|md5|hash|checksum|somme de controle|empreinte|fingerprint|digest|etag|integrity|"
    r"uuid|guid|revision|"
    r"tag|image|public|primary|foreign|cache|sort|registry|partition|s3|object|file|fichier|build|layer|trace|span|"
    r"request|requete)(?![^\W_])"
)
_RANDOM = re.compile(r"(?<![\w/+.-])[A-Za-z0-9_\-+/.~]{16,256}={0,2}(?![\w/+-])")


class Password(Identifier):
    """Passwords, PINs, codes and keys by context."""

    ENTITY = "SECRET"

    def applies(self, run: Run) -> bool:
        return run.topics & SECRET != 0

    def find(self, run: Run) -> Iterator[Hit]:
        """The label may stand before the run: match over both, keep what ends inside."""
        left = run.left[-64:]
        text, shift = left + run.text, len(left)
        lower = lowered(left) + run.lower
        for word in _WORD.finditer(lower):
            first = word.group()
            patterns = _FIRST.get(first) or (_OF_PROGRAMS if len(first) > 4 and _COMPOUND.search(first) else ())
            for pattern, name in patterns:
                if match := pattern.match(lower, word.start()):
                    yield from _value(text, lower, shift, match, name)
        if (" / " in lower or "/" in run.text) and (listed := _LIST.search(lower)):
            for match in _PAIRS.finditer(lower, listed.end()):
                yield from _value(text, lower, shift, match, "direct")
        if any(word in lower for word in _BETWEEN):
            for match in _REVERSED.finditer(lower):
                yield from _value(text, lower, shift, match, "direct")
        if " -" in lower or lower.startswith("-"):
            for match in _CLI.finditer(lower):
                yield from _value(text, lower, shift, match, "option")
        if "bearer" in lower or "auth" in lower or "api" in lower:
            for match in _BEARER.finditer(text):
                if match.end() > shift and any(map(str.isdigit, match[1])):
                    yield Hit(max(match.start(1) - shift, 0), match.end() - shift, 0.95, "bearer")
        yield from _random(run)


def _value(text: str, lower: str, shift: int, match: re.Match[str], name: str) -> Iterator[Hit]:
    """The value of one match, if it is one and ends in the run."""
    group = match.lastindex or 1
    if name == "answer":
        name = "direct" if "maiden" not in match.group() else "phrase"
    start, end = match.span(group)
    quoted = lower[start - 1 : start] in {'"', "'"} and lower[end : end + 1] == lower[start - 1 : start]
    if not quoted:
        end = trimmed(text, start, end, name)
    if end <= shift or lower[match.end(group) : match.end(group) + 1] == "(" or lower[end - 1] == "(":
        return  # it stands before the run, or is a call
    if name == "pin" and _OF_POSTAL.search(match.group()):
        return
    sentence = lower[end : end + 1] == " " and lower[end + 1 : end + 2].isalpha()
    if is_value(text[start:end], lower[match.start() : start], name, quoted=quoted, sentence=sentence):
        yield Hit(max(start - shift, 0), end - shift, 0.9, name)


def _random(run: Run) -> Iterator[Hit]:
    """A long row of mixed characters near "key", "token", "clé", "jeton"."""
    for match in _RANDOM.finditer(run.text):
        value = match.group().rstrip(".")
        if run.text[match.end() : match.end() + 1] in {"(", "["} or CODE_PATH.fullmatch(value):
            continue
        before = run.before(match.start(), 56)
        if looks_random(value) and (near := list(_SECRET_WORD.finditer(before))):
            other = list(_PUBLIC_WORD.finditer(before))
            if not other or other[-1].start() < near[-1].start() - 8:
                yield Hit(match.start(), match.start() + len(value), 0.8, "random")
