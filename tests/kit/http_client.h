#pragma once
// A small HTTP/2 client in the thread of the server under test: it moves only when pumped, so that
// a test decides who is ahead. One connection; what is needed to be a bad peer, too.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

struct reply {
	int status; // 0: none yet
	char allow[64], type[64], retry_after[16], location[64];
	char body[4096]; // the first of it, terminated
	uint64_t len;
	bool closed;
	uint32_t error; // of the closed stream
	bool paused;    // takes octets without opening the window
};

struct client_request {
	const char *method, *path, *type, *body;
	size_t body_len;            // 0: strlen(body)
	const char *header, *value; // one more
	bool open_end;              // more body to come, or never
	bool no_window;             // see reply.paused
};

struct client;

struct client *client_open(uint16_t port);
void client_close(struct client *client); // at once, without a word
int client_fd(const struct client *client);

// The stream's id; the reply is filled as it comes, and lives as long as the client.
struct reply *client_send(struct client *client, const struct client_request *request, int *id);
void client_more(struct client *client, int id, const char *body, size_t len, bool end);
void client_reset(struct client *client, int id);
void client_ping(struct client *client);
void client_unpause(struct client *client, int id);

// Client and server take turns until nothing moves for a while or `done` is closed. false: the
// connection is over.
bool client_pump(struct client *client, struct loop *loop, const struct reply *done);
// Whether the server has closed the connection, and with which GOAWAY error (-1: none came).
bool client_is_over(const struct client *client);
int client_goaway(const struct client *client);
// Octets accepted by the server's windows: how much of an upload could leave so far.
uint64_t client_uploaded(const struct client *client);
