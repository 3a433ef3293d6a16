"""The driver agreement: reading and signing it."""

from typing import Any

import marshmallow as ma
from flask import request

from app.domain.motorists import actions, queries
from app.domain.motorists.models import AgreementSignature
from app.web.once import once
from app.web.policy import admits
from miniprogram_api.door import asking, motorist, noun
from miniprogram_api.fields import Text, Wish

blueprint = noun("agreement", "车主服务协议")


class Agreement(ma.Schema):
    version = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    text = ma.fields.String(required=True)
    text_sha256 = ma.fields.String(required=True, metadata={"description": "正文 UTF-8 的 SHA-256（十六进制）"})
    in_force_from = ma.fields.AwareDateTime(required=True)
    is_signed = ma.fields.Boolean(required=True, metadata={"description": "本人是否已签署此版本"})


class Device(Wish):
    system = Text(64, metadata={"description": "操作系统"})
    client = Text(64, metadata={"description": "微信与小程序版本"})


class SignatureWish(Wish):
    version = Text(64, required=True, metadata={"description": "所签署的版本"})
    device = ma.fields.Nested(Device, load_default=dict, error_messages={"null": "不能为空"})


class Signature(ma.Schema):
    key = ma.fields.UUID(required=True)
    version = ma.fields.String(required=True)
    text_sha256 = ma.fields.String(required=True)
    signed_at = ma.fields.AwareDateTime(required=True)


@blueprint.get("/agreement")
@admits(motorist())
@blueprint.gives(200, Agreement)
@blueprint.refuses(401, 429, 503)
def read_agreement() -> dict[str, Any]:
    """现行服务协议"""
    agreement = queries.agreement_in_force()
    return {
        "version": agreement.version,
        "title": agreement.title,
        "text": agreement.text,
        "text_sha256": agreement.text_sha256.hex(),
        "in_force_from": agreement.in_force_from,
        "is_signed": queries.has_signed(asking()),
    }


@blueprint.post("/agreement/signatures")
@admits(motorist())
@once
@blueprint.takes(SignatureWish)
@blueprint.gives(201, Signature)
@blueprint.refuses(400, 401, 409, 429, 503)
def sign(wish: dict[str, Any]) -> dict[str, Any]:
    """签署服务协议"""
    return _shown(actions.sign_agreement(asking(), wish["version"], _evidence(wish["device"])))


def _evidence(device: dict[str, Any]) -> dict[str, Any]:
    agent = request.headers.get("User-Agent", "")[:256]
    return {**device, "user_agent": agent, "address": request.remote_addr}


def _shown(signature: AgreementSignature) -> dict[str, Any]:
    return {
        "key": signature.key,
        "version": signature.version,
        "text_sha256": signature.text_sha256.hex(),
        "signed_at": signature.signed_at,
    }
