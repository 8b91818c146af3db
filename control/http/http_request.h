#pragma once
// From a stream's frames to a handler. Inside of the HTTP module; control thread only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange;

void request_header(struct exchange *x, const char *name, size_t name_len, const char *value,
		    size_t value_len);
void request_begin(struct exchange *x, bool complete); // the header fields are complete
void request_data(struct exchange *x, const uint8_t *octets, size_t n);
void request_end(struct exchange *x);      // the peer has sent all
void request_answered(struct exchange *x); // all of the answer has left before that
void request_closed(struct exchange *x);   // the stream is over, and the session has let go of it
