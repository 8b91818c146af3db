// Arguments of EAL that do not come from the file.

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config/config.h"

__attribute__((format(printf, 3, 4))) static int wrong(config_report report, void *ctx,
						       const char *format, ...)
{
	char text[CONFIG_ERROR_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	report(ctx, text);
	return -EINVAL;
}

static int check(const struct config *config, char *const arguments[], unsigned n,
		 config_report report, void *ctx)
{
	if (n && strcmp(config->dataplane.io, "dpdk"))
		return wrong(report, ctx,
			     "command line: arguments behind -- are EAL's, of no use while "
			     "dataplane.io is %s",
			     config->dataplane.io);
	if (n > CONFIG_EAL_MAX - config->dpdk.n_eal)
		return wrong(report, ctx,
			     "command line: %u arguments behind -- and %u in dpdk.eal, at most %d "
			     "together",
			     n, config->dpdk.n_eal, CONFIG_EAL_MAX);
	for (unsigned i = 0; i < n; i++) {
		if (!*arguments[i] || strlen(arguments[i]) > CONFIG_EAL_ARGUMENT_MAX)
			return wrong(report, ctx,
				     "command line: argument %u behind -- has %zu characters, "
				     "expected 1 to %d",
				     i + 1, strlen(arguments[i]), CONFIG_EAL_ARGUMENT_MAX);
	}
	return 0;
}

int config_add_eal(struct config *config, char *const arguments[], unsigned n, config_report report,
		   void *ctx)
{
	const int error = check(config, arguments, n, report, ctx);

	for (unsigned i = 0; !error && i < n; i++) {
		char *const copy = strdup(arguments[i]);

		if (!copy)
			return -ENOMEM;
		config->dpdk.eal[config->dpdk.n_eal++] = copy;
		config->dpdk.n_eal_added++;
	}
	return error;
}
