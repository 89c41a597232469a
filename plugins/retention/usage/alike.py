"""Lines spelled alike are read by the places of their texts; the others go to the JSON parser.

Exporters write every event with the same keys in the same order. A whole block of such lines
is compared with a template and cut into its texts by a few operations on arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from retention.usage.formats import EventFormat
from retention.usage.lines import row_schema
from retention.usage.template import Template, learn

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Array = np.ndarray[Any, Any]

# Looking for more templates would cost more than they save.
MOST_TEMPLATES = 8
MOST_FAILURES = 64
WORD = 8
INLINE = 12  # so many bytes Arrow's string view holds itself
# A longer text: its first four bytes, the number of its buffer (0), its place there.
VIEW = [("length", "<i4"), ("head", "<u8"), ("tail", "<u4")]
HEADS = [*(2 ** (8 * min(length, WORD)) - 1 for length in range(INLINE + 1)), 2**32 - 1]
TAILS = [*(2 ** (8 * max(length - WORD, 0)) - 1 for length in range(INLINE + 1)), 0]


def placed_schema(form: EventFormat) -> pa.Schema:
    """The rows, whether their texts were placed, and those texts in the format's order."""
    import pyarrow as pa

    texts = {f"text{number}": pa.string_view() for number in range(1, len(form.columns) + 1)}
    return pa.schema([*row_schema(), pa.field("placed", pa.bool_()), *pa.schema(texts)])


class Placing:
    """The templates of some files, learnt from block to block."""

    def __init__(self, form: EventFormat) -> None:
        self._form = form
        self._templates: list[Template] = []
        self._failures = 0

    def rows(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The same rows, each with its texts where its line allows it."""
        import numpy as np
        import pyarrow as pa

        schema = placed_schema(self._form)
        for batch in batches:
            block = _Block(batch)
            columns = [_Texts(batch.num_rows) for _ in self._form.columns]
            placed = np.zeros(batch.num_rows, bool)
            for template in self._candidates(block, placed):
                self._place(block, template, columns, placed)
            texts = [column.array(block.content) for column in columns]
            yield pa.RecordBatch.from_arrays(
                [*batch.columns, pa.array(placed), *texts], schema=schema
            )

    def _candidates(self, block: _Block, placed: Array) -> Iterator[Template]:
        """The known templates, then what can be learnt from a line none of them fits."""
        import numpy as np

        yield from self._templates
        while len(self._templates) < MOST_TEMPLATES and self._failures < MOST_FAILURES:
            unknown = block.simple & ~placed
            if not unknown.any():
                return
            template = learn(block.line(int(np.argmax(unknown))), self._form)
            if template is None:
                self._failures += 1
                return
            self._templates.append(template)
            yield template

    def _place(
        self, block: _Block, template: Template, columns: list[_Texts], placed: Array
    ) -> None:
        import numpy as np

        alike = block.simple & ~placed & (block.quotes_in == template.quotes)
        lines, opens, closes = block.places(template, np.flatnonzero(alike))
        placed[lines] = True
        for column, text in zip(columns, template.texts, strict=True):
            if text is not None and len(lines):
                column.put(lines, block.views(opens[text] + 1, closes[text]))


class _Texts:
    """A column of string views in the making; what is never put is null."""

    def __init__(self, rows: int) -> None:
        import numpy as np

        self._views = np.zeros(rows, VIEW)
        self._present = np.zeros(rows, bool)

    def put(self, lines: Array, views: Array) -> None:
        self._views[lines] = views
        self._present[lines] = True

    def array(self, content: Array) -> Any:
        import numpy as np
        import pyarrow as pa

        rows = len(self._views)
        valid = pa.py_buffer(np.packbits(self._present, bitorder="little"))
        buffers = [valid, pa.py_buffer(self._views), pa.py_buffer(content)]
        return pa.Array.from_buffers(pa.string_view(), rows, buffers)


class _Block:
    """The bytes of a batch of lines, and where their quotes are."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        import numpy as np

        _, offsets, content = batch.column("raw").buffers()
        self._edges = np.frombuffer(offsets, np.int32)[: batch.num_rows + 1].astype(np.int64)
        size = int(self._edges[-1])
        # A word may be read at the last byte, and behind it.
        self.content = np.zeros(size + 2 * WORD, np.uint8)
        self.content[:size] = np.frombuffer(content, np.uint8, size)
        self._words = np.ndarray(size + WORD, "<u8", self.content, strides=(1,))
        self._quotes = np.flatnonzero(self.content == ord('"'))
        self._first = np.searchsorted(self._quotes, self._edges)
        self.quotes_in = np.diff(self._first)
        self.simple = self._simple(batch)

    def _simple(self, batch: pa.RecordBatch) -> Array:
        """Which lines are UTF-8 without escapes and control characters."""
        import numpy as np

        content = self.content[: self._edges[-1]]
        odd = content == ord("\\")
        odd |= content < ord(" ")
        odd[self._edges[1:] - 1] = False  # the ends of the lines
        simple = batch.column("flaw").is_null().to_numpy(zero_copy_only=False).copy()
        if odd.any():
            simple[np.searchsorted(self._edges, np.flatnonzero(odd), "right") - 1] = False
        return np.asarray(simple)

    def line(self, number: int) -> bytes:
        return self.content[self._edges[number] : self._edges[number + 1]].tobytes()

    def places(self, template: Template, lines: Array) -> tuple[Array, list[Array], list[Array]]:
        """Which of the lines the template fits, and where their texts open and close."""
        first = self._first[lines]
        opens = [self._quotes[first + number] for number in template.opens]
        closes = [self._quotes[first + number + 1] for number in template.opens]
        begins = [self._edges[lines], *closes]
        ends = [*(each + 1 for each in opens), self._edges[lines + 1]]
        fits = lines >= 0
        for part, begin, end in zip(template.fixed, begins, ends, strict=True):
            fits &= self._same(part, begin, end)
        if fits.all():
            return lines, opens, closes
        return lines[fits], [each[fits] for each in opens], [each[fits] for each in closes]

    def _same(self, part: bytes, begin: Array, end: Array) -> Array:
        """Where the bytes from ``begin`` to ``end`` are those of the part."""
        import numpy as np

        same = end - begin == len(part)
        for place in range(0, len(part), WORD):
            piece = part[place : place + WORD]
            mask = np.uint64(2 ** (8 * len(piece)) - 1)
            same &= (self._at(begin + place) & mask) == np.uint64(int.from_bytes(piece, "little"))
        return np.asarray(same)

    def _at(self, places: Array) -> Array:
        """The words there. A place beyond the block serves a row that is refused by its length."""
        import numpy as np

        return np.asarray(self._words[np.minimum(places, len(self._words) - 1)])

    def views(self, begin: Array, end: Array) -> Array:
        """The texts between as Arrow's string views into ``content``."""
        import numpy as np

        views = np.empty(len(begin), VIEW)
        lengths = end - begin
        kinds = np.minimum(lengths, INLINE + 1)
        views["length"] = lengths
        views["head"] = self._words[begin] & np.array(HEADS, np.uint64)[kinds]
        views["tail"] = self._at(begin + WORD) & np.array(TAILS, np.uint64)[kinds]
        np.copyto(views["tail"], begin, where=lengths > INLINE, casting="unsafe")
        return views
