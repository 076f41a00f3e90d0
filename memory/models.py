"""The tables, as SQLAlchemy Core metadata. Migrations must lead to exactly these (a test compares).

What is said once for all tables:
- times are integer milliseconds since 1970-01-01 UTC; days are integers since 1970-01-01 UTC;
- every column that holds content is ciphertext (`vault`), every key is wrapped (`keys`), every index over a personal
  value is a keyed MAC; names of accounts (`persons.name`, `api_keys.name`) are the only personal data in clear;
- an index that only housekeeping or erasure would use is not made when another way leads there (a turn's vault entries
  are found through its conversation): each one is a page more in every turn's commits;
- a destroyed turn keeps its row (state, record id), loses its key, its content and every link to a person.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Facts about this installation, such as the fingerprint of the pepper its indexes were made with.
installation = Table(
    "installation",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

# A human being (or a service) that may sign in. `blind` is the index under which he is a data subject.
persons = Table(
    "persons",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, unique=True),
    Column("blind", LargeBinary(32), unique=True),
    Column("created", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
)

# What owns conversations and has limits: a person as one issuer of credentials knows him.
principals = Table(
    "principals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("persons.id"), nullable=False),
    Column("issuer", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("seen_day", Integer),
    Column("seen_role", Text),
    UniqueConstraint("person_id", "issuer"),
)

# The only way from a token's issuer and subject to a person, by their keyed index. Without a principal he was erased:
# the index stays until no token of that time can be valid, and then goes too.
identities = Table(
    "identities",
    metadata,
    Column("blind", LargeBinary(32), primary_key=True),
    Column("principal_id", Text, ForeignKey("principals.id")),
    Column("ref", Text),
    Column("mac", LargeBinary(32)),
    Column("created", BigInteger, nullable=False),
    Column("erased_at", BigInteger),
    sqlite_with_rowid=False,
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("principal_id", Text, ForeignKey("principals.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("secret_mac", LargeBinary(32), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("grant_mac", LargeBinary(32), nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner_id", Text, ForeignKey("principals.id"), index=True),
    Column("ref", Text, nullable=False),
    Column("principal_ref", Text),
    Column("turns", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("title", LargeBinary),
    Column("wrapped_key", LargeBinary),
    Column("epoch", Text),
    Column("deleted_at", BigInteger),
    Column("classification", Text),
)

# `closed_at` is null exactly while the state is open or closing; partial indexes keep those few at hand.
turns = Table(
    "turns",
    metadata,
    Column("id", Text, primary_key=True),
    Column("ref", Text, nullable=False, unique=True),
    Column("conversation_id", Text, ForeignKey("conversations.id")),
    Column("position", Integer),
    Column("principal_id", Text, ForeignKey("principals.id")),
    Column("principal_ref", Text),
    Column("state", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Column("lease_expires", BigInteger, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("idempotency", LargeBinary(32)),
    Column("request_mac", LargeBinary(32)),
    Column("wrapped_key", LargeBinary),
    Column("epoch", Text),
    Column("decision", Text),
    Column("record_id", Text),
    Column("log_index", BigInteger),
    Column("receipt", Text),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("model", Text),
    Column("degraded", Boolean),
    Column("released", Integer),
    Column("erased_at", BigInteger),
    UniqueConstraint("conversation_id", "position"),  # a refused turn has no position
    Index(None, "principal_id", "created"),
    Index(
        "ix_turns_unclosed", "principal_id", sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index(
        "ix_turns_idempotency", "principal_id", "idempotency", unique=True,
        sqlite_where=text("idempotency IS NOT NULL"), postgresql_where=text("idempotency IS NOT NULL"),
    ),
)  # fmt: skip

contents = Table(
    "contents",
    metadata,
    Column("turn_id", Text, ForeignKey("turns.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("size", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# A row without ciphertext is a token whose value was destroyed: the token is never given to another value.
vault_entries = Table(
    "vault_entries",
    metadata,
    Column("conversation_id", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("token", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("turn_id", Text, ForeignKey("turns.id"), nullable=False),
    Column("ciphertext", LargeBinary),
    Column("blind", LargeBinary(32)),
    sqlite_with_rowid=False,
)

blind_indexes = Table(
    "blind_indexes",
    metadata,
    Column("blind", LargeBinary(32), primary_key=True),
    Column("turn_id", Text, ForeignKey("turns.id"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("blind", LargeBinary(32), nullable=False, unique=True),
)

# The only way from a data_subject_ref in the log to a person; it dies with erasure.
subject_refs = Table(
    "subject_refs",
    metadata,
    Column("conversation_id", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("subject_id", Text, ForeignKey("subjects.id"), primary_key=True, index=True),
    Column("ref", Text, nullable=False, unique=True),
)

turn_subjects = Table(
    "turn_subjects",
    metadata,
    Column("subject_id", Text, ForeignKey("subjects.id"), primary_key=True),
    Column("turn_id", Text, ForeignKey("turns.id"), primary_key=True),
    sqlite_with_rowid=False,
)

# `counts` is a JSON list of [second, requests], oldest first, of the last 60 seconds.
request_windows = Table(
    "request_windows",
    metadata,
    Column("principal_id", Text, ForeignKey("principals.id"), primary_key=True),
    Column("counts", Text, nullable=False),
    sqlite_with_rowid=False,
)

usage_days = Table(
    "usage_days",
    metadata,
    Column("principal_id", Text, ForeignKey("principals.id"), primary_key=True),
    Column("day", Integer, primary_key=True, index=True),
    Column("tokens", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What a paid backend cost on a day, reservations included, in billionths of the budget's currency; of nobody.
spending_days = Table(
    "spending_days",
    metadata,
    Column("backend", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("nanos", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# `selector` (JSON: subject ids, hex of blind indexes, person id) is dropped when the erasure is done.
erasures = Table(
    "erasures",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False, index=True),
    Column("selector", Text),
    Column("intent_record_id", Text, nullable=False),
    Column("completed_record_id", Text, nullable=False),
    Column("turns", Integer, nullable=False),
    Column("contents", Integer, nullable=False),
    Column("vault_entries", Integer, nullable=False),
    Column("blind_indexes", Integer, nullable=False),
    Column("purged", Boolean, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("finished", BigInteger),
)

# A legal hold: what it names may not be erased or deleted until it is released.
holds = Table(
    "holds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject_blind", LargeBinary(32), index=True),
    Column("conversation_id", Text, index=True),
    Column("code", Text, nullable=False),
    Column("placed", BigInteger, nullable=False),
    Column("released_at", BigInteger),
)
