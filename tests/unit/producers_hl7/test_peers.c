/* Where messages may come from. */
#include "message_help.h"

#include "producers/hl7/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static bool is_in(const char *address, const char *range)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    bool is_six = strchr(address, ':') != NULL;
    assert_int_equal(
        inet_pton(is_six ? AF_INET6 : AF_INET, address, is_six ? (void *)&six.sin6_addr : (void *)&four.sin_addr), 1);
    const struct sockaddr *from =
        is_six ? (const struct sockaddr *)(const void *)&six : (const struct sockaddr *)(const void *)&four;
    if (range != NULL)
        return address_is_in_range(from, view_of_text(range));
    const struct organisation none = {.id = VIEW("R0A")};
    return peers_allow(&none, from);
}

static void a_range_holds_what_its_first_bits_say(void **state)
{
    (void)state;
    assert_true(is_in("10.1.2.3", "10.0.0.0/8"));
    assert_true(is_in("10.1.2.3", "10.1.2.3"));
    assert_true(is_in("10.1.2.3", "10.1.2.2/31"));
    assert_true(is_in("10.1.2.3", "0.0.0.0/0"));
    assert_false(is_in("10.1.2.4", "10.1.2.2/31"));
    assert_false(is_in("11.1.2.3", "10.0.0.0/8"));
    assert_false(is_in("10.1.2.3", "::/0"));
    assert_true(is_in("2001:db8::1", "2001:db8::/32"));
    assert_false(is_in("2001:db9::1", "2001:db8::/32"));
    assert_true(is_in("::ffff:10.1.2.3", "10.0.0.0/8"));
}

static void what_is_no_range_holds_nobody(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "10.0.0.0/33",
                                      "10.0.0.0/",
                                      "10.0.0.0/-1",
                                      "10.0.0/8",
                                      "hospital.example",
                                      "10.0.0.0/8x",
                                      "/8",
                                      "1111111111111111111111111111111111111111111111111111111111111111111111/8"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(is_in("10.1.2.3", bad[i]));
}

static void without_ranges_only_this_machine_may_send(void **state)
{
    (void)state;
    assert_true(is_in("127.0.0.1", NULL));
    assert_true(is_in("127.9.9.9", NULL));
    assert_true(is_in("::1", NULL));
    assert_true(is_in("::ffff:127.0.0.1", NULL));
    assert_false(is_in("10.1.2.3", NULL));
    assert_false(is_in("fe80::1", NULL));
}

static void any_of_the_ranges_will_do(void **state)
{
    (void)state;
    struct view peers[] = {VIEW("10.1.0.0/16"), VIEW("192.168.7.0/24")};
    const struct organisation organisation = {.id = VIEW("R0A"), .mllp_peers = peers, .mllp_peer_count = 2};
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(0xC0A80701);
    assert_true(peers_allow(&organisation, (const struct sockaddr *)(const void *)&from));
    from.sin_addr.s_addr = htonl(0x7F000001);
    assert_false(peers_allow(&organisation, (const struct sockaddr *)(const void *)&from));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_holds_what_its_first_bits_say),
        cmocka_unit_test(what_is_no_range_holds_nobody),
        cmocka_unit_test(without_ranges_only_this_machine_may_send),
        cmocka_unit_test(any_of_the_ranges_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
