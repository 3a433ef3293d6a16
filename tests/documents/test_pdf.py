"""Papers as PDF: Chinese that every machine shows, nothing lost unseen, the same paper the same bytes."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.documents import Paper, Table, rendered
from app.adapters.documents.typeface import MISSING, drawable

PAPER = Paper(
    title="非税收入统一票据（电子）",
    numbers=[("票据号码", "0000000001")],
    fields=[("交款人", "个人")],
    table=Table(["项目", "金额"], [["停车服务 浙A12345", "12.50"]], ["left", "right"], [3, 1]),
    totals=[("金额合计（大写）", "壹拾贰元伍角整")],
    remark="示例",
    qr="0000000001,12.50",
    stamp="已冲红",
)


def test_a_paper_is_a_pdf_with_its_own_font_in_it_and_small() -> None:
    made = rendered(PAPER)
    assert made.startswith(b"%PDF-")
    assert b"/FontFile2" in made
    assert re.search(rb"/FontName /[A-Z]{6}\+NotoSansSC", made)
    assert len(made) < 60_000


@pytest.mark.parametrize("numbered", [True, False])
def test_a_paper_names_no_font_that_is_not_in_it(numbered: bool) -> None:
    made = rendered(replace(PAPER, numbered=numbered))
    assert set(re.findall(rb"/BaseFont /(\S+)", made)) == {b"AAAAAA+NotoSansSC-Regular"}


def test_the_same_paper_gives_the_same_bytes_and_tells_nothing_of_its_making() -> None:
    assert rendered(PAPER) == rendered(PAPER)
    assert b"root" not in rendered(PAPER)


def test_the_letters_of_the_city_are_all_there() -> None:
    words = "杭州市上城拱墅西湖滨江萧山余杭富阳临安临平钱塘桐庐淳安建德浙A·12345￥（）；："
    words += "零壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分整"
    assert drawable(words) == words


@pytest.mark.parametrize("rare", ["\U00020000", "😀", "龘"])
def test_a_character_that_the_font_lacks_is_shown_as_a_box(rare: str) -> None:
    assert drawable(f"浙{rare}A") == f"浙{MISSING}A"


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=80))
def test_whatever_a_title_says_it_can_be_printed(words: str) -> None:
    made = Paper(words, [(words, words)], [(words, words)], Table([words], [[words]], ["left"], [1]), [(words, words)])
    assert rendered(made).startswith(b"%PDF-")


def test_a_long_table_goes_on_over_pages() -> None:
    rows = [[f"第{number}次停车", "1.00"] for number in range(120)]
    made = rendered(Paper("票据", [], [], Table(["项目", "金额"], rows, ["left", "right"], [3, 1]), []))
    assert len(re.findall(rb"/Type /Page\b", made)) > 2
