#pragma once
// One HTTP/2 connection of the client as octets in and octets out; it knows no socket. The only
// place of tools/ that knows nghttp2. Callbacks of requests run in h2session_input and _fail. One
// thread. For h2client.c.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/h2.h"

struct h2session;

struct h2session *h2session_open(unsigned n_streams); // NULL without memory
void h2session_close(struct h2session *session);      // what is open ends without a callback

// Ends everything that is open with an error; nothing new is taken then.
void h2session_fail(struct h2session *session, int error, bool unasked);

bool h2session_has_room(const struct h2session *session);
// There is room. False when the connection takes no more requests (for good).
bool h2session_request(struct h2session *session, const char *authority,
		       const struct h2_request *request);

int h2session_input(struct h2session *session, const uint8_t *octets, size_t n); // 0 or -EPROTO
// Octets to send, valid until the next call; 0 when there are none now, negative on failure.
long h2session_output(struct h2session *session, const uint8_t **octets);
bool h2session_has_output(const struct h2session *session);
bool h2session_is_over(const struct h2session *session); // nothing to read or write any more
