"""A company by seed, at three sizes, as Parquet files of canonical tables: what tests/bench/page.py measures on.

Dirt as in real extracts: missing dimensions, tied timestamps, changes of the amount alone, skipped stages, steps back, re-opened and still open
deals, events after as-of, test leads, deals without a lead, touches of other functions, people with ids in no order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from revscore.core.data import CrmData, Shelf
from revscore.core.policies import Attribution, OpenWindow, SlaPolicy
from revscore.core.terms import Terms
from revscore.store import frames

AS_OF = pd.Timestamp("2026-01-01T00:00:00Z")
_END = int(AS_OF.timestamp())
_START = int(pd.Timestamp("2023-01-01T00:00:00Z").timestamp())
_DAY = 86_400
SEGMENTS, REGIONS = ("Enterprise", "Mid-Market", "SMB"), tuple(f"Region {k}" for k in range(1, 9))
OWNERS, SOURCES = tuple(f"U{k:03}" for k in range(120)), tuple(f"Source {k:02}" for k in range(12))
CAMPAIGNS = tuple(f"C{k:03}" for k in range(200))
_CODED = {"segment", "region", "owner_id", "lead_source", "source_campaign_id", "primary_campaign_id", "campaign_id", "stage", "type", "owner_function"}
STAGES = ("Prospecting", "Discovery", "Proposal", "Negotiation", "Closed Won", "Closed Lost")


@dataclass(frozen=True)
class Scale:
    leads: int
    opportunities: int
    touches: int


SCALES = {"S": Scale(10_000, 2_000, 46_000), "M": Scale(200_000, 50_000, 1_000_000), "L": Scale(2_000_000, 500_000, 10_000_000)}


def _zones() -> tuple[tuple[OpenWindow, ...], tuple[tuple[str, str], ...]]:
    zones = {"EAST": "America/New_York", "LONDON": "Europe/London", "BERLIN": "Europe/Berlin"}
    windows = tuple(OpenWindow(name, zone, weekday, 9 * 60, 17 * 60) for name, zone in zones.items() for weekday in range(5))
    return windows, tuple((region, tuple(zones)[k % 3]) for k, region in enumerate(REGIONS))


_WINDOWS, _HOME = _zones()
TERMS = Terms(business_calendars=_WINDOWS, region_calendars=_HOME, default_calendar="EAST", pacing_calendar="EAST",
              holidays=tuple((name, (pd.Timestamp(f"{year}-12-25") - pd.Timestamp(0)).days) for name in ("EAST", "LONDON", "BERLIN") for year in (2023, 2024, 2025)),
              sla_policies=(SlaPolicy("acceptance", "acceptance", "", 240),), attribution=Attribution(person_mode="explicit"))


def make(folder: Path, scale: str, seed: int = 7) -> Path:
    """Write the company of a scale into `folder`, unless it is there; gives the folder of its Parquet files."""
    home = folder / f"{scale}-{seed}"
    if (home / "done").exists():
        return home
    home.mkdir(parents=True, exist_ok=True)
    _Company(np.random.default_rng(seed), SCALES[scale], home).write()
    (home / "done").touch()
    return home


class _Company:
    def __init__(self, rng: np.random.Generator, size: Scale, home: Path) -> None:
        self.rng, self.size, self.home = rng, size, home

    def write(self) -> None:
        rng, leads = self.rng, self.size.leads
        created = _START + (np.sqrt(rng.random(leads)) * (_END - _START)).astype("int64")
        self.lead_ids = _ids("00Q", leads, rng)
        history, sql = self._lead_history(created)
        ready = np.flatnonzero(sql < _END)
        ready = ready[rng.random(len(ready)) < 0.9][: int(self.size.opportunities * 0.6)]
        converted = sql[ready] + rng.exponential(3 * _DAY, len(ready)).astype("int64")
        ready, converted = ready[converted < _END], converted[converted < _END]
        opps, extra = self.size.opportunities, self.size.opportunities
        opp_of = np.arange(len(ready))
        twice = rng.random(len(ready)) < 0.03
        opp_of[twice] = rng.integers(0, max(len(ready), 1), int(twice.sum()))
        opp_created = _START + (rng.random(opps) * (_END - _START)).astype("int64")
        opp_created[opp_of] = converted
        self.opp_ids, self.contact_ids = _ids("006", opps, rng), _ids("003", len(ready) + extra, rng)
        self._save("lead_stage_history", history)
        self._save("leads", {
            "lead_id": self.lead_ids, "segment": self._pick(SEGMENTS, leads, 0.02), "region": self._pick(REGIONS, leads, 0.02), "owner_id": self._pick(OWNERS, leads, 0.01),
            "created_at": _when(created), "lead_source": self._pick(SOURCES, leads, 0.02), "source_campaign_id": self._pick(CAMPAIGNS, leads, 0.3),
            "is_test": pa.array(rng.random(leads) < 0.005), "converted_at": _when(_at(leads, ready, converted), _END * 2),
            "converted_contact_id": _scatter(self.contact_ids, leads, ready, np.arange(len(ready))), "converted_opportunity_id": _scatter(self.opp_ids, leads, ready, opp_of)})
        contact_created = np.concatenate([converted, _START + rng.integers(0, _END - _START, extra)])
        self._save("contacts", {"contact_id": self.contact_ids, "created_at": _when(contact_created)})
        self._save("opportunities", {
            "opp_id": self.opp_ids, "segment": self._pick(SEGMENTS, opps, 0.02), "type": self._pick(("new_business", "expansion", "renewal"), opps),
            "owner_id": self._pick(OWNERS, opps, 0.01), "created_at": _when(opp_created), "primary_campaign_id": self._pick(CAMPAIGNS, opps, 0.3),
            "region": self._pick(REGIONS, opps, 0.3), "lead_source": self._pick(SOURCES, opps, 0.3)})
        self._save("opp_history", self._opp_history(opp_created))
        role_opp = np.concatenate([opp_of, np.arange(opps), rng.integers(0, opps, opps // 2)])
        role_contact = np.concatenate([np.arange(len(ready)), len(ready) + rng.integers(0, extra, opps), rng.integers(0, len(ready) + extra, opps // 2)])
        self._save("opp_contact_roles", {"opp_id": self.opp_ids.take(role_opp), "contact_id": self.contact_ids.take(role_contact)})
        self._touches(created, ready, contact_created)
        self._save("campaigns", {"campaign_id": pa.array(CAMPAIGNS), "name": pa.array([f"Campaign {name}" for name in CAMPAIGNS])})
        self._save("users", {"user_id": pa.array(OWNERS), "name": pa.array([f"Owner {name}" for name in OWNERS])})

    def _save(self, name: str, columns: dict[str, pa.Array]) -> None:
        pq.write_table(pa.table(columns), self.home / f"{name}.parquet", row_group_size=1_000_000)

    def _pick(self, values: tuple[str, ...], size: int, missing: float = 0.0) -> pa.Array:
        codes = np.minimum((self.rng.random(size) ** 1.3 * len(values)).astype("int32"), len(values) - 1)
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=self.rng.random(size) < missing), pa.array(values))

    def _lead_history(self, created: np.ndarray) -> tuple[dict[str, pa.Array], np.ndarray]:
        """Stage events, and when each lead reached sql (far away if never)."""
        rng, far = self.rng, 2 * _END
        everyone, parts = np.arange(len(created)), []

        def after(who: np.ndarray, at: np.ndarray, days: float, stage: str) -> np.ndarray:
            when = at + (rng.exponential(days * _DAY, len(who)) * (rng.random(len(who)) > 0.02)).astype("int64")  # 2 % at the same second
            parts.append((who, when, stage))
            return when

        def some(share: float, *columns: np.ndarray) -> tuple[np.ndarray, ...]:
            chosen = rng.random(len(columns[0])) < share
            return tuple(column[chosen] for column in columns)

        inquiry = some(0.75, everyone, created)
        after(*inquiry, 0.0, "inquiry")
        mql_who, at = some(0.36, everyone, created)
        mql = after(mql_who, at, 6, "mql")
        fate = rng.random(len(mql_who))
        accepted, dropped = fate < 0.55, (fate >= 0.60) & (fate < 0.85)
        sal_who, sal = mql_who[accepted], after(mql_who[accepted], mql[accepted], 0.7, "sal")
        back_who, back = mql_who[dropped], mql[dropped]
        gone = rng.random(len(back_who)) < 0.4
        after(back_who[gone], back[gone], 4, "disqualified")
        recycled = after(back_who[~gone], back[~gone], 8, "recycled")
        again_who, again = some(0.3, back_who[~gone], recycled)
        again = after(again_who, again, 60, "mql")
        second_who, second = some(0.4, again_who, again)
        second = after(second_who, second, 0.7, "sal")
        skipped = (fate >= 0.55) & (fate < 0.60)  # straight from mql to sql
        sql_who, at = some(0.62, np.concatenate([sal_who, second_who]), np.concatenate([sal, second]))
        sql_who, at = np.concatenate([sql_who, mql_who[skipped]]), np.concatenate([at, mql[skipped]])
        sql = after(sql_who, at, 5, "sql")
        slid_who, slid = some(0.03, sql_who, sql)
        after(slid_who, slid, 2, "mql")  # a step back
        who, when, stage = (np.concatenate([np.full(len(p[0]), k) if j == 2 else p[j] for k, p in enumerate(parts)]) for j in (0, 1, 2))
        keep = (when < _END) | (rng.random(len(when)) < 0.01)
        shuffled = np.flatnonzero(keep)[rng.permutation(int(keep.sum()))]
        words = pa.array([p[2] for p in parts]).dictionary_encode()
        reached = np.full(len(created), far)
        np.minimum.at(reached, sql_who, sql)
        return {"event_id": _ids("017", len(shuffled), rng), "lead_id": self.lead_ids.take(who[shuffled]),
                "stage": pa.DictionaryArray.from_arrays(words.indices.take(pa.array(stage[shuffled])), words.dictionary), "entered_at": _when(when[shuffled])}, reached

    def _opp_history(self, created: np.ndarray) -> dict[str, pa.Array]:
        rng, n = self.rng, len(created)
        opp, at, rank = np.arange(n), created.copy(), (rng.random(n) < 0.3).astype("int64")
        amount = np.round(np.exp(rng.normal(9.5, 1.0, n)), 2)
        close = created // _DAY + rng.integers(20, 200, n)
        parts = [(opp, at, rank, amount, close)]
        for _ in range(7):
            go = rng.random(len(opp)) < np.where(rank >= 4, 0.02, 0.88)
            opp, at, rank, amount, close = opp[go], at[go], rank[go], amount[go].copy(), close[go].copy()
            at = at + (rng.exponential(22 * _DAY, len(opp)) * (rng.random(len(opp)) > 0.01)).astype("int64")
            dice, more = rng.random(len(opp)), rng.random(len(opp))
            step = np.where(dice < 0.15, 0, np.where(dice < 0.20, -1, np.where(dice < 0.30, 2, 1)))
            new = np.clip(rank + step, 0, 4)
            new = np.where((new < 4) & (more < 0.10), 5, np.where((new == 4) & (more < 0.45), 5, new))
            rank = np.where(rank >= 4, 1, new)
            changed = rng.random(len(opp)) < 0.3
            amount[changed] = np.round(amount[changed] * np.exp(rng.normal(0, 0.2, int(changed.sum()))), 2)
            close = np.where(rank >= 4, at // _DAY, np.where(changed, close + rng.integers(0, 60, len(opp)), close))
            parts.append((opp, at, rank, amount, close))
        opp, at, rank, amount, close = (np.concatenate([p[k] for p in parts]) for k in range(5))
        keep = np.flatnonzero((at < _END) | (rng.random(len(at)) < 0.01))
        keep = keep[rng.permutation(len(keep))]
        return {"event_id": _ids("008", len(keep), rng), "opp_id": self.opp_ids.take(opp[keep]), "changed_at": _when(at[keep]),
                "stage": pa.DictionaryArray.from_arrays(pa.array(rank[keep].astype("int32")), pa.array(STAGES)),
                "amount": pa.array(amount[keep], mask=rng.random(len(keep)) < 0.01),
                "close_date": pa.array((close[keep] * _DAY * 1_000_000).astype("datetime64[us]"))}

    def _touches(self, created: np.ndarray, ready: np.ndarray, contact_created: np.ndarray) -> None:
        rng, n = self.rng, self.size.touches
        kind = rng.random(n)
        lead = np.where(kind < 0.45, rng.integers(0, len(created), n), ready[rng.integers(0, max(len(ready), 1), n)])
        contact = rng.integers(0, len(contact_created), n)
        is_lead = kind < 0.75
        person = np.where(is_lead, lead, len(created) + contact)
        at = np.where(is_lead, created[lead], contact_created[contact]) + (rng.normal(-10, 90, n) * _DAY).astype("int64")
        tied = rng.random(n) < 0.002
        at[tied] = np.roll(at, 1)[tied]
        person[tied] = np.roll(person, 1)[tied]
        order = rng.permutation(n) if n < 2_000_000 else np.arange(n)
        people = pa.chunked_array([self.lead_ids, self.contact_ids])
        self._save("touches", {"touch_id": _ids("00v", n, rng), "person_id": people.take(pa.array(person[order])), "campaign_id": self._pick(CAMPAIGNS, n),
                               "occurred_at": _when(np.minimum(at[order], _END + 30 * _DAY)), "is_response": pa.array(rng.random(n) < 0.8),
                               "owner_function": self._pick(("marketing", "sales", "cs"), n, 0.01)})


def _ids(prefix: str, n: int, rng: np.random.Generator) -> pa.Array:
    """n different ids of 15 characters, in no order."""
    number = (np.arange(n, dtype="int64") * 7_919 + int(rng.integers(1, 1_000))) * 13 % 999_999_999_989
    number = number[rng.permutation(n)] if n < 4_000_000 else number
    text = pc.utf8_lpad(pa.array(number).cast(pa.large_string()), 12, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix, pa.large_string()), text, pa.scalar("", pa.large_string()))


def _when(seconds: np.ndarray, never: int = 2**62) -> pa.Array:
    return pa.array((seconds * 1_000_000).astype("datetime64[us]"), type=pa.timestamp("us", "UTC"), mask=seconds >= never)


def _at(n: int, where: np.ndarray, value: np.ndarray) -> np.ndarray:
    out = np.full(n, _END * 2)
    out[where] = value
    return out


def _scatter(values: pa.Array, n: int, where: np.ndarray, place: np.ndarray) -> pa.Array:
    index = np.zeros(n, dtype="int64")
    index[where] = place
    mask = np.ones(n, dtype=bool)
    mask[where] = False
    return values.take(pa.array(index, mask=mask))


def extract(home: Path) -> CrmData:
    """The Parquet files as revscore takes them: columns when they are asked for, words of few kinds as the codes that Parquet has them in."""
    columns = {file.stem: tuple(pq.read_schema(file).names) for file in sorted(home.glob("*.parquet"))}

    def read(name: str, wanted: tuple[str, ...] | None) -> pd.DataFrame:
        chosen = list(columns[name] if wanted is None else wanted)
        coded = [one for one in chosen if one in _CODED and wanted is not None]
        table = pq.read_table(home / f"{name}.parquet", columns=chosen, read_dictionary=coded, use_threads=True)
        plain = {field.name: field.type.value_type for field in table.schema if pa.types.is_dictionary(field.type) and field.name not in coded}
        table = table.cast(pa.schema([(field.name, plain.get(field.name, field.type)) for field in table.schema])) if plain else table
        return table.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get, self_destruct=True, split_blocks=True)

    def pieces(name: str, wanted: tuple[str, ...]) -> Iterator[pd.DataFrame]:
        file = pq.ParquetFile(home / f"{name}.parquet")
        for batch in file.iter_batches(frames.PART_ROWS, columns=list(wanted)):  # as long as those that a store has
            pa.default_memory_pool().release_unused()
            yield batch.to_pandas()

    return CrmData(Shelf(columns, read, pieces=pieces, release=frames.release), AS_OF)
