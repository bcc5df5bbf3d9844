/*
 * evil.h - what evil_source and evil_target share: the right certificate,
 * the project's own codec, and the freedom to break the protocol.
 *
 * Every helper ends the process with status 2 when something goes wrong that
 * was not meant to: a sin that cannot be committed proves nothing.
 */
#ifndef CW_TESTS_EVIL_H
#define CW_TESTS_EVIL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "net/conn.h"
#include "plan/chunk_grid.h"
#include "record/digest.h"
#include "tls/tls.h"
#include "wire/frame.h"
#include "wire/message.h"

#define EVIL_DISK_BYTES (3 * CHUNK_BYTES)
#define EVIL_PATIENCE_S 30 /* limit of the whole run */

static inline void evil_die(const char *doing, const struct error *err)
{
    fprintf(stderr, "evil: %s: %s\n", doing, err->text);
    exit(2);
}

static inline struct tls *evil_identity(char **files, bool is_server)
{
    struct tls_options options = {
        .cert_file = files[0],
        .key_file = files[1],
        .ca_file = files[2],
    };
    struct tls *tls;
    struct error err = { 0 };

    alarm(EVIL_PATIENCE_S);
    if (tls_open(&options, is_server, &tls, &err) < 0)
        evil_die("open identity", &err);
    return tls;
}

static inline void evil_send(struct conn *conn, const void *data, size_t len)
{
    struct error err = { 0 };

    if (conn_send(conn, data, len, &err) < 0 || conn_flush(conn, &err) < 0)
        evil_die("send", &err);
}

static inline void evil_say(struct conn *conn, const struct message *message)
{
    static uint8_t bytes[MESSAGE_BUFFER_BYTES];

    evil_send(conn, bytes, message_encode(bytes, message));
}

/* As evil_say(), with extra bytes after it, counted as payload, that no
 * version's options could be. */
static inline void evil_say_more(struct conn *conn,
                                 const struct message *message, size_t extra)
{
    static uint8_t bytes[MESSAGE_BUFFER_BYTES + 64];
    size_t len = message_encode(bytes, message);

    put_be32(bytes + 4, (uint32_t)(len - MESSAGE_HEADER_BYTES + extra));
    memset(bytes + len, 0xff, extra);
    evil_send(conn, bytes, len + extra);
}

/* Only a header: any type, any length. */
static inline void evil_say_header(struct conn *conn, uint16_t type,
                                   uint32_t payload_bytes)
{
    uint8_t header[MESSAGE_HEADER_BYTES] = { 0 };

    put_be16(header, type);
    put_be32(header + 4, payload_bytes);
    evil_send(conn, header, sizeof header);
}

/* The next message; -1 when the connection ended instead.  Borrows a static
 * buffer until the next call. */
static inline int evil_hear(struct conn *conn, struct message *message,
                            struct error *err)
{
    static uint8_t payload[MESSAGE_MAX_BYTES];
    uint8_t header[MESSAGE_HEADER_BYTES];
    uint32_t len;

    if (conn_recv(conn, header, sizeof header, err) < 0)
        return -1;
    if (message_decode_header(header, &message->type, &len) != MESSAGE_OK)
        return error_set(err, ERROR_PROTOCOL, 0, "bad header");
    if (len > 0 && conn_recv(conn, payload, len, err) < 0)
        return -1;
    if (message_decode(message->type, payload, len, message) != MESSAGE_OK)
        return error_set(err, ERROR_PROTOCOL, 0, "bad message");
    return 0;
}

/* Skips heartbeats and whatever else until a message of that type. */
static inline void evil_hear_until(struct conn *conn, enum message_type type,
                                   struct message *message)
{
    struct error err = { 0 };

    do {
        if (evil_hear(conn, message, &err) < 0)
            evil_die("wait for an answer", &err);
        if (message->type == MESSAGE_ERROR && type != MESSAGE_ERROR) {
            error_set(&err, ERROR_PEER, 0, "%s", message->error.text);
            evil_die("wait for an answer", &err);
        }
    } while (message->type != type);
}

/* Listens to the end and prints what the other side made of the sin. */
static inline void evil_outcome(struct conn *conn)
{
    struct message message = { .type = MESSAGE_BYE };
    struct error err = { 0 };

    while (evil_hear(conn, &message, &err) == 0) {
        switch (message.type) {
        case MESSAGE_ERROR:
            printf("heard error %u: %s\n", message.error.kind,
                   message.error.text);
            return;
        case MESSAGE_DONE:
        case MESSAGE_BYE:
            printf("heard %s\n", message_type_name(message.type));
            return;
        case MESSAGE_HELLO:
        case MESSAGE_PLAN:
        case MESSAGE_HAVE:
        case MESSAGE_LEAVES:
        case MESSAGE_TREE:
        case MESSAGE_SAMPLE:
        case MESSAGE_GO:
        case MESSAGE_JOIN:
        case MESSAGE_PROGRESS:
        case MESSAGE_FINISH: break;
        }
    }
    printf("heard nothing: %s\n", err.text);
}

/* The root of a disk of zeros. */
static inline void evil_zero_root(uint64_t virtual_bytes,
                                  uint8_t root[MESSAGE_ROOT_BYTES])
{
    struct digest *digest;
    struct error err = { 0 };

    if (digest_open(DIGEST_XXH3_128, virtual_bytes, &digest, &err) < 0)
        evil_die("digest", &err);
    digest_root(digest, root);
    digest_close(digest);
}

#endif
