"""The health score under change: what another definition would do, and how right signals were."""
