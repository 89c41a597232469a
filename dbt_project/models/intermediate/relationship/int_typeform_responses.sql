with

responses as (

    select * from {{ ref('stg_typeform__responses') }}

    where answered_at is not null

),

surveys as (

    select * from {{ ref('surveys') }}

),

-- A form says which survey it is by its id, or else by the first word of its title that
-- names one.
scored as (

    select
        responses.response_id,
        responses.company_id,
        responses.contact_id,
        responses.email_pseudonym,
        responses.answered_at,
        form.survey,
        form.scale_min,
        form.scale_max,
        (
            jsonb_path_query_first(
                responses.answers,
                '$[*] ? (@.field.type == "opinion_scale" || @.field.type == "rating"
                    || @.field.type == "nps").number'
            ) #>> '{}'
        )::numeric(6, 2) as score,
        -- Fields that carry a reference say which question was answered; without one,
        -- the first text is the reason.
        coalesce(
            jsonb_path_query_first(
                responses.answers,
                '$[*] ? (@.type == "text" && @.field.ref == "reason").text'
            ),
            jsonb_path_query_first(
                responses.answers,
                '$[*] ? (@.type == "text" && !(@.field.ref == "next_step")).text'
            )
        ) #>> '{}' as reason,
        jsonb_path_query_first(
            responses.answers,
            '$[*] ? (@.type == "text" && @.field.ref == "next_step").text'
        ) #>> '{}' as next_step

    from responses
    left join lateral (
        select
            surveys.survey,
            surveys.scale_min,
            surveys.scale_max

        from surveys

        where
            lower(responses.form_id) = surveys.survey
            or responses.form_title ~* surveys.title_pattern

        order by
            lower(responses.form_id) = surveys.survey desc,
            regexp_instr(
                responses.form_title, surveys.title_pattern, 1, 1, 0, 'i'
            ) asc

        limit 1
    ) as form on true

)

select * from scored
