/* micro.c - see micro.h. */
#include "micro.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"

/* Long enough that one read of the clock and one interrupt are noise. */
#define BATCH_NS (20 * CLOCK_MS_NS)
#define BATCHES  15

static uint64_t fixed_iterations;
static const char *only;

int micro_begin(int argc, char **argv)
{
    while (argc >= 3 && strncmp(argv[1], "--", 2) == 0) {
        if (strcmp(argv[1], "--only") == 0)
            only = argv[2];
        else
            micro_require(strcmp(argv[1], "--iterations") == 0 &&
                              parse_count(argv[2], &fixed_iterations) &&
                              fixed_iterations > 0,
                          "options are --iterations N and --only NAME");
        memmove(argv + 1, argv + 3, (size_t)(argc - 2) * sizeof(*argv));
        argc -= 2;
    }
    return argc;
}

bool micro_wants(const char *name)
{
    return only == NULL || strcmp(only, name) == 0;
}

uint64_t micro_iterations(uint64_t normal)
{
    return fixed_iterations > 0 ? fixed_iterations : normal;
}

static uint64_t time_calls(micro_body *body, void *opaque, uint64_t calls)
{
    uint64_t begin = clock_now_ns();

    for (uint64_t i = 0; i < calls; i++)
        body(opaque);
    return clock_now_ns() - begin;
}

/* Doubles until a batch is long enough; this also warms caches. */
static uint64_t calls_per_batch(micro_body *body, void *opaque)
{
    uint64_t calls = 1;

    while (time_calls(body, opaque, calls) < BATCH_NS)
        calls *= 2;
    return calls;
}

void micro_run(const char *name, uint64_t bytes, micro_body *body, void *opaque)
{
    uint64_t best = UINT64_MAX;
    uint64_t calls;

    if (!micro_wants(name))
        return;
    if (fixed_iterations > 0) {
        time_calls(body, opaque, fixed_iterations);
        return;
    }
    calls = calls_per_batch(body, opaque);
    for (unsigned i = 0; i < BATCHES; i++) {
        uint64_t took = time_calls(body, opaque, calls);

        best = took < best ? took : best;
    }
    micro_print(name, (double)best / (double)calls, (double)bytes);
}

void micro_print(const char *name, double ns_per_call, double bytes_per_call)
{
    if (fixed_iterations == 0)
        printf("%s %.2f %.3f\n", name, ns_per_call,
               bytes_per_call / ns_per_call);
}

void micro_fill(uint8_t *out, uint64_t len)
{
    uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

    for (uint64_t i = 0; i < len; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out[i] = (uint8_t)(state >> 32);
    }
}

uint8_t *micro_memory(uint64_t len)
{
    void *memory = NULL;

    micro_require(posix_memalign(&memory, 4096, (size_t)len) == 0, "no memory");
    memset(memory, 0, (size_t)len);
    return memory;
}

void micro_require(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "micro: %s (errno: %s)\n", what, strerror(errno));
    exit(1);
}
