{{ mrr_ranges(ref('int_mrr_balances')) }}
