#pragma once
// Routes that show what the door does, for the tests of the door and the program that scripts use.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

// What the handlers saw and what they are to do.
struct routes_seen {
	struct loop *loop;
	unsigned requests;           // that reached a handler
	unsigned lines;              // of uploads
	unsigned begun, ended, gone; // uploads
	unsigned hold_each;          // every so many lines an upload is held back; 0: never
	unsigned refuse_at;          // this line is answered with 400; 0: none
	uint64_t line_octets;
	unsigned sources_done;
	struct http_request *held;        // the upload that is held back
	struct http_request *tap;         // GET /tap under way
	unsigned tap_octets;              // it has these to give
	bool tap_over;                    // and then ends
	struct http_request *later[4096]; // requests of GET /later, not answered yet
	unsigned n_later;
};

extern struct routes_seen routes_seen;

// GET /small, POST /echo, GET /later (answered by routes_answer_later), GET /later/soon (by a
// timer), GET /stream?octets=N, GET /tap (as routes_seen says), POST /lines, GET and DELETE
// /things/{a}/{b}, GET /things/literal/{b}, GET /op (operator), GET /admin (admin), POST /short
// (body of at most 16 octets), GET /roles.
int routes_init(struct loop *loop);
void routes_answer_later(void);
