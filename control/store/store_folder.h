#pragma once
// The store's folder beside the database's own files: whose it is (a lock for the life of the
// store), whether it is new, whole or has lost files, how much room there is, and two small files
// of ours:
//
//   INCOMPLETE  there while the first start makes the store: a crash then is not damage
//   HORIZON     how far the database had come: store_horizon.h
//
// Errors: -errno and what, where and how to go on in error[STORE_ERROR_MAX].

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STORE_FOLDER_HORIZON "HORIZON"

struct store_folder {
	int fd;
	bool is_new; // no store in it yet
	char path[PATH_MAX];
};

// Makes the folder (mode 0700) if it is missing, locks it and looks at what is in it.
int store_folder_open(struct store_folder *folder, const char *path, char *error);
void store_folder_close(struct store_folder *folder);

// Around the making of a new store.
int store_folder_begin(const struct store_folder *folder, char *error);
int store_folder_finish(const struct store_folder *folder, char *error);

// Up to max - 1 octets of a small file as text; its length or -errno.
ssize_t store_folder_read(const struct store_folder *folder, const char *name, char *text,
			  size_t max);
// The database's list of files, which CURRENT names: without it an empty one would be begun. 0 or
// -EBADMSG.
int store_folder_manifest(const struct store_folder *folder, uint64_t *number, uint64_t *len,
			  char *error);

// Octets that may be written; 0 or -errno. Any thread.
int store_folder_room(const struct store_folder *folder, uint64_t *room);
