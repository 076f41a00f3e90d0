"""How llama.cpp draws the next token: the chain of samplers for one request."""

from __future__ import annotations

import json
from typing import Any

from runtime.json_output import SchemaRefused, check_schema
from runtime.models.faults import EngineFault
from runtime.models.grammar import grammar
from runtime.models.tool_text import call_grammar
from runtime.models.wire import ChatOrder

_PENALTY_WINDOW = 64  # tokens


def make_sampler(api: Any, vocab: Any, words: int, order: ChatOrder) -> Any:
    """A chain that the caller frees with `llama_sampler_free`.

    Args:
        api: the module `llama_cpp`.
        vocab: the model's vocabulary.
        words: how many tokens that has.
        order: sampling values, seed, and the schema or the tools that the answer must keep to.

    Raises:
        EngineFault: there is no grammar for the schema.
    """
    first = None
    if order.json_schema is not None or order.tools:
        first = grammar_sampler(api, vocab, order)
    chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
    add, wanted = api.llama_sampler_chain_add, order.sampling
    if first is not None:
        add(chain, first)
    if (presence := float(wanted.presence_penalty)) != 0.0:
        add(chain, api.llama_sampler_init_penalties(words, _PENALTY_WINDOW, 1.0, 0.0, presence))
    if (temperature := float(wanted.temperature)) <= 0.0:
        add(chain, api.llama_sampler_init_greedy())
        return chain
    add(chain, api.llama_sampler_init_top_k(wanted.top_k))
    add(chain, api.llama_sampler_init_top_p(float(wanted.top_p), 1))
    add(chain, api.llama_sampler_init_temp(temperature))
    add(chain, api.llama_sampler_init_dist(order.seed))
    return chain


def grammar_sampler(api: Any, vocab: Any, order: ChatOrder) -> Any:
    """What lets only tokens through that can still become what is ordered, and the end where it is complete.

    Raises:
        EngineFault: the schema is none of ours.
    """
    refused = "the local model takes no schema of this form"
    try:
        if order.json_schema is not None:
            text = grammar(check_schema(json.loads(order.json_schema)))
        else:
            name = None if order.tool in "?!" else order.tool
            text = call_grammar(order.tools, name, forced=order.tool != "?")
    except (ValueError, RecursionError, SchemaRefused) as failed:
        raise EngineFault("upstream.rejected", refused) from failed
    sampler = api.llama_sampler_init_grammar(vocab, text.encode(), b"root")
    if not sampler:
        raise EngineFault("upstream.rejected", refused)
    return sampler
