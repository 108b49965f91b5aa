"""Upload: refused as often as need be, completed once; and which addresses are permanent ones."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assets import permanent
from domain.upload import (
    BYTES_MAX,
    REJECTIONS_MAX,
    SETTLING_S,
    Kept,
    Rejection,
    Upload,
    UploadBegun,
    UploadCompleted,
    UploadFetched,
    UploadRejected,
    UploadRejectedOnce,
    stall_timeout_s,
)
from tests.spec import Given

BASE = "https://assets.example/mega"
KEPT = Kept(f"{BASE}/uploads/5e.png", "5e", "image/png", 7, 2, 3)
OTHER = Kept(f"{BASE}/uploads/0f.png", "0f", "image/png", 7, 2, 3)
DONE = UploadCompleted(upload_id="u", **asdict(KEPT))
FETCHED = UploadFetched(upload_id="u", pass_id="p", purpose="logo", source="http://a.example")


def begun(content_type: str = "image/png", size: int = 7) -> UploadBegun:
    return UploadBegun(
        upload_id="u",
        pass_id="p",
        purpose="product",
        content_type=content_type,
        bytes=size,
        staging_key="staging/u",
        expires_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def refused(number: int = 1) -> UploadRejectedOnce:
    return UploadRejectedOnce(upload_id="u", reason="no_picture", sha256=str(number))


def test_an_upload_is_begun_once():
    Given(Upload()).when(lambda upload: upload.begin(begun())).then(begun())


@pytest.mark.parametrize(
    ("content_type", "size"),
    [("image/gif", 7), ("image/png", 0), ("image/png", BYTES_MAX + 1)],
)
def test_what_cannot_be_taken_is_not_begun(content_type, size):
    with pytest.raises(UploadRejected):
        Upload().begin(begun(content_type, size))


def test_a_refused_upload_may_be_completed_and_then_never_changes():
    upload = Given(Upload(), begun(), refused())
    upload.when(lambda u: u.complete("u", KEPT)).then(DONE)
    done = Given(Upload(), begun(), refused(), DONE).is_now()
    assert done.kept == KEPT
    assert done.complete("u", OTHER) == []
    assert done.reject("u", Rejection("no_picture", "2")) == []


def test_the_same_file_is_refused_once_and_a_missing_one_never():
    once = Given(Upload(), begun())
    once.when(lambda u: u.reject("u", Rejection("no_picture", "1"))).then(refused())
    assert once.is_now().reject("u", Rejection("missing")) == []


def test_refusals_end():
    many = Given(Upload(), begun(), *map(refused, range(REJECTIONS_MAX))).is_now()
    assert many.spent
    assert many.reject("u", Rejection("no_picture", "another")) == []


def test_what_the_server_fetched_is_completed_with_it():
    Given(Upload()).when(lambda upload: upload.fetch(FETCHED, KEPT)).then(FETCHED, DONE)


@given(st.integers(0, BYTES_MAX), st.integers(0, BYTES_MAX))
def test_a_larger_file_has_more_time_up_to_that_of_25_mb(one, other):
    small, large = sorted((one, other))
    assert SETTLING_S <= stall_timeout_s(small) <= stall_timeout_s(large)
    assert 0 <= (stall_timeout_s(large) - SETTLING_S) * 750_000 - large * 8 < 750_000


def test_no_file_has_more_time_than_one_of_25_mb():
    assert stall_timeout_s(BYTES_MAX) == stall_timeout_s(10**12) == 295


key = st.from_regex(
    r"[a-z0-9][A-Za-z0-9._-]{0,20}(/[a-z0-9][A-Za-z0-9._-]{0,20}){0,3}", fullmatch=True
)


@given(key.filter(lambda key: "x-amz-" not in key.lower() and "x-tos-" not in key.lower()))
def test_a_plain_key_under_our_base_is_permanent_unless_it_waits_to_be_checked(key):
    assert permanent(f"{BASE}/{key}", BASE) is not key.lower().startswith("staging/")


@given(
    key,
    st.sampled_from(["?a=b", "?X-Amz-Signature=1", "?token=1", "#a", "%2e", "/", "/../a", "\n"]),
)
def test_nothing_may_follow_the_key(key, tail):
    assert not permanent(f"{BASE}/{key}{tail}", BASE)


@pytest.mark.parametrize(
    "url",
    [
        "",
        BASE,
        f"{BASE}/",
        "https://assets.example/a.png",
        "https://assets.example/other/a.png",
        "https://assets.example/mega2/a.png",
        "http://assets.example/mega/a.png",
        "HTTPS://ASSETS.EXAMPLE/mega/a.png",
        "https://assets.example:443/mega/a.png",
        "https://assets.example@evil.example/mega/a.png",
        "https://ada@assets.example/mega/a.png",
        "https://assets.example.evil.example/mega/a.png",
        f" {BASE}/a.png",
        f"{BASE}/../a.png",
        f"{BASE}/a/../b.png",
        f"{BASE}//a.png",
        f"{BASE}/staging/u",
        f"{BASE}/STAGING/u",
        f"{BASE}/Expires=1/a.png",
        f"{BASE}/x-amz-a/a.png",
        f"{BASE}/X-Tos-Date/a.png",
        f"{BASE}/a\\b.png",
        f"{BASE}/" + "a" * 513,
    ],
)
def test_a_foreign_signed_or_passing_address_is_not_permanent(url):
    assert not permanent(url, BASE)


@given(st.text(), st.text())
def test_no_text_around_our_base_makes_it_another_hosts(before, after):
    url = f"{before}{BASE}{after}"
    if permanent(url, BASE):
        assert url.startswith(f"{BASE}/") and "@" not in url and ".." not in url.split("/")
