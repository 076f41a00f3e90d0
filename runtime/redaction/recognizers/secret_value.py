"""Whether what stands after a label of secrets is a secret: no word of the sentence, no code, no placeholder.

Which labels there are and where their values begin is for `password.py`.
"""

from __future__ import annotations

import re
from itertools import pairwise

from runtime.redaction.recognizers.secret_words import NOT_VALUES

CODE_PATH = re.compile(
    r"[A-Za-z_]\w{0,32}(?:(?:\.|->|::)[A-Za-z_]\w{0,32}){1,6}(?:\[[\w:-]{0,16}\])?|[A-Za-z_]{1,32}\[[\w:-]{0,16}\]"
)
_TEMPLATES = (
    "${", "{{", "%(", "[", "your", "<", "$(", "@{", "%s", "$env", "{", "process.env", "os.environ", "&",
)  # fmt: skip
_HASHED = re.compile(r"\{[A-Za-z0-9-]{3,12}\}[A-Za-z0-9+/=.$-]{8,}")
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
_NAMED_PART = re.compile(r"[A-Za-z]*[0-9]{0,4}[a-z]?")
_RUNS = re.compile(r"[0-9]+")


def looks_random(value: str) -> bool:
    """Whether a long row of letters and digits is no name with a number in it."""
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    if digits < 3 or letters < 4 or "//" in value or value.count("/") > 3 or value.count(".") > 3:
        return False
    if all(_NAMED_PART.fullmatch(part) for part in re.split(r"[-_./]", value)) or len(_RUNS.findall(value)) < 2:
        return False  # a name with a number: ECDSA_SHA2, X25519PublicKey
    changes = sum(1 for a, b in pairwise(value) if a.isdigit() != b.isdigit() or a.isupper() != b.isupper())
    return changes >= len(value) // 5


def trimmed(text: str, start: int, end: int, name: str) -> int:
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


def is_marked(value: str) -> bool:
    """Whether a word in the middle of a sentence looks like a password: letters, and digits or signs among them."""
    plain = value.strip(".,;:!?'\")")
    return (
        any(map(str.isalpha, value))
        and (any(map(str.isdigit, value)) or any(c in "!@#$%^&*+=?~_" for c in value[:-1]))
        and not _KNOWN.fullmatch(plain)
    )


def is_value(value: str, label: str, name: str, *, quoted: bool, sentence: bool) -> bool:
    """Whether a value counts.

    Args:
        value: as it is written.
        label: the lower-case text of the match before it.
        name: the pattern that found it (`password.py`).
        quoted: whether it stands in quotes.
        sentence: whether a word follows.
    """
    low = value.lower()
    if (
        len(value) < 3
        or low.strip("*•.…-_xX") == ""
        or low.strip(".,!?;:)") in NOT_VALUES
        or value[-1] in ":["
        or (not _HASHED.fullmatch(value) and low.startswith(_TEMPLATES))
        or CODE_PATH.fullmatch(value.rstrip(":;,"))
        or _CALL.search(value)
        or (label.endswith(("= ", ": ")) and _NEXT_PAIR.match(low))
        or _PLACEHOLDER.fullmatch(value)
    ):
        return False
    if name in {"pin", "phrase"}:
        return True
    if name == "login":
        return is_marked(value)
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
        return is_marked(value)
    if name == "keyed":
        digits = sum(map(str.isdigit, value))
        return digits >= 4 and not _KNOWN.fullmatch(value) and (digits < len(value) or len(value) >= 16)
    # A name in a program has no digits, a key of an unknown issuer has.
    if value.isdigit() and "code" not in label and "otp" not in label and "2fa" not in label:
        return False
    return any(map(str.isdigit, value)) and (len(value) >= 6 or value.isdigit())
