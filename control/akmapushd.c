// akmapushd: the AKMA anchor function with push.

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "control/config/config.h"
#include "control/daemon.h"

static const char usage[] =
	"akmapushd - AKMA anchor function (AAnF) with push\n"
	"\n"
	"usage: akmapushd [--config FILE] [-- EAL-ARGUMENT...]\n"
	"       akmapushd --check [--config FILE] [-- EAL-ARGUMENT...]\n"
	"\n"
	"  -c, --config FILE  YAML configuration; without it the defaults hold\n"
	"  -k, --check        read and check the configuration, then end: 0 good, 1 not\n"
	"  -p, --print        print all options with their defaults, a file to start from\n"
	"  -V, --version\n"
	"  -h, --help\n"
	"  --                 what follows goes to DPDK's EAL, behind the arguments in dpdk.eal:\n"
	"                     -- --no-huge -m 256\n"
	"\n"
	"It runs in the foreground and logs to standard error. Without configuration it listens\n"
	"on 127.0.0.1 port 7777 (HTTP/2, cleartext) and /run/akmapush/admin.sock and keeps its\n"
	"store in /var/lib/akmapush, which must exist and belong to the user it runs as.\n"
	"\n"
	"Signals: TERM and INT end it in order (requests under way are answered, pushes go on at\n"
	"the next start); HUP reads the configuration again and takes over log.level and the\n"
	"tuning of the data plane; what else changed is logged and needs a restart.\n"
	"\n"
	"A first try, as root:\n"
	"  mkdir -p /run/akmapush /var/lib/akmapush && akmapushd &\n"
	"  curl --http2-prior-knowledge http://127.0.0.1:7777/health\n";

struct arguments {
	const char *config;
	bool check;
	char **eal; // behind --
	unsigned n_eal;
};

// Words that are no options are EAL's behind a "--", and nothing else's.
static int parse_words(int argc, char **argv, bool is_behind, struct arguments *arguments,
		       int *code)
{
	if (optind < argc && !is_behind) {
		fprintf(stderr, "akmapushd: '%s' is not expected; --help tells the options\n",
			argv[optind]);
		*code = 2;
		return 1;
	}
	arguments->eal = argv + optind;
	arguments->n_eal = (unsigned)(argc - optind);
	return 0;
}

// Continues with 0; else ends with the exit code in *code.
static int parse(int argc, char **argv, struct arguments *arguments, int *code)
{
	static const struct option long_options[] = {
		{"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},
		{"print", no_argument, NULL, 'p'},        {"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},         {0},
	};
	int option, at = optind;

	*code = 0;
	for (; (option = getopt_long(argc, argv, "+c:kpVh", long_options, NULL)) != -1;
	     at = optind) {
		switch (option) {
		case 'c':
			arguments->config = optarg;
			break;
		case 'k':
			arguments->check = true;
			break;
		case 'p':
			*code = config_print_example(STDOUT_FILENO) ? 1 : 0;
			return 1;
		case 'V':
			puts("akmapushd " AKMAPUSH_VERSION);
			return 1;
		case 'h':
			fputs(usage, stdout);
			return 1;
		default:
			fputs("akmapushd --help tells the options\n", stderr);
			*code = 2;
			return 1;
		}
	}
	// The last call passed over "--", if there was one, and over nothing else.
	return parse_words(argc, argv, optind > at, arguments, code);
}

static void report(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%s\n", text);
}

// No core dumps, no debugger of other users, no swap: the process holds keys.
static void guard_secrets(void)
{
	const struct rlimit none = {0, 0}, all = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit locked;

	setrlimit(RLIMIT_CORE, &none);
	if (prctl(PR_SET_DUMPABLE, 0))
		log_warn("daemon", "core dumps can't be ruled out: %s", strerror(errno));
	setrlimit(RLIMIT_MEMLOCK, &all);
	if (getrlimit(RLIMIT_MEMLOCK, &locked) || locked.rlim_cur != RLIM_INFINITY ||
	    mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		log_warn("daemon", "requests with keys may be swapped out: give the process "
				   "RLIMIT_MEMLOCK infinity, or run without swap");
}

static void raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct config *config;
	const char *name;
	int code, error;

	if (parse(argc, argv, &arguments, &code))
		return code;
	name = arguments.config ? arguments.config : "defaults";
	if (config_load(arguments.config, &config, report, NULL))
		return 1;
	if (config_add_eal(config, arguments.eal, arguments.n_eal, report, NULL) ||
	    config_check(config, name, report, NULL)) {
		config_free(config);
		return 1;
	}
	if (arguments.check) {
		printf("%s: good\n", name);
		config_free(config);
		return 0;
	}
	log_set_level(config->log.level);
	guard_secrets();
	raise_files();
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	error = daemon_run(config, arguments.config);
	config_free(config);
	prctl(PR_SET_DUMPABLE, 1); // the keys are gone
	return error ? 1 : 0;
}
