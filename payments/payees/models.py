"""Who collects money (收费主体) and through which WeChat sub-merchant it reaches them."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZMULTIRANGE, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.dialects.postgresql.ranges import MultiRange
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key
from app.kernel.two_persons import Request


class Payee(Base):
    """Legal recipient of money (收费主体), written once by one person; it only ends (`valid`).

    TREASURY: an organ or institution whose income goes to the treasury of the same level under
    收支两条线 (N3.4.1). SOE: a state-owned enterprise whose income is its own (N3.4.2).
    """

    __tablename__ = "payee"
    __table_args__ = (
        UniqueConstraint("id", "regime", name="a_payee_has_one_regime"),
        UniqueConstraint("id", "opened_by", name="a_payee_was_opened_by_one_person"),
        UniqueConstraint("id", "purse", name="a_payee_fills_one_purse"),
        UniqueConstraint("id", "item_code", name="a_payee_is_known_by_its_item"),
        UniqueConstraint(
            "id", "regime", "level", "collecting_unit_code", "item_code", "treasury_target",
            name="a_payee_has_one_treasury_target",
        ),
        CheckConstraint("regime IN ('TREASURY', 'SOE')", name="a_payee_is_of_the_treasury_or_an_enterprise"),
        CheckConstraint(
            "(regime = 'TREASURY') = (level IS NOT NULL AND collecting_unit_code IS NOT NULL "
            "AND collecting_unit_name IS NOT NULL AND item_code IS NOT NULL AND treasury_target IS NOT NULL)",
            name="a_treasury_payee_names_unit_item_and_treasury",
        ),
        CheckConstraint(
            "regime = 'TREASURY' OR num_nonnulls(level, collecting_unit_code, collecting_unit_name, "
            "item_code, treasury_target) = 0",
            name="an_enterprise_has_no_treasury_fields",
        ),
        CheckConstraint(
            "(regime = 'SOE') = (tax_number IS NOT NULL AND bank_name IS NOT NULL AND bank_account IS NOT NULL)",
            name="an_enterprise_names_tax_number_and_bank",
        ),
        CheckConstraint(
            "regime = 'SOE' OR num_nonnulls(tax_number, bank_name, bank_account) = 0",
            name="a_treasury_payee_has_no_bank_of_its_own",
        ),
        CheckConstraint("level IN ('city', 'district')", name="a_treasury_is_of_the_city_or_a_district"),
        CheckConstraint(
            "level IS DISTINCT FROM 'district' OR district_code IS NOT NULL",
            name="a_district_treasury_names_its_district",
        ),
        CheckConstraint("district_code ~ '^[0-9]{6}$'", name="a_payees_district_has_six_digits"),
        CheckConstraint("NOT isempty(valid)", name="a_payee_is_there_for_some_time"),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    name: Mapped[str]
    regime: Mapped[str]
    level: Mapped[str | None]
    district_code: Mapped[str | None]
    collecting_unit_code: Mapped[str | None]
    """执收单位编码: the collecting unit in the non-tax income system."""
    collecting_unit_name: Mapped[str | None]
    item_code: Mapped[str | None]
    """非税收入项目编码."""
    treasury_target: Mapped[str | None]
    """Where the collected money is remitted (同级财政专户 or 国库)."""
    tax_number: Mapped[str | None]
    bank_name: Mapped[str | None]
    bank_account: Mapped[str | None]
    opened_by: Mapped[str]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    """When lots may name it; what arose in that time it may still collect later."""
    created_at: Mapped[datetime]
    purse: Mapped[str] = mapped_column(
        Computed(
            "CASE WHEN regime = 'SOE'::text THEN 'enterprise'::text WHEN level = 'city'::text THEN 'city'::text "
            "ELSE COALESCE(district_code, ''::text) END",
            persisted=True,
        )
    )
    """Whose the money becomes: `enterprise`, `city` for the city's treasury, or the code of a district for its own."""


class PayeeConfirmation(Base):
    """Finance's word that a payee's particulars are right (确认); without it the payee cannot collect.

    Whoever opened the payee does not confirm it. A sample confirmation (示例) lets development collect pretended money;
    production refuses it.
    """

    __tablename__ = "payee_confirmation"
    __table_args__ = (
        CheckConstraint("sample = (position('示例' in note) > 0)", name="a_sample_says_so_in_its_note"),
        CheckConstraint("confirmed_by <> '' AND note <> ''", name="a_confirmation_says_who_and_why"),
        CheckConstraint("confirmed_by <> opened_by", name="a_payee_is_confirmed_by_another_person"),
        UniqueConstraint("payee_id", "sample", name="a_payee_is_confirmed_once"),
        ForeignKeyConstraint(
            ["payee_id", "opened_by"], ["payee.id", "payee.opened_by"], name="a_confirmation_knows_who_opened_the_payee"
        ),
    )

    id: Mapped[Id]
    payee_id: Mapped[int] = mapped_column(ForeignKey("payee.id"))
    opened_by: Mapped[str]
    confirmed_by: Mapped[str]
    confirmed_at: Mapped[datetime]
    note: Mapped[str]
    sample: Mapped[bool]


class MerchantChannel(Base):
    """A payee's WeChat sub-merchant (特约商户号): money paid into it settles to that payee alone.

    One person ties it to the payee, another confirms it. While it is `valid` it takes new orders; a payee has one such
    channel at a time, and a sub-merchant one such payee. What was ordered through it before is settled and given back
    through it for ever. It ends, and only a `ChannelReopening` lets it begin again.
    """

    __tablename__ = "merchant_channel"
    __table_args__ = (
        UniqueConstraint("id", "payee_id", name="a_channel_leads_to_one_payee"),
        ExcludeConstraint(
            ("sub_mchid", "="), ("valid", "&&"), name="a_sub_merchant_belongs_to_one_payee", using="gist"
        ),
        ExcludeConstraint(("payee_id", "="), ("valid", "&&"), name="a_payee_has_one_channel_at_a_time", using="gist"),
        CheckConstraint("confirmed_by <> opened_by", name="a_channel_is_confirmed_by_another_person"),
        CheckConstraint(
            "num_nonnulls(confirmed_by, confirmed_at, valid) IN (0, 3)", name="a_channel_is_valid_once_confirmed"
        ),
        CheckConstraint("NOT isempty(valid) AND lower_inc(valid)", name="a_channel_is_valid_for_some_time"),
    )

    id: Mapped[Id]
    key: Mapped[Key]
    payee_id: Mapped[int] = mapped_column(ForeignKey("payee.id"))
    sp_mchid: Mapped[str]
    sub_mchid: Mapped[str]
    opened_by: Mapped[str]
    opened_at: Mapped[datetime]
    since: Mapped[datetime]
    """From when on it is to take orders; from its confirmation on where that comes later."""
    confirmed_by: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    valid: Mapped[MultiRange[datetime] | None] = mapped_column(TSTZMULTIRANGE)
    """Its times, the last of which may have no end; more than one where it was reopened."""
    reopened: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How often."""


class ChannelReopening(Request, Base):
    """Somebody says that a sub-merchant ended by mistake, and why; another person decides.

    Accepted means: it takes orders again from that moment on, and whichever took them meanwhile ends.
    """

    __tablename__ = "channel_reopening"
    __table_args__ = (
        ForeignKeyConstraint(
            ["channel_id", "payee_id"], ["merchant_channel.id", "merchant_channel.payee_id"],
            name="a_reopening_is_of_one_payees_channel",
        ),
        CheckConstraint("state IN ('waiting', 'accepted', 'rejected')", name="a_reopening_is_in_a_known_state"),
        CheckConstraint("decided_by <> made_by", name="a_reopening_is_decided_by_another_person"),
        CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'waiting' THEN 0 ELSE 3 END",
            name="a_decided_reopening_says_how_and_why",
        ),
        CheckConstraint("because <> '' AND decided_because <> ''", name="a_reopening_says_something"),
        Index(
            "a_channel_is_reopened_once_at_a_time", "channel_id", "number", unique=True,
            postgresql_where=text("state <> 'rejected'"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    channel_id: Mapped[int]
    payee_id: Mapped[int]
    number: Mapped[int] = mapped_column(SmallInteger)
    """The channel's first, second, ... reopening."""


class ReceiptTerms(Base):
    """What a payee's receipts must say (开票要素), by dates: item, code and - of an enterprise - VAT and invoice form.

    An enterprise collects only while such terms hold. Only what a second person of finance confirmed counts; there is
    no default. A sample (示例) counts only where samples are accepted.
    """

    __tablename__ = "receipt_terms"
    __table_args__ = (
        ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="terms_have_their_payees_regime"
        ),
        ForeignKeyConstraint(
            ["payee_id", "fiscal_item"], ["payee.id", "payee.item_code"], name="fiscal_terms_name_their_payees_item"
        ),
        UniqueConstraint("id", "payee_id", name="terms_are_one_payees"),
        ExcludeConstraint(
            ("payee_id", "="), ("valid", "&&"), where=text("confirmed_by IS NOT NULL"), using="gist",
            name="a_payee_has_one_kind_of_terms_at_a_time",
        ),
        CheckConstraint("(regime = 'SOE') = (vat_basis_points IS NOT NULL)", name="an_enterprise_has_a_vat_rate"),
        CheckConstraint("(regime = 'SOE') = (vat_method IS NOT NULL)", name="an_enterprise_has_a_vat_method"),
        CheckConstraint("vat_method IN ('general', 'simplified')", name="vat_is_reckoned_by_one_of_two_methods"),
        CheckConstraint("vat_basis_points BETWEEN 0 AND 2000", name="a_vat_rate_is_up_to_20_percent"),
        CheckConstraint("(regime = 'SOE') = (invoice_form IS NOT NULL)", name="an_enterprise_has_an_invoice_form"),
        CheckConstraint("invoice_form IN ('plain', 'lease')", name="an_invoice_has_one_of_two_forms"),
        CheckConstraint(
            "num_nonnulls(area_unit, cross_city) = CASE invoice_form WHEN 'lease' THEN 2 ELSE 0 END",
            name="terms_of_lease_say_area_unit_and_cross_city",
        ),
        CheckConstraint("btrim(area_unit) <> ''", name="an_area_unit_says_something"),
        CheckConstraint("confirmed_by <> recorded_by", name="terms_are_confirmed_by_another_person"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="a_confirmation_of_terms_has_its_time"),
        CheckConstraint("sample = (position('示例' in note) > 0)", name="sample_terms_say_so_in_their_note"),
        CheckConstraint("item_code <> '' AND item_name <> '' AND note <> ''", name="terms_name_item_and_basis"),
        CheckConstraint("NOT isempty(valid) AND lower_inc(valid)", name="terms_hold_for_some_time"),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    payee_id: Mapped[int]
    regime: Mapped[str]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    item_code: Mapped[str]
    """执收项目编码, the payee's own, or the enterprise's 税收分类编码."""
    fiscal_item: Mapped[str | None] = mapped_column(
        Computed("CASE WHEN regime = 'TREASURY'::text THEN item_code END", persisted=True)
    )
    """The same of a fiscal payee: under it the money is paid in."""
    item_name: Mapped[str]
    vat_method: Mapped[str | None]
    """计税方法: general (一般计税) or simplified (简易计税)."""
    vat_basis_points: Mapped[int | None] = mapped_column(SmallInteger)
    invoice_form: Mapped[str | None]
    """开票方式: plain (普通明细) or lease (特定业务 06 不动产经营租赁服务)."""
    area_unit: Mapped[str | None]
    """面积单位, of lease."""
    cross_city: Mapped[bool | None]
    """跨地（市）标志, of lease."""
    note: Mapped[str]
    sample: Mapped[bool]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
    confirmed_by: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
