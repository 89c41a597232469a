-- What libraries of statistics work out from the marts of a build; models read it as a source.

create schema if not exists statistics;
alter schema statistics owner to transformer;
revoke all on schema statistics from public;
