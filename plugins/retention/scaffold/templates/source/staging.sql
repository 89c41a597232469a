with

newest as (

    {{ newest_version('$name', '$stream') }}

),

renamed as (

    -- FILL IN: each field of the document that a model reads, typed and renamed.
    select
        record_id,
        (doc ->> 'updated_at')::timestamptz as updated_at,
        source_updated_at

    from newest

)

select * from renamed
