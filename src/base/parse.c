#include "base/parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
