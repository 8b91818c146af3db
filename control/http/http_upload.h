#pragma once
// The way of an upload's octets to its handler (struct http_upload). Inside of the HTTP module;
// control thread only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange;

void upload_begin(struct exchange *x, bool complete); // calls the handler's begin
void upload_data(struct exchange *x, const uint8_t *octets, size_t n);
void upload_end(struct exchange *x);
void upload_gone(struct exchange *x); // tells the handler that nothing more comes
