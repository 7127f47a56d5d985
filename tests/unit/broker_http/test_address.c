/* Where the server listens, and what it says when it cannot. */
#include "broker/http/address.h"

#include "door.h"

static void a_free_port_is_found_and_reported(void **state)
{
    (void)state;
    static const char *const addresses[] = {"127.0.0.1:0", "localhost:0", "0.0.0.0:0"};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        int fd = -1;
        char text[ADDRESS_TEXT_SIZE];
        struct error err = {0};
        assert_int_equal(address_listen(addresses[i], &fd, text, &err), OK);
        int64_t port = 0;
        assert_true(view_to_number(view_of_text(strrchr(text, ':') + 1), &port) && port > 0);
        (void)close(fd);
    }
}

static void an_ipv6_address_stands_in_brackets(void **state)
{
    (void)state;
    int fd = -1;
    char text[ADDRESS_TEXT_SIZE];
    struct error err = {0};
    if (address_listen("[::1]:0", &fd, text, &err) != OK)
        skip(); /* a machine without IPv6 */
    assert_true(view_starts_with(view_of_text(text), VIEW("[::1]:")));
    (void)close(fd);
}

static void an_address_in_use_says_what_to_do(void **state)
{
    (void)state;
    int first = -1, second = -1;
    char text[ADDRESS_TEXT_SIZE], again[ADDRESS_TEXT_SIZE];
    struct error err = {0};
    assert_int_equal(address_listen("127.0.0.1:0", &first, text, &err), OK);
    assert_int_equal(address_listen(text, &second, again, &err), FATAL);
    assert_int_equal(second, -1);
    assert_non_null(strstr(err.text, "is in use: choose another with --http"));
    assert_true(view_starts_with(view_of_text(err.text), view_of_text(text)));
    (void)close(first);
}

static void what_is_not_an_address_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",      "8080",           "127.0.0.1", "127.0.0.1:", ":8080",
                                        "::1:0", "127.0.0.1:http", "[::1]",     "a:70000",    "127.0.0.1:-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int fd = -1;
        char text[ADDRESS_TEXT_SIZE];
        struct error err = {0};
        assert_int_equal(address_listen(wrong[i], &fd, text, &err), REJECTED);
        assert_true(strlen(err.text) > 0);
    }
}

static void a_server_that_cannot_listen_leaves_nothing_behind(void **state)
{
    (void)state;
    struct door door;
    door_open(&door);
    struct http_options options = {.address = http_address(door.http),
                                   .connections = 10,
                                   .body_limit = door_limit,
                                   .request = door_request,
                                   .cancelled = door_cancelled};
    struct http *second = NULL;
    struct error err = {0};
    assert_int_equal(http_open(&options, &second, &err), FATAL);
    assert_null(second);
    door_close(&door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_port_is_found_and_reported),
        cmocka_unit_test(an_ipv6_address_stands_in_brackets),
        cmocka_unit_test(an_address_in_use_says_what_to_do),
        cmocka_unit_test(what_is_not_an_address_is_refused),
        cmocka_unit_test(a_server_that_cannot_listen_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
