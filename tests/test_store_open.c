// Starts that must be refused: key files, folders, damaged databases.

#include <criterion/criterion.h>

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <sys/wait.h>

#include "tests/kit/random.h"
#include "tests/kit/store_kit.h"

static struct store_place place;
static struct store *store;

static void set_up(void)
{
	place = store_place_new();
}

static void tear_down(void)
{
	store_place_remove(&place);
}

TestSuite(store_open, .init = set_up, .fini = tear_down, .timeout = 120);

static void start(void)
{
	const int status = store_start(&place, &store);

	cr_assert_eq(status, 0, "%d: %s", status, place.error);
}

static void expect_refused(int status, const char *text)
{
	const int found = store_start(&place, &store);

	cr_assert_eq(found, status, "%d, expected %d: %s", found, status, place.error);
	cr_assert(strstr(place.error, text), "'%s' is not in '%s'", text, place.error);
}

static void shell(const char *format, ...)
{
	char command[1200];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	cr_assert_eq(system(command), 0, "%s", command);
}

// ---- Key file

Test(store_open, first_start_makes_a_private_key)
{
	struct stat st;

	umask(0);
	start();
	store_close(store);
	cr_assert_eq(stat(place.kek, &st), 0);
	cr_assert_eq(st.st_size, 32);
	cr_assert_eq(st.st_mode & 07777, 0600);
	cr_assert_eq(stat(place.path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0700);
	start();
	store_close(store);
}

Test(store_open, key_file_that_others_can_read)
{
	static const mode_t modes[] = {0640, 0604, 0660, 0620, 0602, 0610, 0601, 0666};

	start();
	store_close(store);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		chmod(place.kek, modes[i]);
		expect_refused(-EPERM, "chmod 600");
	}
	chmod(place.kek, 0400);
	start();
	store_close(store);
}

Test(store_open, key_file_of_another_kind)
{
	start();
	store_close(store);
	shell("mv %s %s.real && ln -s %s.real %s", place.kek, place.kek, place.kek, place.kek);
	expect_refused(-EPERM, "symbolic link");
	shell("rm %s && mkdir -m 700 %s", place.kek, place.kek);
	expect_refused(-EPERM, "ordinary file");
	shell("rmdir %s && mkfifo -m 600 %s", place.kek, place.kek);
	expect_refused(-EPERM, "ordinary file");
}

Test(store_open, key_file_of_another_size)
{
	start();
	store_close(store);
	for (int size = 0; size < 65; size += 31) {
		shell("head -c %d /dev/zero > %s", size, place.kek);
		expect_refused(-EBADMSG, "32 octets");
	}
}

Test(store_open, wrong_and_missing_key)
{
	start();
	store_close(store);
	shell("mv %s %s.right && head -c 32 /dev/zero > %s && chmod 600 %s", place.kek, place.kek,
	      place.kek, place.kek);
	expect_refused(-EKEYREJECTED, "not the key");
	shell("rm %s", place.kek);
	expect_refused(-ENOENT, "restore the key file");
	cr_assert(access(place.kek, F_OK), "no new key for an old store");
	shell("mv %s.right %s", place.kek, place.kek);
	start();
	store_close(store);
}

// ---- Folder

Test(store_open, parent_missing)
{
	shell("rmdir %s", place.folder);
	expect_refused(-ENOENT, "folder above it is missing");
	shell("mkdir %s", place.folder);
	strcpy(place.kek, "/nonexistent/kek");
	expect_refused(-ENOENT, "folder of the key file is missing");
}

Test(store_open, not_a_folder)
{
	shell("touch %s", place.path);
	expect_refused(-ENOTDIR, "not a folder");
}

Test(store_open, no_permission)
{
	const struct passwd *const nobody = getpwnam("nobody");
	int status;
	pid_t pid;

	if (geteuid() || !nobody)
		cr_skip("needs root, to become somebody else");
	start();
	store_close(store);
	chmod(place.folder, 0755);
	pid = fork();
	if (!pid) {
		if (setgid(nobody->pw_gid) || setuid(nobody->pw_uid))
			_exit(2);
		status = store_start(&place, &store);
		if (status != -EACCES || !strstr(place.error, "permission"))
			_exit(1);
		strcat(place.path, "2");
		status = store_start(&place, &store);
		_exit(status != -EACCES || !strstr(place.error, "permission"));
	}
	waitpid(pid, &status, 0);
	cr_assert_eq(status, 0);
}

Test(store_open, in_use)
{
	struct store *other;

	start();
	cr_assert_eq(store_start(&place, &other), -EBUSY);
	cr_assert(strstr(place.error, "in use"), "%s", place.error);
	store_close(store);
	start();
	store_close(store);
}

Test(store_open, first_start_that_crashed_is_made_again)
{
	start();
	store_close(store);
	shell("cd %s && rm CURRENT HORIZON *.log *.sst && touch INCOMPLETE", place.path);
	start();
	cr_assert_eq(store_put_wait(store, STORE_AF, "k", "v"), 0);
	store_close(store);
	start();
	cr_assert(store_has(store, STORE_AF, "k", "v"));
	store_close(store);
}

// ---- Damage

enum { RECORDS = 2000 };

static void fill(void)
{
	for (unsigned i = 0; i < RECORDS; i++) {
		struct store_batch *const batch = store_begin(store);
		char key[20], value[200];

		snprintf(key, sizeof(key), "key-%06u", i);
		memset(value, 'a' + (int)(i % 26), sizeof(value));
		store_put(batch, STORE_CONTEXT, key, strlen(key), value, sizeof(value));
		store_put(batch, STORE_IDENTITY, key, strlen(key), value, sizeof(value));
		store_commit(batch, NULL, NULL);
	}
	cr_assert_eq(store_commit_wait(store, store_begin(store)), 0);
}

// A store with table files and, if it is to have died, a log; and a copy of it to start over from.
static void make(bool dies)
{
	// The database's threads do not survive a fork: nothing was opened before it.
	const pid_t pid = dies ? fork() : 0;

	if (!pid) {
		start();
		fill();
		store_close(store);
	}
	if (dies && !pid) {
		start();
		fill();
		_exit(0); // no close: what was written is in the log alone
	}
	if (dies)
		waitpid(pid, NULL, 0);
	shell("cp -a %s %s.copy", place.path, place.path);
}

static void make_again(void)
{
	shell("rm -r %s && cp -a %s.copy %s", place.path, place.path, place.path);
}

// The largest file with this name pattern.
static void find(const char *pattern, char *name, size_t max, long *size)
{
	char command[600];
	FILE *out;

	snprintf(command, sizeof(command), "cd %s && ls -S %s | head -1", place.path, pattern);
	out = popen(command, "r");
	cr_assert(out && fgets(name, (int)max, out), "no %s", pattern);
	pclose(out);
	name[strcspn(name, "\n")] = '\0';

	struct stat st;
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", place.path, name);
	cr_assert_eq(stat(path, &st), 0);
	*size = st.st_size;
}

static void flip(const char *name, long at, uint8_t bits)
{
	char path[600];
	FILE *file;
	int octet;

	snprintf(path, sizeof(path), "%s/%s", place.path, name);
	file = fopen(path, "r+");
	cr_assert_not_null(file);
	fseek(file, at, SEEK_SET);
	octet = fgetc(file);
	fseek(file, at, SEEK_SET);
	fputc(octet ^ bits, file);
	fclose(file);
}

static bool has_all(void)
{
	for (unsigned i = 0; i < RECORDS; i++) {
		char key[20], value[201] = "";

		snprintf(key, sizeof(key), "key-%06u", i);
		memset(value, 'a' + (int)(i % 26), sizeof(value) - 1);
		if (!store_has(store, STORE_CONTEXT, key, value) ||
		    !store_has(store, STORE_IDENTITY, key, value))
			return false;
	}
	return true;
}

// Whether the store is refused; else nothing is missing: a table file's last 48 octets have some
// that mean nothing.
static bool is_refused_or_whole(const char *name, long at, const struct random *random)
{
	const int status = store_start(&place, &store);

	if (status) {
		cr_assert_eq(status, -EBADMSG, "%d %s", status, place.error);
		cr_assert(strstr(place.error, "back-up"), "%s", place.error);
		return true;
	}
	cr_assert(has_all(), "%s octet %ld, seed %#" PRIx64, name, at, random->seed);
	store_close(store);
	return false;
}

// Wherever an octet of a file is flipped, nothing is lost without a word.
static void expect_flips_refused(const char *pattern, struct random *random, int rounds)
{
	int refused = 0;
	char name[100];
	long size;

	for (int i = 0; i < rounds; i++) {
		long at;

		find(pattern, name, sizeof(name), &size);
		at = (long)(random_next(random) % (uint64_t)size);
		flip(name, at, 0x10);
		refused += is_refused_or_whole(name, at, random);
		make_again();
	}
	cr_assert_gt(refused, rounds / 2, "seed %#" PRIx64, random->seed);
	start();
	cr_assert(has_all());
	store_close(store);
}

Test(store_open, flipped_octets_in_table_files)
{
	struct random random = random_start();

	make(false);
	expect_flips_refused("*.sst", &random, 12);
}

Test(store_open, flipped_octets_in_the_list_of_files)
{
	struct random random = random_start();

	make(false);
	expect_flips_refused("MANIFEST-*", &random, 12);
}

// Fragment by fragment, up to max of the file's last block: a length past the end of the file and
// the type of a log that is used again look like its end.
static void expect_lost_ends_refused(const char *pattern, unsigned max)
{
	static const struct {
		int at;
		uint8_t bits;
	} flips[] = {{5, 0x70}, {6, 0x04}};
	char name[100], path[600];
	uint8_t header[7];
	long at, size;

	find(pattern, name, sizeof(name), &size);
	at = size - size % 32768; // a block starts with a fragment
	snprintf(path, sizeof(path), "%s.copy/%s", place.path, name);
	for (; max-- && at < size; at += (long)sizeof(header) + header[4] + 256 * header[5]) {
		FILE *const file = fopen(path, "r");

		cr_assert(file && !fseek(file, at, SEEK_SET) &&
			  fread(header, sizeof(header), 1, file) == 1);
		fclose(file);
		for (size_t i = 0; i < sizeof(flips) / sizeof(flips[0]); i++) {
			flip(name, at + flips[i].at, flips[i].bits);
			expect_refused(-EBADMSG, "back-up");
			make_again();
		}
	}
}

Test(store_open, lost_ends_of_the_list_of_files)
{
	make(false);
	expect_lost_ends_refused("MANIFEST-*", UINT_MAX);
	start();
	store_close(store);
}

Test(store_open, flipped_octets_in_current)
{
	struct random random = random_start();

	make(false);
	expect_flips_refused("CURRENT", &random, 5);
}

Test(store_open, flipped_octets_in_the_log)
{
	char name[100];
	long size;

	make(true);
	find("*.log", name, sizeof(name), &size);
	cr_assert(size > 100000, "the log holds what was written before the crash: %ld", size);
	for (int i = 1; i < 8; i++) { // not in the last record, where a crash may have cut
		flip(name, size / 8 * i, 0x10);
		expect_refused(-EBADMSG, "back-up");
		make_again();
	}
	start();
	store_close(store);
}

Test(store_open, lost_ends_of_the_log)
{
	make(true);
	expect_lost_ends_refused("*.log", 4);
	start();
	store_close(store);
}

Test(store_open, truncated_table_file)
{
	char name[100];
	long size;

	make(false);
	find("*.sst", name, sizeof(name), &size);
	shell("truncate -s %ld %s/%s", size / 2, place.path, name);
	expect_refused(-EBADMSG, name);
	shell("truncate -s 0 %s/%s", place.path, name);
	expect_refused(-EBADMSG, name);
}

Test(store_open, missing_files)
{
	char name[100];
	long size;

	make(false);
	find("*.sst", name, sizeof(name), &size);
	shell("rm %s/%s", place.path, name);
	expect_refused(-EBADMSG, name);
	make_again();
	find("MANIFEST-*", name, sizeof(name), &size);
	shell("rm %s/%s", place.path, name);
	expect_refused(-EBADMSG, name);
	make_again();
	shell("rm %s/CURRENT", place.path);
	expect_refused(-EBADMSG, "CURRENT");
	make_again();
	shell("> %s/CURRENT", place.path);
	expect_refused(-EBADMSG, "CURRENT");
}

// A list of files that ends early is an older state, consistent in itself: only the horizon tells.
Test(store_open, truncated_list_of_files)
{
	char name[100];
	long size;

	make(false);
	find("MANIFEST-*", name, sizeof(name), &size);
	for (long len = 0; len < size; len += size / 20 + 1) {
		shell("truncate -s %ld %s/%s", len, place.path, name);
		expect_refused(-EBADMSG, "back-up");
		make_again();
	}
}

Test(store_open, a_log_that_a_crash_cut_off_opens)
{
	char name[100];
	long size;

	make(true);
	find("*.log", name, sizeof(name), &size);
	for (int i = 1; i < 20; i++) {
		shell("truncate -s %ld %s/%s", size - i * 7, place.path, name);
		start();
		store_close(store);
		make_again();
	}
}
