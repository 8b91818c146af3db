#include "control/store/store_wal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The number of a log by its name, 0 for other files.
static uint64_t log_number(const char *name)
{
	char *end;
	const uint64_t number = strtoull(name, &end, 10);

	return end != name && !strcmp(end, ".log") ? number : 0;
}

int store_wal_each(int folder, store_wal_fn each, void *ctx)
{
	const int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *const dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int status = 0;

	if (!dir) {
		status = -errno;
		if (fd >= 0)
			close(fd);
		return status;
	}
	while (!status && (errno = 0, entry = readdir(dir))) {
		const uint64_t number = log_number(entry->d_name);

		if (number)
			status = each(folder, entry->d_name, number, ctx);
	}
	if (!status)
		status = -errno;
	closedir(dir);
	return status;
}

static int note_newest(int folder, const char *name, uint64_t number, void *ctx)
{
	struct store_wal_mark *const mark = ctx;
	struct stat st;

	if (number < mark->number)
		return 0;
	if (fstatat(folder, name, &st, 0))
		return errno == ENOENT ? 0 : -errno; // it went while we looked: flushed
	mark->number = number;
	mark->len = (uint64_t)st.st_size;
	return 0;
}

int store_wal_mark(int folder, struct store_wal_mark *mark)
{
	*mark = (struct store_wal_mark){0};
	return store_wal_each(folder, note_newest, mark);
}

static int truncate_to(int folder, const char *name, uint64_t len)
{
	const int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);
	struct stat st;
	int status = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		status = -errno;
	else if ((uint64_t)st.st_size > len && (ftruncate(fd, (off_t)len) || fsync(fd)))
		status = -errno;
	close(fd);
	return status;
}

// Logs newer than the mark were begun by the failed group and hold nothing else.
static int cut_one(int folder, const char *name, uint64_t number, void *ctx)
{
	const struct store_wal_mark *const mark = ctx;

	if (number < mark->number)
		return 0;
	return truncate_to(folder, name, number == mark->number ? mark->len : 0);
}

int store_wal_cut(int folder, const struct store_wal_mark *mark)
{
	return store_wal_each(folder, cut_one, (void *)mark);
}
