/* clock.h - the monotonic clock and the wall clock. */
#ifndef CW_BASE_CLOCK_H
#define CW_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_SECOND_NS UINT64_C(1000000000)
#define CLOCK_MS_NS     UINT64_C(1000000)

/* Nanoseconds since an arbitrary moment; never goes back. */
uint64_t clock_now_ns(void);

/* Milliseconds from now to deadline_ns, rounded up, for poll(2); 0 if it has
 * passed. */
int clock_until_ms(uint64_t deadline_ns);

/* Nanoseconds since 1970, UTC: for users and other machines. */
uint64_t clock_unix_ns(void);

#endif
