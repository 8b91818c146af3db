#pragma once
// What the store notes about itself in the table META, under names that start with "store/": its
// format, the check of the key-encryption key, and the salt of every epoch. Read at the start,
// before anything else is; before the writer runs.

#include "control/store/store_disk.h"
#include "control/store/store_seal.h"

enum { STORE_FORMAT = 1 };

// Checks format and key of a store, or notes them in a new one; then begins a new epoch, durably.
// -EPROTO, -EKEYREJECTED, -EBADMSG, -ENOSPC, -EIO, -ENOMEM, with the text in
// error[STORE_ERROR_MAX].
int store_meta_open(struct store_disk *disk, struct store_seal *seal, const char *kek_path,
		    char *error);
