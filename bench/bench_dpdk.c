// Protected pushes past the kernel: through the back end dpdk into a port, one that takes all and
// does nothing (net_null) unless asked otherwise, beside the chain by itself (the reference) and
// the port with nothing protected. What lies between is the way from a push's list to a frame in
// the port's ring. And the same by one and by two workers in threads of their own, whose rounds are
// longer: they have to wake up first.

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/chain.h"
#include "bench/io.h"
#include "dataplane/io/io_dpdk.h"

enum { OVERHEAD = 48, PORT = 48470, UES_MIN = 1000, VARIANTS = 5 };

static const uint8_t gateway[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2};
static const uint8_t gateway_mac[PACKET_MAC] = {0x02, [5] = 0x02};

// 10.0.0.1/24 behind a gateway whose MAC is known.
static void port_init(struct io_dpdk_config *config, const char *device)
{
	struct host_config *const host = &config->port[0].host;

	*config = (struct io_dpdk_config){.arg = {"--no-telemetry"}, .n_args = 1, .n_ports = 1};
	config->port[0].device = device ? device : "net_null0,no-rx=1";
	memcpy(host->address[0].ip, gateway, sizeof(gateway));
	host->address[0].ip[15] = 1;
	host->address[0].prefix = 120;
	host->n_addresses = 1;
	memcpy(host->gateway[0], gateway, sizeof(gateway));
	host->has_gateway[0] = true;
	memcpy(host->neighbour[0].ip, gateway, sizeof(gateway));
	memcpy(host->neighbour[0].mac, gateway_mac, sizeof(gateway_mac));
	host->n_neighbours = 1;
}

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

static const char *const names[VARIANTS] = {"chain", "port", "protected", "one-worker",
					    "two-workers"};
static const unsigned workers[VARIANTS] = {0, 1, 1, 1, 2};

struct line_up {
	struct alone alone;
	struct io_sink sink, long_sink;
	struct bench_variant *variant[VARIANTS];
};

static struct io_sink sink_of(const struct bench_options *options, unsigned round_max,
			      struct io_dpdk_config *ports)
{
	const unsigned n = options->destinations;

	return (struct io_sink){
		.fd = -1,
		.port = PORT,
		.destinations = n,
		.round = n < round_max ? n : round_max,
		.payload = options->payload,
		.len = OVERHEAD + options->payload,
		.io_arg = ports,
	};
}

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
	case 2:
		return io_protected_open(&all->sink, "dpdk");
	default:
		return io_threads_open(&all->long_sink, "dpdk", workers[i]);
	}
}

static bool is_wanted(const struct bench_options *options, unsigned i)
{
	return !i || !options->only || strstr(names[i], options->only);
}

// Each has a queue of the port, which may not have many.
static unsigned count_workers(const struct bench_options *options)
{
	unsigned n = 0;

	for (unsigned i = 0; i < VARIANTS; i++)
		n += is_wanted(options, i) ? workers[i] : 0;
	return n;
}

static int open_all(struct line_up *all, const struct bench_options *options,
		    struct io_dpdk_config *ports)
{
	ports->n_workers = count_workers(options);
	all->sink = sink_of(options, IO_ROUND, ports);
	all->long_sink = sink_of(options, options->destinations, ports);
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
	for (unsigned i = VARIANTS - 1; i > 1; i--) {
		if (all->variant[i])
			io_protected_close(all->variant[i]);
	}
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
	struct io_dpdk_config ports;
	int status;

	port_init(&ports, options->device);
	status = open_all(&all, options, &ports);
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
