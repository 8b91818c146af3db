#pragma once
// RocksDB's log format, that of its logs (<number>.log) and its lists of files (MANIFEST-*): blocks
// of 32 KiB, each a row of fragments of a checksum, a length, a type and so many octets.
//
// RocksDB's reader takes two things for the end that a crash left, and goes on without a word and
// without what follows: a fragment that is longer than its file, and one of the types that logs
// have when they are used again. One flipped bit of a length or a type makes either, and a table of
// the store empty. So we look first. No file of ours is used again; and a fragment that a crash cut
// off has no shorter form with the right checksum.

#include <stddef.h>
#include <stdint.h>

#include "control/store/store_folder.h"

enum { STORE_LOG_BLOCK = 32768 };

// Where in a block (len octets, at most STORE_LOG_BLOCK; fewer only of a file's last) damage is
// that RocksDB would pass over; len when there is none. Damage that it reports is not looked for.
size_t store_log_format_damage(const uint8_t *block, size_t len);

// Looks at every log and at the list of files that CURRENT names, while the database is closed. 0
// or -errno with the text in error[STORE_ERROR_MAX]; -EBADMSG: damaged.
int store_log_format_check(const struct store_folder *folder, char *error);
