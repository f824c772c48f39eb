"""What is always true of updates, over generated rights, calls, bodies and histories, on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from ringback import clock, entropy
from ringback.domain.access import Level
from ringback.domain.answers import answer
from ringback.domain.attributes import ATTRIBUTES
from ringback.domain.calls import Call
from ringback.domain.receipts import Outcome, Update
from ringback.services import updates
from ringback.store import teams
from tests.api.asked import ask
from tests.api.rows import ledger_sum, of_call, waiting_states
from tests.live import Live
from tests.world import EVERY_RIGHT, World

LEVELS = st.one_of(
    st.just(EVERY_RIGHT),
    st.fixed_dictionaries({attribute.name: st.sampled_from(Level) for attribute in ATTRIBUTES}),
)
AMOUNTS = st.decimals(0, 999_999, places=2).map(str)
SMALL_AMOUNTS = st.integers(0, 10_000).map(lambda cents: str(Decimal(cents) / 100))
WORDS = st.sampled_from(["true", "false", True, False, 1, 0, "yes", "off"])
NAMES = st.sampled_from(["first_name", "city", "zip"])
SCALARS = st.one_of(st.text(max_size=5), st.integers(-9, 9), st.booleans(), st.none())
FIELDS = st.dictionaries(NAMES, SCALARS, max_size=3)

GOOD = st.fixed_dictionaries(
    {},
    optional={"buyer_converted": WORDS, "offer_converted": WORDS, "post_call_tokens": FIELDS},
)
MONEY: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({}, optional={"revenue": AMOUNTS, "payout": AMOUNTS}),
    st.fixed_dictionaries({}, optional={"add_revenue": SMALL_AMOUNTS, "add_payout": SMALL_AMOUNTS}),
    st.fixed_dictionaries({"add_revenue": AMOUNTS, "payout": AMOUNTS}),
)
BODIES = st.one_of(st.tuples(GOOD, MONEY).map(lambda both: {**both[0], **both[1]}), MONEY.filter(bool))
"""Bodies in which nothing is wrong, but for sums that may become too large."""

ODD = st.fixed_dictionaries(
    {},
    optional={
        "revenue": st.sampled_from(["", None, "1,25", "[payout]", "-1"]),
        "add_revenue": SMALL_AMOUNTS,
        "buyer_converted": st.sampled_from(["perhaps", "", "{{x}}"]),
        "data": FIELDS,
        "sub_id": st.text(max_size=3),
    },
)
ANY_BODIES = st.one_of(BODIES, st.tuples(BODIES, ODD).map(lambda both: {**both[0], **both[1]}))
STATES = st.fixed_dictionaries(
    {
        "buyer_converted": st.booleans(),
        "revenue": st.sampled_from([None, Decimal("1.50"), Decimal("999999.00")]),
        "offer_converted": st.booleans(),
        "payout": st.sampled_from([None, Decimal(0), Decimal("9.99")]),
        "contact_fields": st.sampled_from([{}, {"city": "Ulm", "zip": 1}]),
    }
)


def run(world: World, *asked: Update) -> list[Outcome]:
    """Apply updates in one batch."""
    with world.database.write() as tx:
        return updates.apply(tx, asked, clock.now())


def told(outcome: Outcome) -> dict[str, Any]:
    """The answer to an update, less what is the dry run's alone, or the moment's."""
    status, document = answer(outcome)
    passing = {"dry_run", "verdicts", "receipt_id", "held_until"}
    rest = {name: value for name, value in document.items() if name not in passing}
    call = rest.get("call")
    if isinstance(call, Mapping):
        rest["call"] = {name: value for name, value in call.items() if name != "updated_at"}
    return {**rest, "http": status}


@dataclass(frozen=True)
class Scene:
    """What the answer to an update depends on."""

    body: Mapping[str, Any]
    levels: Mapping[str, Level] = field(default_factory=lambda: EVERY_RIGHT)
    developer_api: bool = True
    sees: str = "buyer"
    state: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None
    key: str = ""
    named_by: str = "uuid"

    def set(self, world: World) -> Call:
        """Set the stage."""
        with world.database.write() as tx:
            teams.set_rights(tx, world.acme, world.team, self.levels)
            teams.change(tx, world.acme, world.team, developer_api=self.developer_api)
            teams.set_buyers(tx, world.acme, world.team, [world.bright] if self.sees == "buyer" else [])
            teams.set_users(tx, world.acme, world.team, [] if self.sees == "no team" else [world.bob])
        return world.call(**self.state)


SALE = {"buyer_converted": True, "offer_converted": True, "add_revenue": "5", "data": {"city": "Ulm"}}
SCENES = st.builds(
    Scene,
    levels=LEVELS,
    developer_api=st.sampled_from([True] * 7 + [False]),
    sees=st.sampled_from(["buyer"] * 8 + ["nothing", "no team"]),
    state=STATES,
    before=st.one_of(st.none(), BODIES),
    body=ANY_BODIES,
    key=st.sampled_from(["", "", "k"]),
    named_by=st.sampled_from(["uuid", "number"]),
)


@given(scene=SCENES)
@example(Scene(SALE))
@example(Scene(SALE, key="k", named_by="number"))
@example(Scene(SALE, before=SALE, key="k"))
def test_a_dry_run_answers_what_the_live_update_does_and_leaves_nothing(served: Live, scene: Scene) -> None:
    world, auth = served.world, served.world.bob_token.authorization
    call = scene.set(world)
    named = str(getattr(call, scene.named_by))
    if scene.before is not None:
        run(world, ask(auth, named, scene.before, key=scene.key))
    kept, waits = of_call(world.database, call), waiting_states(world.database, call)
    (dry,) = run(world, ask(auth, named, scene.body, key=scene.key, dry_run=True))
    assert (of_call(world.database, call), waiting_states(world.database, call)) == (kept, waits)
    assert answer(dry)[1].get("dry_run") is True
    (live,) = run(world, ask(auth, named, scene.body, key=scene.key))
    assert told(dry) == told(live)
    if live.refusal is not None or live.code == "unchanged":
        assert of_call(world.database, call)["calls"] == kept["calls"]


@given(levels=LEVELS, body=BODIES)
def test_a_dry_run_before_the_call_is_there_answers_as_for_a_blank_one(
    served: Live, levels: Mapping[str, Level], body: Mapping[str, Any]
) -> None:
    world, auth = served.world, served.world.bob_token.authorization
    blank = Scene(body, levels).set(world)
    uuid = entropy.new_call_uuid()
    (absent,) = run(world, ask(auth, uuid, body, dry_run=True))
    (present,) = run(world, ask(auth, blank.uuid, body, dry_run=True))
    assert absent.code == present.code or {absent.code, present.code} == {"applied", "unchanged"}
    assert "call_unknown" in [warned.code for warned in absent.all_warnings]
    (live,) = run(world, ask(auth, uuid, {"revenue": "1"}))
    assert live.code == "call_not_found"


@given(history=st.lists(st.lists(BODIES, min_size=1, max_size=3), max_size=5), offer=st.sampled_from(["an offer", ""]))
def test_the_changes_of_a_call_add_up_to_its_state_and_the_answers_told_each_of_them(
    served: Live,
    history: Sequence[Sequence[Mapping[str, Any]]],
    offer: str,
) -> None:
    world = served.world
    call = world.call() if offer else world.call(buyer=None)
    known = flat(call.state)
    for batch in history:
        for outcome in run(world, *(ask(world.ada_token.authorization, call.uuid, body) for body in batch)):
            for name, change in told(outcome)["changed"].items():
                assert known.get(name) == change["from"]
                known[name] = change["to"]
    assert ledger_sum(world.database, call) == world.state(call)
    assert {name: value for name, value in known.items() if value is not None} == flat(world.state(call))


def flat(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state in the names of ``changed``, amounts as they are written; what is not there is left out."""
    shown = {
        name: f"{value:.2f}" if isinstance(value, Decimal) else value
        for name, value in state.items()
        if value is not None and name != "contact_fields"
    }
    return shown | {f"contact_fields.{name}": value for name, value in state["contact_fields"].items()}


INDEPENDENT = st.lists(
    st.one_of(
        st.fixed_dictionaries({"add_revenue": SMALL_AMOUNTS}),
        st.fixed_dictionaries({"add_payout": SMALL_AMOUNTS}),
        st.just({"buyer_converted": True}),
        st.just({"offer_converted": True}),
        *(st.builds(lambda value, name=name: {"data": {name: value}}, SCALARS) for name in ("a", "b", "c")),
    ),
    max_size=6,
    unique_by=lambda body: "".join(body) if "data" not in body else "".join(body["data"]),
)


@given(bodies=INDEPENDENT, data=st.data(), together=st.sampled_from(["together", ""]))
def test_the_order_of_independent_updates_does_not_matter(
    served: Live,
    bodies: Sequence[Mapping[str, Any]],
    data: st.DataObject,
    together: str,
) -> None:
    world = served.world
    states = []
    for order in (bodies, data.draw(st.permutations(bodies))):
        call = world.call(buyer=None)  # without partners, so that a conversion entails no amount
        asked = [ask(world.ada_token.authorization, call.uuid, body) for body in order]
        for batch in [asked] if together else [[each] for each in asked]:
            run(world, *batch)
        states.append(world.state(call))
    assert states[0] == states[1]


@given(body=BODIES, key=st.sampled_from(["k", ""]), other=BODIES, batches=st.lists(st.integers(1, 3), max_size=3))
def test_the_same_key_or_the_same_addition_again_changes_once(
    served: Live, body: Mapping[str, Any], key: str, other: Mapping[str, Any], batches: Sequence[int]
) -> None:
    world, call = served.world, served.world.call()
    auth = world.ada_token.authorization
    (first,) = run(world, ask(auth, call.uuid, body, key=key))
    assume(first.refusal is None)
    worth, ledger = world.state(call), of_call(world.database, call)["call_changes"]
    for size in batches:
        for again in run(world, *(ask(auth, call.uuid, body, key=key) for _ in range(size))):
            assert answer(again)[0] == 200
            if key:
                assert again.replay == answer(first)[1]
    assert (world.state(call), of_call(world.database, call)["call_changes"]) == (worth, ledger)
    if key and first.update.reading.patch != ask(auth, call.uuid, other).reading.patch:
        (conflict,) = run(world, ask(auth, call.uuid, other, key=key))
        assert conflict.code == "idempotency_conflict"
        assert world.state(call) == worth


@given(bodies=st.lists(st.tuples(ANY_BODIES, st.sampled_from(["", "k", "l"])), min_size=2, max_size=5))
def test_a_batch_does_what_its_updates_do_one_by_one(
    served: Live, bodies: Sequence[tuple[Mapping[str, Any], str]]
) -> None:
    world = served.world
    calls = [world.call(), world.call()]

    def asked(call: Call) -> list[Update]:
        return [ask(world.ada_token.authorization, call.uuid, body, key=key) for body, key in bodies]

    at_once = run(world, *asked(calls[0]))
    in_turn = [outcome for each in asked(calls[1]) for outcome in run(world, each)]
    assert [outcome.code for outcome in at_once] == [outcome.code for outcome in in_turn]
    assert world.state(calls[0]) == world.state(calls[1])
