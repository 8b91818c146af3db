#include "control/store/store_log_format.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "control/store/store_error.h"
#include "control/store/store_wal.h"

enum {
	HEADER = 7, // checksum 4, length 2, type 1; numbers are little endian
	TYPE = 6,   // the checksum is of the type and what follows
	LAST = 4,   // types: 0 never written, 1 a whole record, 2 to 4 a part of one
};

// ---- A block

static size_t fragment_len(const uint8_t *p)
{
	return HEADER + (size_t)(p[4] | p[5] << 8);
}

// CRC-32C (RFC 3720, 12.1), the steps of one octet; the state starts as and ends with all ones.
static uint32_t crc32c_step(uint32_t crc, uint8_t octet)
{
	crc ^= octet;
	for (unsigned bit = 0; bit < 8; bit++)
		crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	return crc;
}

// As it stands in the file: a checksum of octets that hold their checksum would be weak.
static uint32_t masked(uint32_t crc)
{
	crc = ~crc;
	return (crc >> 15 | crc << 17) + 0xa282ead8;
}

static bool is_whole(const uint8_t *fragment, size_t max)
{
	const size_t len = max < HEADER ? 0 : fragment_len(fragment);
	uint32_t crc = UINT32_MAX;

	if (!len || len > max)
		return false;
	for (size_t at = TYPE; at < len; at++)
		crc = crc32c_step(crc, fragment[at]);
	return masked(crc) == load32_le(fragment);
}

// Whether a fragment that claims more than the rest of its file is a shorter one: its checksum is
// right where the file ends, or where a whole fragment follows.
static bool has_shorter_form(const uint8_t *fragment, size_t rest)
{
	const uint32_t checksum = load32_le(fragment);
	uint32_t crc = UINT32_MAX;

	for (size_t at = TYPE; at < rest;) {
		crc = crc32c_step(crc, fragment[at++]);
		if (masked(crc) == checksum && (at == rest || is_whole(fragment + at, rest - at)))
			return true;
	}
	return false;
}

size_t store_log_format_damage(const uint8_t *block, size_t len)
{
	size_t at = 0;

	while (len - at >= HEADER) {
		const uint8_t *const fragment = block + at;

		if (fragment[TYPE] > LAST)
			return at;
		if (fragment_len(fragment) > len - at)
			return has_shorter_form(fragment, len - at) ? at : len;
		at += fragment_len(fragment);
	}
	return len;
}

// ---- The files

struct check {
	const struct store_folder *folder;
	char *error;
};

static int refuse(const struct check *check, const char *name, uint64_t at)
{
	return store_error(check->error, -EBADMSG,
			   "%s: damaged: the file %s at octet %" PRIu64 ": %s", check->folder->path,
			   name, at, STORE_RESTORE);
}

static int check_blocks(const struct check *check, int fd, const char *name)
{
	uint8_t block[STORE_LOG_BLOCK];

	for (uint64_t at = 0;; at += sizeof(block)) {
		const ssize_t n = pread(fd, block, sizeof(block), (off_t)at);
		size_t damage;

		if (n <= 0)
			return n ? store_error(check->error, -errno, "%s: the file %s: %s",
					       check->folder->path, name, strerror(errno))
				 : 0;
		damage = store_log_format_damage(block, (size_t)n);
		if (damage < (size_t)n)
			return refuse(check, name, at + damage);
	}
}

static int check_file(int folder, const char *name, uint64_t number, void *ctx)
{
	const struct check *const check = ctx;
	const int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	int status;

	(void)number;
	if (fd < 0)
		return store_error(check->error, -errno, "%s: the file %s: %s", check->folder->path,
				   name, strerror(errno));
	status = check_blocks(check, fd, name);
	close(fd);
	return status;
}

int store_log_format_check(const struct store_folder *folder, char *error)
{
	struct check check = {folder, error};
	uint64_t number, len;
	char name[40];
	int status = store_folder_manifest(folder, &number, &len, error);

	if (status)
		return status;
	snprintf(name, sizeof(name), "MANIFEST-%06" PRIu64, number);
	status = check_file(folder->fd, name, number, &check);
	return status ? status : store_wal_each(folder->fd, check_file, &check);
}
