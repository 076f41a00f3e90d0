"""The arguments of `filagent models`; light, so that every other command starts as fast as before."""

from __future__ import annotations

import argparse
from typing import Final

from runtime.settings import Settings

_USES: Final = ("default", "small", "quality", "french", "code", "multilingual")


def add_to(models: argparse.ArgumentParser) -> None:
    """Give the `models` command its commands."""
    commands = models.add_subparsers(dest="models", required=True, metavar="list|pull|check|select")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print data")
    common.add_argument("--lang", choices=("en", "fr"), default="en", help="the language of the sentences")

    listing = commands.add_parser("list", parents=[common], help="the registry: what is here, what fits")
    listing.set_defaults(run=_list)

    pull = commands.add_parser("pull", parents=[common], help="bring a model here, checked by hash")
    pull.add_argument("model", nargs="?", help="an id or alias (default: the registry's default)")
    pull.add_argument("--yes", action="store_true", help="do not ask, also above 2 GB")
    pull.set_defaults(run=_pull)

    check = commands.add_parser("check", parents=[common], help="hash every model file that is here")
    check.set_defaults(run=_check)

    select = commands.add_parser("select", parents=[common], help="what fits this machine, and why")
    select.add_argument("--model", help="an id, an alias or a name on a server (default: IA_MODEL)")
    select.add_argument(
        "--backend",
        choices=("llama.cpp", "vllm", "ollama", "llama_server"),
        help="only this one (default: LLM_BACKEND)",
    )
    select.add_argument("--use", choices=_USES, default="default", help="what it is for")
    select.add_argument("--explain", action="store_true", help="inputs, candidates, and why each was or was not chosen")
    select.add_argument("--apply", action="store_true", help="keep the choice in config/selected.yaml of the home")
    select.set_defaults(run=_select)


def _list(options: argparse.Namespace, settings: Settings) -> int:
    from runtime import models_command as command

    return command.guarded(lambda: command.listing(settings, as_json=options.json, language=options.lang), options.lang)


def _pull(options: argparse.Namespace, settings: Settings) -> int:
    from runtime import models_command as command

    return command.guarded(
        lambda: command.pull(settings, options.model, yes=options.yes, as_json=options.json, language=options.lang),
        options.lang,
    )


def _check(options: argparse.Namespace, settings: Settings) -> int:
    from runtime import models_command as command

    return command.guarded(lambda: command.check(settings, as_json=options.json, language=options.lang), options.lang)


def _select(options: argparse.Namespace, settings: Settings) -> int:
    from runtime import models_command as command

    return command.guarded(
        lambda: command.select(
            settings,
            model=options.model,
            backend=options.backend,
            use=options.use,
            apply=options.apply,
            explain=options.explain,
            as_json=options.json,
            language=options.lang,
        ),
        options.lang,
    )
