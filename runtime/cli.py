"""The `filagent` command. Exit 0: good; 1: the answer is no; 2: usage or environment.

Each command is a few lines here and lives in its own module; what a server also does, it asks the running server's
log writer for, so that there is one writer whatever is run.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from runtime import models_parser
from runtime.errors import FilAgentError, SettingsError
from runtime.settings import Settings, load_settings

if TYPE_CHECKING:
    from runtime.redaction.lists import Lists

Command = Callable[[argparse.Namespace, Settings], int]
#: Commands that parse their own arguments; they are given what follows their name.
_OWN_PARSERS = ("verify", "log", "mask", "witness", "backends", "bench", "report", "incident", "users", "doctor")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words and words[0] in _OWN_PARSERS:
            return _delegate(words[0], words[1:])
        options = build_parser().parse_args(words)
        command: Command = options.run
        return command(options, load_settings())
    except SettingsError as error:
        print(f"filagent: {error}", file=sys.stderr)
        return 2
    except FilAgentError as error:
        print(f"filagent: {error.detail} ({error.code})", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, BrokenPipeError):
        return 2


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands (also read by the documentation tests)."""
    parser = argparse.ArgumentParser(prog="filagent", description="Governed, private, provable answers.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="start everything and serve until a signal")
    serve.add_argument("--workers", type=int, help="worker processes (default: server.workers)")
    serve.add_argument("--no-console", action="store_true", help="the API alone")
    serve.set_defaults(run=_serve)

    console = commands.add_parser(
        "console", help="the operators' page alone, for an API that runs elsewhere or already"
    )
    console.set_defaults(run=_console)

    chat = commands.add_parser("chat", help="one question to the running server (key in FILAGENT_API_KEY)")
    chat.add_argument("text", nargs="?", help="the question; default: standard input")
    chat.add_argument("--save", metavar="FILE", help="keep the answer with its receipt, and FILE.request beside it")
    chat.set_defaults(run=_chat)

    for name, text in (
        ("verify", "check a log, an exported bundle or a receipt, offline"),
        ("log", "the log: cat, tail, proof, export; hold, release, prune, new-origin"),
        ("mask", "show what would be masked in a text"),
        ("report", "dossiers, reviews and registers for people who read no JSON"),
        ("incident", "record an incident; its words stay with you"),
        ("users", "accounts: list, close, reopen"),
        ("witness", "vouch for the logs of others, on a machine of your own"),
        ("backends", "ask a backend real questions and judge its answers"),
        ("bench", "how fast a backend answers"),
        ("doctor", "look at an installation: what is good, and what to do"),
    ):
        commands.add_parser(name, help=text, add_help=False)

    models_parser.add_to(commands.add_parser("models", help="the models that can be served"))

    policy = commands.add_parser("policy", help="the policy in force").add_subparsers(
        dest="policy", required=True, metavar="check|explain"
    )
    check = policy.add_parser("check", help="whether the policy file can be used")
    check.set_defaults(run=_policy_check)
    explain = policy.add_parser("explain", help="who may do what, as a table")
    explain.add_argument("--lang", choices=("en", "fr"), default="en")
    explain.set_defaults(run=_policy_explain)

    keys = commands.add_parser("keys", help="signing keys and API keys").add_subparsers(
        dest="keys", required=True, metavar="init|create|list|revoke|rotate|approver|public"
    )
    init = keys.add_parser("init", help="make the log's keys, the root key elsewhere")
    init.add_argument("--root-out", required=True, metavar="DIR", help="where the root's private key goes")
    init.add_argument("--origin", help="the log's name in checkpoints")
    init.set_defaults(run=_keys_init)
    create = keys.add_parser("create", help="a new API key, shown once")
    create.add_argument("--role", required=True)
    create.add_argument("--name", required=True, help="the person or service that it is for")
    create.add_argument("--days", type=int, help="valid for so many days")
    create.add_argument("--json", action="store_true")
    create.set_defaults(run=_keys_create)
    listing = keys.add_parser("list", help="the API keys, without their secrets")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_keys_list)
    revoke = keys.add_parser("revoke", help="refuse an API key from now on")
    revoke.add_argument("key_id")
    revoke.set_defaults(run=_keys_revoke)
    rooted = argparse.ArgumentParser(add_help=False)
    rooted.add_argument("--root", metavar="FILE", help="the root's private key (default: keys/root.pem)")
    rooted.add_argument("--root-passphrase-file", metavar="FILE", help="its passphrase")
    rotate = keys.add_parser(
        "rotate", parents=[rooted], help="new signing keys for the log, in place of old or lost ones"
    )
    rotate.add_argument("--role", choices=("record", "log", "all"), default="all")
    rotate.set_defaults(run=_keys_rotate)
    approver = keys.add_parser("approver", parents=[rooted], help="list or retire the key of somebody who approves")
    which = approver.add_mutually_exclusive_group(required=True)
    which.add_argument("--add", metavar="FILE", help="the public key (PEM)")
    which.add_argument("--retire", metavar="KEYID")
    approver.set_defaults(run=_keys_approver)
    public = keys.add_parser("public", help="a public key of the log, for auditors")
    public.add_argument("--role", choices=("root", "log", "record"), required=True)
    public.add_argument("--format", choices=("pem", "vkey"), default="pem")
    public.set_defaults(run=_keys_public)

    privacy = commands.add_parser("privacy", help="rights of persons").add_subparsers(
        dest="privacy", required=True, metavar="erase"
    )
    erase = privacy.add_parser("erase", help="erase a person from memory, vault and indexes")
    whom = erase.add_mutually_exclusive_group(required=True)
    whom.add_argument("--person", metavar="NAME", help="the name of an account")
    whom.add_argument("--subject", metavar="TEXT", help="a data subject, as callers name him")
    whom.add_argument("--identifier", metavar="VALUE", help="an e-mail address, a number… by which somebody occurs")
    erase.add_argument("--close-account", action="store_true", help="with --person: drop name and API keys too")
    erase.add_argument("--save", metavar="FILE", help="keep the receipt for the person")
    erase.add_argument("--json", action="store_true")
    erase.set_defaults(run=_privacy_erase)
    return parser


def _delegate(name: str, words: list[str]) -> int:
    if name == "mask":
        from runtime.redaction.command import main as run

        return run(words, lists=_lists_in_force)
    if name == "witness":
        from runtime.witness.command import main as run_witness

        return run_witness(words)
    if name == "backends":
        from runtime.backends_command import main as run_backends

        return run_backends(words)
    if name == "bench":
        from runtime.bench_command import main as run_bench

        return run_bench(words)
    if name == "report":
        from runtime.report_command import main as run_report

        return run_report(words)
    if name == "incident":
        from runtime.incident_command import main as run_incident

        return run_incident(words)
    if name == "users":
        from runtime.users_command import main as run_users

        return run_users(words)
    if name == "doctor":
        from runtime.doctor_command import main as run_doctor

        return run_doctor(words)
    from runtime import evidence_commands

    return evidence_commands.verify(words) if name == "verify" else evidence_commands.log(words)


def _lists_in_force() -> Lists:
    from policies.bundle import load_bundle
    from policies.model import PolicyFault
    from runtime.redaction.lists import Lists

    try:
        masking = load_bundle(load_settings().policies_file).masking
    except PolicyFault as fault:
        raise SettingsError(str(fault)) from fault
    return Lists(masking.allow, masking.deny)


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    from runtime.serve import serve

    if options.workers is not None:
        server = settings.server.model_copy(update={"workers": options.workers})
        settings = settings.model_copy(update={"server": server})
    if options.no_console:
        settings = settings.model_copy(update={"console": settings.console.model_copy(update={"enabled": False})})
    return serve(settings)


def _console(_options: argparse.Namespace, settings: Settings) -> int:
    from runtime.console_command import console

    return console(settings)


def _chat(options: argparse.Namespace, settings: Settings) -> int:
    from runtime.chat_command import chat

    return chat(settings, options.text if options.text is not None else sys.stdin.read(), options.save)


def _policy_check(_options: argparse.Namespace, settings: Settings) -> int:
    from policies.model import PolicyFault
    from runtime.policy_entities import load_policy

    try:
        bundle = load_policy(settings.policies_file)
    except PolicyFault as fault:
        print(fault, file=sys.stderr)
        return 1
    print(f"{settings.policies_file.name}: good, revision {bundle.revision}")
    return 0


def _policy_explain(options: argparse.Namespace, settings: Settings) -> int:
    from policies.bundle import load_bundle
    from policies.check import describe

    print(describe(load_bundle(settings.policies_file), options.lang))
    return 0


def _keys_init(options: argparse.Namespace, settings: Settings) -> int:
    from runtime.key_commands import init

    return init(settings, options.root_out, options.origin)


def _keys_create(options: argparse.Namespace, settings: Settings) -> int:
    from runtime.key_commands import create

    return asyncio.run(create(settings, role=options.role, name=options.name, days=options.days, as_json=options.json))


def _keys_list(options: argparse.Namespace, settings: Settings) -> int:
    from runtime.key_commands import listing

    return asyncio.run(listing(settings, as_json=options.json))


def _keys_revoke(options: argparse.Namespace, settings: Settings) -> int:
    from runtime.key_commands import revoke

    return asyncio.run(revoke(settings, options.key_id))


def _keys_rotate(options: argparse.Namespace, settings: Settings) -> int:
    from runtime.rotation_commands import rotate

    return rotate(settings, options.role, options.root, options.root_passphrase_file)


def _keys_approver(options: argparse.Namespace, settings: Settings) -> int:
    from runtime.rotation_commands import add_approver, retire_approver

    if options.add:
        return add_approver(settings, options.add, options.root, options.root_passphrase_file)
    return retire_approver(settings, options.retire, options.root, options.root_passphrase_file)


def _keys_public(options: argparse.Namespace, settings: Settings) -> int:
    from runtime.key_commands import public

    return public(settings, options.role, options.format)


def _privacy_erase(options: argparse.Namespace, settings: Settings) -> int:
    from runtime.privacy_command import erase

    return erase(
        settings,
        person=options.person,
        subject=options.subject,
        identifier=options.identifier,
        close_account=options.close_account,
        save=options.save,
        as_json=options.json,
    )


if __name__ == "__main__":
    sys.exit(main())
