#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "monitor/https_private.h"

enum progress {
    GO_ON,
    WAIT,
    OVER,
};

struct https_client *https_client_open(int fd, SSL_CTX *ctx)
{
    struct https_client *client = calloc(1, sizeof(*client));

    if (!client) {
        close(fd);
        return NULL;
    }
    client->fd = fd;
    client->since_ns = clock_now_ns();
    client->wants = POLLIN;
    client->ssl = SSL_new(ctx);
    if (client->ssl && SSL_set_fd(client->ssl, fd) == 1)
        return client;
    https_client_close(client);
    return NULL;
}

void https_client_close(struct https_client *client)
{
    if (!client)
        return;
    SSL_free(client->ssl);
    close(client->fd);
    free(client);
}

/* Maps r, the result of an OpenSSL call, to a step. */
static enum progress after(struct https_client *client, int r)
{
    int why = SSL_get_error(client->ssl, r);

    ERR_clear_error(); /* of an unknown client: not logged */
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        client->wants = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        return WAIT;
    }
    return OVER;
}

static enum progress shake_hands(struct https_client *client)
{
    int r = SSL_accept(client->ssl);

    if (r != 1)
        return after(client, r);
    client->state = HTTPS_READING;
    return GO_ON;
}

static enum progress take_request(struct https_client *client)
{
    size_t n;
    int r = SSL_read_ex(client->ssl, client->in + client->in_len,
                        sizeof(client->in) - client->in_len, &n);

    if (r != 1)
        return after(client, r);
    client->in_len += n;
    client->out_len = client->handler(client->opaque, client->in,
                                      client->in_len, client->out);
    if (client->out_len > 0)
        client->state = HTTPS_WRITING;
    else if (client->in_len == sizeof(client->in))
        return OVER;
    return GO_ON;
}

static enum progress send_answer(struct https_client *client)
{
    size_t n;
    int r = SSL_write_ex(client->ssl, client->out + client->out_sent,
                         client->out_len - client->out_sent, &n);

    if (r != 1)
        return after(client, r);
    client->out_sent += n;
    if (client->out_sent < client->out_len)
        return GO_ON;
    SSL_shutdown(client->ssl);
    ERR_clear_error();
    shutdown(client->fd, SHUT_WR);
    client->state = HTTPS_CLOSING;
    return GO_ON;
}

static enum progress drain(struct https_client *client)
{
    client->wants = POLLIN;
    return recv(client->fd, client->in, sizeof(client->in), MSG_DONTWAIT) > 0
               ? WAIT /* at most one buffer per poll */
               : OVER;
}

/* Makes one step of the current state, without blocking. */
static enum progress move(struct https_client *client)
{
    switch (client->state) {
    case HTTPS_HANDSHAKE: return shake_hands(client);
    case HTTPS_READING: return take_request(client);
    case HTTPS_WRITING: return send_answer(client);
    case HTTPS_CLOSING: return drain(client);
    }
    return OVER;
}

bool https_client_step(struct https_client *client)
{
    enum progress progress;

    do {
        enum https_state before = client->state;

        progress = move(client);
        if (progress == GO_ON && before != HTTPS_CLOSING &&
            client->state == HTTPS_CLOSING) {
            client->wants = POLLIN; /* until the client closes its side too */
            return true;
        }
    } while (progress == GO_ON);
    return progress == WAIT;
}
