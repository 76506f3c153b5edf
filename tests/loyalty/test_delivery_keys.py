"""One delivery's identity: ids are unsigned headers, and one used on another body must not swallow the real one."""

from hypothesis import assume, given
from hypothesis import strategies as st

from app.loyalty.inbox import delivery_key

PARTS = st.tuples(st.text(alphabet="ab", max_size=3), st.text(alphabet="ab", max_size=3), st.binary(max_size=3))


@given(PARTS, PARTS)
def test_topic_id_and_body_are_told_apart(one, other):
    assume(one != other)
    assert delivery_key(*one) != delivery_key(*other)


def test_the_same_delivery_has_the_same_key():
    assert delivery_key("orders/paid", "w-1", b"{}") == delivery_key("orders/paid", "w-1", b"{}")


def test_a_header_that_is_no_text_has_a_key_too():
    assert delivery_key("orders/paid", "\udcff", b"{}")
