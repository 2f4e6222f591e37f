"""Patterns: what matches, what does not, and that an index gives the same answer."""

import json
import random

import pytest

from stratolite.languages.patterns import FILTER_POLICY, MAPPING, PatternError, PatternIndex, compile_pattern


def matches(pattern, event):
    return compile_pattern(json.dumps(pattern)).matches(event)


def field(*tests):
    return {"detail": {"x": list(tests)}}


def event(value):
    return {"detail": {"x": value}}


# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
@pytest.mark.parametrize(
    ("test", "accepted", "refused"),
    [
        ("a", ["a", ["b", "a"]], ["A", "", None, 1, []]),
        ("", [""], ["a", None]),
        (1, [1, 1.0, [2, 1]], ["1", True, 2]),
        (300, [300.0, 3e2], [300.5]),
        (True, [True], [1, "true", False]),
        (None, [None], ["null", "", 0, False]),
        ({"prefix": "ab"}, ["ab", "abc"], ["Ab", "cab", 12, None]),
        ({"prefix": ""}, ["anything", ""], [1]),
        ({"suffix": ".png"}, [".png", "a.png"], ["a.PNG", "png"]),
        ({"prefix": {"equals-ignore-case": "AB"}}, ["abc", "ABC"], ["bab"]),
        ({"suffix": {"equals-ignore-case": ".png"}}, ["a.PNG"], ["a.jpg"]),
        ({"equals-ignore-case": "Alice"}, ["ALICE", "alice"], ["alic", None]),
        ({"anything-but": "a"}, ["b", None, 1, ["a", "b"]], ["a", ["a"]]),
        ({"anything-but": ["a", "b"]}, ["c"], ["a", "b"]),
        ({"anything-but": 1}, [2, "1"], [1, 1.0]),
        ({"anything-but": {"prefix": "a"}}, ["b", 1, None], ["ab"]),
        ({"anything-but": {"suffix": ["x", "y"]}}, ["az"], ["ax", "ay"]),
        ({"anything-but": {"equals-ignore-case": "a"}}, ["b"], ["A", "a"]),
        ({"anything-but": {"wildcard": "*/init/*"}}, ["a/b/c"], ["a/init/c"]),
        ({"numeric": ["=", 3.018e2]}, [301.8], ["301.8", None, True]),
        ({"numeric": [">", 0, "<=", 5]}, [5, 0.1], [0, 5.1]),
        ({"numeric": ["<", -1]}, [-2], [-1]),
        ({"exists": True}, ["", None, 0, False], [[], {}]),
        ({"exists": False}, [[], {"y": 1}], ["", None]),
        ({"cidr": "10.0.0.0/24"}, ["10.0.0.255"], ["10.0.1.0", "10.0.0.256", 10]),
        ({"cidr": "2001:db8:1234:1a00::/64"}, ["2001:0db8:1234:1a00::1"], ["2001:db8:1234:1a01::"]),
        ({"wildcard": "a*c*"}, ["ac", "abcd", "a\nc"], ["ab", "bac"]),
        ({"wildcard": r"a\*b"}, ["a*b"], ["axb"]),
        ({"exactly": "a"}, ["a"], ["b"]),
    ],
)
def test_an_operator_accepts_and_refuses(test, accepted, refused):
    assert [value for value in accepted if not matches(field(test), event(value))] == []
    assert [value for value in refused if matches(field(test), event(value))] == []


def test_alternatives_of_a_field_are_joined_by_or():
    assert matches(field({"numeric": [">", 100]}, "low"), event("low"))
    assert matches(field("a", {"exists": False}), {"detail": {}})


def test_fields_are_joined_by_and():
    pattern = {"source": ["s"], "detail": {"a": [1], "b": {"c": [2]}}}
    assert matches(pattern, {"source": "s", "detail": {"a": 1, "b": {"c": 2}}})
    assert not matches(pattern, {"source": "s", "detail": {"a": 1, "b": {"c": 3}}})


def test_or_joins_fields():
    pattern = {"source": ["s"], "$or": [{"a": [1]}, {"b": [2], "c": [3]}]}
    assert matches(pattern, {"source": "s", "a": 1})
    assert matches(pattern, {"source": "s", "b": 2, "c": 3})
    assert not matches(pattern, {"source": "s", "b": 2})


def test_two_ors_multiply():
    pattern = {"$or": [{"a": [1]}, {"b": [1]}], "d": {"$or": [{"c": [1]}, {"e": [1]}]}}
    assert matches(pattern, {"b": 1, "d": {"e": 1}})
    assert not matches(pattern, {"d": {"e": 1}})


def test_a_dot_in_a_name_is_a_step():
    assert matches({"a": {"b": ["x"]}}, {"a.b": "x"})
    assert matches({"a.b": ["x"]}, {"a": {"b": "x"}})


# https://github.com/aws/event-ruler#json-array-matching
def test_fields_of_different_elements_do_not_match_together():
    people = {"people": [{"first": "Anna", "last": "Smith"}, {"first": "John", "last": "Doe"}]}
    assert matches({"people": {"first": ["Anna"], "last": ["Smith"]}}, people)
    assert not matches({"people": {"first": ["Anna"], "last": ["Doe"]}}, people)


def test_elements_agree_on_every_level():
    nested = {"a": [{"k": 1, "b": [{"x": 1, "y": 1}, {"x": 2, "y": 2}]}, {"k": 2, "b": [{"x": 3, "y": 4}]}]}
    assert matches({"a": {"k": [1], "b": {"x": [2], "y": [2]}}}, nested)
    assert not matches({"a": {"k": [1], "b": {"x": [1], "y": [2]}}}, nested)
    assert not matches({"a": {"k": [2], "b": {"x": [1], "y": [1]}}}, nested)


def test_a_repeated_name_counts_once_the_last_time():
    source = '{"detail": {"x": [{"prefix": "us-"}], "x": [{"anything-but": "us-east"}]}}'
    assert compile_pattern(source).matches(event("eu-central-1"))


# ---------------------------------------------------------------------- refusals

# Recorded from TestEventPattern and from SNS's Subscribe, as (pattern, reason, column).
REFUSED = [
    ('{"resources": []}', "Empty arrays are not allowed", 17),
    ('{"int": 42}', '"int" must be an object or an array', 11),
    ('{"string": "my-value"}', '"string" must be an object or an array', 13),
    ('{"time": [{"prefix": 123}]}', "prefix match pattern must be a string", 25),
    ('{"time": [{"prefix": ["2022-07-13"]}]}', "prefix match pattern must be a string", 23),
    ('{"my_key": [{"EXISTS": true}]}', "Unrecognized match type EXISTS", 28),
    ('{"key":[["value"]]}', "Match value must be String, number, true, false, or null", 10),
    ('{"key":[{"suffix":"value","prefix":"value2"}]}', "Only one key allowed in match expression", 37),
    ('{"key":[{"numeric":[]}]}', "Invalid member in numeric match: ]", 22),
    ('{"key":[{"numeric":["operator"]}]}', "Unrecognized numeric range operator: operator", 32),
    ('{"key":[{"numeric":["=","000"]}]}', "Value of equals must be numeric", 26),
    ('{"key":[{"numeric":["<",100,">",10]}]}', "Too many elements in numeric expression", 30),
    ('{"key":[{"numeric":[">",3,"<",1]}]}', "Bottom must be less than top", 33),
    ('{"key":[{"numeric":[">",20,"<",30,"<",50]}]}', "Too many terms in numeric range expression", 36),
    ('{"key":[{"exists":"no"}]}', "exists match pattern must be either true or false.", 20),
    ("{'bad': 'quotation'}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name", 2),
    ('["not", "a", "dict"]', "Filter is not an object", 2),
]


@pytest.mark.parametrize(("source", "reason", "column"), REFUSED)
def test_a_refusal_names_the_place(source, reason, column):
    with pytest.raises(PatternError) as refused:
        compile_pattern(source)
    assert str(refused.value) == f'{reason}\n at [Source: (String)"{source}"; line: 1, column: {column}]'


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("bad-filter", "Malformed CIDR, one '/' required"),
        ("bad-/64filter", "Malformed CIDR, mask bits must be an integer"),
        ("xx.11.xx/8", "Nonstandard IP address: xx.11.xx"),
        ("10.0.0.0/32", "IPv4 mask bits must be < 32"),
    ],
)
def test_a_bad_block_is_told_without_a_place(block, reason):
    with pytest.raises(PatternError, match="^" + reason.replace("'", ".") + "$"):
        compile_pattern(json.dumps(field({"cidr": block})))


def test_what_fails_within_a_list_is_placed_twice():
    with pytest.raises(PatternError) as refused:
        compile_pattern('{"x": [{"anything-but": ["a", null]}]}')
    assert str(refused.value).count("column: 35]") == 2


def test_a_second_line_is_counted():
    with pytest.raises(PatternError, match=r"line: 2, column: 9\]$"):
        compile_pattern('{\n  "x": 1}')


def test_a_long_source_is_cut():
    with pytest.raises(PatternError, match=r"\"\[truncated 116 chars\]; line: 1, column: "):
        compile_pattern(json.dumps({"x" * 609: 1}))


@pytest.mark.parametrize(
    ("wildcard", "accepted"),
    [("*:*:*:*:*:event-bus/*", False), ("/Users/*/dir/dir/dir/dir/dir/doc.txt", True), ("**", False), ("a\\b", False)],
)
def test_wildcards_are_bounded(wildcard, accepted):
    source = json.dumps(field({"wildcard": wildcard}))
    if accepted:
        compile_pattern(source)
    else:
        with pytest.raises(PatternError, match=r"too complex|Consecutive wildcard|Invalid escape"):
            compile_pattern(source)


def test_combinations_and_depth_are_bounded():
    tenfold = {"$or": [{f"x{n}": [1]} for n in range(10)]}
    compile_pattern(json.dumps({"a": tenfold, "b": tenfold, "c": tenfold}))
    with pytest.raises(PatternError, match="too complex"):
        compile_pattern(json.dumps({"a": tenfold, "b": tenfold, "c": tenfold, "d": {"$or": [{"y": [1]}, {"z": [1]}]}}))
    with pytest.raises(PatternError, match="nesting depth"):
        compile_pattern('{"a":' * 800 + "[1]" + "}" * 800)


def test_dialects_differ_in_data_only():
    with pytest.raises(PatternError, match=r"Unrecognized match type cidr"):
        compile_pattern(json.dumps(field({"cidr": "10.0.0.0/8"})), MAPPING)
    with pytest.raises(PatternError, match="Unsupported anything-but pattern: suffix"):
        compile_pattern(json.dumps(field({"anything-but": {"suffix": "x"}})), FILTER_POLICY)


# ---------------------------------------------------------------------- the index


def _random_pattern(chance):
    tests = [
        lambda: chance.choice("abc"),
        lambda: {"prefix": chance.choice(["a", "ab", ""])},
        lambda: {"suffix": chance.choice(["b", "bc"])},
        lambda: {"equals-ignore-case": chance.choice(["A", "AB"])},
        lambda: {"suffix": {"equals-ignore-case": chance.choice(["B", "c"])}},
        lambda: {"wildcard": chance.choice(["a*", "*b", "a*c"])},
        lambda: {"anything-but": chance.choice("ab")},
        lambda: {"numeric": [">", chance.randrange(3)]},
        lambda: {"exists": chance.random() < 0.5},
        lambda: chance.randrange(3),
        lambda: None,
    ]

    def some(names):
        return {name: [chance.choice(tests)() for _ in range(chance.randint(1, 2))] for name in names}

    pattern = some(chance.sample(["source", "type", "other"], chance.randint(1, 2)))
    if chance.random() < 0.3:
        pattern["$or"] = [some(["p"]), some(["q"])]
    if chance.random() < 0.3:
        pattern["list"] = some(["k", "v"])
    return json.dumps(pattern)


def _random_event(chance):
    def value():
        return chance.choice(["a", "ab", "abc", "AB", "c", "", 0, 1, 2, 1.5, None, True, ["a", 1], []])

    out = {name: value() for name in ("source", "type", "other", "p", "q") if chance.random() < 0.7}
    if chance.random() < 0.7:
        out["list"] = [{"k": value(), "v": value()} for _ in range(chance.randint(0, 3))]
    return out


def test_an_index_answers_as_its_patterns_do():
    chance = random.Random(7)
    for _ in range(30):
        patterns = [compile_pattern(_random_pattern(chance)) for _ in range(chance.randint(1, 40))]
        index = PatternIndex([(number, pattern.branches) for number, pattern in enumerate(patterns)])
        for _ in range(30):
            seen = _random_event(chance)
            assert index.matches(seen) == [n for n, pattern in enumerate(patterns) if pattern.matches(seen)]


def test_an_index_looks_only_at_what_may_match():
    sources = [json.dumps({"source": ["shop"], "detail-type": [f"T{n}"]}) for n in range(1000)]
    index = PatternIndex([(n, compile_pattern(source).branches) for n, source in enumerate(sources)])
    seen = {"source": "shop", "detail-type": "T7", "detail": {}}
    assert index.matches(seen) == [7]
    from stratolite.languages.patterns.match import flatten

    assert len(index._candidates(flatten(seen, index.first))) == 1
