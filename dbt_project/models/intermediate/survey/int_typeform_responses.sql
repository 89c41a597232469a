with

responses as (

    select * from {{ ref('stg_typeform__responses') }}

    where answered_at is not null

),

surveys as (

    select * from {{ ref('surveys') }}

),

survey_scales as (

    select * from {{ ref('survey_scales') }}

),

-- The survey of a form comes from its id, else from the first survey name in its title.
scored as (

    select
        responses.response_id,
        responses.form_id,
        responses.company_id,
        responses.contact_id,
        responses.email_pseudonym,
        responses.answered_at,
        form.survey,
        form.scale_min,
        form.scale_max,
        ops.try_decimal(
            jsonb_path_query_first(
                responses.answers,
                '$[*] ? (@.field.type == "opinion_scale" || @.field.type == "rating"
                    || @.field.type == "nps").number'
            ) #>> '{}', 6, 2
        )::numeric(6, 2) as score,
        -- A field reference names the question; without one, the first text is the
        -- reason.
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

),

ranges as (

    select
        form_id,
        survey,
        min(score) as lowest,
        max(score) as highest

    from scored

    group by form_id, survey

),

-- No response states the scale of its form. The usual scale of the survey holds, or if
-- an answer lies beyond it the narrowest known scale that holds every answer.
form_scales as (

    select distinct on (ranges.form_id)
        ranges.form_id,
        survey_scales.scale_min,
        survey_scales.scale_max

    from ranges
    inner join survey_scales
        on
            ranges.survey = survey_scales.survey
            and ranges.lowest >= survey_scales.scale_min
            and ranges.highest <= survey_scales.scale_max
    left join surveys
        on
            survey_scales.survey = surveys.survey
            and survey_scales.scale_min = surveys.scale_min
            and survey_scales.scale_max = surveys.scale_max

    order by
        ranges.form_id asc,
        surveys.survey is null asc,
        survey_scales.scale_max - survey_scales.scale_min asc

)

select
    scored.response_id,
    scored.company_id,
    scored.contact_id,
    scored.email_pseudonym,
    scored.answered_at,
    scored.survey,
    coalesce(form_scales.scale_min, scored.scale_min) as scale_min,
    coalesce(form_scales.scale_max, scored.scale_max) as scale_max,
    scored.score,
    scored.reason,
    scored.next_step

from scored
left join form_scales on scored.form_id = form_scales.form_id
