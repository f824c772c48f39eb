"""Pages of lists of calls, what is shown on them, and in which form."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from ringback.domain.attributes import ATTRIBUTES, TEXTS
from tests.api.listing import Filter, Reader, Stock, alone, expected, ids
from tests.live import Live


class TestPages:
    def test_the_newest_come_first_25_of_them(self, stock: Stock) -> None:
        reply = stock.get("/calls", stock.owner)
        assert ids(reply.json["calls"]) == expected(stock, stock.owner, [])[:25]
        assert reply.json["metadata"] == {
            "root": "calls",
            "total_count": len(stock.calls),
            "next_cursor": reply.json["calls"][-1]["id"],
            "page": 1,
            "per_page": 25,
        }

    def test_a_page_names_the_cursor_of_the_next(self, stock: Stock) -> None:
        first = stock.get("/calls", stock.owner, per_page=40).json
        second = stock.get("/calls", stock.owner, per_page=100, cursor=first["metadata"]["next_cursor"]).json
        assert ids(first["calls"]) + ids(second["calls"]) == expected(stock, stock.owner, [])
        assert second["metadata"]["next_cursor"] == 0
        assert second["metadata"]["page"] is None

    def test_after_the_end_there_is_nothing(self, stock: Stock) -> None:
        for query in ({"cursor": 0}, {"page": 9}, {"page": 10**17}):
            reply = stock.get("/calls", stock.owner, **query).json
            assert (reply["calls"], reply["metadata"]["next_cursor"]) == ([], 0)

    def test_a_cursor_of_no_call_is_a_place_all_the_same(self, stock: Stock) -> None:
        every = expected(stock, stock.owner, [])
        reply = stock.get("/calls", stock.owner, cursor=10**9, per_page=100)
        assert ids(reply.json["calls"]) == every
        up = stock.get("/calls", stock.owner, cursor=10**9, per_page=100, order_dir="asc")
        assert up.json["calls"] == []

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"page": 0}, "page"),
            ({"page": "two"}, "page"),
            ({"page": "9" * 30}, "page"),
            ({"per_page": 1001}, "per_page"),
            ({"per_page": "-1"}, "per_page"),
            ({"cursor": -2}, "cursor"),
            ({"cursor": "abc"}, "cursor"),
            ({"root": "perhaps"}, "root"),
            ({"order": "secret"}, "order"),
            ({"order_dir": "up"}, "order_dir"),
            ({"order": "revenue", "cursor": -1}, "order"),
            ({"created_at_from": "yesterday"}, "created_at_from"),
            ({"created_at_to": "2026-02-30"}, "created_at_to"),
            ({"ended_at_from": "2026-01-01 25:00:00"}, "ended_at_from"),
            ({"created_at_label": "Last Decade"}, "created_at_label"),
            ({"time_zone": "Mars/Olympus"}, "time_zone"),
            ({"buyer_converted": "maybe"}, "buyer_converted"),
            ({"no_buyer": "2"}, "no_buyer"),
            ({"id": "abc"}, "id"),
            ({"token_value": "zip"}, "token_value"),
            ({"token_value": "age:>=many"}, "token_value"),
            ({"status": "a\0b"}, "status"),
        ],
    )
    def test_what_can_t_be_read_is_said_by_field(self, stock: Stock, query: dict[str, Any], field: str) -> None:
        reply = stock.get("/calls", stock.owner, **query)
        assert (reply.status, reply.json["code"]) == (422, "invalid_value")
        assert list(reply.json["errors"]) == [field]

    def test_everything_wrong_is_said_at_once(self, stock: Stock) -> None:
        reply = stock.get("/calls", stock.owner, page=0, buyer_id="[trackdrive_buyer_id]", no_buyer="x")
        assert reply.json["codes"] == {
            "page": "invalid_value",
            "buyer_id": "unreplaced_token",
            "no_buyer": "invalid_value",
        }

    def test_who_asks_comes_before_what_is_asked(self, stock: Stock) -> None:
        assert stock.get("/calls", Reader("Token nothing"), page=0).status == 401
        stranger = Reader(stock.live.world.charlie_token.authorization)
        assert stock.get("/calls", stranger, page=0).json["code"] == "no_team"

    def test_names_that_are_unknown_are_passed_over_and_told(self, stock: Stock) -> None:
        reply = stock.get("/calls", stock.owner, sort_by="x", has_recording="maybe", serializer="call_grid", per_page=1)
        assert reply.json["metadata"]["ignored"] == ["sort_by", "has_recording"]
        assert len(reply.json["calls"]) == 1

    def test_columns_that_there_are_not_are_told_too(self, stock: Stock) -> None:
        columns = "id,revenu,hold_duration,outgoing_webhooks_count,colour,revenue"
        for reader in (stock.owner, stock.member):
            for buyer in ("", "nobody"):
                reply = stock.get("/calls", reader, sort_by="x", columns=columns, buyer_id=buyer)
                assert reply.json["metadata"]["ignored"] == ["sort_by", "revenu", "colour"]

    def test_a_credential_among_the_columns_is_not_told(self, stock: Stock) -> None:
        secret = stock.live.world.ada_token.authorization.split()[1]
        told = stock.get("/calls", stock.owner, columns=f"id,{secret}")
        assert secret.encode() not in told.body

    def test_answers_end_their_line(self, stock: Stock) -> None:
        for query in ({}, {"root": "false"}, {"page": 0}):
            reply = stock.get("/calls", stock.owner, **query)
            assert reply.body.endswith((b"}\n", b"]\n"))
            assert int(reply.headers["content-length"]) == len(reply.body)

    def test_a_credential_in_the_query_is_not_told(self, stock: Stock) -> None:
        token = stock.live.world.ada_token
        secret = token.authorization.split()[1]
        reply = stock.live.request("GET", f"/api/v1/calls?auth_token={secret}&{token.id}=1")
        assert secret.encode() not in reply.body


class TestWhatIsShown:
    def test_a_call_is_shown_as_alone(self, stock: Stock) -> None:
        for reader in (stock.owner, stock.member):
            for row in stock.get("/calls", reader, per_page=5).json["calls"]:
                assert stock.get(f"/calls/{row['uuid']}", reader).json["call"] == row

    def test_each_call_is_cut_to_what_may_be_read_of_it(self, stock: Stock) -> None:
        names = {name: each.name for each in (*ATTRIBUTES, *TEXTS) for name in each.reads}
        by_number = {call.number: call for call in stock.calls}
        for row in stock.get("/calls", stock.member, per_page=100).json["calls"]:
            readable = stock.member.readable(by_number[row["id"]])
            assert readable is not None
            assert {names[name] for name in row if name in names} == readable

    @pytest.mark.parametrize("name", ["offer_converted", "either_converted"])
    def test_nothing_is_filtered_by_what_may_not_be_read(self, stock: Stock, name: str) -> None:
        reply = stock.get("/calls", stock.member, **{name: "true"})
        assert (reply.status, reply.json["code"]) == (403, "may_not_read")
        assert "TS Converted" in reply.json["message"]

    @pytest.mark.parametrize("order", ["offer_converted", "payout"])
    def test_nothing_is_ordered_by_what_may_not_be_read(self, stock: Stock, order: str) -> None:
        assert stock.get("/calls", stock.member, order=order).json["code"] == "may_not_read"

    def test_calls_of_others_are_not_there_however_they_are_asked_for(self, stock: Stock) -> None:
        hidden = next(call for call in stock.calls if stock.member.readable(call) is None and call.caller_number)
        for query in ({"id": hidden.uuid}, {"id": hidden.number}, {"fulltext": hidden.uuid}):
            reply = stock.get("/calls", stock.member, **query).json
            assert (reply["calls"], reply["metadata"]["total_count"]) == ([], 0)
        shown = stock.get(f"/calls/{hidden.caller_number}/by_caller_number", stock.member, per_page=100).json["calls"]
        assert hidden.number not in ids(shown)

    def test_a_partner_that_isn_t_there_has_no_calls(self, stock: Stock) -> None:
        for name in ("buyer_id", "traffic_source_id", "offer_id"):
            assert stock.get("/calls", stock.owner, **{name: "999999"}).json["calls"] == []

    def test_text_is_harmless_in_a_file(self, live: Live) -> None:
        stock = alone(live)
        body = {"caller_number": "+17195550100", "status": "=cmd|x", "data": {"zip": "@1"}}
        live.request("POST", "/api/v1/calls", body=body, auth=stock.owner.auth)
        reply = stock.get("/calls.csv", stock.owner, columns="status, caller_number,token_values,nothing")
        assert reply.body.decode() == (
            'status,caller_number,token_values\r\n\'=cmd|x,+17195550100,"{""zip"":""@1""}"\r\n'
        )


class TestForms:
    def test_a_suffix_goes_before_what_is_accepted(self, stock: Stock) -> None:
        for path, accept, is_csv in (
            ("/calls", "*/*", False),
            ("/calls.json", "text/csv", False),
            ("/calls.csv", "application/json", True),
            ("/calls", "text/csv, */*;q=0.1", True),
            ("/calls", "text/csv, application/json", False),
            ("/calls/live_calls.csv", "*/*", True),
        ):
            headers = {"Accept": accept}
            reply = stock.live.request("GET", f"/api/v1{path}", auth=stock.owner.auth, headers=headers)
            assert reply.headers["content-type"].startswith("text/csv") is is_csv, (path, accept)
            assert reply.headers["cache-control"] == "no-store"

    def test_a_file_without_rows_has_its_header(self, stock: Stock) -> None:
        header = next(csv.reader(io.StringIO(stock.get("/calls.csv", stock.owner).body.decode())))
        empty = stock.get("/calls.csv", stock.owner, cursor=0).body.decode()
        assert list(csv.reader(io.StringIO(empty))) == [header]
        assert header == list(stock.get("/calls", stock.owner).json["calls"][0])

    def test_the_file_of_a_member_has_only_what_he_may_read(self, stock: Stock) -> None:
        header = next(csv.reader(io.StringIO(stock.get("/calls.csv", stock.member).body.decode())))
        assert {"revenue", "buyer_converted", "token_values"} <= set(header)
        assert not {"payout", "offer_converted", "traffic_source_payout"} & set(header)

    def test_a_refusal_of_a_file_is_json(self, stock: Stock) -> None:
        assert stock.get("/calls.csv", stock.owner, page=0).json["code"] == "invalid_value"


class TestHead:
    @pytest.mark.parametrize(
        "path",
        [
            *("/calls", "/calls.json", "/calls.csv", "/calls/1", "/calls/live_calls", "/calls/1/events", "/calls/0"),
            *("/buyers", "/buyers.csv", "/offers/1", "/me", "/calls?page=0", "/nowhere", "/calls/reports"),
        ],
    )
    def test_is_answered_as_get_without_a_body(self, stock: Stock, path: str) -> None:
        got, head = (stock.live.request(each, f"/api/v1{path}", auth=stock.owner.auth) for each in ("GET", "HEAD"))
        for name in ("content-type", "content-length", "content-disposition", "cache-control"):
            assert head.headers.get(name) == got.headers.get(name), name
        assert (head.status, head.body) == (got.status, b"")

    def test_updates_nothing(self, stock: Stock) -> None:
        call = stock.calls[0]
        for path in (f"/calls/update_call/{call.uuid}", f"/calls/{call.uuid}"):
            stock.live.request("HEAD", f"/api/v1{path}?revenue=9", auth=stock.owner.auth)
        assert stock.live.world.state(call) == call.state


class TestCallers:
    @pytest.mark.parametrize("number", ["+17195550101", "17195550101", "7195550101", "%2B17195550101", "anonymous"])
    @pytest.mark.parametrize("suffix", ["", ".json"])
    def test_by_caller_number(self, stock: Stock, number: str, suffix: str) -> None:
        caller = "anonymous" if number == "anonymous" else "+17195550101"
        wanted = expected(stock, stock.owner, [Filter({}, lambda call: call.caller_number == caller)])
        reply = stock.get(f"/calls/{number}/by_caller_number{suffix}", stock.owner, per_page=100)
        assert ids(reply.json["calls"]) == wanted

    def test_with_filters_beside(self, stock: Stock) -> None:
        one = next(call for call in stock.calls if call.caller_number == "+17195550101")
        path = "/calls/17195550101/by_caller_number"
        assert ids(stock.get(path, stock.owner, id=one.number).json["calls"]) == [one.number]
        assert stock.get(path, stock.owner, fulltext="+17195550102").json["calls"] == []

    def test_what_is_no_number_is_refused(self, stock: Stock) -> None:
        reply = stock.get("/calls/nobody/by_caller_number", stock.owner)
        assert (reply.status, list(reply.json["errors"])) == (422, ["caller_number"])


class TestLiveCalls:
    def test_those_that_are_not_over(self, live: Live) -> None:
        stock = alone(live)

        def record(**body: object) -> Any:  # noqa: ANN401 - the object of a call
            body.setdefault("caller_number", "+17195550123")
            return live.request("POST", "/api/v1/calls", body=body, auth=stock.owner.auth).json["call"]

        record(status="established", total_duration=5)
        record(status="finished")
        record()
        made = record(status="established")
        assert stock.get("/calls/live_calls", stock.owner).json["calls"] == [made]
        assert stock.get("/calls/live_calls", stock.member).json["calls"] == []
        record(uuid=made["uuid"], buyer="Bright Roofing")
        assert ids(stock.get("/calls/live_calls", stock.member).json["calls"]) == [made["id"]]
        record(uuid=made["uuid"], ended_at="2026-01-01T00:00:00Z")
        assert stock.get("/calls/live_calls", stock.owner).json["calls"] == []

    def test_those_of_long_ago_are_over(self, stock: Stock) -> None:
        live = stock.get("/calls/live_calls", stock.owner).json["calls"]
        under_way = stock.get("/calls", stock.owner, in_progress="1", per_page=100).json["calls"]
        assert set(ids(live)) < set(ids(under_way))
