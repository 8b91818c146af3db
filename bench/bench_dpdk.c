// Protected pushes past the kernel: through the back end dpdk into a port, one that takes all and
// does nothing (net_null) unless asked otherwise, beside the chain by itself (the reference) and
// the port with nothing protected. What lies between is the way from a push's list to a frame in
// the port's ring.

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bench/chain.h"
#include "bench/io_port.h"

enum { UES_MIN = 1000, VARIANTS = 3 };

// ---- The chain, without an end

struct alone {
	struct bench_variant variant;
	struct chain *chain;
	struct chain_walk walk;
};

static unsigned run_chain(void *state, uint64_t *ns)
{
	struct alone *const a = state;
	uint32_t made[2 * CHAIN_BURST];
	const uint64_t start = clock_mono_ns(&clock_system);

	for (unsigned done = 0; done < IO_ROUND; done += CHAIN_BURST)
		chain_protect(a->chain, &a->chain->protect,
			      chain_walk(&a->walk, &a->chain->table, CHAIN_BURST, made),
			      CHAIN_BURST);
	*ns = clock_mono_ns(&clock_system) - start;
	return IO_ROUND;
}

// ---- The bench

static const char *const names[VARIANTS] = {"chain", "port", "protected"};
static const unsigned queues[VARIANTS] = {0, 1, 1}; // of the port

struct line_up {
	struct alone alone;
	struct io_dpdk_config ports;
	struct io_sink sink;
	struct bench_variant *variant[VARIANTS];
};

static int open_alone(struct alone *alone, const struct bench_options *options)
{
	struct bench_options table = *options;

	table.ues = options->destinations < UES_MIN ? UES_MIN : options->destinations;
	alone->chain = chain_open(&table);
	alone->walk.in_order = true;
	alone->variant = (struct bench_variant){.name = "chain", .state = alone, .run = run_chain};
	return alone->chain ? 0 : -ENOMEM;
}

static struct bench_variant *open_one(struct line_up *all, unsigned i)
{
	switch (i) {
	case 0:
		return &all->alone.variant;
	case 1:
		return io_raw_open(&all->sink, "dpdk");
	default:
		return io_protected_open(&all->sink, "dpdk");
	}
}

static bool is_wanted(const struct bench_options *options, unsigned i)
{
	return !i || !options->only || strstr(names[i], options->only);
}

// A port may not have many.
static unsigned count_queues(const struct bench_options *options)
{
	unsigned n = 0;

	for (unsigned i = 0; i < VARIANTS; i++)
		n += is_wanted(options, i) ? queues[i] : 0;
	return n;
}

static int open_all(struct line_up *all, const struct bench_options *options)
{
	io_port_init(&all->ports, options->device, count_queues(options));
	io_port_sink(&all->sink, options, &all->ports);
	if (open_alone(&all->alone, options))
		return -ENOMEM;
	for (unsigned i = 0; i < VARIANTS; i++) {
		if (!is_wanted(options, i))
			continue;
		all->variant[i] = open_one(all, i);
		if (!all->variant[i])
			return -ENODEV;
		all->variant[i]->name = names[i];
	}
	return 0;
}

static void close_all(struct line_up *all)
{
	if (all->variant[2])
		io_protected_close(all->variant[2]);
	if (all->variant[1])
		io_raw_close(all->variant[1]);
	if (all->alone.chain)
		chain_close(all->alone.chain);
}

static int run_all(struct line_up *all, const struct bench_options *options)
{
	struct bench_variant *variant[VARIANTS];
	unsigned n = 0, rounds;
	char what[96];

	for (unsigned i = 0; i < VARIANTS; i++) {
		if (all->variant[i])
			variant[n++] = all->variant[i];
	}
	rounds = bench_rounds(variant, n, options);
	if (!rounds)
		return -EIO;
	snprintf(what, sizeof(what), "\"payload\":%u,\"destinations\":%u", options->payload,
		 options->destinations);
	bench_print("dpdk", what, variant, n, rounds, options->json);
	return 0;
}

static int dpdk_run(const struct bench_options *options)
{
	static struct line_up all;
	int status = open_all(&all, options);

	if (!status)
		status = run_all(&all, options);
	close_all(&all);
	return status;
}

const struct bench bench_dpdk = {
	.name = "dpdk",
	.help = "protected pushes past the kernel, into a port of DPDK",
	.run = dpdk_run,
};
