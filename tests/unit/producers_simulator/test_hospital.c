/* A hospital against a door that plays tricks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "producers/simulator/hospital.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 20 * 1000 };

/* A door that answers by a script: "AA", "AE", "AR"; "-": hangs up without an answer. Each is for one message read. */
struct door {
    int listening;
    char address[32];
    const char *const *script;
    struct buffer heard; /* all messages, unframed, one after the other */
    int messages;
    pthread_t thread;
};

static bool frame_read(int peer, struct buffer *to, char id[MESSAGE_ID_SIZE])
{
    char byte;
    size_t from = to->size;
    for (;;) {
        if (recv(peer, &byte, 1, 0) != 1)
            return false;
        if (byte == 0x1C)
            break;
        if (byte != 0x0B)
            buffer_add_byte(to, (uint8_t)byte);
    }
    if (recv(peer, &byte, 1, 0) != 1)
        return false;
    (void)snprintf(id, MESSAGE_ID_SIZE, "%.*s", (int)(to->size - from), (const char *)to->data + from);
    return true;
}

static void *door_run(void *context)
{
    struct door *door = context;
    char id[MESSAGE_ID_SIZE];
    int peer = -1;
    for (size_t i = 0; door->script[i] != NULL;) {
        if (peer < 0)
            peer = accept(door->listening, NULL, NULL);
        if (!frame_read(peer, &door->heard, id)) {
            (void)close(peer);
            peer = -1;
            continue;
        }
        door->messages++;
        if (strcmp(door->script[i], "-") == 0) {
            (void)close(peer);
            peer = -1;
        } else {
            char answer[128];
            int size =
                snprintf(answer, sizeof answer, "\x0BMSH|^~\\&|\rMSA|%s|%s\rERR||PID^1^3|101^Required|||||why\r\x1C\r",
                         door->script[i], id);
            assert_int_equal(send(peer, answer, (size_t)size, MSG_NOSIGNAL), size);
        }
        i++;
    }
    if (peer >= 0)
        (void)close(peer);
    return NULL;
}

static void door_open(struct door *door, const char *const *script)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    *door = (struct door){.script = script, .listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_true(door->listening >= 0);
    assert_int_equal(bind(door->listening, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(door->listening, 8), 0);
    assert_int_equal(getsockname(door->listening, (struct sockaddr *)&at, &size), 0);
    (void)snprintf(door->address, sizeof door->address, "127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&door->thread, NULL, door_run, door), 0);
}

struct world {
    struct door door;
    struct tally *tally;
    struct traffic traffic;
    struct outbox outbox;
    struct hospital *hospital;
};

static void world_start(struct world *world, const char *const *script)
{
    door_open(&world->door, script);
    world->tally = tally_create(4, 1, 0);
    traffic_open(&world->traffic, 4, world->tally);
    outbox_open(&world->outbox);
    world->hospital = hospital_start(world->door.address, &world->outbox, &world->traffic);
}

/* A message whose bytes are its id. */
static void message_add(struct world *world, int patient, const char *id)
{
    struct outgoing message = {.patient = patient};
    (void)snprintf(message.id, sizeof message.id, "%s", id);
    buffer_add_text(&message.bytes, id);
    struct sending *sending = traffic_take(&world->traffic, &message);
    sending->alerts[0] = (struct expected_alert){0, PRACTICE, (uint64_t)(unsigned char)id[0]};
    sending->alert_count = 1;
    outbox_add(&world->outbox, sending);
}

static struct traffic_counts world_end(struct world *world, struct tally_counts *ret_tally)
{
    struct traffic_counts counts;
    outbox_close(&world->outbox);
    assert_true(traffic_wait_for_end(&world->traffic, WAIT_MS));
    hospital_end(world->hospital);
    (void)pthread_join(world->door.thread, NULL);
    (void)close(world->door.listening);
    traffic_count(&world->traffic, &counts);
    tally_count(world->tally, ret_tally);
    traffic_close(&world->traffic);
    outbox_destroy(&world->outbox);
    tally_destroy(world->tally);
    return counts;
}

static void what_is_acknowledged_is_expected(void **state)
{
    static const char *const script[] = {"AA", "CA", NULL};
    struct world world;
    struct tally_counts tally;
    (void)state;
    world_start(&world, script);
    message_add(&world, 0, "A");
    message_add(&world, 1, "B");
    struct traffic_counts counts = world_end(&world, &tally);
    assert_int_equal(counts.sent, 2);
    assert_int_equal(counts.acknowledged, 2);
    assert_int_equal(counts.resent, 0);
    assert_int_equal(tally.expected, 2);
    buffer_destroy(&world.door.heard);
}

static void a_message_whose_answer_is_lost_is_sent_again_word_for_word(void **state)
{
    static const char *const script[] = {"-", "-", "AA", NULL};
    struct world world;
    struct tally_counts tally;
    (void)state;
    world_start(&world, script);
    message_add(&world, 0, "A");
    struct traffic_counts counts = world_end(&world, &tally);
    assert_true(view_is(buffer_view(&world.door.heard), VIEW("AAA")));
    assert_int_equal(counts.sent, 1);
    assert_int_equal(counts.resent, 2);
    assert_int_equal(counts.acknowledged, 1);
    assert_int_equal(tally.expected, 1);
    buffer_destroy(&world.door.heard);
}

static void an_answer_that_says_later_is_obeyed(void **state)
{
    static const char *const script[] = {"AE", "AA", NULL};
    struct world world;
    struct tally_counts tally;
    (void)state;
    world_start(&world, script);
    message_add(&world, 0, "A");
    struct traffic_counts counts = world_end(&world, &tally);
    assert_int_equal(counts.resent, 1);
    assert_int_equal(counts.acknowledged, 1);
    buffer_destroy(&world.door.heard);
}

static void what_is_rejected_is_neither_sent_again_nor_expected(void **state)
{
    static const char *const script[] = {"AR", NULL};
    struct world world;
    struct tally_counts tally;
    (void)state;
    world_start(&world, script);
    message_add(&world, 0, "A");
    struct traffic_counts counts = world_end(&world, &tally);
    assert_int_equal(counts.rejected, 1);
    assert_int_equal(counts.resent, 0);
    assert_string_equal(counts.rejection.text, "A: 101 why");
    assert_int_equal(tally.expected, 0);
    assert_int_equal(tally.open, 0);
    buffer_destroy(&world.door.heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_acknowledged_is_expected),
        cmocka_unit_test(a_message_whose_answer_is_lost_is_sent_again_word_for_word),
        cmocka_unit_test(an_answer_that_says_later_is_obeyed),
        cmocka_unit_test(what_is_rejected_is_neither_sent_again_nor_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
