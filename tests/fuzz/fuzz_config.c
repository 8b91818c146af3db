// The configuration file: any text is read or refused, and what was read can be compared.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "control/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void report(void *ctx, const char *text)
{
	(void)ctx;
	if (!*text)
		abort();
}

static void change(void *ctx, const char *option, const char *from, const char *to, bool live)
{
	(void)ctx;
	(void)option;
	(void)from;
	(void)to;
	(void)live;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *defaults, *config;

	if (config_parse((const char *)data, size, "fuzz", &config, report, NULL))
		return 0;
	if (config_load(NULL, &defaults, report, NULL))
		abort();
	config_diff(defaults, config, change, NULL);
	config_free(defaults);
	config_free(config);
	return 0;
}
