"""Payment card numbers: issuer prefix, length and Luhn, in any language, with any separators; and their expiry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run, Window
from runtime.redaction.recognizers.checksums import luhn
from runtime.redaction.recognizers.label_words import CARD, EXPIRY

# Visa; Mastercard; Amex; Diners; Discover and UnionPay; JCB; Maestro; Mir; Verve, RuPay, Troy, Elo; UATP
_ISSUER = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|"
    r"720)[0-9]{12}|3[47][0-9]{13}|"
    r"3(?:0[0-5]|095|[689][0-9])[0-9]{11}(?:[0-9]{2,5})?|6(?:011|4[4-9][0-9]|5[0-9]{2})[0-9]{12}(?:[0-9]{3})?|"
    r"62[0-9]{14,17}|"
    r"35(?:2[89]|[3-8][0-9])[0-9]{12,15}|(?:50[0-9]{2}|5[6-9][0-9]{2}|6[0-9]{3})[0-9]{8,15}|220[0-4][0-9]{12,15}|"
    r"(?:8[12]|9792)[0-9]{12,14}|1[0-9]{14}"
)
_SHAPES = frozenset(
    {
        (4, 4, 4, 4),
        (4, 6, 5),
        (4, 6, 4),
        (8, 8),
        (4, 4, 4, 1),
        (4, 4, 4, 3),
        (4, 4, 4, 4, 3),
        (4, 4, 4, 4, 2),
        (6, 13),
        (6, 10),
        (4, 12),
        (12, 4),
        (4, 4, 8),
        (8, 4, 4),
    }
)
# Visa of thirteen digits and Maestro of twelve or thirteen are told from article numbers by these.
_SHORT = re.compile(r"4[0-9]{12}$|5(?:018|020|038|893)|6(?:304|759|76[1-3])")
_EXPIRY = re.compile(r"(?<![0-9/-])(?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?[2-4][0-9](?![0-9/-])")
_EXPIRES = re.compile(
    r"(?:exp\w{0,8}|echeance|valid\w{0,4}(?: thru| until| through| to| jusqu'? ?(?:au|en|a))?|good thru|fin)"
    r"(?: date)?(?: le| en| on| au)?\W{0,4}$"
)
_CODE = re.compile(r"[\s,;/–-]{1,3}(?:code|sec(?:urity)?(?: code)?|crypto\w{0,7})\W{0,3}([0-9]{3,4})(?![0-9])")
_BEHIND = re.compile(
    r"[ ,;/|\n–-]{1,3}((?:0[1-9]|1[0-2])[/-]?(?:20)?[2-4][0-9])(?![\w/.])(?:[ ,;/|\n–-]{1,3}([0-9]{3,4})(?![\w/.-]))?"
)
_NO_PAYMENT = re.compile(r"ramq|nam|maladie|medicare|health|sante|soleil")
_A_CARD = re.compile(r"(?<!\w)(?:cartes?|cards?|visa|mastercard|amex|cc|cvv|cvc)(?!\w)|[0-9](?:[ .-]?[0-9]){12}")


class CreditCard(Identifier):
    """Credit and debit cards."""

    ENTITY = "CREDIT_CARD"
    ALSO = ("SECRET",)
    LEAST_DIGITS = 4

    def applies(self, run: Run) -> bool:
        return run.digits >= 12 or run.topics & EXPIRY != 0

    def find(self, run: Run) -> Iterator[Hit]:
        if run.digits >= 12:
            for length in range(12, 20):
                for window in run.numbers(length):
                    for hit in _card(run, window):
                        yield hit
                        if behind := _BEHIND.match(run.text, hit.end):
                            yield Hit(*behind.span(1), 0.7, "expiry")
                            if behind[2]:
                                yield Hit(*behind.span(2), 0.7, "code", "SECRET")
        if not run.topics & EXPIRY:
            return
        for match in _EXPIRY.finditer(run.text):
            before = run.before(match.start(), 96)
            around = before if _A_CARD.search(before) else run.after(match.end(), 64)
            if _EXPIRES.search(before[-28:]) and _A_CARD.search(around) and not _NO_PAYMENT.search(before):
                yield Hit(match.start(), match.end(), 0.7, "expiry")
                if code := _CODE.match(run.lower, match.end()):
                    yield Hit(code.start(1), code.end(1), 0.7, "code", "SECRET")


def _card(run: Run, window: Window) -> Iterator[Hit]:
    start, end, digits, shape, inside = window
    if len(set(digits)) < 2:
        return
    usual = (
        len(shape) == 1
        or shape in _SHAPES
        or set(shape) in ({1}, {2})
        or _is_broken(run.text[start:end], shape, inside=inside)
    )
    if _ISSUER.fullmatch(digits) and luhn(digits):
        if run.says(start, CARD):
            yield Hit(start, end, 1.0, "named")
        elif (
            usual
            and (len(digits) >= 14 or _SHORT.match(digits))
            and (shape == (4, 4, 4, 4) or not run.is_labelled_otherwise(start))
        ):
            yield Hit(start, end, 0.95, "luhn")
    elif usual and not inside and len(digits) >= 15 and run.says(start, CARD, far=1):
        yield Hit(start, end, 0.75, "mistyped")


def _is_broken(value: str, shape: tuple[int, ...], *, inside: bool) -> bool:
    """Whether a line end stands between groups of four, or once in a bare row."""
    return "\n" in value and not inside and (len(shape) == 2 or all(size == 4 for size in shape[:-1]))
