"""Number plates (号牌): what kinds exist, how a reading becomes one, and what the vendors call their colours.

A vehicle is known by characters and colour together: the same characters may exist on a blue and a yellow plate.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.kernel.refusals import Invalid

PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_P: Final = f"[{PROVINCES}]"
_S: Final = "[A-HJ-NP-Z0-9]"


class PlateColour(StrEnum):
    """The ground colour; `other` is every colour that no vendor names, and a colour that was not seen."""

    BLUE = "blue"
    YELLOW = "yellow"
    WHITE = "white"
    BLACK = "black"
    GREEN = "green"
    YELLOW_GREEN = "yellow_green"
    OTHER = "other"


class PlateKind(StrEnum):
    """The kinds of GA 36-2018 and its relatives; `unknown` is kept for what a camera saw and no rule knows."""

    ORDINARY = "ordinary"
    NEW_ENERGY_SMALL = "new_energy_small"
    NEW_ENERGY_LARGE = "new_energy_large"
    POLICE = "police"
    TRAINING = "training"
    TRAILER = "trailer"
    TEST = "test"
    OVERSIZE = "oversize"
    CONSULATE = "consulate"
    EMBASSY = "embassy"
    HONG_KONG_MACAU = "hong_kong_macau"
    EMERGENCY = "emergency"
    ARMED_POLICE = "armed_police"
    MILITARY = "military"
    CIVIL_AVIATION = "civil_aviation"
    UNKNOWN = "unknown"


class MalformedPlate(Invalid):
    """The characters are no plate, or no plate of this kind has this colour; details: `reason`, never the plate."""

    code = "plate_malformed"
    message = "车牌号码或颜色有误，请核对后重新填写"


def _suffixed(suffix: str) -> str:
    return f"{_P}[A-HJ-NP-ZO]{_S}{{4}}{suffix}"


_FORMS: Final[Mapping[PlateKind, re.Pattern[str]]] = MappingProxyType(
    {
        kind: re.compile(pattern)
        for kind, pattern in (
            (PlateKind.ORDINARY, f"{_P}[A-HJ-NP-Z]{_S}{{5}}"),
            (PlateKind.NEW_ENERGY_SMALL, f"{_P}[A-HJ-NP-Z][A-HJK]{_S}[0-9]{{4}}"),
            (PlateKind.NEW_ENERGY_LARGE, f"{_P}[A-HJ-NP-Z][0-9]{{5}}[A-HJK]"),
            (PlateKind.POLICE, _suffixed("警")),
            (PlateKind.TRAINING, _suffixed("学")),
            (PlateKind.TRAILER, _suffixed("挂")),
            (PlateKind.TEST, _suffixed("试")),
            (PlateKind.OVERSIZE, _suffixed("超")),
            (PlateKind.CONSULATE, f"{_suffixed('领')}|{_P}?[0-9]{{4,6}}领"),
            (PlateKind.EMBASSY, "使[0-9]{6}|[0-9]{6}使"),
            (PlateKind.HONG_KONG_MACAU, f"粤Z{_S}{{4}}[港澳]"),
            (PlateKind.EMERGENCY, f"{_P}[A-HJ-NP-Z]{_S}{{4}}应急"),
            (PlateKind.ARMED_POLICE, f"WJ{_P}?[0-9]{{4}}{_S}"),
            (PlateKind.MILITARY, "[A-Z]{2}[0-9]{5}"),
            (PlateKind.CIVIL_AVIATION, f"民航{_S}{{5}}"),
        )
    }
)

_B, _Y, _W, _K, _G, _O = (
    PlateColour.BLUE,
    PlateColour.YELLOW,
    PlateColour.WHITE,
    PlateColour.BLACK,
    PlateColour.GREEN,
    PlateColour.OTHER,
)
COLOURS_OF: Final[Mapping[PlateKind, frozenset[PlateColour]]] = MappingProxyType(
    {
        PlateKind.ORDINARY: frozenset({_B, _Y, _W, _K}),
        PlateKind.NEW_ENERGY_SMALL: frozenset({_G}),
        PlateKind.NEW_ENERGY_LARGE: frozenset({PlateColour.YELLOW_GREEN}),
        PlateKind.POLICE: frozenset({_W}),
        PlateKind.TRAINING: frozenset({_Y}),
        PlateKind.TRAILER: frozenset({_Y}),
        PlateKind.TEST: frozenset({_Y, _W, _B, _O}),
        PlateKind.OVERSIZE: frozenset({_Y, _W, _O}),
        PlateKind.CONSULATE: frozenset({_K, _W}),
        PlateKind.EMBASSY: frozenset({_K, _W}),
        PlateKind.HONG_KONG_MACAU: frozenset({_K}),
        PlateKind.EMERGENCY: frozenset({_W, _O}),
        PlateKind.ARMED_POLICE: frozenset({_W}),
        PlateKind.MILITARY: frozenset({_W}),
        PlateKind.CIVIL_AVIATION: frozenset({_G, _O}),
        PlateKind.UNKNOWN: frozenset(PlateColour),
    }
)


@dataclass(frozen=True)
class Plate:
    """A plate: its characters as issued, without separators, and its colour."""

    characters: str
    colour: PlateColour
    kind: PlateKind

    def masked(self) -> str:
        """For display: `浙A12388` -> `浙A·***88`; what is too short to hide something is hidden wholly."""
        hidden = len(self.characters) - 4
        if hidden < 1:
            return "*" * len(self.characters)
        return f"{self.characters[:2]}·{'*' * hidden}{self.characters[-2:]}"

    def __repr__(self) -> str:
        """Without the characters, so that a log or a traceback never tells them."""
        return f"Plate({self.kind}, {self.colour})"


_SEPARATORS: Final = re.compile(r"[\s·•‧・.\-\u0300-\u036f]")
_LOOKALIKES: Final = str.maketrans("OI", "01")


def normalise(raw: str) -> str:
    """The characters as issued: one width, upper case, no separators, O and I read as 0 and 1 in the serial part.

    Lossless, since the letters I and O are never issued there.
    """
    characters = _SEPARATORS.sub("", unicodedata.normalize("NFKC", raw).upper())
    head = _head_length(characters)
    return characters[:head] + characters[head:].translate(_LOOKALIKES)


def _head_length(characters: str) -> int:
    """How many leading characters are not serial: province and letter, WJ, 民航, a military pair, or the one 使."""
    if characters.endswith("使"):
        return 0
    return 1 if characters.startswith("使") else 2


def kind_of(characters: str) -> PlateKind:
    """The kind that normalised characters have the form of."""
    for kind, form in _FORMS.items():
        if form.fullmatch(characters):
            return kind
    return PlateKind.UNKNOWN


def read_plate(raw: str, colour: str) -> Plate:
    """The plate that a person typed; raises MalformedPlate when no such plate is issued in this colour."""
    if colour not in set(PlateColour):
        raise MalformedPlate(reason="unknown_colour")
    plate = plate_as_seen(raw, PlateColour(colour))
    if plate.kind is PlateKind.UNKNOWN:
        raise MalformedPlate(reason="unknown_form")
    if plate.colour not in COLOURS_OF[plate.kind]:
        raise MalformedPlate(reason="colour_does_not_fit")
    return plate


def plate_as_seen(raw: str, colour: PlateColour) -> Plate:
    """The plate that a camera saw, whatever it is: a gate never turns a car away for its form."""
    characters = normalise(raw)
    return Plate(characters, colour, kind_of(characters))


_UNPLATED: Final = frozenset({"", "_无_", "无牌车", "无牌"})


def is_unplated(raw: str) -> bool:
    """Whether a camera tells that it saw a car without a plate; `无A123456` is the number such a car is given."""
    characters = normalise(raw)
    return characters in _UNPLATED or re.fullmatch(r"无[A-Z][0-9]+", characters) is not None


class ColourScheme(StrEnum):
    """Whose colour codes are spoken."""

    VZENITH = "vzenith"
    HANGZHOU = "hangzhou"
    TOLL = "toll"
    NAMED = "named"


_Codes = Mapping[str, PlateColour]
_CAMERA: Final[_Codes] = {"1": _B, "2": _Y, "3": _W, "4": _K, "5": _G}
_CROSSWALK: Final[Mapping[ColourScheme, _Codes]] = MappingProxyType(
    {
        ColourScheme.VZENITH: {**_CAMERA, "6": PlateColour.YELLOW_GREEN, "7": _K},
        ColourScheme.HANGZHOU: _CAMERA,
        ColourScheme.TOLL: {
            "0": _B,
            "1": _Y,
            "2": _K,
            "3": _W,
            "4": _G,
            "5": PlateColour.YELLOW_GREEN,
            "11": _G,
        },
        ColourScheme.NAMED: {str(colour): colour for colour in PlateColour},
    }
)
_NONE: Final[Mapping[ColourScheme, str]] = MappingProxyType(
    {ColourScheme.VZENITH: "0", ColourScheme.HANGZHOU: "-1", ColourScheme.TOLL: "6", ColourScheme.NAMED: "unknown"}
)


def colour_from(scheme: ColourScheme, code: str | int) -> PlateColour:
    """The colour that a vendor's code means; a code that names none of ours is `other`."""
    return _CROSSWALK[scheme].get(str(code).strip().lower(), _O)


def code_of(scheme: ColourScheme, colour: PlateColour) -> str:
    """The code that a vendor has for a colour; Hangzhou's has none for yellow-green and is sent green."""
    if scheme is ColourScheme.HANGZHOU and colour is PlateColour.YELLOW_GREEN:
        return "5"
    return next((code for code, meant in _CROSSWALK[scheme].items() if meant is colour), _NONE[scheme])
