"""CIDs equal to those of two libraries that make kubo's (aleph-cid, ipfs-unixfs-importer)."""

from __future__ import annotations

import pytest

from consumers.gateways.cid import LEAF_BYTES, cid_of

PERIOD = bytes((number * 31 + 7) % 251 for number in range(251))


def content(size: int) -> bytes:
    return (PERIOD * (size // len(PERIOD) + 1))[:size]


@pytest.mark.parametrize(
    ("size", "cid"),
    [
        (0, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
        (LEAF_BYTES, "bafkreieiuj5mzeuqor24l4lmo2yumm6665yv4gq7ozzp2nrfmqrjyboosy"),
        (LEAF_BYTES + 1, "bafybeich6cqd6yabw3cku6edwmz4rvwe275nx2l6ootvc2bpbt5bdvarua"),
        (2 * LEAF_BYTES, "bafybeid5sthfzhlnifk5fvivasemgw2rzzfdp54rapknx7eaz5j4yoae3i"),
        (4 * LEAF_BYTES, "bafybeihui4agg3d5vku5qnjg6luskvvue7twfha5k4uw4mowbowx4i6uke"),
        (174 * LEAF_BYTES, "bafybeiafkae3md3zfgdgpk2ztpkul5dzotu4bgbnvuinadceqrqa2rz7bi"),
        (175 * LEAF_BYTES + 1, "bafybeigocvavqk6fjj3hdfftxebflwsciip6fla6hjxuomfbmei2gxkkdi"),
    ],
)
def test_a_file_of_one_leaf_of_several_and_of_two_levels(size, cid):
    assert cid_of(content(size)) == cid


def test_a_word_has_the_cid_that_everybody_knows():
    assert cid_of(b"hello") == "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"
