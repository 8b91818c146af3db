#include "control/store/store_meta.h"

#include <errno.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "control/store/store_batch.h"
#include "control/store/store_error.h"

static const char format_name[] = "store/format", check_name[] = "store/check",
		  salt_name[] = "store/salt/", salt_end[] = "store/salt0";

enum { FORMAT_LEN = 4, CHECK_LEN = STORE_SALT + STORE_CHECK, SALT_NAME = sizeof(salt_name) - 1 };

struct value {
	uint8_t octets[CHECK_LEN];
	size_t len;
};

static int take_value(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *octets,
		      size_t len)
{
	struct value *const value = ctx;

	(void)key, (void)key_len;
	value->len = len;
	memcpy(value->octets, octets, len < sizeof(value->octets) ? len : sizeof(value->octets));
	return 0;
}

static int damaged(const struct store_disk *disk, const char *name, char *error)
{
	return store_error(error, -EBADMSG, "%s: damaged: %s is wrong or missing: " STORE_RESTORE,
			   disk->folder->path, name);
}

static int read_value(struct store_disk *disk, const char *name, size_t len, struct value *value,
		      char *error)
{
	const int status = store_disk_get(disk, STORE_META, name, strlen(name), take_value, value);

	if (status == -ENOENT || (!status && value->len != len))
		return damaged(disk, name, error);
	if (status)
		return store_error(error, status, "%s: %s can't be read: %s", disk->folder->path,
				   name, strerror(-status));
	return 0;
}

static int check_format(struct store_disk *disk, char *error)
{
	struct value value;
	const int status = read_value(disk, format_name, FORMAT_LEN, &value, error);

	if (status)
		return status;
	if (load32_be(value.octets) == STORE_FORMAT)
		return 0;
	return store_error(error, -EPROTO,
			   "%s: written by a later version (format %u, this version "
			   "knows %u): run that version",
			   disk->folder->path, load32_be(value.octets), STORE_FORMAT);
}

static int check_key(struct store_disk *disk, struct store_seal *seal, const char *kek_path,
		     char *error)
{
	uint8_t check[STORE_CHECK];
	struct value value;
	const int status = read_value(disk, check_name, CHECK_LEN, &value, error);

	if (status)
		return status;
	store_seal_check(seal, value.octets, check);
	if (mem_equal_ct(check, value.octets + STORE_SALT, STORE_CHECK))
		return 0;
	return store_error(error, -EKEYREJECTED,
			   "%s: not the key that the store in %s was made with: restore "
			   "the key file from its back-up",
			   kek_path, disk->folder->path);
}

static int take_salt(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		     size_t len)
{
	struct store_seal *const seal = ctx;
	uint32_t epoch;

	if (key_len != SALT_NAME + 4 || len != STORE_SALT)
		return -EBADMSG;
	epoch = load32_be(key + SALT_NAME);
	if (epoch == 0 || epoch >= STORE_EPOCHS_MAX)
		return -EBADMSG;
	return store_seal_add_epoch(seal, epoch, value);
}

static int read_salts(struct store_disk *disk, struct store_seal *seal, char *error)
{
	const int status = store_disk_scan(disk, STORE_META, salt_name, SALT_NAME, salt_end,
					   SALT_NAME, take_salt, seal);

	if (status == -EBADMSG)
		return damaged(disk, salt_name, error);
	if (status)
		return store_error(error, status, "%s: the salts can't be read: %s",
				   disk->folder->path, strerror(-status));
	return 0;
}

// ---- Writing

static void put(struct store_batch *batch, const void *name, size_t name_len, const void *value,
		size_t len)
{
	uint8_t *const at = store_batch_add(batch, STORE_OP_PUT, STORE_META, name, name_len, len);

	if (at)
		memcpy(at, value, len);
}

static bool fill_salt(uint8_t salt[STORE_SALT])
{
	return getrandom(salt, STORE_SALT, 0) == STORE_SALT;
}

static void put_format_and_check(struct store_batch *batch, struct store_seal *seal)
{
	uint8_t format[FORMAT_LEN], check[CHECK_LEN];

	store32_be(format, STORE_FORMAT);
	put(batch, format_name, sizeof(format_name) - 1, format, sizeof(format));
	if (!fill_salt(check))
		batch->status = -EIO;
	store_seal_check(seal, check, check + STORE_SALT);
	put(batch, check_name, sizeof(check_name) - 1, check, sizeof(check));
}

static int put_epoch(struct store_batch *batch, struct store_seal *seal)
{
	const uint32_t epoch = store_seal_last_epoch(seal) + 1;
	uint8_t name[SALT_NAME + 4], salt[STORE_SALT];

	if (epoch >= STORE_EPOCHS_MAX || !fill_salt(salt))
		return -EIO;
	memcpy(name, salt_name, SALT_NAME);
	store32_be(name + SALT_NAME, epoch);
	put(batch, name, sizeof(name), salt, sizeof(salt));
	return store_seal_add_epoch(seal, epoch, salt);
}

static int write_batch(struct store_disk *disk, struct store_batch *batch, char *error)
{
	char text[STORE_ERROR_MAX];
	const int status = store_engine_write(disk->engine, &batch, 1, text);

	if (status)
		return store_error(error, status, "%s: this start can't be noted: %s",
				   disk->folder->path, text);
	return 0;
}

static int write_meta(struct store_disk *disk, struct store_seal *seal, char *error)
{
	struct store_batch *const batch = store_batch_new();
	int status;

	if (!batch)
		return -ENOMEM;
	if (disk->folder->is_new)
		put_format_and_check(batch, seal);
	status = put_epoch(batch, seal);
	if (!status)
		status = batch->status;
	if (!status)
		status = write_batch(disk, batch, error);
	store_batch_free(batch);
	return status;
}

// A first start that crashed may have got as far as having them.
static bool has_format(struct store_disk *disk)
{
	struct value value;

	return store_disk_get(disk, STORE_META, format_name, sizeof(format_name) - 1, take_value,
			      &value) != -ENOENT;
}

int store_meta_open(struct store_disk *disk, struct store_seal *seal, const char *kek_path,
		    char *error)
{
	int status = 0;

	store_error(error, 0, "%s: out of memory or randomness", disk->folder->path);
	if (!disk->folder->is_new || has_format(disk)) {
		status = check_format(disk, error);
		if (!status)
			status = check_key(disk, seal, kek_path, error);
		if (!status)
			status = read_salts(disk, seal, error);
	}
	if (!status)
		status = write_meta(disk, seal, error);
	if (!status)
		store_seal_start(seal);
	return status;
}
