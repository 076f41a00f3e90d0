"""Secrets told by the words before them: passwords, PINs, one-time codes, keys and tokens of unknown issuers.

The label, something that says "is" (a colon, an equals sign, a verb in either language), the value. A password that
begins in the middle of a sentence must look like one; after a colon or an equals sign almost anything does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run
from runtime.redaction.recognizers.labels import SECRET

_OF_WORD = (
    r"(?:pass ?words?|pass[- ]?phrases?|passwd|pass ?codes?|pwd|pswd|psw|pw(?=\s?[:=])|mots? de passes?|mot-de-passe|"
    r"mdp|"
    r"motdepasse|m\.d\.p\.?|mot secret|code d'acces|wi-?fi (?:key|code)|cle (?:du |de )?wi-?fi|cle (?:wep|wpa2?)|"
    r"phrases? (?:de passe|secretes?|de recuperation|mnemonique)|seed phrase|recovery phrase|secret phrase|user ?pass|"
    r"login/pass(?:word)?|user/pass(?:word)?|identifiants?(?: de connexion)?(?=\s?:)|credentials?(?=\s?:)|"
    r"creds(?=\s?:)|"
    r"\w{0,24}_pass(?:word)?|\w{0,24}_pwd|\w{0,24}password|(?<![a-z] )pass(?=\s?[:=]))"
)
_OF_KEY = (
    r"(?:api[ _-]?(?:key|token|secret)s?|access[ _-]?(?:key|token)s?(?:[ _-]id)?|secret[ _-]?(?:access[ _-]?)?keys?|"
    r"client[ _-]?secrets?|app[ _-]?(?:key|secret|token)s?|"
    r"auth[ _-]?(?:tokens?|keys?)|refresh[ _-]?tokens?|session[ _-]?(?:id|tokens?|keys?)|private[ _-]?keys?|"
    r"encryption[ _-]?keys?|"
    r"signing[ _-]?keys?|bot[ _-]?tokens?|personal access tokens?|deploy[ _-]?(?:key|token)s?|webhook[ _-]?secrets?|"
    r"licen[cs]e[ _-]?keys?|"
    r"product[ _-]?keys?|activation[ _-]?(?:key|code)s?|recovery[ _-]?(?:key|code)s?|backup[ _-]?codes?|"
    r"cles? (?:d['e ] ?)?(?:api|acces|secrete|privee|chiffrement|recuperation|licence|activation|produit|securite)|"
    r"cle api|"
    r"jetons?(?: (?:d'acces|d'authentification|de session|secret|api))?|secrets?|tokens?|account[ _-]?key|"
    r"shared[ _-]?(?:access[ _-]?)?key|"
    r"sas|otp|2fa|\w{0,24}_(?:key|token|secret|apikey|auth)|apikey|apitoken|"
    r"codes? (?:de verification|de securite|secret|de confirmation|d'acces|d'activation|de recuperation|"
    r"a usage unique|d'authentification|"
    r"de validation|temporaire|sms|de deverrouillage|de la porte|d'entree|d'alarme|de cadenas)|(?:verification|"
    r"security|access|authentication|"
    r"confirmation|one[- ]time|login|sign-in|unlock|alarm|gate|door|entry|lock|temporary|reset|auth|"
    r"sms)[ _-]?(?:pass)?codes?)"
)
_OF_PIN = (
    r"(?:pins?|nips?|n\.i\.p\.?|code pin|code nip|pin codes?|code[ -]puk|puk|cvv2?|cvc2?|cvn|cid|csc|"
    r"cryptogramme(?: visuel)?|otp|2fa|"
    r"card verification(?: value| code| number)?|security code|code de securite)"
)
_PREPOSITION = (
    r"(?:du|de la|de l'|de l'|de|d'|des|pour le|pour la|pour l'|pour les|pour mon|pour ma|pour|de ma|de mon|de mes|"
    r"de ton|de ta|de tes|de votre|"
    r"de vos|de notre|de nos|de son|de sa|au|a la|a|sur le|sur la|sur|of the|of my|of|for the|for my|for your|for our|"
    r"for his|for her|for|to the|to my|to our|to|"
    r"on the|on my|on|from|in the|in)"
)
_VERB = (
    r"(?:is|was|are|est|c'est|cest|etait|sera|reste|devient|will be|would be|should be|has been|set to|changed to|"
    r"reset to|updated to|"
    r"remplace par|change pour|mis a|defini a|est maintenant|equals|reads|being)"
)
_ADJECTIVE = (
    r"(?:temporaire|provisoire|actuel(?:le)?|initial(?:e)?|par defaut|principal(?:e)?|maitre|admin(?:istrateur)?|"
    r"secret|secrete|root|wifi|wi-fi|new|old|"
    r"temporary|current|default|master|initial|est bien|perso(?:nnel)?|courriel|email|windows|vpn|ssh|mysql|ftp|"
    r"bancaire|value|number|code|no|#)"
)
_IS = (
    rf"[\"')\]*_]{{0,3}}(?: ?\([^()\n]{{1,40}}\))?(?: {_ADJECTIVE}){{0,2}}"
    rf"(?: {_PREPOSITION} ?[\w'@.-]{{1,32}}(?: [\w'@.-]{{1,24}})??){{0,2}}"
    rf"(?:\s{{0,3}}(?:=>|:=|[:=→>|])\s{{0,3}}|,? {_VERB}(?: (?:now|maintenant|actually|still|toujours|bien|currently|"
    rf"simplement|just|also|"
    rf"aussi|le suivant|the following))?(?: ?:)?\s{{1,2}}|\s?\n\s?)[\"'«(\[*]{{0,3}} ?"
)
_QUOTED = (
    r"(?:(?<=\")[^\"\n]{3,128}(?=\")|(?<=')[^'\n]{3,128}(?=')|(?<=« )[^»\n]{3,128}(?= ?»)|(?<=«)[^»\n]{3,128}(?= ?»)|"
)
_STRONG = re.compile(rf"(?<![^\W_]){_OF_WORD}{_IS}({_QUOTED}[^\s\"]{{3,128}}))")
# Without a verb between ("password hunter2", "mdp wifi abc123"): the value must then look like one.
_DIRECT = re.compile(
    rf"(?<![^\W_]){_OF_WORD}(?: {_ADJECTIVE}| {_PREPOSITION} [\w-]{{1,16}})? [\"'«(*]{{0,2}}([^\s\"«»]{{4,128}})"
)
_FAR = re.compile(rf"(?<![^\W_]){_OF_WORD} [\w-]{{1,16}}(?: [\w-]{{1,16}})?\s?[:=]\s?([^\s\"]{{4,128}})")
_MEDIUM = re.compile(rf"(?<![^\W_]){_OF_KEY}{_IS}({_QUOTED}[^\s\"'<>,;()&]{{4,512}}))")
_DIGITS = re.compile(rf"(?<!\w){_OF_PIN}(?:{_IS}|[ /]|\s?\n)#?([0-9]{{3,8}})(?![0-9])")
_ONCE = re.compile(
    rf"(?<!\w){_OF_KEY}(?: [\w'.-]{{2,20}})?{_IS}((?:[a-z]{{1,3}}-)?[0-9]{{3,4}}[ -]?[0-9]{{3,4}})(?![\w-])"
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
    r"(?<!d'erreur )"
    rf"(?<!\w)(?:le |the |your |votre |ton |mon |my )?code{_IS}([0-9]{{4,8}}[#*]?)(?!\w)"
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
# Pattern, name, and what must be there for the pattern to be worth trying.
_PASS = (
    "pass",
    "pwd",
    "mdp",
    "wifi",
    "wi-fi",
    "phrase",
    "pswd",
    "psw",
    "pw",
    "m.d.p",
    "mot secret",
    "identifiant",
    "cred",
    "code d'acces",
    "cle w",
)
_LABELLED = (
    (_STRONG, "password", _PASS),
    (_PHRASE, "phrase", ("phrase", "mnemonic")),
    (_FAR, "token", ("pass", "pwd", "mdp")),
    (_DIRECT, "direct", ("pass", "pwd", "mdp")),
    (_MEDIUM, "token", ("key", "token", "secret", "session", "cle", "jeton", "otp", "code", "auth", "2fa", "sas")),
    (_ONCE, "pin", ("code", "otp", "2fa")),
    (
        _DIGITS,
        "pin",
        ("pin", "nip", "n.i.p", "cv", "cid", "csc", "puk", "cryptogramme", "card verification", "secur", "otp", "2fa"),
    ),
    (_CODE, "pin", ("code",)),
    (_CLI, "option", (" -p", "--", "-u ")),
)
_CODE_PATH = re.compile(
    r"[A-Za-z_]\w{0,32}(?:(?:\.|->|::)[A-Za-z_]\w{0,32}){1,6}(?:\[\w{0,16}\])?|[A-Za-z_]{1,32}\[\w{0,16}\]"
)
_CALL = re.compile(r"^[A-Za-z_.]{1,40}\(")
_IDENTIFIER = re.compile(r"[a-z]+(?:_[a-z]+)+")
_PLACEHOLDER = re.compile(r"[A-Z]+(?:_[A-Z]+)+|%[0-9.]{0,4}l{0,2}[a-z]")
_NOT_VALUES = word_set(
    """
    required optional string str text none null nil true false undefined n/a na todo tbd unknown hidden redacted
    masked encrypted hashed requis requise obligatoire facultatif inconnu masque chiffre voir see below above
    ci-dessous incorrect invalid invalide wrong expired expire expiree forgotten oublie reset change changed new
    nouveau the le la les un une your votre my mon a an to not pas in on at what quoi comment how why pourquoi when
    quand please merci here ici this that ce cette is est and et or ou for pour it must doit should devrait strong
    weak fort faible faux mauvais correct valid valide secure sur securise missing manquant empty vide default
    defaut input field very tres too trop toujours always never jamais only seulement still encore used utilise
    stored stocke sent envoye qui que which if si but mais one manager policy protected protege protegee bearer basic
    ask demander demande demandez enter entrer entrez type case-sensitive confidentiel confidential same meme both
    trop tout already deja written ecrit ecrite noted compromised compromis leaked vole stolen shared partage okay ok
    password passwd mdp passphrase secret token key user username login email self bool int object array bytes any
    value values data args kwargs
    """
)
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
        lowered = run.before(len(run.text), len(text))
        for pattern, name, stems in _LABELLED:
            if not any(stem in lowered for stem in stems):
                continue
            for match in pattern.finditer(lowered):
                group = match.lastindex or 1
                start, end = match.span(group)
                quoted = (
                    lowered[start - 1 : start] in {'"', "'"} and lowered[end : end + 1] == lowered[start - 1 : start]
                )
                if not quoted:
                    end = _trimmed(text, start, end, name)
                if end <= shift or lowered[match.end(group) : match.end(group) + 1] == "(" or lowered[end - 1] == "(":
                    continue  # a call, not a value
                if name == "pin" and _OF_POSTAL.search(match.group()):
                    continue
                sentence = lowered[end : end + 1] == " " and lowered[end + 1 : end + 2].isalpha()
                label = lowered[match.start() : start]
                if _is_value(text[start:end], label, name, quoted=quoted, sentence=sentence):
                    yield Hit(max(start - shift, 0), end - shift, 0.9, name)
        if "bearer" in lowered or "auth" in lowered or "api" in lowered:
            for match in _BEARER.finditer(text):
                if match.end() > shift and any(map(str.isdigit, match[1])):
                    yield Hit(max(match.start(1) - shift, 0), match.end() - shift, 0.95, "bearer")
        yield from _random(run)


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
    parts = re.split(r"[-_.]", value)
    if len(parts) > 2 and all(part.isdigit() or part.isalpha() for part in parts):
        return len(value) >= 32
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


def _is_value(value: str, label: str, name: str, *, quoted: bool, sentence: bool) -> bool:
    lowered = value.lower()
    if (
        len(value) < 3
        or lowered.strip("*•.…-_xX") == ""
        or lowered.strip(".,!?;:)") in _NOT_VALUES
        or lowered.startswith(
            ("${", "{{", "%(", "[", "your", "<", "$(", "@{", "%s", "$env", "{", "process.env", "os.environ")
        )
        or _CODE_PATH.fullmatch(value.rstrip(":;,"))
        or _CALL.search(value)
        or _PLACEHOLDER.fullmatch(value)
    ):
        return False
    if name in {"pin", "phrase"}:
        return True
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
        return marked or quoted or label.rstrip(" \"'«([*")[-1:] in {":", "=", ">", "→"}
    if name == "direct":
        return any(map(str.isalpha, value)) and any(c.isdigit() or c in "!@#$%^&*+=?~_" for c in value[:-1])
    # A name in a program has no digits; a key of an unknown issuer has, or is long and of mixed case.
    lettered = value.isalnum() and len(value) >= 16 and not (value.islower() or value.isupper() or value.istitle())
    return lettered or (any(map(str.isdigit, value)) and (len(value) >= 6 or value.isdigit()))
