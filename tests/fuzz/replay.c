// Gives files, or all files of folders, to a fuzz target: the corpus as an ordinary test, with any
// compiler. Usage: <target> PATH...

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { INPUT_MAX = 1 << 20 };

static unsigned replayed;

static void replay_file(const char *path)
{
	uint8_t *octets = malloc(INPUT_MAX), *exact;
	FILE *file = fopen(path, "rb");
	size_t n;

	if (!file || !octets) {
		perror(path);
		exit(1);
	}
	n = fread(octets, 1, INPUT_MAX, file);
	fclose(file);
	exact = realloc(octets, n ? n : 1); // so that a sanitizer sees a read beyond the end
	if (!exact)
		exit(1);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	replayed++;
}

static void replay(const char *path)
{
	char inner[4096];
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	if (stat(path, &st) != 0) {
		perror(path);
		exit(1);
	}
	dir = S_ISDIR(st.st_mode) ? opendir(path) : NULL;
	if (!dir) {
		replay_file(path);
		return;
	}
	while ((entry = readdir(dir))) {
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			replay(inner);
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%u inputs replayed\n", replayed);
	return replayed == 0;
}
