"""The five questions in DuckDB: facts tables prepared once from the Parquet files, dimensions as ENUMs, rows in date order, one query a question."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from revscore.core.calendars import day_number
from revscore.core.clocks import hours
from tests.bench import company
from tests.bench.questions import Filter, MODELS

_AS_OF = f"TIMESTAMP '{company.AS_OF:%Y-%m-%d %H:%M:%S}'"
_DIMS = ("segment", "region", "owner", "source", "campaign")
_KINDS = {"segment": company.SEGMENTS, "region": company.REGIONS, "owner": company.OWNERS, "source": company.SOURCES, "campaign": company.CAMPAIGNS,
          "stage": company.STAGES}
_PAIRS = tuple((pair, *(company.TERMS.lead_stages.index(stage) for stage in pair.split("->")), days) for pair, days in company.TERMS.conversion_window_days)
_TARGET = 240


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection with the facts of all five questions."""
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'; SET threads = 2; SET preserve_insertion_order = true")
    for name, values in _KINDS.items():
        db.execute(f"CREATE TYPE {name}_t AS ENUM ({', '.join(repr(v) for v in values)})")
    for table in ("leads", "lead_stage_history", "contacts", "opportunities", "opp_history", "opp_contact_roles", "touches"):
        db.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{(folder / table).as_posix()}.parquet', file_row_number = true)")
    db.register("hours", _hours())
    for statement in _BUILD.split(";"):
        if statement.strip():
            db.execute(statement)
    db.unregister("hours")
    return db


def _hours() -> pa.Table:
    """Open intervals of every calendar, with the open time before each: the same table that revscore reckons with."""
    parts = []
    for name in ("EAST", "LONDON", "BERLIN"):
        table = hours(company.TERMS.windows_of(name), [d for n, d in company.TERMS.holidays if n == name], day_number("2022-12-25"), day_number("2026-02-01"))
        length = table.ends[1:] - table.starts[1:]
        parts.append(pa.table({"calendar": [name] * len(length), "s": table.starts[1:], "e": table.ends[1:], "b": table.before[1:-1]}))
    return pa.concat_tables(parts)


_PAIR_ROWS = " UNION ALL ".join(
    f"SELECT lid, {number} AS pair, r{a} AS start_at, (r{b} IS NOT NULL AND r{b} - r{a} <= INTERVAL {days} DAY) AS went, ({_AS_OF} - r{a} >= INTERVAL {days} DAY) AS mature, terminal "
    f"FROM reached WHERE r{a} IS NOT NULL" for number, (_, a, b, days) in enumerate(_PAIRS))
_BUILD = f"""
CREATE TABLE lead AS SELECT lead_id, file_row_number::INT lid, segment::segment_t segment, region::region_t region, owner_id::owner_t owner, lead_source::VARCHAR source_text,
    source_campaign_id::campaign_t campaign, created_at::TIMESTAMP created, is_test, CASE WHEN converted_at <= {_AS_OF} THEN converted_at::TIMESTAMP END converted,
    converted_contact_id contact_id, converted_opportunity_id opp_id FROM leads;
CREATE TABLE opp AS SELECT o.opp_id, o.file_row_number::INT oid, o.segment::segment_t segment, coalesce(o.region::VARCHAR, l.region::VARCHAR)::region_t region, o.owner_id::owner_t owner,
    coalesce(o.lead_source::VARCHAR, l.source_text) source_text, o.primary_campaign_id::campaign_t campaign, o.created_at::TIMESTAMP created, o.type IN ('new_business', 'expansion') in_o1
    FROM opportunities o LEFT JOIN (SELECT opp_id, arg_min(region::VARCHAR, lid) FILTER (lid = first_lid) region, arg_min(source_text, lid) FILTER (lid = first_lid) source_text
        FROM (SELECT *, min(lid) OVER (PARTITION BY opp_id) first_lid FROM lead WHERE opp_id IS NOT NULL) GROUP BY opp_id) l USING (opp_id);
CREATE TYPE source_t2 AS ENUM (SELECT DISTINCT source_text FROM lead WHERE source_text IS NOT NULL ORDER BY 1);
CREATE TABLE change AS SELECT oid, changed_at::TIMESTAMP AS moment, CASE stage::VARCHAR {' '.join(f"WHEN '{stage}' THEN {rank}" for rank, stage in enumerate(company.STAGES))} END::TINYINT rank,
    coalesce(amount, 0) amount, close_date::DATE close_date, event_id FROM opp_history JOIN (SELECT opp_id, oid FROM opp) USING (opp_id) WHERE changed_at <= {_AS_OF};
CREATE TABLE seq AS SELECT oid, moment, rank, amount, close_date, row_number() OVER w n, lead(moment) OVER w until_at, lag(rank) OVER w was FROM change WINDOW w AS (PARTITION BY oid ORDER BY moment, rank, event_id);
CREATE TABLE deal AS SELECT o.oid, o.in_o1, e.* EXCLUDE (oid), o.created FROM opp o LEFT JOIN (SELECT oid, arg_max(rank, n) rank, arg_max(amount, n) amount, arg_max(close_date, n) close_date,
    arg_min(moment, n) FILTER (rank BETWEEN 1 AND 4) entry_at, arg_min(amount, n) FILTER (rank BETWEEN 1 AND 4) entry_amount, max(n) FILTER (rank < 4) last_open, max(n) FILTER (rank <> 4) last_not_won
    FROM seq GROUP BY oid) e USING (oid);
CREATE TABLE spell AS SELECT oid, min(moment) FILTER (d.rank >= 4 AND n > coalesce(last_open, 0)) closed_at, min(moment) FILTER (d.rank = 4 AND n > coalesce(last_not_won, 0)) won_at FROM seq JOIN deal d USING (oid) GROUP BY oid;

CREATE TABLE ev AS SELECT lid, moment, rank, rank >= 6 is_exit, row_number() OVER (PARTITION BY lid ORDER BY moment, rank, event_id) n FROM (
    SELECT l.lid, entered_at::TIMESTAMP AS moment, CASE stage::VARCHAR WHEN 'inquiry' THEN 0 WHEN 'mql' THEN 1 WHEN 'sal' THEN 2 WHEN 'sql' THEN 3 WHEN 'recycled' THEN 6 ELSE 7 END::TINYINT rank, event_id
    FROM lead_stage_history JOIN (SELECT lead_id, lid FROM lead) l USING (lead_id) WHERE entered_at <= {_AS_OF});
CREATE TABLE path AS SELECT lid, moment, rank FROM ev WHERE NOT is_exit UNION ALL SELECT lid, converted, 4 FROM lead WHERE converted IS NOT NULL
    UNION ALL SELECT l.lid, greatest(won_at, converted), 5 FROM lead l JOIN opp o USING (opp_id) JOIN spell s USING (oid) WHERE converted IS NOT NULL AND won_at IS NOT NULL;
CREATE TABLE reached AS SELECT lid, {', '.join(f'CASE WHEN entry <= {s} THEN m{s} END r{s}' for s in range(6))}, coalesce(last_rank >= 6 AND NOT coalesce(l.converted > last_at, false), false) OR coalesce(d.rank = 5, false) terminal
    FROM (SELECT lid, arg_min(rank, (moment, rank)) entry, {', '.join(f'min(moment) FILTER (rank >= {s}) m{s}' for s in range(6))} FROM path GROUP BY lid)
    JOIN lead l USING (lid) LEFT JOIN (SELECT lid, arg_max(rank, n) last_rank, arg_max(moment, n) last_at FROM ev GROUP BY lid) USING (lid) LEFT JOIN opp o ON l.opp_id = o.opp_id AND l.converted IS NOT NULL LEFT JOIN deal d USING (oid)
    WHERE NOT l.is_test;
CREATE TABLE funnel AS SELECT start_at::DATE AS day, date_trunc('month', start_at)::DATE AS month, pair::UTINYINT pair, segment, region, owner, source_text::source_t2 AS source, campaign, went::UTINYINT converted, mature::UTINYINT mature,
    (went AND mature)::UTINYINT converted_mature, (NOT went AND NOT mature AND NOT terminal)::UTINYINT still_open FROM ({_PAIR_ROWS}) JOIN lead USING (lid) ORDER BY day;

CREATE TABLE visit AS SELECT v.start_at::DATE AS day, v.rank::UTINYINT stage, segment, region, owner, source_text::source_t2 AS source, campaign, epoch_us(coalesce(until_at, {_AS_OF})) - epoch_us(v.start_at) AS length, (until_at IS NOT NULL) AS ended
    FROM (SELECT oid, rank, moment start_at, lead(moment) OVER (PARTITION BY oid ORDER BY n) until_at, n FROM seq WHERE was IS DISTINCT FROM rank) v JOIN opp USING (oid) WHERE rank < 4 AND in_o1
    QUALIFY row_number() OVER (PARTITION BY v.oid, v.rank ORDER BY v.n) = 1 ORDER BY day;

CREATE TABLE round AS SELECT *, sum(opens) OVER (PARTITION BY lid ORDER BY n) pass FROM (SELECT *, (NOT is_exit AND coalesce(lag(is_exit) OVER (PARTITION BY lid ORDER BY n), false))::INT opens FROM ev);
CREATE TABLE handoff AS SELECT p.lid, mql_at AS start_at, least(min(r.moment), CASE WHEN l.converted >= any_value(mql_at) AND l.converted >= any_value(head_at) AND (any_value(next_at) IS NULL OR l.converted < any_value(next_at)) THEN l.converted END) stop_at
    FROM (SELECT lid, pass, min(n) FILTER (rank = 1) mql_n, arg_min(moment, n) FILTER (rank = 1) mql_at, arg_min(moment, n) head_at, lead(arg_min(moment, n)) OVER (PARTITION BY lid ORDER BY pass) next_at FROM round GROUP BY lid, pass) p
    JOIN lead l USING (lid) LEFT JOIN round r ON r.lid = p.lid AND r.pass = p.pass AND r.n > p.mql_n AND (r.is_exit OR r.rank >= 2) WHERE mql_n IS NOT NULL AND NOT is_test GROUP BY p.lid, p.pass, mql_at, l.converted;
CREATE TABLE clock AS SELECT row_number() OVER () k, lid, epoch_us(start_at) s, epoch_us(coalesce(stop_at, {_AS_OF})) u, stop_at IS NOT NULL AS stopped,
    CASE region::VARCHAR {' '.join(f"WHEN '{region}' THEN '{name}'" for region, name in company.TERMS.region_calendars)} ELSE 'EAST' END calendar, segment, region, owner, source_text, campaign FROM handoff JOIN lead USING (lid);
CREATE TABLE run AS SELECT k, h.b + least(c.s, h.e) - h.s AS opened, calendar FROM clock c ASOF JOIN hours h USING (calendar, s);
CREATE TABLE run2 AS SELECT k, h.b + least(c.u, h.e) - h.s AS closed FROM clock c ASOF JOIN hours h ON c.calendar = h.calendar AND c.u >= h.s;
CREATE TABLE due AS SELECT k, h.s + (opened + {_TARGET * 60_000_000}) - h.b AS due FROM run r ASOF JOIN hours h ON r.calendar = h.calendar AND r.opened + {_TARGET * 60_000_000} > h.b;
CREATE TABLE sla AS SELECT make_timestamp(due)::DATE AS day, date_trunc('week', make_timestamp(due))::DATE AS week, segment, region, owner, source_text::source_t2 AS source, campaign,
    (counted AND stopped AND NOT late)::UTINYINT met, counted::UTINYINT counted FROM (SELECT *, (stopped OR late) AND due <= epoch_us({_AS_OF}) AS counted FROM (
    SELECT c.*, due, closed - opened > {_TARGET * 60_000_000} AS late FROM clock c JOIN run USING (k) JOIN run2 USING (k) JOIN due USING (k))) ORDER BY day;

CREATE TABLE person AS SELECT contact_id AS id, contact_id AS canonical, bool_or(coalesce(l.is_test, false)) AS test FROM contacts LEFT JOIN (SELECT contact_id, is_test FROM lead WHERE converted IS NOT NULL) l USING (contact_id) GROUP BY contact_id
    UNION ALL SELECT lead_id, CASE WHEN converted IS NOT NULL THEN coalesce(contact_id, lead_id) ELSE lead_id END, is_test FROM lead;
CREATE TABLE role AS SELECT DISTINCT oid, r.contact_id FROM opp_contact_roles r JOIN opp USING (opp_id) JOIN person p ON p.id = r.contact_id WHERE in_o1 AND NOT p.test;
CREATE TABLE touch AS SELECT person, campaign, moment, touch_id FROM (SELECT p.canonical person, t.campaign_id::campaign_t campaign, t.occurred_at::TIMESTAMP AS moment, touch_id FROM touches t JOIN person p ON p.id = t.person_id
    WHERE t.occurred_at <= {_AS_OF} AND is_response AND owner_function = 'marketing' AND NOT p.test AND p.canonical IN (SELECT contact_id FROM role))
    QUALIFY row_number() OVER (PARTITION BY person, campaign, moment::DATE ORDER BY moment, touch_id) = 1;
CREATE TABLE leg AS SELECT oid, campaign, moment, moment <= create_end AS early, row_number() OVER (PARTITION BY oid ORDER BY moment, touch_id) n, max(moment) FILTER (moment <= create_end) OVER (PARTITION BY oid) last_early, max(moment) OVER (PARTITION BY oid) last_at,
    count(*) OVER (PARTITION BY oid) c, count(*) FILTER (moment <= create_end) OVER (PARTITION BY oid) ce FROM
    (SELECT r.oid, t.*, least(d.created, coalesce(closed_at, {_AS_OF})) create_end FROM role r JOIN touch t ON t.person = r.contact_id JOIN deal d USING (oid) LEFT JOIN spell s USING (oid)
     WHERE t.moment >= d.created - INTERVAL 365 DAY AND t.moment <= coalesce(closed_at, {_AS_OF}));
CREATE TABLE weighed AS SELECT oid, campaign, (n = 1 AND early)::INT ft, early::INT / nullif(ce, 0) lin_c, 1.0 / c lin_w, CASE WHEN early THEN exp2_c / sum(exp2_c) OVER (PARTITION BY oid) ELSE 0 END td_c, exp2_w / sum(exp2_w) OVER (PARTITION BY oid) td_w, ce FROM (
    SELECT *, CASE WHEN early THEN pow(2.0, -(epoch_us(last_early) - epoch_us(moment)) / (30 * 86400e6)) ELSE 0 END exp2_c, pow(2.0, -(epoch_us(last_at) - epoch_us(moment)) / (30 * 86400e6)) exp2_w FROM leg);
CREATE TABLE share AS SELECT oid, campaign::VARCHAR campaign, sum(ft) ft, sum(lin_c) lin_c, sum(lin_w) lin_w, sum(td_c) td_c, sum(td_w) td_w FROM weighed GROUP BY oid, campaign
    UNION ALL SELECT d.oid, '(no marketing touch)', 1, 1, (w.oid IS NULL)::INT, 1, (w.oid IS NULL)::INT FROM deal d LEFT JOIN (SELECT oid, max(ce) ce FROM weighed GROUP BY oid) w USING (oid) WHERE in_o1 AND coalesce(ce, 0) = 0;
CREATE TYPE credit_t AS ENUM (SELECT campaign FROM share GROUP BY 1 ORDER BY 1);
CREATE TABLE credit AS SELECT basis::UTINYINT basis, day, campaign::credit_t campaign, segment, region, owner, source_text::source_t2 AS source, first_touch, linear, time_decay FROM (
    SELECT 0 basis, entry_at::DATE AS day, oid, s.campaign, ft * entry_amount first_touch, lin_c * entry_amount linear, td_c * entry_amount time_decay FROM share s JOIN deal USING (oid) WHERE in_o1 AND entry_at IS NOT NULL
    UNION ALL SELECT 1, close_date, oid, s.campaign, ft * amount, lin_w * amount, td_w * amount FROM share s JOIN deal d USING (oid) WHERE in_o1 AND d.rank = 4) JOIN (SELECT oid, segment, region, owner, source_text FROM opp) USING (oid) ORDER BY day;

CREATE TABLE span AS SELECT oid, moment, coalesce(until_at, TIMESTAMP '2200-01-01') AS till, rank, amount, rank BETWEEN 1 AND 3 AS eligible, entry_at, entry_amount, segment, region, owner, source_text::source_t2 AS source, campaign, n
    FROM seq JOIN (SELECT oid, in_o1, entry_at, entry_amount FROM deal) USING (oid) JOIN (SELECT oid, segment, region, owner, source_text, campaign FROM opp) USING (oid) WHERE in_o1 ORDER BY moment;
DROP TABLE change; DROP TABLE seq; DROP TABLE ev; DROP TABLE path; DROP TABLE reached; DROP TABLE round; DROP TABLE handoff; DROP TABLE clock; DROP TABLE run; DROP TABLE run2; DROP TABLE due; DROP TABLE person; DROP TABLE role;
DROP TABLE touch; DROP TABLE leg; DROP TABLE weighed; DROP TABLE share; DROP TABLE deal; DROP TABLE spell; DROP TABLE lead; DROP TABLE opp
"""


def facts_bytes(db: duckdb.DuckDBPyConnection) -> int:
    return db.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone()[0]


def _where(chosen: Filter, day: str | None = "day") -> str:
    parts = [f"{name} IN ({', '.join(repr(v) for v in values)})" for name, values in chosen.where]
    if day and chosen.period:
        parts += [f"{day} >= DATE '{np.datetime64(chosen.period[0], 'D')}'", f"{day} < DATE '{np.datetime64(chosen.period[1], 'D')}'"]
    return " AND ".join(parts) or "true"


def funnel(db, chosen: Filter) -> dict[str, np.ndarray]:
    return db.execute(f"""SELECT month, pair, segment, sum(converted_mature) num, sum(mature) den, count(*) n, sum(converted) converted, sum(still_open) still_open
        FROM funnel WHERE {_where(chosen)} GROUP BY month, pair, segment""").fetchnumpy()


def duration(db, chosen: Filter) -> dict[str, np.ndarray]:
    quantiles = ", ".join(f"min(length) FILTER (s <= {1 - p} + 1e-9) {name}" for name, p in (("median", 0.5), ("p75", 0.75), ("p90", 0.9)))
    return db.execute(f"""WITH k AS (SELECT stage, length, count(*) c, count_if(ended) d FROM visit WHERE {_where(chosen)} GROUP BY stage, length),
        w AS (SELECT stage, length, d, sum(c) OVER (PARTITION BY stage ORDER BY length DESC) r FROM k),
        s AS (SELECT stage, length, exp(sum(CASE WHEN d = r THEN -99 ELSE ln(1 - d / r) END) OVER (PARTITION BY stage ORDER BY length)) s FROM w WHERE d > 0),
        q AS (SELECT stage, {quantiles} FROM s GROUP BY stage)
        SELECT k.stage, sum(c) n, sum(d) events, any_value(median) median, any_value(p75) p75, any_value(p90) p90 FROM k LEFT JOIN q USING (stage) GROUP BY k.stage""").fetchnumpy()


def sla(db, chosen: Filter) -> dict[str, np.ndarray]:
    return db.execute(f"SELECT week, region, sum(met) num, sum(counted) den, count(*) n FROM sla WHERE {_where(chosen)} GROUP BY week, region").fetchnumpy()


def attribution(db, chosen: Filter) -> dict[str, np.ndarray]:
    return db.execute(f"SELECT basis, campaign, {', '.join(f'sum({m}) {m}' for m in MODELS)} FROM credit WHERE {_where(chosen)} GROUP BY basis, campaign").fetchnumpy()


def bridge(db, chosen: Filter, t0: int, t1: int) -> dict[str, np.ndarray]:
    a, b = f"make_timestamp({t0})", f"make_timestamp({t1})"
    return db.execute(f"""WITH f AS (SELECT oid, rank, amount, eligible, entry_at, entry_amount, moment, till, n FROM span WHERE moment <= {b} AND till > {a} AND {_where(chosen, None)}),
        d AS (SELECT oid, any_value(entry_at) entry_at, any_value(entry_amount) entry_amount, max(rank) FILTER (moment <= {a}) ra, max(amount) FILTER (moment <= {a}) aa, bool_or(eligible) FILTER (moment <= {a}) ea,
            max(rank) FILTER (till > {b}) rb, max(amount) FILTER (till > {b}) ab, bool_or(eligible) FILTER (till > {b}) eb, arg_min(amount, n) FILTER (moment > {a} AND rank < 4) reopened FROM f GROUP BY oid),
        e AS (SELECT *, coalesce(ea, false) s, coalesce(eb, false) e, CASE WHEN ea THEN 0 WHEN entry_at > {a} AND entry_at <= {b} THEN 1 WHEN ra >= 4 AND reopened IS NOT NULL THEN 2 WHEN ra < 4 AND NOT ea THEN 4 ELSE -1 END entry FROM d),
        g AS (SELECT *, CASE entry WHEN 0 THEN aa WHEN 1 THEN entry_amount WHEN 2 THEN reopened ELSE aa END base, (s OR (entry > 0 AND (e OR (NOT s AND (rb = 4 OR (rb = 5 AND entry <= 2)))))) there FROM e)
        SELECT sum(aa) FILTER (s) open_start, sum(base) FILTER (there AND entry = 1) created, sum(base) FILTER (there AND entry = 2) reopened, sum(base) FILTER (there AND entry = 4) other_in,
            sum(ab - base) FILTER (there AND ab > base) increased, sum(base - ab) FILTER (there AND ab < base) decreased, sum(ab) FILTER (there AND NOT e AND rb = 4) won, sum(ab) FILTER (there AND NOT e AND rb = 5) lost,
            sum(ab) FILTER (there AND NOT e AND rb < 4) other_out, sum(ab) FILTER (e) open_end FROM g""").fetchnumpy()
