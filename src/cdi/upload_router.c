#include "cdi/upload_router.h"

#include "base/log.h"

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

/* ---- handlers ---- */

static bool refuse(struct request *request, enum http_code code,
                   const char *why)
{
    log_warn_limited(request->peer, "refused %s: %s: %d %s", request->peer, why,
                     (int)code, http_reason(code));
    request_answer(request, code, HTTP_TEXT, "");
    return false;
}

static bool show_health(void *opaque, struct request *request)
{
    (void)opaque;
    request_answer(request, HTTP_OK, HTTP_TEXT, "OK");
    return false;
}

/* Checks in the order of the list in the header. */
static bool take_upload(void *opaque, struct request *request)
{
    struct upload_router *router = opaque;
    enum http_verb verb = request->head.verb;
    struct error err;

    if (verb == HTTP_VERB_HEAD && request->route->flags & UPLOAD_ROUTE_ASYNC) {
        request_answer(request, HTTP_OK, HTTP_TEXT, "");
        return false;
    }
    if (verb != HTTP_VERB_POST)
        return refuse(request, HTTP_NOT_FOUND, "an upload is a POST");
    if (conn_check_peer(request->conn, &err) < 0)
        return refuse(request, HTTP_UNAUTHORIZED, err.text);
    if (upload_router_claim(router) < 0)
        return atomic_load(&router->state) == UPLOAD_ROUTER_DONE
                   ? refuse(request, HTTP_CONFLICT,
                            "the disk is complete already")
                   : refuse(request, HTTP_UNAVAILABLE,
                            "busy with another client");
    request->idle_ns = router->idle_ns;
    request->deadline_unix_ns = router->deadline_unix_ns;
    return true;
}

#define ASYNC   UPLOAD_ROUTE_ASYNC
#define FORM    UPLOAD_ROUTE_FORM
#define ARCHIVE UPLOAD_ROUTE_ARCHIVE

static const struct http_route routes[] = {
    { "/healthz", show_health, false, 0 },
    { "/v1beta1/upload", take_upload, false, 0 },
    { "/v1beta1/upload-async", take_upload, false, ASYNC },
    { "/v1beta1/upload-form", take_upload, false, FORM },
    { "/v1beta1/upload-form-async", take_upload, false, FORM | ASYNC },
    { "/v1beta1/upload-archive", take_upload, false, ARCHIVE },
    { "/v1alpha1/upload", take_upload, false, 0 },
    { "/v1alpha1/upload-async", take_upload, false, ASYNC },
    { "/v1alpha1/upload-form", take_upload, false, FORM },
    { "/v1alpha1/upload-form-async", take_upload, false, FORM | ASYNC },
    { "/v1alpha1/upload-archive", take_upload, false, ARCHIVE },
    { NULL, NULL, false, 0 },
};

struct http_service upload_router_service(struct upload_router *router)
{
    return (struct http_service){ .routes = routes, .opaque = router };
}
