"""Resource marks, names and what remembers being read."""

import types

import pytest

from stratolite.kernel.resources import Made, NotReady, Properties, Wanted, marked, resource


def wanted(stack: str = "shop", logical: str = "Orders", token: str = "t1") -> Wanted:
    return Wanted("AWS::SQS::Queue", logical, Properties(), stack, f"arn:{stack}", token)


@resource("AWS::Test::Thing", replaces={"Name"}, ignores={"Colour"})
class Thing:
    @staticmethod
    def create(call: object, wanted: Wanted) -> Made:
        return Made("thing", {"Arn": "arn"})

    def update(call: object, made_id: str, wanted: Wanted, was: dict) -> Made:
        return Made(made_id)

    @staticmethod
    def delete(call: object, made_id: str, properties: dict) -> None: ...


def test_a_module_gives_the_types_it_marks_with_or_without_staticmethod():
    module = types.ModuleType("resources")
    module.Thing = Thing  # type: ignore[attr-defined]
    module.other = 1  # type: ignore[attr-defined]
    (found,) = marked(module)
    assert found.name == "AWS::Test::Thing"
    assert found.create(None, wanted()).ref == "thing"
    assert found.update is not None and found.update(None, "x", wanted(), {}).ref == "x"


def test_a_type_without_delete_is_refused_when_it_is_marked():
    with pytest.raises(TypeError, match="no delete"):
        resource("AWS::Test::Half")(type("Half", (), {"create": staticmethod(lambda call, wanted: None)}))


def test_only_the_properties_that_cannot_change_replace_the_resource():
    found = marked(types.SimpleNamespace(Thing=Thing))[0]  # type: ignore[arg-type]
    assert found.needs_replacement(["Name", "Size"])
    assert not found.needs_replacement(["Size"])
    assert not found.needs_replacement([])


def test_a_type_without_update_is_replaced_by_every_change():
    cls = resource("AWS::Test::Fixed")(
        type("Fixed", (), {"create": lambda call, wanted: None, "delete": lambda call, made_id, properties: None})
    )
    assert marked(types.SimpleNamespace(Fixed=cls))[0].needs_replacement(["Anything"])  # type: ignore[arg-type]


def test_a_made_name_is_stack_logical_and_twelve_characters_and_stays_for_the_step():
    name = wanted().physical_name(80)
    stack, logical, chance = name.split("-")
    assert (stack, logical, len(chance)) == ("shop", "Orders", 12)
    assert name == wanted().physical_name(80)
    assert name != wanted(token="t2").physical_name(80)


def test_a_made_name_keeps_its_length_its_suffix_and_its_case():
    long = wanted("a" * 100, "b" * 100)
    assert len(long.physical_name(64)) == 64
    assert wanted("a" * 100, "Short").physical_name(64).split("-")[1] == "Short"
    assert (
        long.physical_name(80, suffix=".fifo").endswith(".fifo") and len(long.physical_name(80, suffix=".fifo")) == 80
    )
    assert wanted(logical="ABC").physical_name(63, lower=True).islower()


def test_properties_tell_what_nobody_read():
    properties = Properties({"QueueName": "a", "Tags": [], "Colour": 1, "Shape": 2})
    assert properties.get("QueueName") == "a" and "Tags" in properties
    assert properties.unread(ignores={"Colour"}) == ["Shape"]
    assert {**properties} == {"QueueName": "a", "Tags": [], "Colour": 1, "Shape": 2}
    assert properties.unread() == []


def test_not_ready_carries_what_is_made_already():
    assert NotReady(0.5, Made("id")).made == Made("id")
