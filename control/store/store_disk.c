#include "control/store/store_disk.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/store/store_error.h"
#include "control/store/store_horizon.h"
#include "control/store/store_log_format.h"

static const uint64_t retry_pause_ns = 1000000000, horizon_pause_ns = 10000000000;

// Where it is and how to go on, around the database's own text.
static int explain(const struct store_disk *disk, int status, char *error)
{
	const char *advice = "";
	char text[STORE_ERROR_MAX];

	if (status == -EBADMSG)
		advice = ": damaged, " STORE_RESTORE;
	if (status == -EPROTO)
		advice = ": written by a later version, run that version";
	if (status == -ENOSPC)
		advice = ": make room on the file system";
	memcpy(text, error, sizeof(text));
	return store_error(error, status, "%s: %s%s", disk->folder->path, text, advice);
}

// What the database itself would pass over, before it begins new files.
static int check_files(const struct store_folder *folder, const struct store_horizon *horizon,
		       char *error)
{
	const int status = store_log_format_check(folder, error);

	return status ? status : store_horizon_check_files(folder, horizon, error);
}

int store_disk_open(struct store_disk *disk, const struct store_folder *folder, uint64_t room_min,
		    enum store_engine_mode mode, char *error)
{
	struct store_horizon horizon;
	int status;

	*disk = (struct store_disk){.folder = folder, .room_min = room_min};
	pthread_rwlock_init(&disk->lock, NULL);
	status = store_horizon_get(folder, &horizon, error);
	if (!status && mode != STORE_ENGINE_MAKE)
		status = check_files(folder, &horizon, error);
	if (status)
		return status;
	status = store_engine_open(folder->path, mode, &disk->engine, error);
	if (status)
		return explain(disk, status, error);
	status = store_horizon_check_sequence(folder, &horizon, store_engine_sequence(disk->engine),
					      error);
	disk->is_writable = !status; // or its close would write the horizon anew
	return status;
}

// While the database runs its list may have an end that is not durable yet: its length does not
// count then.
static void put_horizon(struct store_disk *disk, bool is_closed, uint64_t sequence)
{
	struct store_horizon horizon = {.sequence = sequence};
	char error[STORE_ERROR_MAX];

	if (store_folder_manifest(disk->folder, &horizon.manifest, &horizon.manifest_len, error))
		return;
	if (!is_closed)
		horizon.manifest_len = 0;
	store_horizon_put(disk->folder, &horizon);
}

void store_disk_close(struct store_disk *disk)
{
	char error[STORE_ERROR_MAX];
	uint64_t sequence;

	pthread_rwlock_destroy(&disk->lock);
	if (!disk->engine)
		return;
	if (disk->is_writable && store_engine_flush(disk->engine, error))
		log_warn("store", "closing: %s; the next start reads the log", error);
	sequence = store_engine_sequence(disk->engine);
	store_engine_close(disk->engine);
	disk->engine = NULL;
	if (disk->is_writable)
		put_horizon(disk, true, sequence);
}

// ---- Healing

static void cut_log(struct store_disk *disk)
{
	const int status = store_wal_cut(disk->folder->fd, &disk->mark);

	disk->is_cut_pending = status != 0;
	if (status)
		log_error("store", "%s: the log can't be cut back: %s", disk->folder->path,
			  strerror(-status));
}

static void replace_engine(struct store_disk *disk, struct store_engine *engine)
{
	struct store_engine *old;

	pthread_rwlock_wrlock(&disk->lock);
	old = disk->engine;
	disk->engine = engine;
	pthread_rwlock_unlock(&disk->lock);
	if (old)
		store_engine_close(old);
}

static int open_for_writing(struct store_disk *disk)
{
	struct store_engine *engine;
	char error[STORE_ERROR_MAX];
	int status;

	disk->retry_ns = clock_mono_ns(&clock_system) + retry_pause_ns;
	if (disk->is_cut_pending)
		cut_log(disk);
	if (disk->is_cut_pending)
		return -EIO;
	status = store_engine_open(disk->folder->path, STORE_ENGINE_WRITE, &engine, error);
	if (status) {
		log_warn("store", "%s: opening again: %s", disk->folder->path, error);
		return status == -ENOSPC ? -ENOSPC : -EIO;
	}
	replace_engine(disk, engine);
	disk->is_writable = true;
	return 0;
}

static void open_for_reading(struct store_disk *disk)
{
	struct store_engine *engine;
	char error[STORE_ERROR_MAX];

	if (store_engine_open(disk->folder->path, STORE_ENGINE_READ, &engine, error)) {
		log_error("store", "%s: no reads: %s", disk->folder->path, error);
		return;
	}
	replace_engine(disk, engine);
}

// After a failed write the database refuses all others until it is opened again. It must be closed
// first: it may still hold the group in a buffer and write it out at its end.
static void heal(struct store_disk *disk)
{
	disk->is_writable = false;
	disk->is_cut_pending = true;
	replace_engine(disk, NULL);
	if (open_for_writing(disk))
		open_for_reading(disk);
}

// ---- Writing

static int check_room(struct store_disk *disk, uint64_t octets)
{
	uint64_t room;
	const int status = store_folder_room(disk->folder, &room);

	if (status)
		return -EIO;
	if (room >= disk->room_min && room - disk->room_min >= octets)
		return 0;
	if (!disk->last)
		log_error("store",
			  "%s: %" PRIu64 " MiB of room, %" PRIu64
			  " MiB must stay: writes are refused, reads go on",
			  disk->folder->path, room >> 20, disk->room_min >> 20);
	return -ENOSPC;
}

static int write_group(struct store_disk *disk, struct store_batch *const batch[], unsigned n)
{
	char error[STORE_ERROR_MAX];
	int status;

	status = store_wal_mark(disk->folder->fd, &disk->mark);
	if (status)
		return -EIO;
	status = store_engine_write(disk->engine, batch, n, error);
	if (!status)
		return 0;
	log_error("store", "%s: writing: %s: writes are refused, reads go on", disk->folder->path,
		  error);
	heal(disk);
	return status == -ENOSPC ? -ENOSPC : -EIO;
}

static int try_write(struct store_disk *disk, struct store_batch *const batch[], unsigned n,
		     uint64_t octets)
{
	int status = check_room(disk, octets);

	if (!status && !disk->is_writable) {
		if (clock_mono_ns(&clock_system) < disk->retry_ns)
			return disk->last;
		status = open_for_writing(disk);
	}
	return status ? status : write_group(disk, batch, n);
}

int store_disk_write(struct store_disk *disk, struct store_batch *const batch[], unsigned n,
		     uint64_t octets)
{
	const int status = try_write(disk, batch, n, octets);
	uint64_t now;

	if (!status && disk->last)
		log_info("store", "%s: writes work again", disk->folder->path);
	disk->last = status;
	if (status)
		return status;
	now = clock_mono_ns(&clock_system);
	if (now - disk->horizon_ns >= horizon_pause_ns) {
		disk->horizon_ns = now;
		put_horizon(disk, false, store_engine_sequence(disk->engine));
	}
	return 0;
}

// ---- Reading

static int report(const struct store_disk *disk, int status, char *error)
{
	if (*error) {
		explain(disk, status, error);
		log_error("store", "reading: %s", error);
	}
	return status;
}

int store_disk_get(struct store_disk *disk, enum store_table table, const void *key, size_t key_len,
		   store_each each, void *ctx)
{
	char error[STORE_ERROR_MAX] = "";
	int status = -EIO;

	pthread_rwlock_rdlock(&disk->lock);
	if (disk->engine)
		status = store_engine_get(disk->engine, table, key, key_len, each, ctx, error);
	pthread_rwlock_unlock(&disk->lock);
	return report(disk, status, error);
}

int store_disk_scan(struct store_disk *disk, enum store_table table, const void *from,
		    size_t from_len, const void *to, size_t to_len, store_each each, void *ctx)
{
	char error[STORE_ERROR_MAX] = "";
	int status = -EIO;

	pthread_rwlock_rdlock(&disk->lock);
	if (disk->engine)
		status = store_engine_scan(disk->engine, table, from, from_len, to, to_len, each,
					   ctx, error);
	pthread_rwlock_unlock(&disk->lock);
	return report(disk, status, error);
}
