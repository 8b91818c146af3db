#include "control/store/store_horizon.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/store/store_error.h"

enum { TEXT_MAX = 128 };

static const char file_name[] = STORE_FOLDER_HORIZON, new_name[] = STORE_FOLDER_HORIZON ".new";

static int write_synced(const struct store_folder *folder, const char *text)
{
	const int fd = openat(folder->fd, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const size_t len = strlen(text);
	ssize_t n;
	int status = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n < 0)
		status = -errno;
	else if ((size_t)n < len)
		status = -ENOSPC;
	else if (fsync(fd))
		status = -errno;
	close(fd);
	return status;
}

// The last number is made of the others, so that a flipped digit is noticed.
static uint64_t check_of(const struct store_horizon *horizon)
{
	return ~(horizon->sequence ^ horizon->manifest << 40 ^ horizon->manifest_len << 16);
}

int store_horizon_put(const struct store_folder *folder, const struct store_horizon *horizon)
{
	char text[TEXT_MAX];
	int status;

	snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		 horizon->sequence, horizon->manifest, horizon->manifest_len, check_of(horizon));
	status = write_synced(folder, text);
	if (status) {
		unlinkat(folder->fd, new_name, 0);
		return status;
	}
	if (renameat(folder->fd, new_name, folder->fd, file_name) || fsync(folder->fd))
		return -errno;
	return 0;
}

int store_horizon_get(const struct store_folder *folder, struct store_horizon *horizon, char *error)
{
	char text[TEXT_MAX];
	const ssize_t n = store_folder_read(folder, file_name, text, sizeof(text));
	uint64_t check;

	*horizon = (struct store_horizon){0};
	if (n == -ENOENT)
		return 0;
	if (n > 0 &&
	    sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &horizon->sequence,
		   &horizon->manifest, &horizon->manifest_len, &check) == 4 &&
	    check == check_of(horizon))
		return 0;
	return store_error(error, -EBADMSG,
			   "%s: damaged: the file %s is unreadable: %s; if it alone is damaged, "
			   "remove it",
			   folder->path, file_name, STORE_RESTORE);
}

int store_horizon_check_files(const struct store_folder *folder,
			      const struct store_horizon *horizon, char *error)
{
	uint64_t number, len;
	const int status = store_folder_manifest(folder, &number, &len, error);

	if (status)
		return status;
	if (number > horizon->manifest ||
	    (number == horizon->manifest && len >= horizon->manifest_len))
		return 0;
	return store_error(error, -EBADMSG,
			   "%s: damaged: the file MANIFEST-%06" PRIu64 " is older than what was "
			   "acknowledged: %s; to go on with what it names, remove the file %s",
			   folder->path, number, STORE_RESTORE, file_name);
}

int store_horizon_check_sequence(const struct store_folder *folder,
				 const struct store_horizon *horizon, uint64_t sequence,
				 char *error)
{
	if (sequence >= horizon->sequence)
		return 0;
	return store_error(error, -EBADMSG,
			   "%s: damaged: %" PRIu64 " changes that were acknowledged are missing (a "
			   "file *.log or MANIFEST-* was cut off): %s; to go on without them, "
			   "remove the file %s",
			   folder->path, horizon->sequence - sequence, STORE_RESTORE, file_name);
}
