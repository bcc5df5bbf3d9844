/* Every exit status is in docs/operations.md, with the kind's name. */
#include <stdio.h>

#include "base/error.h"
#include "unit.h"

static char page[65536];

static int read_page(void **state)
{
    FILE *in = fopen(CW_DOCS_DIR "/operations.md", "r");
    size_t n;

    (void)state;
    if (!in)
        return -1;
    n = fread(page, 1, sizeof(page) - 1, in);
    fclose(in);
    return n > 0 && n < sizeof(page) - 1 ? 0 : -1;
}

/* The row of the table that a kind has, without its newline. */
static const char *row_of(unsigned status, char *row, size_t len)
{
    enum error_kind kind = (enum error_kind)status;
    const char *at;

    snprintf(row, len, "\n| %u%s | `%s` |", status,
             kind == ERROR_CANCELLED ? ", 143" : "", error_kind_name(kind));
    CASE(row + 1);
    at = strstr(page, row);
    assert_non_null(at);
    snprintf(row, len, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
    return row;
}

/* What the page sets in type, a terminal does not. */
static void drop_marks(char *row)
{
    char *to = row;

    for (const char *at = row; *at; at++)
        if (*at != '`')
            *to++ = *at;
    *to = '\0';
}

static void test_documented(void **state)
{
    unsigned known = 0;

    (void)state;
    for (unsigned status = 1; status < 256; status++) {
        bool again = error_is_retryable((enum error_kind)status);
        char row[512];

        if (!error_kind_is_known(status))
            continue;
        known++;
        row_of(status, row, sizeof(row));
        assert_non_null(strstr(row, again ? "| yes |" : "| no |"));
        drop_marks(row);
        assert_true(error_hint((enum error_kind)status)[0] != '\0');
        assert_non_null(strstr(row, error_hint((enum error_kind)status)));
    }
    assert_true(known >= 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documented),
    };

    return cmocka_run_group_tests(tests, read_page, NULL);
}
