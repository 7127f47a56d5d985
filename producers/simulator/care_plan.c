/* As JSON. */
#include "producers/simulator/care_plan.h"

#include "broker/base/json.h"
#include "broker/base/time.h"

static const struct {
    const char *title, *category;
} plans[] = {{"Falls prevention", "community"},
             {"Anticipatory care", "palliative"},
             {"Wound care", "community"},
             {"Diabetes review", "long-term-condition"},
             {"Medicines at home", "medicines"}};
static const char *const states[] = {"active", "on-hold", "completed", "active"};

enum { PLANS = sizeof plans / sizeof plans[0], STATES = sizeof states / sizeof states[0] };

void care_plan_source(const char *ods, struct buffer *to)
{
    buffer_add_format(to, "urn:simulated:%s", ods);
}

static void patient_write(const struct person *person, struct json *json)
{
    char born[11] = "";
    memcpy(born, person->birth_date, 4);
    born[4] = born[7] = '-';
    memcpy(born + 5, person->birth_date + 4, 2);
    memcpy(born + 8, person->birth_date + 6, 2);
    json_name(json, "patient");
    json_open_object(json);
    json_member_text(json, "nhsNumber", view_of_text(person->nhs_number));
    json_member_text(json, "familyName", view_of_text(person->family));
    json_member_text(json, "givenName", view_of_text(person->given));
    json_member_text(json, "birthDate", view_of_text(born));
    json_close_object(json);
}

static void plan_write(const struct care_plan_change *change, struct json *json)
{
    struct buffer id = {0};
    buffer_add_format(&id, "P%s-%u", change->id, change->what % PLANS);
    json_name(json, "carePlan");
    json_open_object(json);
    json_member_text(json, "id", buffer_view(&id));
    json_member_text(json, "title", view_of_text(plans[change->what % PLANS].title));
    json_member_text(json, "category", view_of_text(plans[change->what % PLANS].category));
    json_member_text(json, "status", view_of_text(states[change->what / PLANS % STATES]));
    json_member_time(json, "changedAt", change->time_ms);
    json_close_object(json);
    buffer_destroy(&id);
}

void care_plan_write(const struct care_plan_change *change, struct buffer *to)
{
    struct place_of_care publisher;
    struct buffer source = {0};
    struct json json = json_start(to);
    (void)region_subscriber(change->publisher, &publisher);
    care_plan_source(publisher.ods, &source);
    json_open_object(&json);
    json_member_text(&json, "specversion", VIEW("1.0"));
    json_member_text(&json, "id", view_of_text(change->id));
    json_member_text(&json, "source", buffer_view(&source));
    json_member_text(&json, "type", VIEW("care-plan-changed-1"));
    json_member_time(&json, "time", change->time_ms);
    json_member_text(&json, "subject", view_of_text(change->person->nhs_number));
    json_member_text(&json, "datacontenttype", VIEW("application/json"));
    json_name(&json, "data");
    json_open_object(&json);
    patient_write(change->person, &json);
    plan_write(change, &json);
    json_close_object(&json);
    json_close_object(&json);
    buffer_destroy(&source);
}
