/* What libsodium does for the whole process: random bytes, comparing in constant time, and keeping memory out of core
 * files. */
#include "broker/vault/vault.h"

#include <sodium.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

bool vault_equal(const void *a, const void *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}

void vault_random(void *ret, size_t size)
{
    if (sodium_init() < 0)
        abort(); /* no random numbers: nothing that follows would be a secret */
    randombytes_buf(ret, size);
}

void vault_protect_process(void)
{
    if (sodium_init() < 0) /* here, before there are threads: it chooses the processor's instructions */
        abort();
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){.rlim_cur = 0, .rlim_max = 0});
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
