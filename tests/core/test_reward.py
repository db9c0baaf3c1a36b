"""What counts in the exam: correctness, and by the user's weights what an answer took."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.config import Config, with_setting
from nightschool.errors import UsageError
from nightschool.night.prepare import examiner_of
from nightschool.night.replay import CORRECTNESS, weighed
from nightschool.records import Rollout


class Named:
    name, batch = "model", False


def rollout(reward, tokens=10, seconds=1.0):
    """An attempt."""
    return Rollout(task="t", edit=None, k=0, reward=reward, tokens=tokens, seconds=seconds)


weights = st.dictionaries(st.sampled_from(["correctness", "tokens", "seconds"]), st.floats(0, 1000), min_size=1)
rollouts = st.builds(rollout, st.floats(0, 1), st.integers(0, 10**6), st.floats(0, 1e6))


@given(rollouts, rollouts, weights)
def test_a_reward_is_bounded_and_fair(one, other, counts):
    """Whatever counts, a reward lies in [0, 1], and attempts that are alike get the same."""
    assert 0 <= weighed(one, other, counts) <= 1
    assert weighed(one, one, counts) == weighed(one, one.model_copy(), counts)


@given(rollouts, rollouts)
def test_correctness_alone_is_the_default(one, other):
    """Without weights tokens and seconds change nothing."""
    assert weighed(one, other, CORRECTNESS) == pytest.approx(one.reward)


def test_thrift_counts_only_for_right_answers():
    """Of two right answers the shorter earns more; a short wrong one earns nothing."""
    counts = {"correctness": 1.0, "tokens": 0.5}
    long, short, wrong = rollout(1.0, 300), rollout(1.0, 100), rollout(0.0, 1)

    assert weighed(short, long, counts) == pytest.approx((1 + 0.5 * 0.75) / 1.5)
    assert weighed(short, long, counts) > weighed(long, short, counts)
    assert weighed(wrong, long, counts) == 0.0


def test_weights_are_told_and_named():
    """`correctness=1,tokens=0.2` is understood, other words are not; evidence under other weights is kept apart."""
    config = with_setting(Config(), "exam.reward", "correctness=1,tokens=0.2")

    assert config.exam.reward == {"correctness": 1.0, "tokens": 0.2}
    assert examiner_of(Config(), Named()) == "model"
    assert examiner_of(config, Named()) == "model correctness=1,tokens=0.2"
    with pytest.raises(UsageError):
        with_setting(config, "exam.reward", "beauty=1")
