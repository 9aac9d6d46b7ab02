"""What a change of the contract would break for those who were built against an earlier release.

The rules, all of them about the wire form, the JSON form and generated code:
- a message, enum, service, RPC or reservation stays;
- a field or enum value stays, or its number and its name are both reserved;
- a field keeps its name, type, label (singular, optional, repeated), JSON name and oneof; a singular one may become
  optional: what was sent before reads as before, and absence can be told from the default from then on;
- an enum value keeps its name; an RPC keeps its messages and whether either side streams.
Additions break nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from contract.surface import Surface


def breaking_changes(released: Surface, current: Surface) -> list[str]:
    """One sentence a change that breaks callers of `released`; empty when `current` serves them all."""
    return [change for subject in sorted(released) for change in _changes(subject, released, current)]


def _changes(subject: str, released: Surface, current: Surface) -> Iterator[str]:
    if subject not in current:
        if _owner_remains(subject, current) and not _is_reserved(subject, released, current):
            yield f"{subject}: {_called(subject, released)}was removed{_remedy(subject)}"
        return
    for attribute, before in released[subject].items():
        now = current[subject].get(attribute, "")
        if now != before and (attribute, before, now) != ("label", "singular", "optional"):
            yield f"{subject}: {_called(subject, released)}{attribute} was {before}, is {now}"


def _owner_remains(subject: str, current: Surface) -> bool:
    """Whether the message, enum or service that the subject is part of is still there: its own removal says it all."""
    kind, _, rest = subject.partition(" ")
    match kind:
        case "field":
            return f"message {rest.split()[0]}" in current
        case "value":
            return f"enum {rest.split()[0]}" in current
        case "reserved":
            return f"message {rest.split()[0]}" in current or f"enum {rest.split()[0]}" in current
        case "rpc":
            return f"service {rest.rpartition('.')[0]}" in current
    return True


def _is_reserved(subject: str, released: Surface, current: Surface) -> bool:
    kind, owner, *number = subject.split()
    if kind not in ("field", "value"):
        return False
    name = released[subject]["name"]
    return f"reserved {owner} {number[0]}" in current and f"reserved {owner} {name}" in current


def _called(subject: str, released: Surface) -> str:
    name = released[subject].get("name")
    return f"{name!r} " if name else ""


def _remedy(subject: str) -> str:
    return "; reserve its number and its name" if subject.startswith(("field ", "value ")) else ""
