/* The messages of tests/fixtures/hl7. */
#pragma once

#include "message_help.h"

static const char *const fixture_names[] = {
    "a01_inpatient", "a04_emergency", "a02_other_site", "a03_died", "a11_cancelled", "a13_cancelled", "oru_results",
};
enum { FIXTURES = sizeof fixture_names / sizeof fixture_names[0], FIXTURE_SIZE = 4096 };

static struct view fixture_read(const char *name, char text[FIXTURE_SIZE])
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/tests/fixtures/hl7/%s.hl7", SOURCE_DIR, name);
    FILE *file = fopen(path, "rbe");
    assert_non_null(file);
    size_t size = fread(text, 1, FIXTURE_SIZE, file);
    (void)fclose(file);
    return view_make(text, size);
}
