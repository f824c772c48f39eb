"""The route by which a sender finds out who he is here, and what he may update."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from ringback.api.desk import Desk, Root, single
from ringback.api.operations import READ_ME
from ringback.domain.access import AccessToken, Level, Team
from ringback.domain.answers import iso
from ringback.domain.attributes import UPDATABLE, Attribute
from ringback.domain.errors import Refusal
from ringback.services.access import Myself, who_am_i


@dataclass(frozen=True, slots=True)
class AccessRoutes:
    """``GET /api/v1/me``."""

    desk: Desk

    @property
    def router(self) -> APIRouter:
        """The route, to be included."""
        router = APIRouter()
        router.add_api_route("/api/v1/me", self.me, methods=["GET"], **READ_ME.told)
        return router

    async def me(self, request: Request, root: Root = "") -> Response:
        """Say who is asking, and what he may update."""
        myself = await self.desk.ask(request, lambda tx, caller: who_am_i(tx, caller, self.desk.now()))
        return single("me", me_object(myself), root)


def me_object(myself: Myself) -> dict[str, object]:
    """Who a caller is. A stranger is told no more of the account than he said himself, nobody of others' teams."""
    account, principal = myself.account, myself.principal
    known = {} if myself.is_stranger else {"name": account.name, "time_zone": account.time_zone}
    return {
        "user": {"id": principal.user_id, "email": principal.email},
        "account": {"subdomain": account.subdomain, **known},
        "role": principal.role and principal.role.value,
        "token": None if principal.token is None else _token(principal.token, account.time_zone),
        "teams": [_team(team) for team in principal.teams],
        "may_record_calls": myself.may_record,
        "attributes": [_attribute(attribute, myself) for attribute in UPDATABLE],
        "obstacle": None if myself.obstacle is None else _obstacle(myself.obstacle),
    }


def _token(token: AccessToken, time_zone: str) -> dict[str, object]:
    return {
        "id": token.id,
        "access_type": token.access_type.value,
        "expires_at": iso(token.expires_at, time_zone) if token.expires_at else None,
    }


def _team(team: Team) -> dict[str, object]:
    return {
        "id": team.id,
        "name": team.name,
        "developer_api": team.developer_api,
        "every_buyer": team.every_buyer,
        "buyer_ids": sorted(team.buyers),
        "records_calls": team.records_calls,
    }


def _attribute(attribute: Attribute, myself: Myself) -> dict[str, object]:
    return {
        "attribute": attribute.name,
        "label": attribute.label,
        "wire_names": [*attribute.sets, *attribute.adds],
        "may_update": myself.may_update(attribute.name),
        "teams": [
            {"id": team.id, "right": team.rights.get(attribute.name, Level.NONE).name.lower()}
            for team in myself.principal.teams
        ],
    }


def _obstacle(refusal: Refusal) -> dict[str, object]:
    return {"code": refusal.code.name, "message": refusal.title, "hint": refusal.hint}
