#include "control/store/store_kek.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/store/store.h"
#include "control/store/store_error.h"

static int refuse(char *error, int status, const char *path, const char *what)
{
	return store_error(error, status, "%s: %s", path, what);
}

static int check_file(int fd, const char *path, char *error)
{
	struct stat st;

	if (fstat(fd, &st))
		return refuse(error, -errno, path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(error, -EPERM, path, "the key file is not an ordinary file");
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return refuse(error, -EPERM, path,
			      "the key file can be reached by others than its "
			      "owner: chmod 600");
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return refuse(error, -EPERM, path,
			      "the key file belongs to another user: chown it "
			      "to the user of this program");
	if (st.st_size != STORE_KEK)
		return refuse(error, -EBADMSG, path,
			      "the key file does not have 32 octets: restore "
			      "it from its back-up");
	return 0;
}

static int refuse_open(char *error, int cause, const char *path)
{
	switch (cause) {
	case ENOENT:
		return refuse(error, -ENOENT, path, "there is no key file");
	case ELOOP:
		return refuse(error, -EPERM, path,
			      "the key file is a symbolic link: name the file "
			      "itself in store.kek");
	case EACCES:
		return refuse(error, -EACCES, path, "no permission to read the key file");
	default:
		return refuse(error, -cause, path, strerror(cause));
	}
}

int store_kek_read(const char *path, uint8_t key[STORE_KEK], char *error)
{
	// O_NONBLOCK: a pipe in its place must not stop the start.
	const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int status;

	if (fd < 0)
		return refuse_open(error, errno, path);
	status = check_file(fd, path, error);
	if (!status && read(fd, key, STORE_KEK) != STORE_KEK)
		status = refuse(error, -EIO, path, "the key file can't be read");
	close(fd);
	return status;
}

static int write_key(int fd, const uint8_t key[STORE_KEK])
{
	const ssize_t n = write(fd, key, STORE_KEK);

	if (n != STORE_KEK)
		return n < 0 ? -errno : -ENOSPC;
	return fsync(fd) ? -errno : 0;
}

static int sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd, status;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	status = fsync(fd) ? -errno : 0;
	close(fd);
	return status;
}

// Under another name first: a crash leaves no half a key where the key is looked for.
static int make_file(const char *path, const char *fresh, const uint8_t key[STORE_KEK])
{
	int fd, status;

	unlink(fresh); // of a start that crashed
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	status = write_key(fd, key);
	if (!status && link(fresh, path))
		status = -errno; // EEXIST: never in the place of another
	close(fd);
	unlink(fresh);
	return status ? status : sync_folder(path);
}

int store_kek_make(const char *path, uint8_t key[STORE_KEK], char *error)
{
	char fresh[PATH_MAX];
	int status;

	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", path) >= sizeof(fresh))
		return refuse(error, -ENAMETOOLONG, "store.kek", "the path is too long");
	if (RAND_priv_bytes(key, STORE_KEK) != 1)
		return refuse(error, -EIO, path, "no random octets for a new key");
	status = make_file(path, fresh, key);
	if (status == -ENOENT)
		return refuse(error, status, path,
			      "the folder of the key file is missing: make it, "
			      "or correct store.kek");
	if (status) {
		return store_error(error, status, "%s: the key file can't be made: %s", path,
				   strerror(-status));
	}
	return 0;
}
