#include "options/value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"

#define PPM 1000000U

static const struct option_word flag_words[] = {
    { "yes", 1 }, { "no", 0 }, { "true", 1 }, { "false", 0 },
    { "1", 1 },   { "0", 0 },  { NULL, 0 },
};

enum reading {
    READING_OK,
    READING_UNREADABLE,
    READING_OUTSIDE, /* not within the bounds */
};

static const struct option_word *words_of(const struct option_row *row)
{
    return row->kind == OPTION_FLAG && !row->words ? flag_words : row->words;
}

static bool is_word(const struct option_row *row, const char *text,
                    uint64_t *value)
{
    const struct option_word *word = words_of(row);

    for (; word && word->text; word++) {
        if (strcmp(word->text, text) == 0) {
            *value = word->value;
            return true;
        }
    }
    return false;
}

static bool parse_ratio(const char *text, uint64_t *value)
{
    uint32_t ppm;

    if (!parse_ppm(text, &ppm))
        return false;
    *value = ppm;
    return true;
}

static const struct option_word sizes[] = {
    { "PiB", UINT64_C(1) << 50 }, { "TiB", UINT64_C(1) << 40 },
    { "GiB", UINT64_C(1) << 30 }, { "MiB", UINT64_C(1) << 20 },
    { "KiB", UINT64_C(1) << 10 }, { "", 1 },
};
static const struct option_word times[] = {
    { "h", 3600 * CLOCK_SECOND_NS },
    { "m", 60 * CLOCK_SECOND_NS },
    { "s", CLOCK_SECOND_NS },
    { "ms", CLOCK_MS_NS },
    { "ns", 1 },
};
static const struct option_word plain[] = { { "", 1 } };

/* Kinds with a number as value; the others have no parse(). */
static const struct {
    bool (*parse)(const char *text, uint64_t *value);
    const char *noun;
    const struct option_word *units; /* NULL: parts per million */
} numbers[] = {
    [OPTION_BYTES] = { parse_bytes, "a size such as 10GiB, ", sizes },
    [OPTION_COUNT] = { parse_count, "a whole number ", plain },
    [OPTION_PPM] = { parse_ratio, "a ratio ", NULL },
    [OPTION_DURATION] = { parse_duration, "a duration such as 30s or 5m, ",
                          times },
    [OPTION_TIME] = { parse_time, "a time such as 2027-01-31T12:00:00Z", NULL },
    [OPTION_ACTION] = { NULL, "", NULL },
};

static enum reading read_value(const struct option_row *row, const char *text,
                               uint64_t *value)
{
    if (is_word(row, text, value))
        return READING_OK;
    if (!numbers[row->kind].parse || !numbers[row->kind].parse(text, value))
        return READING_UNREADABLE;
    if (row->kind != OPTION_TIME && (*value < row->min || *value > row->max))
        return READING_OUTSIDE;
    return READING_OK;
}

/* Stores by the width of the field; option.h lists the widths of each kind. */
static void store_number(void *field, size_t field_len, uint64_t value)
{
    bool narrow_bool = value != 0;
    uint32_t narrow = (uint32_t)value;

    assert(field_len == 8 || value <= UINT32_MAX);
    switch (field_len) {
    case sizeof(bool): memcpy(field, &narrow_bool, sizeof(narrow_bool)); break;
    case sizeof(uint32_t): memcpy(field, &narrow, sizeof(narrow)); break;
    case sizeof(uint64_t): memcpy(field, &value, sizeof(value)); break;
    default: abort(); /* no kind has this width */
    }
}

static int fail(const struct option_row *row, const char *text,
                enum reading reading, struct error *err)
{
    char name[128], bounds[256];

    option_value_name(row, name, sizeof(name));
    option_value_bounds(row, bounds, sizeof(bounds));
    return error_set(err, ERROR_USAGE, 0, "%s: \"%s\" is not %s%s", name, text,
                     reading == READING_UNREADABLE && numbers[row->kind].noun
                         ? numbers[row->kind].noun
                         : "",
                     bounds);
}

const char *option_value_bare(const struct option_row *row)
{
    if (row->kind == OPTION_FLAG)
        return "yes";
    if (row->kind == OPTION_ACTION)
        return row->words[0].text;
    return NULL;
}

int option_value_store(const struct option_row *row, const char *text,
                       void *config, struct error *err)
{
    void *field = (char *)config + row->field_offset;
    enum reading reading;
    uint64_t value = 0;
    char name[128];

    if (row->kind == OPTION_STRING || row->kind == OPTION_ARGUMENT) {
        if (text[0] == '\0')
            return error_set(err, ERROR_USAGE, 0, "%s: \"\" is empty",
                             option_value_name(row, name, sizeof(name)));
        assert(row->field_len == sizeof(text));
        memcpy(field, &text, sizeof(text));
        return 0;
    }

    reading = read_value(row, text, &value);
    if (reading != READING_OK)
        return fail(row, text, reading, err);
    store_number(field, row->field_len, value);
    return 0;
}

static void append(char *buf, size_t len, const char *text)
{
    size_t used = strlen(buf);

    snprintf(buf + used, len - used, "%s", text);
}

const char *option_value_words(const struct option_row *row,
                               const char *separator, char *buf, size_t len)
{
    const struct option_word *word = words_of(row);

    for (bool first = true; word && word->text; word++, first = false) {
        if (!first)
            append(buf, len, separator);
        append(buf, len, word->text);
    }
    return buf;
}

/* Formats with the largest exact unit. */
static void append_scaled(char *buf, size_t len, uint64_t value,
                          const struct option_word *units)
{
    char number[64];

    while (value < units->value || value % units->value != 0)
        units++;
    snprintf(number, sizeof(number), "%" PRIu64 "%s", value / units->value,
             units->text);
    append(buf, len, number);
}

static void append_ppm(char *buf, size_t len, uint64_t ppm)
{
    char number[32];
    size_t n;

    n = (size_t)snprintf(number, sizeof(number), "%" PRIu64 ".%06" PRIu64,
                         ppm / PPM, ppm % PPM);
    while (number[n - 1] == '0')
        number[--n] = '\0';
    if (number[n - 1] == '.')
        number[n - 1] = '\0';
    append(buf, len, number);
}

/* Formats a bound as a user would write it. */
static void append_number(const struct option_row *row, uint64_t value,
                          char *buf, size_t len)
{
    if (value == 0)
        append(buf, len, "0");
    else if (numbers[row->kind].units)
        append_scaled(buf, len, value, numbers[row->kind].units);
    else
        append_ppm(buf, len, value);
}

const char *option_value_range(const struct option_row *row, char *buf,
                               size_t len)
{
    buf[0] = '\0';
    if (row->max == 0)
        return buf;
    append(buf, len, "between ");
    append_number(row, row->min, buf, len);
    append(buf, len, " and ");
    append_number(row, row->max, buf, len);
    return buf;
}

const char *option_value_bounds(const struct option_row *row, char *buf,
                                size_t len)
{
    buf[0] = '\0';
    if (!words_of(row))
        return option_value_range(row, buf, len);
    option_value_range(row, buf, len);
    append(buf, len, buf[0] == '\0' ? "one of " : ", or ");
    return option_value_words(row, ", ", buf, len);
}

const char *option_value_arg(const struct option_row *row, char *buf,
                             size_t len)
{
    buf[0] = '\0';
    if (row->kind == OPTION_FLAG || row->kind == OPTION_ARGUMENT)
        return buf;
    if (row->arg)
        append(buf, len, row->arg);
    if (row->arg && row->words)
        append(buf, len, "|");
    option_value_words(row, "|", buf, len);
    return buf;
}

const char *option_value_name(const struct option_row *row, char *buf,
                              size_t len)
{
    snprintf(buf, len, "%s%s", row->kind == OPTION_ARGUMENT ? "" : "--",
             row->name);
    if (row->env) {
        append(buf, len, " (");
        append(buf, len, row->env);
        append(buf, len, ")");
    }
    return buf;
}
