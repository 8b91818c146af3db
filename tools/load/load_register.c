// akmapush-load register: an AUSF (Naanf_AKMA register-anchorkey, TS 29.535).
#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/text.h"
#include "tools/load/load.h"

enum { BODY_MAX = 512 };

static uint64_t registration;
static bool by_gpsi;

static const struct arg args[] = {
	{ARG_TITLE, 0, "Registration", NULL, NULL, NULL, 0, 0},
	{ARG_UINT, 0, "again", "K",
	 "registration number: the keys of the K-th authentication\n"
	 "after the first (default 0, the first)",
	 &registration, 0, UINT32_MAX},
	{ARG_FLAG, 0, "gpsi", NULL, "name the subscriber by its GPSI instead of its SUPI", &by_gpsi,
	 0, 0},
	{0},
};

static const struct args_command command = {
	"akmapush-load register [OPTION...]",
	"Registers an anchor key for each subscriber, as the AUSF does after a primary\n"
	"authentication. A second registration of the same subscriber replaces the first.",
	"  akmapush-load register --count 100k               as fast as it goes\n"
	"  akmapush-load register --count 100k --rate 20k    at a rate, for honest latencies\n"
	"  akmapush-load register --count 1000 --again 1     these have authenticated once more",
	args,
	load_args,
};

static size_t write_body(void *arg, uint64_t item, char *body)
{
	const struct subscribers *all = &load_options.subscribers;
	const uint64_t i = load_options.from + item;
	char identity[SUBSCRIBER_SUPI], akid[SUBSCRIBER_AKID], key[2 * AKMA_KEY + 1];
	uint8_t kakma[AKMA_KEY];
	int n;

	(void)arg;
	_Static_assert(SUBSCRIBER_GPSI <= SUBSCRIBER_SUPI, "identity takes both");
	if (by_gpsi)
		subscriber_gpsi(i, identity);
	else
		subscriber_supi(i, identity);
	subscriber_akid(all, i, (uint32_t)registration, akid);
	subscriber_kakma(all, i, (uint32_t)registration, kakma);
	hex_write(key, kakma, sizeof(kakma));
	n = snprintf(body, BODY_MAX, "{\"%s\":\"%s\",\"aKId\":\"%s\",\"kAkma\":\"%s\"}",
		     by_gpsi ? "gpsi" : "supi", identity, akid, key);
	mem_wipe(key, sizeof(key));
	mem_wipe(kakma, sizeof(kakma));
	return (size_t)n;
}

static void acknowledge(void *arg, uint64_t item, FILE *file)
{
	(void)arg;
	fprintf(file, "register %" PRIu64 " %" PRIu64 "\n", load_options.from + item, registration);
}

int load_register(int argc, char **argv)
{
	static struct load_result result;
	struct load_job job = {
		.what = "register",
		.method = "POST",
		.path = "/naanf-akma/v1/register-anchorkey",
		.content_type = "application/json",
		.is_open = true,
		.body_max = BODY_MAX,
		.write = write_body,
		.acknowledge = acknowledge,
	};

	if (load_options_parse(&command, argc, argv, 0) < 0)
		return 2;
	job.n = load_options.count;
	return load_run(&job, &result) ? 1 : load_finish(&result);
}
