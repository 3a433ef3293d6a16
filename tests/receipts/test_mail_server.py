"""Our client of SMTP against a server on a socket: TLS or nothing, and every answer understood."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.mail import Attachment, Letter, MailServer, NotNow, Outcome, Refused, Taken, is_address
from app.adapters.mail.letter import on_the_wire
from app.adapters.outbound import Reach
from launcher.ports import free_ports
from simulators.mail.keys import MailKeys
from tests.receipts.post import PostOffice, post_office

TO = "caiwu@example.com.cn"
KEY = uuid.UUID("0197b5c8-0000-7000-8000-00000000abcd")
LETTER = Letter(
    KEY, TO, "停车财政电子票据（1张）", "您好：\n.见附件\n..\n", datetime(2026, 6, 10, 12, tzinfo=UTC),
    [Attachment("fiscal_ebill-1.pdf", b"%PDF-1.7\r\n.\r\n" + bytes(range(256)) * 50)],
)  # fmt: skip


@pytest.fixture
def office(running_post: PostOffice) -> PostOffice:
    running_post.calm()
    return running_post


def test_a_letter_arrives_as_it_was_written(office: PostOffice) -> None:
    assert office.server().send(LETTER) == Taken()
    [shown] = office.letters()
    assert (shown["sender"], shown["to"], shown["tls"][:3]) == (office.account.sender, [TO], "TLS")
    read = office.opened(shown["number"])
    assert (read["Subject"], read["To"], read["Auto-Submitted"]) == (LETTER.subject, TO, "auto-generated")
    assert read["Message-ID"] == f"<{KEY.hex}@gongbo.example>"
    assert read["Date"].datetime == LETTER.written_at
    body = read.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == LETTER.text.splitlines()
    assert [each.get_content() for each in read.iter_attachments()] == [LETTER.attachments[0].content]


def test_tls_from_the_first_byte_does_as_well(environment: Mapping[str, str], tmp_path: Path) -> None:
    with post_office(environment["CLOCK_FILE"], tmp_path, "tls") as office:
        assert office.server().send(LETTER) == Taken()
        assert office.server(security="starttls").send(LETTER) == NotNow(None, for_all=True)
        assert [each["to"] for each in office.letters()] == [[TO]]


def test_a_certificate_of_another_authority_is_not_believed(office: PostOffice, tmp_path: Path) -> None:
    another = Path(MailKeys.at(tmp_path).environment()["SMTP_CA_FILE"])
    server = office.server(ca_file=another)
    assert server.send(LETTER) == NotNow(None, for_all=True, misconfigured=True)
    assert office.letters() == []


def test_a_certificate_of_another_name_is_not_believed(office: PostOffice) -> None:
    server = office.server(host="localhost")
    assert server.send(LETTER) == NotNow(None, for_all=True, misconfigured=True)
    assert office.letters() == []


def test_nothing_is_said_to_a_server_without_starttls(office: PostOffice) -> None:
    office.ask("POST", "/control/starttls", {"offered": False})
    assert office.server().send(LETTER) == NotNow(None, for_all=True, misconfigured=True)
    assert office.letters() == []


def test_a_server_out_of_reach_is_not_called(office: PostOffice) -> None:
    unreachable = MailServer(office.account, Reach(loopback=False))
    assert unreachable.send(LETTER) == NotNow(None, for_all=True, misconfigured=True)


def test_nobody_there_is_not_now(office: PostOffice) -> None:
    assert office.server(port=free_ports(1)[0]).send(LETTER) == NotNow(None, for_all=True)


def test_a_wrong_password_is_ours_to_mend(office: PostOffice) -> None:
    refused = office.server(password="another").send(LETTER)
    assert refused == NotNow(535, for_all=True, misconfigured=True)


OURS = {"for_all": True, "misconfigured": True}


@pytest.mark.parametrize(
    ("kind", "stage", "code", "outcome"),
    [
        ("defer", "connect", 421, NotNow(421, for_all=True)),
        ("reject", "connect", 554, NotNow(554, **OURS)),
        ("hang_up", "connect", 0, NotNow(None, for_all=True)),
        ("garble", "connect", 0, NotNow(None, for_all=True)),
        ("defer", "auth", 454, NotNow(454, for_all=True)),
        ("hang_up", "auth", 0, NotNow(None, for_all=True)),
        ("defer", "mail", 451, NotNow(451, for_all=True)),
        ("reject", "mail", 550, NotNow(550, **OURS)),
        ("reject", "mail", 552, Refused(552)),
        ("defer", "rcpt", 450, NotNow(450, for_all=False)),
        ("defer", "rcpt", 421, NotNow(421, for_all=True)),
        ("reject", "rcpt", 550, Refused(550)),
        ("reject", "rcpt", 530, NotNow(530, **OURS)),
        ("reject", "data", 503, NotNow(503, **OURS)),
        ("reject", "letter", 535, NotNow(535, **OURS)),
        ("hang_up", "rcpt", 0, NotNow(None, for_all=True)),
        ("garble", "rcpt", 0, NotNow(None, for_all=False)),
        ("defer", "data", 451, NotNow(451, for_all=False)),
        ("reject", "data", 554, Refused(554)),
        ("defer", "letter", 452, NotNow(452, for_all=False)),
        ("reject", "letter", 554, Refused(554)),
        ("hang_up", "letter", 0, NotNow(None, for_all=True)),
    ],
)
def test_every_answer_is_understood(office: PostOffice, kind: str, stage: str, code: int, outcome: Outcome) -> None:
    office.fail(kind, stage, times=0, code=code)
    assert office.server().send(LETTER) == outcome
    assert office.letters() == []
    office.calm()
    assert office.server().send(LETTER) == Taken()


@pytest.mark.parametrize("stage", ["rcpt", "data", "letter"])
def test_a_policy_against_us_refuses_no_address(office: PostOffice, stage: str) -> None:
    office.fail("reject", stage, code=554, enhanced="5.7.1")
    assert office.server().send(LETTER) == NotNow(554, for_all=False, misconfigured=True)


@pytest.mark.parametrize("otherwise", [{"user": "票据"}, {"host": "mail..example.cn"}, {"host": f"{'a' * 64}.cn"}])
def test_what_cannot_be_said_to_a_server_is_ours_to_mend(office: PostOffice, otherwise: dict[str, str]) -> None:
    assert office.server(**otherwise).send(LETTER) == NotNow(None, **OURS)


def test_a_challenge_that_is_no_base64_is_ours_to_mend(office: PostOffice) -> None:
    office.fail("reject", "auth", code=334)
    assert office.server().send(LETTER) == NotNow(None, **OURS)


def test_after_an_answer_that_was_lost_the_same_letter_comes_again(office: PostOffice) -> None:
    office.fail("lost_answer", "letter")
    assert [office.server().send(LETTER) for _ in range(2)] == [NotNow(None, for_all=True), Taken()]
    assert len({each["headers"]["message-id"] for each in office.letters()}) == 1
    assert len(office.letters()) == 2


@pytest.mark.parametrize(
    "address",
    [
        "name@example.cn", "a.b-c_d+e@mail.example.com.cn", "O'Neil=x~y&z@example.org", "1@example.museum",
        "who@xn--fiq228c.xn--fiqs8s", "x" * 64 + "@example.cn",
    ],
)  # fmt: skip
def test_plain_addresses_are_written_to(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "", "name", "@example.cn", "name@", "name@example", "name@@example.cn", ".a@example.cn", "a.@example.cn",
        "a..b@example.cn", "a b@example.cn", " a@example.cn", "a@example.cn ", "a@example.cn\n",
        "a@example.cn\r\nBcc: b@example.cn", "a@example.cn,b@example.cn", "a@example.cn;b@example.cn",
        "<a@example.cn>", "Name <a@example.cn>", '"a b"@example.cn', "a(b)@example.cn", "a%b.cn@example.cn",
        "a!b@example.cn", "a@[192.0.2.1]", "a@192.0.2.1", "a@-example.cn", "a@example-.cn", "a@example..cn",
        "a@example.cn.", "a@例子.中国", "ａ@example.cn", "а@example.cn", "a@example.cn\0", "x" * 65 + "@example.cn",
        "a@" + "b." * 126 + "cn",
    ],
)  # fmt: skip
def test_what_could_mean_something_else_is_not_written_to(address: str) -> None:
    assert not is_address(address)


@given(st.text(max_size=60) | st.from_regex(r"[\x00-\x7f]{1,20}@[\x00-\x7f]{1,20}\.[a-z]{2,5}", fullmatch=True))
def test_whatever_is_asked_for_a_letter_has_one_recipient_and_our_headers_alone(text: str) -> None:
    if not is_address(text):
        return
    read = message_from_bytes(on_the_wire(replace(LETTER, to=text), "receipts@gongbo.example"), policy=default)
    assert [each.addr_spec for each in read["To"].addresses] == [text]
    assert sorted(name.lower() for name in read) == [
        "auto-submitted", "content-type", "date", "from", "message-id", "mime-version", "subject", "to",
    ]  # fmt: skip


def test_a_line_end_in_a_header_is_an_error_and_never_a_header() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        on_the_wire(replace(LETTER, subject="停车\r\nBcc: b@example.cn"), "receipts@gongbo.example")
