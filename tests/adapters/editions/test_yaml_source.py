"""Files people write, and files somebody made to hurt: always a SourceError with a place."""

from pathlib import Path

import pytest

from yibao.adapters.editions.yaml_source import MAX_BYTES, MAX_DEPTH, SourceError, parse, read

#: What is wrong with the bytes, the bytes, the place and a part of the reason.
REFUSED = [
    ("a duplicate key", b"a: 1\nb: 2\na: 3\n", "3:1", "duplicate key 'a'"),
    ("a duplicate key further in", b"a: {b: 1, b: 2}", "1:11", "duplicate key 'b'"),
    ("a tag that runs something", b"a: !!python/object:os.system x", "1:4", "tags"),
    ("a tag that changes nothing", b"a: !!str x", "1:4", "tags"),
    ("the bare tag", b"a: ! x", "1:4", "tags"),
    ("a tag of one's own", b"%TAG ! x:\n---\na: !b c\n", "3:4", "tags"),
    ("an anchor", b"a: b\nc: &x 1\n", "2:4", "anchors and aliases"),
    ("an alias", b"a: *x\n", "1:4", "anchors and aliases"),
    (
        "a billion laughs",
        b"a: &a [lol, lol]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
        "1:4",
        "anchors and aliases",
    ),
    ("a NUL byte", b"a: b\nc: d\0\n", "2:5", "a character that text cannot hold"),
    ("a bell", b"a: \x07", "1:4", "a character that text cannot hold"),
    ("GB18030", b"a: b\nc: " + "复旦".encode("gb18030"), "2:4", "not UTF-8"),
    ("UTF-16", "a: b".encode("utf-16"), "1:1", "not UTF-8"),
    ("half a character", "a: 复".encode()[:-1], "1:4", "not UTF-8"),
    ("a lone surrogate", b"a: \xed\xa0\x80", "1:4", "not UTF-8"),
    ("ten thousand brackets", b"a: " + b"[" * 10_000, "1:23", "nested deeper than 20"),
    ("brackets that close", b"[" * 10_000 + b"]" * 10_000, "1:21", "nested deeper than 20"),
    ("ten thousand braces", b"{a: " * 10_000, "1:81", "nested deeper than 20"),
    ("ten thousand dashes", b"- " * 10_000, "1:41", "nested deeper than 20"),
    ("nothing", b"", "1:1", "the file is empty"),
    ("only a comment", b"# later\n", "1:1", "the file is empty"),
    ("a second document", b"a: b\n---\nc: d\n", "2:1", "a second document"),
    ("a second document after text", b"a\n---\nb", "2:1", "a second document"),
    ("a list for a key", b"a: b\n? [c]\n: d\n", "2:3", "a key must be text"),
    ("a mapping for a key", b"{a: b}: c\n", "1:1", "a key must be text"),
    ("an open bracket", b"a: [b\n", "2:1", "did not find expected"),
    ("an open quotation", b'a: "b\n', "2:1", "unexpected end of stream"),
    ("a tab for indentation", b"a:\n\tb: c\n", "2:1", "cannot start any token"),
    ("a version of YAML to come", b"%YAML 3.0\n---\na: b\n", "1:1", "incompatible"),
    ("an escape that is no character", b'a: "\\ud800"', "1:7", "invalid Unicode"),
]


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_a_file_is_refused_with_its_place_for(content: bytes, place: str, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse(content, "story.yaml")
    assert str(caught.value).startswith(f"story.yaml:{place}: ")
    assert reason in caught.value.reason


def test_a_place_has_its_parts() -> None:
    with pytest.raises(SourceError) as caught:
        parse(b"a: 1\na: 2\n", "story.yaml")
    error = caught.value
    assert (error.file, error.line, error.column) == ("story.yaml", 2, 1)
    assert str(error) == f"story.yaml:2:1: {error.reason}"


def test_bytes_of_every_kind_are_read_or_refused_but_never_crash() -> None:
    """Every byte, in every position of a small story."""
    story = b"title: x\nstory: [{at: 1, b: 'c'}]\n"
    lines = set[int]()
    for byte in range(256):
        for place in range(len(story)):
            try:
                parse(story[:place] + bytes([byte]) + story[place + 1 :], "story.yaml")
            except SourceError as error:
                lines.add(error.line)
    assert lines <= {1, 2, 3, 4}
    assert {1, 2} <= lines


@pytest.mark.parametrize("content", [b"- a\n", b"hello\n", b"---\n", b"'a: b'\n"])
def test_what_is_no_mapping_is_refused_where_one_is_needed(content: bytes) -> None:
    source = parse(content, "story.yaml")
    with pytest.raises(SourceError, match=r"^story\.yaml:[12]:1: a story must be a mapping$"):
        source.mapping(source.data, (), "a story")


def test_an_error_lies_as_near_as_the_path_leads() -> None:
    source = parse(b"a:\n  - b: c\n", "story.yaml")
    places = {
        ("a",): "2:3",
        ("a", 0): "2:5",
        ("a", 0, "b"): "2:8",
        ("a", 0, "missing"): "2:5",
        ("a", 7): "2:3",
        ("a", "b"): "2:3",
        ("a", 0, "b", "deeper"): "2:8",
    }
    for path, place in places.items():
        assert str(source.error(path, "wrong")) == f"story.yaml:{place}: wrong"
    assert str(source.error(("a", 0, "b"), "wrong", key=True)) == "story.yaml:2:5: wrong"


def test_a_byte_order_mark_is_accepted_and_moves_nothing() -> None:
    assert parse(b"\xef\xbb\xbfa: b\n", "story.yaml").data == {"a": "b"}
    with pytest.raises(SourceError, match=r"^story\.yaml:1:7: duplicate key"):
        parse(b"\xef\xbb\xbf{a: b,a: c}", "story.yaml")


def test_yaml_guesses_nothing() -> None:
    content = b"on: yes\nno: 0123\nat: 12:30\nvalue: null\nday: 2025-09-01\nn: 1_000\nempty:\n"
    assert parse(content, "story.yaml").data == {
        "on": "yes",
        "no": "0123",
        "at": "12:30",
        "value": "null",
        "day": "2025-09-01",
        "n": "1_000",
        "empty": "",
    }


def test_merge_keys_are_keys_like_any_other() -> None:
    assert parse(b"a: {<<: {b: c}}", "story.yaml").data == {"a": {"<<": {"b": "c"}}}


def test_nesting_is_allowed_as_deep_as_any_story_needs() -> None:
    deep = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert parse(deep, "story.yaml").data
    with pytest.raises(SourceError, match=rf":1:{MAX_DEPTH + 1}: nested"):
        parse(b"[" + deep + b"]", "story.yaml")


def test_windows_line_ends_are_lines() -> None:
    with pytest.raises(SourceError, match=r"^story\.yaml:3:1: duplicate key 'a'"):
        parse(b"a: 1\r\nb: 2\r\na: 3\r\n", "story.yaml")


def test_a_column_counts_chinese_characters_as_one() -> None:
    with pytest.raises(SourceError, match=r":1:10: duplicate key '学校'"):
        parse("{学校: 复旦, 学校: 交大}".encode(), "story.yaml")


def test_a_long_key_is_not_repeated_whole() -> None:
    key = b"k" * 900
    with pytest.raises(SourceError) as caught:
        parse(key + b": 1\n" + key + b": 2\n", "story.yaml")
    assert "duplicate key 'kkk" in str(caught.value)
    assert len(str(caught.value)) < 120


def test_a_missing_file_is_told_like_any_other_mistake(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.yaml"
    with pytest.raises(SourceError) as caught:
        read(path)
    assert str(caught.value) == f"{path}:1:1: no such file or directory"


def test_a_directory_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r":1:1: is a directory$"):
        read(tmp_path)


def test_a_path_no_system_accepts_is_refused() -> None:
    with pytest.raises(SourceError, match=r":1:1: "):
        read(Path("a\0b.yaml"))


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:  # sparse: takes no room
        file.truncate(1024**3)
    with pytest.raises(SourceError, match=r":1:1: larger than"):
        read(path)


def test_a_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"a: b\n#" + b"x" * (MAX_BYTES - 6))
    assert read(path).data == {"a": "b"}
    path.write_bytes(b"a: b\n#" + b"x" * (MAX_BYTES - 5))
    with pytest.raises(SourceError, match=r":1:1: larger than"):
        read(path)


def test_a_file_may_go_by_another_name_in_errors(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"a: 1\na: 2\n")
    with pytest.raises(SourceError, match=r"^roster:2:1: "):
        read(path, "roster")
