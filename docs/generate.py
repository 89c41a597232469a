"""Generate the reference pages from the declarations they describe; a hook of MkDocs.

Tables come from the dbt YAML, settings from ``.env.example``, streams from the sources, commands
from typer, seeds from their YAML and CSV, exit codes from the error classes. A page asks for one
with ``<!-- generate: streams -->`` on a line of its own; nothing generated is kept in git.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer
import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from retention import errors
from retention.cli import app
from retention.source import Source, Stream
from retention.sources import SOURCES
from retention.sources.files.fields import field_table

ROOT = Path(__file__).resolve().parents[1]
DBT = ROOT / "dbt_project"
Model = dict[str, Any]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the two parts of the navigation that name generated or repeated pages."""
    pages = {
        "Tables": ["tables/index.md", *(f"tables/{name}.md" for name in subjects())],
        "Decisions": ["decisions/index.md", *(f"decisions/{p.name}" for p in decision_pages())],
    }
    config.nav = [
        {key: pages.get(key, value)} for item in config.nav or [] for key, value in item.items()
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that exist only in the built site."""
    generated = {f"tables/{name}.md": tables(name, models) for name, models in subjects().items()}
    generated["tables/index.md"] = tables_index()
    generated["decisions/index.md"] = (
        (ROOT / "DECISIONS.md").read_text().replace("(docs/decisions/", "(")
    )
    for path, text in generated.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace each ``<!-- generate: name words -->`` by what the named function returns."""

    def fill(match: re.Match[str]) -> str:
        name, *words = match[1].split()
        return "\n".join(PARTS[name](*words))

    return re.sub(r"^<!-- generate: (.+) -->$", fill, markdown, flags=re.M)


def cell(value: Any) -> str:
    """Text of a table's cell: one line, with no bar or tag that Markdown or HTML would read."""
    return plain(" ".join(str(value).split()).replace("|", "\\|"))


def plain(text: str) -> str:
    """Text whose ``<`` outside of code is no HTML."""
    parts = text.split("`")
    parts[::2] = [part.replace("<", "&lt;") for part in parts[::2]]
    return "`".join(parts)


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    titles = list(head)
    yield "| " + " | ".join(titles) + " |"
    yield "|" + "---|" * len(titles)
    for row in rows:
        yield "| " + " | ".join(cell(value) for value in row) + " |"
    yield ""


# Tables


def subjects() -> dict[str, list[Model]]:
    """The published marts of each subject folder, by name."""
    found: dict[str, list[Model]] = {}
    for path in sorted((DBT / "models" / "marts").rglob("*.yml")):
        for model in (yaml.safe_load(path.read_text()) or {}).get("models", []):
            if published_in(model):
                found.setdefault(path.parent.name, []).append(model)
    return {name: sorted(models, key=lambda m: m["name"]) for name, models in found.items()}


def published_in(model: Model) -> str:
    return str(meta(model).get("publish", ""))


def meta(model: Model) -> dict[str, Any]:
    return dict(model.get("config", {}).get("meta", {}))


def questions() -> dict[str, str]:
    return dict(yaml.safe_load((ROOT / "docs" / "questions.yml").read_text()))


def grain(model: Model) -> str:
    return ", ".join(f"`{column}`" for column in meta(model).get("grain", []))


def tables_index() -> str:
    asked = questions()
    lines = ["# Tables", "", (ROOT / "docs" / "tables.md.in").read_text()]
    for subject, models in subjects().items():
        lines += [f"## {subject.capitalize()}", ""]
        rows = (
            (
                f"[{m['name']}]({subject}.md#{m['name']})",
                grain(m),
                asked.get(m["name"], m["description"]),
            )
            for m in models
        )
        lines += table(("table", "one row per", "question it answers"), rows)
    return "\n".join(lines)


def tables(subject: str, models: list[Model]) -> str:
    asked = questions()
    lines = [f"# {subject.capitalize()}", ""]
    for model in models:
        name = model["name"]
        lines += [f"## {name}", "", str(model["description"]).strip(), ""]
        lines += [f"*{asked[name]}*", ""] if name in asked else []
        lines += [f"Schema `{published_in(model)}`. One row per {grain(model)}.", ""]
        columns = model.get("columns", [])
        rows = ((f"`{c['name']}`", c.get("data_type", ""), c["description"]) for c in columns)
        lines += table(("column", "type", "description"), rows)
    return "\n".join(lines)


# Settings, streams, commands, exit codes


def settings() -> Iterator[str]:
    """Every ``NAME=default`` of .env.example, with the comment above it, under its heading."""
    rows: list[tuple[str, str, str]] = []
    comment: list[str] = []
    for line in [*(ROOT / ".env.example").read_text().splitlines(), "## end"]:
        if line.startswith("## "):
            if rows:
                yield from table(("variable", "default", "meaning"), rows)
            yield from (f"## {line[3:]}", "") if line != "## end" else ()
            rows, comment = [], []
        elif found := re.match(r"#?([A-Z][A-Z_]+)=(.*)$", line):
            default = f"`{found[2]}`" if found[2] else ""
            rows.append((f"`{found[1]}`", default, " ".join(comment)))
            comment = []
        elif line.startswith("# "):
            comment.append(line[2:])
        else:
            comment = []


def streams() -> Iterator[str]:
    for source in SOURCES:
        yield from (f"## {source.name}", "", source.doc.strip(), "")
        yield from facts(source)
        rows = [
            (f"`{s.name}`", f"`{s.key}`", noticed_changes(s), noticed_deletes(s), s.record.__name__)
            for s in source.streams
        ]
        yield from table(("stream", "key", "new and changed", "deleted", "record contract"), rows)


def fields() -> Iterator[str]:
    for line in field_table().splitlines():
        # The page has the level-one heading; each stream is a section of it.
        yield line.replace("### ", "## ", 1) if line.startswith("### ") else line


def facts(source: Source) -> Iterator[str]:
    hours = source.freshness.total_seconds() / 3600
    yield f"DAG `ingest_{source.name}`, schedule `{source.schedule}` (UTC), connection"
    yield f"`{source.conn_id}`, owner {source.owner}. Stale after {hours:.0f} hours."
    yield ""


def noticed_changes(stream: Stream) -> str:
    if stream.kind == "usage":
        return f"bulk load of event files; the last copy received of a `{stream.key}` wins"
    change = f"change time `{stream.updated_at}`" if stream.updated_at else "content of the record"
    minutes = stream.overlap.total_seconds() / 60
    return f"{change}; reads {minutes:.0f} minutes before the cursor again" if minutes else change


def noticed_deletes(stream: Stream) -> str:
    if stream.kind == "usage":
        return "events are never deleted by a load"
    if stream.deletes == "listing":
        rate = stream.extra.get("delete_rate", 0.2)
        return f"absent from a complete listing; the load fails if more than {rate:.0%} are absent"
    return "the vendor marks the record as deleted, if at all"


def commands() -> Iterator[str]:
    yield from command("retention", typer.main.get_command(app))


def command(name: str, found: Any) -> Iterator[str]:
    yield from (f"## {name}", "", plain(" ".join((found.help or "").split())), "")
    if hasattr(found, "commands"):
        for sub in found.commands.values():
            yield from command(f"{name} {sub.name}", sub)
        return
    shown = [p for p in found.params if p.name != "help"]
    yield from ("```", f"{name} {usage(shown)}".strip(), "```", "")
    if shown:
        rows = ((f"`{label(p)}`", getattr(p, "help", "") or "") for p in shown)
        yield from table(("argument or option", "meaning"), rows)


def label(param: Any) -> str:
    return str(param.name).upper() if param.param_type_name == "argument" else param.opts[0]


def usage(params: list[Any]) -> str:
    words = []
    for param in params:
        word = label(param)
        if param.param_type_name == "option" and not getattr(param, "is_flag", False):
            word += f" {str(param.name).upper()}"
        words.append(word if param.required else f"[{word}]")
    return " ".join(words)


def exit_codes() -> Iterator[str]:
    """The tree of error classes that heads the module of errors, as a table."""
    tree = re.findall(r"(\w+)\s+exit (\d)\s+(.+)", str(errors.__doc__))
    rows = [(0, "", "done"), *((code, f"`{name}`", text) for name, code, text in tree)]
    yield from table(("exit code", "error", "meaning"), rows)


# Seeds, runbooks, recorded output


def seeds() -> Iterator[str]:
    for path in sorted((DBT / "seeds").glob("*.yml")):
        for seed in yaml.safe_load(path.read_text()).get("seeds", []):
            count = len(read_seed(seed["name"]))
            yield from (
                f"## {seed['name']}",
                "",
                str(seed["description"]).strip(),
                "",
                f"{count} rows.",
                "",
            )
            described = seed.get("columns", [])
            yield from table(
                ("column", "description"),
                ((f"`{column['name']}`", column.get("description", "")) for column in described),
            )


def seed_rows(name: str, columns: str, where: str = "") -> Iterator[str]:
    """Rows of a seed; ``where`` is ``column=value`` and may be left out."""
    key, _, wanted = where.partition("=")
    shown = columns.split(",")
    rows = [row for row in read_seed(name) if not where or row[key] == wanted]
    yield from table(shown, ([row[column] for column in shown] for row in rows))


def read_seed(name: str) -> list[dict[str, str]]:
    with (DBT / "seeds" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def runbook(name: str) -> Iterator[str]:
    """The runbook that Airflow shows, with NAME where it fills in the name of a source."""
    text = (ROOT / "dags" / "runbook" / f"{name}.md").read_text()
    yield re.sub(r"\{(\w+)\}", lambda found: found[1].upper(), text.replace("{doc}\n", ""))


def figure(name: str) -> Iterator[str]:
    """A recorded query or command with its output, as `make figures` wrote it."""
    yield from ("```text", (ROOT / "docs" / "figures" / f"{name}.txt").read_text().rstrip(), "```")


def decision_pages() -> list[Path]:
    return sorted((ROOT / "docs" / "decisions").glob("*.md"))


PARTS = {
    "settings": settings,
    "streams": streams,
    "fields": fields,
    "commands": commands,
    "exit_codes": exit_codes,
    "seeds": seeds,
    "seed": seed_rows,
    "runbook": runbook,
    "figure": figure,
}
