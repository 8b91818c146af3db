#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tools/ctl/ctl_commands.h"
#include "tools/ctl/ctl_help.h"
#include "tools/ctl/ctl_run.h"
#include "tools/ctl/ctl_shell.h"

static void on_interrupt(int signal)
{
	(void)signal;
	ctl_interrupted = 1;
}

// Without SA_RESTART: reading from a terminal ends too.
static void catch_interrupts(void)
{
	struct sigaction action = {.sa_handler = on_interrupt};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
}

int main(int argc, char **argv)
{
	const char *socket = getenv("AKMAPUSH_SOCKET");
	struct ctl ctl = {.commands = ctl_commands,
			  .socket = socket && *socket ? socket : CTL_SOCKET_DEFAULT};
	int leading = ctl_run_leading(argc - 1, argv + 1), code;

	tzset();
	catch_interrupts();
	if (leading < 0)
		return -leading;
	if (leading == argc - 1 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
		// --json and --socket alone are those of all commands at the prompt.
		if (args_parse(&ctl_help_command.help, argc, argv) < 0)
			return CTL_USAGE;
		ctl.json = ctl_shared_options.json;
		if (ctl_shared_options.socket)
			ctl.socket = ctl_shared_options.socket;
		code = ctl_shell(&ctl);
	} else {
		code = ctl_run(&ctl, argc - 1, argv + 1);
	}
	if (fflush(stdout) && errno != EPIPE && !code) // who reads may go
		code = ctl_fail(CTL_REFUSED, "standard output can't be written");
	return code;
}
