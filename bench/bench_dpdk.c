// Protected pushes past the kernel: through the back end dpdk into a port that takes all and does
// nothing (net_null), beside the chain by itself (the reference) and the port with nothing
// protected. What lies between is the way from a push's list to a frame in the port's ring.

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/chain.h"
#include "bench/io.h"
#include "dataplane/io/io_dpdk.h"

enum { OVERHEAD = 48, WORKERS = 2, PORT = 48470, UES_MIN = 1000 };

static const uint8_t gateway[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2};
static const uint8_t gateway_mac[PACKET_MAC] = {0x02, [5] = 0x02};

// 10.0.0.1/24 behind a gateway whose MAC is known.
static void port_init(struct io_dpdk_config *config)
{
	struct host_config *const host = &config->port[0].host;

	*config = (struct io_dpdk_config){
		.arg = {"--no-telemetry"}, .n_args = 1, .n_ports = 1, .n_workers = WORKERS};
	config->port[0].device = "net_null0,no-rx=1";
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

struct line_up {
	struct alone alone;
	struct io_sink sink;
	struct bench_variant *raw, *protected;
};

static int open_all(struct line_up *all, const struct bench_options *options,
		    struct io_dpdk_config *ports)
{
	struct bench_options table = *options;

	table.ues = options->destinations < UES_MIN ? UES_MIN : options->destinations;
	all->sink = (struct io_sink){
		.fd = -1,
		.port = PORT,
		.destinations = options->destinations,
		.round = options->destinations < IO_ROUND ? options->destinations : IO_ROUND,
		.payload = options->payload,
		.len = OVERHEAD + options->payload,
		.io_arg = ports,
	};
	all->alone.chain = chain_open(&table);
	all->alone.walk.in_order = true;
	all->alone.variant =
		(struct bench_variant){.name = "chain", .state = &all->alone, .run = run_chain};
	if (!all->alone.chain)
		return -ENOMEM;
	all->raw = io_raw_open(&all->sink, "dpdk");
	all->protected = all->raw ? io_protected_open(&all->sink, "dpdk") : NULL;
	if (!all->protected)
		return -ENODEV;
	all->raw->name = "port";
	all->protected->name = "protected";
	return 0;
}

static void close_all(struct line_up *all)
{
	if (all->protected)
		io_protected_close(all->protected);
	if (all->raw)
		io_raw_close(all->raw);
	if (all->alone.chain)
		chain_close(all->alone.chain);
}

static int run_all(struct line_up *all, const struct bench_options *options)
{
	struct bench_variant *const each[] = {&all->alone.variant, all->raw, all->protected};
	struct bench_variant *variant[3];
	unsigned n = 0, rounds;
	char what[96];

	for (unsigned i = 0; i < 3; i++) {
		if (!i || !options->only || strstr(each[i]->name, options->only))
			variant[n++] = each[i];
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

	port_init(&ports);
	status = open_all(&all, options, &ports);
	if (!status)
		status = run_all(&all, options);
	close_all(&all);
	return status;
}

const struct bench bench_dpdk = {
	.name = "dpdk",
	.help = "protected pushes past the kernel, into a port that does nothing",
	.run = dpdk_run,
};
