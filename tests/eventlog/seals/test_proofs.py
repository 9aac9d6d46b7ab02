"""Trees, chains, checkpoints and proofs, against a tree built another way and against every kind of forgery."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.checkpoint_key import checker, key_id
from domain.errors import Invalid
from domain.events.record_runs import RunRecords, pack
from eventlog.seals import merkle
from eventlog.seals.chain import GENESIS, Seal, content, leaves, seal
from eventlog.seals.checkpoints import Checkpoint, Head, first_fault, signed
from eventlog.seals.proof import Proof, check

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
HOLDS = checker(KEY.public_key())
PLACE = ("t", 0)
Values = list[bytes]
some_values = st.lists(st.binary(max_size=6), min_size=1, max_size=9)


def tree_by_definition(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, word by word: split at the largest power of two below the number of leaves."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha256(b"\x01" + tree_by_definition(hashes[:split]) + tree_by_definition(hashes[split:])).digest()


def chained(blocks: Sequence[Values]) -> list[Seal]:
    """Blocks of a partition, sealed one after the other."""
    found: list[Seal] = []
    for values in blocks:
        first = found[-1].header.next_offset if found else 0
        previous = found[-1].chain if found else GENESIS
        offsets = range(first, first + len(values))
        found.append(seal(PLACE, (first, first + len(values)), offsets, values, previous))
    return found


def proven(blocks: Sequence[Values], block: int, index: int) -> Proof:
    """The proof of one record, under a checkpoint of all blocks."""
    seals = chained(blocks)
    header, values = seals[block].header, blocks[block]
    offsets = range(header.first_offset, header.next_offset)
    heads = {PLACE: Head(seals[-1].header.next_offset, seals[-1].chain), ("u", 3): Head(1, b"x" * 32)}
    return Proof(
        offset=header.first_offset + index,
        record=values[index],
        path=merkle.path(leaves(offsets, values), index),
        previous=seals[block].previous,
        blocks=[s.header for s in seals[block:]],
        checkpoint=signed(None, 5, key_id(KEY.public_key()), heads, KEY.sign),
    )


@given(some_values)
def test_the_root_is_that_of_rfc_6962_and_every_leaf_leads_to_it(values: Values) -> None:
    hashes = leaves(range(len(values)), values)
    assert merkle.root(hashes) == tree_by_definition(hashes)
    for index, start in enumerate(hashes):
        assert merkle.climb(start, merkle.path(hashes, index)) == merkle.root(hashes)


@given(st.lists(some_values, min_size=1, max_size=4), st.data())
def test_a_proof_holds_and_survives_its_file_form(blocks: list[Values], data: st.DataObject) -> None:
    block = data.draw(st.integers(0, len(blocks) - 1))
    proof = proven(blocks, block, data.draw(st.integers(0, len(blocks[block]) - 1)))
    again = Proof.from_json(json.loads(json.dumps(proof.as_json())))
    assert check(again, HOLDS) == proof.blocks[0]


@given(st.data())
def test_a_proof_with_any_member_changed_does_not_hold(data: st.DataObject) -> None:
    """Every hexadecimal digit, number and word of the file, one at a time."""
    proof = proven([[b"a", b"b", b"c"], [b"d"], [b"e", b"f"]], 0, 1)
    text = json.dumps(proof.as_json(), separators=(",", ":"))
    place = data.draw(st.sampled_from([i for i, c in enumerate(text) if c.isalnum()]))
    letters = "0123456789abcdef" if text[place] in "0123456789abcdef" else "XYZ"
    letter = data.draw(st.sampled_from([c for c in letters if c != text[place]]))
    try:
        forged = json.loads(text[:place] + letter + text[place + 1 :])
    except ValueError:
        return
    if Proof.from_json(proof.as_json()) == _or_none(forged):
        return  # the last bits of a base64 text may say nothing
    with pytest.raises(Invalid):
        check(Proof.from_json(forged), HOLDS)


def _or_none(given_json: object) -> Proof | None:
    try:
        return Proof.from_json(given_json)
    except Invalid:
        return None


def test_another_key_another_offset_and_a_missing_block_do_not_hold() -> None:
    proof = proven([[b"a", b"a"], [b"b"]], 0, 0)
    for forged in (
        replace(proof, checkpoint=replace(proof.checkpoint, signature=OTHER.sign(proof.checkpoint.message()))),
        replace(proof, offset=1),
        replace(proof, blocks=proof.blocks[:1]),
        replace(proof, blocks=[]),
        replace(proof, previous=b"\1" * 32),
    ):
        with pytest.raises(Invalid, match="does not hold"):
            check(forged, HOLDS)


def test_content_tells_order_lengths_and_offsets() -> None:
    """Records that join to the same bytes are told apart."""
    digests = [
        content([0, 1], [b"ab", b"c"]),
        content([0, 1], [b"a", b"bc"]),
        content([0, 1], [b"c", b"ab"]),
        content([0, 2], [b"ab", b"c"]),
        content([0], [b"abc"]),
    ]
    assert len(set(digests)) == len(digests)


@given(st.lists(st.lists(st.binary(max_size=5), max_size=5), max_size=4))
def test_content_is_one_hash_of_count_offsets_lengths_and_records(runs: list[list[bytes]]) -> None:
    """However the records come packed: seals that were made long ago are compared with it."""
    plain = [record for run in runs for record in run]
    offsets = range(7, 7 + len(plain))
    layout = struct.pack(f"<Q{len(plain)}Q{len(plain)}I", len(plain), *offsets, *map(len, plain)) + b"".join(plain)
    assert content(offsets, RunRecords(pack(run) for run in runs)) == content(offsets, plain) == sha256(layout).digest()


def test_a_run_of_checkpoints_cannot_lose_or_exchange_one() -> None:
    run: list[Checkpoint] = []
    for at in range(4):
        heads = {PLACE: Head(at, bytes([at]) * 32)}
        run.append(signed(run[-1] if run else None, at, "k", heads, KEY.sign))
    assert first_fault(run, HOLDS) is None
    assert first_fault(run[1:], HOLDS) is None  # older ones may have been archived
    assert "does not follow" in str(first_fault([run[0], *run[2:]], HOLDS))
    assert "does not follow" in str(first_fault([run[0], run[2], run[1], run[3]], HOLDS))
    assert "not signed" in str(first_fault([run[0], replace(run[1], at=9)], HOLDS))
