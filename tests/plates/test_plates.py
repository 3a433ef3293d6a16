"""Which characters are a plate, in which colour, and how it is read and shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.motorists.plates import (
    COLOURS_OF,
    PROVINCES,
    ColourScheme,
    MalformedPlate,
    Plate,
    PlateColour,
    PlateKind,
    code_of,
    colour_from,
    is_unplated,
    kind_of,
    normalise,
    plate_as_seen,
    read_plate,
)
from app.domain.motorists.rules import masked_phone, vehicle_class

SAMPLES = [
    ("浙A12388", "blue", PlateKind.ORDINARY),
    ("浙A12388", "yellow", PlateKind.ORDINARY),
    ("浙AD12345", "green", PlateKind.NEW_ENERGY_SMALL),
    ("浙AFA1234", "green", PlateKind.NEW_ENERGY_SMALL),
    ("浙A12345D", "yellow_green", PlateKind.NEW_ENERGY_LARGE),
    ("浙A1234警", "white", PlateKind.POLICE),
    ("浙OA123警", "white", PlateKind.POLICE),
    ("浙A1234学", "yellow", PlateKind.TRAINING),
    ("浙A1234挂", "yellow", PlateKind.TRAILER),
    ("浙A1234试", "yellow", PlateKind.TEST),
    ("浙A1234超", "white", PlateKind.OVERSIZE),
    ("沪A1234领", "black", PlateKind.CONSULATE),
    ("沪12345领", "black", PlateKind.CONSULATE),
    ("224578使", "black", PlateKind.EMBASSY),
    ("使224578", "black", PlateKind.EMBASSY),
    ("粤ZA123港", "black", PlateKind.HONG_KONG_MACAU),
    ("粤ZA123澳", "black", PlateKind.HONG_KONG_MACAU),
    ("浙A1234应急", "white", PlateKind.EMERGENCY),
    ("WJ浙1234A", "white", PlateKind.ARMED_POLICE),
    ("WJ12345", "white", PlateKind.ARMED_POLICE),
    ("KA12345", "white", PlateKind.MILITARY),
    ("民航A1234", "green", PlateKind.CIVIL_AVIATION),
]


@pytest.mark.parametrize(("characters", "colour", "kind"), SAMPLES)
def test_every_issued_kind_is_read_with_its_colour(characters: str, colour: str, kind: PlateKind) -> None:
    assert read_plate(characters, colour) == Plate(characters, PlateColour(colour), kind)


def test_each_kind_has_a_sample_here_and_colours_of_its_own() -> None:
    assert {kind for *_, kind in SAMPLES} == set(PlateKind) - {PlateKind.UNKNOWN}
    assert set(COLOURS_OF) == set(PlateKind)


@pytest.mark.parametrize(
    "raw", ["", "浙A1234", "浙A123456789", "浙I12345", "A12345", "浙AL12345", "沪A12345A7", "无牌车"]
)
def test_what_is_never_issued_is_refused(raw: str) -> None:
    with pytest.raises(MalformedPlate) as refused:
        read_plate(raw, "blue")
    assert refused.value.details == {"reason": "unknown_form"}


@pytest.mark.parametrize(("raw", "colour"), [("浙AD12345", "blue"), ("浙A12388", "green"), ("浙A12345D", "green")])
def test_a_colour_that_the_kind_never_has_is_refused_without_telling_the_plate(raw: str, colour: str) -> None:
    with pytest.raises(MalformedPlate) as refused:
        read_plate(raw, colour)
    assert refused.value.details == {"reason": "colour_does_not_fit"}
    assert refused.value.code == "plate_malformed"


def test_a_colour_that_nobody_knows_is_refused() -> None:
    with pytest.raises(MalformedPlate) as refused:
        read_plate("浙A12388", "pink")
    assert refused.value.details == {"reason": "unknown_colour"}


@pytest.mark.parametrize(
    ("raw", "characters"),
    [
        ("浙A·12388", "浙A12388"),
        ("浙 a-o1i88", "浙A01188"),
        ("浙Ａ１２３８８", "浙A12388"),
        ("浙OA1O3警", "浙OA103警"),
        ("浙A•D1.2345", "浙AD12345"),
        ("2245I8使", "224518使"),
        ("使O24518", "使024518"),
    ],
)
def test_separators_widths_and_lookalikes_of_the_serial_part_are_normalised(raw: str, characters: str) -> None:
    assert normalise(raw) == characters


serials = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=5, max_size=5)
letters = st.sampled_from("ABCDEFGHJKLMNPQRSTUVWXYZ")


@given(st.sampled_from(PROVINCES), letters, serials, st.sampled_from(["", "·", " ", "-", "•"]))
def test_an_ordinary_plate_survives_any_separator_and_case(province: str, letter: str, serial: str, dot: str) -> None:
    typed = f"{province}{letter}{dot}{serial}".lower().replace("0", "o")
    assert read_plate(typed, "blue").characters == f"{province}{letter}{serial}"


@given(st.text(alphabet=st.characters(codec="gb2312")))
def test_normalising_twice_changes_nothing(raw: str) -> None:
    assert normalise(normalise(raw)) == normalise(raw)


@given(st.text(max_size=12), st.sampled_from(PlateColour))
def test_a_gate_reads_anything_and_a_masked_plate_never_tells_the_whole(raw: str, colour: PlateColour) -> None:
    seen = plate_as_seen(raw, colour)
    assert seen.kind is kind_of(seen.characters)
    hidden = max(len(seen.characters) - 4, 1) if seen.characters else 0
    assert seen.masked().count("*") >= hidden
    assert repr(seen) == f"Plate({seen.kind}, {colour})"


def test_a_masked_plate_shows_where_it_is_from_and_its_end() -> None:
    assert read_plate("京A12388", "blue").masked() == "京A·***88"
    assert read_plate("浙AD12345", "green").masked() == "浙A·****45"
    assert plate_as_seen("浙A123", PlateColour.OTHER).masked() == "浙A·*23"
    assert plate_as_seen("浙A12", PlateColour.OTHER).masked() == "****"


@pytest.mark.parametrize("raw", ["", "_无_", "无牌车", "无A123456", " "])
def test_a_car_without_a_plate_is_recognised(raw: str) -> None:
    assert is_unplated(raw)
    assert not is_unplated("浙A12388")


def test_vendors_colour_codes_are_told_apart() -> None:
    assert colour_from(ColourScheme.VZENITH, 4) is PlateColour.BLACK
    assert colour_from(ColourScheme.TOLL, 4) is PlateColour.GREEN
    assert colour_from(ColourScheme.HANGZHOU, "6") is PlateColour.OTHER
    assert colour_from(ColourScheme.NAMED, "Blue") is PlateColour.BLUE
    assert colour_from(ColourScheme.NAMED, "unknown") is PlateColour.OTHER
    assert code_of(ColourScheme.HANGZHOU, PlateColour.YELLOW_GREEN) == "5"
    assert code_of(ColourScheme.VZENITH, PlateColour.BLACK) == "4"


@given(st.sampled_from(ColourScheme), st.sampled_from(PlateColour))
def test_a_colour_comes_back_from_the_code_it_was_sent_as(scheme: ColourScheme, colour: PlateColour) -> None:
    lossy = scheme is ColourScheme.HANGZHOU and colour is PlateColour.YELLOW_GREEN
    assert colour_from(scheme, code_of(scheme, colour)) is (PlateColour.GREEN if lossy else colour)


def test_a_yellow_plate_is_a_large_vehicle() -> None:
    assert vehicle_class(read_plate("浙A12388", "yellow")) == "large"
    assert vehicle_class(read_plate("浙A12388", "blue")) == "small"


def test_a_phone_is_shown_by_its_ends() -> None:
    assert masked_phone("13812345678") == "138****5678"
    assert masked_phone("057112345") == "****2345"
