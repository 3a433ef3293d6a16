"""Stored files: kept as they came, what they are by their first bytes, never altered."""

import hashlib
from typing import Any

import psycopg
import pytest
from psycopg.errors import CheckViolation, IntegrityConstraintViolation

from app.kernel.files import LARGEST, FileNotKept, FileRefused, Paper, content_of, keep
from tests.ground import Addresses
from tests.world import staff

PDF, PNG, JPEG = b"%PDF-1.7\n...", b"\x89PNG\r\n\x1a\n...", b"\xff\xd8\xff\xe0..."


@pytest.fixture
def account_id(database: Addresses) -> int:
    return staff("regulator").account_id


@pytest.mark.parametrize(
    ("content", "kind"), [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")], ids=["pdf", "png", "jpg"]
)
def test_a_file_is_kept_as_it_came_and_is_what_its_bytes_say(account_id: int, content: bytes, kind: str) -> None:
    kept = content_of(keep(Paper(content, "示例.exe"), account_id).id)
    assert (kept.content, kept.media_type, kept.size) == (content, kind, len(content))
    assert (kept.sha256, kept.stored_by) == (hashlib.sha256(content).digest(), account_id)


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"", "空.pdf"), (b"MZ\x90", "程序.pdf"), (b"<html>", "网页.png"), (PDF, " "), (PDF, "folder/")],
    ids=["empty", "a program", "a page", "no name", "a folder"],
)
def test_what_is_no_document_is_refused(account_id: int, content: bytes, name: str) -> None:
    with pytest.raises(FileRefused):
        keep(Paper(content, name), account_id)


def test_a_file_has_at_most_ten_megabytes(account_id: int) -> None:
    with pytest.raises(FileRefused):
        keep(Paper(PDF + bytes(LARGEST - len(PDF) + 1), "大.pdf"), account_id)


@pytest.mark.parametrize(
    ("told", "kept"),
    [("C:\\合同\\示例.pdf", "示例.pdf"), ("../../etc/示例.pdf", "示例.pdf"), ("示\n例\x00.pdf", "示例.pdf")],
)
def test_a_name_is_kept_without_folders_and_without_what_cannot_be_printed(
    account_id: int, told: str, kept: str
) -> None:
    assert keep(Paper(PDF, told), account_id).name == kept


def test_a_file_that_is_not_there_is_not_found(database: Addresses) -> None:
    with pytest.raises(FileNotKept):
        content_of(2**40)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"content": PDF + b"!"}, "a_stored_file_has_its_hash"),
        ({"size": 1}, "a_stored_file_has_its_size"),
        ({"media_type": "image/png"}, "a_stored_file_is_what_it_says"),
        ({"media_type": "text/html"}, "a_stored_file_is_of_a_known_kind"),
        ({"name": ""}, "a_stored_file_has_a_name"),
    ],
    ids=lambda told: "-".join(told) if isinstance(told, dict) else "",
)
def test_the_table_itself_refuses_what_does_not_fit_its_bytes(
    account_id: int, admin: psycopg.Connection[Any], change: dict[str, Any], constraint: str
) -> None:
    row = {
        "sha256": hashlib.sha256(PDF).digest(), "size": len(PDF), "media_type": "application/pdf", "name": "示例",
        "content": PDF, "stored_by": account_id,
    } | change  # fmt: skip
    with pytest.raises(CheckViolation) as refusal:
        admin.execute(
            "INSERT INTO stored_file (key, sha256, size, media_type, name, content, stored_by, stored_at) VALUES "
            "(gen_random_uuid(), %(sha256)s, %(size)s, %(media_type)s, %(name)s, %(content)s, %(stored_by)s, now())",
            row,
        )
    assert refusal.value.diag.constraint_name in {constraint, "a_stored_file_is_what_it_says"}


def test_a_kept_file_is_never_altered(account_id: int, admin: psycopg.Connection[Any]) -> None:
    keep(Paper(PDF, "示例.pdf"), account_id)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        admin.execute("UPDATE stored_file SET name = 'x'")
    assert refusal.value.diag.constraint_name == "stored_file_is_append_only"
