"""Notes, keys and checkpoints as C2SP spells them, and whatever is not spelt so."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from yibao.projections.evidence import (
    Checkpoint,
    Consistency,
    Note,
    NotProven,
    Proof,
    SignedCheckpoint,
    Tree,
    UnreadableEvidence,
    VerifierKey,
    appended,
    leaf_hash,
)

ORIGIN = "insurance.example.edu.cn/yibao/main/facts"
# The example of the specification (c2sp.org/signed-note): what others signed is read.
PUBLISHED_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
PUBLISHED = (
    "This is an example message.\n\n\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def _signer(seed: int, name: str = ORIGIN) -> tuple[VerifierKey, Ed25519PrivateKey]:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return VerifierKey(name, public), private


KEY, PRIVATE = _signer(1)


def _signed(text: str) -> str:
    return str(Note.signed(text, [(KEY, PRIVATE.sign)]))


ROOT = leaf_hash(b"only one")
NOTE = _signed(Checkpoint(ORIGIN, 1, ROOT).text)


def test_a_note_that_others_signed_is_read() -> None:
    note = Note.parse(PUBLISHED)
    note.check_signed(VerifierKey.parse(PUBLISHED_KEY))
    assert str(note) == PUBLISHED


def test_a_key_is_spelt_with_its_name_and_read_again() -> None:
    name, key_id, key = str(KEY).split("+", 2)
    assert (name, len(key_id), len(key)) == (ORIGIN, 8, 44)
    assert VerifierKey.parse(f"{KEY}\n") == KEY


@pytest.mark.parametrize(
    "told",
    [
        "",
        "name",
        str(KEY).replace(ORIGIN, "another"),
        str(KEY).replace(ORIGIN, ""),
        str(KEY)[:-1],
        str(KEY) + "A",
        str(KEY).replace("+A", "+B"),
        f"{ORIGIN}+00000000+{b64encode(bytes(33)).decode()}",
    ],
)
def test_what_is_no_key_is_refused(told: str) -> None:
    with pytest.raises(UnreadableEvidence):
        VerifierKey.parse(told)


def test_a_checkpoint_is_three_lines_under_its_signature() -> None:
    signed = SignedCheckpoint.checked(NOTE, KEY)
    assert signed.checkpoint == Checkpoint(ORIGIN, 1, ROOT)
    assert NOTE.split("\n")[:4] == [ORIGIN, "1", b64encode(ROOT).decode(), ""]


def test_of_two_that_signed_each_is_asked_for() -> None:
    other, private = _signer(2)
    both = Note.signed("handed over\n", [(KEY, PRIVATE.sign), (other, private.sign)])
    assert Note.parse(str(both)) == both
    both.check_signed(KEY, other)
    third, _ = _signer(3)
    with pytest.raises(NotProven, match="not signed with the key"):
        both.check_signed(KEY, third)


def test_an_extension_line_is_left_aside() -> None:
    text = Checkpoint(ORIGIN, 1, ROOT).text + "extension\n"
    assert SignedCheckpoint.checked(_signed(text), KEY).checkpoint.size == 1


@pytest.mark.parametrize(
    "text",
    [
        "one line\n",
        f"{ORIGIN}\n1\n",
        f"{ORIGIN}\n01\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n-1\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n\uff11\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n1\n{b64encode(ROOT[:-1]).decode()}\n",
        f"{ORIGIN}\n1\n{b64encode(ROOT).decode()[:-1]}\n",
        f"\n1\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n1\n{b64encode(ROOT).decode()}\n\nextension\n",
    ],
)
def test_what_is_no_checkpoint_is_refused_however_well_it_is_signed(text: str) -> None:
    with pytest.raises(UnreadableEvidence):
        SignedCheckpoint.checked(_signed(text), KEY)


@pytest.mark.parametrize(
    "told",
    [
        "",
        "\n\n",
        "text\n",
        NOTE[:-1],
        NOTE.replace("\u2014", "-"),
        NOTE.replace("\u2014 ", "\u2014"),
        NOTE.replace("1\n", "1\r\n"),
        NOTE + "\n",
        NOTE + "\u2014 somebody AAAA\n",
        NOTE + "\u2014 so+me AAAAAAAAAAAA\n",
        NOTE + NOTE.rpartition("\n\n")[2] * 40,
        "x" * 2_000_000,
    ],
)
def test_what_is_no_note_is_refused(told: str) -> None:
    with pytest.raises(UnreadableEvidence):
        SignedCheckpoint.checked(told, KEY)


def test_another_text_size_root_or_key_is_not_proven() -> None:
    another, private = _signer(2)
    forged = str(Note.signed(Checkpoint(ORIGIN, 1, ROOT).text, [(KEY, private.sign)]))
    elsewhere = str(Note.signed(Checkpoint("elsewhere", 1, ROOT).text, [(KEY, PRIVATE.sign)]))
    for told, key in [
        (NOTE.replace("\n1\n", "\n2\n"), KEY),
        (NOTE, another),
        (NOTE, VerifierKey("elsewhere", KEY.public)),
        (forged, KEY),
        (elsewhere, KEY),
    ]:
        with pytest.raises(NotProven):
            SignedCheckpoint.checked(told, key)


ENTRIES = [b"yibao-fact-v1 %d" % number for number in range(300)]
TILES = {
    (level, number): tile
    for level, number, tile in appended(0, list(map(leaf_hash, ENTRIES)), lambda *_: b"")
}


def _tree(size: int) -> Tree:
    return Tree(size, lambda level, number: TILES[level, number])


def _note(size: int) -> str:
    return _signed(Checkpoint(ORIGIN, size, _tree(size).root()).text)


def _proof(leaf: int, size: int = 300) -> Proof:
    return Proof(ENTRIES[leaf], leaf, tuple(_tree(size).inclusion(leaf)), _note(size))


def test_a_proof_is_a_file_that_stands_by_itself() -> None:
    told = str(_proof(77))
    assert told.startswith("c2sp.org/tlog-proof@v1\nextra ")
    found = Proof.parse(told)
    assert found == _proof(77)
    assert found.check(KEY).checkpoint.size == 300
    assert Proof.parse(str(_proof(0, 1))).check(KEY).checkpoint.size == 1


def test_of_another_entry_place_or_key_it_proves_nothing() -> None:
    proof = _proof(77)
    for told, key in [
        (proof._replace(entry=ENTRIES[76]), KEY),
        (proof._replace(leaf=76), KEY),
        (proof._replace(leaf=300), KEY),
        (proof._replace(path=proof.path[:-1]), KEY),
        (proof._replace(note=_note(299)), KEY),
        (proof, _signer(2)[0]),
    ]:
        with pytest.raises(NotProven):
            told.check(key)


def test_that_a_log_went_on_is_a_file_with_both_notes() -> None:
    path = tuple(_tree(300).consistency(250))
    told = str(Consistency(path, _note(250), _note(300)))
    assert told.startswith("yibao-consistency-v1\nfrom 250\nto 300\n")
    found = Consistency.parse(told)
    assert str(found) == told
    assert found.check(KEY).checkpoint.size == 300
    for other in [
        found._replace(path=path[1:]),
        found._replace(earlier=_note(249)),
        found._replace(later=_note(299)),
        found._replace(earlier=_note(300), later=_note(250)),
    ]:
        with pytest.raises(NotProven):
            other.check(KEY)


def test_that_nothing_was_added_is_proven_without_a_hash() -> None:
    told = str(Consistency((), _note(250), _note(250)))
    assert Consistency.parse(told).check(KEY).checkpoint.size == 250
    assert Consistency.parse(str(Consistency((), _note(0), _note(9)))).check(KEY)


@given(st.data())
def test_a_file_with_any_character_changed_says_nothing_else(data: st.DataObject) -> None:
    told = data.draw(
        st.sampled_from(
            [
                str(_proof(77)),
                str(Consistency(tuple(_tree(300).consistency(250)), _note(250), _note(300))),
            ]
        )
    )
    where = data.draw(st.integers(0, len(told) - 1))
    put = data.draw(st.sampled_from(["", "\n", "A", "1", " ", "=", "\u2014", told[where] * 2]))
    spoilt = told[:where] + put + told[where + 1 :]
    kind = Proof if told.startswith("c2sp") else Consistency
    if spoilt == told:
        return
    try:
        kind.parse(spoilt).check(KEY)
    except (NotProven, UnreadableEvidence):
        return
    raise AssertionError(f"a changed file proves something: {spoilt!r}")


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda told: told.decode("latin-1")))
def test_any_text_is_read_or_refused(told: str) -> None:
    for read in (Proof.parse, Consistency.parse, Note.parse, VerifierKey.parse):
        try:
            read(told)
        except UnreadableEvidence:
            continue
