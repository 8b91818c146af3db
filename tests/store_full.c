// The store on a file system that really fills up, a small one made by store_full.sh:
//   store_full <empty folder on it> <room_min>
// Writes until it is refused, looks that reads go on, makes room, and writes again.

#include <stdint.h>

#include "tests/kit/random.h"
#include "tests/kit/store_book.h"

// Opening again writes what the log holds: more than 80 MiB, at times.
enum { BALLAST = 100 << 20 };

static uint64_t room_min;

static int try_open(void)
{
	const struct store_config config = {
		.path = place.path, .kek_path = place.kek, .room_min = room_min, .verify = true};

	return store_open(&config, &store, place.error);
}

static void make_ballast(const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	for (size_t n = 0; n < BALLAST; n += sizeof(value))
		check(write(fd, value, sizeof(value)) == sizeof(value), "ballast");
	check(fd >= 0 && !fsync(fd) && !close(fd), "ballast");
}

static void fill(void)
{
	unsigned refused = 0;

	while (refused < 20) {
		const int status = put_one(sizeof(value));

		check(!status || status == -ENOSPC, "no room is what it says");
		refused = status ? refused + 1 : 0;
	}
	printf("store_full: refused after %u records\n", book.n - refused);
}

static void remove_ballast(const char *path)
{
	check(!unlink(path), "room again");
}

// A start may need room for what is in the log alone; it says so, and nothing is lost.
static void restart_full(const char *ballast)
{
	const int status = try_open();

	check(!status || (status == -ENOSPC && strstr(place.error, "make room")), "the reason");
	if (!status)
		store_close(store);
	remove_ballast(ballast);
	check(!try_open(), "a start with room");
}

int main(int argc, char **argv)
{
	struct random random = random_start();
	char first[300], second[300];

	if (argc != 3)
		return 2;
	random_fill(&random, value, sizeof(value));
	place = store_place_in(argv[1]);
	room_min = strtoull(argv[2], NULL, 0);
	snprintf(first, sizeof(first), "%s/ballast1", argv[1]);
	snprintf(second, sizeof(second), "%s/ballast2", argv[1]);
	make_ballast(first);
	make_ballast(second);
	check(!try_open(), "a start");
	fill();
	check_book();
	remove_ballast(first);
	wait_until_writable();
	check_book();
	fill();
	check_book();
	store_close(store);
	restart_full(second);
	check_book();
	store_close(store);
	return 0;
}
