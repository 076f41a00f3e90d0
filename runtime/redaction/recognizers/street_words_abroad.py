"""Kinds of streets in other languages of Europe and Latin America, in lower case without accents: facts, no findings.

Words that English or French uses for something else ("via", "plaza") count with a capital and a number behind a name.
"""

from __future__ import annotations

from runtime.redaction.lexicon import word_set

ENDINGS = (
    "strasse", "straße", "gasse", "platz", "allee", "damm", "ufer", "steig", "straat", "laan", "plein", "gracht",
    "dreef", "steenweg", "weg", "vej", "gade", "gata", "gatan", "gaten", "gatu", "vägen", "veien", "vegen", "väg",
    "stræde", "stræti", "straeti", "gränd", "katu", "kuja", "polku", "ntie", "braut", "utca",
)  # fmt: skip
"""A name of a street is one word that ends so: "Bahnhofstrasse", "Kalverstraat"."""
BEFORE = word_set(
    """
    via viale piazza piazzale piazzetta corso largo vicolo strada contrada calle avenida avda avda. paseo plaza carrer
    carretera camino ronda rambla rua rúa praca travessa alameda estrada ul. ulica ul al. os. pl. trg strada calea
    chaussee chaussée dreve drève grand-rue grand'rue rte rte.
    """
)
"""These stand before the name."""
BEHIND = word_set("utca u. út útja tér tere körút krt. rkp. köz iela gatvė ulice náměstí třída sokak caddesi plads tee")
"""These are words of their own behind the name."""
PLAIN_WORDS = word_set(
    """
    via viale piazza piazzale piazzetta corso largo vicolo strada contrada calle avenida avda paseo plaza carrer
    carretera camino ronda rambla rua praca travessa alameda estrada ul ulica al os pl trg calea chaussee dreve utca ut
    utja ter tere korut krt rkp koz iela gatv ulice namesti trida sokak caddesi plads terrasse str
    """
)
"""Those words as they are read: in ASCII, cut at any other letter."""
PLAIN_ENDINGS = (*(ending for ending in ENDINGS if ending.isascii()), "stra", "vagen", "vag")
"""Those endings, read so."""
