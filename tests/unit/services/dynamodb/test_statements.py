"""Statements: PartiQL over the same tables.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html and the answers
recorded in LocalStack's suite (tests/aws/services/dynamodb).
"""

from typing import Any

import pytest

from stratolite.kernel import AwsError


@pytest.fixture
def table(aws: Any) -> Any:
    aws.dynamodb.create_table(
        TableName="Music",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "c", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "p", "AttributeType": "S"},
            {"AttributeName": "c", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    aws.settle()
    return aws.dynamodb


def run(table: Any, statement: str, *parameters: Any, **more: Any) -> Any:
    given = {"Parameters": list(parameters)} if parameters else {}
    return table.execute_statement(Statement=statement, **given, **more)


def insert(table: Any, c: int, rest: str = "") -> None:
    run(table, f"INSERT INTO Music VALUE {{'p': 'a', 'c': {c}{rest}}}")


def item(c: int, **more: Any) -> Any:
    return {"p": {"S": "a"}, "c": {"N": str(c)}, **more}


def test_what_is_inserted_is_selected(table: Any) -> None:
    insert(table, 1, ", 's': 'it''s', 'l': [1, true, null], 'm': {'k': 'v'}, 'n': <<1, 2>>")
    stored = item(
        1,
        s={"S": "it's"},
        l={"L": [{"N": "1"}, {"BOOL": True}, {"NULL": True}]},
        m={"M": {"k": {"S": "v"}}},
        n={"NS": ["1", "2"]},
    )
    assert run(table, 'SELECT * FROM "Music" WHERE p = ? AND c = 1', {"S": "a"}) == {"Items": [stored]}
    assert run(table, "SELECT m.k, l[1] FROM Music WHERE p = 'a'")["Items"] == [
        {"m": {"M": {"k": {"S": "v"}}}, "l": {"L": [{"BOOL": True}]}}
    ]
    with pytest.raises(AwsError, match="Duplicate primary key exists in table") as error:
        insert(table, 1)
    assert error.value.code == "DuplicateItemException"


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("p = 'a'", [1, 2, 3]),
        ("p = 'a' AND c > 1", [2, 3]),
        ("p = 'a' AND c BETWEEN 1 AND 2", [1, 2]),
        ("p = 'a' AND c IN [1, 3]", [1, 3]),
        ("p = 'a' AND (v = 1 OR c = 3)", [1, 3]),
        ("p = 'a' AND NOT v = 1", [2, 3]),
        ("v IS MISSING", [3]),
        ("v IS NOT MISSING", [1, 2]),
        ("begins_with(s, 'x') AND v <> 1", [2]),
        ("size(s) > 1", [2]),
        ("p = 'nobody'", []),
    ],
)
def test_where_says_which(table: Any, where: str, found: list[int]) -> None:
    insert(table, 1, ", 'v': 1, 's': 'x'")
    insert(table, 2, ", 'v': 2, 's': 'xy'")
    insert(table, 3)
    answer = run(table, f"SELECT c FROM Music WHERE {where}")
    assert [int(each["c"]["N"]) for each in answer["Items"]] == found


def test_pages_go_on_at_their_token(table: Any) -> None:
    for number in range(5):
        insert(table, number)
    found: list[int] = []
    more: Any = {}
    while True:
        answer = run(table, "SELECT * FROM Music WHERE p = 'a' ORDER BY c DESC", Limit=2, **more)
        found += [int(each["c"]["N"]) for each in answer["Items"]]
        if "NextToken" not in answer:
            break
        more = {"NextToken": answer["NextToken"]}
    assert found == [4, 3, 2, 1, 0]


def test_an_update_changes_an_item_that_is_there(table: Any) -> None:
    insert(table, 1, ", 'v': 1, 'w': 2, 't': <<'a'>>")
    answer = run(
        table,
        "UPDATE Music SET v = v + 5 SET x = ? SET t = set_add(t, <<'b'>>) REMOVE w WHERE p = 'a' AND c = 1"
        " RETURNING ALL NEW *",
        {"S": "new"},
    )
    assert answer["Items"] == [item(1, v={"N": "6"}, x={"S": "new"}, t={"SS": ["a", "b"]})]
    for where in ("p = 'a' AND c = 2", "p = 'a' AND c = 1 AND v = 0"):
        with pytest.raises(AwsError, match="The conditional request failed"):
            run(table, f"UPDATE Music SET v = 1 WHERE {where}")
    with pytest.raises(AwsError, match="Where clause does not contain a mandatory equality on all key attributes"):
        run(table, "UPDATE Music SET v = 1 WHERE p = 'a'")


def test_a_delete_takes_one_item_away(table: Any) -> None:
    insert(table, 1)
    assert run(table, "DELETE FROM Music WHERE p = 'a' AND c = 1 RETURNING ALL OLD *")["Items"] == [item(1)]
    assert run(table, "DELETE FROM Music WHERE p = 'a' AND c = 1") == {"Items": []}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("JUMP", "Statement wasn't well formed, can't be processed: Unexpected token: JUMP"),
        ("SELECT * FROM", "Statement wasn't well formed, can't be processed: Unexpected token: end of statement"),
        ("SELECT * FROM Music WHERE p = ?", "Number of parameters in request and statement don't match."),
    ],
)
def test_what_is_no_statement(table: Any, statement: str, message: str) -> None:
    with pytest.raises(AwsError) as error:
        run(table, statement)
    assert (error.value.code, error.value.message) == ("ValidationException", message)


def test_statements_of_a_batch_fail_each_for_itself(table: Any) -> None:
    insert(table, 1)
    answer = table.batch_execute_statement(
        Statements=[
            {"Statement": "INSERT INTO Music VALUE {'p': 'a', 'c': 1}"},
            {"Statement": "INSERT INTO Music VALUE {'p': 'a', 'c': 2}"},
            {"Statement": "SELECT * FROM Music WHERE p = 'a' AND c = ?", "Parameters": [{"N": "2"}]},
            {"Statement": "SELECT * FROM Nowhere WHERE p = 'a'"},
        ]
    )
    duplicate, made, found, nowhere = answer["Responses"]
    assert duplicate["Error"] == {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"}
    assert made == {"TableName": "Music"}
    assert found == {"TableName": "Music", "Item": item(2)}
    assert nowhere["Error"]["Code"] == "ResourceNotFound"


def test_statements_of_a_transaction_are_done_together_or_not_at_all(table: Any) -> None:
    def together(*statements: str) -> Any:
        return table.execute_transaction(TransactStatements=[{"Statement": each} for each in statements])

    assert together(
        "INSERT INTO Music VALUE {'p': 'a', 'c': 1}",
        "EXISTS(SELECT * FROM Music WHERE p = 'a' AND c = 9 AND v IS MISSING)",
    ) == {"Responses": []}
    with pytest.raises(AwsError) as error:
        together("INSERT INTO Music VALUE {'p': 'a', 'c': 2}", "INSERT INTO Music VALUE {'p': 'a', 'c': 1}")
    codes = [reason["Code"] for reason in error.value.fields["CancellationReasons"]]
    assert codes == ["None", "DuplicateItem"]
    answer = together("SELECT * FROM Music WHERE p = 'a' AND c = 1", "SELECT * FROM Music WHERE p = 'a' AND c = 2")
    assert answer == {"Responses": [{"Item": item(1)}, {}]}
