"""What all subjects have in common: gathering their sheets, deleted and doubled records, joining by name, ids that an extract lacks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revscore.core import schema
from revscore.intake.desk import Desk
from revscore.intake.patterns import among, positions, spread, strip

HOME = ("_m", "_row")
# How ids are written: what nearly all of a column keep to, the others keep to as well.
_KINDS = (r"[0-9]+", r"[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?", r"\S*[0-9]\S*", r"\S+")
_NEARLY = 0.9
_BLANKS = "  |[\t-\r\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"      # blanks that are more than one, or other than the usual one


def column(frame: pd.DataFrame, name: str, dtype: str = "str") -> pd.Series:
    """The column, or one of missing values when the extract lacks it."""
    return frame[name] if name in frame.columns else pd.Series(None, index=frame.index, dtype=dtype)


def stamp(frame: pd.DataFrame, name: str) -> pd.Series:
    return column(frame, name, schema.DTYPES["ts"])


def first_of(frame: pd.DataFrame, *names: str, dtype: str = "str") -> pd.Series:
    """Per row the first of the columns that is filled."""
    out = column(frame, names[0], dtype)
    for name in names[1:]:
        out = out.fillna(column(frame, name, dtype))
    return out


def look_up(keys: pd.Series, table: pd.Series) -> pd.Series:
    """What `table` (unique index) holds for every key, in the table's dtype; missing where it holds nothing."""
    return pd.Series(table.array.take(positions(keys, table.index), allow_fill=True), index=keys.index)


def within(keys: pd.Series, table: pd.Series) -> np.ndarray:
    """Which keys are in `table` (missing ones are not)."""
    return among(keys, table)


def first_id(text: pd.Series) -> pd.Series:
    """The first of ids that stand together in a cell, separated by semicolons or commas."""
    found = text.str.strip()
    several = found.str.contains("[;,]", regex=True).fillna(False).to_numpy(dtype=bool)
    if several.any():
        found = found.mask(several, found[several].str.extract(r"^([^;,]*)")[0].str.strip())
    return found.where(found != "").astype("str")


def gather(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """The sheets of one subject under each other; a column that only some have is missing in the others."""
    if not frames:
        return pd.DataFrame({"_m": pd.Series(dtype="int64"), "_row": pd.Series(dtype="int64")})
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0].reset_index(drop=True)


def without_deleted(frame: pd.DataFrame, desk: Desk) -> pd.DataFrame:
    if "is_deleted" not in frame.columns:
        return frame
    marked = frame["is_deleted"].fillna(False).astype(bool)
    for m, share in marked.groupby(frame["_m"]).mean().items():
        if share == 1 and (frame["_m"] == m).sum() > 1:
            desk.say(f"{desk.matches[int(m)].sheet.place}: every record is marked as deleted, so the mark is not used; check the export")
            marked &= frame["_m"] != m
    gone = marked.to_numpy()
    desk.hold(frame[gone], "is_deleted", "R_DELETED", "the record is deleted in the CRM; it does not count")
    return frame[~gone].reset_index(drop=True)


def without_rows(frame: pd.DataFrame, gone: np.ndarray, name: str, code: str, reason: str, desk: Desk) -> pd.DataFrame:
    """The frame without the rows `gone`, which are held back."""
    if not gone.any():
        return frame
    desk.hold(frame[gone], name, code, reason)
    return frame[~gone].reset_index(drop=True)


def with_key(frame: pd.DataFrame, key: str, sources: tuple[str, ...], desk: Desk, title: str) -> pd.DataFrame:
    """With `key` filled; where the extract has no such column it is made of `sources`, numbered when doubled. Rows without are held back."""
    given = column(frame, key)
    lacking = ~given.notna().groupby(frame["_m"]).transform("any") if len(frame) else given.notna()
    if lacking.any():
        made = first_of(frame, *sources).where(lacking)
        count = _numbered(frame, made)
        frame = frame.assign(**{key: given.fillna(made.where(count == 0, made + " #" + (count + 1).astype("str")))})
        told = " and ".join(source.replace("_", " ") for source in sources)
        desk.say(f"{title} have no id in {'this extract' if lacking.all() else 'some sheets'}; {told} stands for it")
    missing = frame[key].isna().to_numpy()
    desk.hold(frame[missing], key, "R_NO_ID", f"{title.lower()}: the id is missing")
    frame = frame[~missing].reset_index(drop=True)
    return without_rows(frame, _footers(frame, key, sources if lacking.any() else ()), key, "R_FOOTER",
                        "beside its id the row has nothing but figures, as a total or a remark of a report has: if it is a record, write what it is called", desk)


def _numbered(frame: pd.DataFrame, names: pd.Series) -> pd.Series:
    """The place of every record among those of its name, from 0, by what the records hold: so that rows in another order are the same records."""
    doubled = names.notna() & names.duplicated(keep=False)
    if not doubled.any():
        return pd.Series(0, index=frame.index)
    first = [name for name in ("account_id", "account_name", "email", "created_at") if name in frame.columns]
    rest = sorted(name for name in frame.columns if name not in (*HOME, *first))
    part = frame[doubled].sort_values([*first, *rest], kind="stable")
    return part.groupby(names[part.index]).cumcount().reindex(frame.index, fill_value=0)


def _footers(frame: pd.DataFrame, key: str, sources: tuple[str, ...]) -> np.ndarray:
    """Rows that are no records, though they have something in the place of the id: no text and no date beside it, and either it is written like none of the other ids,
    or their amount is the sum of all others. `sources`: what the ids are made of."""
    bare = np.ones(len(frame), bool)
    for name in frame.columns:
        kind = frame[name].dtype
        if (isinstance(kind, pd.StringDtype) or kind.kind == "M") and name not in (key, *sources) and not name.endswith("currency"):
            bare &= frame[name].isna().to_numpy()
        if not bare.any():
            return bare
    ids, others = frame[key], ~bare
    if not others.any():                                    # a table of ids and figures
        return others
    odd = np.zeros(len(frame), bool)
    for kind in () if sources else _KINDS:
        like = ids.str.fullmatch(kind).to_numpy(dtype=bool)
        if like[others].mean() >= _NEARLY:
            odd |= ~like
    if "amount" in frame.columns and others.sum() > 1:
        amount = frame["amount"].to_numpy(dtype=float, na_value=np.nan)
        whole = np.nansum(amount[others])
        odd |= (np.abs(amount - whole) <= 0.005 * others.sum()) & (whole > 0)
    return bare & odd


def without_doubles(frame: pd.DataFrame, key: list[str], desk: Desk, ignore: tuple[str, ...] = ()) -> pd.DataFrame:
    """The first record of every key. An equal one is held back as counted already, a different one as a conflict; a sheet that only
    repeats another is left out as a whole."""
    again = frame.duplicated(key).to_numpy()
    if not again.any():
        return frame
    codes = frame.groupby(key, sort=False, dropna=False).ngroup().to_numpy()
    first = np.unique(codes, return_index=True)[1][codes]
    same = np.ones(len(frame), bool)
    for name in frame.columns:
        if name not in HOME and name not in ignore:
            values = frame[name]
            leader = values.take(first).set_axis(values.index)
            same &= (values.eq(leader).fillna(False) | (values.isna() & leader.isna())).to_numpy(dtype=bool)
    owner = frame["_m"].to_numpy()
    for m in np.unique(owner[again]):
        mine = owner == m
        if (again & same)[mine].all() and (owner[first[mine]] != m).all() and len(set(owner)) > 1:
            desk.leave_out(int(m), f"not used: the same records as {desk.matches[int(owner[first[mine]][0])].sheet.place}; they count once")
    where = np.array([desk.matches[m].sheet.place for m in range(len(desk.matches))], dtype=object)
    home = zip(owner[first[again]], frame["_row"].to_numpy()[first[again]], strict=True)
    rows = np.array([int(desk.matches[m].sheet.rows[r]) for m, r in home], dtype=object)
    place = pd.Series(where[owner[first[again]]]) + ", row " + pd.Series(rows).astype("str")
    equal = same[again]
    desk.hold(frame[again & same], key[0], "R_DUPLICATE", list("the same record as " + place[equal] + "; it counts once"))
    desk.hold(frame[again & ~same], key[0], "R_CONFLICT", list("another record of this id, with other values, is in " + place[~equal] + "; keep one of them"))
    return frame[~again].reset_index(drop=True)


def named_ids(frame: pd.DataFrame, key: str, name: str) -> pd.DataFrame:
    """The distinct (id, name) pairs by which records point to others; either may be missing."""
    return pd.DataFrame({"id": column(frame, key), "name": column(frame, name).str.strip()}).drop_duplicates().dropna(how="all")


def only_named(pairs: list[pd.DataFrame], known_ids: pd.Series, known_names: pd.Series, lone_ids: bool) -> pd.DataFrame:
    """What is pointed to and has no record of its own: id and name, the name standing for a missing id; bare ids only when `lone_ids`."""
    every = pd.concat([pd.DataFrame({"id": pd.Series(dtype="str"), "name": pd.Series(dtype="str")}), *pairs], ignore_index=True)
    every = every[~within(every["id"], known_ids) & ~within(every["name"], known_ids)]
    full = every.dropna().drop_duplicates("id")
    names = every[every["id"].isna() & ~within(name_key(every["name"]), pd.concat([name_key(full["name"]), name_key(known_names)], ignore_index=True))]
    names = names[~name_key(names["name"]).duplicated()].assign(id=lambda f: f["name"])
    ids = every[every["name"].isna() & ~within(every["id"], full["id"])].drop_duplicates("id").assign(name=lambda f: f["id"])
    return pd.concat([full[~within(name_key(full["name"]), name_key(known_names))], names, *([ids] if lone_ids else [])], ignore_index=True)


def name_key(text: pd.Series) -> pd.Series:
    """Names compared without case and doubled blanks."""
    codes, words = pd.factorize(text)
    plain = strip(pd.Series(words, dtype="str")).str.casefold()
    odd = plain.str.contains(_BLANKS, regex=True).to_numpy(dtype=bool)
    if odd.any():
        plain = plain.mask(odd, plain[odd].str.replace(r"\s+", " ", regex=True))
    return spread(plain.to_list(), codes, text.index)


def by_name(names: pd.Series, known: pd.DataFrame, key: str, name: str = "name") -> pd.Series:
    """The id of every name (or of an id given in its place); missing where it is unknown."""
    table = pd.Series(dtype="str")
    if name in known.columns and len(known):
        table = known.dropna(subset=[name]).assign(_k=name_key(known[name])).drop_duplicates("_k").set_index("_k")[key]
    ids = pd.Series(known[key].to_numpy(), index=known[key]).dropna() if len(known) else pd.Series(dtype="str")
    return look_up(names, ids[~ids.index.duplicated()].astype("str")).fillna(look_up(name_key(names), table.astype("str")))


def finish(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The canonical columns that hold something at all, typed."""
    spec = schema.TABLES[table]
    have = [c for c in spec.names if c in frame.columns and (c in spec.needed or frame[c].notna().any())]
    return schema.conform(table, frame[have])
