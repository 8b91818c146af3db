#include "control/store/store_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "control/store/store.h"
#include "control/store/store_error.h"

static const char incomplete[] = "INCOMPLETE";

static int refuse(char *error, int status, const char *what, const char *path)
{
	return store_error(error, status, "%s: %s", path, what);
}

// ---- Whose it is

static int make_folder(const char *path, char *error)
{
	if (!mkdir(path, 0700) || errno == EEXIST)
		return 0;
	switch (errno) {
	case ENOENT:
		return refuse(error, -ENOENT,
			      "the folder above it is missing: make it, or correct "
			      "store.path",
			      path);
	case EACCES:
	case EPERM:
	case EROFS:
		return refuse(error, -EACCES,
			      "can't be made: no permission to write to the folder "
			      "above it",
			      path);
	default:
		return refuse(error, -errno, strerror(errno), path);
	}
}

static int open_folder(struct store_folder *folder, char *error)
{
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd >= 0 && !faccessat(folder->fd, ".", R_OK | W_OK | X_OK, AT_EACCESS))
		return 0;
	switch (errno) {
	case ENOTDIR:
		return refuse(error, -ENOTDIR, "is not a folder: correct store.path", folder->path);
	case EACCES:
	case EROFS:
		return refuse(error, -EACCES,
			      "no permission to read and write: give the folder to "
			      "the user of this program",
			      folder->path);
	default:
		return refuse(error, -errno, strerror(errno), folder->path);
	}
}

// RocksDB locks too, but not while it is open for reading alone.
static int lock_folder(const struct store_folder *folder, char *error)
{
	if (!flock(folder->fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno != EWOULDBLOCK)
		return refuse(error, -errno, strerror(errno), folder->path);
	return refuse(error, -EBUSY, "in use by another process: only one may have the store",
		      folder->path);
}

// ---- What is in it

static bool is_database_file(const char *name)
{
	const char *const dot = strrchr(name, '.');

	return !strncmp(name, "MANIFEST-", 9) || !strncmp(name, "OPTIONS-", 8) ||
	       !strcmp(name, STORE_FOLDER_HORIZON) ||
	       (dot && (!strcmp(dot, ".sst") || !strcmp(dot, ".log")));
}

static int has_database_files(const struct store_folder *folder, bool *has)
{
	const int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *const dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		const int status = -errno;

		if (fd >= 0)
			close(fd);
		return status;
	}
	while (!*has && (entry = readdir(dir)))
		*has = is_database_file(entry->d_name);
	closedir(dir);
	return 0;
}

ssize_t store_folder_read(const struct store_folder *folder, const char *name, char *text,
			  size_t max)
{
	const int fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, max - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return n;
}

int store_folder_manifest(const struct store_folder *folder, uint64_t *number, uint64_t *len,
			  char *error)
{
	char text[64] = "";
	struct stat st;
	int end = 0;

	store_folder_read(folder, "CURRENT", text, sizeof(text));
	if (sscanf(text, "MANIFEST-%" SCNu64 "%n", number, &end) != 1 || strcmp(text + end, "\n"))
		return store_error(error, -EBADMSG,
				   "%s: damaged: the file CURRENT is unreadable: %s", folder->path,
				   STORE_RESTORE);
	text[end] = '\0';
	if (fstatat(folder->fd, text, &st, 0))
		return store_error(error, -EBADMSG, "%s: damaged: the file %s is missing: %s",
				   folder->path, text, STORE_RESTORE);
	*len = (uint64_t)st.st_size;
	return 0;
}

static int look(struct store_folder *folder, char *error)
{
	bool has_files = false;
	int status;

	folder->is_new = !faccessat(folder->fd, incomplete, F_OK, 0);
	if (folder->is_new)
		return 0;
	if (!faccessat(folder->fd, "CURRENT", F_OK, 0))
		return 0;
	status = has_database_files(folder, &has_files);
	if (status)
		return refuse(error, status, strerror(-status), folder->path);
	if (has_files) {
		return store_error(error, -EBADMSG, "%s: damaged: the file CURRENT is missing: %s",
				   folder->path, STORE_RESTORE);
	}
	folder->is_new = true;
	return 0;
}

int store_folder_open(struct store_folder *folder, const char *path, char *error)
{
	int status;

	folder->fd = -1;
	if (strlen(path) >= sizeof(folder->path))
		return refuse(error, -ENAMETOOLONG, "the path is too long", "store.path");
	strcpy(folder->path, path);
	status = make_folder(path, error);
	if (!status)
		status = open_folder(folder, error);
	if (!status)
		status = lock_folder(folder, error);
	if (!status)
		status = look(folder, error);
	if (status)
		store_folder_close(folder);
	return status;
}

void store_folder_close(struct store_folder *folder)
{
	if (folder->fd >= 0)
		close(folder->fd);
	folder->fd = -1;
}

// ---- The making of a new store

int store_folder_begin(const struct store_folder *folder, char *error)
{
	const int fd = openat(folder->fd, incomplete, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || fsync(folder->fd)) {
		const int status = -errno;

		if (fd >= 0)
			close(fd);
		return refuse(error, status, strerror(-status), folder->path);
	}
	close(fd);
	return 0;
}

int store_folder_finish(const struct store_folder *folder, char *error)
{
	if ((unlinkat(folder->fd, incomplete, 0) && errno != ENOENT) || fsync(folder->fd))
		return refuse(error, -errno, strerror(errno), folder->path);
	return 0;
}

// ---- Room

int store_folder_room(const struct store_folder *folder, uint64_t *room)
{
	struct statvfs fs;

	if (fstatvfs(folder->fd, &fs))
		return -errno;
	*room = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}
