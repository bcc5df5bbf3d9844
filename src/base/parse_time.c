/* parse_time.c - parses and formats RFC 3339 timestamps. */
#include "base/parse.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads exactly n digits; *text moves past them. */
static bool take_digits(const char **text, unsigned n, unsigned *value)
{
    *value = 0;
    for (unsigned i = 0; i < n; i++, (*text)++) {
        if (!is_digit(**text))
            return false;
        *value = *value * 10 + (unsigned)(**text - '0');
    }
    return true;
}

static bool take_char(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const unsigned days[] = { 31, 28, 31, 30, 31, 30,
                                     31, 31, 30, 31, 30, 31 };

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Reads "2026-11-21" as days since 1970. */
static bool take_date(const char **text, uint64_t *days)
{
    unsigned year, month, day;

    if (!take_digits(text, 4, &year) || !take_char(text, '-') ||
        !take_digits(text, 2, &month) || !take_char(text, '-') ||
        !take_digits(text, 2, &day) || year < 1970 || year > 2261 ||
        month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *days = day - 1;
    for (unsigned y = 1970; y < year; y++)
        *days += is_leap(y) ? 366 : 365;
    for (unsigned m = 1; m < month; m++)
        *days += days_in_month(year, m);
    return true;
}

/* Reads "03:30:00.25" as nanoseconds since midnight; ignores digits after the
 * ninth. */
static bool take_clock(const char **text, uint64_t *ns)
{
    unsigned hour, minute, second;

    if (!take_digits(text, 2, &hour) || !take_char(text, ':') ||
        !take_digits(text, 2, &minute) || !take_char(text, ':') ||
        !take_digits(text, 2, &second) || hour > 23 || minute > 59 ||
        second > 60) /* a leap second */
        return false;
    *ns = (hour * 3600 + minute * 60 + second) * CLOCK_SECOND_NS;
    if (**text != '.')
        return true;
    (*text)++;
    if (!is_digit(**text))
        return false;
    for (uint64_t unit = CLOCK_SECOND_NS / 10; is_digit(**text);
         unit /= 10, (*text)++)
        *ns += unit * (unsigned)(**text - '0');
    return true;
}

/* Reads "Z" or "+01:00" as the offset to subtract to get UTC. */
static bool take_zone(const char **text, int64_t *ns)
{
    int sign = **text == '-' ? -1 : 1;
    unsigned hours, minutes;

    *ns = 0;
    if (take_char(text, 'Z') || take_char(text, 'z'))
        return true;
    if (**text != '+' && **text != '-')
        return false;
    (*text)++;
    if (!take_digits(text, 2, &hours) || !take_char(text, ':') ||
        !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ns = sign * (int64_t)((hours * 60 + minutes) * 60 * CLOCK_SECOND_NS);
    return true;
}

bool parse_time(const char *text, uint64_t *unix_ns)
{
    uint64_t days, ns;
    int64_t zone_ns, sum;

    if (!take_date(&text, &days) ||
        !(take_char(&text, 'T') || take_char(&text, 't')) ||
        !take_clock(&text, &ns) || !take_zone(&text, &zone_ns) || *text != '\0')
        return false;
    sum = (int64_t)(days * 86400 * CLOCK_SECOND_NS + ns) - zone_ns;
    if (sum < 0)
        return false;
    *unix_ns = (uint64_t)sum;
    return true;
}

const char *format_time(char buf[FORMAT_TIME_BYTES], uint64_t unix_ns)
{
    time_t seconds = (time_t)(unix_ns / CLOCK_SECOND_NS);
    struct tm utc;
    size_t used;

    gmtime_r(&seconds, &utc);
    used = strftime(buf, FORMAT_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(buf + used, FORMAT_TIME_BYTES - used, ".%03uZ",
             (unsigned)(unix_ns % CLOCK_SECOND_NS / CLOCK_MS_NS));
    return buf;
}
