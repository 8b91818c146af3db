#pragma once
// HTTP/2 of one connection over octets: no socket here. http_session.c is the only file of the
// program that knows the HTTP/2 library. Inside of the HTTP module; control thread only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/http/http_server.h"

struct door;
struct session;

enum { SESSION_SEND_MIN = 16384 + 9 + 256 }; // one frame

// `wake` is called when there is something to send that session_send has not been asked for since.
// NULL without memory.
struct session *session_new(struct door *door, const struct http_peer *peer,
			    void (*wake)(void *owner), void *owner);
void session_free(struct session *session);

// Octets of the peer. 0, or -EPROTO when the connection has to end (send what is there, then
// close).
int session_recv(struct session *session, const uint8_t *octets, size_t n);
// Fills at most max (no less than SESSION_SEND_MIN) octets for the peer; 0: nothing to send.
size_t session_send(struct session *session, uint8_t *to, size_t max);
bool session_is_done(const struct session *session); // nothing to come, nothing to send

bool session_is_open(const struct session *session); // the peer's preface has come
unsigned session_n_exchanges(const struct session *session);
uint64_t session_idle_since(const struct session *session); // door's now_s

// An orderly end: announce (GOAWAY without a limit), then, a moment later, refuse what is new.
void session_announce_end(struct session *session);
void session_refuse_new(struct session *session);
