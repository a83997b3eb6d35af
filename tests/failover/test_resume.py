"""Progress that another process stored is read, or known to be unreadable; it never breaks whoever reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.codec import encode
from failover.model import PROGRESS_VERSION, Progress
from failover.resume import stored_progress


def test_progress_of_this_version_comes_back():
    progress = Progress(phase="shift", wanted=3)
    assert stored_progress(encode(progress)) == progress


def test_progress_from_before_a_field_existed_takes_its_default():
    assert stored_progress({"phase": "healthy"}) == Progress(phase="healthy")


@pytest.mark.parametrize("version", [PROGRESS_VERSION + 1, 0, -1, "2", None])
def test_another_version_is_kept_as_such(version):
    found = stored_progress({"version": version, "phase": "shift", "marks": "of another shape"})
    assert not 1 <= found.version <= PROGRESS_VERSION
    assert found.phase == "shift"


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["version", "phase", "marks"]), inner),
    max_leaves=8,
)


@given(json)
def test_anything_is_progress_or_unreadable(data):
    assert isinstance(stored_progress(data), Progress)
