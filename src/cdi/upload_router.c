#include "cdi/upload_router.h"

#include <string.h>

#include "base/log.h"

static const struct upload_router_path paths[] = {
    /* clang-format off */
    /*                              async  form   archive */
    { "/v1beta1/upload",            false, false, false },
    { "/v1beta1/upload-async",      true,  false, false },
    { "/v1beta1/upload-form",       false, true,  false },
    { "/v1beta1/upload-form-async", true,  true,  false },
    { "/v1beta1/upload-archive",    false, false, true },
    { "/v1alpha1/upload",           false, false, false },
    { "/v1alpha1/upload-async",     true,  false, false },
    { "/v1alpha1/upload-form",      false, true,  false },
    { "/v1alpha1/upload-form-async", true, true,  false },
    { "/v1alpha1/upload-archive",   false, false, true },
    /* clang-format on */
};

static const struct upload_router_path *find_path(const char *path)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (strcmp(paths[i].path, path) == 0)
            return &paths[i];
    return NULL;
}

int upload_router_claim(struct upload_router *router)
{
    unsigned open = UPLOAD_ROUTER_OPEN;

    return atomic_compare_exchange_strong(&router->state, &open,
                                          UPLOAD_ROUTER_BUSY)
               ? 0
               : -1;
}

void upload_router_set(struct upload_router *router,
                       enum upload_router_state state)
{
    atomic_store(&router->state, state);
}

static int refuse(const struct request *request, enum http_code code,
                  const char *why)
{
    log_warn("refused %s: %s: %d %s", request->peer, why, (int)code,
             http_reason(code));
    return -1;
}

/* Checks in the order of the list in the header.  -1: answer *code and *text. */
static int consider(struct upload_router *router, struct request_upload *upload,
                    enum http_code *code, const char **text)
{
    const struct request *request = upload->request;
    const struct http_head *head = &request->head;
    struct error err;

    *text = "";
    *code = HTTP_OK;
    if (strcmp(head->path, "/healthz") == 0) {
        *text = "OK";
        return -1;
    }
    upload->path = find_path(head->path);
    if (upload->path && upload->path->is_async && head->verb == HTTP_VERB_HEAD)
        return -1;
    *code = HTTP_NOT_FOUND;
    if (!upload->path) {
        *text = "404 page not found\n";
        return refuse(request, *code, "no such path");
    }
    if (head->verb != HTTP_VERB_POST)
        return refuse(request, *code, "an upload is a POST");
    *code = HTTP_UNAUTHORIZED;
    if (conn_check_peer(request->conn, &err) < 0)
        return refuse(request, *code, err.text);
    if (upload_router_claim(router) == 0)
        return 0;
    *code = atomic_load(&router->state) == UPLOAD_ROUTER_DONE
                ? HTTP_CONFLICT
                : HTTP_UNAVAILABLE;
    return refuse(request, *code,
                  *code == HTTP_CONFLICT ? "the disk is complete already"
                                         : "busy with another client");
}

/* Reads and checks the head.  -1: answer *code (0: nothing) and *text. */
static int read_request(struct upload_router *router,
                        struct request_upload *upload, enum http_code *code,
                        const char **text)
{
    struct error err;

    if (request_read_head(upload->request, code, &err) == 0)
        return consider(router, upload, code, text);
    *text = http_reason(*code);
    /* A client that sends nothing (a port check) is not worth a warning. */
    if (upload->request->len > 0)
        log_warn("refused %s: %s", upload->request->peer, err.text);
    else
        log_debug("%s: %s", upload->request->peer, err.text);
    return -1;
}

bool upload_router_receive(void *opaque, struct conn *conn, int stop_fd,
                           struct request_upload *upload)
{
    struct upload_router *router = opaque;
    enum http_code code;
    const char *text;

    upload->path = NULL;
    conn_set_stop(conn, stop_fd);
    upload->request = request_open(conn);
    if (!upload->request) {
        log_warn("no memory for a request");
        return false;
    }
    upload->request->idle_ns = router->idle_ns;
    upload->request->deadline_unix_ns = router->deadline_unix_ns;
    if (read_request(router, upload, &code, &text) == 0) {
        conn_set_stop(conn, 0); /* the upload itself is stopped otherwise */
        return true;
    }
    if (code != 0)
        request_answer(upload->request, code, text);
    request_close(upload->request);
    upload->request = NULL;
    return false;
}
