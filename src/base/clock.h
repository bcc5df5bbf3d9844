/* clock.h - the one monotonic clock, and the wall clock. */
#ifndef CW_BASE_CLOCK_H
#define CW_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_SECOND_NS UINT64_C(1000000000)
#define CLOCK_MS_NS     UINT64_C(1000000)

/* Nanoseconds since some fixed moment; never goes back. */
uint64_t clock_now_ns(void);

/* Milliseconds from now to deadline_ns, rounded up, as poll(2) takes them; 0:
 * it has passed. */
int clock_until_ms(uint64_t deadline_ns);

/* Nanoseconds since 1970, UTC: for what people and other machines read. */
uint64_t clock_unix_ns(void);

#endif
