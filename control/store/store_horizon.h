#pragma once
// The horizon: how far the database had come, noted beside it in the file HORIZON. A database whose
// list of files (MANIFEST-*) or log lost its end is an older state, consistent in itself; only the
// horizon tells that something acknowledged is missing.

#include <stdint.h>

#include "control/store/store_folder.h"

struct store_horizon {
	uint64_t sequence;     // of the last durable change, at least
	uint64_t manifest;     // number of the list of files
	uint64_t manifest_len; // its octets, at least
};

// 0, or -errno: a later check is weaker then.
int store_horizon_put(const struct store_folder *folder, const struct store_horizon *horizon);
// Zeros when there is none. -EBADMSG with the text in error[STORE_ERROR_MAX].
int store_horizon_get(const struct store_folder *folder, struct store_horizon *horizon,
		      char *error);

// Whether the list of files got as far (before the database opens: it begins a new list), and the
// changes. 0 or -EBADMSG.
int store_horizon_check_files(const struct store_folder *folder,
			      const struct store_horizon *horizon, char *error);
int store_horizon_check_sequence(const struct store_folder *folder,
				 const struct store_horizon *horizon, uint64_t sequence,
				 char *error);
