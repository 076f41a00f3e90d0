"""Secrets: keys and tokens by their issuer's form, passwords by the words before them, credentials in addresses.

A private key block may be thousands of characters long: only its first line is found here (pattern `pem`), and the
scanner keeps masking until the block ends (`segments.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run

PEM = "pem"
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY[A-Z ]{0,8}-----")
# The forms that issuers publish for secret scanning.
_ISSUED = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])|"  # AWS
    r"gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255}|"
    r"gl(?:pat|ptt|dt|rt|soat|ft)-[A-Za-z0-9_-]{20,64}|"
    r"xox[abeoprs]-[A-Za-z0-9-]{10,250}|xapp-[0-9]-[A-Za-z0-9-]{10,250}|"
    r"(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,250}|"
    r"sk-(?:proj-|ant-|or-|svcacct-)?[A-Za-z0-9_-]{16,250}|pplx-[A-Za-z0-9]{20,100}|"
    r"(?:hf|npm|dop_v1|doo_v1|gsk|r8|sntrys|shpat|shpss|ntn|figd|lin_api|rubygems|pypi|dckr_pat|nvapi|tvly|"
    r"xai)[_-][A-Za-z0-9_-]{20,250}|"
    r"AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,250}|GOCSPX-[A-Za-z0-9_-]{20,60}|"
    r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}|key-[0-9a-f]{32}|(?:AC|SK)[0-9a-f]{32}(?![A-Za-z0-9])|"
    r"[0-9]{8,10}:AA[A-Za-z0-9_-]{32,36}|"  # Telegram
    r"eyJ[A-Za-z0-9_-]{6,}+\.[A-Za-z0-9_-]{6,}+(?:\.[A-Za-z0-9_-]*+){0,3}|"  # JWT, JWE
    r"AGE-SECRET-KEY-1[A-Z0-9]{20,70}"
    r")"
)
_LONG = re.compile(r"[A-Za-z0-9_.:-]{18}")
_URL_USER = re.compile(r"(?<=://)[^\s/?#@\"'<>]{1,256}(?=@)")
_QUERY = re.compile(
    r"[?&;](?:access_?token|id_?token|refresh_?token|token|api_?key|apikey|key|sig|signature|password|pwd|passwd|"
    r"secret|client_secret|"
    r"auth|code|session|sid|x-amz-signature|x-amz-credential)=([^\s&#\"'<>]{6,512})",
    re.IGNORECASE,
)
_BEARER = re.compile(
    r"(?:\b(?:authorization|proxy-authorization)[\"']?\s{0,2}[:=]\s{0,2}[\"']?(?:bearer|basic|token|apikey)?|"
    r"\bbearer)\s{1,2}"
    r"([A-Za-z0-9._~+/=-]{12,4096})",
    re.IGNORECASE,
)
_LABEL_OF_WORD = (
    r"(?:pass ?words?|pass-?phrases?|passwd|pass ?codes?|pwd|mots? de passes?|mot-de-passe|mdp|motdepasse|wi-?fi key|"
    r"clé wi-?fi|"
    r"phrases? (?:de passe|secrètes?))"
)
_LABEL_OF_KEY = (
    r"(?:api[ _-]?(?:key|token|secret)s?|access[ _-]?(?:key|token)s?|secret[ _-]?(?:access[ _-]?)?keys?|"
    r"client[ _-]?secrets?|"
    r"auth[ _-]?tokens?|refresh[ _-]?tokens?|session[ _-]?(?:id|tokens?)|private[ _-]?keys?|encryption[ _-]?keys?|"
    r"signing[ _-]?keys?|"
    r"clés? (?:d['e ] ?)?(?:api|accès|secrète|privée)|clé api|jetons?(?: d'accès)?|secrets?|tokens?|account[ _-]?key|"
    r"sas|otp|"
    r"codes? (?:de vérification|de sécurité|secret|de confirmation|d'accès)|(?:verification|security|access|"
    r"confirmation|one-time) codes?)"
)
_LABEL_OF_PIN = (
    r"(?:pins?|nips?|code pin|code nip|pin codes?|cvv2?|cvc2?|cvn|cryptogramme(?: visuel)?|"
    r"card verification(?: value| code)?)"
)
_IS = (
    r"[\"'»)\]*_]{0,3}(?: ?(?:\([^()\n]{1,24}\)))?"
    r"(?: (?:du|de la|de l'|de|d'|des|pour le|pour la|pour mon|pour ma|pour|de ma|de mon|de ta|de ton|de votre|"
    r"de notre|of the|for the|for my|for|to the|to my|to|on the) ?[\w-]{1,24}){0,2}(?:\s{0,2}(?:=>|:=|->|[:=→])\s{0,2}|"
    r"(?: (?:is|was|are|est|c'est|sera|will be|set to|changed to|reset to|remplacé par|changé pour))(?: (?:now|"
    r"maintenant|actually|still|toujours))?(?: ?:)?\s{1,2})[\"'«(\[*]{0,3} ?"
)
_STRONG = re.compile(rf"(?<![^\W_]){_LABEL_OF_WORD}{_IS}([^\s\"'<>«»,;]{{3,128}})", re.IGNORECASE)
# One word more between label and value ("mdp wifi : …"): the value must then look like one.
_FAR = re.compile(rf"(?<![^\W_]){_LABEL_OF_WORD} [\w-]{{1,16}}\s?[:=]\s?([^\s\"'<>«»,;]{{6,128}})", re.IGNORECASE)
_MEDIUM = re.compile(rf"(?<![^\W_]){_LABEL_OF_KEY}{_IS}([^\s\"'<>«»,;()&]{{4,512}})", re.IGNORECASE)
_DIGITS = re.compile(rf"(?<!\w){_LABEL_OF_PIN}(?:{_IS}| )([0-9]{{3,8}})(?![0-9])", re.IGNORECASE)
# A door, a padlock, an alarm; not an error, a status, an area.
_CODE = re.compile(
    rf"(?<!error )(?<!status )(?<!exit )(?<!return )(?<!http )(?<!area )(?<!country )(?<!response )(?<!\w)(?:le |the |"
    rf"your |votre |ton |mon |my )?"
    rf"code{_IS}([0-9]{{4,8}}[#*]?)(?!\w)",
    re.IGNORECASE,
)
_CLI = re.compile(r"(?<!\S)(?:--(?:password|token|secret|api-key|passphrase)|-p)[ =]([^\s\"']{4,256})")
# Pattern, name, and what must be there for the pattern to be worth trying.
_LABELLED = (
    (_STRONG, "password", ("pass", "pwd", "mdp", "wifi", "wi-fi", "phrase")),
    (_FAR, "token", ("pass", "pwd", "mdp")),
    (_MEDIUM, "token", ("key", "token", "secret", "secrète", "session", "clé", "jeton", "otp", "code")),
    (_DIGITS, "pin", ("pin", "nip", "cv", "cryptogramme", "card verification")),
    (_CODE, "pin", ("code",)),
    (_BEARER, "bearer", ("bearer", "authorization")),
    (_CLI, "option", (" -p", "--")),
)
_CODE_PATH = re.compile(r"[a-z_]{1,32}(?:\.[a-z_]{1,32}){1,6}")
_NOT_VALUES = word_set(
    """
    required optional string str text none null nil true false undefined n/a na todo tbd unknown hidden redacted
    masked encrypted hashed requis requise obligatoire facultatif inconnu masqué chiffré voir see below above
    ci-dessous incorrect invalid invalide wrong expired expiré expirée forgotten oublié reset change changed new
    nouveau the le la les un une your votre my mon a an to not pas in on at what quoi comment how why pourquoi when
    quand please merci here ici this that ce cette is est and et or ou for pour it must doit should devrait strong
    weak fort faible faux mauvais correct valid valide secure sûr sécurisé missing manquant empty vide default
    défaut input field very très too trop toujours always never jamais only seulement still encore used utilisé
    stored stocké sent envoyé
    """
)


class Secret(Identifier):
    """API keys, tokens, private keys, passwords, PINs, credentials in URLs."""

    ENTITY = "SECRET"

    def find(self, run: Run) -> Iterator[Hit]:
        text = run.text
        if _LONG.search(text):
            for match in _ISSUED.finditer(text):
                end = match.end() - (match.group()[-1] in ".-_")
                yield Hit(match.start(), end, 1.0, "issued")
        if "-----" in text:
            for match in _PEM_BEGIN.finditer(text):
                yield Hit(match.start(), match.end(), 1.0, PEM)
        if "://" in text:
            for match in _URL_USER.finditer(text):
                yield Hit(match.start(), match.end(), 1.0, "url_credentials")
        if "=" in text:
            for match in _QUERY.finditer(text):
                yield Hit(*match.span(1), 0.9, "query")
        yield from _by_words(run)


def _by_words(run: Run) -> Iterator[Hit]:
    """The label may stand before the run: match over both, keep what ends inside."""
    left = run.left[-64:]
    text, shift = left + run.text, len(left)
    lowered = text.lower()
    for pattern, name, stems in _LABELLED:
        if not any(stem in lowered for stem in stems):
            continue
        for match in pattern.finditer(text):
            start, end = match.span(1)
            while end > start and text[end - 1] in ".!?)]}*:" and (text[end - 1] != "!" or name != "password"):
                end -= 1
            if start < shift or text[match.end(1) : match.end(1) + 1] == "(" or text[match.end(1) - 1] == "(":
                continue  # a call, not a value
            if not _is_value(text[start:end], text[match.start() : start], name):
                continue
            yield Hit(start - shift, end - shift, 0.9, name)


def _is_value(value: str, label: str, name: str) -> bool:
    lowered = value.lower()
    if (
        len(value) < 3
        or lowered.strip("*•.…-_xX") == ""
        or lowered in _NOT_VALUES
        or lowered.startswith(("${", "{{", "%(", "[", "your", "<"))
        or _CODE_PATH.fullmatch(value)
    ):
        return False
    if name in {"pin", "bearer"}:
        return True
    if name == "option" and not any(map(str.isalpha, value)):
        return False
    marked = (
        any(c.isdigit() for c in value)
        or not value.isalnum()
        or not (value.islower() or value.isupper() or value.istitle())
    )
    if name == "password":
        return marked or label.rstrip(" \"'«([*")[-1:] in {":", "=", ">", "→"}
    return marked and (len(value) >= 6 or value.isdigit())
