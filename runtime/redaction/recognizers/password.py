"""Secrets told by the words before them: passwords, PINs, one-time codes, keys and tokens of unknown issuers.

The label, something that says "is" (a colon, an equals sign, a verb in either language), the value. A password that
begins in the middle of a sentence must look like one; after a colon or an equals sign almost anything does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from runtime.redaction.normalise import lowered
from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.labels import SECRET
from runtime.redaction.recognizers.secret_words import (
    ADJECTIVE,
    GIVES,
    NOT_VALUES,
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
_OF_WHAT = rf"(?: {PREPOSITION} ?[\w'@.-]{{1,32}}(?: [\w'@.-]{{1,24}})??){{0,2}}"
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
_PAIR = re.compile(rf"(?<![^\W_]){OF_PAIR}\s?[:=]\s?([^\s\"/|,;]{{2,64}}\s[/|]\s[^\s\"]{{4,128}})")
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
    r"(?:door|gate|alarm|entry|access|lockbox|buzzer|garage|building) code)\s{1,2}([0-9]{3,8}[#*]?)(?!\w)"
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
_BETWEEN = (" as ", " comme ", " is ", " est ")
# Which patterns a label may begin, by its first word: most words begin none, and are not tried at all.
_PATTERNS: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    "word": ((_STRONG, "password"), (_PHRASE, "phrase"), (_DIRECT, "direct"), (_LOOSE, "direct")),
    "login": ((_LOGIN, "login"), (_PAIR, "login"), (_WIFI, "direct")),
    "key": ((_MEDIUM, "token"), (_ONCE, "pin")),
    "pin": ((_DIGITS, "pin"),),
    "code": ((_CODE, "pin"), (_DOOR, "pin")),
}
_FIRST_WORDS = {
    "word": """
        pass password passwords passphrase passphrases passwd passcode passcodes pwd pswd psw pw mot mots mdp
        motdepasse m reponse secret security code wi wifi cle phrase phrases seed recovery user userpass login
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
    "code": "code nip door gate alarm entry access lockbox buzzer garage building",
}
_FIRST = {
    word: tuple(pattern for kind, words in _FIRST_WORDS.items() if word in words.split() for pattern in _PATTERNS[kind])
    for word in sorted({word for words in _FIRST_WORDS.values() for word in words.split()})
}
_OF_PROGRAMS = (*_PATTERNS["word"], *_PATTERNS["key"])
_WORD = re.compile(r"\w+")
_COMPOUND = re.compile(r"_(?:pass|pwd|key|token|secret|apikey|auth)|(?:pass(?:word|wd)?|pwd|key|token|secret)$")
_CODE_PATH = re.compile(
    r"[A-Za-z_]\w{0,32}(?:(?:\.|->|::)[A-Za-z_]\w{0,32}){1,6}(?:\[[\w:-]{0,16}\])?|[A-Za-z_]{1,32}\[[\w:-]{0,16}\]"
)
_NEXT_PAIR = re.compile(r"[a-z_]{2,24}=\S")
_CALL = re.compile(r"^[A-Za-z_.]{1,40}\(")
_IDENTIFIER = re.compile(r"[a-z]+(?:_[a-z]+)+")
_KNOWN = re.compile(
    r"(?i:[0-9]+(?:st|nd|rd|th|e|er|ere|eme|px|ms|gb|mb|kb|h|min|x)|(?:aes|sha|md|rsa|utf|ipv|mp|win|windows|tls|ssl|"
    r"wpa|"
    r"oauth|argon|base|bcrypt|pbkdf|1password|2fa|mfa|h|office|o|python|php|log)-?[0-9.]+|1password|[a-z]+@[a-z.]+|"
    r"[\w.+-]+@[\w-]+\.[\w.-]+|https?:.*)"
)
_PLACEHOLDER = re.compile(r"#[0-9a-fA-F]{3,8}|[A-Z]+(?:_[A-Z]+)+|%[0-9.]{0,4}l{0,2}[a-z]")
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
_NAMED_PART = re.compile(r"[A-Za-z]*[0-9]{0,4}[a-z]?")
_RUNS = re.compile(r"[0-9]+")
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
    start, end = match.span(group)
    quoted = lower[start - 1 : start] in {'"', "'"} and lower[end : end + 1] == lower[start - 1 : start]
    if not quoted:
        end = _trimmed(text, start, end, name)
    if end <= shift or lower[match.end(group) : match.end(group) + 1] == "(" or lower[end - 1] == "(":
        return  # it stands before the run, or is a call
    if name == "pin" and _OF_POSTAL.search(match.group()):
        return
    sentence = lower[end : end + 1] == " " and lower[end + 1 : end + 2].isalpha()
    if _is_value(text[start:end], lower[match.start() : start], name, quoted=quoted, sentence=sentence):
        yield Hit(max(start - shift, 0), end - shift, 0.9, name)


def _random(run: Run) -> Iterator[Hit]:
    """A long row of mixed characters near "key", "token", "clé", "jeton"."""
    for match in _RANDOM.finditer(run.text):
        value = match.group().rstrip(".")
        if run.text[match.end() : match.end() + 1] in {"(", "["} or _CODE_PATH.fullmatch(value):
            continue
        before = run.before(match.start(), 56)
        if _looks_random(value) and (near := list(_SECRET_WORD.finditer(before))):
            other = list(_PUBLIC_WORD.finditer(before))
            if not other or other[-1].start() < near[-1].start() - 8:
                yield Hit(match.start(), match.start() + len(value), 0.8, "random")


def _looks_random(value: str) -> bool:
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    if digits < 3 or letters < 4 or "//" in value or value.count("/") > 3 or value.count(".") > 3:
        return False
    if all(_NAMED_PART.fullmatch(part) for part in re.split(r"[-_./]", value)) or len(_RUNS.findall(value)) < 2:
        return False  # a name with a number: ECDSA_SHA2, X25519PublicKey
    changes = sum(1 for a, b in pairwise(value) if a.isdigit() != b.isdigit() or a.isupper() != b.isupper())
    return changes >= len(value) // 5


def _trimmed(text: str, start: int, end: int, name: str) -> int:
    """Without the punctuation of the sentence behind a value; one at the end of a password may be its own."""
    own = "!?*:" if name in {"password", "direct"} else ""
    while end > start and text[end - 1] in ".!?)]}*:,;'»>" and text[end - 1] not in own:
        if text[end - 1] in ")]}" and {")": "(", "]": "[", "}": "{"}[text[end - 1]] in text[start : end - 1]:
            break
        end -= 1
    for stop in ("<", "&", ";", '",', "',"):
        cut = text.find(stop, start + 1, end)
        if cut > 0 and (stop != "&" or "=" in text[cut:end]) and (stop != ";" or "=" in text[cut:end]):
            end = cut
    return end


def _is_marked(value: str) -> bool:
    """Whether a word in the middle of a sentence looks like a password: letters, and digits or signs among them."""
    plain = value.strip(".,;:!?'\")")
    return (
        any(map(str.isalpha, value))
        and (any(map(str.isdigit, value)) or any(c in "!@#$%^&*+=?~_" for c in value[:-1]))
        and not _KNOWN.fullmatch(plain)
    )


def _is_value(value: str, label: str, name: str, *, quoted: bool, sentence: bool) -> bool:
    low = value.lower()
    if (
        len(value) < 3
        or low.strip("*•.…-_xX") == ""
        or low.strip(".,!?;:)") in NOT_VALUES
        or value[-1] in ":["
        or low.startswith(
            ("${", "{{", "%(", "[", "your", "<", "$(", "@{", "%s", "$env", "{", "process.env", "os.environ", "&")
        )
        or _CODE_PATH.fullmatch(value.rstrip(":;,"))
        or _CALL.search(value)
        or (label.endswith(("= ", ": ")) and _NEXT_PAIR.match(low))
        or _PLACEHOLDER.fullmatch(value)
    ):
        return False
    if name in {"pin", "phrase"}:
        return True
    if name == "login":
        return _is_marked(value)
    if name == "option" and not any(map(str.isalpha, value)):
        return False
    marked = (
        any(c.isdigit() for c in value)
        or not value.replace("'", "").replace("-", "").isalnum()
        or not (value.islower() or value.isupper() or value.istitle())
    )
    if name == "password":
        if not quoted and _IDENTIFIER.fullmatch(value) and label.endswith("= "):
            return False  # an assignment in a program
        if value.istitle() and value.isalpha() and sentence:
            return False
        if label.endswith(("> ", "→ ")) and not label.endswith("=> "):
            return marked or quoted  # "Settings > Security"
        return marked or quoted or label.rstrip(" \"'«([*")[-1:] in {":", "=", ">", "→"}
    if name == "direct":
        return _is_marked(value)
    # A name in a program has no digits, a key of an unknown issuer has.
    if value.isdigit() and "code" not in label and "otp" not in label and "2fa" not in label:
        return False
    return any(map(str.isdigit, value)) and (len(value) >= 6 or value.isdigit())
