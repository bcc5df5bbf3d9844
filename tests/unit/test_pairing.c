/* The code that introduces two machines: exact, and typos told as typos. */
#include <ctype.h>

#include "unit.h"
#include "wire/pairing.h"

#define CODE_LEN (PAIRING_CODE_CHARS - 1)

/* Bytes 0, 1, 2, ...; reference made with Python's base64.b32encode() and
 * the alphabet exchanged. */
static const char counting[] =
    "cw1-000g40r40m30e209185gr38e1w8124gk2gahc5rr34d1p70x3rfj08924cj276x0";

static void count_up(struct pairing *pairing)
{
    for (unsigned i = 0; i < PAIRING_ID_BYTES; i++)
        pairing->id[i] = (uint8_t)i;
    for (unsigned i = 0; i < PAIRING_KEY_BYTES; i++)
        pairing->key[i] = (uint8_t)(PAIRING_ID_BYTES + i);
}

static void test_encode(void **state)
{
    struct pairing pairing, again = { 0 };
    char code[PAIRING_CODE_CHARS];
    char identity[PAIRING_IDENT_CHARS];

    (void)state;
    count_up(&pairing);
    pairing_encode(&pairing, code);
    assert_string_equal(code, counting);
    assert_int_equal(pairing_decode(code, CODE_LEN, &again), PAIRING_OK);
    assert_memory_equal(&again, &pairing, sizeof(pairing));
    assert_string_equal(pairing_identity(&pairing, identity),
                        "clonewire-pair-000g40r4");
}

static void test_decode_as_people_write(void **state)
{
    struct pairing pairing, again = { 0 };
    char code[PAIRING_CODE_CHARS];

    (void)state;
    count_up(&pairing);
    pairing_encode(&pairing, code);
    for (size_t i = 0; i < CODE_LEN; i++) {
        code[i] = (char)toupper((unsigned char)code[i]);
        if (i >= 4 && code[i] == '0')
            code[i] = 'O';
        if (i >= 4 && code[i] == '1')
            code[i] = i % 2 ? 'l' : 'I';
    }
    assert_int_equal(pairing_decode(code, CODE_LEN, &again), PAIRING_OK);
    assert_memory_equal(&again, &pairing, sizeof(pairing));
}

static void test_decode_refuses(void **state)
{
    static const struct {
        const char *text;
        enum pairing_result want;
    } cases[] = {
        { "", PAIRING_NO_PREFIX },
        { "cw1", PAIRING_NO_PREFIX },
        { "cw2-0000", PAIRING_NO_PREFIX },
        { "target.example", PAIRING_NO_PREFIX },
        { "cw1-", PAIRING_BAD_LENGTH },
        { "cw1-000g40r40m30e209185gr38e1w8124gk2gahc5rr34d1p70x3rfj08924cj276",
          PAIRING_BAD_LENGTH },
        { "cw1-u00g40r40m30e209185gr38e1w8124gk2gahc5rr34d1p70x3rfj08924cj276x0",
          PAIRING_BAD_CHARACTER },
        { "cw1-000g40r40m30e209185gr38e1w8124gk2gahc5rr34d1p70x3rfj08924cj276x ",
          PAIRING_BAD_CHARACTER },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pairing pairing;

        CASE(cases[i].text);
        assert_int_equal(
            pairing_decode(cases[i].text, strlen(cases[i].text), &pairing),
            cases[i].want);
    }
}

/* Any one wrong character, and any two neighbours exchanged, is a typo. */
static void test_every_slip_is_told(void **state)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    struct pairing pairing, again;
    char code[PAIRING_CODE_CHARS], bad[PAIRING_CODE_CHARS];

    (void)state;
    count_up(&pairing);
    pairing_encode(&pairing, code);
    for (size_t at = 4; at < CODE_LEN; at++) {
        for (const char *d = digits; *d != '\0'; d++) {
            memcpy(bad, code, sizeof(bad));
            bad[at] = *d;
            assert_int_equal(pairing_decode(bad, CODE_LEN, &again),
                             *d == code[at] ? PAIRING_OK : PAIRING_BAD_CHECK);
        }
        if (at + 1 == CODE_LEN || code[at] == code[at + 1])
            continue;
        memcpy(bad, code, sizeof(bad));
        bad[at] = code[at + 1];
        bad[at + 1] = code[at];
        assert_int_equal(pairing_decode(bad, CODE_LEN, &again),
                         PAIRING_BAD_CHECK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_decode_as_people_write),
        cmocka_unit_test(test_decode_refuses),
        cmocka_unit_test(test_every_slip_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
