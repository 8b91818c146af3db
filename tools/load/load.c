// akmapush-load: the choice of the subcommand.
#include "tools/load/load.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *what;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"register", "register anchor keys, as an AUSF does after each authentication",
	 load_register},
	{"provision", "tell who is who and where: SUPI, GPSI, address, port, group",
	 load_provision},
	{"af", "onboard an application function", load_af},
	{"push", "push as an AF, to a group, to all, or to one UE after the other", load_push},
	{"retrieve", "retrieve application keys, as an AF of AKMA does", load_retrieve},
	{"acks", "flood the daemon's UDP port with acknowledgements that are none", load_acks},
};

static void help(void)
{
	puts("Usage: akmapush-load COMMAND [OPTION...]\n\n"
	     "Loads akmapushd over HTTP/2 with subscribers that are made from a seed, and "
	     "measures.\n"
	     "The fleet akmapush-ue, given the same seed, is these subscribers' devices.\n\n"
	     "Commands:");
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].what);
	puts("\nA whole round, 100,000 devices:\n"
	     "  akmapush-load provision --count 100k --group meters\n"
	     "  akmapush-load register --count 100k\n"
	     "  akmapush-load af --af utility.example --group meters\n"
	     "  akmapush-ue --count 100k --af utility.example &\n"
	     "  akmapush-load push --af utility.example --group meters --wait\n\n"
	     "akmapush-load COMMAND --help tells the options of each.\n"
	     "Exit code: 0 all done; 1 a request failed; 2 wrong usage.");
}

int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help();
		return argc < 2 ? 2 : 0;
	}
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "akmapush-load: no command \"%s\"; see akmapush-load --help\n", argv[1]);
	return 2;
}
