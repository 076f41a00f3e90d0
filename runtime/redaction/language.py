"""English or French, by the small words of a text. Nothing is loaded, nothing is remembered.

The answer chooses which language's model looks for names; identifiers are looked for alike in every language.
"""

from __future__ import annotations

import re

from runtime.redaction.lexicon import word_set

_ENGLISH = word_set(
    """
    the and of to is are was were be been have has had do does did you your i my we our they their he she his her
    it its this that these those with from for not but what when where who how why which there would could should
    will can may please thanks thank hello hi dear about into at by if then than or as in yes no all any some just
    also very more
    """
)
_FRENCH = word_set(
    """
    le la les des du un une et est sont était être ai as avons avez ont je tu il elle nous vous ils elles mon ma
    mes ton ta tes votre vos notre nos leur leurs ce cette ces cet que qui quoi dont où quand comment pourquoi dans
    avec pour sur pas ne plus mais au aux en y se sa ses bonjour merci svp oui non très bien aussi fait faire peux
    peut pouvez veux voudrais suis êtes c'est j'ai d'un d'une qu'il l'on car donc chez sans
    """
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_ACCENTS = re.compile(r"[éèêëàâçùûôîïœ]")
_SHORT = 200  # code points: a longer text without small words is a table or code
_SAMPLE = 600  # code points: more would not change the answer


def languages(text: str) -> tuple[str, ...]:
    """The languages to look for names in: `("en",)`, `("fr",)`, or both for a short text that does not tell."""
    sample = text[:_SAMPLE].lower().replace("’", "'")
    english = french = 0
    for word in _WORD.findall(sample):
        if word in _ENGLISH:
            english += 1
        if word in _FRENCH or (
            "'" in word
            and word.partition("'")[0] in {"l", "d", "j", "qu", "n", "s", "c", "m", "t"}
            and word not in {"c's", "s's"}
        ):
            french += 1
    french += min(3, len(_ACCENTS.findall(sample)) // 2)
    if english != french:
        return ("en",) if english > french else ("fr",)
    return ("en", "fr") if len(text) < _SHORT else ("en",)
