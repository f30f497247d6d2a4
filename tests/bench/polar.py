"""The five questions in Polars, on the same facts tables as DuckDB (handed over by Arrow, in date order, dimensions as enums), one lazy query a question."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import numpy as np
import polars as pl

from tests.bench.questions import MODELS, Filter

Tables = dict[str, pl.DataFrame]
_SORTED = {"funnel": "day", "visit": "day", "sla": "day", "credit": "day", "span": "moment"}


def tables(db: duckdb.DuckDBPyConnection) -> Tables:
    out = {}
    for name, key in _SORTED.items():
        frame = pl.from_arrow(db.cursor().sql(f"SELECT * FROM {name}").to_arrow_table()).rechunk()
        kinds = {column: pl.Enum(db.execute(f"SELECT enum_range(NULL::{kind})").fetchall()[0][0]) for column, kind in db.execute(
            f"SELECT column_name, column_type FROM (DESCRIBE {name})").fetchall() if kind.startswith("ENUM")}
        out[name] = frame.with_columns(pl.col(column).cast(kind) for column, kind in kinds.items()).with_columns(pl.col(key).set_sorted())
    return out


def _kept(frame: pl.DataFrame, chosen: Filter, day: str | None = "day") -> pl.LazyFrame:
    lazy = frame.lazy()
    if day and chosen.period:  # rows are in date order: a period is a slice
        start, end = (frame[day].search_sorted(np.datetime64(d, "D").item()) for d in chosen.period)
        lazy = frame.slice(start, end - start).lazy()
    for name, values in chosen.where:
        lazy = lazy.filter(pl.col(name).is_in(pl.Series(values, dtype=frame.schema[name])) if len(values) > 1 else pl.col(name) == pl.lit(values[0], dtype=frame.schema[name]))
    return lazy


def _columns(frame: pl.DataFrame) -> dict[str, np.ndarray]:
    return {name: frame[name].cast(pl.String).to_numpy() if frame.schema[name] in (pl.Date,) or frame.schema[name].base_type() in (pl.Enum, pl.Categorical)
            else frame[name].to_numpy() for name in frame.columns}


def funnel(t: Tables, chosen: Filter) -> Mapping[str, np.ndarray]:
    return _columns(_kept(t["funnel"], chosen).group_by("month", "pair", "segment").agg(
        num=pl.col("converted_mature").cast(pl.UInt32).sum(), den=pl.col("mature").cast(pl.UInt32).sum(), n=pl.len(), converted=pl.col("converted").cast(pl.UInt32).sum(), still_open=pl.col("still_open").cast(pl.UInt32).sum()).collect())


def duration(t: Tables, chosen: Filter) -> Mapping[str, np.ndarray]:
    each = _kept(t["visit"], chosen).group_by("stage", "length").agg(c=pl.len(), d=pl.col("ended").sum()).sort("stage", "length").with_columns(
        r=pl.col("c").cast(pl.Int64).reverse().cum_sum().reverse().over("stage", mapping_strategy="group_to_rows")).with_columns(
        s=(1 - pl.col("d") / pl.col("r")).cum_prod().over("stage"))
    quantiles = {name: pl.col("length").filter(pl.col("s") <= 1 - p + 1e-9, pl.col("d") > 0).min() for name, p in (("median", 0.5), ("p75", 0.75), ("p90", 0.9))}
    return _columns(each.group_by("stage").agg(n=pl.col("c").sum(), events=pl.col("d").sum(), **quantiles).collect())


def sla(t: Tables, chosen: Filter) -> Mapping[str, np.ndarray]:
    return _columns(_kept(t["sla"], chosen).group_by("week", "region").agg(num=pl.col("met").cast(pl.UInt32).sum(), den=pl.col("counted").cast(pl.UInt32).sum(), n=pl.len()).collect())


def attribution(t: Tables, chosen: Filter) -> Mapping[str, np.ndarray]:
    return _columns(_kept(t["credit"], chosen).group_by("basis", "campaign").agg(pl.col(*MODELS).sum()).collect())


def bridge(t: Tables, chosen: Filter, t0: int, t1: int) -> Mapping[str, np.ndarray]:
    a, b = (pl.lit(t).cast(pl.Datetime("us")) for t in (t0, t1))
    c, before, after = pl.col, pl.col("moment") <= a, pl.col("till") > b
    span = t["span"]
    upto = span["moment"].search_sorted(np.datetime64(t1, "us").item(), side="right")
    deals = _kept(span.slice(0, upto), chosen, None).filter(c("till") > a).group_by("oid").agg(
        c("entry_at").first(), c("entry_amount").first(), ra=c("rank").filter(before).first(), aa=c("amount").filter(before).first(), ea=c("eligible").filter(before).first(),
        rb=c("rank").filter(after).first(), ab=c("amount").filter(after).first(), eb=c("eligible").filter(after).first(),
        reopened=c("amount").filter((c("moment") > a) & (c("rank") < 4)).first())  # rows of a deal are in time order
    entry = pl.when(c("ea")).then(0).when((c("entry_at") > a) & (c("entry_at") <= b)).then(1).when((c("ra") >= 4) & c("reopened").is_not_null()).then(2).when((c("ra") < 4) & ~c("ea")).then(4).otherwise(-1)
    deals = deals.with_columns(s=c("ea").fill_null(False), e=c("eb").fill_null(False), entry=entry).with_columns(
        base=pl.when(c("entry") == 1).then(c("entry_amount")).when(c("entry") == 2).then(c("reopened")).otherwise(c("aa")),
        there=c("s") | ((c("entry") > 0) & (c("e") | (c("rb") == 4) | ((c("rb") == 5) & (c("entry") <= 2)))))
    there, gone, step = c("there"), c("there") & ~c("e"), c("ab") - c("base")
    legs = {"open_start": (c("aa"), c("s")), "created": (c("base"), there & (c("entry") == 1)), "reopened": (c("base"), there & (c("entry") == 2)),
            "other_in": (c("base"), there & (c("entry") == 4)), "increased": (step, there & (step > 0)), "decreased": (-step, there & (step < 0)), "won": (c("ab"), gone & (c("rb") == 4)),
            "lost": (c("ab"), gone & (c("rb") == 5)), "other_out": (c("ab"), gone & (c("rb") < 4)), "open_end": (c("ab"), c("e"))}
    return _columns(deals.select(**{name: value.filter(mask).sum() for name, (value, mask) in legs.items()}).collect())
