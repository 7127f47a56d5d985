/* States: kept under their key in an envelope of deadline and key id, sealed where the fold asks for it. */
#include "broker/fold/inside.h"

#include "broker/base/bytes.h"

/* Never the record's fault: that stays to be applied. */
static enum result state_damaged(const struct runner *runner, struct error *err)
{
    return error_set(err, FATAL, "%s: a state in the store is damaged; remove %s.store, it is folded anew",
                     runner->fold.name, runner->fold.name);
}

enum result state_read(struct runner *runner, struct view key, int64_t *ret_deadline_ms, uint64_t *ret_key_id,
                       struct error *err)
{
    buffer_clear(&runner->state);
    *ret_deadline_ms = 0;
    *ret_key_id = 0;
    enum result result = store_find(runner->store, STATE_SPACE, key, &runner->envelope);
    if (result != OK)
        return result;
    if (runner->envelope.size < ENVELOPE_SIZE)
        return state_damaged(runner, err);
    struct view stored = view_after(buffer_view(&runner->envelope), ENVELOPE_SIZE);
    *ret_deadline_ms = (int64_t)bytes_get_u64(runner->envelope.data);
    *ret_key_id = bytes_get_u64(runner->envelope.data + 8);
    if (!runner->fold.states_sealed) {
        buffer_add_view(&runner->state, stored);
        return OK;
    }
    const uint8_t *secret;
    result = keyring_find(runner->keyring, key, *ret_key_id, &secret, err);
    if (result != OK)
        return result; /* NOTHING: the patient was erased, and this state with them */
    result = vault_unseal(secret, key, stored, &runner->state, err);
    return result == REJECTED ? state_damaged(runner, err) : result;
}

static enum result state_write(struct runner *runner, struct view key, struct fold_output *output, uint64_t key_id,
                               struct error *err)
{
    uint8_t head[ENVELOPE_SIZE];
    bytes_put_u64(head, (uint64_t)output->deadline_ms);
    bytes_put_u64(head + 8, runner->fold.states_sealed ? key_id : 0);
    buffer_clear(&runner->envelope);
    buffer_add(&runner->envelope, head, sizeof head);
    if (runner->fold.states_sealed) {
        const uint8_t *secret;
        enum result result = keyring_find(runner->keyring, key, key_id, &secret, err);
        if (result != OK)
            return result == NOTHING ? OK : result; /* erased meanwhile: nothing is kept */
        vault_seal_once(secret, &runner->nonces, key, buffer_view(&output->state), &runner->envelope);
    } else {
        buffer_add_view(&runner->envelope, buffer_view(&output->state));
    }
    store_put(runner->store, STATE_SPACE, key, buffer_view(&runner->envelope));
    return OK;
}

static void deadline_move(struct runner *runner, struct fold_output *output, struct view key, int64_t old_ms)
{
    if (output->deadline_ms == old_ms)
        return;
    if (old_ms != 0)
        store_remove(runner->store, DEADLINE_SPACE, deadline_key(output->partition, old_ms, key, &output->row_key));
    if (output->deadline_ms == 0)
        return;
    store_put(runner->store, DEADLINE_SPACE,
              deadline_key(output->partition, output->deadline_ms, key, &output->row_key), VIEW(""));
    if (output->deadline_ms < output->part->earliest_deadline_ms)
        output->part->earliest_deadline_ms = output->deadline_ms;
}

enum result state_apply(struct runner *runner, struct fold_input *input, struct error *err)
{
    struct fold_output *output = &runner->output;
    int64_t old_deadline_ms;
    uint64_t key_id;
    enum result result = state_read(runner, input->key, &old_deadline_ms, &key_id, err);
    if (result != OK && result != NOTHING)
        return result;
    input->state = result == OK ? buffer_view(&runner->state) : VIEW_NONE;
    bool own_event = !input->wake && input->opened->kind == SCHEMA_EVENT_HEADER && input->opened->event.key_id != 0;
    output->key_id = own_event ? input->opened->event.key_id : key_id;
    output->input = input;
    output->state_put = output->state_removed = output->deadline_put = false;
    output->deadline_ms = old_deadline_ms;
    output->result = OK;
    size_t batch_before = runner->batch.count, bytes_before = runner->batch.bytes.size;
    int32_t index_before = output->index;
    result = runner->fold.apply(runner->fold.context, input, output, err);
    if (output->result != OK)
        result = error_set(err, output->result, "%.250s", output->error.text);
    if (result == OK && output->state_put)
        result = state_write(runner, input->key, output, output->key_id, err);
    if (result != OK) { /* nothing of it is kept or told */
        runner->batch.count = batch_before;
        runner->batch.bytes.size = bytes_before;
        output->index = index_before;
        return result;
    }
    if (output->state_removed) {
        output->deadline_ms = 0;
        store_remove(runner->store, STATE_SPACE, input->key);
    }
    deadline_move(runner, output, input->key, old_deadline_ms);
    return OK;
}
