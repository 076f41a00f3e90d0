"""Every statement that the island runs, by topic. Plain functions: a `Connection` first, frozen values out.

Pass them to `Database.write` or `Database.read`; they never begin or commit anything themselves. They know no keys:
what they store is sealed already (`vault`), except that a few take the `KeyRing` for its MACs.
"""

from memory.repository.api_keys import (
    ApiKey,
    NewApiKey,
    accepts,
    create_api_key,
    find_api_key,
    list_api_keys,
    parse_api_key,
    revoke_api_key,
)
from memory.repository.conversations import (
    Deleted,
    Held,
    delete_conversation,
    list_conversations,
    read_conversation,
    rename_conversation,
)
from memory.repository.counters import Counters, counters
from memory.repository.holds import Hold, held_refs, list_holds, place_hold, release_hold
from memory.repository.identities import (
    Identity,
    NewIdentity,
    admit_identity,
    admits,
    drop_erased_identities,
    find_identity,
    identity_index,
    new_identity,
)
from memory.repository.installation import bind_pepper
from memory.repository.limits import Standing, TurnLimits, standing
from memory.repository.opening import OpenedTurn, OpenTurn, Refused, Replay, open_turn
from memory.repository.owned import record_indexes_of, refs_of_subject
from memory.repository.people import Person, ensure_person, find_person, find_principal, list_persons
from memory.repository.reading import (
    find_turn,
    find_turn_by_ref,
    load_conversation,
    read_turn,
    records_of,
)
from memory.repository.spending import reserve_spending, settle_spending, spent_on
from memory.repository.turns import (
    abandon,
    close_turn,
    commit_input,
    expired_turns,
    renew_leases,
    store_answer,
    take_over,
    turns_of_dead_workers,
)
from memory.repository.users import User, close_user, list_users, note_visits, reopen_user

__all__ = [
    "ApiKey",
    "Counters",
    "Deleted",
    "Held",
    "Hold",
    "Identity",
    "NewApiKey",
    "NewIdentity",
    "OpenTurn",
    "OpenedTurn",
    "Person",
    "Refused",
    "Replay",
    "Standing",
    "TurnLimits",
    "User",
    "abandon",
    "accepts",
    "admit_identity",
    "admits",
    "bind_pepper",
    "close_turn",
    "close_user",
    "commit_input",
    "counters",
    "create_api_key",
    "delete_conversation",
    "drop_erased_identities",
    "ensure_person",
    "expired_turns",
    "find_api_key",
    "find_identity",
    "find_person",
    "find_principal",
    "find_turn",
    "find_turn_by_ref",
    "held_refs",
    "identity_index",
    "list_api_keys",
    "list_conversations",
    "list_holds",
    "list_persons",
    "list_users",
    "load_conversation",
    "new_identity",
    "note_visits",
    "open_turn",
    "parse_api_key",
    "place_hold",
    "read_conversation",
    "read_turn",
    "record_indexes_of",
    "records_of",
    "refs_of_subject",
    "release_hold",
    "rename_conversation",
    "renew_leases",
    "reopen_user",
    "reserve_spending",
    "revoke_api_key",
    "settle_spending",
    "spent_on",
    "standing",
    "store_answer",
    "take_over",
    "turns_of_dead_workers",
]
