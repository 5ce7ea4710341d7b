"""Labels of one region under anyone's spelling, and labels that only look alike."""

from __future__ import annotations

import pytest

from gx2c.errors import UserError
from gx2c.importing.labels import make_names, match_names, numbered_names, parse_label

SAME = [
    ("7Networks_LH_Vis_1", "LH_Vis_1"),
    ("lh_bankssts", "L_bankssts"),
    ("ctx-lh-superiorfrontal", "L_superiorfrontal"),
    ("ctx_rh_insula", "R.insula"),
    ("Left-Thalamus-Proper", "Lthal"),
    ("Left-Accumbens-area", "Laccumb"),
    ("Right-Hippocampus", "hippocampus_R"),
    ("thalamusproper-lh", "L_thalamus"),
    ("L_V1_ROI", "V1_L"),
    ("right caudate", "Rcaud"),
    ("amygdala (left)", "Lamyg"),
    ("'RH_Default_1'", "7Networks_RH_Default_1"),
    ("Superior Frontal_L", "lh.superior-frontal"),
    ("Brain-Stem", "brainstem"),
    ("1.0", "1"),
]
DIFFERENT = [
    ("L_V1", "R_V1"),
    ("LH_Default_1_1", "LH_Default_11"),
    ("L_insula", "insula"),
    ("Lingual_L", "ingual_L"),
    ("LH-GPe", "LH-GPi"),
    ("L_p24", "L_p24pr"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_region(one: str, other: str) -> None:
    assert parse_label(one).key == parse_label(other).key


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_other_regions_stay_others(one: str, other: str) -> None:
    assert parse_label(one).key != parse_label(other).key


@pytest.mark.parametrize("scheme", ["7", "17"])
def test_schemes_are_told(scheme: str) -> None:
    assert parse_label(f"{scheme}Networks_LH_Vis_1").scheme == scheme


def test_matching_is_by_name_and_says_what_is_left_out() -> None:
    wanted = make_names("a", [["L_x", "L_y", "R_x"]])
    found = make_names("b", [["rh_x", "lh_z", "lh_x"]])
    match = match_names(wanted, found)
    assert match.places == (2, None, 0) and match.left_out == ("lh_z",)


def test_a_name_that_two_regions_share_leads_nowhere() -> None:
    wanted = make_names("a", [["insula", "L_insula"]])
    found = make_names("b", [["insula", "insula", "lh-insula"]])
    assert match_names(wanted, found).places == (None, 2)


def test_sides_of_a_table_tell_repeated_labels_apart() -> None:
    found = make_names("b", [["insula", "insula"]], ["L", "R"])
    assert match_names(make_names("a", [["R_insula"]]), found).places == (1,)


def test_numbers_behind_one_prefix_are_ids() -> None:
    names = numbered_names("x", ["dseg_1", "dseg_2", "dseg_10"])
    assert names is not None and names.shown == ("1", "2", "10")
    assert numbered_names("x", ["LH_Vis_1", "LH_Som_1"]) is None


def test_a_finer_parcellation_is_refused() -> None:
    coarse = make_names("a", [[f"LH_{net}_{i}" for net in "AB" for i in range(1, 5)]])
    finer = make_names("b", [[f"LH_{net}_{i}" for net in "AB" for i in range(1, 9)]])
    with pytest.raises(UserError, match="b has 16 regions of another parcellation than the 8 of a"):
        match_names(coarse, finer)
    with pytest.raises(UserError, match="a has labels of 7 networks and b of 17"):
        match_names(
            make_names("a", [["7Networks_LH_Vis_1"]]), make_names("b", [["17Networks_LH_Vis_1"]])
        )
