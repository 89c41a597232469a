"""Great Expectations on Postgres by counts: its statements return no row of the data.

The library asks for the columns of a query by running it, and for the rows of an
``unexpected_rows_expectation`` besides their count; the driver then holds all of them in memory.
The metrics here belong to an engine of our own, so the library's are as they were. Importing this
module imports the library.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.datasource.fluent import PostgresDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.metrics.metric_provider import metric_partial, metric_value
from great_expectations.expectations.metrics.query_metric_provider import QueryMetricProvider
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider


class CountingEngine(SqlAlchemyExecutionEngine):
    """The engine that the metrics of this module are registered for."""

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[Any],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Resolve the row count and what is no aggregate; when nothing else is left, the rest.

        The library makes one statement of the aggregates that it is given together. Checks of
        columns depend on the row count.
        """
        ready = list(metrics_to_resolve)
        first = [
            each
            for each in ready
            if each.metric_name == "table.row_count"
            or "metric_partial_fn" not in each.metric_dependencies
        ]
        resolved: dict[Any, Any] = super().resolve_metrics(
            first or ready, metrics, runtime_configuration
        )
        return resolved


class CountedPostgres(PostgresDatasource):
    """A Postgres data source of that engine: ``context.data_sources.add_counted_postgres``."""

    type: Literal["counted_postgres"] = "counted_postgres"

    @property
    def execution_engine_type(self) -> Any:
        return CountingEngine


class ColumnNames(TableMetricProvider):
    """The columns of the batch, from its query without rows."""

    metric_name = "table.column_types"
    value_keys = ("include_nested",)

    @metric_value(engine=CountingEngine)
    def _names(
        cls,
        execution_engine: CountingEngine,
        metric_domain_kwargs: dict[str, Any],
        **_: Any,
    ) -> list[dict[str, Any]]:
        batch = execution_engine.get_domain_records(metric_domain_kwargs)
        result = execution_engine.execute_query(sa.select(sa.text("*")).select_from(batch).limit(0))
        return [{"name": name} for name in result.keys()]  # noqa: SIM118 - a result is its rows


class UnexpectedRowCount(QueryMetricProvider):
    """How many rows the query returns, as one value of the statement that counts the batch."""

    metric_name = "unexpected_rows_query.row_count"
    value_keys = ("unexpected_rows_query",)
    query_param_name = "unexpected_rows_query"

    @metric_partial(
        engine=CountingEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _count(
        cls,
        execution_engine: CountingEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        query = cls._get_substituted_batch_subquery_from_query_and_batch_selectable(
            query=cls._get_query_from_metric_value_kwargs(metric_value_kwargs),
            batch_selectable=execution_engine.get_domain_records(metric_domain_kwargs),
            execution_engine=execution_engine,
        )
        rows = sa.text(query).columns().subquery("unexpected")
        count = sa.select(sa.func.count()).select_from(rows).scalar_subquery()
        # An aggregate makes the statement return one row also when no other value of it is one.
        value = count + sa.func.count().filter(sa.false())
        # The domain of the checks of columns, hence the same statement.
        return value, {"table": None, **metric_domain_kwargs}, {}


class NoUnexpectedRows(QueryMetricProvider):
    """No rows: results and docs have counts only."""

    metric_name = "unexpected_rows_query.table"
    value_keys = ("unexpected_rows_query",)

    @metric_value(engine=CountingEngine)
    def _none(cls, **_: Any) -> list[dict[str, Any]]:
        return []
