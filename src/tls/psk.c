/*
 * psk.c - the pre-shared key file, and TLS 1.3's callbacks for it.
 *
 * File: lines "identity:hex-key", the format that psktool writes and nbdkit
 * and QEMU read; blank lines and lines that begin with "#" are skipped.
 *
 * OpenSSL accepts an external PSK as a session that was never established. The
 * key exchange is psk_dhe_ke only (OpenSSL's default), so a key that leaks
 * later does not decrypt recorded traffic.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "base/cleanup.h"
#include "tls/tls_private.h"

enum {
    FILE_MAX_BYTES = 64 << 10,
    KEY_MIN_BYTES = 16,
    KEY_MAX_BYTES = TLS_PSK_KEY_MAX
};

struct psk_line {
    char identity[TLS_PSK_IDENTITY_MAX + 1];
    unsigned char key[KEY_MAX_BYTES];
    size_t key_len;
};

struct tls_psk {
    struct psk_line *lines;
    size_t line_count, line_max;
    const struct psk_line *own; /* client: the line it offers */
};

/* The text of a file, wiped when it is freed. */
struct secret_text {
    char *text;
};

static void auto_secret(struct secret_text *secret)
{
    if (secret->text)
        OPENSSL_cleanse(secret->text, FILE_MAX_BYTES + 1);
    free(secret->text);
}

static void auto_psk(struct tls_psk **psk)
{
    tls_psk_close(*psk);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Returns NULL, or an error text about the key. */
static const char *decode_key(const char *hex, struct psk_line *line)
{
    size_t digits = strlen(hex);

    if (digits % 2 != 0)
        return "the key has an odd number of hex digits";
    if (digits / 2 < KEY_MIN_BYTES || digits / 2 > KEY_MAX_BYTES)
        return "the key must be 16 to 64 bytes (32 to 128 hex digits)";
    for (size_t i = 0; i < digits / 2; i++) {
        int high = hex_value(hex[2 * i]);
        int low = hex_value(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return "the key has something else than hex digits";
        line->key[i] = (unsigned char)(high << 4 | low);
    }
    line->key_len = digits / 2;
    return NULL;
}

static const struct psk_line *find_line(const struct tls_psk *psk,
                                        const void *identity, size_t len)
{
    for (size_t i = 0; i < psk->line_count; i++)
        if (strlen(psk->lines[i].identity) == len &&
            memcmp(psk->lines[i].identity, identity, len) == 0)
            return &psk->lines[i];
    return NULL;
}

/* Returns NULL, or an error text about the line. */
static const char *add_line(struct tls_psk *psk, char *text)
{
    struct psk_line *line = &psk->lines[psk->line_count];
    char *colon = strchr(text, ':');
    size_t len;
    const char *wrong;

    if (!colon || colon == text)
        return "expected \"identity:hex-key\"";
    len = (size_t)(colon - text);
    if (len > TLS_PSK_IDENTITY_MAX)
        return "the identity is longer than 128 bytes";
    if (find_line(psk, text, len))
        return "the identity is there twice";
    wrong = decode_key(colon + 1, line);
    if (wrong)
        return wrong;
    memcpy(line->identity, text, len);
    line->identity[len] = '\0';
    psk->line_count++;
    return NULL;
}

static int parse_file(struct tls_psk *psk, const char *path, char *text,
                      struct error *err)
{
    unsigned number = 0;
    char *line;

    while ((line = strsep(&text, "\n")) != NULL) {
        size_t len = strlen(line);
        const char *wrong;

        number++;
        if (len > 0 && line[len - 1] == '\r')
            line[len - 1] = '\0';
        if (*line == '\0' || *line == '#')
            continue;
        wrong = add_line(psk, line);
        if (wrong)
            return error_set(err, ERROR_TLS, 0,
                             "pre-shared key file %s line %u: %s", path, number,
                             wrong);
    }
    if (psk->line_count == 0)
        return error_set(err, ERROR_TLS, 0,
                         "pre-shared key file %s: no key in it", path);
    return 0;
}

static ssize_t read_all(int fd, char *text)
{
    size_t used = 0;

    while (used < FILE_MAX_BYTES) {
        ssize_t n = read(fd, text + used, FILE_MAX_BYTES - used);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        used += (size_t)n;
    }
    text[used] = '\0';
    return (ssize_t)used;
}

static int read_file(const char *path, char *text, struct error *err)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0)
        return error_set_named(err, ERROR_TLS, errno,
                               "read pre-shared key file %s", path);
    if (st.st_mode & S_IROTH)
        return error_set(err, ERROR_TLS, 0,
                         "pre-shared key file %s is readable by all users "
                         "(mode %04o); chmod 600 it, and make a new key if "
                         "others may have read it",
                         path, (unsigned)(st.st_mode & 07777));
    n = read_all(fd, text);
    if (n < 0)
        return error_set(err, ERROR_TLS, errno, "read pre-shared key file %s",
                         path);
    if (n == FILE_MAX_BYTES)
        return error_set(err, ERROR_TLS, 0,
                         "pre-shared key file %s is larger than 64 KiB", path);
    return 0;
}

static int choose_own(struct tls_psk *psk, const char *path,
                      const char *identity, struct error *err)
{
    if (!identity && psk->line_count > 1)
        return error_set(err, ERROR_USAGE, 0,
                         "pre-shared key file %s has %zu identities: say "
                         "which to use",
                         path, psk->line_count);
    psk->own = identity ? find_line(psk, identity, strlen(identity))
                        : &psk->lines[0];
    if (!psk->own)
        return error_set(err, ERROR_USAGE, 0,
                         "pre-shared key file %s has no identity \"%s\"", path,
                         identity);
    return 0;
}

static size_t count_lines(const char *text)
{
    size_t n = 1;

    assert(text);
    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

int tls_psk_open(const char *path, const char *identity, bool is_server,
                 struct tls_psk **psk, struct error *err)
{
    AUTO(auto_secret)
    struct secret_text secret = { calloc(1, FILE_MAX_BYTES + 1) };
    AUTO(auto_psk) struct tls_psk *p = calloc(1, sizeof(*p));

    if (!p || !secret.text)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "read %s", path);
    if (read_file(path, secret.text, err) < 0)
        return -1;
    /* Allocated once: growing it would leave copies of keys in freed
     * memory. */
    p->line_max = count_lines(secret.text);
    p->lines = calloc(p->line_max, sizeof(*p->lines));
    if (!p->lines)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "read %s", path);
    if (parse_file(p, path, secret.text, err) < 0)
        return -1;
    if (!is_server && choose_own(p, path, identity, err) < 0)
        return -1;
    *psk = TAKE_PTR(p);
    return 0;
}

int tls_psk_take(const struct tls_key *key, struct tls_psk **psk,
                 struct error *err)
{
    AUTO(auto_psk) struct tls_psk *p = calloc(1, sizeof(*p));

    assert(strlen(key->identity) <= TLS_PSK_IDENTITY_MAX);
    if (p)
        p->lines = calloc(1, sizeof(*p->lines));
    if (!p || !p->lines)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "set up TLS");
    p->line_count = p->line_max = 1;
    p->own = p->lines;
    memcpy(p->lines->identity, key->identity, strlen(key->identity));
    memcpy(p->lines->key, key->key, TLS_KEY_BYTES);
    p->lines->key_len = TLS_KEY_BYTES;
    *psk = TAKE_PTR(p);
    return 0;
}

/* Makes the session for a key; owned by the caller. */
static SSL_SESSION *make_session(SSL *ssl, const struct psk_line *line)
{
    static const unsigned char aes_128_gcm_sha256[] = { 0x13, 0x01 };
    const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, aes_128_gcm_sha256);
    SSL_SESSION *session = SSL_SESSION_new();

    if (session && cipher &&
        SSL_SESSION_set1_master_key(session, line->key, line->key_len) == 1 &&
        SSL_SESSION_set_cipher(session, cipher) == 1 &&
        SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1)
        return session;
    SSL_SESSION_free(session);
    return NULL;
}

/* Server: finds the key of identity.  Without a session OpenSSL continues
 * without PSK and fails for lack of a certificate: handshake_failure. */
static int find_session(SSL *ssl, const unsigned char *identity, size_t len,
                        SSL_SESSION **session)
{
    struct tls_peer *peer = SSL_get_app_data(ssl);
    const struct psk_line *line = find_line(peer->tls->psk, identity, len);

    *session = NULL;
    tls_printable(peer->psk_identity, sizeof(peer->psk_identity), identity,
                  len);
    peer->is_psk_unknown = !line;
    if (!line)
        return 1;
    *session = make_session(ssl, line);
    return *session ? 1 : 0;
}

/* Client: chooses what to offer.  digest: set on a second call, after the
 * server asked for another hello; our session fits only SHA-256. */
static int use_session(SSL *ssl, const EVP_MD *digest,
                       const unsigned char **identity, size_t *len,
                       SSL_SESSION **session)
{
    struct tls_peer *peer = SSL_get_app_data(ssl);
    const struct psk_line *own = peer->tls->psk->own;

    *session = NULL;
    if (digest && EVP_MD_is_a(digest, "SHA256") != 1)
        return 1;
    *session = make_session(ssl, own);
    if (!*session)
        return 0;
    *identity = (const unsigned char *)own->identity;
    *len = strlen(own->identity);
    tls_printable(peer->psk_identity, sizeof(peer->psk_identity), own->identity,
                  *len);
    return 1;
}

void tls_psk_install(SSL_CTX *ctx, bool is_server)
{
    if (is_server)
        SSL_CTX_set_psk_find_session_callback(ctx, find_session);
    else
        SSL_CTX_set_psk_use_session_callback(ctx, use_session);
}

size_t tls_psk_copy(const struct tls_psk *psk, const char *identity,
                    unsigned char key[TLS_PSK_KEY_MAX])
{
    const struct psk_line *line = find_line(psk, identity, strlen(identity));

    if (!line)
        return 0;
    memcpy(key, line->key, line->key_len);
    return line->key_len;
}

void tls_psk_close(struct tls_psk *psk)
{
    if (!psk)
        return;
    if (psk->lines)
        OPENSSL_cleanse(psk->lines, psk->line_max * sizeof(*psk->lines));
    free(psk->lines);
    free(psk);
}
