"""Headline metrics as hand-written SQL on SQLite, each a query that can be read on its own.

`database(x)` puts an extract's canonical tables as they are into an empty database: instants as microseconds since 1970 in UTC, dates as ISO
text. Beside them stand the words of the definitions (`path`, `exits`, `stages`, `rates`, `definition`) and a few steps on the way; the function `day(at)` is the local date of an instant.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from revscore.core import schema
from revscore.core.coded import Coded

STEPS = """
-- C2: nothing after as-of exists. F0: neither tests nor merged leads.
create table f0 as select lead_id, segment, case when converted_at <= (select as_of from definition) then converted_at end as converted_at, converted_opportunity_id as opp_id
  from leads where not coalesce(is_test, 0) and coalesce(duplicate_of, '') = '';

-- Events of a lead in their order (C5): time, rank with exits last, id. A conversion is the event of stage `opportunity`.
create table lead_event as
  select e.*, row_number() over (partition by lead_id order by at, rank, event_id) as place from (
    select h.lead_id, h.event_id, h.stage, h.entered_at as at, p.rank, 0 as is_exit from lead_stage_history h join path p using (stage)
    union all select h.lead_id, h.event_id, h.stage, h.entered_at, x.rank, 1 from lead_stage_history h join exits x using (stage)
    union all select lead_id, '', 'opportunity', converted_at, (select rank from path where stage = 'opportunity'), 0 from f0 where converted_at is not null) e
  where at <= (select as_of from definition) and lead_id in (select lead_id from f0);
create index lead_event_key on lead_event (lead_id, place);

-- F1, F2: a stage at or after the entry stage is reached with the first event at or beyond it; skipped stages are imputed.
create table reached as
  select e.lead_id, p.stage, e.at, e.stage <> p.stage as imputed from path p join lead_event e on not e.is_exit and e.rank >= p.rank
  where p.stage <> 'won'
    and p.rank >= (select f.rank from lead_event f where f.lead_id = e.lead_id and not f.is_exit order by f.place limit 1)
    and e.place = (select min(g.place) from lead_event g where g.lead_id = e.lead_id and not g.is_exit and g.rank >= p.rank);
create index reached_key on reached (lead_id);

-- F5: an exit ends a pass, the next event on the path opens the next one.
create table passes as
  select l.*, sum(opens) over (partition by lead_id order by place) as pass from (
    select *, not is_exit and coalesce(lag(is_exit) over (partition by lead_id order by place), 1) as opens from lead_event) l;
create index passes_key on passes (lead_id, pass);

-- O1: pipeline deals that are no mistakes, with the state after each of their changes, in order.
create table o1 as select o.*, coalesce(r.rate, case when o.currency = (select corporate from definition) then 1.0 end, 0.0) as rate
  from opportunities o left join rates r using (currency)
  where created_at <= (select as_of from definition) and type in (select type from pipeline_types)
    and coalesce(loss_reason, '') not in (select reason from excluded_reasons);
create table change as
  select h.opp_id, h.changed_at as at, s.rank, s.kind, coalesce(h.amount, 0) * o.rate as value, h.close_date, h.forecast_category as category,
         s.kind = 'open' and s.rank >= (select entry_rank from definition) and coalesce(h.forecast_category, '') <> (select omitted from definition) as eligible,
         row_number() over (partition by h.opp_id order by h.changed_at, s.rank, h.event_id) as place
  from opp_history h join stages s using (stage) join o1 o using (opp_id) where h.changed_at <= (select as_of from definition);
create index change_key on change (opp_id, place);

-- The present state of a deal, its way into the pipeline (P1), and the start of its last uninterrupted win.
create table now as select c.* from change c where place = (select max(place) from change d where d.opp_id = c.opp_id);
create index now_key on now (opp_id);
create table entry as select c.* from change c where place = (
  select min(place) from change d where d.opp_id = c.opp_id and d.rank >= (select entry_rank from definition) and d.kind <> 'lost');
create index entry_key on entry (opp_id);
create table win as select n.opp_id, min(c.at) as at from now n join change c using (opp_id)
  where n.kind = 'won' and c.place > coalesce((select max(place) from change d where d.opp_id = n.opp_id and d.kind <> 'won'), 0) group by n.opp_id;
create index win_key on win (opp_id);
"""


def database(x: Coded) -> sqlite3.Connection:
    """The tables of an extract and the words of its definitions in a database in memory."""
    terms, db = x.terms, sqlite3.connect(":memory:")
    db.row_factory = sqlite3.Row
    zone, day_zero = ZoneInfo(terms.reporting_tz), datetime(1970, 1, 1, tzinfo=UTC)
    db.create_function("day", 1, lambda at: None if at is None else (day_zero + timedelta(microseconds=at)).astimezone(zone).date().isoformat(), deterministic=True)
    for name in ("leads", "lead_stage_history", "opportunities", "opp_history", "fx_rates", "arr_ledger"):
        _store(db, name, x)

    def words(table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
        db.execute(f"create table {table} ({columns})")
        db.executemany(f"insert into {table} values ({', '.join('?' * len(columns.split(',')))})", rows)

    words("definition", "as_of, today, corporate, entry_rank, omitted", [(x.as_of, _iso(x.as_of_day), terms.corporate_currency, terms.pipeline_entry_rank, terms.omitted_category)])
    words("path", "stage, rank", [(stage, rank) for rank, stage in enumerate(terms.lead_stages)])
    words("exits", "stage, rank", [(stage, 100 + rank) for rank, stage in enumerate(terms.lead_exit_stages)])
    words("stages", "stage, rank, kind", [*((stage, rank, "open") for rank, stage in enumerate(terms.opp_open_stages)), (terms.opp_won_stage, 1000, "won"), (terms.opp_lost_stage, 1001, "lost")])
    words("pipeline_types", "type", [(t,) for t in terms.pipeline_types])
    words("excluded_reasons", "reason", [(r,) for r in terms.excluded_loss_reasons])
    db.execute("""create table rates as select currency, rate_to_corp as rate from fx_rates f where kind = 'corporate' and start_date = (
                  select max(start_date) from fx_rates g where g.kind = 'corporate' and g.currency = f.currency and g.start_date <= (select today from definition))""")
    db.executescript(STEPS)
    return db


def _iso(day: int) -> str:
    return (datetime(1970, 1, 1) + timedelta(days=int(day))).date().isoformat()


def _store(db: sqlite3.Connection, name: str, x: Coded) -> None:
    frame, columns = x.data.table(name), schema.TABLES[name].columns
    plain = {}
    for column in columns:
        values = frame[column.name]
        if column.type == "ts":
            plain[column.name] = [None if missing else int(at) for at, missing in zip(values.dt.as_unit("us").astype("int64"), values.isna(), strict=True)]
        elif column.type == "date":
            plain[column.name] = [None if missing else str(day)[:10] for day, missing in zip(values, values.isna(), strict=True)]
        else:
            plain[column.name] = [None if missing else (float(v) if column.type == "num" else int(v) if column.type == "bool" else str(v))
                                  for v, missing in zip(values, values.isna(), strict=True)]
    db.execute(f"create table {name} ({', '.join(plain)})")
    db.executemany(f"insert into {name} values ({', '.join('?' * len(plain))})", list(zip(*plain.values(), strict=True)))
