#include "base/parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/checked.h"
#include "base/clock.h"

__extension__ typedef unsigned __int128 u128;

/* A decimal number: value = digits / 10^decimals. */
struct decimal {
    uint64_t digits;
    unsigned decimals;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads "12", "12.5", ".5"; *text moves past it. */
static bool take_decimal(const char **text, struct decimal *d)
{
    const char *p = *text;
    bool seen_digit = false, seen_point = false;

    *d = (struct decimal){ 0 };
    for (;; p++) {
        if (*p == '.' && !seen_point) {
            seen_point = true;
            continue;
        }
        if (!is_digit(*p))
            break;
        if (ckd_mul(&d->digits, d->digits, 10U) ||
            ckd_add(&d->digits, d->digits, (unsigned)(*p - '0')))
            return false;
        seen_digit = true;
        d->decimals += seen_point;
    }
    *text = p;
    return seen_digit;
}

/* Computes d * unit; fails unless the result is an integer that fits. */
static bool scale_exactly(const struct decimal *d, uint64_t unit, uint64_t *out)
{
    u128 value = (u128)d->digits * unit;

    for (unsigned i = 0; i < d->decimals; i++) {
        if (value % 10 != 0)
            return false;
        value /= 10;
    }
    if (value > UINT64_MAX)
        return false;
    *out = (uint64_t)value;
    return true;
}

static bool unit_of(const char *suffix, uint64_t *unit)
{
    static const char prefixes[] = "kMGTP";
    const char *at;
    uint64_t base = 1000;
    size_t power;

    *unit = 1;
    if (strcmp(suffix, "") == 0 || strcmp(suffix, "B") == 0)
        return true;

    at = strchr(prefixes, suffix[0] == 'K' ? 'k' : suffix[0]);
    if (!at || *at == '\0')
        return false;
    power = (size_t)(at - prefixes) + 1;
    suffix++;
    if (*suffix == 'i') {
        base = 1024;
        suffix++;
    }
    if (*suffix == 'B')
        suffix++;
    for (size_t i = 0; i < power; i++)
        *unit *= base;
    return *suffix == '\0';
}

bool parse_bytes(const char *text, uint64_t *bytes)
{
    struct decimal d;
    uint64_t unit;

    return take_decimal(&text, &d) && unit_of(text, &unit) &&
           scale_exactly(&d, unit, bytes);
}

/* Reads the exponent after the "e" of "12e6", "5E-3". */
static bool take_exponent(const char *text, int *exponent)
{
    bool is_negative = *text == '-';
    int value = 0;

    text += *text == '-' || *text == '+';
    if (!is_digit(*text))
        return false;
    for (; is_digit(*text) && value < 100; text++)
        value = value * 10 + (*text - '0');
    *exponent = is_negative ? -value : value;
    return *text == '\0';
}

/* Parses the suffix of a quantity as unit * 10^exponent. */
static bool quantity_unit(const char *suffix, uint64_t *unit, int *exponent)
{
    static const char smaller[] = "mun";
    const char *at = *suffix ? strchr(smaller, *suffix) : NULL;

    *exponent = 0;
    *unit = 1;
    if (at && suffix[1] == '\0') {
        *exponent = -3 * (int)(at - smaller + 1);
        return true;
    }
    if (strcmp(suffix, "E") == 0) {
        *exponent = 18;
        return true;
    }
    if (strcmp(suffix, "Ei") == 0) {
        *unit = UINT64_C(1) << 60;
        return true;
    }
    if (*suffix == 'e' || *suffix == 'E')
        return take_exponent(suffix + 1, exponent);
    /* "1K" and "1kB" are common usage, "1k" is Kubernetes. */
    return !strchr(suffix, 'B') && strcmp(suffix, "K") != 0 &&
           strcmp(suffix, "ki") != 0 && unit_of(suffix, unit);
}

bool parse_quantity(const char *text, uint64_t *bytes)
{
    struct decimal d;
    bool is_rounded = false;
    uint64_t unit;
    int exponent;
    u128 value;

    text += *text == '+';
    if (!take_decimal(&text, &d) || !quantity_unit(text, &unit, &exponent))
        return false;
    value = (u128)d.digits * unit;
    exponent -= (int)d.decimals;
    for (; exponent < 0 && value > 0; exponent++) {
        is_rounded = is_rounded || value % 10 != 0;
        value /= 10;
    }
    value += is_rounded;
    for (; exponent > 0 && value > 0 && value <= UINT64_MAX; exponent--)
        value *= 10;
    if (value > UINT64_MAX)
        return false;
    *bytes = (uint64_t)value;
    return true;
}

bool parse_ppm(const char *text, uint32_t *ppm)
{
    struct decimal d;
    uint64_t value, unit = UINT64_C(1000000);

    if (!take_decimal(&text, &d))
        return false;
    if (strcmp(text, "%") == 0)
        unit /= 100;
    else if (*text != '\0')
        return false;
    if (!scale_exactly(&d, unit, &value) || value > UINT32_MAX)
        return false;
    *ppm = (uint32_t)value;
    return true;
}

bool parse_duration(const char *text, uint64_t *ns)
{
    static const struct {
        const char *suffix;
        uint64_t ns;
    } units[] = {
        { "", CLOCK_SECOND_NS },         { "ms", CLOCK_MS_NS },
        { "s", CLOCK_SECOND_NS },        { "m", 60 * CLOCK_SECOND_NS },
        { "h", 3600 * CLOCK_SECOND_NS },
    };
    struct decimal d;

    if (!take_decimal(&text, &d))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(text, units[i].suffix) == 0)
            return scale_exactly(&d, units[i].ns, ns);
    return false;
}

bool parse_count(const char *text, uint64_t *count)
{
    struct decimal d;

    if (!is_digit(*text) || !take_decimal(&text, &d) || *text != '\0' ||
        d.decimals != 0)
        return false;
    *count = d.digits;
    return true;
}

const char *format_bytes(char *buf, size_t len, uint64_t bytes)
{
    static const char *const names[] = { "B",   "KiB", "MiB", "GiB",
                                         "TiB", "PiB", "EiB" };
    unsigned unit = 0;
    uint64_t tenths;

    while (unit < 6 && bytes >> (10 * (unit + 1)) != 0)
        unit++;
    tenths = unit == 0 ? 0 : (bytes >> (10 * (unit - 1))) % 1024 * 10 / 1024;
    if (tenths == 0)
        snprintf(buf, len, "%" PRIu64 " %s", bytes >> (10 * unit), names[unit]);
    else
        snprintf(buf, len, "%" PRIu64 ".%" PRIu64 " %s", bytes >> (10 * unit),
                 tenths, names[unit]);
    return buf;
}

/* ---- RFC 3339 timestamps ---- */

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
