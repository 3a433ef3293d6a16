"""Statements as ISO 20022 camt.053 (BankToCustomerStatement), read as a stream.

A document type, and with it every entity, internal or external, is refused before anything is read.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NoReturn
from xml.parsers import expat

from app.kernel.clock import SHANGHAI
from app.kernel.money import Fen
from payments.bank.rules.statement import Entry, Statement, StatementRefused, day_of, fen_of, reference_of

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."
DEEPEST: Final = 32
_STATEMENT: Final = ("Document", "BkToCstmrStmt", "Stmt")
_ENTRY: Final = (*_STATEMENT, "Ntry")
_BALANCE: Final = (*_STATEMENT, "Bal")
_BALANCES: Final = ("OPBD", "PRCD", "CLBD")
"""Booked ones: the opening, the closing of the statement before, which is the same, and the closing."""
_SIGNS: Final = {"CRDT": 1, "DBIT": -1}
_FIELDS: Final = {
    ("Amt",): "Amt", ("CdtDbtInd",): "CdtDbtInd", ("Sts",): "Sts", ("Sts", "Cd"): "Sts", ("BookgDt", "Dt"): "day",
    ("BookgDt", "DtTm"): "moment", ("Tp", "CdOrPrtry", "Cd"): "Cd",
}  # fmt: skip
"""What is read of an entry or a balance, by where it stands there; newer versions put the status one deeper."""
_CHINESE: Final = re.compile(rb"""\A<\?xml[^>]*encoding=["'](?:gb2312|gbk|gb18030)["']""", re.IGNORECASE)
"""How banks here declare what expat cannot read: of these character sets GB18030 holds the others."""
_REFERENCES: Final = ("NtryRef", "AcctSvcrRef", "EndToEndId", "Ustrd", "AddtlNtryInf")


def read_camt(content: bytes) -> Statement:
    """The one statement of a document, booked entries only, in CNY. Refuses `StatementRefused`."""
    return _Reading().read(content)


@dataclass
class _Reading:
    """What was read so far: the path of open elements, and the fields of the entry or balance at hand."""

    path: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    account: str = ""
    statements: int = 0
    balances: dict[str, Fen] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    def read(self, content: bytes) -> Statement:
        is_chinese = _CHINESE.match(content) is not None
        parser = expat.ParserCreate("utf-8" if is_chinese else None, namespace_separator="|")
        parser.StartDoctypeDeclHandler = _no_document_type
        parser.StartElementHandler, parser.EndElementHandler = self._open, self._close
        parser.CharacterDataHandler = self.text.append
        try:
            parser.Parse(content.decode("gb18030").encode() if is_chinese else content, True)
        except (expat.ExpatError, ValueError, LookupError):  # the last two: a character set that nobody here knows
            raise StatementRefused(reason="not_xml") from None
        opening = self.balances.get("OPBD", self.balances.get("PRCD"))
        closing = self.balances.get("CLBD")
        if self.statements != 1 or opening is None or closing is None:
            raise StatementRefused(reason="not_one_statement")
        return Statement(self.account, opening, closing, self.entries).expect_sound()

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, tag = name.rpartition("|")
        if not namespace.startswith(NAMESPACE) or len(self.path) == DEEPEST:
            raise StatementRefused(reason="not_camt053")
        self.path.append(tag)
        self.text.clear()
        place = tuple(self.path)
        if place in {_ENTRY, _BALANCE}:
            self.fields, self.references = {}, list[str]()
        if place == _STATEMENT:
            self.statements += 1
        if place in {(*_ENTRY, "Amt"), (*_BALANCE, "Amt")}:
            self.fields["Ccy"] = attributes.get("Ccy", "")

    def _close(self, _: str) -> None:
        place, told = tuple(self.path), "".join(self.text).strip()
        tag = self.path.pop()
        self.text.clear()
        if place == _ENTRY:
            self._book()
        elif place == _BALANCE:
            self._hold()
        elif place[:5] == (*_STATEMENT, "Acct", "Id") and tag in {"IBAN", "Id"} and told:
            self.account = told
        elif place[:4] in {_ENTRY, _BALANCE}:
            self._note(place[4:], tag, told)

    def _note(self, inner: tuple[str, ...], tag: str, told: str) -> None:
        if tag in _REFERENCES and told:
            self.references.append(told)
        elif told and inner in _FIELDS:
            self.fields[_FIELDS[inner]] = told

    def _book(self) -> None:
        if self.fields.get("Sts") != "BOOK":
            raise StatementRefused(reason="entry_not_booked")
        self.entries.append(Entry(self._day(), self._amount(), reference_of(" ".join(self.references))))

    def _day(self) -> date:
        """The day of booking; of a moment that names its offset, the day in Shanghai."""
        if "moment" not in self.fields:
            return day_of(self.fields.get("day", ""))
        try:
            moment = datetime.fromisoformat(self.fields["moment"])
            return (moment if moment.tzinfo is None else moment.astimezone(SHANGHAI)).date()
        except (ValueError, OverflowError):
            raise StatementRefused(reason="bad_date") from None

    def _hold(self) -> None:
        """Balances of other kinds are passed over; two of one kind would leave a choice."""
        kind = self.fields.get("Cd", "")
        if kind in _BALANCES:
            if kind in self.balances:
                raise StatementRefused(reason="not_one_statement")
            self.balances[kind] = self._amount()

    def _amount(self) -> Fen:
        sign = _SIGNS.get(self.fields.get("CdtDbtInd", ""))
        if sign is None or self.fields.get("Ccy") != "CNY":
            raise StatementRefused(reason="bad_amount")
        fen = fen_of(self.fields.get("Amt", ""))
        if fen < 0:
            raise StatementRefused(reason="bad_amount")
        return sign * fen


def _no_document_type(*_: object) -> NoReturn:
    raise StatementRefused(reason="document_type_forbidden")
