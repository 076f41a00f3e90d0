"""The policy as this release can carry it out: every entity that it names is one that something finds.

An override for an entity that nothing finds would never fire, and an operator would count on it. `policies/` does not
know what is found; this joins the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from policies.bundle import Bundle, load_bundle
from policies.model import PolicyFault
from runtime.redaction.lookalikes import LITERAL, is_entity
from runtime.redaction.recognizers import IDENTIFIERS

NAMES = frozenset({"PERSON", "LOCATION"})  # the tagger's


def load_policy(path: Path) -> Bundle:
    """Read and check the policy file.

    Raises:
        PolicyFault: it is missing or wrong, or names an entity that nothing finds.
    """
    bundle = load_bundle(path)
    masking = bundle.masking
    unfit = sorted({entity for _, entity in masking.deny if not is_entity(entity)})
    if unfit:
        raise PolicyFault(f"{path.name}: masking.deny: {', '.join(unfit)} reads as another entity of ours")
    found = {entity for recognizer in IDENTIFIERS for entity in recognizer().entities}
    known = found | NAMES | {LITERAL} | {entity for _, entity in masking.deny}
    if strange := sorted(set(_named(bundle)) - known):
        raise PolicyFault(f"{path.name}: nothing finds {', '.join(strange)}; docs/masking.md lists what is found")
    return bundle


def _named(bundle: Bundle) -> Iterator[str]:
    masking = bundle.masking
    yield from masking.names | masking.identifiers
    yield from (override.entity for override in masking.overrides)
    yield from (entity for _, entity in masking.allow if entity is not None)
    for _, entities in masking.tools:
        yield from entities or ()
    for rule in bundle.egress.rules:
        yield from rule.entities or ()
