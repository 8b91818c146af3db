#pragma once
// What tests of the store share: a folder of their own, opening, committing and waiting.

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/store/store.h"

struct store_place {
	char folder[200]; // of this test
	char path[256];   // of the store in it
	char kek[256];
	char error[STORE_ERROR_MAX];
};

static inline struct store_place store_place_in(const char *folder)
{
	struct store_place place = {.error = ""};

	snprintf(place.folder, sizeof(place.folder), "%s", folder);
	snprintf(place.path, sizeof(place.path), "%s/store", place.folder);
	snprintf(place.kek, sizeof(place.kek), "%s/kek", place.folder);
	return place;
}

static inline struct store_place store_place_new(void)
{
	char folder[] = "/tmp/akmapush-store-XXXXXX";

	if (!mkdtemp(folder))
		abort();
	return store_place_in(folder);
}

static inline void store_place_remove(const struct store_place *place)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf '%s'", place->folder);
	if (system(command))
		fprintf(stderr, "left behind: %s\n", place->folder);
}

static inline int store_start(struct store_place *place, struct store **store)
{
	const struct store_config config = {
		.path = place->path, .kek_path = place->kek, .room_min = 1, .verify = true};

	return store_open(&config, store, place->error);
}

static inline void store_note_status(void *ctx, int status)
{
	*(int *)ctx = status;
}

// Commits and waits for the outcome.
static inline int store_commit_wait(struct store *store, struct store_batch *batch)
{
	struct pollfd fd = {.fd = store_fd(store), .events = POLLIN};
	int status = 1;

	store_commit(batch, store_note_status, &status);
	while (status == 1) {
		poll(&fd, 1, 10000);
		store_poll(store);
	}
	return status;
}

static inline int store_put_wait(struct store *store, enum store_table table, const char *key,
				 const char *value)
{
	struct store_batch *const batch = store_begin(store);

	store_put(batch, table, key, strlen(key), value, strlen(value));
	return store_commit_wait(store, batch);
}

// Whether a value is there as it should be.
static inline int store_has(struct store *store, enum store_table table, const char *key,
			    const char *value)
{
	char found[4096];
	const ssize_t n = store_get(store, table, key, strlen(key), found, sizeof(found));

	return n == (ssize_t)strlen(value) && !memcmp(found, value, (size_t)n);
}
