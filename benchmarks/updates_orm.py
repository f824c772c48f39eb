"""The ordinary way to do the same: FastAPI and the SQLAlchemy ORM, a session a request.

Written as an experienced developer would: a pooled engine, one transaction a request, the token's user with teams and
rights by eager loading, the call locked while it is changed, one flush that inserts rows in sets, an answer after the
commit. It does less than Ringback does (no lenient reading, no effects, no held updates, no idempotency).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

import uuid_utils
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    foreign,
    joinedload,
    relationship,
    selectinload,
    sessionmaker,
)

from ringback.store import schema


class Base(DeclarativeBase):
    metadata = schema.metadata


class TeamBuyer(Base):
    __table__ = schema.team_buyers


class Team(Base):
    __table__ = schema.teams
    buyers: Mapped[list[TeamBuyer]] = relationship(viewonly=True)


class User(Base):
    __table__ = schema.users
    teams: Mapped[list[Team]] = relationship(secondary=schema.team_users, viewonly=True)


class Account(Base):
    __table__ = schema.accounts


class AccessToken(Base):
    __table__ = schema.access_tokens
    user: Mapped[User] = relationship()


class Buyer(Base):
    __table__ = schema.buyers


class Offer(Base):
    __table__ = schema.offers


class Call(Base):
    __table__ = schema.calls
    __mapper_args__ = {"eager_defaults": False}
    buyer: Mapped[Buyer | None] = relationship(viewonly=True)
    offer: Mapped[Offer | None] = relationship(viewonly=True)


class CallChange(Base):
    __table__ = schema.call_changes


class Receipt(Base):
    __table__ = schema.receipts


class ReceiptPayload(Base):
    __table__ = schema.receipt_payloads
