"""What no line of the product may hold: ways for data to become code, markup or a link, and secrets."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_arrows import ROOT, sources

NAMES = {  # as a keyword, an attribute or a name
    "unsafe_allow_html", "unsafe_allow_javascript", "LinkColumn", "ImageColumn", "mark_image", "iframe",  # data as markup, as a link, as something to fetch
    "pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "read_pickle", "to_pickle",  # data as code
    "read_parquet", "read_feather", "read_orc", "read_hdf", "read_html", "read_xml",  # formats that are not read here
    "enableCORS", "enableXsrfProtection",  # only what looks after them names them
}
CALLS = {"eval", "exec", "query"}  # called, by themselves or on a frame
MAY = {  # file -> what it may hold after all, and why
    "revscore/ui/startup.py": {"enableCORS", "enableXsrfProtection"},
}
MARKUP = {"revscore/ui/menu.py", "revscore/ui/tables.py", "revscore/ui/stage.py"}  # st.html: style sheets of our own, without data
PICTURES = {"revscore/ui/door.py"}  # st.image: our own logo


def _names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in CALLS:
                yield name, node.lineno
            case ast.Attribute(attr=name) | ast.keyword(arg=str(name)) | ast.Name(id=name) | ast.alias(name=name):
                yield ("" if name in CALLS else name), getattr(node, "lineno", 0)


@pytest.mark.parametrize("path", [path for _, path in sources()], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_data_never_becomes_code_or_markup(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [(name, line) for name, line in _names(tree) if name.split(".")[0] in (NAMES | CALLS) - MAY.get(place, set())]
    assert not found, place
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            called = f"{node.func.value.id}.{node.func.attr}"
            assert called != "st.html" or place in MARKUP, (place, node.lineno)
            assert called not in ("st.image", "st.logo") or place in PICTURES | {"revscore/ui/menu.py"}, (place, node.lineno)
            assert called not in ("os.system", "os.popen", "st.write", "st.exception"), (place, node.lineno)
        if isinstance(node, ast.keyword):
            assert not (node.arg == "shell" and getattr(node.value, "value", None)), place
            assert not (node.arg == "verify" and getattr(node.value, "value", None) is False), place


def test_the_lint_sees_what_it_looks_for() -> None:
    seen = {name for name, _ in _names(ast.parse("import pickle\nst.markdown(x, unsafe_allow_html=True)\nframe.query(text)\neval(x)\nst.column_config.LinkColumn('a')"))}
    assert {"pickle", "unsafe_allow_html", "query", "eval", "LinkColumn"} <= seen


# -- secrets -----------------------------------------------------------------------------------------------------------------------------------

SECRETS = re.compile(r"""-----BEGIN[ A-Z]*PRIVATE\ KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bsk_live_[A-Za-z0-9]{10,}|\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}
    |(?i:\b(?:cookie_secret|client_secret|password|passwd|api_?key|access_?token)["']?\s*[=:]\s*["'](?!xxx|your-|…|\{)[^"'\s{]{16,}["'])""", re.VERBOSE)
IGNORED = (".streamlit/secrets.toml", "secrets.toml", "deploy/secrets.toml", ".env", "server.pem", "server.key", "data/revscore.sqlite", "backup.sqlite", "store.sqlite-wal")


def _kept() -> list[Path]:
    """The files that are, or would be, committed."""
    if shutil.which("git") and (ROOT / ".git").exists():
        named = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True).stdout.decode("utf-8").split("\0")
        return [ROOT / name for name in named if name and (ROOT / name).is_file()]
    return [path for path in ROOT.rglob("*") if path.is_file() and not {".git", ".venv", "__pycache__", "data", ".hypothesis"}.intersection(path.relative_to(ROOT).parts)]


def test_no_secret_is_in_the_tree() -> None:
    for path in _kept():
        text = path.read_bytes()[:2_000_000].decode("utf-8", "ignore")
        assert not (found := SECRETS.search(text)), f"{path.relative_to(ROOT)}: {found and found[0][:12]}…"


@pytest.mark.parametrize("text", ["-----BEGIN RSA PRIVATE " + "KEY-----", "AKIA" + "ABCDEFGHIJKLMNOP", 'cookie_secret = "' + "5f3c" * 8 + '"', "password: '" + "Tr0ub4dor-and-3-more" + "'", "ghp_" + "a1B2" * 9])
def test_the_search_sees_secrets(text: str) -> None:
    assert SECRETS.search(text)


@pytest.mark.skipif(not shutil.which("git") or not (ROOT / ".git").exists(), reason="not a git checkout")
@pytest.mark.parametrize("name", IGNORED)
def test_git_leaves_files_with_secrets_alone(name: str) -> None:
    assert subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False).returncode == 0
