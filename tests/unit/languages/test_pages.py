"""Pages go on where the last one ended, whatever came or went meanwhile."""

from __future__ import annotations

import pytest

from stratolite.languages import pages


def test_a_list_is_read_page_by_page_either_way() -> None:
    for descending in (False, True):
        items, found, token = sorted(range(7), reverse=descending), [], None
        while True:
            page, token = pages.paged(items, 3, token, lambda n: [n], descending)
            found += page
            if token is None:
                break
        assert found == items


def test_the_place_stays_right_when_items_come_and_go() -> None:
    first, token = pages.paged(["b", "d", "f"], 2, None, str)
    assert first == ["b", "d"]
    assert pages.paged(["a", "e", "f"], 2, token, str) == (["e", "f"], None)


@pytest.mark.parametrize("token", ["nonsense", "", "e30=", "MQ==", "WyJhIl0="])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(pages.BadToken):
        pages.paged([1, 2], 1, token, lambda n: [n])
