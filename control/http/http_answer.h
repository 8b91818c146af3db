#pragma once
// The answer of an exchange as the session draws it: the octets that are left, and what is done
// with them. Inside of the HTTP module; control thread only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange;

bool answer_is_stream(const struct exchange *x);
// Of a fixed answer: octets that are left; n of them were taken.
size_t answer_left(const struct exchange *x);
void answer_sent(struct exchange *x, size_t n);
// Of a stream: the next octets, 0 at its end, -EAGAIN or -EIO.
long answer_fill(struct exchange *x, uint8_t *to, size_t max);
void answer_closed(struct exchange *x); // nobody takes any more of it
