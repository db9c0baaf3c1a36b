"""The managed block: rules go in and out, and no byte of the user's changes."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nightschool.errors import NightschoolError
from nightschool.night.rules.anatomy import Document
from nightschool.night.rules.block import apply, canonical, has_block, rules, with_rules
from nightschool.records import Edit

BEGIN, END = b"<!-- nightschool:begin -->", b"<!-- nightschool:end -->"
BLOCK = BEGIN + b"\n- one\n- two\n" + END + b"\n"


def add(text, name="a"):
    """Return an edit that adds a rule."""
    return Edit(id=name, document="d", text=text, recurrence="r")


def delete(text, name="d"):
    """Return an edit that deletes a rule."""
    return Edit(id=name, op="delete", document="d", replaces=text, recurrence="r")


def change(old, new, name="c"):
    """Return an edit that replaces a rule."""
    return Edit(id=name, op="replace", document="d", text=new, replaces=old, recurrence="r")


def fits(text):
    """Tell whether a text can be a rule as it stands."""
    try:
        return canonical(text) == text
    except NightschoolError:
        return False


MARKS = [BEGIN, END, b"```", b"~~~", b"- ", b"  ", b"\n", b"\r\n", b"\n\n\n", b"> ", b"\xef\xbb\xbf", b"\xff", b"text"]
RULES = st.text(st.sampled_from("ab -`~\n\t#*>é中"), min_size=1, max_size=40).filter(fits)
LINES = [BEGIN, END, b"```", b"~~~x", b"  ```", b"- one", b"- a", b"  more", b"", b"note", b"> " + END, b"caf\xe9"]
USER = st.one_of(
    st.lists(st.one_of(st.sampled_from(MARKS), st.binary(max_size=6)), max_size=14).map(b"".join),
    st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from([b"\n", b"\n", b"\r\n"])), max_size=14).map(
        lambda lines: b"".join(line + end for line, end in lines)
    ),
)


@pytest.mark.parametrize(
    "user",
    [None, b"", b"a", b"a\n", b"a\n\n", b"a\n\n\n\nb\n\n\n", b"a\r\nb\r\n", b"a\r\nb", b"\xef\xbb\xbf", b"\xef\xbb\xbfa\n",
     b"caf\xe9\n", b"\n", b"\r\n", b"\n\n", b"a\r\nb\n", b"x\ry", BEGIN + b"\nmine\n", END + b"\nmine\n", b"a\n" + BEGIN,
     b"```\n" + BLOCK + b"```\n", b"```\nopen", b"> " + BEGIN + b"\n> " + END + b"\n", b"  " + BEGIN + b"\n",
     END + b"\n" + BEGIN + b"\n", b"say `" + BEGIN + b"`\n", b"---\nname: x\n---\n\nbody\n", b"~~~\n" + BLOCK + b"~~~"],
)  # fmt: skip
def test_rules_go_in_and_out_and_leave_the_bytes(user):
    """Whatever the document: the user's bytes stay in front, the rules can be read back, and taking them out undoes it."""
    done = apply(user, [add("one"), add("two\n\n  with `code`\nand more", "b")])

    assert done.data.startswith(user or b"")
    assert done.applied == ("a", "b")
    assert rules(done.data)[-2:] == ["one", "two\n\n  with `code`\nand more"]
    gone = apply(done.data, [delete("one"), delete("two\n\n  with `code`\nand more", "e")], done.joint)
    assert gone.data == (user or b"")
    assert gone.joint == ""


@given(user=USER, texts=st.lists(RULES, min_size=1, max_size=4, unique=True))
def test_any_bytes_any_rules(user, texts):
    """The same for arbitrary bytes with markers and fences strewn in, and arbitrary rules."""
    assume(not user.startswith((b"\xff\xfe", b"\xfe\xff")))
    assume(not has_block(user))
    done = apply(user, [add(text, f"a{at}") for at, text in enumerate(texts)])

    assert done.data.startswith(user)
    assert rules(done.data) == texts
    assert apply(done.data, [add(text) for text in texts], done.joint).data == done.data
    assert apply(done.data, [delete(text) for text in reversed(texts)], done.joint).data == user


@given(user=USER, texts=st.lists(RULES, min_size=1, max_size=3, unique=True))
def test_a_document_with_blocks_keeps_every_line(user, texts):
    """With blocks in it already, new rules go into one of them and come out again; every other byte stays."""
    assume(not user.startswith((b"\xff\xfe", b"\xfe\xff")))
    held = rules(user)
    new = [text for text in texts if text not in held]
    done = apply(user, [add(text, f"a{at}") for at, text in enumerate(new)])

    assert sorted(rules(done.data)) == sorted([*held, *new])
    assert apply(done.data, [delete(text) for text in new], None if has_block(user) else done.joint).data == user


def test_the_block_has_the_files_own_line_ends():
    """CRLF files keep CRLF throughout; multi-line rules read back with LF."""
    done = apply(b"a\r\nb\r\n", [add("one\r\ntwo")])

    assert done.data.count(b"\n") == done.data.count(b"\r\n") > 4
    assert rules(done.data) == ["one\ntwo"]


@pytest.mark.parametrize(
    ("data", "held"),
    [
        (BLOCK, ["one", "two"]),
        (b"\xef\xbb\xbf" + BLOCK, ["one", "two"]),
        (BLOCK.rstrip(b"\n"), ["one", "two"]),
        (BEGIN + b"  \n- one\n" + END + b"\t\n", ["one"]),
        (b"<!-- nightschool:begin (what; ever) -->\n- one\n" + END, ["one"]),
        (BEGIN + b"\nmine\n" + BLOCK, ["one", "two"]),  # an end belongs to the nearest begin
        (BLOCK + b"x\n" + BEGIN + b"\n- three\n" + END, ["one", "two", "three"]),
        (b"```\n" + BLOCK + b"```\n", []),
        (b"```\nopen\n" + BLOCK, ["one", "two"]),
        (b"```\nopen\n" + BEGIN + b"\n- one\n  ```\n  x\n  ```\n" + END + b"\n", ["one\n```\nx\n```"]),
        (BEGIN + b"\n- ```\n  x\n  ```\n" + END + b"\n```\n" + BLOCK + b"```\n", ["```\nx\n```"]),
        (b"> " + BLOCK, []),
        (b"see " + BLOCK, []),
        (b"\t" + BLOCK, []),
        (END + b"\n- one\n" + BEGIN, []),
        (BEGIN + b"\n- one\nnote\n\n* star\n- two\n\n  more\n\n- \n" + END, ["one", "two\n\nmore"]),
        (b"<!-- nightschool:beginning -->\n- one\n" + END, []),
    ],
)
def test_what_is_a_block(data, held):
    """Markers stand alone, unindented, outside fences; an end pairs with the nearest begin; two blocks both count."""
    assert rules(data) == held


def test_lines_the_user_wrote_inside_stay():
    """Adding appends below the user's own lines, deleting takes one rule's lines and no other."""
    mine = BEGIN + b"\n- one\nmy note\n\n* my bullet\n- mine\n" + END + b"\n"

    assert apply(mine, [add("two")]).data == mine.replace(END, b"- two\n" + END)
    assert apply(mine, [delete("one")]).data == mine.replace(b"- one\n", b"")


def test_a_block_with_the_users_notes_stays_when_the_last_rule_goes():
    """What is not ours is not taken along."""
    data = b"a\n\n" + BEGIN + b"\n- one\nmy note\n" + END + b"\n"

    assert apply(data, [delete("one")], "\n").data == data.replace(b"- one\n", b"")


def test_an_empty_block_of_the_users_stays():
    """Only a block that has become empty by our edits goes."""
    mine = BEGIN + b"\n" + END + b"\nx\n"

    assert apply(mine + BLOCK, [delete("one"), delete("two")]).data == mine


def test_edits_of_rules_the_user_touched_are_conflicts():
    """A rule that was changed or removed by hand is not replaced or deleted, others of the same night are."""
    done = apply(BLOCK, [delete("ONE", "x"), change("three", "four", "y"), change("two", "2", "z")])

    assert set(done.conflicts) == {"x", "y"}
    assert done.applied == ("z",)
    assert rules(done.data) == ["one", "2"]
    grown = BLOCK.replace(b"- one\n", b"- one\n  and my addition\n")
    assert apply(grown, [delete("one", "x")]).conflicts.keys() == {"x"}


def test_anchors_are_whole_rules():
    """Deleting "o" deletes no rule that merely contains it."""
    assert apply(BLOCK, [delete("o"), delete("")]).data == BLOCK


def test_the_same_rule_is_not_added_twice():
    """A second add changes no byte; a replacement that stands there already is no conflict."""
    done = apply(BLOCK, [add(" two "), change("zero", "one")])

    assert done.data == BLOCK
    assert done.present == ("a", "c")
    assert with_rules(BLOCK, ["one", "three", "three"]).count(b"- three") == 1


def test_a_replacement_that_stands_there_already_removes_the_old_rule_only():
    """`one` becomes `two`: one `two` is left."""
    assert rules(apply(BLOCK, [change("one", "two")]).data) == ["two"]


@pytest.mark.parametrize(
    "text",
    ["", " \n ", "a\n<!-- nightschool:end -->\n# mine", "a <!-- b", "a --> b", "a --!> b", "nightschool:begin", "a\0b",
     "a\u200bb", "a\u202eb", "a\rb", "a\x0bb", "a\u2028b", "\udc80", "\U000e0041x", "```\nopen", "x\n~~~~\ny\n~~~"],
)  # fmt: skip
def test_texts_that_reach_beyond_a_rule_are_refused(text):
    """A marker, a comment, a hidden character or an open fence is never written."""
    with pytest.raises(NightschoolError):
        apply(b"a\n", [add(text)])


def test_utf_16_is_refused():
    """Nothing is appended to a file in which our bytes would be garbage."""
    with pytest.raises(NightschoolError, match="UTF-8"):
        apply("# Rules".encode("utf-16"), [add("one")])


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        (b"a\n", lambda d: b"top\n" + d, b"top\na\n"),
        (b"a\n", lambda d: d + b"tail\n", b"a\ntail\n"),
        (b"a\n", lambda d: d.replace(b"a\n\n", b"b\n", 1), b"b\n"),
        (b"a", lambda d: d + b"tail\n", b"a\ntail\n"),
        (b"a", lambda d: b"x" + d, b"xa"),
        (b"a\n", lambda d: d.replace(b"a\n", b"b\nc\n", 1), b"b\nc\n"),
        (b"a\n", lambda d: d.replace(BEGIN[:22], b"mine\n" + BEGIN[:22], 1), b"a\nmine\n"),
        (b"a\n", lambda d: d.replace(BEGIN[:22], b"mine\n\n" + BEGIN[:22], 1), b"a\n\nmine\n"),
        (b"a", lambda d: d.replace(BEGIN[:22], b"mine\n" + BEGIN[:22], 1), b"a\nmine\n"),
    ],
)
def test_the_joint_goes_and_the_users_edit_stays(before, edit, after):
    """The blank line we put in goes again wherever the user has written since; no two lines of the user's are joined."""
    done = apply(before, [add("one")])
    document = Document.of(edit(done.data))
    assert document.exchange("one", None)
    document.drop_empty(done.joint, before)

    assert document.joined() == after
