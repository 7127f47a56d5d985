/* Messages with random harm done to them: read or refused with a reason, and answered in whole frames. Same seed, same
 * run. */
#include "fixture_help.h"

#include "producers/hl7/acknowledgement.h"
#include "producers/hl7/framing.h"

enum { ROUNDS = 20000 };

static uint32_t next_random(uint32_t *state) /* xorshift */
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* One to eight harms: a byte changed, a piece taken out, doubled, or a delimiter put in. */
static void harm(struct buffer *bytes, uint32_t *state)
{
    static const char spice[] = "|^~\\&\r\n\"\x0B\x1C\0\xFF\xC3#MX";
    for (uint32_t left = next_random(state) % 8 + 1; left > 0 && bytes->size > 0; left--) {
        size_t at = next_random(state) % bytes->size;
        size_t size = next_random(state) % 40 % (bytes->size - at);
        switch (next_random(state) % 4) {
        case 0:
            bytes->data[at] = (uint8_t)next_random(state);
            break;
        case 1:
            memmove(bytes->data + at, bytes->data + at + size, bytes->size - at - size);
            bytes->size -= size;
            break;
        case 2:
            buffer_reserve(bytes, size);
            memmove(bytes->data + at + size, bytes->data + at, bytes->size - at);
            bytes->size += size;
            break;
        default:
            bytes->data[at] = (uint8_t)spice[next_random(state) % (sizeof spice - 1)];
            break;
        }
    }
}

/* Whole frames and nothing else: the sender's own deframer would read them. */
static void assert_whole_frames(struct view answers)
{
    struct deframer deframer = {.limit = 100000};
    deframer_add(&deframer, answers);
    struct frame frame = deframer_next(&deframer);
    while (frame.kind == FRAME_MESSAGE) {
        assert_true(view_starts_with(frame.message, VIEW("MSH")));
        assert_non_null(memmem(frame.message.data, frame.message.size, "\rMSA", 4));
        deframer_drop(&deframer);
        frame = deframer_next(&deframer);
    }
    assert_int_equal(frame.kind, FRAME_NONE);
    assert_int_equal(deframer_size(&deframer), 0);
    assert_int_equal(deframer.junk_total, 0);
    deframer_destroy(&deframer);
}

static void harm_is_read_or_refused_and_answered(void **state)
{
    (void)state;
    struct read_message read;
    struct buffer bytes = {0}, answers = {0};
    struct control_ids ids = {0};
    char text[FIXTURE_SIZE];
    uint32_t seed = 20261123, accepted = 0, refused = 0;
    read_open(&read);
    for (int round = 0; round < ROUNDS; round++) {
        buffer_clear(&bytes);
        buffer_clear(&answers);
        buffer_add_view(&bytes, fixture_read(fixture_names[round % FIXTURES], text));
        harm(&bytes, &seed);
        enum result result = read_bytes(&read, buffer_view(&bytes));
        assert_true(result == OK || result == REJECTED);
        if (result == REJECTED) {
            assert_true(strlen(read.refusal.code) == 3 && read.refusal.text[0] != '\0');
            refused++;
        } else {
            struct buffer content = {0};
            envelope_content(&read.message, &content);
            assert_true(content.size <= bytes.size);
            buffer_destroy(&content);
            accepted++;
        }
        acknowledgement_write(&answers, &read.message, result == OK ? VERDICT_ACCEPT : VERDICT_REJECT,
                              result == OK ? NULL : &read.refusal, &ids, read.facts.now_ms);
        assert_whole_frames(buffer_view(&answers));
    }
    assert_true(accepted > ROUNDS / 10 && refused > ROUNDS / 10);
    buffer_destroy(&bytes);
    buffer_destroy(&answers);
    read_close(&read);
}

static void a_stream_of_harm_never_stops_the_deframer(void **state)
{
    (void)state;
    uint32_t seed = 7;
    struct deframer deframer = {.limit = 300};
    size_t frames = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t piece[64];
        for (size_t i = 0; i < sizeof piece; i++) {
            static const uint8_t likely[] = {0x0B, 0x1C, 0x0D, 'x'};
            uint32_t r = next_random(&seed);
            piece[i] = r % 3 == 0 ? likely[r / 3 % sizeof likely] : (uint8_t)r;
        }
        deframer_add(&deframer, VIEW_OF(piece));
        for (struct frame frame = deframer_next(&deframer); frame.kind != FRAME_NONE;
             frame = deframer_next(&deframer)) {
            assert_true(frame.kind != FRAME_MESSAGE || frame.message.size <= deframer.limit);
            deframer.junk = 0; /* a new connection each time it would be closed */
            deframer_drop(&deframer);
            frames++;
        }
        assert_true(deframer_size(&deframer) <= FRAME_HEAD_BYTES + sizeof piece);
    }
    assert_true(frames > 100);
    deframer_destroy(&deframer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(harm_is_read_or_refused_and_answered),
        cmocka_unit_test(a_stream_of_harm_never_stops_the_deframer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
