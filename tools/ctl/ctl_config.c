#include "tools/ctl/ctl_config.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/ctl/ctl_call.h"

extern char **environ;

enum { PROGRAM_MAX = 4096 + 32, OUTPUT_MAX = 1 << 20, NOT_FOUND = 127 };

// Beside this program, where an installation or a build has it, else (false) wherever PATH finds
// it.
static bool find_program(char program[PROGRAM_MAX])
{
	static const char *const places[] = {"akmapushd", "../sbin/akmapushd",
					     "../control/akmapushd"};
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		self[strrchr(self, '/') - self + 1] = '\0';
		for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			snprintf(program, PROGRAM_MAX, "%s%s", self, places[i]);
			if (access(program, X_OK) == 0)
				return true;
		}
	}
	strcpy(program, "akmapushd");
	return false;
}

// Starts the checker, its output into `out` unless that is -1. 0 or an errno.
static int start(const char *file, int out, pid_t *pid)
{
	char program[PROGRAM_MAX];
	char *const argv[] = {program, (char *)(uintptr_t) "--check",
			      (char *)(uintptr_t) "--config", (char *)(uintptr_t)file, NULL};
	posix_spawn_file_actions_t actions;
	bool is_found = find_program(program);
	int error = posix_spawn_file_actions_init(&actions);

	if (error)
		return error;
	if (out >= 0) {
		error = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
		if (!error)
			error = posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	}
	if (!error && is_found)
		error = posix_spawn(pid, program, &actions, NULL, argv, environ);
	else if (!error)
		error = posix_spawnp(pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

static int finish(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return NOT_FOUND;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int not_started(int error)
{
	return ctl_fail(CTL_UNREACHABLE,
			"akmapushd, which checks configurations, can't be started "
			"(%s): it is neither beside akmapushctl nor in PATH",
			strerror(error));
}

// ---- As JSON

static size_t read_all(int fd, char *text, size_t max)
{
	size_t n = 0;

	while (n + 1 < max) {
		ssize_t got = read(fd, text + n, max - 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	return n;
}

static void print_json(const char *file, bool is_valid, char *output)
{
	struct json_writer *w = json_write();
	struct ctl_body body;
	char *rest;

	json_put_string(w, "file", file);
	json_put_bool(w, "valid", is_valid);
	json_open_array(w, "errors");
	for (char *line = strtok_r(output, "\n", &rest); line && !is_valid;
	     line = strtok_r(NULL, "\n", &rest))
		json_put_string(w, NULL, line);
	ctl_body_take(&body, w);
	puts(body.text ? body.text : "{}");
	ctl_body_free(&body);
}

static int check_json(const char *file)
{
	char *output = malloc(OUTPUT_MAX);
	int ends[2], error, code;
	pid_t pid;

	if (!output || pipe2(ends, O_CLOEXEC)) {
		free(output);
		return ctl_fail(CTL_REFUSED, "no memory or files are left");
	}
	error = start(file, ends[1], &pid);
	close(ends[1]);
	if (!error)
		read_all(ends[0], output, OUTPUT_MAX);
	close(ends[0]);
	code = error ? not_started(error) : finish(pid) ? CTL_REFUSED : CTL_OK;
	if (!error)
		print_json(file, code == CTL_OK, output);
	free(output);
	return code;
}

static int run(struct ctl *ctl, char **operands, unsigned n)
{
	pid_t pid;
	int error;

	(void)n;
	if (ctl->json)
		return check_json(operands[0]);
	fflush(stdout);
	error = start(operands[0], -1, &pid);
	if (error)
		return not_started(error);
	return finish(pid) ? CTL_REFUSED : CTL_OK;
}

const struct ctl_command ctl_config_check_command = {
	.object = "config",
	.verb = "check",
	.min = 1,
	.max = 1,
	.file = 1,
	.summary = "checks a configuration file",
	.help = {.usage = "akmapushctl config check [OPTION…] FILE",
		 .about = "Checks a configuration file as the daemon does (akmapushd --check); "
			  "needs no "
			  "running daemon.\nExit code 1 when it is not good.",
		 .examples = "  akmapushctl config check /etc/akmapush/akmapush.yaml",
		 .more = ctl_shared},
	.run = run,
};
