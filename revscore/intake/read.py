"""Reading extracts: files, archives and folders become sheets of untouched text. Nothing is guessed, nothing is lost without a word.

What cannot be read is a `Problem` with a sentence, never an exception, and never stops the other files. The app reads in a process of its own
(`intake.apart`); `read` does the same in this one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from revscore.intake.delimited import Step, read_text
from revscore.intake.guards import Limits, Refused, kind_of, member, open_zip
from revscore.intake.sheet import Problem, Sheet, Source
from revscore.intake.workbook import read_workbook

Progress = Callable[[str, float, str], None]

EXTENSIONS = (".xlsx", ".csv", ".tsv", ".txt", ".zip")
# Endings of other formats, whose own sentence comes from the content; an .xls that is an xlsx inside is read.
_BY_CONTENT = (".xls", ".xlsm", ".xlsb", ".ods", ".json", ".parquet", ".pdf")
# In a folder, text files beside the extracts are usually notes; so they are in an archive.
_IN_FOLDERS = (".xlsx", ".csv", ".tsv", ".zip")
_IN_ARCHIVES = (".xlsx", ".csv", ".tsv", ".xls", ".xlsm", ".xlsb", ".ods", ".parquet")
# What may lie beside the extracts of an archive and is no data: set aside, and named.
_NO_DATA = ("E_PICTURE", "E_PDF", "E_DOCUMENT", "E_JSON", "E_HTML", "E_XML", "E_EMPTY")


def read(sources: Sequence[Source], progress: Progress | None = None, limits: Limits = Limits()) -> tuple[list[Sheet], list[Problem]]:
    """Sheets of all sources, in their order, and the problems of those that were refused.

    `progress(step, fraction, detail)` is told how far reading has come (step "read", fraction 0 to 1).
    A file that comes twice, byte for byte, is read once; two different files of one name are told apart by a number.
    """
    sheets: list[Sheet] = []
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for name, content, step in listed(sources, problems, progress):
        found, trouble = read_one(name, content, limits, step, seen)
        sheets += found
        problems += trouble
    said(progress, sheets)
    return sheets, problems


def listed(sources: Sequence[Source], problems: list[Problem], progress: Progress | None) -> Iterator[tuple[str, bytes | Path, Step]]:
    """Every file, folders opened: its label, unlike all others; its content; and how to say how far it is read."""
    names: set[str] = set()
    files = [(_unique(label(given), names), content) for given, content in _files(sources, problems)]
    for at, (name, content) in enumerate(files):

        def step(fraction: float, detail: str, at: int = at, name: str = name) -> None:
            if progress:
                progress("read", (at + fraction) / len(files), f"{name}: {detail}")

        yield name, content, step


def read_one(name: str, content: bytes | Path, limits: Limits, step: Step, seen: dict[str, str]) -> tuple[list[Sheet], list[Problem]]:
    """Sheets and problems of one file. `seen`: content hash -> name of the files before it; this one is added."""
    sheets: list[Sheet] = []
    problems: list[Problem] = []
    try:
        _read_file(name, content, limits, step, sheets, problems, seen)
    except Refused as error:
        problems.append(refusal(name, error))
    return sheets, problems


def refusal(name: str, error: Refused) -> Problem:
    return Problem(name, "", error.row, error.column, error.text, error.code)


def said(progress: Progress | None, sheets: Sequence[Sheet]) -> None:
    """The end of reading, for the bar."""
    if progress:
        progress("read", 1.0, f"{len(sheets):,} sheet{'s' * (len(sheets) != 1)}, {sum(len(sheet.frame) for sheet in sheets):,} rows")


def _files(sources: Sequence[Source], problems: list[Problem]) -> Iterator[tuple[str, bytes | Path]]:
    """Name and content of every file, folders opened."""
    for source in sources:
        if not isinstance(source.content, Path):
            yield source.name, source.content
        elif source.content.is_dir():
            inside = extracts_in(source.content)
            if not inside:
                problems.append(Problem(label(source.name), "", None, None, "the folder holds no .csv, .tsv, .xlsx or .zip file.", "E_FOLDER"))
            yield from ((path.name, path) for path in inside)
        else:
            yield source.name, source.content


def extracts_in(folder: Path) -> list[Path]:
    """The files of a folder that are read."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _IN_FOLDERS and path.is_file())


def _read_file(name: str, content: bytes | Path, limits: Limits, step: Step, sheets: list[Sheet],
               problems: list[Problem], seen: dict[str, str], archive: bool = True) -> None:
    suffix = PurePosixPath(name).suffix.lower()
    content = _load(content, limits)
    kind = kind_of(content)
    if suffix not in EXTENSIONS + _BY_CONTENT:
        raise Refused("E_TYPE", f"files of this type ({suffix or 'no ending'}) are not read: load .xlsx, .csv, .tsv, .txt or .zip.")
    if suffix in _BY_CONTENT and kind != "xlsx":
        raise Refused("E_TYPE", f"the content is not what the ending {suffix} says: export it again as .xlsx or .csv.")
    before = seen.setdefault(hashlib.sha256(content).hexdigest(), name)
    if before != name:
        problems.append(Problem(name, "", None, None, f"the same file as {before}, byte for byte: it is read once.", "E_TWICE"))
        return
    if kind == "xlsx":
        if len(content) > limits.workbook:
            raise Refused("E_SIZE", f"the workbook has {len(content) >> 20:,} MB (at most {limits.workbook >> 20:,} MB): export it as .csv.")
        found, trouble = read_workbook(name, content, limits, step)
        sheets += found
        problems += trouble
    elif kind == "text":
        try:
            sheets.append(read_text(name, content, limits, step))
        except Refused as error:
            if suffix != ".xlsx" or error.code not in ("E_NUL", "E_ENCODING", "E_BINARY"):
                raise
            raise Refused(error.code, "the file is called a workbook (.xlsx) and is none, nor is it a text: download or export it again.") from None
    elif not archive:
        raise _nested()
    else:
        _read_archive(name, content, limits, step, sheets, problems, seen)


def _read_archive(name: str, content: bytes, limits: Limits, step: Step, sheets: list[Sheet],
                  problems: list[Problem], seen: dict[str, str]) -> None:
    packed = open_zip(content, limits)
    entries = [entry for entry in packed.infolist() if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")
               and not PurePosixPath(entry.filename).name.startswith(".")]
    if not entries:
        raise Refused("E_EMPTY", "the archive holds no files: pack the extracts again.")
    names: set[str] = set()
    endings = [PurePosixPath(entry.filename).suffix.lower() for entry in entries]
    extracts = _IN_ARCHIVES if set(endings) & set(_IN_ARCHIVES) else (*_IN_ARCHIVES, ".txt")
    for at, (entry, ending) in enumerate(zip(entries, endings, strict=True)):
        inner = f"{name}/{_unique(label(entry.filename), names)}"

        def inner_step(fraction: float, detail: str, at: int = at) -> None:
            step((at + fraction) / len(entries), detail)

        try:
            if ending in extracts:
                _read_file(inner, member(packed, entry), limits, inner_step, sheets, problems, seen, archive=False)
            else:
                _set_aside(inner, member(packed, entry), problems)
        except Refused as error:
            problems.append(refusal(inner, error))
    if not set(endings) & set(extracts) and all(problem.code == "E_ASIDE" for problem in problems if problem.file.startswith(f"{name}/")):
        raise Refused("E_EMPTY", "the archive holds no extract (.csv, .tsv, .xlsx): pack the extracts.")


def _set_aside(name: str, content: bytes, problems: list[Problem]) -> None:
    """Name what lies beside the extracts of an archive. Raises `Refused` where it is an archive, a program, or data in another form."""
    try:
        if kind_of(content) == "zip":
            raise _nested()
    except Refused as error:
        if error.code not in _NO_DATA:
            raise
    ending = PurePosixPath(name).suffix.lower() or "no ending"
    problems.append(Problem(name, "", None, None, f"this is no extract ({ending}): it is set aside, and the extracts beside it are read.", "E_ASIDE"))


def _nested() -> Refused:
    return Refused("E_NESTED", "an archive inside an archive is not opened: pack the extracts themselves.")


def _load(content: bytes | Path, limits: Limits) -> bytes:
    try:
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        if size > limits.text:
            raise Refused("E_SIZE", f"the file has {size >> 20:,} MB (at most {limits.text >> 20:,} MB): load fewer rows at a time, or connect to "
                                    "the warehouse.")
        return content.read_bytes() if isinstance(content, Path) else bytes(content)
    except OSError as error:
        raise Refused("E_OPEN", f"the file cannot be opened ({error.strerror or 'unknown reason'}): check its path and rights.") from None


def label(name: str) -> str:
    """A name to show, never a path: the last part, printable, at most 120 characters, its ending kept."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    clean = "".join(character for character in last if character.isprintable()).strip() or "file"
    if len(clean) <= 120:
        return clean
    suffix = PurePosixPath(clean).suffix[:10]
    return clean[:120 - len(suffix)] + suffix


def _unique(name: str, taken: set[str]) -> str:
    path, number, label = PurePosixPath(name), 1, name
    while label in taken:
        number += 1
        label = f"{path.stem} ({number}){path.suffix}"
    taken.add(label)
    return label
