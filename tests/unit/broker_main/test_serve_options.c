/* What `serve` is told: its defaults, what it refuses and in which words; durations; the ready file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/main/commands.h"
#include "broker/main/duration.h"
#include "broker/main/ready.h"
#include "broker/main/serve_options.h"

#include <stdlib.h>
#include <unistd.h>

static enum result serve_read(int count, char **words, struct options *options, struct serve_options *ret,
                              struct error *err)
{
    struct buffer settings = {0};
    enum result result = options_read(serve_command.options, count, words, options, err);
    if (result == OK)
        result = serve_options_read(options, ret, &settings, err);
    buffer_destroy(&settings);
    return result;
}

#define SERVE(options, serve, err, ...)                                                                                \
    serve_read((int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), (char *[]){__VA_ARGS__}, options, serve, err)

static void refused(struct error *err, const char *words)
{
    if (strstr(err->text, words) == NULL)
        fail_msg("\"%s\" should say \"%s\"", err->text, words);
}

static void without_options_it_is_all_roles_on_loopback(void **state)
{
    (void)state;
    struct options options;
    struct serve_options serve;
    struct error err;
    assert_int_equal(serve_read(0, NULL, &options, &serve, &err), OK);
    assert_string_equal(serve.data_folder, "./data");
    assert_string_equal(serve.log, "embedded");
    assert_string_equal(serve.http, "127.0.0.1:8080");
    assert_string_equal(serve.mllp, "127.0.0.1:2575");
    assert_int_equal(serve.roles, ROLE_ALL);
    assert_int_equal(serve.partitions, 0);
    options_destroy(&options);
}

static void what_is_given_is_taken(void **state)
{
    (void)state;
    struct options options;
    struct serve_options serve;
    struct error err;
    assert_int_equal(SERVE(&options, &serve, &err, "--data", "d", "--log=kafka://a:1,b:2", "--roles=ingest,api",
                           "--http", "[::1]:0", "--partitions=12", "--replication", "3", "--machine", "m1"),
                     OK);
    assert_string_equal(serve.data_folder, "d");
    assert_string_equal(serve.log, "kafka://a:1,b:2");
    assert_int_equal(serve.roles, ROLE_INGEST | ROLE_API);
    assert_string_equal(serve.http, "[::1]:0");
    assert_int_equal(serve.partitions, 12);
    assert_int_equal(serve.replication, 3);
    assert_string_equal(serve.machine, "m1");
    options_destroy(&options);
}

static void what_cannot_be_is_refused_in_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *word, *says;
    } cases[] = {
        {"--roles=ingest,macth", "there is no role macth; is match meant?"},
        {"--roles=", "--roles names none"},
        {"--log=kafka", "--log is embedded, or kafka://"},
        {"--log=kafka://", "--log is embedded, or kafka://"},
        {"--http=8080", "--http is an address and a port"},
        {"--mllp=127.0.0.1:70000", "--mllp is an address and a port"},
        {"--partitions=0", "--partitions takes a whole number from 1 to 1024"},
        {"--region=a b", "--region is 1 to 64"},
        {"--time-zone=Europe/Nowhere", "this machine knows no zone Europe/Nowhere"},
        {"--kafka-settings=/nowhere/at/all", "/nowhere/at/all cannot be read"},
        {"--webhook-allow=10.0.0.0/8", "comes with webhooks"},
        {"--standby", "comes with takeover"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct options options = {0};
        struct serve_options serve;
        struct error err;
        assert_int_equal(SERVE(&options, &serve, &err, (char *)cases[i].word), REJECTED);
        refused(&err, cases[i].says);
        options_destroy(&options);
    }
}

static void only_loopback_is_loopback(void **state)
{
    (void)state;
    assert_true(address_is_loopback("127.0.0.1:1"));
    assert_true(address_is_loopback("127.1.2.3:1"));
    assert_true(address_is_loopback("[::1]:1"));
    assert_true(address_is_loopback("localhost:1"));
    assert_false(address_is_loopback("0.0.0.0:1"));
    assert_false(address_is_loopback("[::]:1"));
    assert_false(address_is_loopback("10.127.0.1:1"));
}

static void durations_have_a_unit(void **state)
{
    (void)state;
    int64_t ms = -1;
    assert_true(duration_read("60s", &ms));
    assert_int_equal(ms, 60000);
    assert_true(duration_read("500ms", &ms));
    assert_int_equal(ms, 500);
    assert_true(duration_read("365d", &ms));
    assert_int_equal(ms, 365LL * 24 * 3600 * 1000);
    assert_true(duration_read("0", &ms));
    assert_int_equal(ms, 0);
    assert_false(duration_read("60", &ms));
    assert_false(duration_read("s", &ms));
    assert_false(duration_read("60sec", &ms));
    assert_false(duration_read("999999999999999d", &ms));
}

static void the_ready_file_says_where_to_connect(void **state)
{
    (void)state;
    char folder[] = "/tmp/tidings-ready-XXXXXX", http[READY_ADDRESS_SIZE], mllp[READY_ADDRESS_SIZE];
    struct error err;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(ready_read(folder, http, mllp, &err), NOTHING);
    assert_int_equal(ready_write(folder, "127.0.0.1:81", "0.0.0.0:82", &err), OK);
    assert_int_equal(ready_read(folder, http, mllp, &err), OK);
    assert_string_equal(http, "127.0.0.1:81");
    assert_string_equal(mllp, "127.0.0.1:82"); /* nobody connects to 0.0.0.0 */
    assert_int_equal(ready_write(folder, "[::]:81", NULL, &err), OK);
    assert_int_equal(ready_read(folder, http, mllp, &err), OK);
    assert_string_equal(http, "[::1]:81");
    assert_string_equal(mllp, "");
    ready_remove(folder);
    assert_int_equal(ready_read(folder, http, mllp, &err), NOTHING);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_it_is_all_roles_on_loopback),
        cmocka_unit_test(what_is_given_is_taken),
        cmocka_unit_test(what_cannot_be_is_refused_in_a_sentence),
        cmocka_unit_test(only_loopback_is_loopback),
        cmocka_unit_test(durations_have_a_unit),
        cmocka_unit_test(the_ready_file_says_where_to_connect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
