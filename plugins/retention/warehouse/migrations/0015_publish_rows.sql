-- The rows of earlier publishes lie in partitions of their own. The views read these partitions
-- only while readers see an earlier publish than the newest.

set local role publisher;

-- A stable function, unlike a subquery, is known when a query is planned: the planner then counts
-- no row of an earlier publish. Its cost is low because it is called once per query, not per row.
create or replace function published.rolled_back_to() returns bigint
language sql stable parallel safe security definer cost 1
begin atomic
select pointer.publish_id
from published.pointer
where pointer.publish_id < (select max(publishes.publish_id) from ops.publishes);
end;
comment on function published.rolled_back_to() is 'The publish that readers see if a newer one exists; else null.';

-- A view's function is checked against the reader, who may be a role of the user's own.
grant execute on function published.rolled_back_to() to public;

reset role;
